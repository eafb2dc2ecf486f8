import type { ErrorReport, Event } from '../engine/events.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Json } from '../lib/json.ts';
import { plural } from '../lib/text.ts';
import type { PlanLine } from '../plan/plan.ts';
import { errorText } from './error.ts';
import { oneLine, table } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { proofText } from './proof.ts';
import { shown } from './shown.ts';
import { waysOn } from './ways-on.ts';

/** How a run ended, as the command line learns it. */
export interface End {
  readonly outcome: 'finished' | 'already-done' | 'paused' | 'failed' | 'rolled-back' | 'refused';
  readonly run: string | null;
  readonly error: ErrorReport | null;
}

type Of<T extends Event['type']> = Extract<Event, { type: T }>;

/** Listens to a run and says at its end what came of it. */
export interface OutcomeTeller {
  hear(event: Event): void;
  /** The closing lines: what was done and how long it took, what checks found, and the next command. */
  text(end: End, page: Page): string;
}

export function createOutcome(): OutcomeTeller {
  let started: Of<'run.started'> | undefined;
  let finished: Of<'run.finished'> | undefined;
  let paused: Of<'run.paused'> | undefined;
  let rolledBack: Of<'run.rolled-back'> | undefined;
  let goesBack = false;
  const checks: Of<'step.ended'>[] = [];
  const done = new Set<string>();

  const name = () => started?.plan.runbook.name ?? 'the runbook';
  const crossed = () => started?.plan.lines.some((line) => line.writeLine && done.has(line.step)) ?? false;
  const checkLines = () =>
    table(checks.map((check) => [`  ${check.step}`, outputWords(check.outputs) || oneLine(check.summary)]));

  return {
    hear(told) {
      const event = shown(told);
      if (event.type === 'run.started') {
        started = event;
        for (const step of event.done) done.add(step);
      } else if (event.type === 'run.finished') finished = event;
      else if (event.type === 'run.paused') paused = event;
      else if (event.type === 'run.rolled-back') rolledBack = event;
      else if (event.type === 'rollback.started') goesBack = true;
      else if (event.type === 'step.ended' && (event.outcome === 'ok' || event.outcome === 'no-change')) {
        done.add(event.step);
        if (started?.plan.lines.some((line) => line.step === event.step && tellsProof(line))) checks.push(event);
      }
    },
    text(end, page) {
      const paint = createPaint(page);
      const error = end.error ? [errorText(end.error, page)] : [];
      const run = end.run ?? '';
      switch (end.outcome) {
        case 'finished': {
          const took = finished ? `, ${plural(finished.steps, 'step')} in ${formatDuration(finished.ms)}` : '';
          return [paint.good(`Done: ${name()}${took}.`), ...checkLines(), '', ...waysOn(run, 'finished', page, crossed())].join(
            '\n',
          );
        }
        case 'already-done':
          return [paint.good('Already done: nothing was changed.'), ...error].join('\n');
        case 'paused':
        case 'failed': {
          // It goes on, or not, elsewhere.
          if (end.error?.code === 'EPOCH_STALE') return [paint.warn('Stopped here.'), ...error].join('\n');
          const reason = PAUSE_WORDS[paused?.reason ?? 'failure'](paused?.step ?? 'a step');
          const goingBack = end.error?.code === 'PROOF_UNREAD' ? 'Undone, and not proven yet.' : 'Not rolled back yet.';
          const head = goesBack ? goingBack : end.outcome === 'failed' && !paused ? 'Failed.' : `Paused: ${reason}.`;
          const phase = goesBack ? 'rolling-back' : 'paused';
          // Without its records no command leads on; the error says what does.
          if (end.error?.code === 'JOURNAL_UNWRITABLE') return [paint.warn(head), ...error].join('\n');
          return [paint.warn(head), ...error, '', ...(run ? waysOn(run, phase, page, crossed(), paused?.reason) : [])].join('\n');
        }
        case 'rolled-back':
          return [
            ...error,
            paint.good(
              `Rolled back ${rolledBack?.to ? `to checkpoint ${rolledBack.to}` : 'to before the run'}${rolledBack ? ` in ${formatDuration(rolledBack.ms)}` : ''}.`,
            ),
            ...(rolledBack ? [proofText(rolledBack.proof, page)] : []),
            // The proof tells what was kept of facts; a mail that was sent is no fact.
            ...[...new Set(rolledBack?.kept)]
              .filter((what) => !rolledBack?.proof.some(({ host, why }) => why !== null && `${host}: ${why}` === what))
              .map((what) => paint.warn(`  stays: ${oneLine(what)}`)),
            ...(rolledBack?.to && run ? ['', ...waysOn(run, 'paused', page)] : []),
          ].join('\n');
        case 'refused':
          return error.length > 0 ? error.join('\n') : 'Refused. Nothing was changed.';
      }
    },
  };
}

/** Reads only hand values on; what a comparison or a probe found is worth a line at the end. */
function tellsProof(line: PlanLine): boolean {
  return line.kind === 'check' && !line.uses.endsWith('.read');
}

const PAUSE_WORDS: { readonly [R in Of<'run.paused'>['reason']]: (step: string) => string } = {
  failure: (step) => `${step} failed`,
  gate: (step) => `${step} waits for a yes`,
  until: () => 'the checkpoint was reached',
  interrupt: () => 'interrupted, no step runs any more',
  drift: (step) => `something was changed by other hands before ${step}`,
};

/** Outputs in one line, counts first: `156 tables, 1,204,332 rows: equal`. Lists and maps are left out. */
function outputWords(outputs: { readonly [name: string]: Json }): string {
  const labelled = Object.entries(outputs).map(
    ([name, output]) => [name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase(), output] as const,
  );
  const told = labelled.flatMap(([label, output]) => {
    if (label === 'port') return [`port ${output}`];
    if (typeof output === 'number') return [`${output.toLocaleString('en')} ${label}`];
    return typeof output === 'string' && output.length <= 60 ? [`${label} ${oneLine(output)}`] : [];
  });
  const verdicts = labelled.flatMap(([label, output]) => (typeof output === 'boolean' ? [output ? label : `not ${label}`] : []));
  return [told.join(', '), verdicts.join(', ')].filter((part) => part !== '').join(': ');
}
