import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { nearest } from '../lib/text.ts';

/** The roles of a runbook, as far as choosing hosts for them goes. */
export interface WantsRoles {
  readonly roles: readonly {
    readonly name: string;
    readonly description?: string;
    readonly default?: string;
    readonly many?: boolean;
  }[];
}

/** The part of an inventory that hosts are chosen from. */
export interface ChosenFrom {
  readonly file: string;
  readonly hosts: ReadonlyMap<string, unknown>;
  readonly roles: ReadonlyMap<string, readonly string[]>;
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

/**
 * Chooses the hosts of each role, one unless the role is one of many: those given by name, else those the inventory's `roles`
 * gives, else the host of the role's own name, else the group of that name, else those of the role named as its default. What
 * is given may be a group too. All that is wrong is told at once.
 */
export function resolveRoles(
  runbook: WantsRoles,
  inventory: ChosenFrom,
  given: ReadonlyMap<string, readonly string[]> = new Map(),
): { readonly roles: ReadonlyMap<string, readonly string[]> } | { readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const hosts = [...inventory.hosts.keys()];
  const wanted = runbook.roles.map((role) => role.name);
  const hostsNamed = (name: string): readonly string[] =>
    inventory.hosts.has(name) ? [name] : (inventory.groups.get(name) ?? []);
  // A host nobody knows is told once: that its role has none is no error of its own, nor that those have none that go by it.
  const misnamed = new Set<string>();
  for (const [role, names] of given) {
    if (!wanted.includes(role))
      diagnostics.push(finding('ROLE_UNDECLARED', { role, nearest: nearest(role, wanted) ?? '', known: wanted.join(', ') }));
    for (const host of names.filter((name) => !inventory.hosts.has(name) && !inventory.groups.has(name))) {
      misnamed.add(role);
      diagnostics.push(finding('HOST_UNKNOWN', { host, nearest: nearest(host, hosts) ?? '', known: hosts.join(', ') }));
    }
  }
  const isMany = (role: string) => runbook.roles.some(({ name, many }) => many && name === role);
  const find = (role: string, seen: readonly string[]): readonly string[] => {
    const named = given.get(role)?.flatMap(hostsNamed) ?? inventory.roles.get(role);
    // A group stands for a role of one host only where there is no question which.
    const own = named ?? (isMany(role) || hostsNamed(role).length === 1 ? hostsNamed(role) : []);
    const next = runbook.roles.find((each) => each.name === role)?.default;
    if (misnamed.has(role)) for (const each of seen) misnamed.add(each);
    if (named || own.length > 0) return [...new Set(own)];
    return next === undefined || seen.includes(next) ? [] : find(next, [...seen, next]);
  };
  const roles = new Map<string, readonly string[]>();
  for (const { name, description } of runbook.roles) {
    const on = find(name, [name]);
    const group = inventory.groups.get(name) ?? [];
    if (on.length > 1 && !isMany(name)) diagnostics.push(finding('ROLE_HOSTS_SEVERAL', { role: name, hosts: on.join(', ') }));
    else if (on.length > 0) roles.set(name, on);
    else if (!misnamed.has(name)) {
      const known = (group.length > 0 ? group : hosts).join(', ');
      const args = { role: name, description: description ?? '', known, file: inventory.file, grouped: group.length };
      diagnostics.push(finding('ROLE_UNASSIGNED', args));
    }
  }
  return diagnostics.length > 0 ? { diagnostics } : { roles };
}
