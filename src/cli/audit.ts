import { isFerryError } from '../errors/ferry-error.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { lineOf, verifyChain } from '../journal/chain.ts';
import type { JournalRecord } from '../journal/journal.ts';
import type { Plan } from '../plan/plan.ts';
import type { AuditReport, Witness } from '../renderers/audit.ts';
import { trailOf } from './audit-trail.ts';
import type { AuditOptions } from './contract.ts';
import { type Copy, readCopy } from './copies.ts';
import { hostsOf, readInventory } from './prepare.ts';
import type { OpenFleet } from './takeover.ts';

type Fault = NonNullable<AuditReport['fault']>;
/** What a host has of a run, or why it tells nothing. */
type Told = Copy | { readonly host: string; readonly silent: string };

/**
 * Whether the records of a run, which may be read more than once, are those that were written, in one chain, and, unless `offline`, whether what its hosts have of
 * them is a beginning of it; and who did what when. A host that cannot be asked is named and no fault.
 */
export async function auditRun(
  run: string,
  read: () => readonly JournalRecord[],
  options: AuditOptions,
  openFleet: OpenFleet,
): Promise<AuditReport> {
  const copies = options.offline ? [] : await askWitnesses(run, read(), options, openFleet);
  // Of a run that goes on, a host may have records that are younger than the question.
  const records = read();
  const asked = copies.map((told) => witnessOf(told, records));
  const { plan } = (records[0]?.body ?? {}) as unknown as { plan?: Plan };
  return {
    run,
    runbook: plan?.runbook.name ?? 'unknown',
    records: records.length,
    unchained: records.filter(({ hash }) => hash === null).length,
    fault: verifyChain(run, records) ?? asked.find(({ fault }) => fault !== null)?.fault ?? null,
    witnesses: asked.map(({ witness }) => witness),
    trail: trailOf(records),
  };
}

/** All hosts of the plan: which of them were taken is on record, and records may be missing. */
function hostsNamed(records: readonly JournalRecord[]): string[] {
  const { plan } = (records[0]?.body ?? {}) as unknown as { plan?: Plan };
  const taken = records.flatMap(({ type, host }) => (type === 'lease.taken' && host !== null ? [host] : []));
  return [...new Set([...taken, ...(plan?.lines.flatMap(({ hosts }) => hosts) ?? [])])];
}

async function askWitnesses(
  run: string,
  records: readonly JournalRecord[],
  options: AuditOptions,
  openFleet: OpenFleet,
): Promise<Told[]> {
  const { inventory: file, path } = (records[0]?.body ?? {}) as { inventory?: string; path?: string };
  const later = records.findLast(({ type, body }) => type === 'run.taken-over' && typeof body.inventory === 'string');
  const known = options.inventory ?? (later ? String(later.body.inventory) : file);
  const inventory = await readInventory(known, path ?? '.', options.places).catch(silence);
  return Promise.all(
    hostsNamed(records).map(async (host) => {
      const not = (silent: string): Told => ({ host, silent });
      if (typeof inventory === 'string') return not(inventory);
      if (!inventory.hosts.has(host)) return not(`it is not in ${inventory.file}`);
      return ask(run, host, inventory, openFleet).catch((thrown: unknown) => not(silence(thrown)));
    }),
  );
}

function silence(thrown: unknown): string {
  if (!isFerryError(thrown)) throw thrown;
  return thrown.message;
}

async function ask(run: string, host: string, inventory: Inventory, openFleet: OpenFleet): Promise<Told> {
  const fleet = openFleet(await hostsOf(inventory, [host]));
  try {
    return await readCopy(fleet, host, run);
  } finally {
    await fleet.close();
  }
}

function witnessOf(told: Told, records: readonly JournalRecord[]): { witness: Witness; fault: Fault | null } {
  const { host } = told;
  if ('silent' in told) return { witness: { host, records: null, silent: told.silent }, fault: null };
  const copy = told.records ?? [];
  return {
    witness: { host, records: told.records?.length ?? null, silent: null },
    fault: faultOf(host, copy, records) ?? (told.fault && { ...told.fault, why: `on ${host} ${told.fault.why}` }),
  };
}

/** Where a copy is no beginning of the journal. */
function faultOf(host: string, copy: readonly JournalRecord[], records: readonly JournalRecord[]): Fault | null {
  const index = copy.findIndex((record, at) => records[at] === undefined || lineOf(records[at]) !== lineOf(record));
  if (index < 0) return null;
  const why = records[index] === undefined ? `it is not in this journal, and ${host} has it` : `${host} has another one there`;
  return { seq: index + 1, why };
}
