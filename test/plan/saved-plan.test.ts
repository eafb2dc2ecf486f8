import { describe, expect, it } from 'vitest';
import { fileContent } from '../../src/facts/file-content.ts';
import { unitState } from '../../src/facts/unit-state.ts';
import { digestOf } from '../../src/lib/json.ts';
import { publishReading, showMove } from '../../src/plan/publish.ts';
import { openSavedPlan, sealPlan } from '../../src/plan/saved-plan.ts';
import { replanned, stalenessOf } from '../../src/plan/stale.ts';
import { movePlan, planLine, planParts } from '../kit/plans.ts';

const parts = planParts();
const text = JSON.stringify(sealPlan(parts));

describe('a saved plan', () => {
  it('is read as it was written', () => {
    expect(openSavedPlan('move.plan', text)).toMatchObject(parts);
  });

  it.each([
    ['changed by hand', text.replace('engine', 'engine2'), 'it was changed after it was saved'],
    ['cut', text.slice(0, 400), 'it ends in the middle or is no JSON any more'],
    ['of a form of tomorrow', text.replace('"ferryPlan":1', '"ferryPlan":2'), 'it has form 2, this Ferry reads form 1'],
  ])('that was %s is refused', (_, changed, why) => {
    expect(() => openSavedPlan('move.plan', changed)).toThrow(
      expect.objectContaining({ code: 'PLAN_FILE_INVALID', args: { file: 'move.plan', why } }),
    );
  });

  it.each([
    ['nested without end', `{"ferryPlan":1,"digest":"x","plan":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, /nested/],
    [
      'with a name that every object has',
      '{"ferryPlan":1,"digest":"x","__proto__":{"digest":"x"},"plan":{"__proto__":{}}}',
      /changed/,
    ],
    ['with its digest alone', '{"ferryPlan":1,"digest":"x"}', /changed/],
  ])('is refused in a file %s', (_, text, why) => {
    expect(() => openSavedPlan('move.plan', text)).toThrow(
      expect.objectContaining({ code: 'PLAN_FILE_INVALID', args: expect.objectContaining({ why: expect.stringMatching(why) }) }),
    );
    expect(Object.hasOwn(Object.prototype, 'digest')).toBe(false);
  });

  it.each(['ferry: 1\nname: x\n', '{ ferry: 1, name: x }', '{"ferry": 1}', '[]', ''])('is not what %j is', (other) => {
    expect(openSavedPlan('x', other)).toBe(null);
  });
});

describe('a plan compared with one made later', () => {
  const key = unitState.key('x.service');
  const state = (active: boolean) => ({ state: 'value' as const, value: { active, enabled: true, loaded: true, failed: false } });
  const lines = [
    planLine({ step: 'stop', host: 'engine', facts: [['engine', key]] }),
    planLine({ step: 'start', host: 'engine', after: ['stop'] }),
    planLine({ step: 'other', host: 'engine', summary: 'dump, about 60 MB' }),
  ];
  const plan = (active: boolean, over = lines) =>
    movePlan({
      lines: over,
      readings: { engine: { [key]: state(active) } },
      stateRefs: { engine: { [key]: { kind: 'unitState', args: ['x.service'] } } },
    });
  const compare = (fresh: ReturnType<typeof plan>) => stalenessOf(plan(true), fresh, () => unitState.definition);

  it('is true while no fact moved and every line promises the same, also when a size in a summary is another', () => {
    const later = lines.map((line) => (line.step === 'other' ? { ...line, summary: 'dump, about 61 MB', bytes: 61 } : line));
    expect(compare(plan(true, later))).toEqual({ moved: [], changed: [] });
  });

  it('names the fact that moved, what it was and is, and every step that hangs on it', () => {
    const { moved, changed } = compare(
      plan(
        false,
        lines.map((line) => (line.step === 'stop' ? { ...line, kind: 'no-change' } : line)),
      ),
    );
    expect(moved).toMatchObject([{ host: 'engine', key, steps: ['stop', 'start'] }]);
    expect(moved[0]?.before).not.toBe(moved[0]?.now);
    expect(changed).toEqual(['stop']);
  });
});

describe('a saved plan that is planned anew', () => {
  const [stop, other] = [unitState.key('x.service'), unitState.key('y.service')];
  const reading = (active: boolean) => ({
    state: 'value' as const,
    value: { active, enabled: true, loaded: true, failed: false },
  });
  const plan = (active: boolean, size: string, kind: 'change' | 'no-change') =>
    movePlan({
      madeAt: size,
      lines: [
        planLine({ step: 'stop', host: 'engine', summary: `stop ${size}`, kind, facts: [['engine', stop]] }),
        planLine({ step: 'start', host: 'engine', summary: `start ${size}`, after: ['stop'] }),
        planLine({ step: 'dump', host: 'engine', summary: `dump, about ${size}`, facts: [['engine', other]] }),
      ],
      readings: { engine: { [stop]: reading(active), [other]: reading(true) } },
      stateRefs: {
        engine: { [stop]: { kind: 'unitState', args: ['x.service'] }, [other]: { kind: 'unitState', args: ['y.service'] } },
      },
    });
  const [saved, fresh] = [plan(true, '60 MB', 'change'), plan(false, '61 MB', 'no-change')];
  const made = replanned(
    saved,
    fresh,
    stalenessOf(saved, fresh, () => unitState.definition),
  );

  // The whole fresh plan was taken, although the offer was to plan two steps anew.
  it('keeps the lines of steps that hang on nothing that has moved', () => {
    expect(made.lines.map(({ summary, kind }) => [summary, kind])).toEqual([
      ['stop 61 MB', 'no-change'],
      ['start 61 MB', 'change'],
      ['dump, about 60 MB', 'change'],
    ]);
    expect(made.readings).toEqual(fresh.readings);
  });

  it('is a plan of its own: neither the saved one nor the fresh one', () => {
    const { digest, ...rest } = made;
    expect(digest).toBe(digestOf(rest));
    expect([saved.digest, fresh.digest]).not.toContain(digest);
  });
});

describe('a move of a fact, told to a person', () => {
  const read = (content: string) =>
    publishReading(fileContent.definition as never, {
      state: 'value',
      value: {
        ...{ mode: '0600', owner: 'ovirt', group: 'ovirt', sizeBytes: content.length },
        base64: Buffer.from(content).toString('base64'),
        keyedHash: Buffer.from(content).toString('hex').slice(-16),
      },
    });
  const move = (before: string, now: string) => showMove(fileContent.definition as never, read(before), read(now));

  it('shows the line that is another when the file is as long as before', () => {
    expect(move('A="1"\nB="False"\n', 'A="1"\nB="Maybe"\n')).toEqual({ before: 'line 2: B="False"', now: 'line 2: B="Maybe"' });
  });

  it('shows no secret, and yet that it is another', () => {
    const { before, now } = move('PASSWORD="one"\n', 'PASSWORD="two"\n');
    expect(before + now).not.toMatch(/one|two/);
    expect(before).toContain('what is masked or cannot be shown');
    expect(before).not.toBe(now);
  });
});
