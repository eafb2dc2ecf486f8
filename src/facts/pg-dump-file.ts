import { sh } from '../hosts/sh.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

export interface PgDumpFile {
  /** Major version of the server it was taken from; null when it does not say. */
  readonly server: number | null;
  /** Major version of the pg_dump that wrote it; null when it does not say. */
  readonly client: number | null;
  /** Roles its GRANTs name. */
  readonly grantees: readonly string[];
}

// Only entries about privileges are turned into SQL, so no text of a function can pass for one.
const ACL = '^[0-9]+; [0-9]+ [0-9]+ (DEFAULT )?ACL ';

/** What a dump in custom format says of itself, by its table of contents; absent where there is no file. */
export const pgDumpFile = defineFact<[path: string], PgDumpFile>({
  kind: 'pgDumpFile',
  class: 'measure',
  script: (path) => sh`f=${path}; [ -f "$f" ] || exit 90; command -v pg_restore >/dev/null 2>&1 || exit 91
t=$(pg_restore -l -- "$f") || exit 92
printf '%s\\n' "$t" | sed -n 's/^; *Dumped \\(from database\\|by pg_dump\\) version: \\([0-9]*\\).*/\\1=\\2/p'; echo
printf '%s\\n' "$t" | grep -E ${ACL} | pg_restore -f - -L /dev/stdin -- "$f" | grep -E '^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) '; exit 0`,
  parse(answer) {
    if (answer.code === 90) return absent;
    if (answer.code !== 0) return unreadable(answer.stderr.trim().split('\n')[0] || 'pg_restore is not installed');
    const [head = '', ...rest] = answer.stdout.split('\n\n');
    const version = (of: string) => {
      const found = new RegExp(`^${of}=(\\d+)$`, 'm').exec(head)?.[1];
      return found === undefined ? null : Number(found);
    };
    const grantees = rest.join('\n\n').split('\n').flatMap(granteeOf);
    return value({ server: version('from database'), client: version('by pg_dump'), grantees: [...new Set(grantees)].sort() });
  },
  show: (published) => `dump of a server of version ${(published as unknown as PgDumpFile).server ?? 'unknown'}`,
});

/** The role at the end of a GRANT or REVOKE as pg_restore writes it; none for PUBLIC. */
function granteeOf(line: string): string[] {
  const name = / (?:TO|FROM) ("(?:[^"]|"")+"|[^ ";]+)(?: WITH GRANT OPTION)?;$/.exec(line)?.[1];
  if (name === undefined || name === 'PUBLIC') return [];
  return [name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name];
}
