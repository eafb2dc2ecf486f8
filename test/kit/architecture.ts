/** A file of the project: its path from the project's folder, with slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** A path from the project's folder, or null for a package. */
  readonly target: string | null;
  readonly package: string | null;
  readonly typeOnly: boolean;
}

/**
 * What each folder of src may import beside itself: a folder, or one file of it. `type:` allows types alone. This is the
 * table of the house; the engine and the plan reach into other rooms for pure functions only, named one by one. Scripts under
 * dev/ are not published: they may import anything, and nobody may import them.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  errors: ['lib'],
  documents: ['lib', 'errors'],
  archives: ['lib', 'errors'],
  inventory: ['lib', 'errors', 'documents', 'schemas'],
  transports: ['lib', 'errors', 'type:inventory'],
  hosts: ['lib', 'errors', 'type:inventory', 'transports/transport.ts'],
  facts: [
    'lib',
    'errors',
    'hosts/sh.ts',
    'hosts/secret.ts',
    'hosts/as-user.ts',
    'hosts/login.ts',
    'hosts/lease.ts',
    'type:hosts/host.ts',
  ],
  actions: [
    'lib',
    'errors',
    'archives',
    'facts',
    'hosts/sh.ts',
    'hosts/secret.ts',
    'hosts/as-user.ts',
    'hosts/authorized-keys.ts',
    'hosts/login.ts',
    'type:hosts/host.ts',
  ],
  runbook: [
    'lib',
    'errors',
    'documents',
    'schemas',
    'actions/catalog.ts',
    'actions/outputs.ts',
    'actions/partial-params.ts',
    'hosts/secret.ts',
    'type:actions/action.ts',
    'type:actions/effects.ts',
    'type:hosts/host.ts',
  ],
  plan: [
    ...['lib', 'errors', 'facts', 'actions/action.ts', 'actions/outputs.ts'],
    ...['hosts/secret.ts', 'hosts/redactor.ts', 'hosts/layout.ts', 'hosts/limits.ts', 'type:hosts/lease.ts'],
    ...[
      'runbook/evaluate.ts',
      'runbook/expression.ts',
      'runbook/names.ts',
      'type:runbook',
      'type:inventory',
      'type:hosts/host.ts',
    ],
  ],
  journal: ['lib', 'errors', 'type:plan'],
  engine: [
    ...[
      'lib',
      'errors',
      'plan',
      'actions/outputs.ts',
      'hosts/secret.ts',
      'hosts/layout.ts',
      ...['runbook/evaluate.ts', 'runbook/expression.ts', 'runbook/meaning.ts', 'runbook/spread.ts'],
    ],
    ...['type:actions', 'type:facts', 'type:hosts', 'type:journal', 'type:runbook'],
  ],
  notify: ['lib', 'errors', 'type:engine'],
  renderers: ['lib', 'errors', 'type:engine', 'type:plan', 'type:journal/journal.ts', 'type:archives'],
  cli: [
    'lib',
    'errors',
    'documents',
    'archives',
    'inventory',
    'transports',
    'hosts',
    'facts',
    'actions',
    'runbook',
    'plan',
    'journal',
    'engine',
    'renderers',
    'notify',
    'lab/lab.ts',
  ],
  'main.ts': ['cli'],
  'index.ts': ['cli', 'errors', 'renderers', 'type:engine', 'type:journal', 'type:plan'],
};

/** Where a package may be imported; one that is not here may be imported nowhere in src. */
export const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  ssh2: ['src/transports/'],
  execa: ['src/transports/local.ts', 'src/transports/local-terminal.ts'],
  pg: ['src/transports/', 'src/journal/', 'src/hosts/login.ts'],
  listr2: ['src/renderers/'],
  diff: ['src/actions/'],
  yaml: ['src/documents/', 'src/dev/', 'src/actions/config/'],
  ajv: ['src/documents/', 'src/runbook/', 'src/inventory/'],
  zod: ['src/actions/', 'src/facts/', 'src/cli/', 'src/dev/', 'src/transports/', 'src/journal/'],
  commander: ['src/cli/'],
  '@marcbachmann/cel-js': ['src/runbook/'],
};

/** Words of the platform that have one home, or none. */
export const WORD_HOMES: readonly { readonly word: RegExp; readonly homes: readonly string[] }[] = [
  { word: /\bprocess\.(exit\(|exitCode)/, homes: ['src/main.ts', 'src/dev/'] },
  { word: /\bconsole\./, homes: ['src/main.ts', 'src/cli/', 'src/dev/'] },
  { word: /\bDate\.now\b|\bnew Date\(\)/, homes: ['src/lib/clock.ts'] },
  { word: /\bMath\.random\b/, homes: [] },
];

/** Every import of a file, the dynamic ones too. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  const pattern = /^[ \t]*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s*)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  for (const [, type, named, dynamic] of codeOf(file.text, 'keep strings').matchAll(pattern)) {
    const specifier = named ?? dynamic ?? '';
    if (specifier.startsWith('node:')) continue;
    const parts = specifier.split('/');
    found.push({
      target: specifier.startsWith('.') ? joinPath(file.path, specifier) : null,
      package: specifier.startsWith('.') ? null : parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'),
      typeOnly: type !== undefined,
    });
  }
  return found;
}

/** What a file imports against the table or from a package's wrong place, a sentence each. */
export function importFaults(file: SourceFile): string[] {
  const room = roomOf(file.path);
  const allowed = MAY_IMPORT[room];
  if (!allowed) return [`${file.path}: no rule says what ${room} may import`];
  return importsOf(file).flatMap((one) => {
    if (one.package !== null) {
      const homes = PACKAGE_HOMES[one.package] ?? [];
      return homes.some((home) => file.path.startsWith(home))
        ? []
        : [`${file.path} imports ${one.package}, whose home is ${homes.join(', ') || 'nowhere in src'}`];
    }
    const target = one.target ?? '';
    const inner = target.startsWith('src/') ? target.slice(4) : target;
    if (roomOf(target) === room && target.startsWith('src/')) return [];
    const fits = (rule: string) => inner === rule || inner.startsWith(`${rule}/`);
    const ok = allowed.some((rule) => (rule.startsWith('type:') ? one.typeOnly && fits(rule.slice(5)) : fits(rule)));
    return ok ? [] : [`${file.path} imports ${one.typeOnly ? 'types of ' : ''}${target}`];
  });
}

/** Words a file uses outside their home. */
export function wordFaults(file: SourceFile): string[] {
  const code = codeOf(file.text, 'drop strings');
  return WORD_HOMES.filter(({ word, homes }) => word.test(code) && !homes.some((home) => file.path.startsWith(home))).map(
    ({ word, homes }) => `${file.path} uses ${word.exec(code)?.[0]}, whose home is ${homes.join(', ') || 'nowhere'}`,
  );
}

/** Files that only hand on what others export, index.ts apart; and `export *` anywhere. */
export function barrelFaults(file: SourceFile): string[] {
  if (file.path === 'src/index.ts') return [];
  const code = codeOf(file.text, 'keep strings').trim();
  const rest = code.replace(/^export\s+(type\s+)?(\{[^}]*\}|\*(\s+as\s+\w+)?)\s+from\s+'[^']+';?/gm, '').trim();
  if (/^export\s+\*/m.test(code)) return [`${file.path} exports everything of another file`];
  return code !== '' && rest === '' ? [`${file.path} is a barrel`] : [];
}

/** Names that are not kebab-case. */
export function nameFaults(file: SourceFile): string[] {
  return /^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(file.path.split('/').at(-1) ?? '') ? [] : [`${file.path} is not kebab-case`];
}

/** Imports of one action by another file than the catalog. */
export function actionFaults(files: readonly SourceFile[]): string[] {
  const actions = new Set(files.filter((file) => /^export default defineAction\(/m.test(file.text)).map((file) => file.path));
  return files
    .filter((file) => file.path !== 'src/actions/catalog.ts' && !file.path.startsWith('src/dev/'))
    .flatMap((file) =>
      importsOf(file).flatMap(({ target }) =>
        target !== null && actions.has(target) ? [`${file.path} imports the action ${target}`] : [],
      ),
    );
}

/** A way round through folders by imports of values, or null when there is none. */
export function folderCycle(files: readonly SourceFile[]): string[] | null {
  const edges = new Map<string, Set<string>>();
  for (const file of files) {
    for (const { target, typeOnly } of importsOf(file)) {
      if (target === null || typeOnly || !target.startsWith('src/') || roomOf(target) === roomOf(file.path)) continue;
      edges.set(roomOf(file.path), (edges.get(roomOf(file.path)) ?? new Set()).add(roomOf(target)));
    }
  }
  const walk = (room: string, way: readonly string[]): string[] | null => {
    if (way.includes(room)) return [...way.slice(way.indexOf(room)), room];
    for (const next of edges.get(room) ?? []) {
      const cycle = walk(next, [...way, room]);
      if (cycle) return cycle;
    }
    return null;
  };
  for (const room of edges.keys()) {
    const cycle = walk(room, []);
    if (cycle) return cycle;
  }
  return null;
}

/** `npm run` names that a text tells people to type. */
export function scriptsNamedIn(text: string): string[] {
  return [...new Set([...text.matchAll(/npm run ([a-z][a-z:-]*)/g)].map(([, name]) => name ?? ''))];
}

function roomOf(path: string): string {
  return path.split('/')[1] ?? path;
}

function joinPath(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The text without comments, and without what stands in quotes when asked. */
function codeOf(text: string, strings: 'keep strings' | 'drop strings'): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;
  return text.replace(token, (found) => (found.startsWith('/') ? '' : strings === 'keep strings' ? found : "''"));
}
