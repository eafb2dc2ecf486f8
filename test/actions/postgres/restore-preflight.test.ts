import { describe, expect, test } from 'vitest';
import dump from '../../../src/actions/postgres/dump.ts';
import { canRead, dumpExpected, restoredExpected } from '../../../src/actions/postgres/estimate.ts';
import { restorePreflight } from '../../../src/actions/postgres/restore-preflight.ts';
import { diskFree } from '../../../src/facts/disk-free.ts';
import { type ExpectedDump, type FileStat, fileStat } from '../../../src/facts/file-stat.ts';
import { pgClientVersion } from '../../../src/facts/pg-client-version.ts';
import { type PgCluster, pgCluster } from '../../../src/facts/pg-cluster.ts';
import { type PgDumpFile, pgDumpFile } from '../../../src/facts/pg-dump-file.ts';
import { type PgRole, pgRole } from '../../../src/facts/pg-role.ts';
import { pgRoom } from '../../../src/facts/pg-room.ts';
import { pgSize } from '../../../src/facts/pg-size.ts';
import { asking } from '../../kit/asking.ts';
import { factOf, siteOf } from '../../kit/facts.ts';

const H = 'newdb';
const path = '/d/engine.dump';
const MB = 1_000_000;
const size = { bytes: 204 * MB, tables: 156, tableBytes: 120 * MB, indexBytes: 60 * MB };
const aDump: ExpectedDump = {
  ...dumpExpected(size, 1),
  restored: restoredExpected(size),
  server: 15,
  client: 15,
  grantees: ['engine', 'reader'],
  format: 'custom',
};
const read = { format: 'custom', damage: null, server: 15, client: 15, grantees: [] } as const;
const file = (more: Partial<FileStat>): FileStat => ({
  ...{ type: 'file', mode: '0600', owner: 'root', group: 'root', sizeBytes: null },
  ...more,
});

function find(more: {
  file?: FileStat;
  read?: boolean;
  inFile?: PgDumpFile;
  server?: number;
  client?: number;
  privileges?: boolean;
  format?: 'plain';
  maxWalBytes?: number | null;
  roles?: readonly string[];
  madeRoles?: readonly string[];
}) {
  const free = { bytes: 1e12, mount: '/' };
  const role = (name: string) => pgRole(5432, name).on(H);
  const { ask } = asking(
    factOf(pgCluster(5432).on(H), { version: more.server ?? 15 } as PgCluster),
    factOf(pgClientVersion(5432).on(H), more.client ?? more.server ?? 15),
    factOf(fileStat(path).on(H), more.file ?? file({ dump: aDump }), { read: more.read ?? false }),
    factOf(pgDumpFile(path).on(H), more.inFile),
    factOf(pgRoom(5432).on(H), {
      directory: '/data',
      data: free,
      wal: { ...free, mount: '/wal' },
      maxWalBytes: more.maxWalBytes ?? null,
    }),
    ...(more.roles ?? []).map((name) => factOf(role(name), { name } as PgRole)),
    ...(more.madeRoles ?? []).map((name) => factOf(role(name), { name } as PgRole, { after: 'role' })),
  );
  return restorePreflight(
    { database: 'engine', path, privileges: more.privileges ?? false, format: more.format ?? 'custom', port: 5432 },
    ask,
    siteOf(H),
  );
}

describe('a dump that is to be restored', () => {
  test.each([
    [
      'a plain one where custom is meant',
      { inFile: { ...read, format: 'plain' as const } },
      'DUMP_OTHER_FORMAT',
      /is in plain format/,
    ],
    ['a custom one where plain is meant', { inFile: read, format: 'plain' as const }, 'DUMP_OTHER_FORMAT', /is in custom format/],
    [
      'a cut one',
      { inFile: { ...read, format: 'plain' as const, damage: 'it was cut' }, format: 'plain' as const },
      'DUMP_BROKEN',
      /no whole dump of one database: it was cut\. Nothing/,
    ],
  ])('blocks the plan when it is %s', (_, more, code, message) => {
    const { findings } = find({ file: file({ sizeBytes: 9 }), read: true, ...more });
    expect(findings).toMatchObject([{ severity: 'error', code, message: expect.stringMatching(message) }]);
  });

  test('of which an earlier step makes another format blocks the plan too', () => {
    const findings = find({ file: file({ dump: { ...aDump, format: 'plain' } }) }).findings;
    expect(findings).toMatchObject([{ code: 'DUMP_OTHER_FORMAT' }]);
  });

  test('that is plain and too big to be read for its privileges says so', () => {
    const more = { inFile: { ...read, format: 'plain' as const, grantees: null }, format: 'plain' as const, privileges: true };
    expect(find({ file: file({ sizeBytes: 9 }), read: true, ...more })).toMatchObject({
      findings: [],
      notes: [expect.stringContaining('which roles its privileges name')],
    });
  });

  test.each([
    ['of the same version', { server: 15 }, []],
    ['of an older server', { server: 17 }, []],
    ['of a newer server', { server: 14 }, ['PostgreSQL 15 > 14']],
    [
      'written by a pg_dump whose format pg_restore does not know',
      { file: file({ dump: { ...aDump, client: 17 } }) },
      ['pg_dump 17 > 15'],
    ],
    [
      'written by a newer pg_dump in the same format',
      { file: file({ dump: { ...aDump, server: 13, client: 15 } }), server: 14 },
      [],
    ],
    [
      'that is there and says it is of a newer server',
      { file: file({ sizeBytes: 9 }), read: true, inFile: { ...read, server: 16 } },
      ['PostgreSQL 16 > 15'],
    ],
    ['of which nobody knows anything', { file: file({ sizeBytes: 9 }) }, []],
  ])('%s', (_, more, expected) => {
    const findings = find(more).findings ?? [];
    expect(
      findings.map(({ message }) => message.replace(/.* is of (\S+) version (\d+), and newdb has version (\d+)\./, '$1 $2 > $3')),
    ).toEqual(expected);
    for (const { code, severity } of findings) expect([code, severity]).toEqual(['DUMP_TOO_NEW', 'error']);
  });

  test('with privileges needs every role its GRANTs name, there already or made by an earlier step', () => {
    expect(find({ privileges: true, roles: ['engine'] }).findings).toMatchObject([
      {
        code: 'ROLES_MISSING',
        message: expect.stringMatching(/does not have: reader\.$/),
        hint: expect.stringContaining('for r in reader;'),
      },
    ]);
    expect(find({ privileges: true, roles: ['engine'], madeRoles: ['reader'] }).findings).toEqual([]);
    expect(find({ privileges: false }).findings).toEqual([]);
  });

  test('takes room for data and for the log, known from the database it will be dumped from', () => {
    expect(find({ maxWalBytes: 100 * MB }).room).toMatchObject([
      { path: '/data', least: 45 * MB, likely: 206 * MB, free: { mount: '/' } },
      { path: '/data/pg_wal', least: 0, likely: 100 * MB, free: { mount: '/wal' } },
    ]);
    expect(find({ file: file({ sizeBytes: 61 * MB }), read: true }).room?.[0]).toMatchObject({
      least: 30.5 * MB,
      likely: 374 * MB,
    });
    expect(find({ file: file({}) }).room).toEqual([]);
  });
});

describe('estimates', () => {
  test('of a dump follow what its tables take, and what is locked does not keep them from being made', () => {
    expect(dumpExpected(size, 1)).toEqual({ least: 2.4 * MB, likely: 84 * MB });
    expect(dumpExpected(size, 0)).toEqual({ least: 12 * MB, likely: 150 * MB });
    expect(dumpExpected({ ...size, tableBytes: null, indexBytes: null }, 1).likely).toBeCloseTo(142.8 * MB);
    expect(restoredExpected({ ...size, tableBytes: null, indexBytes: null }).least).toBe(51 * MB);
  });

  test('of a dump are what the step says it takes of the disk', () => {
    const { ask } = asking(factOf(pgSize(5432, 'engine').on(H), size), factOf(diskFree(path).on(H), { bytes: 7, mount: '/d' }));
    const params = dump.params.parse({ database: 'engine', path });
    expect(dump.preflight?.(params, ask, { ...siteOf(H), hostAt: () => undefined }).room).toEqual([
      { host: H, path, free: { bytes: 7, mount: '/d' }, least: 2.4 * MB, likely: 84 * MB, what: `dump ${path}` },
    ]);
  });

  test.each([
    [15, 15, true],
    [15, 12, true],
    [12, 15, true],
    [15, 16, false],
    [16, 17, false],
    [17, 18, true],
    [18, 11, true],
  ])('the pg_restore of %i reads what the pg_dump of %i wrote: %s', (reader, writer, expected) => {
    expect(canRead(reader, writer)).toBe(expected);
  });
});
