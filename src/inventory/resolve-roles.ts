import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { nearest } from '../lib/text.ts';

/** The roles of a runbook, as far as choosing hosts for them goes. */
export interface WantsRoles {
  readonly roles: readonly { readonly name: string; readonly description?: string; readonly default?: string }[];
}

/** The part of an inventory that hosts are chosen from. */
export interface ChosenFrom {
  readonly file: string;
  readonly hosts: ReadonlyMap<string, unknown>;
  readonly roles: ReadonlyMap<string, string>;
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

/**
 * Chooses a host for each role: the one given by name, else the one the inventory's `roles` gives, else the host of the
 * role's own name, else the one host of the group of that name, else that of the role named as its default. All that is wrong
 * is told at once.
 */
export function resolveRoles(
  runbook: WantsRoles,
  inventory: ChosenFrom,
  given: ReadonlyMap<string, string> = new Map(),
): { readonly roles: ReadonlyMap<string, string> } | { readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const hosts = [...inventory.hosts.keys()];
  const wanted = runbook.roles.map((role) => role.name);
  for (const [role, host] of given) {
    if (!wanted.includes(role))
      diagnostics.push(finding('ROLE_UNDECLARED', { role, nearest: nearest(role, wanted) ?? '', known: wanted.join(', ') }));
    if (!inventory.hosts.has(host))
      diagnostics.push(finding('HOST_UNKNOWN', { host, nearest: nearest(host, hosts) ?? '', known: hosts.join(', ') }));
  }
  const find = (role: string, seen: readonly string[]): string | undefined => {
    const group = inventory.groups.get(role) ?? [];
    const own =
      given.get(role) ??
      inventory.roles.get(role) ??
      (inventory.hosts.has(role) ? role : group.length === 1 ? group[0] : undefined);
    const next = runbook.roles.find((each) => each.name === role)?.default;
    return own ?? (next === undefined || seen.includes(next) ? undefined : find(next, [...seen, next]));
  };
  const roles = new Map<string, string>();
  for (const { name, description } of runbook.roles) {
    const host = find(name, [name]);
    const group = inventory.groups.get(name) ?? [];
    if (host !== undefined) roles.set(name, host);
    else {
      const known = (group.length > 0 ? group : hosts).join(', ');
      const args = { role: name, description: description ?? '', known, file: inventory.file, grouped: group.length };
      diagnostics.push(finding('ROLE_UNASSIGNED', args));
    }
  }
  return diagnostics.length > 0 ? { diagnostics } : { roles };
}
