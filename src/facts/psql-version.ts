import { sh } from '../hosts/sh.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

/** The whole version of the psql a machine uses for a cluster, such as 15.18; absent when it is not installed. */
export const psqlVersion = defineFact<[port: number], string>({
  kind: 'psqlVersion',
  class: 'measure',
  // Debian's wrapper picks the version by the port.
  script: (port) => sh`command -v psql >/dev/null 2>&1 || exit 90; PGPORT=${port} psql --version`,
  parse: (answer) => {
    if (answer.code === 90) return absent;
    const version = /\(PostgreSQL\) (\d+(?:\.\d+)*)/.exec(answer.stdout)?.[1];
    return version === undefined ? unreadable(answer.stderr.trim() || 'psql tells no version') : value(version);
  },
  show: (published) => `psql ${published}`,
});
