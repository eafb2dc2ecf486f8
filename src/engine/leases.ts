import { FerryError } from '../errors/ferry-error.ts';
import { isoTime } from '../lib/clock.ts';
import type { RunContext } from './run-context.ts';

/** The hosts a run may change: those of every line that is not a mere question, and of steps that turned out to be none. */
export function hostsToHold({ state }: RunContext): string[] {
  const lines = state.plan.lines.filter(
    ({ kind, step }) => kind === 'change' || kind === 'later' || (kind === 'no-change' && state.replanned.has(step)),
  );
  const begun = [...state.steps.values()].filter(({ undo }) => undo !== null);
  return [...new Set([...lines, ...begun].flatMap(({ hosts }) => hosts))];
}

/**
 * Takes the lease of every host the run may change, all at once; those held already by this run are taken again, which is
 * how the epoch gets there. When one is held by another run, those just taken are given back.
 * @throws LEASE_HELD
 */
export async function takeLeases(context: RunContext): Promise<void> {
  const lease = { run: context.state.run, holder: context.ports.holder, since: isoTime() };
  const before = [...context.state.leases];
  const answers = await Promise.allSettled(
    hostsToHold(context).map(async (host) => {
      const held = await context.ports.fleet.takeLease(host, lease, context.state.epoch);
      if (held)
        throw new FerryError(
          'LEASE_HELD',
          { host, run: held.run, holder: held.holder, since: held.since },
          { left: 'Nothing was changed.' },
        );
      context.record('lease.taken', { host });
    }),
  );
  const refused = answers.find((answer) => answer.status === 'rejected');
  if (!refused) return;
  await releaseLeases(
    context,
    context.state.leases.filter((host) => !before.includes(host)),
  );
  throw refused.reason;
}

/**
 * Gives hosts back; all that the run holds unless told which. One that cannot be reached keeps its lease, which is told and
 * is no failure of what the run did.
 */
export async function releaseLeases(context: RunContext, hosts: readonly string[] = [...context.state.leases]): Promise<void> {
  await Promise.all(
    hosts.map(async (host) => {
      try {
        await context.ports.fleet.releaseLease(host, context.state.run);
      } catch (thrown) {
        const { message } = context.report(thrown, '');
        context.emit({
          type: 'note',
          text: `${host} is still held by this run: ${message} Once it is back:  ferry unlock ${host}`,
        });
        return;
      }
      context.record('lease.released', { host });
    }),
  );
}
