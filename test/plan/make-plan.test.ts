import { describe, expect, it } from 'vitest';
import { type Action, blocked, change, type Planned } from '../../src/actions/action.ts';
import type { Fact } from '../../src/facts/fact.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { planText } from '../../src/renderers/plan.ts';
import type { Runbook, Step, Template } from '../../src/runbook/runbook.ts';
import { modelActions } from '../kit/model-actions.ts';
import { onEach, spreadOver } from '../kit/model-fan-out.ts';
import { runbookOf, step } from '../kit/model-run.ts';
import { cell, ModelWorld } from '../kit/model-world.ts';

const at = { file: 'model.yaml', line: 1, column: 1 };

function removal({ key }: { key: string }, facts: { cell: Fact<string> }): Planned {
  return change({ summary: `unset ${key}`, predicts: [facts.cell.becomesAbsent()], undo: null, undoSummary: '' });
}

async function planOf(runbook: Runbook, cells: Record<string, string>, actions = modelActions) {
  const world = new ModelWorld();
  for (const [key, value] of Object.entries(cells)) world.cells.set(key, value);
  const reads: string[][] = [];
  const plan = await makePlan({
    runbook,
    actions,
    inputs: new Map(),
    roles: new Map(['a', 'b'].map((name) => [name, world.info(name)])),
    madeAt: 'now',
    read(host, refs) {
      reads.push([host, ...refs.map((ref) => ref.key)]);
      return world.read(host, refs);
    },
  });
  return { plan, reads, world };
}

/** A step whose params hold an expression. */
function expressing(base: Step, key: string, value: string): Step {
  const entries: [string, Template][] = [
    ['key', { kind: 'literal', value: key, at }],
    ['value', { kind: 'expression', source: value, at }],
  ];
  return { ...base, with: { kind: 'map', entries, at } };
}

describe('a plan', () => {
  it('reads all facts of a host in one batch, and each fact once', async () => {
    const steps = [
      step('one', 'model.atomic', { key: 'x', value: '1' }),
      step('two', 'model.atomic', { key: 'x', value: '2' }),
      step('three', 'model.atomic', { key: 'y', value: '1' }),
      step('four', 'model.atomic', { key: 'x', value: '1' }, { role: 'b' }),
    ];
    const { reads, world } = await planOf(runbookOf(steps), {});
    const ofHost = [expect.stringMatching(/^hostTools/), 'hostClock()', 'diskFree(/var/lib/ferry)', 'runLease()'];
    expect(reads).toEqual([
      ['a', ...ofHost, 'cell(x)', 'cell(y)'],
      ['b', ...ofHost, 'cell(x)'],
    ]);
    expect(world.ran).toEqual([]);
  });

  it('carries what the linter says of its runbook', async () => {
    const warnings = [{ severity: 'warning', code: 'FILE_LEFT', message: 'A file stays.', at } as const];
    const { plan } = await planOf({ ...runbookOf([step('one', 'model.atomic', { key: 'x', value: '1' })]), warnings }, {});
    expect(plan.warnings).toEqual(warnings);
  });

  it('plans a step on what an earlier one will make, and stamps it predicted', async () => {
    const steps = [
      step('one', 'model.atomic', { key: 'x', value: '1' }),
      step('again', 'model.atomic', { key: 'x', value: '1' }),
    ];
    const { plan } = await planOf(runbookOf(steps), { 'a/x': '0' });
    expect(plan.lines.map(({ kind, stamp, after }) => [kind, stamp, after])).toEqual([
      ['change', 'exact', []],
      ['no-change', 'predicted', ['one']],
    ]);
  });

  it('says after which step a line is known when its fact will be something only apply can tell', async () => {
    const steps = [
      step('dump', 'model.detached', { key: 'x', value: '1' }),
      step('use', 'model.atomic', { key: 'x', value: '2' }),
    ];
    const { plan } = await planOf(runbookOf(steps), {});
    expect(plan.lines[1]).toMatchObject({ kind: 'later', stamp: 'opaque', after: ['dump'], summary: 'known after dump' });
  });

  // Its other host was not leased: a second run could have changed it under the first.
  it('counts every host a step names in, also while its params are not all known', async () => {
    const dump = step('dump', 'model.detached', { key: 'x', value: '1' });
    const from: [string, Template] = ['from', { kind: 'map', entries: [['host', { kind: 'literal', value: 'b', at }]], at }];
    const base = expressing(step('copy', 'model.atomic', {}), 'y', "steps['dump'].outputs.size");
    const copy = {
      ...base,
      with: { kind: 'map' as const, at, entries: [...(base.with.kind === 'map' ? base.with.entries : []), from] },
    };
    const { plan } = await planOf(runbookOf([dump, copy]), {});
    expect(plan.lines[1]).toMatchObject({ kind: 'later', after: ['dump'], hosts: ['a', 'b'] });
  });

  it('says the same of a param that hangs on an output nobody knows yet, and fills in the ones that are known', async () => {
    const steps = [
      step('dump', 'model.detached', { key: 'x', value: '1' }),
      expressing(step('unknown', 'model.atomic', {}), 'y', "steps['dump'].outputs.size"),
      step('set', 'model.atomic', { key: 'z', value: 'new' }),
      expressing(step('known', 'model.atomic', {}), 'w', "steps['set'].outputs.before"),
    ];
    const { plan } = await planOf(runbookOf(steps), { 'a/z': 'old', 'a/w': 'x' });
    expect(plan.lines[1]).toMatchObject({ kind: 'later', after: ['dump'] });
    expect(plan.lines[3]).toMatchObject({ kind: 'change', predicts: { a: { 'cell(w)': { state: 'value', value: 'old' } } } });
  });

  // It was stamped exact: what the first will do to the host was not known, so neither was this.
  it('promises no exact line on a host where a step is to come whose params nobody knows yet', async () => {
    const steps = [
      step('dump', 'model.detached', { key: 'x', value: '1' }),
      expressing(step('open', 'model.atomic', {}), 'y', "steps['dump'].outputs.size"),
      step('here', 'model.atomic', { key: 'z', value: 'new' }),
      step('there', 'model.atomic', { key: 'z', value: 'new' }, { role: 'b' }),
    ];
    const { plan } = await planOf(runbookOf(steps), { 'a/z': 'old' });
    expect(plan.lines.map(({ stamp, after }) => [stamp, after])).toEqual([
      ['exact', []],
      ['opaque', ['dump']],
      ['predicted', ['open']],
      ['exact', []],
    ]);
    expect(plan.lines[1]?.summary).toBe('known after dump (its size)');
  });

  it('says of a step whether it is done hangs on what an earlier one will tell', async () => {
    const condition = { source: "steps['dump'].outputs.size > 5", at, scope: runbookOf([]).root };
    const steps = [
      step('dump', 'model.detached', { key: 'x', value: '1' }),
      { ...step('big', 'model.atomic', { key: 'y', value: '1' }), when: [condition] },
    ];
    const { plan } = await planOf(runbookOf(steps), {});
    expect(plan.lines[1]).toMatchObject({
      kind: 'later',
      after: ['dump'],
      summary: 'done or left out: known after dump (its size)',
    });
  });

  // It said that nothing written is lost on any way back: the new cluster was not there yet, so the line was no check yet.
  it('draws the write line of a step that is planned later too, and says from where going back loses', async () => {
    const line = modelActions.get('model.line') as Action;
    const onCell: Action = { ...line, facts: ({ host }) => ({ cell: cell('x').on(host.name) }) };
    const steps = [
      step('cluster', 'model.detached', { key: 'x', value: '1' }),
      step('line', 'model.line', {}),
      step('start', 'model.atomic', { key: 'y', value: '1' }),
    ];
    const { plan } = await planOf(runbookOf(steps), {}, new Map([...modelActions, ['model.line', onCell]]));
    expect(plan.lines.map(({ kind, writeLine }) => [kind, writeLine])).toEqual([
      ['change', false],
      ['later', true],
      ['change', false],
    ]);
    expect(plan.waysBack).toMatchObject([{ to: null, losesFrom: 'start' }]);
    expect(planText(plan, { width: 120, colour: false })).toContain('===== from here, going back loses');
  });

  it('draws no write line for a step that is left out', async () => {
    const condition = { source: 'false', at, scope: runbookOf([]).root };
    const { plan } = await planOf(runbookOf([{ ...step('line', 'model.line', {}), when: [condition] }]), {});
    expect(plan.lines).toMatchObject([{ kind: 'skipped', writeLine: false }]);
  });

  it('leaves out a step whose condition does not hold; its outputs are null', async () => {
    const source = (text: string) => [{ source: text, at, scope: runbookOf([]).root }];
    const steps = [
      { ...step('skipped', 'model.atomic', { key: 'x', value: '1' }), when: source('false') },
      { ...step('after', 'model.atomic', { key: 'y', value: '1' }), when: source("steps['skipped'].outputs.before == null") },
    ];
    const { plan } = await planOf(runbookOf(steps), {});
    expect(plan.lines.map(({ kind }) => kind)).toEqual(['skipped', 'change']);
  });

  it('is already done when every check under done holds, and not when there is none', async () => {
    const steps = [step('one', 'model.atomic', { key: 'x', value: '1' })];
    const done = { ...runbookOf(steps), done: [step('holds', 'model.atomic', { key: 'x', value: '1' })] };
    expect((await planOf(done, { 'a/x': '1' })).plan.alreadyDone).toBe(true);
    expect((await planOf(done, { 'a/x': '0' })).plan.alreadyDone).toBe(false);
    expect((await planOf(runbookOf(steps), { 'a/x': '1' })).plan.alreadyDone).toBe(false);
  });

  it('leaves out a check of done whose condition is false, unless none is left', async () => {
    const when = [{ source: 'false', at, scope: runbookOf([]).root }];
    const holds = step('holds', 'model.atomic', { key: 'x', value: '1' });
    const out = { ...step('out', 'model.atomic', { key: 'y', value: '1' }), when };
    const isDone = async (done: (typeof holds)[]) =>
      (await planOf({ ...runbookOf([holds]), done }, { 'a/x': '1', 'a/y': '0' })).plan.alreadyDone;
    expect([await isDone([holds, out]), await isDone([out])]).toEqual([true, false]);
  });

  it('has one digest for equal plans and another when anything differs', async () => {
    const book = runbookOf([step('one', 'model.atomic', { key: 'x', value: '1' })]);
    const [first, second, other] = [
      await planOf(book, { 'a/x': '0' }),
      await planOf(book, { 'a/x': '0' }),
      await planOf(book, { 'a/x': '9' }),
    ];
    expect(second.plan.digest).toBe(first.plan.digest);
    expect(other.plan.digest).not.toBe(first.plan.digest);
    expect(JSON.parse(JSON.stringify(first.plan))).toEqual(first.plan);
  });

  it('keeps what was read before as the baseline of the proof, measures left out', async () => {
    const { plan } = await planOf(runbookOf([step('one', 'model.atomic', { key: 'x', value: '1' })]), { 'a/x': '0' });
    expect(plan.readings).toEqual({ a: { 'cell(x)': { state: 'value', value: '0' } } });
    expect(plan.stateRefs).toEqual({ a: { 'cell(x)': { kind: 'cell', args: ['x'] } } });
  });

  describe('with a step that is blocked', () => {
    const atomic = modelActions.get('model.atomic') as Action;
    const touches = ({ key }: { key: string }, role: string) => ({ changes: [[role, cell.key(key)] as const] });
    const actions = new Map<string, Action>([
      ...modelActions,
      ['model.atomic', { ...atomic, touches }],
      ['model.refusing', { ...atomic, touches, plan: () => blocked('there is no room', 'Make room.') }],
      // Like a package: what else it brings, nobody knows.
      ['model.opaque', { ...atomic, touches, plan: (...given) => ({ ...atomic.plan(...given), opaque: true }) as Planned }],
      [
        'model.removing',
        { ...atomic, touches, plan: (given, facts) => removal(given as { key: string }, facts as { cell: Fact<string> }) },
      ],
      [
        'model.needing',
        {
          ...atomic,
          touches,
          plan: (given, facts, site) =>
            (facts as { cell: Fact<string> }).cell.absent
              ? blocked(`${(given as { key: string }).key} is not there`, 'Make it.')
              : atomic.plan(given, facts, site),
        },
      ],
      // Needs what was there before it, as a restore needs a dump.
      ['model.needy', { ...atomic, touches, plan: () => blocked('there is nothing', 'Make it first.') }],
    ]);

    it('judges nothing that hangs on what it would have made: one cause, one blocker', async () => {
      const steps = [
        step('dump', 'model.refusing', { key: 'x', value: '1' }),
        step('restore', 'model.needy', { key: 'x', value: '2' }),
        step('compare', 'model.needy', { key: 'x', value: '3' }),
        step('other', 'model.atomic', { key: 'y', value: '1' }),
      ];
      const { plan } = await planOf(runbookOf(steps), {}, actions);
      expect(plan.blockers.map(({ message }) => message)).toEqual(['dump on a: there is no room']);
      expect(plan.lines.map(({ kind, after }) => [kind, after])).toEqual([
        ['blocked', []],
        ['later', ['dump']],
        ['later', ['restore']],
        ['change', []],
      ]);
    });

    // A file that a package brings was "not there", and a sound runbook was refused.
    it('waits for a step that may bring what it needs, and says how it stands now', async () => {
      const steps = [
        step('install', 'model.opaque', { key: 'p', value: '1' }),
        step('conf', 'model.needing', { key: 'x', value: '1' }),
        step('again', 'model.needing', { key: 'x', value: '2' }),
        step('there', 'model.needing', { key: 'x', value: '1' }, { role: 'b' }),
      ];
      const { plan } = await planOf(runbookOf(steps), {}, actions);
      expect(plan.lines.map(({ kind, summary }) => [kind, summary])).toEqual([
        ['change', 'set p'],
        ['later', 'known after install (now: x is not there)'],
        ['later', 'known after conf'],
        ['blocked', 'x is not there'],
      ]);
      expect(plan.blockers.map(({ message }) => message)).toEqual(['there on b: x is not there']);
    });

    it('waits as well where an earlier step takes away what an opaque one may bring again', async () => {
      const steps = [
        step('gone', 'model.removing', { key: 'x', value: '' }),
        step('unpack', 'model.opaque', { key: 'p', value: '1' }),
        step('conf', 'model.needing', { key: 'x', value: '1' }),
      ];
      const { plan } = await planOf(runbookOf(steps), { 'a/x': '0' }, actions);
      expect(plan.lines[2]).toMatchObject({ kind: 'later', after: ['unpack'] });
    });

    it('is a blocker all the same where nothing opaque comes before it, or nothing it looked at hangs on that', async () => {
      const steps = [
        step('early', 'model.needing', { key: 'x', value: '1' }),
        step('install', 'model.opaque', { key: 'p', value: '1' }),
        step('never', 'model.refusing', { key: 'y', value: '1' }),
      ];
      const { plan } = await planOf(runbookOf(steps), {}, actions);
      expect(plan.blockers.map(({ message }) => message)).toEqual(['early on a: x is not there', 'never on a: there is no room']);
    });

    it('is a blocker after a step that says what it does', async () => {
      const steps = [
        step('install', 'model.opaque', { key: 'p', value: '1' }),
        step('gone', 'model.removing', { key: 'x', value: '' }),
        step('conf', 'model.needing', { key: 'x', value: '1' }),
      ];
      const { plan } = await planOf(runbookOf(steps), { 'a/x': '0' }, actions);
      expect(plan.blockers.map(({ message }) => message)).toEqual(['conf on a: x is not there']);
    });

    it('tells once what two steps need of the same host', async () => {
      const steps = [
        step('one', 'model.refusing', { key: 'x', value: '1' }),
        step('two', 'model.refusing', { key: 'y', value: '1' }),
        step('three', 'model.refusing', { key: 'x', value: '1' }, { role: 'b' }),
      ];
      const { plan } = await planOf(runbookOf(steps), {}, actions);
      expect(plan.blockers.map(({ message }) => message)).toEqual(['one on a: there is no room', 'three on b: there is no room']);
    });
  });
});

describe('a plan of steps on many hosts', () => {
  const plannedOn = async (cells: Record<string, string>) => {
    const steps = [
      onEach('stop', 'model.detached', { key: 'log', value: 'x' }, { concurrency: 2 }),
      onEach('conf', 'model.atomic', { key: 'conf', value: '=steps.stop.outputs[host.name].size > 1 ? "big" : "small"' }),
      onEach('name', 'model.atomic', { key: 'name', value: 'worker' }),
      step('last', 'model.atomic', { key: 'x', value: '1' }),
      expressing(step('all', 'model.atomic', {}), 'y', 'string(roles.workers.map(h, steps.stop.outputs[h.name].size).size())'),
    ];
    const { runbook, roles } = spreadOver(steps, ['w1', 'w2', 'w3'], [{ name: 'named', afterStep: 3 }]);
    const world = new ModelWorld();
    for (const [key, value] of Object.entries(cells)) world.cells.set(key, value);
    const plan = await makePlan({
      runbook,
      actions: modelActions,
      inputs: new Map(),
      roles: new Map([...roles].map(([role, host]) => [role, world.info(host)])),
      madeAt: 'now',
      read: (host, refs) => world.read(host, refs),
    });
    return plan;
  };
  const textOf = (plan: Awaited<ReturnType<typeof plannedOn>>) => planText(plan, { width: 100, colour: false });

  it('has a line for each host, that says what it is a part of, and waits for no other host than its own', async () => {
    const plan = await plannedOn({});
    expect(
      plan.lines.slice(0, 6).map(({ step: id, host, part, after, needs }) => [id, host, part?.of, after, needs.length]),
    ).toEqual([
      ['stop@w1', 'w1', 'stop', [], 0],
      ['stop@w2', 'w2', 'stop', [], 0],
      ['stop@w3', 'w3', 'stop', [], 0],
      ['conf@w1', 'w1', 'conf', ['stop@w1'], 3],
      ['conf@w2', 'w2', 'conf', ['stop@w2'], 3],
      ['conf@w3', 'w3', 'conf', ['stop@w3'], 3],
    ]);
    expect(plan.roles).toEqual({ 'workers@w1': 'w1', 'workers@w2': 'w2', 'workers@w3': 'w3', a: 'a', b: 'b' });
    expect(plan.checkpoints).toEqual([{ name: 'named', afterStep: 9 }]);
  });

  it('shows them as one where they are the same, and each where they differ', async () => {
    const text = textOf(await plannedOn({ 'w2/name': 'worker' }));
    expect(text).toContain('1-3  3 hosts  + stop');
    expect(text).toMatch(/4-6 {2}3 hosts {2}\* conf\s+known after stop \(its size\)/);
    expect(text).toMatch(/7,9 {2}2 hosts {2}\+ name\s+set name .*\n\s+on w1, w3\n/);
    expect(text).toMatch(/ 8 {2}w2\s+= name@w2\s+name is worker already/);
    expect(text.indexOf('checkpoint: named')).toBeGreaterThan(text.indexOf('name@w2'));
    expect(text.indexOf('checkpoint: named')).toBeLessThan(text.indexOf(' 10  a'));
    expect(text).toMatch(/11 {2}a\s+\* all\s+known after stop \(its size\)/);
    expect(text).toContain('11 steps');
  });
});
