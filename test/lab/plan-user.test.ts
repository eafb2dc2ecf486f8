import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readInventory } from '../../src/cli/prepare.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { expectError, on, Spoilt } from '../kit/trouble.ts';

// The login of examples/plan-user, installed on each host as docs/security.md says, and then used and misused.
const MOVE = 'runbooks/ovirt/migrate-engine-db.yaml';
const FOLDER = join(import.meta.dirname, '..', '..', 'examples', 'plan-user');
const labDir = inject('labDir');
const spoilt = new Spoilt(labDir);
let hosts: string[] = [];
let root: FerryOnLab;
let planner: FerryOnLab;

const part = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
const put = (name: string, path: string, mode: string) =>
  `cat >${path} <<'END OF FILE'\n${part(name)}END OF FILE\nchmod ${mode} ${path}\n`;
const INSTALL = `set -e
useradd -m -s /bin/sh ferry-plan
install -d -m 700 -o ferry-plan -g ferry-plan /home/ferry-plan/.ssh
install -m 600 -o ferry-plan -g ferry-plan /root/.ssh/authorized_keys /home/ferry-plan/.ssh/
mkdir -p /usr/local/lib/ferry-plan/sudo /usr/local/lib/ferry-plan/bin
${put('sh', '/usr/local/lib/ferry-plan/sudo/sh', '755')}${put('runuser', '/usr/local/lib/ferry-plan/bin/runuser', '755')}[ ! -x /usr/sbin/hosted-engine ] || {
${put('hosted-engine', '/usr/local/lib/ferry-plan/bin/hosted-engine', '755')}}
${put('sudoers', '/etc/sudoers.d/ferry-plan', '440')}
visudo -cq
if systemctl is-active -q postgresql && command -v psql >/dev/null; then
cat >/tmp/role.sql <<'END OF FILE'
${part('role.sql')}END OF FILE
runuser -u postgres -- psql -q -v ON_ERROR_STOP=1 -f /tmp/role.sql; rm /tmp/role.sql; fi`;
const REMOVE = `rm -rf /etc/sudoers.d/ferry-plan /usr/local/lib/ferry-plan; userdel -r ferry-plan 2>/dev/null
if systemctl is-active -q postgresql && command -v psql >/dev/null; then
runuser -u postgres -- psql -q -c 'DROP OWNED BY "ferry-plan"' -c 'DROP ROLE "ferry-plan"'; fi`;

/** What a person with this login gets from sudo, as the login's own shell on a host; its exit code and all it says. */
async function asPlanner(host: string, words: string) {
  const said = await on(
    labDir,
    host,
    `setpriv --reuid=ferry-plan --regid=ferry-plan --init-groups -- sh -c ${quoted(words)} 2>&1; echo "= $?"`,
  );
  const end = said.lastIndexOf('= ');
  return { code: Number(said.slice(end + 2)), said: said.slice(0, end).trim() };
}
/** A plan as two people see it who look one after the other: when they looked, free disk and who is logged in may differ. */
function withoutTimes(plan: { readings: object }): { readings: object } {
  const moving = /^(madeAt|readAt|at|digest|diskFree.*|pgSessions.*)$/;
  return JSON.parse(JSON.stringify(plan, (key, value) => (moving.test(key) ? '' : value)));
}
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const shell = (script: string) => `sudo -n -- sh -c ${quoted(script)}`;

describe('a login that may only plan', () => {
  beforeAll(async () => {
    hosts = [...(await readInventory(join(labDir, 'inventory.yaml'), labDir)).hosts.keys()];
    await Promise.all(hosts.map((host) => on(labDir, host, INSTALL)));
    root = new FerryOnLab(labDir);
    const inventory = spoilt.inventory({ line: (_host, line) => line.replace('user: root', 'user: ferry-plan') });
    planner = new FerryOnLab(labDir, {}, inventory);
  });
  afterAll(async () => {
    await Promise.all(hosts.map((host) => on(labDir, host, REMOVE)));
    root.remove();
    planner.remove();
    spoilt.remove();
  });

  it('gets the very plan that root gets, of conf files with passwords, services and databases', async () => {
    const plans = await Promise.all([root, planner].map((ferry) => ferry.run(['plan', MOVE, ...ferry.hosts, '--json'])));
    for (const { code, stderr } of plans) expect(code, stderr).toBe(0);
    const [one, other] = plans.map(({ stdout }) => withoutTimes(JSON.parse(stdout)));
    for (const kind of ['fileContent', 'maintenanceMode', 'unitState', 'pgRole', 'pgHba', 'pgSetting', 'pgContents'])
      expect(JSON.stringify(one?.readings)).toContain(`"${kind}(`);
    expect(other).toEqual(one);
  });

  it('is told so when it would run something, and leaves no trace', async () => {
    const traces = () => Promise.all(hosts.map((host) => on(labDir, host, 'find /var/lib/ferry /run/ferry 2>/dev/null | sort')));
    const before = await traces();
    const refused = await planner.run(['run', MOVE, ...planner.hosts, '--yes']);
    expectError(refused, { exit: 5, code: 'PLAN_ONLY_LOGIN', says: [/ferry-plan on \w+ may plan and change nothing/] });
    expect(await traces()).toEqual(before);
  });

  it.each([
    ['engine', 'writes no file', shell('echo x >/etc/ferry-was-here'), /Permission denied|cannot create/],
    ['engine', 'changes no mode', shell('chmod 777 /etc/ovirt-engine'), /not permitted/],
    ['engine', 'removes nothing', shell('rm -f /etc/hostname'), /Permission denied/],
    ['engine', 'stops no service', shell('systemctl stop ovirt-engine'), /authentication|denied|not permitted/i],
    ['engine', 'ends no process', shell('kill -0 1'), /not permitted/],
    [
      'engine',
      'makes no table',
      shell('runuser -u postgres -- psql -d engine -c "CREATE TABLE public.ferry_was_here ()"'),
      /permission denied/,
    ],
    [
      'engine',
      'changes no row',
      shell('runuser -u postgres -- psql -d engine -c "DELETE FROM vdc_options"'),
      /permission denied/,
    ],
    [
      'engine',
      'is no superuser',
      shell('runuser -u postgres -- psql -d engine -c "CREATE ROLE ferry_was_here"'),
      /permission denied/,
    ],
    [
      'engine',
      'is nobody else',
      shell('/usr/sbin/runuser -u postgres -- id'),
      /may not be used by non-root|not permitted|Permission/,
    ],
    ['engine', 'is no other user by the name Ferry uses', shell('runuser -u ovirt -- id'), /can only plan/],
    ['engine', 'gets no shell of root', 'sudo -n /bin/sh -c id', /not allowed|password is required/],
    ['engine', 'gets nothing else from sudo', 'sudo -n id', /not allowed|password is required|not found/],
    [
      'engine',
      'gets no shell of root by its own file',
      'sudo -n PATH=/bin /usr/local/lib/ferry-plan/sudo/sh -c id',
      /not allowed/,
    ],
    [
      'he1',
      'sets no maintenance',
      'sudo -n /usr/sbin/hosted-engine --set-maintenance --mode=global',
      /not allowed|password is required/,
    ],
    [
      'he1',
      'sets no maintenance by the name Ferry uses',
      shell('hosted-engine --set-maintenance --mode=global'),
      /can only plan/,
    ],
  ])('on %s it %s', async (host, _what, words, says) => {
    const { code, said } = await asPlanner(host, words);
    expect(code, said).not.toBe(0);
    expect(said).toMatch(says);
  });

  it('reads all there is, which is much', async () => {
    const read = await asPlanner(
      'engine',
      shell(
        'id -un; grep -c ^root: /etc/shadow; grep -c ENGINE_DB_PASSWORD /etc/ovirt-engine/engine.conf.d/10-setup-database.conf',
      ),
    );
    expect(read).toEqual({ code: 0, said: 'ferry-plan\n1\n1' });
  });
});
