import { leaveImprint } from '../../facts/postgres/imprint.ts';
import { NOT_A_DUMP, RESTORED, readPlainSql } from '../../facts/postgres/plain-sql.ts';
import { asPostgres, conninfo } from '../../facts/postgres/psql.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
import { identifier } from './sql.ts';

/** Exit code of a restore script for a dump that is not whole; the last line printed says why. */
export const DAMAGED = NOT_A_DUMP;

// Entries the restoring role may not touch, or that the target has already: extensions are made by postgres beforehand,
// default privileges set by it afterwards, because one role may not set those of another.
const LEFT_OUT =
  '^[0-9]+; [0-9]+ [0-9]+ (DEFAULT ACL |EXTENSION - |COMMENT - EXTENSION |SCHEMA - public |COMMENT - SCHEMA public )';

const DEFAULT_PRIVILEGES = '^[0-9]+; [0-9]+ [0-9]+ DEFAULT ACL ';

export interface RestoreWish {
  readonly port: number;
  readonly database: string;
  readonly owner: string;
  readonly path: string;
  readonly sha256: string | null;
  readonly privileges: boolean;
  /** File on the host that is to hold the imprint of what was restored. */
  readonly imprint: string;
}

/**
 * Checks a dump in custom format and restores it in one transaction; leaves an imprint of what is there then. Root opens the file;
 * pg_restore, as postgres, gets it as its stdin.
 */
export function restoreScript(wish: RestoreWish): Sh {
  const flags = [
    '--exit-on-error',
    '--single-transaction',
    '--no-owner',
    `--role=${wish.owner}`,
    ...(wish.privileges ? [] : ['--no-privileges']),
  ];
  return sh`${checked(wish, sh`pg_restore -f /dev/null`)}
l=$(mktemp) && trap 'rm -f -- "$l"' EXIT || exit 1
t=$(${asPostgres} pg_restore -l <"$f" 2>&1) || damaged "$t"
case "$t" in *'TOC Entries: 0'*) damaged 'its list of contents is empty, which that of an empty database is not either' ;; esac
printf '%s\\n' "$t" | grep -Ev ${LEFT_OUT} >"$l" && chown postgres "$l" || exit 1
${asPostgres} pg_restore ${flags} -L "$l" -p ${wish.port} -d ${conninfo(wish.database)} <"$f" || exit
${leaveImprint(wish.port, wish.database, wish.imprint)}`;
}

/** Sets the default privileges that a dump in custom format has, of whatever roles; what is there already stays. */
export function defaultPrivilegesScript(wish: Pick<RestoreWish, 'path' | 'port' | 'database'>): Sh {
  return sh`f=${wish.path}; l=$(mktemp) && trap 'rm -f -- "$l"' EXIT || exit 1
t=$(${asPostgres} pg_restore -l <"$f") || exit 1
printf '%s\\n' "$t" | grep -E ${DEFAULT_PRIVILEGES} >"$l" || exit 0
chown postgres "$l" && ${asPostgres} pg_restore --exit-on-error --single-transaction -L "$l" -p ${wish.port} -d ${conninfo(wish.database)} <"$f"`;
}

/**
 * What `restoreScript` does for a plain dump, by psql. The reader prints COMMIT when it has come to the end of a whole dump, so that a file cut
 * meanwhile leaves nothing; psql alone would take the end of its input for the end of the work. `restrict` is a word nobody
 * who wrote the file can know, null for a psql that takes none.
 */
export function restorePlainScript(wish: RestoreWish & { readonly restrict: string | null }): Sh {
  const { restrict } = wish;
  const begin = ['BEGIN', `SET ROLE ${identifier(wish.owner)}`, ...(restrict === null ? [] : [`\\restrict ${restrict}`])];
  const psql = sh`psql -X -q -A -t -v ON_ERROR_STOP=1 -p ${wish.port} -d ${conninfo(wish.database)} ${begin.flatMap((line) => ['-c', line])} -f -`;
  return sh`${checked(wish, readPlainSql('check', wish))}
o=$(${asPostgres} ${readPlainSql('load', { ...wish, role: identifier(wish.owner) })} <"$f" | ${asPostgres} ${psql}) || exit
case "$o" in *${RESTORED}) ;; *) echo 'the dump was not read to its end' >&2; exit 1 ;; esac
${leaveImprint(wish.port, wish.database, wish.imprint)}`;
}

// Equal to what pg_dump finished is whole; else reading it to the end, without a database, shows a cut one.
function checked(wish: RestoreWish, read: Sh): Sh {
  const check = wish.sha256
    ? sh`h=$(sha256sum <"$f"); [ "\${h%% *}" = ${wish.sha256} ] || damaged 'its SHA-256 is not that of the dump that was made'`
    : sh`e=$(${asPostgres} ${read} <"$f" 2>&1) || damaged "$e"`;
  return sh`f=${wish.path}; rm -f -- ${wish.imprint}
damaged() { printf '%s\\n' "$1" | head -n 1; exit ${DAMAGED}; }
[ -f "$f" ] || damaged 'there is no such file'
${check}`;
}

/** Prints how far the process that has a file as its stdin has read. */
export function readPosition(path: string): Sh {
  const pattern = path.replaceAll(/[\\*?[\]]/g, '\\$&');
  return sh`n=$(find /proc/[0-9]*/fd -maxdepth 1 -name 0 -lname ${pattern} -print -quit 2>/dev/null); [ -n "$n" ] || exit 0
p="\${n%/fd/0}"; sed -n 's/^pos:[[:space:]]*//p' "$p/fdinfo/0"`;
}
