import { dirname, join, resolve } from 'node:path';
import { parseDocument } from '../../documents/parse-document.ts';
import type { Diagnostic } from '../../errors/diagnostic.ts';
import { finding } from '../../errors/finding.ts';
import type { InventorySurroundings, Loaded, SourceText, WrittenHost } from '../inventory.ts';
import { hostOf } from './host-of.ts';
import { readIniInventory } from './ini.ts';
import { maskPasswords } from './mask-passwords.ts';
import type { Read, Tree, Variable } from './tree.ts';
import { readVariableFiles, type VariableFiles } from './variable-files.ts';
import { isMap, readYamlInventory } from './yaml.ts';

/** Reads an Ansible inventory with the group_vars and host_vars beside it. Errors of one host wait until it is needed. */
export async function readAnsibleInventory(
  file: string,
  text: string,
  form: 'ini' | 'yaml',
  surroundings: InventorySurroundings,
): Promise<Loaded> {
  const sources: SourceText[] = [{ path: file, text: maskPasswords(text) }];
  const read = form === 'ini' ? readIniInventory(file, text) : readYaml(file, text);
  if ('diagnostics' in read) return { diagnostics: read.diagnostics.toSorted(byPlace), sources };
  const { tree } = read;
  const folder = dirname(resolve(file));
  const groupFiles = await variableFiles(join(folder, 'group_vars'), tree.groups.keys(), surroundings);
  const hostFiles = await variableFiles(join(folder, 'host_vars'), tree.hosts.keys(), surroundings);
  for (const files of [...groupFiles.values(), ...hostFiles.values()]) sources.push(...files.sources);
  const hosts = [...tree.hosts].map(([name, { vars, place }]): [string, WrittenHost] => {
    const groups = tree.groupsOf(name);
    const files = [...groups.map((group) => groupFiles.get(group)), hostFiles.get(name)].filter((one) => one !== undefined);
    return [
      name,
      hostOf({
        name,
        place,
        vars: merge([
          ...groups.map((group) => tree.groups.get(group)?.vars),
          ...groups.map((group) => groupFiles.get(group)?.vars),
          vars,
          hostFiles.get(name)?.vars,
        ]),
        vaults: files.flatMap((one) => one.vaults),
        diagnostics: files.flatMap((one) => one.diagnostics),
        folder,
        home: surroundings.home,
      }),
    ];
  });
  return {
    inventory: {
      file,
      hosts: new Map(hosts),
      roles: new Map(),
      groups: groupsOf(tree),
      knownHosts: null,
      sshConfig: null,
      sources,
    },
  };
}

function readYaml(file: string, text: string): Read {
  const parsed = parseDocument(file, text, 'ansible');
  if ('diagnostics' in parsed) return parsed;
  const { value } = parsed.document;
  if (isMap(value) && ('plugin' in value || '_meta' in value))
    return { diagnostics: [finding('INVENTORY_DYNAMIC', { file }, parsed.document.place([]))] };
  return readYamlInventory(parsed.document);
}

function byPlace({ at: a }: Diagnostic, { at: b }: Diagnostic): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

/** The later a source stands, the stronger it is. */
function merge(sources: readonly (ReadonlyMap<string, Variable> | undefined)[]): ReadonlyMap<string, Variable> {
  return new Map(sources.flatMap((source) => [...(source ?? [])]));
}

async function variableFiles(
  folder: string,
  names: Iterable<string>,
  surroundings: InventorySurroundings,
): Promise<Map<string, VariableFiles>> {
  const listing = await surroundings.readFolder(folder);
  const read = [...names].map(async (name) => [name, await readVariableFiles(folder, name, listing, surroundings)] as const);
  return new Map((await Promise.all(read)).flatMap(([name, files]) => (files ? [[name, files] as const] : [])));
}

function groupsOf(tree: Tree): Map<string, readonly string[]> {
  const named = [...tree.groups.keys()].filter((name) => name !== 'all' && name !== 'ungrouped');
  return new Map(named.map((name) => [name, [...tree.hostsOf(name)]]));
}
