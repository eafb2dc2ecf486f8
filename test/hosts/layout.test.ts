import { expect, test } from 'vitest';
import { type AttemptId, attemptDir, keepPath, secretsDir, unitName } from '../../src/hosts/layout.ts';

const attempt = (step: string): AttemptId => ({ run: 'r-1', step, attempt: 2, epoch: 1, undo: false });

test('a step on many hosts has a folder named after it, and a unit that is no instance of a template', () => {
  expect(attemptDir(attempt('stop@w1'))).toBe('/var/lib/ferry/r-1/stop@w1.2');
  expect(keepPath('r-1', 'prepare.conf@w1', 'old')).toBe('/var/lib/ferry/r-1/keep/prepare.conf@w1/old');
  expect(unitName(attempt('stop@w1'), 'work')).toBe('ferry-r-1-stop:w1.2-work.service');
});

test('a host with an odd name leads no path astray, and no two of them to one', () => {
  const steps = ['stop@../../etc', 'stop@..:2f:..:2f:etc', 'stop@::1', 'stop@w 1', 'stop@w\n1', 'stop@@1', 'stop@wé'];
  const names = steps.flatMap((step) => {
    const id = attempt(step);
    return [attemptDir(id), unitName(id, 'x'), keepPath('r-1', step, 'x'), secretsDir(id, 'x')];
  });
  expect(new Set(names).size).toBe(names.length);
  for (const step of steps) {
    expect(attemptDir(attempt(step)).split('/')).toHaveLength(6);
    expect(unitName(attempt(step), 'x')).toMatch(/^[A-Za-z0-9:_.-]+$/);
  }
});
