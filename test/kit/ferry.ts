import type { RunEnd, RunIo, Wire } from '../../src/cli/contract.ts';
import { runCli } from '../../src/cli/program.ts';
import type { EventBody } from '../../src/engine/events.ts';
import { estimatePlan } from '../../src/plan/estimate.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { eventsAt, movePlan, RUN, runState, stepBack } from './plans.ts';
import { createKeyboard, createScreen, createSignals } from './terminal.ts';

/** A small working Ferry: it plans one fixed move and "runs" it by telling events, hearing the signal between steps. */
export function modelWire(
  plan: Plan = movePlan(),
  more: Partial<Wire> = {},
  /** Resolves when the running step may end. */
  stepEnds: () => Promise<unknown> = () => Promise.resolve(),
): { wire: Wire; calls: [verb: string, ...rest: unknown[]][] } {
  const calls: [string, ...unknown[]][] = [];
  const run = async (io: RunIo, resumed: boolean): Promise<RunEnd> => {
    const emit = (...bodies: EventBody[]) => {
      for (const event of eventsAt(...bodies.map((body, index) => [index, body] as const))) io.emit(event);
    };
    emit({ type: 'run.started', plan, resumed, done: [] });
    for (const { step, host, summary } of plan.lines) {
      emit({ type: 'step.started', step, host, attempt: 1, title: step, summary, reattached: false });
      await stepEnds();
      emit({ type: 'step.ended', step, host, outcome: 'ok', summary, ms: 1000, outputs: {}, error: null });
      if (io.signal.aborted) {
        emit({ type: 'run.paused', reason: 'interrupt', step: null, error: null });
        return { outcome: 'paused', run: RUN, error: null, exit: 3 };
      }
    }
    emit({ type: 'run.finished', ms: 7000, steps: plan.lines.length });
    return { outcome: 'finished', run: RUN, error: null, exit: 0 };
  };
  const wire: Wire = {
    async validateRunbook(path) {
      calls.push(['validate', path]);
      return { diagnostics: [], sources: [] };
    },
    async planRunbook(path, options) {
      calls.push(['plan', path, options]);
      return { plan, estimate: estimatePlan(plan, []) };
    },
    async runRunbook(path, options, io) {
      calls.push(['run', path, options]);
      if (io.confirmPlan && !(await io.confirmPlan(plan, estimatePlan(plan, []))))
        return { outcome: 'refused', run: null, error: null, exit: 5 };
      return run(io, false);
    },
    async resumeRun(named, options, io) {
      calls.push(['resume', named, options]);
      return run(io, true);
    },
    async rollbackRun(named, options) {
      calls.push(['rollback', named, options]);
      return { outcome: 'rolled-back', run: RUN, error: null, exit: 4 };
    },
    async previewRollback(named, options) {
      calls.push(['preview', named, options]);
      return {
        run: RUN,
        to: options.to ?? null,
        steps: [stepBack({ step: 'dump', host: 'engine', summary: 'remove it' })],
        ms: 1000,
        irreversible: [],
        newer: [],
        writeLine: null,
      };
    },
    async readState(named, options) {
      calls.push(['status', named, options]);
      return runState(plan, { done: 2 });
    },
    async readDoubts(named, options) {
      calls.push(['doubts', named, options]);
      return [];
    },
    isWorkedOn: () => false,
    readRuns(options) {
      calls.push(['runs', options]);
      return [];
    },
    readLog(named) {
      calls.push(['log', named]);
      return [
        {
          ...{ seq: 1, at: '2026-01-01T02:00:00.000Z', epoch: 1, type: 'step.verified', step: 'dump', host: 'engine' },
          ...{ body: {}, hash: null },
        },
      ];
    },
    async auditRun(run, options) {
      calls.push(['audit', run, options.offline]);
      return { run: RUN, runbook: 'move', records: 3, unchained: 0, fault: null, witnesses: [], trail: [] };
    },
    async takeOverRun(run, options) {
      calls.push(['takeover', run, options]);
      return { run: RUN, phase: 'paused', epoch: 2, from: 'root@admin1', fenced: ['engine'], busy: [], told: [] };
    },
    async cleanRuns(named, options, confirm) {
      calls.push(['clean', named, options]);
      const row = { run: RUN, runbook: 'move', stands: 'finished', endedAt: '2026-01-01T03:00:00Z', host: 'newdb' } as const;
      const found = { isDone: false, rows: [{ ...row, state: 'free', bytes: 12_000_000, why: null }], leftovers: [] } as const;
      if (options.plan || !(await confirm(found))) return { report: found, left: null };
      return { report: { ...found, isDone: true }, left: null };
    },
    readGate(named, step, verdict) {
      calls.push(['gate', named, step, verdict]);
      const gate = { run: RUN, step: step ?? 'go', host: 'engine', question: 'Users cannot work from here on. Go on?' };
      return {
        ...gate,
        summary: 'asks for a yes',
        diff: [],
        undo: null,
        digest: 'ab'.repeat(32),
        askedAt: '2026-01-01T02:00:00.000Z',
        plan: 'cd'.repeat(32),
      };
    },
    answerGate(gate, verdict, comment) {
      calls.push(['answer', gate.step, verdict, comment]);
      return { isWaitedFor: false };
    },
    async unlockHost(host, options) {
      calls.push(['unlock', host, options.abandon]);
      return `${host} is free.`;
    },
    ...more,
  };
  return { wire, calls };
}

/** Types a command line, given whole or word by word; in a terminal when asked, with a keyboard and Ctrl-C. */
export function typed(
  words: string | readonly string[],
  around: { wire?: Wire; terminal?: boolean; columns?: number; env?: Record<string, string> } = {},
) {
  const size = around.terminal || around.columns ? { columns: around.columns ?? 100, rows: 30 } : undefined;
  const [out, err, keyboard, signals] = [createScreen(size), createScreen(size), createKeyboard(), createSignals()];
  if (!around.terminal) Object.assign(keyboard.stream, { isTTY: false });
  const left: number[] = [];
  const exit = runCli(typeof words === 'string' ? words.split(' ').filter((word) => word !== '') : words, {
    stdin: keyboard.stream,
    stdout: out.stream,
    stderr: err.stream,
    env: { NO_COLOR: '1', ...around.env },
    signals,
    loadWire: () => Promise.resolve(around.wire ?? modelWire().wire),
    leave: (code) => void left.push(code),
  });
  return { exit, out, err, type: keyboard.type, press: (signal: 'SIGINT' | 'SIGTERM') => signals.emit(signal), left, signals };
}
