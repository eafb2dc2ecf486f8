import type { ErrorReport } from '../engine/events.ts';
import type { DoubtSeen } from '../engine/evidence.ts';
import type { RunPhase, RunState } from '../engine/state.ts';
import type { StepState } from '../engine/step-state.ts';
import { FerryError } from '../errors/ferry-error.ts';
import { nowMs } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration.ts';
import { jsonText } from '../lib/json.ts';
import { plural } from '../lib/text.ts';
import { errorLines, reportOf } from './error.ts';
import { evidenceLines } from './evidence.ts';
import { gateLines } from './gate.ts';
import { besideWord, clip, moment, oneLine, stillHold } from './layout.ts';
import { createPaint, type Page, type Paint } from './paint.ts';
import { proofText } from './proof.ts';
import { shown } from './shown.ts';
import { waysOn } from './ways-on.ts';

/**
 * Where a run stands, on one screen: what is done, what runs, what comes, and the commands that lead on. `workedOn` tells a
 * run under way from one whose Ferry was killed; their records are the same. `looked` is what the hosts told of steps in doubt.
 */
export function statusText(found: RunState, page: Page, workedOn = true, looked: readonly DoubtSeen[] = []): string {
  const [state, doubts] = [shown(found), shown(looked)];
  const paint = createPaint(page);
  const steps = [...state.steps.values()];
  const done = steps.filter(({ phase }) => phase === 'done' || phase === 'skipped').length;
  const since = lastMoment(state);
  const failed = state.phase === 'rolled-back' ? (state.proof?.filter(({ verdict }) => verdict === 'differs').length ?? 0) : 0;
  // It goes on elsewhere.
  const isTheirs = state.pause?.error?.code === 'EPOCH_STALE';
  const isPaused = state.pause !== null && (state.phase === 'paused' || state.phase === 'rolling-back');
  const paused = isPaused ? ` (${state.pause?.reason}${state.pause?.step ? ` at ${state.pause.step}` : ''})` : '';
  const interrupted = !workedOn && !isPaused && (state.phase === 'running' || state.phase === 'rolling-back');
  const phase = interrupted
    ? paint.warn(`interrupted: no ferry on this machine works on it`)
    : failed > 0
      ? paint.bad(`rolled back, proof failed (${plural(failed, 'fact')})`)
      : paintPhase(state.phase, paint);
  return [
    `${paint.strong(state.run)}   ${state.plan.runbook.name}   ${phase}${paused}`,
    `started ${moment(state.startedAt)}, last seen ${moment(since)}; ${done} of ${plural(steps.length, 'step')} done${windowOf(state)}`,
    '',
    ...stepLines(interrupted, state, steps, paint, page, doubts),
    '',
    ...pauseLines(state, steps, page),
    ...dueLines(state, paint),
    ...gateLines(state, page, paint),
    ...factsOf(state, page, paint),
    ...(isPaused || interrupted ? lookLines(state, steps, doubts, paint) : []),
    ...(isTheirs
      ? []
      : waysOn(
          state.run,
          interrupted && state.phase === 'running' ? 'paused' : state.phase,
          page,
          state.writeLine !== null,
          state.pause?.reason,
          state.cleaned !== null,
        )),
    ...(state.proof ? ['', proofText(state.proof, page)] : []),
  ].join('\n');
}

/** Until when it is, or was, to be over. */
function windowOf({ phase, windowEndsAt }: RunState): string {
  if (windowEndsAt === null || !['running', 'paused', 'rolling-back'].includes(phase)) return '';
  return `; its window ${Date.parse(windowEndsAt) < nowMs() ? 'ended' : 'ends'} ${moment(windowEndsAt)}`;
}

/** That it is rolled back by itself, which only the Ferry that ran it does, and only while it lives. */
function dueLines({ phase, pause }: RunState, paint: Paint): string[] {
  if (phase !== 'paused') return [];
  if (pause?.calledOff) return [paint.warn(`due      not rolled back by itself: ${oneLine(pause.calledOff)}`)];
  if (!pause?.rollbackAt) return [];
  const at = moment(pause.rollbackAt);
  if (Date.parse(pause.rollbackAt) > nowMs())
    return [
      paint.warn(`due      rolled back by itself at ${at}, unless somebody goes on with it or the Ferry that waits is ended`),
    ];
  return [paint.quiet(`due      it was to be rolled back at ${at}; the Ferry that waited is gone, or was told not to`)];
}

/** Why it stands, where no step tells it already. */
function pauseLines(state: RunState, steps: readonly StepState[], page: Page): string[] {
  const error = answered(state);
  if (!error || steps.some((step) => step.error?.message === error.message)) return [];
  return [...errorLines(error, page), ''];
}

/** The error of a pause; of a question that was answered since, the answer. */
function answered({ run, pause, gates }: RunState): ErrorReport | null | undefined {
  const step = pause?.step ?? '';
  const answer = pause?.error?.code === 'GATE_WAITS' ? gates[step]?.answer : undefined;
  if (!answer) return pause?.error;
  if (answer.verdict === 'approved') return null;
  const { question, by, at, comment } = answer;
  return reportOf(new FerryError('GATE_REJECTED', { run, step, question, by, at, why: comment ?? '' }));
}

/** The same for programs: plain JSON, steps as a list. */
export function statusJson(state: RunState, workedOn = true, doubts: readonly DoubtSeen[] = []): string {
  const { plan, sources: _sources, steps, ...rest } = state;
  const told = { ...rest, workedOn, runbook: plan.runbook, plan: plan.digest, lastAt: lastMoment(state) };
  return jsonText({ ...told, steps: [...steps.values()], doubts, debts: debtsOf(state) }, 2);
}

/** What a rollback has left to be undone, by why. */
function debtsOf({ steps }: RunState) {
  const of = (isOne: (step: StepState) => boolean) => [...steps.values()].filter(isOne);
  return {
    failed: of(({ phase }) => phase === 'undo-failed').map(({ step }) => step),
    owed: of(({ phase }) => phase === 'owed').map(({ step }) => step),
    blocked: of(({ blockedBy }) => blockedBy.length > 0).map(({ step, blockedBy: by }) => ({ step, by })),
  };
}

function lastMoment(state: RunState): string {
  const times = [...state.steps.values()].flatMap((step) => [step.startedAt, step.endedAt]);
  return [state.startedAt, state.endedAt, ...times]
    .filter((time) => time !== null)
    .reduce((last, time) => (time > last ? time : last));
}

const WORDS: { readonly [P in StepState['phase']]: string } = {
  waiting: 'to come',
  doubt: 'in doubt',
  applied: 'applied',
  done: 'done',
  failed: 'failed',
  skipped: 'skipped',
  undoing: 'undoing',
  undone: 'undone',
  owed: 'owed',
  'undo-failed': 'not undone',
};

/** How to learn how a step stands that was begun and not finished, while nobody has looked. */
function lookLines(state: RunState, steps: readonly StepState[], doubts: readonly DoubtSeen[], paint: Paint): string[] {
  const open = steps.filter(({ phase }) => ['doubt', 'applied', 'failed'].includes(phase));
  if (open.length === 0 || doubts.length > 0) return [];
  const names = open.map(({ step }) => step).join(', ');
  return [
    `look     ${paint.command(`ferry status ${state.run} --evidence`)}   (asks the hosts how ${names} stands; changes nothing)`,
  ];
}

function stepLines(
  interrupted: boolean,
  state: RunState,
  steps: readonly StepState[],
  paint: Paint,
  page: Page,
  doubts: readonly DoubtSeen[],
): string[] {
  const widest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length));
  const host = widest(steps.map((step) => step.host));
  const id = widest(steps.map((step) => step.step));
  const words = steps.map((step) => wordOf(step, state, state.phase === 'running' && !interrupted));
  const first = Math.max(8, widest(words));
  return steps.flatMap((step, index) => {
    const head = `  ${(words[index] ?? '').padEnd(first)}  ${step.host.padEnd(host)}  ${step.step.padEnd(id)}  `;
    const waits = step.blockedBy.length > 0 ? `waits for ${step.blockedBy.join(', ')}` : '';
    const back = step.putBackAt ? `${step.host} puts it back by itself at ${moment(step.putBackAt)}` : '';
    const tail = [waits, back, step.attempt > 1 ? `attempt ${step.attempt}` : '', took(step)]
      .filter((part) => part !== '')
      .join(', ');
    const summary = clip(oneLine(step.summary), Math.max(20, page.width - head.length - tail.length - 2));
    const { byHand } = step;
    const reason = byHand?.reason ? `: ${oneLine(byHand.reason)}` : '';
    const doubt = doubts.find((one) => one.step === step.step);
    return [
      `${paintStep(step, paint)(head)}${summary}${tail ? paint.quiet(`  ${tail}`) : ''}`.trimEnd(),
      ...(byHand ? [paint.warn(`            ${byHand.what} by ${oneLine(byHand.by)}${reason}`)] : []),
      ...(step.error ? errorLines(step.error, { ...page, width: page.width - 12 }).map((line) => `            ${line}`) : []),
      ...(doubt ? evidenceLines(doubt, { ...page, width: page.width - 12 }).map((line) => `            ${line}`) : []),
    ];
  });
}

/** A step whose undo was not tried yet is called so, whatever became of it forward. */
function wordOf(step: StepState, { phase, gates }: RunState, isRunning: boolean): string {
  if (step.blockedBy.length > 0) return 'blocked';
  const gate = gates[step.step];
  const isAsked = (phase === 'running' || phase === 'paused') && gate?.asked && !gate.answer;
  if (isAsked && step.phase === 'waiting') return 'waits';
  return step.phase === 'doubt' && isRunning ? 'runs' : WORDS[step.phase];
}

function took(step: StepState): string {
  return step.startedAt && step.endedAt ? formatDuration(Date.parse(step.endedAt) - Date.parse(step.startedAt)) : '';
}

function factsOf(state: RunState, page: Page, paint: Paint): string[] {
  const told = (word: string, text: string, brush: (line: string) => string = String) =>
    besideWord(word, text, page.width, brush);
  return [
    ...(state.checkpoints.length > 0 ? told('reached', `checkpoint ${state.checkpoints.join(', ')}`) : []),
    ...(state.writeLine
      ? told('writes', `the write line was crossed at ${state.writeLine.step}, ${moment(state.writeLine.at)}`, paint.warn)
      : state.plan.lines.some((line) => line.writeLine)
        ? told('writes', 'the write line is not crossed')
        : []),
    ...[...new Set(state.kept.map(({ host, what }) => `${host}: ${oneLine(what)}`))].flatMap((kept) => told('kept', kept)),
    ...cleanedLines(state, paint),
    ...(state.leases.length > 0 ? told('leases', state.leases.join(', ')) : []),
  ];
}

/** What `ferry clean` has removed of it, and what still holds it. */
function cleanedLines({ cleaned, cleanedAt, workedOn, markedOn }: RunState, paint: Paint): string[] {
  if (cleaned === null) return [];
  const left = [...new Set([...workedOn, ...markedOn])].filter((host) => !cleaned.includes(host));
  if (left.length === 0) return [`cleaned  ${moment(cleanedAt ?? '')}`];
  return [paint.warn(`cleaned  in part: ${stillHold(left)}`)];
}

function paintPhase(phase: RunPhase, paint: Paint): string {
  const brush =
    phase === 'finished' || phase === 'rolled-back'
      ? paint.good
      : phase === 'paused' || phase === 'rolling-back'
        ? paint.warn
        : paint.accent;
  return brush(phase.replace('-', ' '));
}

function paintStep(step: StepState, paint: Paint): (text: string) => string {
  if (step.blockedBy.length > 0) return paint.warn;
  if (step.phase === 'done' || step.phase === 'undone') return paint.good;
  if (step.phase === 'failed' || step.phase === 'undo-failed') return paint.bad;
  return step.phase === 'waiting' || step.phase === 'skipped' ? paint.quiet : paint.warn;
}
