import type { FailureQuestion } from '../engine/failure-question.ts';
import type { Estimate } from '../plan/estimate.ts';
import type { Plan } from '../plan/plan.ts';
import { createJsonRenderer } from '../renderers/json.ts';
import { createLines } from '../renderers/lines.ts';
import { createOutcome } from '../renderers/outcome.ts';
import { planText } from '../renderers/plan.ts';
import type { Renderer } from '../renderers/renderer.ts';
import { createTree } from '../renderers/tree.ts';
import { askYes } from './ask.ts';
import type { EditQuestion, RunEnd, RunIo, RunOptions, Wire } from './contract.ts';
import { listenForInterrupt, nextStage, type Underway } from './interrupt.ts';
import { canAsk, type Outside, pageOf, print, printError } from './outside.ts';
import { promptSecret } from './secrets.ts';

/**
 * Lets a run happen in front of a person or a log: shows its events, asks its questions, hears Ctrl-C, and says at the end
 * what came of it. Answers with the exit code. With `plansFirst`, nothing is on record or on a host before its first event.
 */
export async function conduct(
  outside: Outside,
  options: {
    readonly yes: boolean;
    readonly json: boolean;
    readonly plansFirst?: boolean;
    readonly onFailure?: RunOptions['onFailure'];
  },
  work: (wire: Wire, io: RunIo) => Promise<RunEnd>,
): Promise<number> {
  const wire = await outside.loadWire();
  const renderer = rendererFor(outside, options.json);
  const outcome = createOutcome();
  let underway: Underway = options.plansFirst ? 'plan' : 'steps';
  const interrupt = listenForInterrupt(outside, renderer, () => underway);
  const suspended = async <T>(work: () => Promise<T>): Promise<T> => {
    await renderer.suspend();
    try {
      return await work();
    } finally {
      renderer.resume();
    }
  };
  // Ctrl-C at a question is a no. One question stands at a time: what is typed is an answer to the one that is read.
  let asking: Promise<unknown> = Promise.resolve();
  const ask = (question: string, taken?: AbortSignal): Promise<boolean> => {
    const signal = taken ? AbortSignal.any([interrupt.signal, taken]) : interrupt.signal;
    const asked = asking.then(() => (signal.aborted ? false : suspended(() => askYes(outside, question, { signal }))));
    asking = asked.catch(() => undefined);
    return asked;
  };
  const askFailure = (question: FailureQuestion) =>
    suspended(async () => (await import('./failure-dialogue.ts')).askAboutFailure(outside, question, interrupt.signal));
  const askEdit = (question: EditQuestion) =>
    suspended(async () => (await import('./edit-dialogue.ts')).askAboutEdit(outside, question, interrupt.signal));
  const askHidden = (question: string) => suspended(() => promptSecret(outside, question));
  const confirmPlan = async (plan: Plan, estimate: Estimate) => {
    outside.stderr.write(`${planText(plan, pageOf(outside, 'stderr'), estimate)}\n\n`);
    return ask('Run it?');
  };
  const mayAsk = canAsk(outside) && !options.json;
  try {
    const end = await work(wire, {
      emit(event) {
        underway = nextStage(underway, event);
        outcome.hear(event);
        renderer.emit(event);
      },
      signal: interrupt.signal,
      cancel: interrupt.cancel,
      ...(mayAsk ? { ask, askHidden } : {}),
      ...(mayAsk && (options.onFailure ?? (options.yes ? '' : 'ask')) === 'ask' ? { askFailure } : {}),
      ...(mayAsk && !options.yes ? { confirmPlan, askEdit } : {}),
    });
    // Takes back the question of a Ctrl-C that the end of the run has answered.
    interrupt.done();
    await renderer.close();
    if (options.json) {
      if (end.error) await printError(outside, end.error, true);
    } else if (end.outcome === 'refused' && end.error) await printError(outside, end.error, false);
    else print(outside, outcome.text(end, pageOf(outside, 'stdout')));
    return end.exit;
  } finally {
    interrupt.done();
    await renderer.close();
  }
}

function rendererFor(outside: Outside, json: boolean): Renderer {
  if (json) return createJsonRenderer((text) => outside.stdout.write(text), outside.places);
  const look = pageOf(outside, 'stderr');
  if (outside.stderr.isTTY && outside.env.TERM !== 'dumb' && !outside.env.CI) return createTree(outside.stderr, look);
  return createLines((text) => outside.stderr.write(text), look);
}
