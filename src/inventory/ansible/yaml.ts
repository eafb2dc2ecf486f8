import type { SourceDocument } from '../../documents/document.ts';
import type { Diagnostic } from '../../errors/diagnostic.ts';
import { finding } from '../../errors/finding.ts';
import type { Json } from '../../lib/json.ts';
import { expandHostPattern } from './host-pattern.ts';
import { type Read, Tree, type Variable } from './tree.ts';

type JsonMap = { readonly [key: string]: Json };

/** Whether a document has the shape of an Ansible inventory: nothing but groups of hosts, children and vars. */
export function isAnsibleShape(value: Json): boolean {
  if (!isMap(value) || 'ferry' in value || 'hosts' in value) return false;
  const groups = Object.values(value);
  const group = (one: Json) =>
    one === null || (isMap(one) && Object.keys(one).some((key) => ['hosts', 'children', 'vars'].includes(key)));
  return groups.length > 0 && groups.every(group) && groups.some(isMap);
}

/** Reads an Ansible inventory in its YAML form. All errors are told at once. */
export function readYamlInventory(document: SourceDocument): Read {
  const tree = new Tree();
  const diagnostics: Diagnostic[] = [];
  const wrong = (why: string, path: readonly string[]) =>
    diagnostics.push(finding('INVENTORY_LINE_WRONG', { why }, document.keyPlace(path)));
  const mapAt = (value: Json | undefined, path: readonly string[], what: string): JsonMap => {
    if (value === undefined || value === null) return {};
    if (typeof value === 'string') return { [value]: null };
    if (isMap(value)) return value;
    wrong(what, path);
    return {};
  };
  const readGroup = (name: string, value: Json, path: readonly string[]): void => {
    const written = mapAt(value, path, 'a group is a map of hosts, children and vars');
    const group = tree.group(name);
    for (const [key, variable] of variablesOf(
      document,
      mapAt(written.vars, [...path, 'vars'], 'what stands under vars is a map'),
      [...path, 'vars'],
    ))
      group.vars.set(key, variable);
    for (const [child, inner] of Object.entries(
      mapAt(written.children, [...path, 'children'], 'what stands under children is a map'),
    )) {
      group.children.add(child);
      readGroup(child, inner, [...path, 'children', child]);
    }
    for (const [pattern, inner] of Object.entries(
      mapAt(written.hosts, [...path, 'hosts'], 'what stands under hosts is a map, each host with a colon behind it'),
    )) {
      const at = [...path, 'hosts', pattern];
      const expanded = expandHostPattern(pattern);
      if (typeof expanded === 'string') {
        wrong(expanded, at);
        continue;
      }
      const vars = variablesOf(document, mapAt(inner, at, 'a host is a map of variables'), at);
      const place = document.keyPlace(at);
      for (const host of expanded.names) tree.addHost(name, host, expanded.port, vars, place);
    }
  };
  for (const [name, value] of Object.entries(document.value as JsonMap)) readGroup(name, value, [name]);
  const circle = tree.circle();
  if (circle && diagnostics.length === 0) wrong(`the group "${circle}" is a child of itself`, []);
  return diagnostics.length > 0 ? { diagnostics } : { tree };
}

/** The members of a map as variables, each with the place of its value. */
export function variablesOf(document: SourceDocument, map: JsonMap, path: readonly string[]): Map<string, Variable> {
  return new Map(Object.entries(map).map(([key, value]) => [key, { value, place: document.place([...path, key]) }]));
}

export function isMap(value: Json | undefined): value is JsonMap {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
