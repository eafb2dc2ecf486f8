import { extname } from 'node:path';
import { parseDocument } from '../documents/parse-document.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import type { Json } from '../lib/json.ts';
import { readAnsibleInventory } from './ansible/read.ts';
import { isAnsibleShape, isMap } from './ansible/yaml.ts';
import { readFerryInventory } from './ferry-inventory.ts';
import type { InventorySurroundings, Loaded } from './inventory.ts';

const YAML = ['.yml', '.yaml', '.json'];

/**
 * Reads an inventory: Ferry's own, or one of Ansible in its INI or YAML form, which its name and shape tell. Hosts stay as they
 * are written until `settleHosts` completes those that are needed. All errors are told at once.
 * @throws what `readFile` throws for the inventory itself
 */
export async function loadInventory(path: string, surroundings: InventorySurroundings): Promise<Loaded> {
  const content = await surroundings.readFile(path);
  const text = typeof content === 'string' ? content : new TextDecoder().decode(content);
  if (text.startsWith('#!') || extname(path) === '.toml')
    return refuse(finding('INVENTORY_DYNAMIC', { file: path }, { at: { file: path, line: 1, column: 1 }, length: 1 }));
  const isYaml = YAML.includes(extname(path)) || /^(---|ferry\s*:)/m.test(text);
  if (!isYaml) return readAnsibleInventory(path, text, 'ini', surroundings);
  const loose = parseDocument(path, content, 'ansible');
  if ('document' in loose && isForAnsible(loose.document.value)) return readAnsibleInventory(path, text, 'yaml', surroundings);
  const parsed = parseDocument(path, content);
  return 'diagnostics' in parsed
    ? { diagnostics: parsed.diagnostics, sources: [] }
    : readFerryInventory(parsed.document, surroundings.home);
}

function isForAnsible(value: Json): boolean {
  return isAnsibleShape(value) || (isMap(value) && !('ferry' in value) && ('plugin' in value || '_meta' in value));
}

function refuse(diagnostic: Diagnostic): Loaded {
  return { diagnostics: [diagnostic], sources: [] };
}
