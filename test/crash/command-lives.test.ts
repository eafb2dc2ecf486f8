import { expect, test } from 'vitest';
import { type CommandLife, overlapping } from '../kit/command-lives.ts';

const life = (attempt: number, opened: number, ended: number | null, more: Partial<CommandLife> = {}): CommandLife => ({
  ...{ host: 'h', step: 'restore', undo: false, name: 'restore' },
  ...{ attempt, opened, begun: opened + 1, ended },
  ...more,
});

test.each<[string, CommandLife[], string[]]>([
  ['one attempt', [life(1, 10, 20), life(1, 10, 30, { name: 'analyze' })], []],
  ['an attempt after the end of the last', [life(1, 10, 20), life(2, 20, 30)], []],
  [
    'an attempt that is opened while the last runs',
    [life(1, 10, 20.5), life(2, 20, 30)],
    ['h restore.2/restore was begun 500 ms before the end of h restore.1/restore'],
  ],
  [
    'an attempt after one that has no end',
    [life(1, 10, null), life(2, 20, 30)],
    ['h restore.2/restore was begun, and nothing tells the end of h restore.1/restore'],
  ],
  [
    'an undo while the step runs',
    [life(1, 10, 25), life(1, 20, 30, { undo: true, name: 'drop' })],
    ['h restore.undo.1/drop was begun 5000 ms before the end of h restore.1/restore'],
  ],
  ['an attempt after an undo', [life(1, 10, 15), life(1, 20, 30, { undo: true }), life(2, 40, 50)], []],
  ['another step, and another host', [life(1, 10, 90), life(2, 20, 30, { step: 'dump' }), life(2, 20, 30, { host: 'b' })], []],
])('%s is judged by when its commands lived', (_, lives, found) => expect(overlapping(lives)).toEqual(found));
