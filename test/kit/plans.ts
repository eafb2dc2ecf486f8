import type { ErrorReport, Event, EventBody } from '../../src/engine/events.ts';
import type { DoubtSeen } from '../../src/engine/evidence.ts';
import type { StepBack } from '../../src/engine/preview-rollback.ts';
import type { RunState } from '../../src/engine/state.ts';
import type { StepState } from '../../src/engine/step-state.ts';
import type { Plan, PlanLine } from '../../src/plan/plan.ts';
import type { SavedPlan } from '../../src/plan/saved-plan.ts';
import { waysBack } from '../../src/plan/ways-back.ts';

/** A plan line with the quiet default of every field. */
export function planLine(parts: Partial<PlanLine> & { step: string; host: string }): PlanLine {
  return {
    title: parts.step,
    uses: 'command.run',
    kind: 'change',
    stamp: 'exact',
    summary: `do ${parts.step}`,
    notes: [],
    diff: [],
    undo: 'as before',
    undoDiff: null,
    irreversible: null,
    after: [],
    needs: [],
    writeLine: false,
    bytes: null,
    hosts: [parts.host],
    facts: [],
    predicts: {},
    ...parts,
  };
}

/** A plan with the given lines; its name and digest are fixed, so that texts can be compared. */
export function aPlan(lines: readonly PlanLine[], parts: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    runbook: {
      name: 'migrate-engine-db',
      title: 'Move the oVirt engine database to a remote PostgreSQL server',
      digest: 'd'.repeat(64),
    },
    roles: { engine: 'engine', new_db: 'newdb', he_host: 'he1' },
    inputs: { database: 'engine', password: { $secret: 'input:password' } },
    madeAt: '2026-01-01T02:00:00.000Z',
    alreadyDone: false,
    lines,
    checkpoints: [],
    waysBack: waysBack(lines, parts.checkpoints ?? [], () => true),
    readings: {},
    stateRefs: {},
    blockers: [],
    warnings: [],
    digest: '7f3a91c2'.padEnd(64, '0'),
    ...parts,
  };
}

/** What a saved plan of that move is made of. */
export function planParts(): Omit<SavedPlan, 'ferryPlan' | 'digest'> {
  return {
    ...{ release: '0.1.0', path: '/runbooks/move.yaml', inventory: '/inventory.yaml', secretsKey: '' },
    sources: [{ path: 'move.yaml', text: 'ferry: 1\n' }],
    hosts: { engine: 'root@192.0.2.7:22' },
    secrets: {},
    plan: movePlan(),
  };
}

/** The move of an engine database in seven steps, with a checkpoint, a diff and a write line. */
export function movePlan(parts: Partial<Plan> = {}): Plan {
  return aPlan(
    [
      planLine({ step: 'maintenance', host: 'he1', summary: 'global maintenance: none -> global', undo: 'back to none' }),
      planLine({
        step: 'stop-services',
        host: 'engine',
        summary: 'stop ovirt-engine, ovirt-engine-dwhd (2 of 4 run)',
        undo: 'start both',
      }),
      planLine({
        step: 'dump',
        host: 'engine',
        summary: 'engine.dump, about 61 MB (database 204 MB)',
        stamp: 'predicted',
        undo: 'remove it',
        bytes: 61_000_000,
        predicts: { engine: { 'fileContent(/var/lib/ferry/engine.dump)': null } },
      }),
      planLine({
        step: 'restore',
        host: 'newdb',
        summary: 'into engine, one transaction',
        stamp: 'predicted',
        undo: 'empty it',
        hosts: ['newdb', 'engine'],
      }),
      planLine({
        step: 'compare',
        host: 'engine',
        kind: 'check',
        summary: 'rows and content of every table',
        stamp: 'predicted',
        undo: null,
        writeLine: true,
      }),
      planLine({
        step: 'point-at-new',
        host: 'engine',
        summary: '10-setup-database.conf',
        undo: 'the old bytes',
        diff: [['~', 'ENGINE_DB_HOST=', '"localhost"', '"newdb.example.com"']],
      }),
      planLine({
        step: 'start-services',
        host: 'engine',
        summary: 'start ovirt-engine, ovirt-engine-dwhd',
        stamp: 'predicted',
        undo: 'stop both',
      }),
    ],
    {
      checkpoints: [
        { name: 'quiesced', afterStep: 2 },
        { name: 'moved', afterStep: 5 },
      ],
      readings: { engine: { 'fileContent(/var/lib/ferry/engine.dump)': { state: 'absent' } } },
      ...parts,
    },
  );
}

export const RUN = 'r-20260101-020000-ab12';

/** Stamps events one after the other; each says how many seconds after the first it came. */
export function eventsAt(...timed: readonly (readonly [seconds: number, body: EventBody])[]): Event[] {
  return timed.map(
    ([seconds, body]) =>
      ({ at: new Date(Date.parse('2026-01-01T02:00:00.000Z') + seconds * 1000).toISOString(), run: RUN, ...body }) as Event,
  );
}

export const restoreFailed: ErrorReport = {
  code: 'COMMAND_FAILED',
  message: 'restore on newdb ended with exit code 1: pg_restore: error: could not write: No space left on device',
  hint: 'ferry resume',
  left: 'Nothing is left of the half restore on newdb.',
};

/** A step of which one of two commands ended, as its hosts tell it. */
export const partlyDone: DoubtSeen = {
  step: 'restore',
  host: 'newdb',
  attempt: 2,
  verdict: 'partly',
  hosts: [
    {
      host: 'newdb',
      commands: [
        { name: 'make', detached: false, state: 'exited', code: 0, why: null },
        { name: 'load', detached: true, state: 'lost', code: null, why: 'it was killed by SIGKILL' },
      ],
    },
    { host: 'engine', commands: null },
    { host: 'he1', commands: [] },
  ],
  facts: [
    {
      host: 'newdb',
      key: 'pgDatabase(5432, engine)',
      before: 'absent',
      planned: '156 tables',
      now: '12 tables',
      stands: 'otherwise',
    },
    { host: 'newdb', key: 'pgRole(5432, engine)', before: 'absent', planned: 'there', now: 'there', stands: 'as-planned' },
    { host: 'newdb', key: 'diskMount(/)', before: 'a', planned: null, now: 'b', stands: 'otherwise' },
  ],
};

export function stepState(parts: Partial<StepState> & { step: string; host: string }): StepState {
  return {
    phase: 'waiting',
    blockedBy: [],
    mayHoldWrites: false,
    putBackAt: null,
    attempt: 0,
    undoAttempt: 0,
    generation: 0,
    firstAttempt: 0,
    undo: null,
    irreversible: null,
    keepOwed: false,
    hosts: [parts.host],
    promised: {},
    outputs: {},
    before: {},
    change: null,
    summary: '',
    error: null,
    byHand: null,
    startedAt: null,
    endedAt: null,
    ...parts,
  };
}

/** A step of a rollback that is looked at, with nothing to change unless given. */
export function stepBack(parts: Partial<StepBack> & { step: string; host: string }): StepBack {
  return { summary: 'as before', diff: [], unknown: null, kept: [], stops: null, ...parts };
}

/** A run of `plan` with its first steps done and every other one waiting. */
export function runState(plan: Plan, parts: Partial<RunState> & { done?: number } = {}): RunState {
  const { done = 0, ...rest } = parts;
  return {
    run: RUN,
    plan,
    path: 'runbooks/migrate-engine-db.yaml',
    sources: [],
    machines: {},
    inventory: 'inventory.yaml',
    secrets: {},
    phase: 'running',
    seq: 1,
    gates: {},
    epoch: 1,
    startedAt: '2026-01-01T02:00:00.000Z',
    endedAt: null,
    windowEndsAt: null,
    steps: new Map(
      plan.lines.map((line, index) => [
        line.step,
        stepState({
          step: line.step,
          host: line.host,
          summary: line.summary,
          ...(index < done
            ? { phase: 'done', attempt: 1, startedAt: '2026-01-01T02:00:01.000Z', endedAt: '2026-01-01T02:00:03.500Z' }
            : {}),
        }),
      ]),
    ),
    checkpoints: [],
    workedOn: [],
    markedOn: [],
    leases: ['engine', 'he1', 'newdb'],
    readings: {},
    readAt: {},
    retired: new Map(),
    replanned: new Set(),
    baseline: plan.readings,
    refs: {},
    readingsAt: {},
    writeLine: null,
    cleaned: null,
    cleanedAt: null,
    pause: null,
    rollbackTo: null,
    crossing: false,
    proof: null,
    kept: [],
    ...rest,
  };
}
