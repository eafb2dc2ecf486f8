import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { tcpListen } from '../facts/tcp-listen.ts';
import { tcpReach } from '../facts/tcp-reach.ts';
import type { HostInfo } from '../hosts/host.ts';
import type { Ask } from './action.ts';

export interface Reached {
  readonly isOpen: boolean;
  /** Whether something of the plan's own hosts listens there already; null for a machine the plan does not know. */
  readonly listens: boolean | null;
  readonly findings: readonly Diagnostic[];
}

/**
 * Whether a host reaches a port now, and what it means when it does not: a blocker where something listens there already,
 * because then it is the way that is shut; a warning where packets vanish; nothing where a step is still to open it.
 */
export function reachFindings(
  at: { readonly address: string; readonly port: number },
  ask: Ask,
  from: HostInfo,
  target: HostInfo | undefined,
): Reached {
  const { address, port } = at;
  const facts = ask({
    reach: tcpReach(address, port).on(from.name),
    listen: target ? [tcpListen(port).on(target.name)] : [],
  });
  const [listen] = facts.listen;
  const reach = facts.reach.value;
  const listens = listen?.value ? listen.value.outside : null;
  if (!reach || reach.state === 'open') return { isOpen: reach !== undefined, listens, findings: [] };
  // A command of an earlier step may open the way, as one for a firewall does.
  const severity = (facts.reach.after ?? listen?.after) ? 'warning' : 'error';
  const where = { from: from.name, address, port };
  const found = (): Diagnostic[] => {
    // A host of the plan that cannot be read is told of as such.
    if (target && listens === null) return [];
    if (reach.state === 'forbidden') return [finding('CONNECT_REFUSED', { ...where, why: reach.why, how: reach.state })];
    if (listens && target)
      return [finding('PORT_BLOCKED', { ...where, host: target.name, why: reach.why }, undefined, { severity })];
    if (reach.state === 'silent') return [finding('PORT_SILENT', where, undefined, { severity: 'warning' })];
    if (listens === null)
      return [finding('CONNECT_REFUSED', { ...where, why: reach.why, how: reach.state }, undefined, { severity: 'warning' })];
    return [];
  };
  return { isOpen: false, listens, findings: found() };
}
