import { describe, expect, it, test } from 'vitest';
import type { Action, Preflight, Room } from '../../src/actions/action.ts';
import { judgeHeld } from '../../src/cli/judge-held.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import { finding } from '../../src/errors/finding.ts';
import { type FactRef, type Observed, probeOf, value } from '../../src/facts/fact.ts';
import { fileStat } from '../../src/facts/file-stat.ts';
import { type Family, hostTools, installCommand } from '../../src/facts/host-tools.ts';
import { makePlan, type PlanRequest } from '../../src/plan/make-plan.ts';
import { clockFindings } from '../../src/plan/preflight-hosts.ts';
import { RoomLedger } from '../../src/plan/room.ts';
import type { Step } from '../../src/runbook/runbook.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { cell, ModelWorld } from '../kit/model-world.ts';

const atomic = modelActions.get('model.atomic') as Action;
const probe = (name: string) => probeOf(`asked(${name})`, async () => value(name), String);

/** Plans steps of which `model.atomic` has a preflight; `found` answers some facts by `host key`. */
async function planOf(
  steps: Step[],
  action: Partial<Action>,
  more: Partial<PlanRequest> & { found?: Record<string, Observed<unknown>>; down?: readonly string[] } = {},
) {
  const world = new ModelWorld();
  const reads: string[] = [];
  const plan = await makePlan({
    runbook: runbookOf(steps),
    actions: new Map<string, Action>([...modelActions, ['model.atomic', { ...atomic, ...action }]]),
    inputs: new Map(),
    roles: new Map(['a', 'b'].map((name) => [name, world.info(name)])),
    madeAt: '',
    async read(host, refs: readonly FactRef<unknown>[]) {
      reads.push(
        `${host}: ${refs
          .map((ref) => ref.key)
          .filter((key) => !/^(host|runLease|diskFree)/.test(key))
          .join(' ')}`,
      );
      if (more.down?.includes(host))
        throw new FerryError('HOST_UNREACHABLE', { host, address: host, port: 22, why: 'it is off' });
      const found = await world.read(host, refs);
      return refs.map((ref, index) => more.found?.[`${host} ${ref.key}`] ?? found[index] ?? { state: 'absent' });
    },
    ...more,
  });
  return { plan, reads };
}
const set = (id: string, key: string, role = 'a') => step(id, 'model.atomic', { key, value: '1' }, { role });
const warning = finding('UNITS_ABSENT', { host: 'a', units: 'x' }, undefined, { severity: 'warning' });
const blocker = finding('PORT_BLOCKED', { from: 'a', address: 'b', port: 1, host: 'b', why: 'x' });

describe('what a preflight asks for', () => {
  it('is read in the batch of its step, and is no part of what was read for the proof', async () => {
    const preflight: Action['preflight'] = (_, ask) => {
      ask({ other: cell('other').on('b') });
      return {};
    };
    const { plan, reads } = await planOf([set('one', 'x')], { preflight });
    expect(reads).toEqual(['a: cell(x)', 'b: cell(other)']);
    expect(Object.keys(plan.readings)).toEqual(['a']);
  });

  it('comes as earlier steps will have changed it, with the step that does', async () => {
    const seen: (string | null)[] = [];
    const preflight: Action['preflight'] = (_, ask) => {
      seen.push(ask({ x: cell('x').on('a') }).x.after);
      return {};
    };
    await planOf([set('one', 'x'), set('two', 'y')], { preflight });
    expect(seen.slice(-2)).toEqual([null, 'one']);
  });

  it('is probed only when all else is known, and only where it is still wanted', async () => {
    const preflight: Action['preflight'] = (_, ask) => {
      const { x } = ask({ x: cell('x').on('a') });
      if (x.after === null) ask({ probe: probe('first').on('b') });
      return {};
    };
    const { reads } = await planOf([set('one', 'x'), set('two', 'y')], { preflight });
    expect(reads).toEqual(['a: cell(x) cell(y)', 'b: ', 'b: asked(first)']);
  });
});

describe('what a preflight finds', () => {
  const telling = (found: Preflight) => ({ preflight: () => found });

  it('blocks the plan or warns, once however many steps find it, and leaves the line as it is', async () => {
    const { plan } = await planOf(
      [set('one', 'x'), set('two', 'y')],
      telling({ findings: [warning, blocker], notes: ['later'] }),
    );
    expect(plan.blockers).toMatchObject([{ code: 'PORT_BLOCKED', at: { file: 'model.yaml' } }]);
    expect(plan.warnings).toMatchObject([{ code: 'UNITS_ABSENT' }]);
    expect(plan.lines.map(({ kind, notes }) => [kind, notes])).toEqual([
      ['change', ['later']],
      ['change', ['later']],
    ]);
  });

  it('counts room of all steps on one file system together', async () => {
    const free = { bytes: 100, mount: '/' };
    const room = { host: 'a', path: '/x', free, least: 10, likely: 60, what: 'x' };
    const { plan } = await planOf([set('one', 'x'), set('two', 'y')], telling({ room: [room] }));
    expect(plan.warnings).toMatchObject([
      { code: 'DISK_TIGHT', message: 'a has 100 B free on /, and up to 120 B may be needed: x 60 B, x 60 B.' },
    ]);
  });

  it('is not asked of a step that is blocked anyway or left out', async () => {
    const source = [{ source: 'false', at: set('x', 'x').at, scope: runbookOf([]).root }];
    const steps = [{ ...set('out', 'x'), when: source }];
    expect((await planOf(steps, telling({ findings: [blocker] }))).plan.blockers).toEqual([]);
  });
});

describe('a host that cannot be read', () => {
  it('is a blocker of its own beside others, and what does not need it is planned', async () => {
    const steps = [set('one', 'x'), set('two', 'y', 'b'), set('three', 'y', 'b')];
    const { plan } = await planOf(steps, {}, { down: ['b'] });
    expect(plan.blockers.map(({ code, message }) => [code, message])).toEqual([
      ['HOST_UNREACHABLE', 'b (b port 22) cannot be reached: it is off.'],
    ]);
    expect(plan.lines.map(({ kind, stamp }) => [kind, stamp])).toEqual([
      ['change', 'exact'],
      ['blocked', 'opaque'],
      ['blocked', 'opaque'],
    ]);
    expect((await planOf(steps, {}, { down: ['a', 'b'] })).plan.blockers).toHaveLength(2);
  });

  it('does not hide a defect: what is no error about a host is thrown', async () => {
    await expect(planOf([set('one', 'x')], {}, { read: () => Promise.reject(new TypeError('oops')) })).rejects.toThrow('oops');
  });
});

describe('commands a host lacks', () => {
  const lacks = (...missing: string[]): Observed<unknown> => value({ missing, family: 'el' });
  const base = ['base64', 'timeout', 'mktemp', 'sha256sum', 'flock', 'runuser', 'setsid'];

  it('are told once with what to type; steps that need them are not planned, others are', async () => {
    const tools = ['psql'];
    const found = { [`a ${hostTools.key([...base, ...tools])}`]: lacks('psql') };
    const steps = [set('one', 'x'), set('two', 'y'), step('three', 'model.detached', { key: 'z', value: '1' })];
    const { plan } = await planOf(steps, { tools }, { found });
    expect(plan.blockers).toMatchObject([{ code: 'TOOLS_MISSING', hint: 'On a:  dnf install postgresql' }]);
    expect(plan.lines.map(({ kind }) => kind)).toEqual(['blocked', 'blocked', 'change']);
  });

  it('of Ferry itself block whatever the steps are', async () => {
    const { plan } = await planOf([set('one', 'x', 'b')], {}, { found: { [`a ${hostTools.key(base)}`]: lacks('flock') } });
    expect(plan.blockers).toMatchObject([{ code: 'TOOLS_MISSING', message: expect.stringContaining('a lacks flock') }]);
  });

  it('may be brought by an earlier step that does what nobody knows', async () => {
    const found = { [`a ${hostTools.key([...base, 'psql'])}`]: lacks('psql') };
    const opaque: Partial<Action> = {
      tools: ['psql'],
      plan: (params, facts, site) => ({ ...(atomic.plan(params, facts, site) as object), opaque: true }) as never,
    };
    const install = { ...atomic, ...opaque, tools: [] };
    const actions = new Map<string, Action>([
      ...modelActions,
      ['model.install', install],
      ['model.atomic', { ...atomic, ...opaque }],
    ]);
    const steps = [step('install', 'model.install', { key: 'p', value: '1' }), set('one', 'x')];
    expect((await planOf(steps, {}, { found, actions })).plan.blockers).toEqual([]);
  });

  test.each<[Family, string[], string]>([
    ['debian', ['flock', 'sha256sum', 'runuser'], 'apt-get install util-linux coreutils'],
    ['el', ['psql', 'pg_dump', 'timeout'], 'dnf install postgresql coreutils'],
    ['debian', ['psql', 'vacuumdb'], 'apt-get install postgresql-client'],
    ['other', ['ssh'], 'install openssh-client (so named on Debian) or openssh-clients (on Enterprise Linux)'],
  ])('on %s: %j are had by %s', (family, tools, command) => {
    expect(installCommand(tools, family)).toBe(command);
  });
});

describe('another run that holds hosts', () => {
  const held = (...hosts: string[]) =>
    hosts.map((host) => ({ host, lease: { run: 'r-model', holder: 'me@model', since: '2026-01-01' } }));

  it('is told once for all its hosts: as unfinished where its journal is, else with the machine that has it', async () => {
    const run = new ModelRun(runbookOf([set('one', 'x')]));
    await run.start(8);
    expect(judgeHeld(held('a', 'b'), run.journal)).toMatchObject([
      {
        code: 'RUN_UNFINISHED',
        message: expect.stringContaining('r-model on a, b is not finished'),
        hint: expect.stringMatching(/resume.*rollback.*unlock a --abandon/),
      },
    ]);
    const other = new ModelRun(runbookOf([set('one', 'x')]), {}, 'r-other');
    expect(judgeHeld(held('a'), other.journal)).toMatchObject([{ code: 'LEASE_HELD' }]);
  });

  it('comes before what its half-moved hosts look like: neither blocked by them nor done', async () => {
    const leases: unknown[] = [];
    const { plan } = await planOf(
      [set('one', 'x')],
      { preflight: () => ({ findings: [blocker] }) },
      {
        found: { 'b runLease()': value(held('b')[0]?.lease) },
        judgeLeases(seen) {
          leases.splice(0, 9, ...seen);
          return seen.length > 0 ? [finding('LEASE_HELD', { host: 'b', run: 'r', holder: 'h', since: 's' })] : [];
        },
        runbook: { ...runbookOf([set('one', 'x')]), done: [set('holds', 'x')] },
      },
    );
    expect(leases).toEqual(held('b'));
    expect([plan.blockers.map(({ code }) => code), plan.alreadyDone]).toEqual([['LEASE_HELD'], false]);
  });
});

describe('clocks', () => {
  const clock = (host: string, aheadMs: number, withinMs = 5) => ({ host, aheadMs, withinMs });
  const words = (...clocks: ReturnType<typeof clock>[]) => clockFindings(clocks).map(({ message }) => message.replace(/:.*/, ''));

  test.each([
    ['that agree are not told of', [clock('a', 1900), clock('b', -1900)], []],
    [
      'of which one is off are told by that one',
      [clock('a', 12_000), clock('b', 3)],
      ["The clock of a is 12.0 s ahead of this machine's (to within 5 ms)"],
    ],
    ['may be behind', [clock('a', -3000), clock('b', 3)], ["The clock of a is 3.0 s behind this machine's (to within 5 ms)"]],
    ['of which nothing is sure are not told of', [clock('a', 3000, 1500), clock('b', 0)], []],
    [
      'that are all off by the same are told once, because then it is ours',
      [clock('a', 9000), clock('b', 9400)],
      ["The clock of each of a, b is 9.0 s ahead of this machine's (to within 5 ms)"],
    ],
    [
      'that are off by different times are told one by one',
      [clock('a', 9000), clock('b', -9000)],
      [
        "The clock of a is 9.0 s ahead of this machine's (to within 5 ms)",
        "The clock of b is 9.0 s behind this machine's (to within 5 ms)",
      ],
    ],
  ])('%s', (_, clocks, expected) => {
    expect(words(...clocks)).toEqual(expected);
    expect(clockFindings(clocks).every(({ severity }) => severity === 'warning')).toBe(true);
  });
});

describe('room', () => {
  const free = { bytes: 100, mount: '/' };
  const room = (more: Partial<Room>): Room => ({ host: 'a', path: '/d/x', free, least: 0, likely: 0, what: 'x', ...more });
  const findingsOf = (...rooms: Room[]) => {
    const ledger = new RoomLedger();
    for (const one of rooms) ledger.take(one);
    return ledger.findings().map(({ code, severity }) => `${severity} ${code}`);
  };

  test.each<[string, Room[], string[]]>([
    ['that is there is no finding', [room({ least: 50, likely: 100 })], []],
    ['that may not do is a warning', [room({ least: 50, likely: 101 })], ['warning DISK_TIGHT']],
    ['that cannot do is a blocker', [room({ least: 101, likely: 101 })], ['error DISK_FULL']],
    [
      'is added up by file system',
      [room({ least: 60, likely: 60 }), room({ path: '/e', least: 60, likely: 60 })],
      ['error DISK_FULL'],
    ],
    [
      'on two file systems or two hosts is not',
      [room({ likely: 90 }), room({ likely: 90, host: 'b' }), room({ likely: 90, free: { bytes: 100, mount: '/e' } })],
      [],
    ],
    ['of which nothing is known is no finding', [room({ free: undefined, least: 1e9, likely: 1e9 })], []],
  ])('%s', (_, rooms, expected) => {
    expect(findingsOf(...rooms)).toEqual(expected);
  });

  test('is given back when a step removes the file or its folder, and the highest sum on the way counts', () => {
    const ledger = new RoomLedger();
    const absent = { ...fileStat('/d').on('a'), to: { state: 'absent' as const } };
    ledger.take(room({ least: 60, likely: 90 }));
    ledger.release([{ host: 'a', key: absent.key, kind: fileStat.definition, to: absent.to }]);
    ledger.take(room({ path: '/e', least: 60, likely: 95 }));
    expect(ledger.findings()).toEqual([]);
    ledger.take(room({ path: '/f', least: 0, likely: 10 }));
    expect(ledger.findings().map(({ message }) => message)).toEqual([
      'a has 100 B free on /, and up to 105 B may be needed: x 95 B, x 10 B.',
    ]);
  });
});
