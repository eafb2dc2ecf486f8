import { join } from 'node:path';
import { quote } from '../lib/quote.ts';
import { table } from './layout.ts';

/** What was written, what was there before, and what to type next. */
export function initText(
  folder: string,
  files: readonly { readonly name: string; readonly about: string; readonly written: boolean }[],
): string {
  const rows = files.map(({ name, about, written }) => [
    written ? 'wrote' : 'kept ',
    quote(join(folder, name)),
    written ? about : 'it was there already',
  ]);
  const runbook = quote(join(folder, files[0]?.name ?? ''));
  const next = [
    [`ferry validate ${runbook}`, 'check it; touches no host'],
    [`ferry plan ${runbook}`, 'what it would do; changes nothing'],
    [`ferry run ${runbook}`, 'do it'],
    ['ferry rollback', 'take it back'],
  ];
  return [...table(rows), '', 'Next:', ...table(next).map((line) => `  ${line}`)].join('\n');
}
