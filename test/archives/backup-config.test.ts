import { describe, expect, it } from 'vitest';
import { parseBackupConfig } from '../../src/archives/backup-config.ts';
import { parseHashList } from '../../src/archives/hash-list.ts';
import { readHeader } from '../../src/archives/tar-header.ts';

const REAL =
  'DB_DUMP_COMPRESSOR=\nDB_DUMP_FORMAT=custom\nDWH_DB_DUMP_COMPRESSOR=xz\nDWH_DB_DUMP_FORMAT="plain"\nMANAGEDBLOCK_DB_DUMP_FORMAT=custom\n';

describe('the config of an archive', () => {
  it('is what engine-backup writes, with or without quotes', () => {
    const { values, faults } = parseBackupConfig(`# a comment\n\n${REAL}`);
    expect(faults).toEqual([]);
    expect(Object.fromEntries(values)).toEqual({
      ...{ DB_DUMP_COMPRESSOR: '', DB_DUMP_FORMAT: 'custom', DWH_DB_DUMP_COMPRESSOR: 'xz', DWH_DB_DUMP_FORMAT: 'plain' },
      MANAGEDBLOCK_DB_DUMP_FORMAT: 'custom',
    });
  });

  it.each([
    'DB_DUMP_FORMAT=$(id)',
    'DB_DUMP_FORMAT=`id`',
    'DB_DUMP_FORMAT=custom; id',
    'DB_DUMP_FORMAT=custom id',
    'DB_DUMP_FORMAT="cus"tom',
    'DB_DUMP_FORMAT=custom\\',
    'DB_DUMP_FORMAT=custom\r',
    'DB_DUMP_FORMAT=tar',
    'DB_DUMP_COMPRESSOR=/tmp/evil',
    'PATH=/tmp/evil',
    'LD_PRELOAD=x',
    'TEMP_FOLDER=x',
    'id',
    ' DB_DUMP_FORMAT=custom',
    'export DB_DUMP_FORMAT=custom',
    'DB_DUMP_FORMAT[0]=custom',
    'DB_DUMP_FORMAT+=x',
    '. /tmp/evil',
    '\0',
  ])('refuses what a shell would do more with, with its line: %j', (line) => {
    const { values, faults } = parseBackupConfig(`DWH_DB_DUMP_FORMAT=custom\n${line}\n`);
    expect(faults).toEqual([{ line: 2, why: expect.any(String) }]);
    expect([...values.keys()]).toEqual(['DWH_DB_DUMP_FORMAT']);
  });
});

describe('a list of hashes', () => {
  const hash = 'a'.repeat(64);

  it('has a hash for each name, also for one that sha256sum had to escape', () => {
    const { hashes, faults } = parseHashList(`${hash}  db/x\n\\${hash}  a\\nb\\\\c\n${hash} *./y\n`, 'sha256sum');
    expect([...hashes.keys()]).toEqual(['db/x', 'a\nb\\c', 'y']);
    expect(faults).toEqual([]);
  });

  it.each([`${hash}`, `${'a'.repeat(32)}  x`, `${hash}  x\n${hash}  x`, `${hash.toUpperCase()}  x`])('refuses %j', (text) => {
    expect(parseHashList(text, 'sha256sum').faults).toHaveLength(1);
  });
});

describe('a header of tar', () => {
  const block = (change: (header: Buffer) => void) => {
    const header = Buffer.alloc(512);
    header.write('name', 0);
    for (const [at, text] of [
      [100, '0000644'],
      [108, '0'],
      [116, '0'],
      [124, '00000000010'],
      [257, 'ustar  '],
    ] as const)
      header.write(text, at);
    header[156] = 0x30;
    change(header);
    header.fill(' ', 148, 156);
    header.write(
      header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0'),
      148,
    );
    return header;
  };

  it('may have a size in base 256', () => {
    const big = block((header) => header.set([0x80, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0], 124));
    expect(readHeader(big)?.storedBytes).toBe(3 * 2 ** 32);
  });

  it.each<[string, (header: Buffer) => void]>([
    ['a size that is none', (header) => header.write('00000000x10', 124)],
    ['a size below nothing', (header) => header.fill(0xff, 124, 136)],
    ['a size beyond any disk', (header) => header.set([0x80, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff], 124)],
  ])('is refused with %s', (_, change) => {
    expect(() => readHeader(block(change))).toThrow('of a member is');
  });

  it('is refused when its checksum is wrong', () => {
    const header = block(() => undefined);
    header[0] = 0x41;
    expect(() => readHeader(header)).toThrow('checksum');
  });
});
