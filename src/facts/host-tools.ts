import { sh } from '../hosts/sh.ts';
import { defineFact, unreadable, value } from './fact.ts';

export type Family = 'debian' | 'el' | 'other';

export interface HostTools {
  /** Commands that are not there, of those asked about. */
  readonly missing: readonly string[];
  readonly family: Family;
}

/** What Ferry's own scripts need of a host, whatever the step. */
export const BASE_TOOLS = ['base64', 'timeout', 'mktemp', 'sha256sum', 'flock', 'runuser', 'setsid'] as const;

/** Prints the commands that are missing, one a line, then the family as `=debian`. */
export function toolsScript(names: readonly string[]) {
  return sh`for t in ${names}; do command -v "$t" >/dev/null 2>&1 || echo "$t"; done
if command -v apt-get >/dev/null 2>&1; then echo =debian; elif command -v dnf >/dev/null 2>&1 || command -v yum >/dev/null 2>&1; then echo =el; else echo =other; fi`;
}

/** Reads what `toolsScript` prints; null when it was cut. */
export function parseTools(stdout: string): HostTools | null {
  const lines = stdout.trim().split('\n');
  const family = lines.pop();
  if (family !== '=debian' && family !== '=el' && family !== '=other') return null;
  return { missing: lines.filter((line) => line !== ''), family: family.slice(1) as Family };
}

/** Which of some commands a host lacks, and which family of Linux it is. */
export const hostTools = defineFact<[names: string[]], HostTools>({
  kind: 'hostTools',
  class: 'measure',
  script: (names) => toolsScript(names),
  parse(answer) {
    const found = parseTools(answer.stdout);
    return found ? value(found) : unreadable(answer.stderr.trim() || 'it printed nothing');
  },
  show: (published) => {
    const { missing } = published as unknown as HostTools;
    return missing.length === 0 ? 'all there' : `missing: ${missing.join(', ')}`;
  },
});

const PACKAGES: Readonly<Record<string, { readonly debian: string; readonly el: string }>> = {
  flock: { debian: 'util-linux', el: 'util-linux' },
  runuser: { debian: 'util-linux', el: 'util-linux' },
  setsid: { debian: 'util-linux', el: 'util-linux' },
  psql: { debian: 'postgresql-client', el: 'postgresql' },
  pg_dump: { debian: 'postgresql-client', el: 'postgresql' },
  pg_restore: { debian: 'postgresql-client', el: 'postgresql' },
  vacuumdb: { debian: 'postgresql-client', el: 'postgresql' },
  openssl: { debian: 'openssl', el: 'openssl' },
  ssh: { debian: 'openssh-client', el: 'openssh-clients' },
  'ssh-keygen': { debian: 'openssh-client', el: 'openssh' },
};

/** The command to type on a host of that family so that it has these commands. */
export function installCommand(tools: readonly string[], family: Family): string {
  const packagesOf = (kind: 'debian' | 'el') =>
    [...new Set(tools.map((tool) => PACKAGES[tool]?.[kind] ?? 'coreutils'))].join(' ');
  if (family === 'debian') return `apt-get install ${packagesOf('debian')}`;
  if (family === 'el') return `dnf install ${packagesOf('el')}`;
  return `install ${packagesOf('debian')} (so named on Debian) or ${packagesOf('el')} (on Enterprise Linux)`;
}

/** The arguments of TOOLS_MISSING. */
export function toolsArgs(host: string, { missing, family }: HostTools) {
  return { host, tools: missing.join(', '), fix: installCommand(missing, family) };
}
