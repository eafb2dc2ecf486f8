import { sh } from '../hosts/sh.ts';
import { absent, defineFact, value } from './fact.ts';

export interface PgInstall {
  readonly family: 'debian' | 'el';
  /** Major versions of which a server is installed, ascending; empty where they are not told apart. */
  readonly majors: readonly number[];
}

/** The PostgreSQL server programs on a machine, whether or not a cluster exists. */
export const pgInstall = defineFact<[], PgInstall>({
  kind: 'pgInstall',
  class: 'state',
  script:
    () => sh`if command -v pg_createcluster >/dev/null 2>&1; then echo debian; ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null
elif command -v postgresql-setup >/dev/null 2>&1; then echo el; postgres --version; ls -d /usr/pgsql-*/bin/initdb 2>/dev/null; fi; exit 0`,
  parse: (answer) => {
    const [family, ...lines] = answer.stdout.trim().split('\n');
    if (family !== 'debian' && family !== 'el') return absent;
    const majors = lines.flatMap(
      (line) => /postgresql\/(\d+)\/|pgsql-(\d+)\/|\(PostgreSQL\) (\d+)/.exec(line)?.slice(1).find(Boolean) ?? [],
    );
    if (family === 'debian' && majors.length === 0) return absent;
    return value({ family, majors: [...new Set(majors.map(Number))].sort((a, b) => a - b) });
  },
  show: (published) => `PostgreSQL ${(published as unknown as PgInstall).majors.join(', ') || 'of unknown version'}`,
});
