import type { Diagnostic } from '../../errors/diagnostic.ts';
import type { Place } from '../../errors/finding.ts';
import type { Json } from '../../lib/json.ts';

export interface Variable {
  readonly value: Json;
  readonly place: Place;
}

export interface Group {
  readonly vars: Map<string, Variable>;
  readonly hosts: Set<string>;
  readonly children: Set<string>;
}

/** An Ansible inventory as it is written: groups, hosts and their variables, nothing inherited yet. */
export class Tree {
  readonly #members = new Map<string, ReadonlySet<string>>();
  readonly groups = new Map<string, Group>([
    ['all', newGroup()],
    ['ungrouped', newGroup()],
  ]);
  readonly hosts = new Map<string, { readonly vars: Map<string, Variable>; readonly place: Place }>();

  group(name: string): Group {
    const known = this.groups.get(name) ?? newGroup();
    this.groups.set(name, known);
    return known;
  }

  /** Adds a host to a group; what it is given later stands over what it was given before. A port counts at its first mention. */
  addHost(group: string, name: string, port: number | null, vars: ReadonlyMap<string, Variable>, place: Place): void {
    this.group(group).hosts.add(name);
    const first = new Map<string, Variable>(port === null ? [] : [['ansible_port', { value: port, place }]]);
    const host = this.hosts.get(name) ?? { vars: first, place };
    this.hosts.set(name, host);
    for (const [key, variable] of vars) host.vars.set(key, variable);
  }

  /** The hosts of a group and of the groups under it, in the order they are written. For a tree that is whole and has no circle. */
  hostsOf(group: string): ReadonlySet<string> {
    const known = this.#members.get(group);
    if (known) return known;
    const found = this.groups.get(group) ?? newGroup();
    const members = new Set([...found.hosts, ...[...found.children].flatMap((child) => [...this.hostsOf(child)])]);
    this.#members.set(group, members);
    return members;
  }

  /** The groups a host takes variables from, those that yield to the others first: by depth below `all`, priority and name. */
  groupsOf(host: string): string[] {
    const mine = [...this.groups.keys()].filter((name) => name !== 'all' && this.hostsOf(name).has(host));
    const rank = new Map(mine.map((name) => [name, [this.#depth(name), this.#priority(name)] as const]));
    const byRank = (a: string, b: string) => {
      const [[depthA, priorityA], [depthB, priorityB]] = [rank.get(a) ?? [0, 0], rank.get(b) ?? [0, 0]];
      return depthA - depthB || priorityA - priorityB || (a < b ? -1 : 1);
    };
    return ['all', ...mine.sort(byRank)];
  }

  /** A group that is its own child, or null. */
  circle(): string | null {
    const below = (group: string, seen: Set<string>): Set<string> => {
      for (const child of this.groups.get(group)?.children ?? []) if (!seen.has(child)) below(child, seen.add(child));
      return seen;
    };
    return [...this.groups.keys()].find((name) => below(name, new Set()).has(name)) ?? null;
  }

  #depth(group: string): number {
    const parents = [...this.groups].filter(([, { children }]) => children.has(group)).map(([name]) => name);
    return group === 'all' ? 0 : 1 + Math.max(0, ...parents.map((parent) => this.#depth(parent)));
  }

  #priority(group: string): number {
    return Number(this.groups.get(group)?.vars.get('ansible_group_priority')?.value ?? 1) || 0;
  }
}

function newGroup(): Group {
  return { vars: new Map(), hosts: new Set(), children: new Set() };
}

export type Read = { readonly tree: Tree } | { readonly diagnostics: readonly Diagnostic[] };
