import { join } from 'node:path';
import { parseDocument } from '../../documents/parse-document.ts';
import type { Diagnostic } from '../../errors/diagnostic.ts';
import type { InventorySurroundings, SourceText } from '../inventory.ts';
import { readOptional } from '../paths.ts';
import { maskPasswords } from './mask-passwords.ts';
import type { Variable } from './tree.ts';
import { isMap, variablesOf } from './yaml.ts';

/** What the files of one group or host under group_vars or host_vars say. */
export interface VariableFiles {
  readonly vars: ReadonlyMap<string, Variable>;
  /** Files that ansible-vault has encrypted. */
  readonly vaults: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly SourceText[];
}

const ENDINGS = ['', '.yml', '.yaml', '.json'];

/** Reads `NAME`, `NAME.yml`, `NAME.yaml` or `NAME.json` in a folder, the first there is; a folder NAME stands for all files in it. */
export async function readVariableFiles(
  folder: string,
  name: string,
  listing: readonly string[],
  surroundings: InventorySurroundings,
): Promise<VariableFiles | null> {
  const found = ENDINGS.flatMap((ending) => [`${name}${ending}`, `${name}${ending}/`]).find((each) => listing.includes(each));
  if (found === undefined) return null;
  const files = found.endsWith('/') ? await filesUnder(join(folder, found), surroundings) : [join(folder, found)];
  const vars = new Map<string, Variable>();
  const [vaults, diagnostics, sources]: [string[], Diagnostic[], SourceText[]] = [[], [], []];
  for (const path of files) {
    const source = await readOptional(surroundings, path);
    if (source?.text.startsWith('$ANSIBLE_VAULT;')) vaults.push(path);
    if (!source || source.text.startsWith('$ANSIBLE_VAULT;')) continue;
    sources.push({ path, text: maskPasswords(source.text) });
    const parsed = parseDocument(path, source.text, 'ansible');
    if ('diagnostics' in parsed) diagnostics.push(...parsed.diagnostics.filter(({ code }) => code !== 'FILE_EMPTY'));
    else if (isMap(parsed.document.value))
      for (const [key, variable] of variablesOf(parsed.document, parsed.document.value, [])) vars.set(key, variable);
  }
  return { vars, vaults, diagnostics, sources };
}

async function filesUnder(folder: string, surroundings: InventorySurroundings): Promise<string[]> {
  const names = [...(await surroundings.readFolder(folder))]
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .sort();
  const nested = names.map((name) => {
    if (name.endsWith('/')) return filesUnder(join(folder, name), surroundings);
    return Promise.resolve(/\.(yml|yaml|json)$|^[^.]+$/.test(name) ? [join(folder, name)] : []);
  });
  return (await Promise.all(nested)).flat();
}
