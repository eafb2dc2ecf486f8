import { formatDiagnostics } from '../../src/errors/format-diagnostics.ts';
import { type Loaded, loadRunbook } from '../../src/runbook/load.ts';

/** A whole runbook around an example of a rule: its head, and the roles its steps name where it declares none. */
export function wholeRunbook(example: string): string {
  const named = [
    ...new Set([...example.matchAll(/\bhost: ([a-z]\w*)|roles\.([a-z]\w*)/g)].map(([, host, role]) => host ?? role)),
  ];
  const roles = example.includes('roles:') ? '' : `roles: { ${named.map((role) => `${role}: `).join(', ')} }\n`;
  return `ferry: 1\nname: example\n${roles}${example.trim()}\n`;
}

/** What is found in a runbook of several files, the first of which is the root. */
export async function load(files: Record<string, string>): Promise<Loaded> {
  const [root = ''] = Object.keys(files);
  return loadRunbook(root, {
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return text;
    },
  });
}

/** `severity CODE line` of each finding, in order. */
export async function found(example: string, others: Record<string, string> = {}): Promise<string[]> {
  const loaded = await load({ 'r.yaml': wholeRunbook(example), ...others });
  return diagnosticsOf(loaded).map(({ severity, code }) => `${severity} ${code}`);
}

export async function shown(example: string): Promise<string> {
  const text = wholeRunbook(example);
  return formatDiagnostics(diagnosticsOf(await load({ 'r.yaml': text })), [{ path: 'r.yaml', text }]);
}

export function diagnosticsOf(loaded: Loaded) {
  return 'runbook' in loaded ? loaded.runbook.warnings : loaded.diagnostics;
}
