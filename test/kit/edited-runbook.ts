import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const SHIPPED = join(import.meta.dirname, '..', '..', 'runbooks', 'ovirt');

/** A step as it stands in the file. */
export interface WrittenStep {
  readonly id?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** A copy of a shipped runbook of oVirt, beside copies of all others, with its steps changed; gives its path. */
export function editedRunbook(name: string, change: (steps: WrittenStep[]) => WrittenStep[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'ferry-runbook-'));
  cpSync(SHIPPED, folder, { recursive: true });
  const path = join(folder, `${name}.yaml`);
  const whole = parse(readFileSync(path, 'utf8'), { maxAliasCount: -1 });
  const steps = change(whole.steps);
  if (JSON.stringify(steps) === JSON.stringify(whole.steps)) throw new Error(`nothing of ${name} was changed`);
  writeFileSync(path, stringify({ ...whole, steps }, { aliasDuplicateObjects: false }));
  return path;
}

/** For `editedRunbook`: the steps without some. */
export const without =
  (...ids: readonly string[]) =>
  (steps: WrittenStep[]): WrittenStep[] =>
    steps.filter(({ id }) => !ids.includes(id ?? ''));
