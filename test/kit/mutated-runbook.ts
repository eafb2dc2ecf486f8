import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A shipped runbook with something changed in it, in a folder of its own; fails when nothing changed. Its path. */
export function mutatedRunbook(runbook: string, folder: string, change: (text: string) => string): string {
  const text = readFileSync(runbook, 'utf8');
  const changed = change(text);
  if (changed === text) throw new Error(`nothing was changed in ${runbook}`);
  mkdirSync(folder, { recursive: true });
  const path = join(mkdtempSync(join(folder, 'mutated-')), basename(runbook));
  writeFileSync(path, changed);
  return path;
}
