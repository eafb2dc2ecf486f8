import { resolve } from 'node:path';
import { rollBack, wayBack, writtenSince } from '../engine/rollback.ts';
import { executeRun } from '../engine/run.ts';
import { RunContext } from '../engine/run-context.ts';
import { foldRun, isOver, type RunState } from '../engine/state.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { FindingsError } from '../errors/findings-error.ts';
import { readFacts } from '../facts/read.ts';
import type { Fleet } from '../hosts/fleet.ts';
import { Secret } from '../hosts/secret.ts';
import type { Journal } from '../journal/journal.ts';
import { SecretHashes } from '../journal/secret-hash.ts';
import { openSqliteJournal } from '../journal/sqlite.ts';
import { isoTime } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import { randomToken } from '../lib/random.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { loadRunbook } from '../runbook/load.ts';
import type { Runbook } from '../runbook/runbook.ts';
import type { CommonOptions, RollbackOptions, RunEnd, RunIo, RunOptions, Wire } from './contract.ts';
import { fleetOf, makePorts } from './engine-ports.ts';
import { askHidden, gatherInputs, type InputValues, recallInputs } from './inputs.ts';
import { readInput, stateDirOf } from './places.ts';
import { actionsOf, frozenReader, readInventory, readRunbook, rolesOf } from './prepare.ts';
import { refuseHeld } from './refuse-held.ts';
import { unlockHost } from './unlock.ts';

/** What a plan is made of, ready to be run. */
interface Prepared {
  readonly runbook: Runbook;
  readonly inputs: InputValues;
  readonly inventory: string;
  readonly fleet: Fleet;
  readonly plan: Plan;
  readonly actions: Awaited<ReturnType<typeof actionsOf>>;
}

async function prepare(
  path: string,
  options: CommonOptions,
  io: Pick<RunIo, 'askHidden'> = {},
  beforePlan: (fleet: Fleet, hosts: readonly string[]) => Promise<void> = async () => undefined,
): Promise<Prepared> {
  const runbook = await readRunbook(path);
  const inventory = await readInventory(options.inventory, path);
  const { roles, hosts } = await rolesOf(runbook, inventory, options.roles);
  const inputs = await gatherInputs(runbook, options, roles);
  const actions = await actionsOf(runbook);
  const fleet = fleetOf(hosts, io.askHidden ?? askHidden(options));
  try {
    await beforePlan(fleet, [...new Set([...roles.values()].map(({ name }) => name))]);
    const plan = await makePlan({
      runbook,
      actions,
      inputs,
      roles,
      madeAt: isoTime(),
      read: (host, refs) => readFacts(fleet.host(host), refs),
    });
    return { runbook, inputs, inventory: inventory.file, fleet, plan, actions };
  } catch (thrown) {
    await fleet.close();
    if (isFerryError(thrown)) thrown.left ??= 'Nothing was changed on any host.';
    throw thrown;
  }
}

async function runRunbook(path: string, options: RunOptions, io: RunIo): Promise<RunEnd> {
  const prepared = await prepare(path, options, io, (fleet, hosts) =>
    withJournal(options, (journal) => refuseHeld(fleet, hosts, journal)),
  );
  const { plan, fleet, runbook } = prepared;
  try {
    if (plan.alreadyDone) return { outcome: 'already-done', run: null, error: null, exit: 0 };
    refuseBlocked(plan, runbook);
    checkUntil(runbook, options.until);
    if (io.confirmPlan && !(await io.confirmPlan(plan))) return { outcome: 'refused', run: null, error: null, exit: 5 };
    return await withJournal(options, async (journal, stateDir) => {
      const run = newRunId();
      journal.create(run, runbook.name);
      journal.append(run, { type: 'run.started', epoch: 1, body: startBody(path, prepared, stateDir) });
      const state = foldRun(run, journal.read(run));
      const context = new RunContext(makePorts({ ...prepared, journal, stateDir, yes: options.yes, io }), state);
      const end = await executeRun(context, { until: options.until, resumed: false });
      return {
        run,
        ...(end.outcome === 'failed' && options.onFailure === 'rollback'
          ? await rollBack(context, { discardWrites: false })
          : end),
      };
    });
  } finally {
    await fleet.close();
  }
}

function startBody(path: string, { runbook, plan, inputs, inventory }: Prepared, stateDir: string): { [name: string]: Json } {
  const hashes = new SecretHashes(stateDir);
  const secrets = [...inputs].flatMap(([name, value]) =>
    value instanceof Secret ? [[name, { source: value.source, hash: hashes.hash(value.reveal()) }]] : [],
  );
  return { path: resolve(path), sources: runbook.sources, plan, inventory, secrets: Object.fromEntries(secrets) } as unknown as {
    [name: string]: Json;
  };
}

function refuseBlocked(plan: Plan, runbook: Runbook): void {
  const first = plan.blockers[0];
  if (first)
    throw new FindingsError(
      'PLAN_BLOCKED',
      { count: plan.blockers.length, first: first.message },
      plan.blockers,
      runbook.sources,
    );
}

function checkUntil(runbook: Runbook, until: string | undefined): void {
  const known = runbook.checkpoints.map(({ name }) => name);
  if (until !== undefined && !known.includes(until))
    throw new FerryError('CHECKPOINT_UNKNOWN', { checkpoint: until, known: known.join(', ') });
}

/** `r-20261121-021407-3fa9`: sorts by time, fits a unit name and a folder name. */
function newRunId(): string {
  return `r-${isoTime().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${randomToken(2)}`;
}

async function withJournal<T>(options: CommonOptions, work: (journal: Journal, stateDir: string) => Promise<T>): Promise<T> {
  const stateDir = stateDirOf(options.stateDir);
  const journal = openSqliteJournal(stateDir);
  try {
    return await work(journal, stateDir);
  } finally {
    journal.close();
  }
}

function runOrLatest(journal: Journal, run: string | undefined): string {
  const found = run ?? journal.runs().find(({ lastType }) => lastType !== 'run.refused')?.run;
  if (found === undefined) throw new FerryError('RUN_UNKNOWN', { run: '' });
  return found;
}

function stateOf(journal: Journal, run: string): RunState {
  const records = journal.read(run);
  if (records.length === 0) throw new FerryError('RUN_UNKNOWN', { run });
  return foldRun(run, records);
}

/** Opens an existing run for work: its lock, its frozen runbook, its hosts. Rollback needs no inputs. */
async function reopen<T>(
  run: string | undefined,
  options: CommonOptions,
  io: RunIo,
  verb: 'resume' | 'roll back' | 'look at',
  work: (context: RunContext) => Promise<T>,
): Promise<T & { run: string }> {
  return withJournal(options, async (journal, stateDir) => {
    const id = runOrLatest(journal, run);
    // The lock first: what another process still records must not be missed.
    if (verb !== 'look at') journal.open(id);
    const state = stateOf(journal, id);
    refuseOver(state, verb);
    const [root] = state.sources;
    const runbook = await readRunbook(root?.path ?? state.path, frozenReader(state.sources));
    const inventory = await readInventory(options.inventory ?? state.inventory, state.path);
    const { roles, hosts } = await rolesOf(runbook, inventory, new Map(Object.entries(state.plan.roles)));
    const inputs: InputValues =
      verb === 'resume'
        ? await recallInputs(runbook, { inputs: state.plan.inputs, secrets: state.secrets }, options, roles)
        : new Map();
    refuseOtherSecrets(state, inputs, stateDir);
    const fleet = fleetOf(hosts, io.askHidden ?? askHidden(options));
    try {
      const ports = makePorts({
        journal,
        fleet,
        runbook,
        actions: await actionsOf(runbook),
        inputs,
        stateDir,
        yes: options.yes,
        io,
      });
      return { run: id, ...(await work(new RunContext(ports, state))) };
    } finally {
      await fleet.close();
    }
  });
}

function refuseOver(state: RunState, verb: 'resume' | 'roll back' | 'look at'): void {
  // A run that died between its last record and giving its hosts back is gone through again, which gives them back.
  const holds = state.leases.length > 0 && state.phase === (verb === 'resume' ? 'finished' : 'rolled-back');
  const over = isOver(state) && !(verb === 'roll back' && state.phase === 'finished');
  if (verb !== 'look at' && over && !holds) throw new FerryError('RUN_OVER', { run: state.run, phase: state.phase, verb });
  if (verb === 'resume' && state.phase === 'rolling-back') throw new FerryError('RUN_GOES_BACK', { run: state.run });
}

function refuseOtherSecrets(state: RunState, inputs: InputValues, stateDir: string): void {
  const hashes = new SecretHashes(stateDir);
  for (const [name, { source, hash }] of Object.entries(state.secrets)) {
    const value = inputs.get(name);
    if (value instanceof Secret && !hashes.matches(value.reveal(), hash))
      throw new FerryError('SECRET_CHANGED', { name, source });
  }
}

/** The program's verbs over the real world. */
export const wire: Wire = {
  async validateRunbook(path) {
    const loaded = await loadRunbook(path, { readFile: readInput });
    if ('runbook' in loaded)
      return { diagnostics: [...loaded.warnings], sources: [...loaded.runbook.sources], runbook: loaded.runbook };
    return { diagnostics: [...loaded.diagnostics], sources: [...loaded.sources] };
  },
  async planRunbook(path, options) {
    const { plan, fleet } = await prepare(path, options);
    await fleet.close();
    return { plan };
  },
  runRunbook,
  resumeRun: (run, options, io) =>
    reopen(run, options, io, 'resume', async (context) => {
      checkUntil(context.ports.runbook, options.until);
      const end = await executeRun(context, { until: options.until, resumed: true });
      return end.outcome === 'failed' && options.onFailure === 'rollback' ? rollBack(context, { discardWrites: false }) : end;
    }),
  rollbackRun: (run, options: RollbackOptions, io) =>
    reopen(run, options, io, 'roll back', (context) => rollBack(context, options)),
  previewRollback: (run, options: RollbackOptions) =>
    reopen(run, options, silent, 'look at', async (context) => {
      const way = wayBack(context, options.to);
      return {
        to: options.to ?? null,
        steps: way.steps.map(({ step, host, summary }) => ({ step: step.id, host, summary, keeps: null })),
        writeLine: way.writeLine && {
          step: way.writeLine.step.id,
          at: way.writeLine.at,
          written: await writtenSince(context, way.writeLine),
        },
      };
    }),
  readState: (run, options) =>
    withJournal(options, async (journal) => {
      const state = stateOf(journal, runOrLatest(journal, run));
      if (['running', 'rolling-back'].includes(state.phase) && !isWorkedOn(journal, state.run)) {
        state.pause ??= { reason: 'its process is gone', step: null, error: null };
        if (state.phase === 'running') state.phase = 'paused';
      }
      return state;
    }),
  isWorkedOn: (run, options) => readOnly(options, (journal) => journal.isOpen(run)),
  readRuns: (options) => readOnly(options, (journal) => journal.runs()),
  readLog: (run, options) => readOnly(options, (journal) => journal.read(stateOf(journal, runOrLatest(journal, run)).run)),
  unlockHost: (host, options) => withJournal(options, async (journal) => unlockHost(host, options, journal)),
};

/** Whether some process holds the run's lock: a record alone cannot tell a run that goes on from one that was cut off. */
function isWorkedOn(journal: Journal, run: string): boolean {
  try {
    journal.open(run);
    return false;
  } catch (thrown) {
    if (isFerryError(thrown, 'RUN_BUSY')) return true;
    throw thrown;
  }
}

function readOnly<T>(options: CommonOptions, work: (journal: Journal) => T): T {
  const journal = openSqliteJournal(stateDirOf(options.stateDir));
  try {
    return work(journal);
  } finally {
    journal.close();
  }
}

const silent: RunIo = { emit: () => undefined, signal: new AbortController().signal };
