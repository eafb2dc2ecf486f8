import { resolve } from 'node:path';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { FindingsError } from '../errors/findings-error.ts';
import { readFacts } from '../facts/read.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { HostInfo } from '../hosts/host.ts';
import { machineOf } from '../hosts/layout.ts';
import { SecretHashes } from '../journal/secret-hash.ts';
import { isoTime } from '../lib/clock.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { type SavedPlan, sealPlan } from '../plan/saved-plan.ts';
import type { Runbook } from '../runbook/runbook.ts';
import { gatherRoles } from '../runbook/spread.ts';
import type { CommonOptions, RunIo } from './contract.ts';
import { fleetOf } from './engine-ports.ts';
import { askHidden, gatherInputs, type InputValues, recallInputs } from './inputs.ts';
import { judgeHeld } from './judge-held.ts';
import { packageVersion } from './package-folder.ts';
import { stateDirOf } from './places.ts';
import { actionsOf, frozenReader, readInventory, readRunbook, rolesOf } from './prepare.ts';
import { readJournal, recordSecrets, refuseOtherSecrets } from './state-dir.ts';

/** What a plan is made of, ready to be run. */
export interface Prepared {
  /** Where the runbook is, or was when the plan was saved. */
  readonly path: string;
  readonly runbook: Runbook;
  readonly inputs: InputValues;
  readonly inventory: string;
  readonly fleet: Fleet;
  readonly plan: Plan;
  readonly actions: Awaited<ReturnType<typeof actionsOf>>;
}

/** Who asks for the passphrase of a key. */
type Asking = Pick<RunIo, 'askHidden'>;

/** Reads runbook, inventory and inputs, connects, and plans. */
export async function prepare(path: string, options: CommonOptions, io: Asking = {}): Promise<Prepared> {
  const written = await readRunbook(path);
  const inventory = await readInventory(options.inventory, path, options.places);
  const on = await rolesOf(written, inventory, options.roles);
  const inputs = await gatherInputs(on.runbook, options, on.roles);
  return plan({ path: resolve(path), inputs, inventory: inventory.file, ...on }, options, io);
}

/**
 * The same from a saved plan: its runbook, inputs and hosts, planned on what the hosts are now.
 * @throws PLAN_INPUT_GIVEN, PLAN_HOST_CHANGED, PLAN_KEY_OTHER, SECRET_CHANGED
 */
export async function prepareSaved(file: string, saved: SavedPlan, options: CommonOptions, io: Asking): Promise<Prepared> {
  const given = { '--input': options.inputs.size, '--inputs': options.inputsFile ? 1 : 0, '--role': options.roles.size };
  for (const [option, count] of Object.entries(given)) if (count > 0) throw new FerryError('PLAN_INPUT_GIVEN', { option, file });
  const [root] = saved.sources;
  const runbook = await readRunbook(root?.path ?? saved.path, frozenReader(saved.sources), { lint: false });
  const inventory = await readInventory(options.inventory ?? saved.inventory, saved.path, options.places);
  const on = await rolesOf(runbook, inventory, gatherRoles(saved.plan.roles));
  refuseOtherHosts(file, saved, on.roles);
  const secrets = Object.keys(saved.secrets);
  const stateDir = stateDirOf(options.stateDir);
  const hashes = secrets.length > 0 ? new SecretHashes(stateDir) : null;
  // Another state folder has another key, and cannot tell one secret from another.
  if (hashes && saved.secretsKey !== hashes.keyName)
    throw new FerryError(
      'PLAN_KEY_OTHER',
      { file, secrets: secrets.join(', '), stateDir, runbook: saved.path },
      { left: 'Nothing was changed.' },
    );
  const inputs = await recallInputs(on.runbook, { inputs: saved.plan.inputs, secrets: saved.secrets }, options, on.roles);
  if (hashes)
    refuseOtherSecrets(saved.secrets, inputs, () => hashes, { since: 'the plan was saved', command: `ferry run ${file}` });
  return plan({ path: saved.path, inputs, inventory: inventory.file, ...on }, options, io);
}

async function plan(
  parts: Pick<Prepared, 'path' | 'inputs' | 'inventory'> & Awaited<ReturnType<typeof rolesOf>>,
  options: CommonOptions,
  io: Asking,
): Promise<Prepared> {
  const { path, runbook, inputs, inventory, roles, hosts } = parts;
  const actions = await actionsOf(runbook);
  const fleet = fleetOf(hosts, io.askHidden ?? askHidden(options));
  try {
    const made = await makePlan({
      runbook,
      actions,
      inputs,
      roles,
      madeAt: isoTime(),
      read: (host, refs) => readFacts(fleet.host(host), refs),
      // Nobody needs a journal while no host is held.
      judgeLeases: (held) => (held.length === 0 ? [] : readJournal(options, (journal) => judgeHeld(held, journal))),
    });
    return { path, runbook, inputs, inventory, fleet, plan: made, actions };
  } catch (thrown) {
    await fleet.close();
    if (isFerryError(thrown)) thrown.left ??= 'Nothing was changed on any host.';
    throw thrown;
  }
}

function refuseOtherHosts(file: string, saved: SavedPlan, roles: ReadonlyMap<string, HostInfo>): void {
  for (const info of roles.values()) {
    const [before = 'unknown', now] = [saved.hosts[info.name], machineOf(info)];
    if (before !== now)
      throw new FerryError('PLAN_HOST_CHANGED', { file, host: info.name, before, now }, { left: 'Nothing was changed.' });
  }
}

/** The machine behind each host of a plan. */
export function machinesOf({ roles }: Plan, fleet: Fleet): { [host: string]: string } {
  return Object.fromEntries(Object.values(roles).map((name) => [name, machineOf(fleet.info(name))]));
}

/** What `ferry plan --out` writes. The key of secret hashes is asked for, and made, only when there is a secret. */
export function savedPlanOf(
  { path, runbook, inventory, inputs, fleet, plan: made }: Prepared,
  options: CommonOptions,
): SavedPlan {
  let hashes: SecretHashes | undefined;
  const secrets = recordSecrets(inputs, () => {
    hashes ??= new SecretHashes(stateDirOf(options.stateDir));
    return hashes;
  });
  return sealPlan({
    release: packageVersion(),
    path,
    sources: runbook.sources,
    inventory: resolve(inventory),
    hosts: machinesOf(made, fleet),
    secrets,
    secretsKey: hashes?.keyName ?? '',
    plan: made,
  });
}

/** @throws PLAN_BLOCKED with all blockers */
export function refuseBlocked(made: Plan, runbook: Runbook): void {
  const first = made.blockers[0];
  if (first)
    throw new FindingsError(
      'PLAN_BLOCKED',
      { count: made.blockers.length, first: first.message },
      made.blockers,
      runbook.sources,
    );
}

/** @throws CHECKPOINT_UNKNOWN */
export function checkUntil(runbook: Runbook, until: string | undefined): void {
  const known = runbook.checkpoints.map(({ name }) => name);
  if (until !== undefined && !known.includes(until))
    throw new FerryError('CHECKPOINT_UNKNOWN', { checkpoint: until, known: known.join(', ') });
}
