import { afterFailure } from '../engine/after-failure.ts';
import { foldRun } from '../engine/fold.ts';
import { executeRun } from '../engine/run.ts';
import { RunContext } from '../engine/run-context.ts';
import type { Journal } from '../journal/journal.ts';
import { SecretHashes } from '../journal/secret-hash.ts';
import { isoTime } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import { randomToken } from '../lib/random.ts';
import type { Plan } from '../plan/plan.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';
import { replanned } from '../plan/stale.ts';
import type { RunEnd, RunIo, RunOptions } from './contract.ts';
import { makePorts } from './engine-ports.ts';
import { emitEstimate, estimateFrom, estimateOf, windowEnd } from './estimates.ts';
import { type Hooks, hooksOf, listened, type NotifiedIo, notifying } from './notify.ts';
import { holderName } from './places.ts';
import { checkUntil, machinesOf, type Prepared, prepare, prepareSaved, refuseBlocked } from './plan-run.ts';
import { onFailureOf } from './running-options.ts';
import { compareToNow, readSavedPlan, staleError } from './saved-plans.ts';
import { recordSecrets, withJournal } from './state-dir.ts';

/** Plans a runbook and runs it, or runs exactly a saved plan; a person may say no in between. */
export async function startRun(path: string, options: RunOptions, io: RunIo): Promise<RunEnd> {
  const hooks = await hooksOf(options);
  const saved = await readSavedPlan(path);
  const fresh = saved ? await prepareSaved(path, saved, options, io) : await prepare(path, options, io);
  try {
    if (fresh.plan.alreadyDone) return { outcome: 'already-done', run: null, error: null, exit: 0 };
    refuseBlocked(fresh.plan, fresh.runbook);
    checkUntil(fresh.runbook, options.until);
    const prepared = saved ? await asSaved(path, saved, fresh, options, io) : fresh;
    // Disks fill and clocks drift whatever was saved: warnings are those of now.
    const { warnings } = fresh.plan;
    const shown = prepared && { ...prepared.plan, warnings };
    if (!shown || (io.confirmPlan && !(await io.confirmPlan(shown, estimateOf(shown, options)))))
      return { outcome: 'refused', run: null, error: null, exit: 5 };
    if (io.signal.aborted) return { outcome: 'refused', run: null, error: null, exit: 130 };
    return await begin(prepared, options, listened(io), hooks, io.confirmPlan ? [] : warnings);
  } finally {
    await fresh.fleet.close();
  }
}

/**
 * The saved plan, when it is still true. One that is not is refused, unless a person agrees to plan the steps that hang on
 * what has moved anew; null when they do not.
 * @throws PLAN_STALE
 */
async function asSaved(
  path: string,
  saved: SavedPlan,
  fresh: Prepared,
  options: RunOptions,
  io: RunIo,
): Promise<Prepared | null> {
  const staleness = await compareToNow(path, saved.plan, fresh.plan);
  if (staleness.moved.length === 0 && staleness.changed.length === 0) return { ...fresh, plan: saved.plan };
  const stale = staleError(path, saved.plan, fresh.plan, staleness);
  const anew = { ...fresh, plan: replanned(saved.plan, fresh.plan, staleness) };
  if (options.replan) return anew;
  if (!io.ask || options.yes) throw stale;
  const facts = stale.findings.map(({ message }) => `  ${message}`).join('\n');
  const steps = staleness.changed.length > 0 ? `Plan ${staleness.changed.join(', ')}` : 'Plan on what is there';
  return (await io.ask(`${stale.message}\n${facts}\n${steps} anew?`)) ? anew : null;
}

async function begin(
  prepared: Prepared,
  options: RunOptions,
  io: NotifiedIo,
  hooks: Hooks,
  untold: Plan['warnings'],
): Promise<RunEnd> {
  const work = async (journal: Journal, stateDir: string): Promise<RunEnd> => {
    const run = newRunId();
    const windowEndsAt = windowEnd(options);
    // Before the run is on record: what the state folder lacks must not leave a run behind that never began.
    new SecretHashes(stateDir).prepare();
    const ports = makePorts({
      ...prepared,
      journal,
      stateDir,
      yes: options.yes,
      waitMs: options.waitMs,
      onFailure: options.onFailure,
      io,
    });
    journal.create(run, prepared.runbook.name, {
      type: 'run.started',
      epoch: 1,
      body: { ...startBody(prepared, stateDir), windowEndsAt },
    });
    const context = new RunContext(ports, foldRun(run, journal.read(run)));
    for (const { code, message, hint } of untold)
      io.emit({ at: isoTime(), run, type: 'note', text: `warning ${code}  ${message}${hint ? `\n${hint}` : ''}` });
    emitEstimate(io, run, estimateFrom(journal, prepared.plan), windowEndsAt);
    const { rollBackAfterMs } = onFailureOf(prepared.runbook, options);
    const end = await notifying(hooks, context, io, async () => {
      const worked = await executeRun(context, { until: options.until, resumed: false, rollBackAfterMs });
      return afterFailure(context, worked, rollBackAfterMs);
    });
    return { run, ...end };
  };
  return await withJournal(options, work, { create: true });
}

function startBody({ path, runbook, plan, inputs, inventory, fleet }: Prepared, stateDir: string): { [name: string]: Json } {
  const secrets = recordSecrets(inputs, () => new SecretHashes(stateDir));
  const machines = machinesOf(plan, fleet);
  return { by: holderName(), path, sources: runbook.sources, plan, inventory, machines, secrets } as unknown as {
    [name: string]: Json;
  };
}

/** `r-20261121-021407-3fa9`: sorts by time, fits a unit name and a folder name. */
function newRunId(): string {
  return `r-${isoTime().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${randomToken(2)}`;
}
