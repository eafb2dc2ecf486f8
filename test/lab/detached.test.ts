import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { execOn, labReboot } from '../../lab/lab.ts';
import { whoBlocks } from '../../src/actions/postgres/who-blocks.ts';
import { fleetOf } from '../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../src/cli/prepare.ts';
import type { Fleet } from '../../src/hosts/fleet.ts';
import type { ActingHost } from '../../src/hosts/host.ts';
import { type AttemptId, attemptDir, runDir, unitName } from '../../src/hosts/layout.ts';
import { sh } from '../../src/hosts/sh.ts';
import { randomToken } from '../../src/lib/random.ts';

// Long commands on a host with systemd, and where systemd-run is refused; how they end, and what is known of it.
const labDir = inject('labDir');
const run = `r-long-${randomToken(4)}`;
const signal = new AbortController().signal;
const REFUSE = '/usr/local/bin/systemd-run';
let fleet: Fleet;
let count = 0;

const past = async (script: string) => (await execOn(labDir, 'he2', script)).stdout.trim();
const refuseSystemd = (yes: boolean) =>
  past(yes ? `printf '#!/bin/sh\\nexit 1\\n' >${REFUSE}; chmod +x ${REFUSE}` : `rm -f ${REFUSE}`);

async function attempt(): Promise<{ id: AttemptId; on: ActingHost; lost: (why: string) => Promise<void> }> {
  count += 1;
  const id = { run, step: `s${count}`, attempt: 1, epoch: 1, undo: false };
  await fleet.openAttempt('he2', id, '{}');
  const on = fleet.acting('he2', id, signal, () => undefined);
  const lost = (why: string) =>
    expect(on.detached('sleeps', sh`true`)).rejects.toMatchObject({
      code: 'COMMAND_LOST',
      args: { why: expect.stringMatching(why) },
    });
  return { id, on, lost };
}
/** Begins a command that starts others, and waits until it runs; how it ends is asked later. */
async function begin({ id, on }: { id: AttemptId; on: ActingHost }, before = 0): Promise<string> {
  const script = sh`setsid sleep 3001 & setsid env -i sleep 3002 & sleep 3003`;
  on.detached('sleeps', script).catch(() => undefined);
  await expect.poll(async () => (await fleet.effects('he2', id))?.[0]?.state).toBe('running');
  await expect.poll(() => past('pgrep -fc "^sleep 300[123]$"'), { timeout: 10_000 }).toBe(String(before + 3));
  return past(`cat ${attemptDir(id)}/sleeps/how`);
}
const stillRuns = () => past('pgrep -fa "^sleep 300[123]$"; true');

beforeAll(async () => {
  fleet = fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir)));
  expect(await fleet.takeLease('he2', { run, holder: 'test@here', since: '2026-01-01T00:00:00Z' }, 1)).toBe(null);
});
afterAll(async () => {
  await refuseSystemd(false);
  await fleet.releaseLease('he2', run);
  await fleet.close();
  await past(`systemctl reset-failed; rm -rf ${runDir(run)}`);
});

describe('a long command on a real host', () => {
  it('is ended with its whole tree when that is asked for: as a unit, and as a session where systemd-run is refused', async () => {
    for (const refused of [false, true]) {
      await refuseSystemd(refused);
      const one = await attempt();
      expect(await begin(one)).toBe(refused ? 'setsid' : 'systemd');
      await fleet.endDetached('he2', one.id);
      expect(await stillRuns()).toBe('');
      expect(await past(`systemctl list-units --all --plain --no-legend '${unitName(one.id, 'sleeps')}'`)).toBe('');
      await one.lost('Ferry ended it');
    }
    await refuseSystemd(false);
  });

  it('is killed at once where it is not to be asked, as a unit too, and cleans nothing up', async () => {
    for (const [kill, refused] of [
      [false, false],
      [true, false],
      [true, true],
    ] as const) {
      await refuseSystemd(refused);
      const one = await attempt();
      const script = sh`rm -f /run/cleaned /run/waits; trap 'echo x >/run/cleaned; exit 1' TERM; : >/run/waits; while :; do sleep 0.1; done`;
      one.on.detached('sleeps', script, { kill }).catch(() => undefined);
      await expect.poll(() => past('ls /run/waits 2>/dev/null; true'), { timeout: 10_000 }).toBe('/run/waits');
      expect(await past(`cat ${attemptDir(one.id)}/sleeps/how`)).toBe(refused ? 'setsid' : 'systemd');
      await fleet.endDetached('he2', one.id);
      expect(await past('rm /run/waits; ls /run/cleaned 2>/dev/null; rm -f /run/cleaned')).toBe(kill ? '' : '/run/cleaned');
      await one.lost('Ferry ended it');
    }
    await refuseSystemd(false);
  });

  it('that died tells why: killed by a signal, or a reboot of its host, with systemd and without', async () => {
    const killed = await attempt();
    await begin(killed);
    await past(`systemctl kill --kill-whom=all --signal=KILL ${unitName(killed.id, 'sleeps')}`);
    await killed.lost('signal 9 .SIGKILL.');

    const unit = await attempt();
    await begin(unit);
    await refuseSystemd(true);
    const session = await attempt();
    await begin(session, 3);
    await refuseSystemd(false);
    await labReboot({ dir: labDir, host: 'he2', say: () => undefined });
    await unit.lost('rebooted');
    await session.lost('rebooted');
    expect(await fleet.effects('he2', unit.id)).toMatchObject([{ state: 'lost', why: expect.stringContaining('rebooted') }]);
    expect(await stillRuns()).toBe('');
  });

  it('is held to its limits by its unit', async () => {
    const terms = { limits: { cpuWeight: 20, ioWeight: 30, memoryMaxBytes: 2 ** 31 } };
    const { id } = await attempt();
    const on = fleet.acting('he2', id, signal, () => undefined, terms);
    const lost = expect(on.detached('sleeps', sh`sleep 3001`)).rejects.toMatchObject({ code: 'COMMAND_LOST' });
    await expect.poll(async () => (await fleet.effects('he2', id))?.[0]?.state).toBe('running');
    const properties = await past(`systemctl show -p CPUWeight -p IOWeight -p MemoryMax '${unitName(id, 'sleeps')}'`);
    expect(properties.split('\n').sort()).toEqual(['CPUWeight=20', 'IOWeight=30', 'MemoryMax=2147483648']);
    await fleet.endDetached('he2', id);
    await lost;
  });
});

describe('a dump that shows no progress', () => {
  it('is told with the lock it waits for, and who holds it', async () => {
    const psql = (sql: string, name: string) =>
      `PGAPPNAME=${name} setsid runuser -u postgres -- psql -X -d postgres -c "${sql}" >/dev/null 2>&1 &`;
    const here = async (script: string) => (await execOn(labDir, 'engine', script)).stdout.trim();
    const said = async () => (await fleet.host('engine').run(whoBlocks(5432, 'postgres', 'pg_dump'))).stdout;
    try {
      await here('runuser -u postgres -- psql -X -d postgres -c "CREATE TABLE IF NOT EXISTS ferry_stall ()"');
      await here(psql('BEGIN; LOCK TABLE ferry_stall; SELECT pg_sleep(60)', 'alter-by-hand'));
      const sleeps = `runuser -u postgres -- psql -X -A -t -d postgres -c "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'alter-by-hand' AND wait_event = 'PgSleep'"`;
      await expect.poll(() => here(sleeps), { timeout: 10_000 }).toBe('1');
      await here(psql('SELECT count(*) FROM ferry_stall', 'pg_dump'));
      await expect
        .poll(said, { timeout: 10_000 })
        .toMatch(
          /^pg_dump \(server process \d+\) waits for a lock held by pid \d+: postgres with alter-by-hand, active for \d\d:\d\d:\d\d\n$/,
        );
    } finally {
      await here(
        `runuser -u postgres -- psql -X -d postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name IN ('alter-by-hand', 'pg_dump')" -c 'DROP TABLE IF EXISTS ferry_stall'`,
      );
    }
    expect(await said()).toBe('');
  });
});
