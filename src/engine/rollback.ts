import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { nowMs } from '../lib/clock.ts';
import { plural } from '../lib/text.ts';
import type { Step } from '../runbook/runbook.ts';
import { callOffRollback } from './call-off.ts';
import type { ProofLine } from './events.ts';
import { refuseOtherMachines, releaseLeases, type Silent, takeLeases } from './leases.ts';
import { isOutOfReach } from './out-of-sight.ts';
import { refuseOvertaken } from './overtaken.ts';
import { previewSteps } from './preview-rollback.ts';
import { proveRollback } from './proof.ts';
import type { Ending } from './run.ts';
import type { RunContext } from './run-context.ts';
import { type Debts, undoAll } from './undo-all.ts';
import { rollbackTarget, type WayBack, wayBack, withWrites, writtenSince } from './way-back.ts';

/**
 * Takes a run back: each undo on record before and after, then the proof. An undo that fails blocks those of the steps its own
 * stands on, and nothing else; what is on a host that cannot be reached is owed. Called again, it works off what is left.
 * @throws WRITE_LINE_CROSSED unless `discardWrites`; RUN_OVERTAKEN unless `overNewer`
 */
export async function rollBack(
  context: RunContext,
  options: { to?: string | undefined; discardWrites: boolean; overNewer?: boolean },
): Promise<Ending> {
  const startedMs = nowMs();
  const { phase, proof: before } = context.state;
  // Gone through once more, it gives back the hosts it still holds and no more: others may have come onto the rest.
  if (phase === 'rolled-back' && before && options.to === undefined) {
    context.emit({ type: 'rollback.started', to: null, steps: [], irreversible: [] });
    return endRolledBack(context, undefined, before, startedMs);
  }
  const silent: Silent = new Map();
  // Before what was written since is counted, on a machine where that means nothing.
  const there = await refuseOtherMachines(context, silent);
  const newer = refuseOvertaken(context, there, { verb: 'roll back', overNewer: options.overNewer ?? false });
  const to = rollbackTarget(context.state, options.to);
  const way = await withWrites(context, wayBack(context, to));
  // The steps after the line may be undone already when a rollback is gone on with: its record says that it crosses.
  const isAgreed = options.discardWrites || (context.state.phase === 'rolling-back' && context.state.crossing);
  // Where all is taken back already it has nothing left to lose.
  if (way.writeLine && !isAgreed && way.steps.length > 0) await refuseLoss(context, way, way.writeLine, to);
  try {
    await takeLeases(context, silent);
  } catch (thrown) {
    if (isFerryError(thrown)) thrown.left ??= 'Nothing was taken back.';
    throw thrown;
  }
  context.record('rollback.started', {
    body: {
      by: context.ports.holder,
      to: to ?? null,
      steps: way.steps.map(({ step }) => step.id),
      discardWrites: options.discardWrites,
      crosses: way.writeLine !== null,
      overNewer: [...new Set(newer.map(({ run }) => run))],
    },
  });
  context.emit({
    type: 'rollback.started',
    to: to ?? null,
    steps: way.steps.map(({ step, host, summary }) => ({ step: step.id, host, summary })),
    irreversible: way.irreversible,
  });
  const debts = await undoAll(context, way, silent);
  if (debts.failed.length + debts.blocked.length > 0) return endInDebt(context, way, debts, silent);
  if (debts.isStopped) return endStopped(context);
  let proven: Awaited<ReturnType<typeof proveRollback>> | null = null;
  try {
    if (silent.size === 0) proven = await proveRollback(context, to);
  } catch (thrown) {
    if (!isFerryError(thrown)) throw thrown;
    if (!isOutOfReach(thrown)) return endUnproven(context, thrown);
    silent.set(thrown.args.host, thrown);
  }
  if (!proven) return endInDebt(context, way, debts, silent);
  const { proof, readings } = proven;
  context.record('rollback.finished', { body: { proof, readings } });
  return endRolledBack(context, to, proof, startedMs);
}

async function endRolledBack(
  context: RunContext,
  to: string | undefined,
  proof: readonly ProofLine[],
  startedMs: number,
): Promise<Ending> {
  if (to === undefined) await releaseLeases(context, 'taken-back');
  const kept = context.state.kept.map(({ host: on, what }) => `${on}: ${what}`);
  context.emit({ type: 'run.rolled-back', to: to ?? null, proof, kept, ms: nowMs() - startedMs });
  const wrong = proof.filter(({ verdict }) => verdict === 'differs');
  if (wrong.length === 0) return { outcome: 'rolled-back', error: null, exit: 4 };
  const facts = wrong.map(({ host: on, key }) => `${key} on ${on}`);
  const failure = new FerryError('PROOF_FAILED', { count: wrong.length, facts: facts.join(', '), run: context.state.run });
  return {
    outcome: 'rolled-back',
    error: context.report(failure, 'Every step that changed something is undone.'),
    exit: failure.exit,
  };
}

/** The rollback stands, with what is left of it on record; gone on with by the same words. */
function endInDebt(context: RunContext, way: WayBack, debts: Debts, silent: Silent): Ending {
  const taken = debts.failed.map(({ id }) => context.stepState(id).error).find((error) => error?.code === 'EPOCH_STALE');
  if (taken) {
    const error = { ...taken, left: 'What was begun here is settled there.' };
    context.record('run.paused', { body: { reason: 'failure', step: null, error } });
    return { outcome: 'paused', error, exit: 5 };
  }
  const named = (steps: readonly Step[]) => steps.map(({ id }) => id).join(', ');
  const whyOf = ({ id }: Step) => context.stepState(id).error?.message ?? '';
  const undone = way.steps.length - debts.failed.length - debts.owed.length - debts.blocked.length;
  const [first] = debts.failed;
  const about = { owed: named(debts.owed), hosts: [...silent.keys()].join(' and '), blocked: named(debts.blocked) };
  const failure = first
    ? new FerryError('UNDO_FAILED', {
        ...about,
        steps: debts.failed.map((step) => `${step.id} on ${context.hostOfRole(step.role).name}`).join(', '),
        why: debts.failed.length === 1 ? whyOf(first) : debts.failed.map((step) => `${step.id}: ${whyOf(step)}`).join(' '),
        run: context.state.run,
      })
    : new FerryError('UNDO_OWED', { ...about, steps: about.owed, run: context.state.run });
  const left = `${undone} of ${plural(way.steps.length, 'step')} ${undone === 1 ? 'is' : 'are'} undone.`;
  const error = context.report(failure, left);
  context.record('run.paused', { body: { reason: 'failure', step: first?.id ?? null, error } });
  return { outcome: 'paused', error, exit: 3 };
}

/** All is undone and nobody has seen yet that it is as before: the rollback stands, and the same words prove it. */
function endUnproven(context: RunContext, thrown: FerryError): Ending {
  const { message: why } = context.report(thrown, '');
  const failure = new FerryError('PROOF_UNREAD', { why, run: context.state.run });
  const error = context.report(failure, 'Every step that changed something is undone.');
  context.record('run.paused', { body: { reason: 'failure', step: null, error } });
  return { outcome: 'paused', error, exit: failure.exit };
}

function endStopped(context: RunContext): Ending {
  context.record('run.paused', { body: { reason: 'interrupt', step: null, error: null } });
  context.emit({ type: 'run.paused', reason: 'interrupt', step: null, error: null });
  return { outcome: 'paused', error: null, exit: 3 };
}

/**
 * Takes back a run that failed, when it was started so. Never by itself across the write line: then, and where nothing can be
 * taken back, the run stays as its failure left it, and that is told.
 */
export async function rollBackFailed(context: RunContext, failure: Ending): Promise<Ending> {
  // Whoever stopped it wants nothing more to be begun.
  if (context.ports.signal.aborted) {
    callOffRollback(context, 'it was told to stop');
    return failure;
  }
  try {
    return await rollBack(context, { discardWrites: false });
  } catch (thrown) {
    // Once it was begun the run is no more as its failure left it, and what the journal holds of it is what counts.
    if (!isFerryError(thrown) || context.state.phase === 'rolling-back') throw thrown;
    callOffRollback(context, context.report(thrown, '').message);
    return failure;
  }
}

async function refuseLoss(
  context: RunContext,
  way: WayBack,
  line: NonNullable<WayBack['writeLine']>,
  to: string | undefined,
): Promise<void> {
  const written = await writtenSince(context, line);
  const lost = written.length === 0 ? 'nothing was counted so far' : written.join('; ');
  const kept = context.ports.gates.canAsk ? await keptDatabases(context, way) : [];
  const readable = kept.length === 0 ? '' : ` It stays readable: ${kept.join('; ')}.`;
  const yes = await context.ports.askPerson(
    `Going back loses what was written since ${line.at} (${lost}).${readable} Go back all the same?`,
  );
  if (yes !== true)
    throw new FerryError(
      'WRITE_LINE_CROSSED',
      { run: context.state.run, at: line.at, written: lost, to: to ?? '' },
      { left: 'Nothing was taken back.' },
    );
}

/** What the undos ahead keep under another name, as far as the hosts tell beforehand. */
async function keptDatabases(context: RunContext, way: WayBack): Promise<string[]> {
  try {
    const kept = (await previewSteps(context, way)).flatMap((step) => step.kept.map(({ what }) => what));
    return [...new Set(kept.filter((what) => what.includes(' is kept as ')))];
  } catch (thrown) {
    if (!isFerryError(thrown)) throw thrown;
    return [];
  }
}
