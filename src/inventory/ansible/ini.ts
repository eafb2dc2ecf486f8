import type { Diagnostic } from '../../errors/diagnostic.ts';
import { finding, type Place } from '../../errors/finding.ts';
import type { Json } from '../../lib/json.ts';
import { splitWords } from '../paths.ts';
import { expandHostPattern } from './host-pattern.ts';
import { type Read, Tree, type Variable } from './tree.ts';

/** Reads an Ansible inventory in its INI form. All errors are told at once. */
export function readIniInventory(file: string, text: string): Read {
  const tree = new Tree();
  const diagnostics: Diagnostic[] = [];
  const needed = new Map<string, Place>();
  const made = new Set(['all', 'ungrouped']);
  let group = 'ungrouped';
  let holds = 'hosts';
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const start = line.search(/\S/);
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue;
    const place = (offset = start, length = trimmed.length): Place => ({
      at: { file, line: index + 1, column: offset + 1 },
      length: Math.max(1, length),
    });
    const wrong = (why: string, at = place()) => diagnostics.push(finding('INVENTORY_LINE_WRONG', { why }, at));
    const [section, name = '', kind = 'hosts'] = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(trimmed) ?? [];
    if (section !== undefined) {
      [group, holds] = [name, kind];
      if (!['hosts', 'children', 'vars'].includes(kind))
        wrong(`a section is [NAME], [NAME:children] or [NAME:vars], not :${kind}`);
      else if (kind === 'vars') needed.set(name, needed.get(name) ?? place());
      else made.add(name);
      tree.group(name);
    } else if (/^\[.*\]$/.test(trimmed)) {
      wrong('a section is written [NAME], [NAME:children] or [NAME:vars]');
    } else if (holds === 'children') {
      const child = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(trimmed)?.[1];
      if (child === undefined) wrong('a line under :children is the name of one group');
      else {
        tree.group(group).children.add(child);
        tree.group(child);
        needed.set(child, needed.get(child) ?? place());
      }
    } else if (holds === 'vars') {
      const cut = trimmed.indexOf('=');
      const value = trimmed.slice(cut + 1).trim();
      if (cut < 1) wrong('a line under :vars is NAME=VALUE');
      else
        tree.group(group).vars.set(trimmed.slice(0, cut).trim(), {
          value: literal(value),
          place: place(line.indexOf(value, start + cut + 1), value.length),
        });
    } else if (holds === 'hosts') addHosts(tree, group, line, place, wrong);
  }
  for (const [name, at] of needed)
    if (!made.has(name)) diagnostics.push(finding('INVENTORY_LINE_WRONG', { why: `there is no group "${name}"` }, at));
  const circle = tree.circle();
  if (circle && diagnostics.length === 0)
    diagnostics.push(finding('INVENTORY_LINE_WRONG', { why: `the group "${circle}" is a child of itself` }, needed.get(circle)));
  return diagnostics.length > 0 ? { diagnostics } : { tree };
}

function addHosts(
  tree: Tree,
  group: string,
  line: string,
  place: (offset: number, length: number) => Place,
  wrong: (why: string, at?: Place) => void,
): void {
  const words = splitWords(line, 'with comments');
  const [pattern, ...rest] = words ?? [];
  if (!pattern) {
    wrong('a quote is left open');
    return;
  }
  const expanded = expandHostPattern(pattern.text);
  const at = place(pattern.offset, pattern.text.length);
  if (typeof expanded === 'string') {
    wrong(expanded, at);
    return;
  }
  const vars = new Map<string, Variable>();
  for (const { text, offset } of rest) {
    const cut = text.indexOf('=');
    if (cut < 1) wrong(`after the host, "${text}" is no NAME=VALUE`, place(offset, text.length));
    else vars.set(text.slice(0, cut), { value: literal(text.slice(cut + 1)), place: place(offset, text.length) });
  }
  for (const name of expanded.names) tree.addHost(group, name, expanded.port, vars, at);
}

/** A value as Ansible takes it: a Python literal where it is one, else the text. */
function literal(text: string): Json {
  const quoted = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*(?:#.*)?$/.exec(text);
  if (quoted) return (quoted[1] ?? quoted[2] ?? '').replaceAll(/\\(["'\\])/g, '$1');
  const [, number] = /^(-?\d+(?:\.\d+)?)\s*(?:#.*)?$/.exec(text) ?? [];
  if (number !== undefined) return Number(number);
  return text === 'True' ? true : text === 'False' ? false : text;
}
