import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { execOn } from '../../lab/lab.ts';
import { type Canary, needlesOf } from './canary.ts';

/** A canary that was found: which, where, and written how. */
export interface Finding {
  readonly canary: string;
  readonly place: string;
  readonly form: string;
}

/** Looks for every form of every canary in bytes. */
export function findIn(canaries: readonly Canary[], place: string, content: Uint8Array | string): Finding[] {
  const haystack = Buffer.from(content as Uint8Array);
  return [...needlesOf(canaries)].flatMap(([needle, { canary, form }]) =>
    haystack.includes(needle) ? [{ canary, place, form }] : [],
  );
}

/** Looks in every byte of every file under a folder, and in the names; of a journal in every value too, which pages may cut in two. */
export function searchFolder(canaries: readonly Canary[], folder: string): Finding[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const names = findIn(canaries, `names in ${folder}`, entries.map(({ name }) => name).join('\n'));
  const inside = entries.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) return [];
    const values = entry.name === 'journal.db' ? findIn(canaries, `values in ${path}`, valuesOf(path)) : [];
    return [...findIn(canaries, path, readFileSync(path)), ...values];
  });
  return [...names, ...inside];
}

function valuesOf(journal: string): string {
  const database = new DatabaseSync(journal, { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    return tables.map(({ name }) => JSON.stringify(database.prepare(`SELECT * FROM "${String(name)}"`).all())).join('\n');
  } finally {
    database.close();
  }
}

// The needles come on stdin, so that neither the arguments nor a file of the search itself is found.
const SEARCHES: Readonly<Record<string, string>> = {
  // All that is mounted, the data and logs of PostgreSQL too; /proc and /sys hold no files of their own.
  file: `set --; for d in /* /.[!.]*; do [ -e "$d" ] && [ ! -L "$d" ] || continue; case $d in /proc|/sys) ;; *) set -- "$@" "$d";; esac; done
LC_ALL=C exec grep -raoZHFf - -D skip -- "$@"`,
  'names of files': `cat | { exec 3<&0; find / \\( -path /proc -o -path /sys \\) -prune -o -printf '%p %l\\n' </dev/null 2>/dev/null | LC_ALL=C grep -aoZHFf /dev/fd/3; }`,
  'system log': `cat | { exec 3<&0; journalctl -a -o export --no-pager </dev/null | LC_ALL=C grep -aoZHFf /dev/fd/3; }`,
  'properties of units': `cat | { exec 3<&0; { systemctl show --all --no-pager '*'; systemctl show-environment; } </dev/null | LC_ALL=C grep -aoZHFf /dev/fd/3; }`,
};

/** Looks in all files of a lab host, their names, its system log and its units as they are now. */
export async function searchHost(canaries: readonly Canary[], labDir: string, host: string): Promise<Finding[]> {
  const needles = needlesOf(canaries);
  const input = `${[...needles.keys()].join('\n')}\n`;
  const each = await Promise.all(
    Object.entries(SEARCHES).map(async ([what, script]) => {
      const { stdout, stderr } = await execOn(labDir, host, script, { input });
      const troubles = stderr.split('\n').filter((line) => line !== '' && !line.endsWith('No such file or directory'));
      if (troubles.length > 0) throw new Error(`${host} cannot be searched: ${troubles.join('; ')}`);
      const lines = stdout.split('\n').filter((line) => line !== '');
      return lines.map((line) => {
        const [path = '', needle = ''] = line.split('\0');
        const { canary, form } = needles.get(needle) ?? { canary: '?', form: line };
        return { canary, place: `${host}: ${what === 'file' ? path : what}`, form };
      });
    }),
  );
  return each.flat();
}
