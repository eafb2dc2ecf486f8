import { sh } from '../hosts/sh.ts';
import { type DiskFree, parseDf } from './disk-free.ts';
import { defineFact, unreadable, value } from './fact.ts';
import { runSql } from './postgres/psql.ts';

export interface PgRoom {
  readonly directory: string;
  readonly data: DiskFree;
  readonly wal: DiskFree;
  /** How much write-ahead log the server lets pile up between checkpoints; null while it does not run. */
  readonly maxWalBytes: number | null;
}

const SQL = `SELECT current_setting('data_directory'), pg_size_bytes(current_setting('max_wal_size'));`;

/** Bytes free where a cluster keeps its data and its log; where it would keep them while there is none. */
export const pgRoom = defineFact<[port: number], PgRoom>({
  kind: 'pgRoom',
  class: 'measure',
  script: (
    port,
  ) => sh`d=; m=; if command -v psql >/dev/null 2>&1 && id -u postgres >/dev/null 2>&1; then a=$(${runSql({ port }, SQL)} 2>/dev/null) && { d=\${a%|*}; m=\${a##*|}; }; fi
[ -n "$d" ] || ! command -v pg_lsclusters >/dev/null 2>&1 || d=$(pg_lsclusters -h | while read -r v n p s o c l; do if [ "$p" = ${port} ]; then echo "$c"; fi; done)
[ -n "$d" ] || if command -v dnf >/dev/null 2>&1; then d=/var/lib/pgsql/data; else d=/var/lib/postgresql; fi
free() { p=$1; while [ ! -e "$p" ] && [ "$p" != / ]; do p=$(dirname -- "$p"); done; df -Pk -- "$p/." | sed 1d; }
printf '%s\\n%s\\n' "$d" "$m"; free "$d"; free "$d/pg_wal"`,
  parse(answer) {
    const [directory = '', maxWal = '', ...lines] = answer.stdout.split('\n');
    const [data, wal] = lines.map(parseDf);
    if (!data || !wal) return unreadable(answer.stderr.trim() || 'df printed nothing that can be read');
    return value({ directory, data, wal, maxWalBytes: /^\d+$/.test(maxWal) ? Number(maxWal) : null });
  },
  show: (published) => `${(published as unknown as PgRoom).directory}`,
});
