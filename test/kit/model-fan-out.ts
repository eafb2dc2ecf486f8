import type { Json } from '../../src/lib/json.ts';
import type { FanOut, Step, Template } from '../../src/runbook/runbook.ts';
import { spreadRunbook } from '../../src/runbook/spread.ts';
import { ModelRun, runbookOf, step } from './model-run.ts';

const at = { file: 'model.yaml', line: 1, column: 1 };

/** A step on the role `workers`, which has many hosts; a param that begins with `=` is an expression. */
export function onEach(
  id: string,
  uses: string,
  params: { [name: string]: string },
  fanOut: Partial<FanOut> = {},
  needs: string[] = [],
): Step {
  const entries = Object.entries(params).map(([name, value]): [string, Template] => [
    name,
    value.startsWith('=') ? { kind: 'expression', source: value.slice(1), at } : { kind: 'literal', value: value as Json, at },
  ]);
  const base = step(id, uses, {}, { role: 'workers', needs });
  return {
    ...base,
    with: { kind: 'map', entries, at },
    scope: { ...base.scope, roles: new Map([...base.scope.roles, ['workers', 'workers']]) },
    fanOut: { concurrency: null, undo: 'all', ...fanOut },
  };
}

/** Spreads a model runbook over the hosts of `workers`, w1, w2 and w3 unless given. */
export function spreadOver(
  steps: Step[],
  hosts: readonly string[] = ['w1', 'w2', 'w3'],
  checkpoints: { name: string; afterStep: number }[] = [],
): ReturnType<typeof spreadRunbook> {
  const roles = [{ name: 'workers', many: true, at }];
  const on = new Map([
    ['workers', hosts],
    ['a', ['a']],
    ['b', ['b']],
  ]);
  return spreadRunbook({ ...runbookOf(steps, checkpoints), roles }, on);
}

/** A run of such a runbook. */
export function fanOutRun(
  steps: Step[],
  cells: Record<string, string>,
  checkpoints: { name: string; afterStep: number }[] = [],
): ModelRun {
  const { runbook, roles } = spreadOver(steps, undefined, checkpoints);
  const run = new ModelRun(runbook, cells);
  run.roles = roles;
  return run;
}
