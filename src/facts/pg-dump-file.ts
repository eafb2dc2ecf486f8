import { sh } from '../hosts/sh.ts';
import { type Answer, absent, defineFact, type Observed, unreadable, value } from './fact.ts';
import { NOT_A_DUMP, readPlainSql } from './postgres/plain-sql.ts';

export type DumpFormat = 'custom' | 'plain';

export interface PgDumpFile {
  readonly format: DumpFormat;
  /** Why it cannot be restored, as far as that is seen; null for a good one. */
  readonly damage: string | null;
  /** Major version of the server it was taken from; null when it does not say. */
  readonly server: number | null;
  /** Major version of the pg_dump that wrote it; null when it does not say. */
  readonly client: number | null;
  /** Roles its GRANTs name; null where the file is too big to be read for them alone. */
  readonly grantees: readonly string[] | null;
}

/** A plain dump has no table of contents: one up to this size is read whole, of a bigger one the end. */
const READ_WHOLE_BYTES = 50_000_000;

// Only entries about privileges are turned into SQL, so no text of a function can pass for one.
const ACL = '^[0-9]+; [0-9]+ [0-9]+ (DEFAULT )?ACL ';

/** What a dump says of itself: one in custom format by its table of contents, a plain one by its text; absent where there is no file. */
export const pgDumpFile = defineFact<[path: string], PgDumpFile>({
  kind: 'pgDumpFile',
  class: 'measure',
  script: (path) => sh`f=${path}; [ -f "$f" ] || exit 90
if [ "$(head -c 5 -- "$f" | tr -d '\\0')" != PGDMP ]; then
echo 'format=plain'; head -n 40 -- "$f" | sed -n 's/^-- Dumped \\(from database\\|by pg_dump\\) version \\([0-9]*\\).*/\\1=\\2/p'
if [ "$(stat -c %s -- "$f")" -gt ${READ_WHOLE_BYTES} ]; then
echo 'grants=unread'; echo; tail -c 1000 -- "$f" | grep -q '^-- PostgreSQL database dump complete' && exit 0; echo 'it was cut' >&2; exit ${NOT_A_DUMP}; fi
echo; ${readPlainSql('grants', { privileges: true })} <"$f"; exit $?; fi
command -v pg_restore >/dev/null 2>&1 || exit 91
t=$(pg_restore -l -- "$f") || exit 92
printf '%s\\n' "$t" | sed -n 's/^; *Dumped \\(from database\\|by pg_dump\\) version: \\([0-9]*\\).*/\\1=\\2/p'; echo
printf '%s\\n' "$t" | grep -E ${ACL} | pg_restore -f - -L /dev/stdin -- "$f" | grep -E '^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) '; exit 0`,
  parse: readDumpFile,
  show: (published) => `dump of a server of version ${(published as unknown as PgDumpFile).server ?? 'unknown'}`,
});

function readDumpFile(answer: Answer): Observed<PgDumpFile> {
  if (answer.code === 90) return absent;
  const [why] = answer.stderr.trim().split('\n');
  if (answer.code !== 0 && answer.code !== NOT_A_DUMP) return unreadable(why || 'pg_restore is not installed');
  const [head = '', ...rest] = answer.stdout.split('\n\n');
  const word = (of: string) => new RegExp(`^${of}=(\\w+)$`, 'm').exec(head)?.[1];
  const version = (of: string) => {
    const found = Number(word(of));
    return Number.isInteger(found) ? found : null;
  };
  const grantees = [...new Set(rest.join('\n\n').split('\n').flatMap(granteeOf))].sort();
  return value({
    format: word('format') === 'plain' ? 'plain' : 'custom',
    damage: answer.code === 0 ? null : (why ?? ''),
    server: version('from database'),
    client: version('by pg_dump'),
    grantees: word('grants') === 'unread' || answer.code !== 0 ? null : grantees,
  });
}

/** The role at the end of a GRANT or REVOKE as pg_restore writes it; none for PUBLIC. */
function granteeOf(line: string): string[] {
  const name = / (?:TO|FROM) ("(?:[^"]|"")+"|[^ ";]+)(?: WITH GRANT OPTION)?;$/.exec(line)?.[1];
  if (name === undefined || name === 'PUBLIC') return [];
  return [name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name];
}
