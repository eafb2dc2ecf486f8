/** What engine-setup said before it failed, and what to do about it. */
export interface SetupRefusal {
  /** The stage it failed in, such as `Setup validation`; empty when it did not say. */
  readonly stage: string;
  readonly why: string;
  readonly todo: string;
}

const UNKNOWN = 'Read its log on the host, mend what it names';

/** Its texts, each with what to do; the first that fits counts. */
const REFUSALS: readonly (readonly [pattern: RegExp, todo: string])[] = [
  [
    /dwhd is currently running/,
    'Stop and disable ovirt-engine-dwhd on that host. Where it does not run any more but was killed, start it once and stop it: only a clean stop clears DwhCurrentlyRunning',
  ],
  [
    /An existing DWH found/,
    'Carry 10-setup-uuid.conf over from that host before engine-setup runs; or give that data warehouse up for good with disconnectExisting: true',
  ],
  [
    /Global Maintenance is not set/,
    'hosted-engine --set-maintenance --mode=global   on a hosted-engine host, while the engine runs: it is the engine that tells engine-setup',
  ],
  [/no pg_hba\.conf entry/, 'Let this host in with a rule in pg_hba.conf of that server (postgres.hba)'],
  [
    /password authentication failed|role ".*" does not exist|database ".*" does not exist/,
    'Compare user, password and database in the answers with the conf files of the engine',
  ],
  [
    /Connection refused|could not connect|timeout expired|No route to host|could not translate host name/,
    'See that the server listens on that address (listen_addresses) and that no firewall is in between',
  ],
  [
    /Please set:.*in postgresql\.conf/s,
    'Set that on the database server (postgres.settings; prepare-remote-db.yaml has the whole list)',
  ],
  [/Postgresql client version is/, 'Install client programs of at least the major version of the server'],
  [
    /wrong ownership of some database entities/,
    'Give everything in that database to the role that setup connects as: ALTER ... OWNER TO, or REASSIGN OWNED',
  ],
  [/uuid-ossp extension is not installed/, 'Make the extension in that database (postgres.extension)'],
  [/Minimal supported DWH version/, 'Install the version of ovirt-engine-dwh that goes with the engine'],
  [/Cannot parse configuration file key/, 'Give that answer with its right type'],
  [/did not resolve into an IP address/, 'Make that name resolvable on the host'],
  [/End of file/, 'Give an answer to the last question in its log: it has no default'],
];

/** Finds in the log of an engine-setup that failed what it refuses. */
export function setupRefusal(log: string): SetupRefusal {
  const [, stage = '', said = ''] = /\[ ERROR \] Failed to execute stage '([^']*)': (.*)/.exec(log) ?? [];
  const errors = [...log.matchAll(/^\[(?: ERROR | FATAL )\] (.*)$/gm)].map(([, text = '']) => text);
  const before = errors.filter((text) => !text.startsWith('Failed to execute stage') && text !== 'Execution of setup failed');
  const asked = /End of file/.test(said) ? lastQuestion(log) : '';
  const why = [...before.slice(-1), said, asked]
    .filter((text, index, all) => text !== '' && all.indexOf(text) === index)
    .join(' / ');
  const known = REFUSALS.find(([pattern]) => pattern.test(why));
  return { stage, why: why || 'it says no reason', todo: known?.[1] ?? UNKNOWN };
}

/** The question it could not read an answer to: what stands before the error. */
function lastQuestion(log: string): string {
  const lines = log.slice(0, log.indexOf('[ ERROR ] Failed')).trimEnd().split('\n');
  return lines.at(-1)?.trim() ?? '';
}
