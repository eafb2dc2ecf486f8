import { foldRun } from '../engine/fold.ts';
import { isOver } from '../engine/state.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import type { Lease } from '../hosts/lease.ts';
import type { Journal } from '../journal/journal.ts';

/**
 * What is told of hosts that other runs hold, a finding for each run: RUN_UNFINISHED for one of this journal that can go on
 * or back, LEASE_HELD where that run is not in this journal, or is over.
 */
export function judgeHeld(held: readonly { readonly host: string; readonly lease: Lease }[], journal: Journal): Diagnostic[] {
  const first = held.filter(({ lease }, index) => held.findIndex((one) => one.lease.run === lease.run) === index);
  return first.map(({ host, lease }) => {
    const records = journal.read(lease.run);
    const state = records.length > 0 ? foldRun(lease.run, records) : null;
    if (!state || isOver(state)) return finding('LEASE_HELD', { host, ...lease });
    const hosts = held.flatMap((one) => (one.lease.run === lease.run ? [one.host] : [])).join(', ');
    return finding('RUN_UNFINISHED', { run: lease.run, phase: state.phase, hosts, host });
  });
}
