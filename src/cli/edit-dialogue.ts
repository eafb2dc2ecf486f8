import { printable } from '../lib/text.ts';
import { runbookDiffLines } from '../renderers/runbook-diff.ts';
import { askLine } from './ask.ts';
import type { EditQuestion } from './contract.ts';
import { type Outside, pageOf } from './outside.ts';

/** Shows what the edit of a run's runbook means and asks what becomes of it. Enter, Ctrl-C and the end of input keep the old text. */
export async function askAboutEdit(
  outside: Outside,
  { path, changes, begun, back }: EditQuestion,
  signal: AbortSignal,
): Promise<'keep' | 'redo' | 'back'> {
  const say = (text: string) => outside.stderr.write(`${printable(text)}\n`);
  say(`${path} was edited since the run began:`);
  for (const line of runbookDiffLines(changes, pageOf(outside, 'stderr'))) outside.stderr.write(`${line}\n`);
  const where = back === null ? 'before the first step, which ends this run' : `checkpoint ${back}`;
  say('  k  keep (Enter): go on with the text the run began with');
  if (begun.length === 0) say('  r  redo: plan what is left to do on the edited one; it is shown first');
  else {
    say(`  (not r: the edit comes too late for ${begun.map(({ step, why }) => `${step}, ${why}`).join('; ')})`);
    say(`  b  back to ${where}, and on from there with the edited one`);
  }
  const other = begun.length === 0 ? 'redo' : 'back';
  for (;;) {
    const typed = (await askLine(outside, `keep or ${other}? `, { signal }))?.toLowerCase();
    if (!typed || 'keep'.startsWith(typed)) return 'keep';
    if (other.startsWith(typed)) return other;
  }
}
