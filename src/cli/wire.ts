import { afterFailure } from '../engine/after-failure.ts';
import { seeDoubts } from '../engine/evidence.ts';
import { foldRun } from '../engine/fold.ts';
import { refuseOtherMachines } from '../engine/leases.ts';
import { lookBack } from '../engine/look-back.ts';
import { rollBack } from '../engine/rollback.ts';
import { type Ending, executeRun } from '../engine/run.ts';
import { RunContext } from '../engine/run-context.ts';
import { isOver, leftOn, type RunState } from '../engine/state.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { Journal } from '../journal/journal.ts';
import { SecretHashes } from '../journal/secret-hash.ts';
import { rollbackMs } from '../plan/estimate.ts';
import { loadRunbook } from '../runbook/load.ts';
import { gatherRoles } from '../runbook/spread.ts';
import { readGate, recordAnswer } from './answer-gate.ts';
import { auditRun } from './audit.ts';
import { cleanRuns, leftError } from './clean.ts';
import type { CommonOptions, RollbackOptions, RunEnd, RunIo, RunOptions, Wire } from './contract.ts';
import { refuseRoles, settleEdit } from './edited-runbook.ts';
import { fleetOf, makePorts } from './engine-ports.ts';
import { emitEstimate, estimateFrom, estimateOf, windowEnd } from './estimates.ts';
import { askHidden, type InputValues, recallInputs } from './inputs.ts';
import { hooksOf, listened, type NotifiedIo, notifying } from './notify.ts';
import { readInput } from './places.ts';
import { checkUntil, prepare, savedPlanOf } from './plan-run.ts';
import { actionsOf, frozenReader, readInventory, readRunbook, rolesOf } from './prepare.ts';
import { onFailureOf } from './running-options.ts';
import { checkPlanFile, writeSavedPlan } from './saved-plans.ts';
import { startRun } from './start-run.ts';
import { readJournal, recordSecrets, refuseOtherSecrets, type SecretRecord, secretsAtHand, withJournal } from './state-dir.ts';
import { type OpenFleet, takeOverHere } from './takeover.ts';
import { takeOverFrom } from './takeover-from.ts';
import { unlockHost } from './unlock.ts';

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
  options: CommonOptions & Pick<RunOptions, 'waitMs' | 'onFailure'>,
  given: RunIo,
  verb: 'resume' | 'roll back' | 'look at',
  work: (context: RunContext, io: NotifiedIo) => Promise<T>,
): Promise<T & { run: string }> {
  const io = listened(given);
  return withJournal(options, async (journal, stateDir) => {
    const id = runOrLatest(journal, run);
    // The lock first: what another process still records must not be missed.
    if (verb !== 'look at') journal.open(id);
    const state = stateOf(journal, id);
    refuseOver(state, verb);
    const [root] = state.sources;
    const frozen = await readRunbook(root?.path ?? state.path, frozenReader(state.sources), { lint: false });
    const inventory = await readInventory(options.inventory ?? state.inventory, state.path, options.places);
    // An edit may have moved a role away from a host that the run still holds.
    const { runbook, roles, hosts } = await rolesOf(frozen, inventory, gatherRoles(state.plan.roles), state.workedOn);
    const inputs: InputValues =
      verb === 'resume'
        ? await recallInputs(runbook, { inputs: state.plan.inputs, secrets: state.secrets }, options, roles)
        : await secretsAtHand(state.secrets, () => new SecretHashes(stateDir));
    // A step may make a secret; a rollback makes none.
    if (verb === 'resume') new SecretHashes(stateDir).prepare();
    const told = { since: 'the run began', command: `ferry resume ${id}` };
    const unknown = verb === 'resume' ? refuseOtherSecrets(state.secrets, inputs, () => new SecretHashes(stateDir), told) : [];
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
        waitMs: options.waitMs,
        onFailure: options.onFailure,
        io,
      });
      const context = new RunContext(ports, state);
      if (verb === 'resume' && unknown.length > 0)
        rekeySecrets(
          context,
          unknown,
          recordSecrets(inputs, () => new SecretHashes(stateDir)),
        );
      return { run: id, ...(await work(context, io)) };
    } finally {
      await fleet.close();
    }
  });
}

/** The secrets given now count from here on, because those from before cannot be known again. */
function rekeySecrets(context: RunContext, names: readonly string[], given: SecretRecord): void {
  const secrets = Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
  context.record('secrets.rekeyed', { body: { secrets } });
  context.emit({
    type: 'note',
    text: `warning: whether ${names.join(', ')} is what the run began with cannot be told; the key for that was in the state folder that is lost`,
  });
}

function refuseOver(state: RunState, verb: 'resume' | 'roll back' | 'look at'): void {
  // A run that died between its last record and giving its hosts back is gone through again, which gives them back.
  const holds = state.leases.length > 0 && state.phase === (verb === 'resume' ? 'finished' : 'rolled-back');
  const over = isOver(state) && !(verb !== 'resume' && state.phase === 'finished');
  if (over && !holds)
    throw new FerryError('RUN_OVER', {
      ...{ run: state.run, phase: state.phase, path: state.path },
      verb: verb === 'resume' ? verb : 'roll back',
    });
  if (state.cleaned && !holds) throw new FerryError('RUN_CLEANED', { run: state.run, at: state.cleanedAt ?? '' });
  if (verb === 'resume' && state.phase === 'rolling-back') throw new FerryError('RUN_GOES_BACK', { run: state.run });
}

/** Goes on with a run. One that takes an edited runbook is opened once more, with that. */
async function resumeRun(run: string | undefined, options: RunOptions, io: RunIo): Promise<RunEnd> {
  const hooks = await hooksOf(options);
  const end = await reopen(run, options, io, 'resume', async (context, heard): Promise<Ending | { outcome: 'revised' }> => {
    const { until, replan, skip, markDone } = options;
    const settled = context.state.phase === 'finished' ? null : await settleEdit(context, options, heard);
    if (settled === 'revised') return { outcome: 'revised' };
    if (settled) return settled;
    refuseRoles(context.state, options.roles);
    checkUntil(context.ports.runbook, until);
    const windowEndsAt = windowEnd(options, context.state.windowEndsAt);
    emitEstimate(io, context.state.run, estimateFrom(context.ports.journal, context.state.plan), windowEndsAt);
    const { rollBackAfterMs } = onFailureOf(context.ports.runbook, options);
    return notifying(hooks, context, heard, async () => {
      const ended = await executeRun(context, {
        ...{ until, resumed: true, replan, skip, markDone, rollBackAfterMs, windowEndsAt },
      });
      return afterFailure(context, ended, rollBackAfterMs);
    });
  });
  return end.outcome === 'revised' ? resumeRun(end.run, { ...options, runbook: 'keep', roles: new Map() }, io) : end;
}

/** The program's verbs over the real world. */
export const wire: Wire = {
  async validateRunbook(path) {
    const loaded = await loadRunbook(path, { readFile: readInput });
    if ('runbook' in loaded)
      return { diagnostics: [...loaded.runbook.warnings], sources: [...loaded.runbook.sources], runbook: loaded.runbook };
    return { diagnostics: [...loaded.diagnostics], sources: [...loaded.sources] };
  },
  async planRunbook(path, options) {
    if (options.out !== undefined) await checkPlanFile(options.out);
    const prepared = await prepare(path, options);
    await prepared.fleet.close();
    if (options.out !== undefined) await writeSavedPlan(options.out, savedPlanOf(prepared, options));
    return { plan: prepared.plan, estimate: estimateOf(prepared.plan, options) };
  },
  runRunbook: startRun,
  resumeRun,
  async rollbackRun(run, options: RollbackOptions, io) {
    const hooks = await hooksOf(options);
    return reopen(run, options, io, 'roll back', (context, heard) =>
      notifying(hooks, context, heard, () => rollBack(context, options)),
    );
  },
  previewRollback: (run, options: RollbackOptions) =>
    reopen(run, options, silent, 'look at', async (context) => {
      const estimate = estimateFrom(context.ports.journal, context.state.plan);
      return lookBack(context, options, (steps) => rollbackMs(estimate, steps));
    }),
  readState: (run, options) =>
    withJournal(options, async (journal) => {
      const state = stateOf(journal, runOrLatest(journal, run));
      if (['running', 'rolling-back'].includes(state.phase) && !journal.isOpen(state.run)) {
        state.pause ??= { reason: 'its process is gone', step: null, error: null };
        if (state.phase === 'running') state.phase = 'paused';
      }
      return state;
    }),
  readDoubts: (run, options) =>
    reopen(run, options, silent, 'look at', async (context) => {
      await refuseOtherMachines(context);
      return { doubts: await seeDoubts(context) };
    }).then(({ doubts }) => doubts),
  isWorkedOn: (run, options) => readJournal(options, (journal) => journal.isOpen(run)),
  readRuns: (options) =>
    readJournal(options, (journal) =>
      journal.runs().map((one) => (one.stands === 'run.cleaned' ? { ...one, left: leftOn(stateOf(journal, one.run)) } : one)),
    ),
  readLog: (run, options) => readJournal(options, (journal) => journal.read(stateOf(journal, runOrLatest(journal, run)).run)),
  auditRun: (run, options) =>
    withJournal(options, async (journal) => {
      const id = runOrLatest(journal, run);
      if (journal.read(id).length === 0) throw new FerryError('RUN_UNKNOWN', { run: id });
      return auditRun(
        id,
        () => journal.read(id),
        options,
        (hosts) => fleetOf(hosts, askHidden(options)),
      );
    }),
  takeOverRun: (run, options, ask) => {
    const open: OpenFleet = (hosts) => fleetOf(hosts, askHidden(options));
    const { from } = options;
    return from === undefined
      ? withJournal(options, async (journal) =>
          takeOverHere(stateOf(journal, runOrLatest(journal, run)).run, options, journal, ask, open),
        )
      : withJournal(options, (journal) => takeOverFrom(run, { ...options, from }, journal, ask, open), { create: true });
  },
  cleanRuns: (run, options, confirm) =>
    withJournal(options, async (journal) => {
      const report = await cleanRuns(run, options, journal, confirm);
      return { report, left: leftError(report) };
    }),
  readGate: (run, step, verdict, { digest, ...options }) =>
    readJournal(options, (journal) => readGate(journal, stateOf(journal, runOrLatest(journal, run)).run, step, verdict, digest)),
  answerGate: (gate, verdict, comment, options) =>
    readJournal(options, (journal) => {
      recordAnswer(journal, gate, verdict, comment);
      return { isWaitedFor: gate.digest !== null && journal.isOpen(gate.run) };
    }),
  unlockHost: (host, options) => withJournal(options, async (journal) => unlockHost(host, options, journal)),
};

const silent: RunIo = { emit: () => undefined, signal: new AbortController().signal };
