import type { Action } from '../../actions/action.ts';
import type { ArgsOf, ErrorCode } from '../../errors/catalogue.ts';
import type { Diagnostic, Position } from '../../errors/diagnostic.ts';
import { finding, type Place } from '../../errors/finding.ts';
import type { Allow, Model } from '../model.ts';
import type { Runbook } from '../runbook.ts';
import { LintBook } from './book.ts';
import type { LintFinding } from './rule.ts';
import { rules } from './rules.ts';

/**
 * Looks at a runbook without errors as a whole: what its steps make, read, stop and leave, forwards and on every way back.
 * Findings that an `allow` silences are left out; an `allow` of the root file that silences nothing is a finding itself.
 */
export function lint(runbook: Runbook, actions: ReadonlyMap<string, Action>, models: readonly Model[]): Diagnostic[] {
  const book = new LintBook(runbook, actions, models);
  const used = new Set<Allow>();
  const [root] = models;
  const lines = new Map(runbook.sources.map(({ path, text }) => [path, text.split(/\r\n|\n|\r/)]));
  const found: Diagnostic[] = [];
  for (const rule of rules) {
    for (const each of rule.check(book) as readonly LintFinding<ArgsOf<ErrorCode>>[]) {
      const place = placeOf(each, lines);
      const file = place?.at.file;
      const around = models.filter((model) => model === root || model.file === file).flatMap((model) => model.allow);
      const silencers = [...(each.step?.step.allow ?? []), ...(each.allow ?? []), ...around].filter(
        (allow) => allow.rule === rule.code,
      );
      for (const allow of silencers) used.add(allow);
      if (silencers.length > 0) continue;
      const more = { severity: each.severity ?? rule.severity, ...(each.hint ? { hint: each.hint } : {}) };
      found.push(finding(rule.code, each.args, place, more));
    }
  }
  // An included file's `allow` may be there for other runbooks that include it.
  const own = [...(root?.allow ?? []), ...(root?.items ?? []).flatMap((item) => (item.kind === 'checkpoint' ? [] : item.allow))];
  for (const allow of own)
    if (!used.has(allow)) found.push(finding('ALLOW_UNUSED', { rule: allow.rule }, allow, { severity: 'warning' }));
  return found;
}

function placeOf({ at, step }: LintFinding<unknown>, lines: ReadonlyMap<string, readonly string[]>): Place | undefined {
  const where = at ?? step?.step.at;
  if (!where) return undefined;
  return 'length' in where ? where : { at: where, length: lengthAt(where, lines.get(where.file)?.[where.line - 1] ?? '') };
}

/** How much of its line a piece of YAML takes that begins at a position: a quoted text, or up to where flow goes on. */
function lengthAt({ column }: Position, line: string): number {
  const rest = line.slice(column - 1);
  const [found = rest] = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,\]}#]+)/.exec(rest) ?? [];
  return Math.max(1, found.trimEnd().length);
}
