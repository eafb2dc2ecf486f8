import type { Ask } from '../actions/action.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { diskFree } from '../facts/disk-free.ts';
import type { ClockOffset } from '../facts/fact.ts';
import { hostClock } from '../facts/host-clock.ts';
import { BASE_TOOLS, hostTools, toolsArgs } from '../facts/host-tools.ts';
import { runLease } from '../facts/run-lease.ts';
import { FERRY_DIR } from '../hosts/layout.ts';
import type { Lease } from '../hosts/lease.ts';
import { formatDuration } from '../lib/duration.ts';
import type { RoomLedger } from './room.ts';

/** Clocks that are kept at all agree to some milliseconds; two seconds apart, the lines of two logs no longer tell what came first. */
const SKEW_MS = 2000;

/** What a run writes on every host whatever its steps do: intents, exit codes, ends of logs. */
const RECORDS_LEAST = 1_000_000;
const RECORDS_LIKELY = 16_000_000;

export interface HostsFound {
  readonly leases: readonly { readonly host: string; readonly lease: Lease }[];
  readonly findings: readonly Diagnostic[];
  /** Commands of the steps that a host lacks, with the finding that says so; null when it has them. */
  lacks(host: string, tools: readonly string[]): Diagnostic | null;
  /** Counts bytes that a step will keep on a host. */
  keep(kept: { readonly host: string; readonly bytes: number; readonly what: string }): void;
}

/**
 * What holds for a host whatever the steps: commands Ferry needs, its clock, room for records, another run's lease. `tools`
 * are the commands its steps need, for `lacks`.
 */
export function preflightHosts(
  hosts: readonly { readonly name: string; readonly tools: readonly string[] }[],
  ask: Ask,
  ledger: RoomLedger,
): HostsFound {
  const facts = ask(
    hosts.map(({ name, tools }) => ({
      tools: hostTools([...BASE_TOOLS, ...tools]).on(name),
      clock: hostClock().on(name),
      room: diskFree(FERRY_DIR).on(name),
      lease: runLease().on(name),
    })),
  );
  const lacks = (host: string, wanted: readonly string[]): Diagnostic | null => {
    const found = facts.find(({ tools }) => tools.host === host)?.tools.value;
    const missing = wanted.filter((tool) => found?.missing.includes(tool));
    return found && missing.length > 0 ? finding('TOOLS_MISSING', toolsArgs(host, { ...found, missing })) : null;
  };
  const keep: HostsFound['keep'] = ({ host, bytes, what }) => {
    const free = facts.find(({ room }) => room.host === host)?.room.value;
    ledger.take({ host, path: FERRY_DIR, free, least: bytes, likely: bytes, what: `keeping ${what}` });
  };
  for (const { room } of facts)
    ledger.take({
      ...{ host: room.host, path: FERRY_DIR, free: room.value, what: 'records of the run' },
      ...{ least: RECORDS_LEAST, likely: RECORDS_LIKELY },
    });
  const clocks = facts.flatMap(({ clock }) => (clock.value ? [{ host: clock.host, ...clock.value }] : []));
  return {
    leases: facts.flatMap(({ lease }) => (lease.value ? [{ host: lease.host, lease: lease.value }] : [])),
    findings: [...hosts.flatMap(({ name }) => lacks(name, BASE_TOOLS) ?? []), ...clockFindings(clocks)],
    lacks,
    keep,
  };
}

/** A warning for each host whose clock is surely off; one for all where they agree with each other, because then it is ours. */
export function clockFindings(clocks: readonly ({ readonly host: string } & ClockOffset)[]): Diagnostic[] {
  const off = clocks.filter(({ aheadMs, withinMs }) => Math.abs(aheadMs) - withinMs > SKEW_MS);
  const ahead = off.map(({ aheadMs }) => aheadMs);
  const isOurs = off.length > 1 && off.length === clocks.length && Math.max(...ahead) - Math.min(...ahead) < SKEW_MS;
  const told = isOurs
    ? off.slice(0, 1).map((one) => ({ ...one, host: `each of ${off.map(({ host }) => host).join(', ')}` }))
    : off;
  return told.map(({ host, aheadMs, withinMs }) =>
    finding(
      'CLOCK_SKEWED',
      {
        host,
        by: formatDuration(Math.abs(aheadMs)),
        direction: aheadMs > 0 ? 'ahead of' : 'behind',
        within: formatDuration(withinMs),
      },
      undefined,
      { severity: 'warning' },
    ),
  );
}
