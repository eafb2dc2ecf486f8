import { dirname } from 'node:path/posix';
import { z } from 'zod';
import { isFerryError } from '../../errors/ferry-error.ts';
import { diskFree } from '../../facts/disk-free.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { pgClientVersion } from '../../facts/pg-client-version.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgDatabase } from '../../facts/pg-database.ts';
import { pgGrantees } from '../../facts/pg-grantees.ts';
import { pgSize } from '../../facts/pg-size.ts';
import { asPostgres, conninfo } from '../../facts/postgres/psql.ts';
import { sh } from '../../hosts/sh.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { blocked, change, defineAction, type Site } from '../action.ts';
import { madeFilePreview } from '../file-preview.ts';
import { foldersToMake, makeFolders, parentFacts, removeFolders } from '../made-folders.ts';
import { unknown } from '../outputs.ts';
import { absolutePath } from '../params.ts';
import { dumpExpected, expectedDump } from './estimate.ts';
import { clientTooOld, clusterPort, databaseName, dumpFormat, notReady } from './params.ts';
import { whoBlocks } from './who-blocks.ts';

type Undo = { path: string; folders: string[] };
type Data = {
  port: number;
  database: string;
  path: string;
  format: 'custom' | 'plain';
  compress: number;
  folders: string[];
  bytes: number | null;
  mayReplace: boolean;
};

export default defineAction({
  summary: 'Dump a database to a file.',
  description:
    'Runs as a unit of its own, which outlives Ferry. The file is 0600 root in a 0700 folder, and has its name only when it is whole; pg_dump runs as postgres and gets it as its stdout.',
  undone: 'The file and the folder made for it are removed.',
  converges: false,
  tools: ['psql', 'pg_dump'],
  params: z.strictObject({
    database: databaseName(),
    path: absolutePath().describe('The file to make, in a folder only root may write to; a missing folder is made.'),
    format: dumpFormat().describe('custom: compressed, for pg_restore. plain: SQL, for psql and for people.'),
    compress: z
      .int()
      .min(0)
      .max(9)
      .optional()
      .describe('gzip level of custom format, 1 unless given; 0 is fastest where disk and network are no limit.'),
    port: clusterPort(),
  }),
  outputs: {
    path: 'Where the dump is.',
    folders: 'Folders that were made for it, for `emptyFolders` of file.remove.',
    sha256: 'SHA-256 of the file, in hex.',
    bytes: 'Size of the file.',
    version: 'Major version of the server it comes from.',
    warnings: 'Lines pg_dump printed, mostly none.',
  },
  facts: ({ host }, { database, path, port }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
    size: pgSize(port, database).on(host.name),
    client: pgClientVersion(port).on(host.name),
    file: fileStat(path).on(host.name),
    folders: parentFacts(host.name, path),
    disk: diskFree(path).on(host.name),
    grantees: pgGrantees(port, database).on(host.name),
  }),
  touches: ({ database, path, port }, role) => ({
    changes: [[role, fileStat.key(path)]],
    reads: [[role, pgDatabase.key(port, database)]],
    effects: [
      { does: 'dump', role, port, database, path },
      { does: 'make-file', role, path, how: 'new' },
    ],
  }),
  plan(
    { database, path, format, port, ...params },
    facts,
    { host, earlier }: Site & { readonly earlier: { readonly undo: Undo } | null },
  ) {
    if (format === 'plain' && params.compress !== undefined)
      return blocked('a plain dump is not compressed', 'Leave `compress` out, or the format.');
    const compress = levelOf(format, params.compress);
    const refused = notReady(facts.cluster, port) ?? clientTooOld(facts.client, facts.cluster);
    if (refused) return refused;
    if (!facts.database.value)
      return blocked(`database "${database}" does not exist on ${host.name}`, 'postgres.read   names those that do.');
    if (facts.file.value && !earlier)
      return blocked(`${path} is there already on ${host.name}`, `Choose another path, or:  rm ${path}`);
    const nearest = facts.folders.find((folder) => folder.value)?.value;
    const isFolderRoots =
      !facts.folders[0]?.value || (nearest?.owner === 'root' && (Number.parseInt(nearest.mode ?? '0', 8) & 0o022) === 0);
    if (nearest?.type !== 'folder' || !isFolderRoots) {
      return blocked(
        `${dirname(path)} on ${host.name} is not a folder only root may write to`,
        'Name a folder of its own in `path`; it is made.',
      );
    }
    const size = facts.size.value?.bytes;
    const free = facts.disk.value?.bytes;
    const known = facts.size.value;
    if (!earlier && known && size !== undefined && free !== undefined && free < dumpExpected(known, compress).least) {
      return blocked(
        `${host.name} has ${formatBytes(free)} free for a dump of a database of ${formatBytes(size)}`,
        `Make room for ${path}, or choose another path.`,
      );
    }
    const { folders, predicts: made } = foldersToMake(facts.folders, path);
    const dump = known && {
      dump: expectedDump(known, compress, {
        server: facts.cluster.value?.version ?? null,
        client: facts.client.value ?? null,
        grantees: facts.grantees.value ?? [],
        format,
      }),
    };
    return change<Undo, Data>({
      summary: `dump ${database}${size === undefined ? '' : ` (${formatBytes(size)} on disk)`} to ${path}${format === 'plain' ? ', as plain SQL' : ''}`,
      predicts: [
        ...made,
        facts.file.becomes({ type: 'file', mode: '0600', owner: 'root', group: 'root', sizeBytes: null, ...dump }),
      ],
      outputs: {
        path,
        folders: earlier?.undo.folders ?? folders,
        sha256: unknown('SHA-256 of the dump'),
        bytes: unknown('size of the dump'),
        version: facts.cluster.value?.version ?? null,
        warnings: unknown('what pg_dump prints'),
      },
      undo: { path, folders },
      undoSummary: 'remove it',
      data: { port, database, path, format, compress, folders, bytes: size ?? null, mayReplace: earlier !== null },
      ...(size === undefined ? {} : { bytes: size }),
    });
  },
  preflight({ database, path, format, compress, port }, ask, { host }) {
    const { size, disk } = ask({ size: pgSize(port, database).on(host.name), disk: diskFree(path).on(host.name) });
    const expected = size.value && dumpExpected(size.value, levelOf(format, compress));
    return { room: expected ? [{ host: host.name, path, free: disk.value, ...expected, what: `dump ${path}` }] : [] };
  },
  async apply({ on, change: { data, outputs } }) {
    const { path, folders, port, database, format, compress } = data;
    const flags = format === 'plain' ? ['-Fp'] : ['-Fc', '-Z', compress];
    // With -C no link in a folder of somebody else leads what root writes elsewhere.
    const script = sh`umask 077; set -C; f=${path}; p="$f.part"
${makeFolders(folders)}
${data.mayReplace ? sh`rm -f -- "$p" "$f"` : sh`rm -f -- "$p"; [ ! -e "$f" ] || { echo "$f is there already"; exit 1; }`}
${asPostgres} pg_dump ${flags} --lock-wait-timeout=60s -p ${port} -d ${conninfo(database)} >"$p"; r=$?
if [ $r -eq 0 ]; then ${format === 'plain' ? sh`tail -c 1000 -- "$p" | grep -q '^-- PostgreSQL database dump complete' && ` : sh``}sync "$p" && mv -- "$p" "$f" && sync ${dirname(path)}; r=$?; fi
[ $r -eq 0 ] || { rm -f -- "$p"; exit $r; }
printf 'ferry-dump %s %s\\n' "$(sha256sum <"$f" | cut -d' ' -f1)" "$(stat -c %s -- "$f")"`;
    try {
      const progress = sh`stat -c %s -- ${`${path}.part`}`;
      const done = await on.detached('dump', script, {
        progress,
        note: 'dumping',
        diagnose: whoBlocks(port, database, 'pg_dump'),
        ...(data.bytes === null ? {} : { totalBytes: data.bytes }),
      });
      const lines = done.stdout.trim().split('\n');
      const [, sha256 = '', bytes = ''] = /^ferry-dump ([0-9a-f]{64}) (\d+)$/.exec(lines.at(-1) ?? '') ?? [];
      return { ...outputs, path, sha256, bytes: Number(bytes), warnings: lines.slice(0, -1) };
    } catch (thrown) {
      if (isFerryError(thrown, 'COMMAND_FAILED'))
        thrown.left = `Nothing was changed in ${database}; the partial dump on ${on.name} was removed.`;
      throw thrown;
    }
  },
  async rollback({ on, undo: { path, folders } }) {
    await on.change('remove', sh`rm -f -- ${path} ${`${path}.part`} || exit 1\n${removeFolders(folders)}`);
  },
  preview: madeFilePreview<Undo>(),
  examples: [{ title: 'The engine database', with: { database: 'engine', path: '/var/lib/ferry-dumps/engine.dump' } }],
});

/** How much a dump is compressed: a plain one is not. */
function levelOf(format: 'custom' | 'plain', compress: number | undefined): number {
  return format === 'plain' ? 0 : (compress ?? 1);
}
