import type { Diagnostic } from '../../errors/diagnostic.ts';
import { finding } from '../../errors/finding.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { pgClientVersion } from '../../facts/pg-client-version.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { type DumpFormat, pgDumpFile } from '../../facts/pg-dump-file.ts';
import { pgRole } from '../../facts/pg-role.ts';
import { pgRoom } from '../../facts/pg-room.ts';
import type { Ask, Preflight, Room, Site } from '../action.ts';
import { canRead, type Expected, restoredFromFile, walExpected } from './estimate.ts';
import { rolesMissing } from './roles-missing.ts';

interface Wish {
  readonly database: string;
  readonly path: string;
  readonly privileges: boolean;
  readonly format: DumpFormat;
  readonly port: number;
}

// What max_wal_size is unless somebody sets it.
const USUAL_WAL_BYTES = 1_073_741_824;

/** Whether a dump, there or only expected, can be restored on a host: format, versions, room for data and log, roles its GRANTs name. */
export function restorePreflight({ database, path, privileges, format, port }: Wish, ask: Ask, { host }: Site): Preflight {
  const facts = ask({
    cluster: pgCluster(port).on(host.name),
    client: pgClientVersion(port).on(host.name),
    file: fileStat(path).on(host.name),
    inFile: pgDumpFile(path).on(host.name),
    room: pgRoom(port).on(host.name),
  });
  const file = facts.file.value;
  const there = facts.file.read ? facts.inFile.value : undefined;
  const dump = file?.dump ?? there;
  const findings: Diagnostic[] = [];
  if (dump && dump.format !== format)
    return { findings: [finding('DUMP_OTHER_FORMAT', { host: host.name, path, format: dump.format, wanted: format })] };
  if (there?.damage) return { findings: [finding('DUMP_BROKEN', { host: host.name, path, why: there.damage })] };
  const server = facts.cluster.value?.version;
  if (server !== undefined && dump?.server && dump.server > server)
    findings.push(finding('DUMP_TOO_NEW', { host: host.name, path, theirs: dump.server, ours: server, program: 'PostgreSQL' }));
  else if (format === 'custom' && facts.client.value && dump?.client && !canRead(facts.client.value, dump.client))
    findings.push(
      finding('DUMP_TOO_NEW', { host: host.name, path, theirs: dump.client, ours: facts.client.value, program: 'pg_dump' }),
    );
  if (privileges && dump?.grantees) {
    const roles = ask(dump.grantees.map((name) => pgRole(port, name).on(host.name)));
    findings.push(...rolesMissing(host.name, database, dump.grantees, roles));
  }
  const restored = file?.dump?.restored ?? (file?.sizeBytes ? restoredFromFile(file.sizeBytes, format) : undefined);
  const unread = 'which roles its privileges name is told when it is restored: it is too big to be read for that now';
  return {
    findings,
    notes: privileges && dump?.grantees === null ? [unread] : [],
    room: restored && facts.room.value ? roomFor(host.name, database, restored, facts.room.value) : [],
  };
}

function roomFor(
  host: string,
  database: string,
  restored: Expected,
  { directory, data, wal, maxWalBytes }: { directory: string; data: Room['free']; wal: Room['free']; maxWalBytes: number | null },
): Room[] {
  return [
    { host, path: directory, free: data, ...restored, what: `database ${database}` },
    {
      host,
      path: `${directory}/pg_wal`,
      free: wal,
      ...walExpected(restored, maxWalBytes ?? USUAL_WAL_BYTES),
      what: 'write-ahead log',
    },
  ];
}
