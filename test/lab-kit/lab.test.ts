import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, runCommand } from '../../lab/command.ts';
import { findMachines } from '../../lab/find-machines.ts';
import { labId } from '../../lab/folders.ts';
import {
  cutNetwork,
  execOn,
  labDown,
  labPowerOff,
  labPowerOn,
  labReset,
  labSshArgs,
  labStatus,
  labUp,
  renameEngineDatabase,
  restoreNetwork,
  setEnginePassword,
} from '../../lab/lab.ts';
import { pollUntil } from '../../lab/poll-until.ts';
import { sshAnswers } from '../../lab/ready.ts';

const HEALTHY = 'DB Up!Welcome to Health Status!';
let dir: string;
const said: string[] = [];
const say = (line: string): void => {
  said.push(line);
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ferry-lab-kit-'));
  await labUp({ dir, sizeMb: 10, say });
}, 300_000);

afterAll(async () => {
  await labDown({ dir, say });
  await rm(dir, { recursive: true, force: true });
  process.stderr.write(`${said.join('\n')}\n`);
}, 60_000);

// The default key exchange costs each ssh 0.3 s of CPU, and this file opens a hundred.
const ssh = async (host: string, command: string): Promise<CommandResult> =>
  runCommand(['ssh', '-o', 'KexAlgorithms=curve25519-sha256', ...(await labSshArgs(dir, host)), command]);
const out = async (host: string, command: string): Promise<string> => (await ssh(host, command)).stdout.trim();
const sql = (host: string, query: string, database = 'engine'): Promise<string> =>
  out(host, `cd / && runuser -u postgres -- psql -XAt -d '${database}' <<'SQL'\n${query}\nSQL`);
const health = (): Promise<string> => out('he1', 'curl -s -m 3 http://engine.lab.example/ovirt-engine/services/health');
const eventually = (what: string, condition: () => Promise<boolean>, timeoutMs = 15_000) =>
  pollUntil(condition, { what, timeoutMs });
const healthy = () => eventually('the health page', async () => (await health()) === HEALTHY);
const running = () => sql('engine', "SELECT var_value FROM dwh_history_timekeeping WHERE var_name = 'DwhCurrentlyRunning'");
const engineConnections = (database: string) =>
  sql('engine', `SELECT count(*) FROM pg_stat_activity WHERE datname = '${database}' AND usename = 'engine'`);

describe('the hosts', () => {
  it('answer over ssh as root and as admin, know each other, and their keys are the known ones', async () => {
    expect(await out('he1', 'id -un; hostname -f; getent hosts newdb.lab.example | wc -l')).toBe('root\nhe1.lab.example\n1');
    const args = (await labSshArgs(dir, 'dwh')).map((word) => word.replace('root@', 'admin@'));
    expect((await runCommand(['ssh', ...args, 'sudo -n id -un'])).stdout.trim()).toBe('root');
  });

  it('have machine ids and cgroups of their own', async () => {
    const all = await Promise.all(
      ['he1', 'he2', 'engine', 'newdb', 'dwh'].map((host) => out(host, 'cat /etc/machine-id; cat /proc/1/cgroup')),
    );
    expect(new Set(all).size).toBe(5);
  });

  it('are written into an inventory in the format of Ferry', async () => {
    const text = await readFile(join(dir, 'inventory.yaml'), 'utf8');
    expect(text).toMatch(/^# written by ferry lab\nferry: 1\nknownHosts: .\/known_hosts\nhosts:\n {2}he1: \{ address: 10\./);
    expect(text).toContain('roles:\n  he_host: he1\n  engine: engine\n  old_db: engine\n  new_db: newdb\n  dwh: dwh\n');
  });

  it('install a package without a network', async () => {
    expect((await ssh('newdb', 'command -v tree')).code).not.toBe(0);
    expect((await ssh('newdb', 'apt-get install -y -q tree && tree --version')).stdout).toContain('tree v');
  });

  it('have PostgreSQL as the table in the README says', async () => {
    expect(await sql('newdb', 'SHOW lc_messages; SHOW listen_addresses; SHOW max_connections', 'postgres')).toBe(
      'C.UTF-8\nlocalhost\n100',
    );
    expect(await out('dwh', 'systemctl is-enabled postgresql; systemctl is-active postgresql@15-main')).toBe(
      'disabled\ninactive',
    );
    expect(await out('engine', 'locale -a | grep en_US')).toBe('en_US.utf8');
  });
});

describe('the engine', () => {
  it('has a database of more than 150 tables, nine of them without a unique key, all owned by engine', async () => {
    const counts = `SELECT count(*) > 150, (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace) > 100,
      count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM pg_index WHERE indrelid = c.oid AND indisunique)),
      count(*) FILTER (WHERE relowner <> 'engine'::regrole) FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`;
    expect(await sql('engine', counts)).toBe('t|t|9|0');
    expect(
      await sql('engine', "SELECT count(*) FROM dwh_history_timekeeping; SELECT current_setting('client_min_messages')"),
    ).toBe('7\nerror');
  });

  it('serves the health page, holds connections and writes', async () => {
    expect(await health()).toBe(HEALTHY);
    expect(Number(await engineConnections('engine'))).toBeGreaterThanOrEqual(7);
    const rows = () => sql('engine', 'SELECT max(audit_log_id) FROM audit_log');
    const before = await rows();
    await eventually('a new audit_log row', async () => (await rows()) !== before);
  });

  it('tells dwhd flags: 0 after a clean stop, 1 after kill -9', async () => {
    await eventually('dwhd to run', async () => (await running()) === '1');
    await ssh('engine', 'systemctl stop ovirt-engine-dwhd');
    expect(await running()).toBe('0');
    await ssh('engine', 'systemctl start ovirt-engine-dwhd');
    await eventually('dwhd to run', async () => (await running()) === '1');
    await ssh('engine', 'systemctl kill -s KILL ovirt-engine-dwhd');
    await eventually(
      'systemd to wait an hour',
      async () => (await out('engine', 'systemctl is-active ovirt-engine-dwhd')) === 'activating',
    );
    expect(await running()).toBe('1');
    await ssh('engine', 'systemctl restart ovirt-engine-dwhd');
  });

  it('follows the URL and not HOST, while the kdump listener follows HOST', async () => {
    const file = '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf';
    await ssh('engine', `cp ${file} /root/old && sed -i 's/^ENGINE_DB_HOST=.*/ENGINE_DB_HOST="newdb"/' ${file}`);
    await ssh('engine', 'systemctl restart ovirt-engine ovirt-fence-kdump-listener');
    await healthy();
    await eventually('the listener to fail', async () =>
      (await out('engine', 'cat /var/log/ovirt-engine/ovirt-fence-kdump-listener.log')).includes('newdb'),
    );
    await ssh('engine', `sed -i '/^ENGINE_DB_URL/d' ${file} && systemctl restart ovirt-engine`);
    await healthy();
    await ssh('engine', `echo 'ENGINE_DB_USER=$USER' >>${file}; systemctl restart ovirt-engine`);
    expect(await out('engine', 'tail -n 1 /var/log/ovirt-engine/engine.log')).toContain('Malformed variable assignment');
    await ssh(
      'engine',
      `cat /root/old >${file}; systemctl reset-failed; systemctl restart ovirt-engine ovirt-fence-kdump-listener`,
    );
    await healthy();
  });

  it('says 500 while its database is away, and comes back by itself', async () => {
    await ssh('engine', 'systemctl stop postgresql@15-main');
    expect(await health()).toBe('Unable to contact Database!');
    await ssh('engine', 'systemctl start postgresql@15-main');
    await healthy();
  });

  it('takes a password and a database name with every awkward character', async () => {
    await setEnginePassword(dir, `a'b "c$d\\e:f%g`);
    await renameEngineDatabase(dir, 'Engine-DB');
    await healthy();
    expect(await engineConnections('Engine-DB')).not.toBe('0');
    const owner = 'stat -c "%U:%G %a" /etc/ovirt-engine/engine.conf.d/10-setup-database.conf';
    expect(await out('engine', owner)).toBe('root:ovirt 640');
  });
});

describe('hosted-engine', () => {
  it('shows on he2 the global maintenance that he1 set, and the engine writes it down', async () => {
    expect(await ssh('he1', 'hosted-engine --set-maintenance --mode=global')).toMatchObject({ code: 0, stdout: '' });
    const seen = async () => JSON.parse(await out('he2', 'hosted-engine --vm-status --json')).global_maintenance === true;
    await eventually('he2 to see it', seen);
    const text = (await ssh('he2', 'hosted-engine --vm-status')).stdout;
    expect(text.match(/!! Cluster is in GLOBAL MAINTENANCE mode !!/g)).toHaveLength(2);
    const database = 'SELECT bool_and(ha_global_maintenance) FROM vds_statistics';
    await eventually('the engine to write it down', async () => (await sql('engine', database, 'Engine-DB')) === 't');
    await ssh('he2', 'hosted-engine --set-maintenance --mode=none');
    expect(await out('he1', 'hosted-engine --check-liveliness; hosted-engine --check-deployed')).toContain(
      'Hosted Engine is up!',
    );
  });

  it('refuses what the real one refuses', async () => {
    expect(await ssh('he1', 'hosted-engine --set-maintenance --mode=local')).toMatchObject({ code: 1 });
    expect(await ssh('he1', 'hosted-engine --set-maintenance --mode=high')).toMatchObject({ code: 1 });
    await ssh('he2', 'systemctl stop ovirt-ha-agent');
    const status = await ssh('he2', 'hosted-engine --vm-status --json');
    expect(status.code).toBe(1);
    expect(status.stdout).toMatch(/^\{'exception': /);
    expect((await ssh('he2', 'hosted-engine --set-maintenance --mode=none')).stderr).toContain('Cannot connect to the HA daemon');
  });
});

describe('the lab', () => {
  it('resets hosts to clean machines with the same keys', async () => {
    await execOn(dir, 'dwh', 'touch /root/dirt; cat /etc/ssh/ssh_host_ed25519_key.pub');
    await labReset({ dir, hosts: ['dwh', 'engine'], say });
    expect((await ssh('dwh', 'test -e /root/dirt')).code).toBe(1);
    expect(await health()).toBe(HEALTHY);
    expect(await engineConnections('engine')).not.toBe('0');
  });

  it('cuts and plugs a cable, and switches a host off and on with its files', async () => {
    const address = (await labStatus({ dir }))?.hosts.find(({ name }) => name === 'dwh')?.address ?? '';
    await cutNetwork(dir, 'dwh');
    expect(await sshAnswers(address)).toBe(false);
    await restoreNetwork(dir, 'dwh');
    await eventually('dwh to answer', () => sshAnswers(address));
    await ssh('dwh', 'echo kept >/root/file; sync');
    await labPowerOff({ dir, host: 'dwh', cut: true, say });
    await labPowerOn({ dir, host: 'dwh', say });
    expect(await out('dwh', 'cat /root/file')).toBe('kept');
    await runCommand(['ssh', ...(await labSshArgs(dir, 'dwh')), 'systemctl reboot']);
    const booted = findMachines(dir).find(({ host }) => host === 'dwh')?.startTicks;
    await eventually('the reboot', async () => {
      const now = findMachines(dir).find(({ host }) => host === 'dwh')?.startTicks;
      return now !== undefined && now !== booted && (await sshAnswers(address));
    });
  });

  it('starts a host anew whose nspawn was killed, and leaves the others and other labs alone', async () => {
    const other = await mkdtemp(join(tmpdir(), 'ferry-lab-kit-'));
    try {
      await labUp({ dir: other, hosts: ['box'], say });
      const before = new Map(findMachines(dir).map((machine) => [machine.host, machine]));
      process.kill(before.get('newdb')?.nspawn ?? 0, 'SIGKILL');
      await eventually('the orphan', async () => findMachines(dir).some(({ nspawn }) => nspawn === undefined));
      expect((await labStatus({ dir }))?.hosts.find(({ name }) => name === 'newdb')?.state).toBe('orphan');
      await labUp({ dir, say });
      const after = new Map(findMachines(dir).map((machine) => [machine.host, machine]));
      expect([...after.values()].filter(({ host, init }) => before.get(host)?.init !== init).map(({ host }) => host)).toEqual([
        'newdb',
      ]);
      expect((await labStatus({ dir: other }))?.hosts).toMatchObject([{ name: 'box', state: 'up' }]);
      // A lab whose folder was swept away is found by its machines alone.
      await rm(join(other, 'state.json'));
    } finally {
      await labDown({ dir: other, say });
      await rm(other, { recursive: true, force: true });
    }
    expect(findMachines(other)).toEqual([]);
  });

  it('outlives the process that made it, and leaves nothing behind after down', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ferry-lab-kit-'));
    const main = new URL('../../lab/main.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [main, '--dir', folder, 'up', '--hosts', 'box'], { stdio: 'ignore' });
    await eventually('a machine', async () => findMachines(folder).length === 1, 30_000);
    child.kill('SIGKILL');
    await labUp({ dir: folder, say });
    expect((await labStatus({ dir: folder }))?.hosts).toMatchObject([{ name: 'box', state: 'up' }]);
    await labDown({ dir: folder, say });
    const links = (await runCommand(['ip', '-br', 'link'])).stdout;
    expect(links).not.toContain(labId(folder));
    expect(await readFile('/proc/mounts', 'utf8')).not.toContain(folder);
    expect(existsSync(folder)).toBe(false);
    const groups = ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'].filter((path) => existsSync(path));
    expect(groups.flatMap((path) => readdirSync(path)).filter((name) => name.includes(labId(folder)))).toEqual([]);
  });
});
