import { describe, expect, it } from 'vitest';
import { type CommandSeen, type Doubt, type FactSeen, judgeDoubt } from '../../src/engine/judge-doubt.ts';

const command = (state: CommandSeen['state'], detached = false, code: number | null = state === 'exited' ? 0 : null) => ({
  ...{ name: `${state}${detached}`, detached, state, code },
  why: null,
});
const fact = (stands: FactSeen['stands'], planned: string | null = 'new'): FactSeen => ({
  ...{ host: 'a', key: 'cell(x)', before: 'old', planned, now: stands },
  stands,
});
const doubt = (parts: Partial<Doubt>): Doubt => ({
  ...{ hosts: [{ host: 'a', commands: [] }], facts: [], phase: 'doubt', converges: true, now: 'change' },
  ...parts,
});
const on = (...commands: CommandSeen[]) => [{ host: 'a', commands }];

describe('a step that was begun and not finished', () => {
  it.each<[string, Partial<Doubt>, string]>([
    ['was done when only its check is missing', { phase: 'applied', hosts: on(command('lost')) }, 'done verify'],
    ['runs when a unit of it does', { hosts: on(command('exited'), command('running', true)) }, 'running join'],
    ['runs also when the wait for it failed', { phase: 'failed', hosts: on(command('running', true)) }, 'running join'],
    ['has ended when its unit did', { hosts: on(command('exited', true)) }, 'ended gather'],
    ['has ended when it may not be done twice', { converges: false, hosts: on(command('exited')) }, 'ended gather'],
    [
      'is asked of the facts after a failure on record',
      { phase: 'failed', hosts: on(command('exited', true)) },
      'untold new-attempt',
    ],
    ['is asked of the facts when a command died', { hosts: on(command('lost', true)), now: 'no-change' }, 'done close'],
    [
      'is not joined when another command of it died',
      { hosts: on(command('lost'), command('running', true)) },
      'untold new-attempt',
    ],
    ['is done when there is nothing left to do', { hosts: on(command('exited')), now: 'no-change' }, 'done close'],
    ['is not done when its folder was never opened', { hosts: [{ host: 'a', commands: null }] }, 'not-done new-attempt'],
    ['is not done when nothing was run', { facts: [fact('otherwise')] }, 'not-done new-attempt'],
    ['is not done when all is as before', { hosts: on(command('exited')), facts: [fact('as-before')] }, 'not-done new-attempt'],
    [
      'is partly done when one fact is as planned and one as before',
      { hosts: on(command('lost')), facts: [fact('as-planned'), fact('as-before')] },
      'partly new-attempt',
    ],
    ['is partly done when a fact is neither', { hosts: on(command('lost')), facts: [fact('otherwise')] }, 'partly new-attempt'],
    [
      'is untold when it changes no fact anybody knows',
      { hosts: on(command('lost')), facts: [fact('otherwise', null)] },
      'untold new-attempt',
    ],
    ['cannot be gone on with when something is in its way', { hosts: on(command('lost')), now: 'blocked' }, 'blocked stop'],
    ['is done by the facts alone when nobody plans it', { now: null, facts: [fact('as-planned')] }, 'done close'],
    ['is not called done by no facts at all', { now: null, hosts: on(command('lost')) }, 'untold new-attempt'],
  ])('%s', (_title, parts, expected) => {
    const { verdict, settling } = judgeDoubt(doubt(parts));
    expect(`${verdict} ${settling}`).toBe(expected);
  });
});
