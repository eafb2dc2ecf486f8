import type { Event } from '../engine/events.ts';
import { formatDuration } from '../lib/duration.ts';
import { plural } from '../lib/text.ts';
import type { Plan } from '../plan/plan.ts';
import { answerLines } from './by-hand.ts';
import { Countdown } from './countdown.ts';
import { errorLines } from './error.ts';
import { evidenceLines } from './evidence.ts';
import { createForecast } from './forecast.ts';
import { answerWords, waitingWords } from './gate.ts';
import { clip, oneLine, wrapText } from './layout.ts';
import { type LiveItem, type LiveList, type Mark, openLiveList } from './live-list.ts';
import { createMeter, type Meter } from './meter.ts';
import { createPaint, type Look } from './paint.ts';
import type { Renderer } from './renderer.ts';
import { shown } from './shown.ts';

/** A step or undo in the picture: what it is called, and what is told of it besides its state. */
interface Row extends LiveItem {
  readonly label: string;
  readonly meter: Meter;
  progress: string;
  /** Below all else while it shows no progress: the last line is the one that is seen while a step runs. */
  stall: string;
  notes: string[];
  /** What was found of it when it was settled; it stays in sight. */
  evidence: string[];
}

type StepEvent = Extract<Event, { type: `step.${string}` | `undo.${string}` }>;

/** A live picture of a run in a terminal: one row a step, the running one with what it moves. */
export function createTree(stream: NodeJS.WriteStream, look: Look = { colour: false }): Renderer {
  const paint = createPaint(look);
  const width = () => (stream.columns ?? 80) - 4;
  let rows: Row[] = [];
  const labels = new Map<string, string>();
  let list: LiveList | undefined;
  let touched: Row | undefined;

  const say = (text: string) => stream.write(`${text}\n`);
  // One line that is written over each second; what comes after it begins a new one.
  const countdown = new Countdown((text) => void stream.write(`\r\x1b[2K${paint.warn(clip(text, width()))}`), 1000);
  const stopCountdown = () => {
    if (countdown.isRunning) stream.write('\n');
    countdown.stop();
  };
  const newRow = (key: string, label: string, summary: string, mark: Mark): Row => ({
    key,
    label,
    mark,
    title: titleOf(label, summary, ''),
    detail: '',
    meter: createMeter(),
    progress: '',
    stall: '',
    notes: [],
    evidence: [],
  });
  const titleOf = (label: string, summary: string, after: string) => {
    const tail = after ? `  ${after}` : '';
    return `${label}  ${clip(oneLine(summary), Math.max(10, width() - label.length - 2 - tail.length))}${paint.quiet(tail)}`;
  };

  const open = async () => {
    list ??= await openLiveList(rows, stream, paint);
  };
  const isToCome = (row: Row) => row.mark === 'waiting' || row.mark === 'rule';
  const shut = async (hide: readonly Row[] = [outlook]) => {
    const shown = list;
    list = undefined;
    await shown?.close(hide);
    // What has been shown as ended need not come again after a question.
    rows = rows.filter((row) => isToCome(row) || row.mark === 'running');
  };
  const show = (row: Row) => {
    row.detail = [...row.notes, row.progress, row.stall].filter((line) => line !== '').join('\n');
    touched = row;
    list?.refresh(row);
    list?.refresh(outlook);
  };

  const onStep = async (event: StepEvent) => {
    const row = rows.find((one) => one.key === keyOf(event.step, event.host));
    if (!row) return;
    await open();
    if (event.type === 'step.progressed') {
      row.progress = paint.quiet(clip(row.meter.words(event), width() - 2));
    } else if (event.type === 'step.stalled') {
      const told = `no progress for ${formatDuration(event.ms)}: ${event.why.map(oneLine).join('; ')}`;
      row.stall = paint.warn(clip(told, width() - 2));
      row.notes.push(...wrapText(told, width() - 2).map(paint.warn));
    } else if (event.type === 'step.moved') {
      row.stall = '';
      row.notes.push(`moves again, after ${formatDuration(event.ms)}`);
    } else if (event.type === 'step.started' || event.type === 'undo.started') {
      row.mark = 'running';
      row.notes = [...row.evidence];
      row.progress = '';
      row.stall = '';
      const again =
        event.type === 'undo.started'
          ? ''
          : event.reattached
            ? 'joined again'
            : event.attempt > 1
              ? `attempt ${event.attempt}`
              : '';
      row.title = titleOf(row.label, event.summary, again);
    } else if (event.type === 'step.settled') {
      row.evidence = evidenceLines(event, { ...look, width: width() - 2 });
      row.notes = [...row.evidence];
    } else {
      row.mark = MARK_OF_OUTCOME[event.outcome];
      row.progress = '';
      row.stall = '';
      if (event.type === 'step.ended') row.title = titleOf(row.label, event.summary, formatDuration(event.ms));
      else row.notes.push(...[...new Set(event.kept)].map((kept) => paint.warn(`kept: ${oneLine(kept)}`)));
      if (event.type === 'undo.ended' && event.waitsFor.length > 0)
        row.notes.push(paint.warn(`not undone: waits for ${event.waitsFor.join(', ')}`));
      if (event.error) row.notes.push(...errorLines(event.error, { ...look, width: width() - 2 }));
    }
    show(row);
  };

  const forecast = createForecast();
  const outlook = newRow('outlook', '', '', 'rule');
  const lookAhead = (event: Event) => {
    forecast.hear(event);
    const atMs = Date.parse(event.at);
    const text = clip(forecast.text(atMs), width());
    outlook.title = forecast.isLate(atMs) ? paint.warn(text) : paint.quiet(text);
  };

  const handle = async (event: Event) => {
    stopCountdown();
    lookAhead(event);
    switch (event.type) {
      case 'run.estimated':
      case 'failure.asked':
        return;
      case 'rollback.called-off':
        return void say(paint.warn(oneLine(event.error.message)));
      case 'rollback.due':
        return countdown.start(event.rollbackAt);
      case 'run.started': {
        await shut();
        say(headline(event.run, event.plan, event.resumed, new Set(event.done).size));
        for (const [index, label] of labelsOf(event.plan.lines).entries()) {
          const line = event.plan.lines[index];
          if (line) labels.set(keyOf(line.step, line.host), label);
        }
        rows = [
          ...rowsOf(event.plan, new Set(event.done), new Set(event.skipped), newRow, (text) => paint.accent(text)),
          outlook,
        ];
        await open();
        return;
      }
      case 'rollback.started': {
        await shut();
        say(
          `Rolling back ${event.to ? `to checkpoint ${event.to}` : event.run}: ${plural(event.steps.length, 'step')}, last first.`,
        );
        for (const { step, host, why } of event.irreversible) say(`${host} ${step} cannot be taken back: ${oneLine(why)}`);
        const label = labelsOf(event.steps);
        rows = event.steps.map((step, index) =>
          newRow(keyOf(step.step, step.host), label[index] ?? step.step, step.summary, 'waiting'),
        );
        return;
      }
      case 'gate.waiting':
      case 'gate.answered': {
        const row = rows.find((one) => one.key === keyOf(event.step, event.host));
        if (!row) return;
        await open();
        row.mark = 'running';
        if (event.type === 'gate.answered') row.notes = [paint.good(answerWords(event))];
        else row.notes = waitingWords(event, '', look.places).map((line, at) => (at === 0 ? paint.warn : paint.accent)(line));
        return show(row);
      }
      case 'failure.answered': {
        const key = keyOf(event.step, event.host);
        for (const line of answerLines(event)) say(line.startsWith(' ') ? line : `${labels.get(key) ?? event.step}  ${line}`);
        // What was shown as failed stays on the screen above; what comes of the next try has a row of its own.
        if (event.answer === 'retry' && !rows.some((row) => row.key === key))
          rows.unshift(newRow(key, labels.get(key) ?? event.step, '', 'waiting'));
        return;
      }
      case 'run.revised':
        return void say('The run goes on with the edited runbook.');
      case 'checkpoint.reached': {
        const row = rows.find((one) => one.key === checkpointKey(event.checkpoint));
        if (!row) return;
        row.mark = 'passed';
        row.title = paint.good(ruleText(event.checkpoint, 'reached'));
        return show(row);
      }
      case 'note': {
        const text = oneLine(event.text);
        if (!list || !touched) return void say(text);
        touched.notes.push(text);
        return show(touched);
      }
      case 'run.paused':
      case 'run.finished':
      case 'run.rolled-back':
        return shut();
      default:
        return onStep(event);
    }
  };

  // One event after the other, whatever each takes; a picture that cannot be drawn must not stop the run.
  let chain: Promise<void> = Promise.resolve();
  const then = (work: () => Promise<void>) => {
    chain = chain.then(work).catch(() => undefined);
    return chain;
  };
  let letGo: () => void = () => undefined;
  return {
    emit: (event) => void then(() => handle(shown(event))),
    suspend() {
      letGo();
      const hidden = then(() => shut(rows.filter(isToCome)));
      const held = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      void then(() => held);
      return hidden;
    },
    resume: () => letGo(),
    close() {
      letGo();
      return then(() => {
        stopCountdown();
        return shut();
      });
    },
  };
}

const MARK_OF_OUTCOME = {
  ok: 'done',
  'no-change': 'same',
  failed: 'failed',
  skipped: 'skipped',
  unknown: 'unsure',
  owed: 'unsure',
  blocked: 'unsure',
} as const;

const keyOf = (step: string, host: string) => `${step}\n${host}`;
const checkpointKey = (name: string) => `checkpoint\n${name}`;
const ruleText = (name: string, state = '') => `  ----- checkpoint: ${name}${state ? ` ${state}` : ''} -----`;

function headline(run: string, plan: Plan, resumed: boolean, done: number): string {
  return resumed
    ? `Run ${run} of ${plan.runbook.name} goes on: ${done} of ${plural(plan.lines.length, 'step')} done before.`
    : `Run ${run} of ${plan.runbook.name}: ${plural(plan.lines.length, 'step')}.`;
}

/** `host  step` in columns. */
function labelsOf(steps: readonly { step: string; host: string }[]): string[] {
  const hostWidth = Math.max(0, ...steps.map((step) => step.host.length));
  const stepWidth = Math.max(0, ...steps.map((step) => step.step.length));
  return steps.map((step) => `${step.host.padEnd(hostWidth)}  ${step.step.padEnd(stepWidth)}`);
}

function rowsOf(
  plan: Plan,
  done: ReadonlySet<string>,
  skipped: ReadonlySet<string>,
  newRow: (key: string, label: string, summary: string, mark: Mark) => Row,
  paintRule: (text: string) => string,
): Row[] {
  const label = labelsOf(plan.lines);
  const seen = new Set<string>();
  const rows: Row[] = [];
  const checkpoints = [...plan.checkpoints];
  const rulesFor = (stepsSeen: number) => {
    while (checkpoints[0] && checkpoints[0].afterStep <= stepsSeen) {
      const name = checkpoints.shift()?.name ?? '';
      rows.push({ ...newRow(checkpointKey(name), '', '', 'rule'), title: paintRule(ruleText(name)) });
    }
  };
  for (const [index, line] of plan.lines.entries()) {
    if (!seen.has(line.step)) rulesFor(seen.size);
    seen.add(line.step);
    const isSkipped = skipped.has(line.step) || line.kind === 'skipped';
    const mark = isSkipped ? 'skipped' : done.has(line.step) ? 'done' : 'waiting';
    rows.push(newRow(keyOf(line.step, line.host), label[index] ?? line.step, line.summary, mark));
  }
  rulesFor(seen.size);
  return rows;
}
