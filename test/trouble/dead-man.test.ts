import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { recordsOf } from '../kit/evidence.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { expectError, on } from '../kit/trouble.ts';

const labDir = inject('labDir');
const folder = mkdtempSync(join(tmpdir(), 'ferry-dead-man-'));
const ferries: FerryOnLab[] = [];
const SSHD = '/etc/ssh/sshd_config.d/90-ferry.conf';

/** A Ferry with a runbook of its own. */
function ferryWith(name: string, role: string, steps: string) {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, `ferry: 1\nname: ${name}\nroles:\n  ${role}: {}\nsteps:\n${steps}`);
  const ferry = new FerryOnLab(labDir);
  ferries.push(ferry);
  return { ferry, start: (env = {}) => ferry.run(['run', path, ...ferry.hosts], env) };
}

const firewall = `  - id: firewall
    host: newdb
    uses: command.run
    with:
      shell: cat >/etc/nftables.conf && nft -f /etc/nftables.conf
      stdin: |
        flush ruleset
        table inet shut {
          chain input {
            type filter hook input priority 0;
            tcp dport 22 drop
          }
        }
      protects: [/etc/nftables.conf]
    deadMan: { after: 8s, then: nft -f /etc/nftables.conf }
`;
const sshd = (host: string, after: string) => `  - id: sshd
    host: ${host}
    uses: file.put
    with: { path: ${SSHD}, content: "MaxAuthTries 5\\n", mode: "0644" }
    deadMan: { after: ${after}, then: systemctl reload ssh }
`;
const locked = `  - id: sshd
    host: newdb
    uses: command.run
    with: { shell: "echo AllowUsers nobody >${SSHD} && systemctl reload ssh", protects: [${SSHD}] }
    deadMan: { after: 5m, then: systemctl reload ssh }
`;
/** Begun in time, and still at work when its host puts back; nothing of it may write after that. */
const late = `  - id: sshd
    host: engine
    uses: command.run
    with: { shell: "sleep 10; echo AllowUsers nobody >${SSHD}; systemctl reload ssh", timeout: 1m, protects: [${SSHD}] }
    deadMan: { after: 5s, then: systemctl reload ssh }
`;
const hba = `  - id: access
    host: newdb
    uses: postgres.hba
    with: { rules: [{ database: all, role: all, address: 192.0.2.10 }] }
    deadMan: 2m
`;

/** What a host has of timers and units of Ferry, and of ways in that this test changes. */
const stateOf = (host: string) =>
  on(
    labDir,
    host,
    `systemctl list-units --all --plain --no-legend 'ferry-*'; systemctl list-timers --all --no-legend 'ferry-*'
nft list ruleset; cat /etc/nftables.conf; stat -c '%a %U' /etc/nftables.conf; ls /etc/ssh/sshd_config.d; cat /etc/postgresql/15/main/pg_hba.conf 2>/dev/null || :`,
  );
const deadManRecords = (ferry: FerryOnLab) =>
  recordsOf(ferry)
    .filter(({ type }) => type.startsWith('dead-man.'))
    .map(({ type, step }) => `${step} ${type.slice('dead-man.'.length)}`);

let before: { newdb: string; engine: string };

beforeAll(async () => {
  // In force, as on a host that has a firewall.
  await on(labDir, 'newdb', 'nft -f /etc/nftables.conf');
  before = { newdb: await stateOf('newdb'), engine: await stateOf('engine') };
});
afterAll(async () => {
  await on(labDir, 'newdb', 'nft flush ruleset');
  for (const ferry of ferries) ferry.remove();
  rmSync(folder, { recursive: true });
});

describe('a change that can shut Ferry out', () => {
  it('is put back by its host when it does, when Ferry dies, and stays when a new login works', async () => {
    const dies = ferryWith('dies', 'engine', sshd('engine', '12s'));
    const killed = dies.start({ FERRY_CRASH_AT: 'before-record dead-man.confirmed:sshd' }).then(async () => {
      // Confirmed on the host already: it stays, and resume finds it so.
      expect(await on(labDir, 'engine', `cat ${SSHD}`)).toBe('MaxAuthTries 5\n');
      const on1 = await dies.ferry.run(['resume']);
      expect(on1.code, on1.stderr).toBe(0);
      expect((await dies.ferry.run(['rollback'])).code).toBe(4);
      expect(await stateOf('engine')).toBe(before.engine);
      // Killed before that: nobody is there, and the host puts it back in time.
      const again = ferryWith('dies-early', 'engine', sshd('engine', '12s'));
      expect((await again.start({ FERRY_CRASH_AT: 'after-record step.applied:sshd' })).code).toBe(null);
      expect(await on(labDir, 'engine', `cat ${SSHD}; systemctl list-timers --no-legend 'ferry-*' | wc -l`)).toBe(
        'MaxAuthTries 5\n1\n',
      );
      await vi.waitFor(async () => expect(await stateOf('engine')).toBe(before.engine), { timeout: 40_000, interval: 500 });
      expectError(await again.ferry.run(['resume']), { exit: 1, code: 'DEAD_MAN_REVERTED', says: [/The old file is back/] });
      expect((await again.ferry.run(['resume'])).code).toBe(0);
      expect(deadManRecords(again.ferry)).toEqual(['sshd armed', 'sshd reverted', 'sshd armed', 'sshd confirmed']);
      expect((await again.ferry.run(['rollback'])).code).toBe(4);
      expect(await stateOf('engine')).toBe(before.engine);
      const slow = ferryWith('slow', 'engine', late);
      expectError(await slow.start(), { exit: 1, code: 'DEAD_MAN_REVERTED' });
      expect(await stateOf('engine')).toBe(before.engine);
      // Longer than the command would have taken: nothing of it is left that could write.
      expect(await on(labDir, 'engine', 'sleep 8; pgrep -fc "AllowUsers nobod[y]" || :')).toBe('0\n');
      expect(await stateOf('engine')).toBe(before.engine);
      expect((await slow.ferry.run(['rollback'])).code).toBe(4);
    });

    const shut = ferryWith('shuts', 'newdb', firewall);
    expectError(await shut.start(), {
      exit: 1,
      code: 'DEAD_MAN_REVERTED',
      says: [/newdb has put back what step firewall changed/, /What step firewall changes on newdb is as it was before/],
    });
    expect(deadManRecords(shut.ferry)).toEqual(['firewall armed', 'firewall reverted']);
    expect(await stateOf('newdb')).toBe(before.newdb);
    expect((await shut.ferry.run(['rollback'])).code).toBe(4);
    expect(await stateOf('newdb')).toBe(before.newdb);

    // Connections that are open stay so: the host need not wait for its five minutes.
    const lock = ferryWith('locks', 'newdb', locked);
    expectError(await lock.start(), { exit: 1, code: 'DEAD_MAN_REVERTED' });
    expect(await stateOf('newdb')).toBe(before.newdb);
    expect((await lock.ferry.run(['rollback'])).code).toBe(4);

    const good = ferryWith('good', 'newdb', sshd('newdb', '1m') + hba);
    const done = await good.start();
    expect(done.code, done.stderr).toBe(0);
    expect(deadManRecords(good.ferry)).toEqual(['sshd armed', 'sshd confirmed', 'access armed', 'access confirmed']);
    const after = await stateOf('newdb');
    expect(after).toContain('90-ferry.conf');
    expect(after).toContain('192.0.2.10');
    expect(after).not.toContain('ferry-r-');
    expect((await good.ferry.run(['rollback'])).code).toBe(4);
    expect(await stateOf('newdb')).toBe(before.newdb);
    await killed;
  });
});
