import { expect, it } from 'vitest';
import run from '../../src/actions/command/run.ts';
import set from '../../src/actions/config/set.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { parseParams } from '../../src/plan/plan-step.ts';
import { step } from '../kit/model-run.ts';

// What comes after it would be lost on the way to a program, or the step told as a defect of Ferry.
it.each([
  ['text', run, { argv: ['rm', '/srv/a\0b'], creates: '/x' }],
  ['secret', set, { path: '/etc/x.conf', set: { PASSWORD: new Secret('a\0b', 'input:p') } }],
  ['name', set, { path: '/etc/x.conf', set: { 'A\0B': '1' } }],
])('a NUL character in a %s is refused before anything is asked of a host', (_, action, params) => {
  expect(() => parseParams(step('put', 'file.put', {}), action as never, params)).toThrow(
    expect.objectContaining({ code: 'PARAM_INVALID' }),
  );
});
