import { catalogue } from '../errors/catalogue.ts';
import type { ErrorArgs, ErrorEntry } from '../errors/entry.ts';
import type { FoundRule } from './lint-rules-source.ts';

const INTRODUCTION = `Generated from the sources by \`npm run generate\`.

\`ferry validate\`, \`plan\` and \`run\` read a runbook as a whole, with all it includes: what each step makes, needs, stops and leaves, on
the way forward and on every way back. An **error** refuses the runbook before any host is touched; a **warning** is shown, also in the
plan. What hangs on inputs or on what a run finds out is never taken for a mistake.

A finding that is meant to be so is silenced where it is, with the reason, on a step or an include, or for the whole runbook:

\`\`\`yaml
  - id: dump
    host: old_db
    uses: postgres.dump
    allow:
      - { rule: FILE_LEFT, reason: the dump is the backup this runbook is for }
    with: { database: engine, path: /srv/backup/engine.dump }
\`\`\`

An \`allow\` on an include counts for every step in it, one at the top of a file for the file and all it includes. One that silences
nothing is a warning itself, [ALLOW_UNUSED](errors.md#allow_unused).`;

/** docs/reference/lint.md: every rule with why it is there, what it says and how to get it right. */
export function lintPage(found: readonly FoundRule[]): string {
  const sorted = found.map(({ rule }) => rule).sort((a, b) => (a.code < b.code ? -1 : 1));
  return [
    '# Rules of the linter',
    '',
    INTRODUCTION,
    '',
    '| rule | | |',
    '|---|---|---|',
    ...sorted.map(({ code, severity }) => `| [${code}](#${code.toLowerCase()}) | ${severity} | ${catalogue[code].title} |`),
    '',
    ...sorted.flatMap(({ code, severity, why, fix, bad, good }) => {
      const entry = catalogue[code] as unknown as ErrorEntry<ErrorArgs>;
      const hint = entry.hint?.(entry.example);
      return [
        `## ${code}`,
        '',
        `${entry.title}: ${severity === 'error' ? 'an error' : 'a warning'}. ${why}`,
        '',
        '```text',
        `${code}  ${entry.message(entry.example)}`,
        ...(hint ? [`  ${hint}`] : []),
        '```',
        '',
        'Found in',
        '',
        '```yaml',
        bad.trim(),
        '```',
        '',
        `${fix}`,
        '',
        '```yaml',
        good.trim(),
        '```',
        '',
      ];
    }),
  ].join('\n');
}
