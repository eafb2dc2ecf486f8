import type { FailureAnswer, FailureQuestion } from '../engine/failure-question.ts';
import { carryPlaces } from '../errors/carry-places.ts';
import { isFerryError } from '../errors/ferry-error.ts';
import { printable } from '../lib/text.ts';
import { errorText, reportOf } from '../renderers/error.ts';
import { createPaint } from '../renderers/paint.ts';
import { rollbackPlanText } from '../renderers/rollback-plan.ts';
import { askLine, askYes } from './ask.ts';
import { type Outside, pageOf } from './outside.ts';

const PAUSE: FailureAnswer = { answer: 'pause' };

/**
 * Asks in the terminal what becomes of a step that failed; its error stands above. Enter, Ctrl-C and the end of input pause the
 * run, which is never wrong. What an answer leads to is shown before it is taken, and can be taken back.
 */
export async function askAboutFailure(outside: Outside, question: FailureQuestion, signal: AbortSignal): Promise<FailureAnswer> {
  const page = pageOf(outside, 'stderr');
  const say = (text: string): null => {
    outside.stderr.write(`${text}\n`);
    return null;
  };
  const paint = createPaint(page);
  const { step, host, outcome, skip } = question;
  if (question.refusal) say(errorText(question.refusal, page));
  say('');
  say(paint.strong(printable(`${step} on ${host} ${outcome === 'unknown' ? 'is in doubt' : 'failed'}. What becomes of it?`)));
  say('  r  retry: what ran of it is looked at first, and nothing runs twice in one attempt');
  if (question.canMarkDone) say('  d  done by hand: taken when its facts agree');
  say(skip.refused ? paint.quiet(`  s  (cannot be skipped: ${skip.refused})`) : '  s  skip it, with a reason');
  say(`  b  back: to ${question.back.map((to) => to ?? 'before the run').join(', ')}`);
  say(carryPlaces('  p  pause (Enter): all stays as it is, and  ferry resume  or  ferry rollback  leads on', outside.places));
  const offered = ['retry', ...(question.canMarkDone ? ['done'] : []), ...(skip.refused ? [] : ['skip']), 'back'];
  for (;;) {
    const typed = (await askLine(outside, `${offered.join(', ')} or pause? `, { signal }))?.toLowerCase();
    if (!typed || 'pause'.startsWith(typed)) return PAUSE;
    if ('retry'.startsWith(typed)) return { answer: 'retry' };
    if (question.canMarkDone && 'done'.startsWith(typed)) return { answer: 'mark-done' };
    const answer = 'skip'.startsWith(typed)
      ? await askReason(outside, question, signal)
      : 'back'.startsWith(typed)
        ? await askWhereTo(outside, question, signal)
        : say(printable(`There is no answer "${typed}" here.`));
    if (answer) return answer;
    if (signal.aborted) return PAUSE;
  }
}

async function askReason(outside: Outside, { step, skip }: FailureQuestion, signal: AbortSignal): Promise<FailureAnswer | null> {
  const say = (text: string) => outside.stderr.write(`${printable(text)}\n`);
  if (skip.refused) say(`${step} cannot be skipped: ${skip.refused}.`);
  else {
    for (const warning of skip.warnings) say(warning);
    const reason = await askLine(outside, `Why is ${step} skipped? It goes on record with your name. (Enter: not skipped) `, {
      signal,
    });
    if (reason) return { answer: 'skip', reason };
  }
  return null;
}

async function askWhereTo(outside: Outside, question: FailureQuestion, signal: AbortSignal): Promise<FailureAnswer | null> {
  const page = pageOf(outside, 'stderr');
  const say = (text: string) => outside.stderr.write(`${text}\n`);
  question.back.forEach((to, index) => {
    say(`  ${index + 1}  ${to === null ? 'the beginning: before the first step' : `checkpoint ${to}`}`);
  });
  const typed =
    question.back.length === 1
      ? '1'
      : await askLine(outside, `Where to, 1 to ${question.back.length}? (Enter: nowhere) `, { signal });
  const to = typed && /^\d+$/.test(typed) ? question.back[Number(typed) - 1] : undefined;
  if (to === undefined) return null;
  try {
    say(`${rollbackPlanText(await question.preview(to), page, true)}\n`);
  } catch (thrown) {
    // Nobody goes back unseen.
    if (!isFerryError(thrown)) throw thrown;
    say(errorText(reportOf(thrown), page));
    return null;
  }
  return (await askYes(outside, 'Go back?', { signal })) ? { answer: 'back', to } : null;
}
