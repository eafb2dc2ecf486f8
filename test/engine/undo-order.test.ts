import { describe, expect, it } from 'vitest';
import { type UndoProgress, undoOrder } from '../../src/engine/undo-order.ts';
import { step } from '../kit/model-run.ts';

/** `id: needs` in file order; `id!` is the write line that was crossed. What changes nothing, `(id)`, is not in the way. */
function orderOf(graph: string, progress: Record<string, UndoProgress> = {}): string {
  const parts = graph.split(' ').map((part) => {
    const [name = '', needs = ''] = part.split(':');
    return { id: name.replaceAll(/[()!]/g, ''), name, needs: needs.split(',').filter(Boolean) };
  });
  const steps = parts.map(({ id, needs }) => ({ ...step(id, 'model.atomic', {}), needs }));
  const way = steps.filter((_, index) => !/[()]/.test(parts[index]?.name ?? '')).reverse();
  const line = steps[parts.findIndex(({ name }) => name.includes('!'))];
  const { ready, blocked } = undoOrder(
    steps,
    {
      steps: way.map((one) => ({ step: one, host: 'a', summary: '' })),
      writeLine: line ? { step: line, at: '' } : null,
    },
    new Map(Object.entries(progress)),
  );
  return [...ready.map(({ id }) => id), ...blocked.map(({ step: { id }, by }) => `${id}<${by.join('+')}`)].join(' ');
}

describe('the order of undos', () => {
  it.each([
    ['the last of a chain comes first', 'a b:a c:b', {}, 'c'],
    ['one that is under way holds up what it stands on', 'a b:a c:b', { c: 'running' }, ''],
    ['then the one before it', 'a b:a c:b', { c: 'undone' }, 'b'],
    ['a failure blocks all it stands on, however far', 'a b:a c:b', { c: 'failed' }, 'b<c a<c'],
    ['also through steps that changed nothing', 'a (b):a (c):b d:c', { d: 'failed' }, 'a<d'],
    ['what does not stand on one another goes side by side', 'a b:a c:a', {}, 'c b'],
    ['a failure blocks nothing beside it', 'a b:a c:a d', { c: 'failed' }, 'd b a<c'],
    ['a step waits for all that stand on it', 'a b:a c:a', { c: 'undone' }, 'b'],
    ['two failures are both named', 'a b:a c:a', { b: 'failed', c: 'failed' }, 'a<c+b'],
    ['one that is owed blocks nothing', 'a b:a c:b', { c: 'owed' }, 'b'],
    ['what is blocked does not hold up what only it would have', 'a b:a c:b d:a', { c: 'failed', d: 'undone' }, 'b<c a<c'],
    ['before a crossed line all wait for all after it, whatever needs what', 'a (l!) c', {}, 'c'],
    ['also for those under way', 'a (l!) c d', { d: 'running' }, 'c'],
    ['a failure after the line blocks all before it', 'a b (l!) c d', { d: 'failed' }, 'c b<d a<d'],
    ['one owed after the line does, too', 'a (l!) c', { c: 'owed' }, 'a<c'],
    ['and what it stands on after the line', 'a (l!) c d:c', { d: 'owed' }, 'c<d a<d'],
    ['one owed before the line blocks nothing', 'a b:a (l!):b c:l', { c: 'undone', b: 'owed' }, 'a'],
    ['once all after the line is undone the rest goes on', 'a b:a (l!):b c:l', { c: 'undone' }, 'b'],
    ['the write line that changes something waits as those before it', 'a l!:a c', {}, 'c'],
  ] as const)('%s', (_, graph, progress, expected) => {
    expect(orderOf(graph, progress)).toBe(expected);
  });

  it('undoes no more parts of one step at once than it was done at once', () => {
    const parts = ['p@a', 'p@b', 'p@c'].map((id) => ({
      ...step(id, 'model.atomic', {}),
      part: { of: 'p', concurrency: 2 } as never,
    }));
    const way = { steps: parts.map((one) => ({ step: one, host: 'a', summary: '' })).reverse(), writeLine: null };
    const ready = (progress: Record<string, UndoProgress>) =>
      undoOrder(parts, way, new Map(Object.entries(progress))).ready.map(({ id }) => id);
    expect(ready({})).toEqual(['p@c', 'p@b']);
    expect(ready({ 'p@c': 'running' })).toEqual(['p@b']);
    expect(ready({ 'p@c': 'running', 'p@b': 'running' })).toEqual([]);
    expect(ready({ 'p@c': 'undone', 'p@b': 'running' })).toEqual(['p@a']);
    expect(ready({ 'p@c': 'failed', 'p@b': 'owed' })).toEqual(['p@a']);
  });

  it('goes by what a part needs on the way back, where the runbook lets each host go back by itself', () => {
    const one = (id: string, needs: string[], undoNeeds: string[]) => ({ ...step(id, 'model.atomic', {}), needs, undoNeeds });
    const parts = [
      one('put@a', [], []),
      one('put@b', [], []),
      one('start@a', ['put@a', 'put@b'], ['put@a']),
      one('start@b', ['put@a', 'put@b'], ['put@b']),
    ];
    const way = { steps: parts.map((part) => ({ step: part, host: 'a', summary: '' })).reverse(), writeLine: null };
    const { ready, blocked } = undoOrder(
      parts,
      way,
      new Map([
        ['start@b', 'undone'],
        ['start@a', 'failed'],
      ]),
    );
    expect(ready.map(({ id }) => id)).toEqual(['put@b']);
    expect(blocked.map(({ step: { id } }) => id)).toEqual(['put@a']);
  });

  it('takes a thousand steps on as many hosts in no time', () => {
    const many = Array.from({ length: 1000 }, (_, index) => `s${index}`).join(' ');
    expect(orderOf(many).split(' ')).toHaveLength(1000);
  });
});
