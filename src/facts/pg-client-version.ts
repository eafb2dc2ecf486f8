import { sh } from '../hosts/sh.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

/** The major version of the pg_dump and psql a machine uses for a cluster; absent when they are not installed. */
export const pgClientVersion = defineFact<[port: number], number>({
  kind: 'pgClientVersion',
  class: 'state',
  // Debian's wrapper picks the version by the port.
  script: (port) => sh`command -v pg_dump >/dev/null 2>&1 || exit 90; PGPORT=${port} pg_dump --version`,
  parse: (answer) => {
    if (answer.code === 90) return absent;
    const major = /\(PostgreSQL\) (\d+)/.exec(answer.stdout)?.[1];
    return major === undefined ? unreadable(answer.stderr.trim() || 'pg_dump tells no version') : value(Number(major));
  },
  show: (published) => `client version ${published}`,
});
