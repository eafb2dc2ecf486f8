import { judgeEdit } from '../engine/judge-edit.ts';
import { refuseOtherMachines } from '../engine/leases.ts';
import { planEdited, recordRevision } from '../engine/revise.ts';
import { rollBack } from '../engine/rollback.ts';
import type { Ending } from '../engine/run.ts';
import type { RunContext } from '../engine/run-context.ts';
import type { RunState } from '../engine/state.ts';
import { standingCheckpoints } from '../engine/way-back.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { readFacts } from '../facts/read.ts';
import { SecretHashes } from '../journal/secret-hash.ts';
import { isoTime } from '../lib/clock.ts';
import { runbookDiffWords } from '../renderers/runbook-diff.ts';
import { diffRunbooks, type RunbookChange } from '../runbook/diff-runbooks.ts';
import { loadRunbook } from '../runbook/load.ts';
import type { Runbook } from '../runbook/runbook.ts';
import { gatherRoles } from '../runbook/spread.ts';
import type { RunIo, RunOptions } from './contract.ts';
import { fleetOf } from './engine-ports.ts';
import { estimateFrom } from './estimates.ts';
import { recallInputs } from './inputs.ts';
import { judgeHeld } from './judge-held.ts';
import { readInput, stateDirOf } from './places.ts';
import { machinesOf, refuseBlocked } from './plan-run.ts';
import { actionsOf, readInventory, readRunbook, rolesOf } from './prepare.ts';
import { recordSecrets } from './state-dir.ts';

/**
 * Looks whether the runbook of a run was edited since it began, and does about it what a person says or `--runbook` does: keep
 * what the run began with, go on with the edited one, or first go back to before the first step that the edit comes too late for.
 * Answers `revised` when the run has another runbook now, with how the run ended when it did, and null when it goes on as it is.
 * @throws EDIT_TOO_LATE, RUNBOOK_INVALID, PLAN_BLOCKED
 */
export async function settleEdit(context: RunContext, options: RunOptions, io: RunIo): Promise<'revised' | Ending | null> {
  const { state, ports } = context;
  const note = (text: string) => context.emit({ type: 'note', text });
  const written = await readEdited(context, options.runbook === 'redo', note);
  if (!written) return null;
  const edit = await onHosts(context, written, options, note);
  if (!edit) return null;
  const edited = edit.runbook;
  const changes = ports.redact(diffRunbooks(ports.runbook, edited));
  if (changes.length === 0) {
    note(`${state.path} was edited and means the same; the run goes on with the text it began with.`);
    return null;
  }
  const begun = judgeEdit(state, edited, changes, edit.roles);
  const first = ports.runbook.steps.findIndex(({ id }) => id === begun[0]?.step);
  const back = standingCheckpoints(context).findLast(({ afterStep }) => afterStep <= first)?.name ?? null;
  const choice = options.runbook ?? (await io.askEdit?.({ path: state.path, changes, begun, back })) ?? 'keep';
  if (choice === 'keep') {
    const way = `ferry resume ${state.run} --runbook redo`;
    note(
      `warning  ${state.path} was edited since the run began (${runbookDiffWords(changes)}); the run goes on with the text it began with. To take the edit:  ${way}`,
    );
    return null;
  }
  if (choice === 'back') {
    const end = await rollBack(context, { to: back ?? undefined, discardWrites: false });
    if (back === null || end.outcome !== 'rolled-back' || end.exit !== 4) return end;
  } else if (begun.length > 0) {
    const steps = begun.map(({ step, why }) => `${step} (${why})`).join(', ');
    throw new FerryError('EDIT_TOO_LATE', { run: state.run, steps, to: back ?? '' }, { left: 'Nothing was changed.' });
  }
  return redo(context, edit, changes, options, io);
}

/** A run goes on with the hosts it began with: another one for a role comes with an edit that is taken. @throws USAGE_WRONG */
export function refuseRoles({ run, plan }: RunState, roles: RunOptions['roles']): void {
  const began = gatherRoles(plan.roles);
  const other = [...roles].find(([role, hosts]) => began.get(role)?.join() !== hosts.join());
  if (!other) return;
  const [role] = other;
  const on = began.get(role)?.join(', ');
  const problem = `Run ${run} goes on with the hosts it began with${on ? ` (${role} is ${on})` : ''}; --role counts only with an edit of the runbook that is taken (--runbook redo).`;
  throw new FerryError('USAGE_WRONG', { problem, command: 'ferry resume' });
}

/** The runbook as it stands in its files now; null when nobody touched it, or it cannot be read and need not be. */
async function readEdited(
  { state, ports }: RunContext,
  isWanted: boolean,
  note: (text: string) => void,
): Promise<Runbook | null> {
  if (isWanted) {
    const edited = await readRunbook(state.path);
    return edited.digest === ports.runbook.digest ? null : edited;
  }
  const kept = 'the run goes on with the text it began with.';
  try {
    const loaded = await loadRunbook(state.path, { readFile: readInput, lint: false });
    if ('runbook' in loaded) return loaded.runbook.digest === ports.runbook.digest ? null : loaded.runbook;
    note(`warning  ${state.path} was edited since the run began and has errors now (ferry validate); ${kept}`);
  } catch (thrown) {
    if (!isFerryError(thrown, 'FILE_UNREADABLE')) throw thrown;
    note(`${state.path} cannot be read any more; ${kept}`);
  }
  return null;
}

type OnHosts = Awaited<ReturnType<typeof rolesOf>>;

/** The edited runbook on the hosts of the run; null when a role of it has none, and it need not be taken. */
async function onHosts(
  { state }: RunContext,
  written: Runbook,
  options: RunOptions,
  note: (text: string) => void,
): Promise<OnHosts | null> {
  const inventory = await readInventory(options.inventory ?? state.inventory, state.path, options.places);
  try {
    return await rolesOf(written, inventory, new Map([...gatherRoles(state.plan.roles), ...options.roles]));
  } catch (thrown) {
    if (!isFerryError(thrown) || options.runbook === 'redo') throw thrown;
    note(
      `warning  ${state.path} was edited since the run began, and does not fit the inventory; the run goes on with the text it began with.`,
    );
    return null;
  }
}

/** Plans what is left of the edited runbook, shows that, and takes it for the run's. */
async function redo(
  context: RunContext,
  { runbook, roles, hosts }: OnHosts,
  changes: readonly RunbookChange[],
  options: RunOptions,
  io: RunIo,
): Promise<'revised' | Ending> {
  const { state, ports } = context;
  // What another machine shows must not become what the run goes by.
  await refuseOtherMachines(context);
  // A secret that only the edit asks for comes from where the command line says.
  const given = Object.fromEntries([...options.secrets].map(([name, source]) => [name, { source }]));
  const recorded = { inputs: state.plan.inputs, secrets: { ...given, ...state.secrets } };
  const inputs = await recallInputs(runbook, recorded, options, roles);
  for (const value of inputs.values()) ports.learn(value);
  const fleet = fleetOf(hosts, io.askHidden ?? null);
  try {
    const plan = await planEdited(context, {
      ...{ runbook, inputs, roles, actions: await actionsOf(runbook), madeAt: isoTime() },
      read: (host, refs) => readFacts(fleet.host(host), refs),
      judgeLeases: (held) =>
        judgeHeld(
          held.filter(({ lease }) => lease.run !== state.run),
          ports.journal,
        ),
    });
    refuseBlocked(plan, runbook);
    if (io.confirmPlan && !(await io.confirmPlan(plan, estimateFrom(ports.journal, plan))))
      return { outcome: 'refused', error: null, exit: 5 };
    const secrets = recordSecrets(inputs, () => new SecretHashes(stateDirOf(options.stateDir)));
    recordRevision(context, { plan, sources: runbook.sources, machines: machinesOf(plan, fleet), secrets }, changes);
    return 'revised';
  } finally {
    await fleet.close();
  }
}
