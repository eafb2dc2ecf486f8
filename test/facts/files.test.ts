import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { configFiles, patternAround, withFile } from '../../src/facts/config-files.ts';
import { diskFree } from '../../src/facts/disk-free.ts';
import { contentOf, fileContent, publishFile, sameFile, textOf } from '../../src/facts/file-content.ts';
import { type FileStat, fileStat, somethingThere } from '../../src/facts/file-stat.ts';
import { readHere, withFolder } from '../kit/read-here.ts';

const here = { mode: '0640', owner: 'root', group: 'root' };

describe('fileContent', () => {
  test('bytes come over as they are, with mode and owner', () =>
    withFolder((folder) => {
      const path = `${folder}/it's a "file"`;
      const bytes = Buffer.from([0, 255, 10, 13, 39]);
      writeFileSync(path, bytes);
      chmodSync(path, 0o640);
      const found = readHere(fileContent(path).on('one'));
      expect(found).toMatchObject({ state: 'value', value: { mode: '0640', sizeBytes: 5, base64: bytes.toString('base64') } });
    }));

  test('a missing file is absent; a link and a folder are not read', () =>
    withFolder((folder) => {
      symlinkSync('/etc/hostname', `${folder}/link`);
      expect(readHere(fileContent(`${folder}/none`).on('one'))).toEqual({ state: 'absent' });
      expect(readHere(fileContent(`${folder}/link`).on('one'))).toMatchObject({
        state: 'unreadable',
        why: expect.stringContaining('/etc/hostname'),
      });
      expect(readHere(fileContent(folder).on('one'))).toMatchObject({ state: 'unreadable' });
    }));

  test('a file over 64 KiB is known by its size and hash', () =>
    withFolder((folder) => {
      writeFileSync(`${folder}/big`, 'x'.repeat(65_537));
      expect(readHere(fileContent(`${folder}/big`).on('one'))).toMatchObject({ value: { sizeBytes: 65_537, base64: null } });
    }));

  test('what is published holds no secret and differs when the secret does', () => {
    const one = { ...contentOf('A=1\nDB_PASSWORD="hunter2"\n', here), keyedHash: 'aa' };
    const other = { ...contentOf('A=1\nDB_PASSWORD="hunter3"\n', here), keyedHash: 'bb' };
    expect(JSON.stringify(publishFile(one))).not.toMatch(/hunter|aHVudGVy/);
    expect(sameFile(publishFile(one), publishFile(other))).toBe(false);
    expect(sameFile(publishFile(one), publishFile({ ...one, keyedHash: null }))).toBe(true);
    expect(sameFile(publishFile(one), publishFile({ ...one, mode: '0600' }))).toBe(false);
  });

  test('where there is no hash, a mask stands for any text and for nothing else', () => {
    const lines = (...shown: string[]) => ({ ...publishFile(contentOf('DSN=u/hunter2@h\n', here)), lines: [...shown, ''] });
    expect(sameFile(lines('DSN=u/[secret]@h'), lines('DSN=u/hunter2@h'))).toBe(true);
    expect(sameFile(lines('DSN=u/hunter2@h'), lines('DSN=u/[secret]@h'))).toBe(true);
    expect(sameFile(lines('DSN=u/[secret]@h'), lines('DSN=u/hunter2@x'))).toBe(false);
    expect(sameFile(lines('DSN=(+'), lines('DSN=[secret]+'))).toBe(true);
    expect(sameFile(lines('a', 'b'), lines('[secret]'))).toBe(false);
  });

  test('a prediction is met by bytes, mode and owner, whatever the hash', () => {
    const { meets } = fileContent.definition;
    expect(meets({ ...contentOf('x', here), keyedHash: 'aa' }, contentOf('x', here))).toBe(true);
    expect(meets(contentOf('x', here), contentOf('y', here))).toBe(false);
    expect(meets(contentOf('x', { ...here, owner: 'ovirt' }), contentOf('x', here))).toBe(false);
  });

  test('bytes that are no text are told apart from text', () => {
    expect(textOf({ base64: Buffer.from('é').toString('base64') })).toBe('é');
    expect(textOf({ base64: Buffer.from([0xff]).toString('base64') })).toBeNull();
    expect(textOf({ base64: Buffer.from([97, 0]).toString('base64') })).toBeNull();
  });
});

describe('fileStat', () => {
  test('files, folders, links and nothing are told apart', () =>
    withFolder((folder) => {
      writeFileSync(`${folder}/f`, 'abc');
      mkdirSync(`${folder}/d`);
      symlinkSync('nowhere', `${folder}/l`);
      expect(readHere(fileStat(`${folder}/f`).on('one'))).toMatchObject({ value: { type: 'file', sizeBytes: 3 } });
      expect(readHere(fileStat(`${folder}/d`).on('one'))).toMatchObject({ value: { type: 'folder', sizeBytes: null } });
      expect(readHere(fileStat(`${folder}/l`).on('one'))).toMatchObject({ value: { type: 'link', mode: null } });
      expect(readHere(fileStat(`${folder}/none/x`).on('one'))).toEqual({ state: 'absent' });
    }));

  test('a prediction says only what it knows', () => {
    const { meets } = fileStat.definition;
    const read: FileStat = { type: 'file', mode: '0600', owner: 'root', group: 'root', sizeBytes: 7 };
    expect(meets(read, somethingThere)).toBe(true);
    expect(meets(read, { ...somethingThere, sizeBytes: 7 })).toBe(true);
    expect(meets(read, { ...somethingThere, type: 'folder' })).toBe(false);
  });
});

describe('configFiles', () => {
  test('a pattern names the files in the order of their bytes; other files are not read', () =>
    withFolder((folder) => {
      for (const name of ['10-b.conf', '10-B.conf', '9.conf', '10-b.conf.old', 'a b.conf'])
        writeFileSync(`${folder}/${name}`, name);
      const found = readHere(configFiles(`${folder}/*.conf`).on('one'));
      if (found.state !== 'value') throw new Error('not read');
      expect(found.value.map((file) => file.path.slice(folder.length + 1))).toEqual([
        '10-B.conf',
        '10-b.conf',
        '9.conf',
        'a b.conf',
      ]);
      expect(found.value.map(textOf)).toEqual(['10-B.conf', '10-b.conf', '9.conf', 'a b.conf']);
    }));

  test('no file is an empty list, not absent', () =>
    withFolder((folder) => {
      expect(readHere(configFiles(`${folder}/*.conf`).on('one'))).toEqual({ state: 'value', value: [] });
    }));

  test('a pattern cannot run commands', () =>
    withFolder((folder) => {
      readHere(configFiles(`${folder}/$(touch ${folder}/made)*`).on('one'));
      expect(readHere(fileStat(`${folder}/made`).on('one'))).toEqual({ state: 'absent' });
    }));

  test('a changed file takes its place in the list', () => {
    expect(patternAround('/etc/x.d/10-a.conf')).toBe('/etc/x.d/*.conf');
    expect(patternAround('/etc/x.d/10-a.txt')).toBeNull();
    const list = [{ ...contentOf('1', here), path: '/d/a.conf' }];
    expect(withFile(list, '/d/B.conf', contentOf('2', here)).map((file) => file.path)).toEqual(['/d/B.conf', '/d/a.conf']);
    expect(withFile(list, '/d/a.conf', undefined)).toEqual([]);
  });
});

test('free space is that of the nearest folder which is there', () =>
  withFolder((folder) => {
    const free = (path: string) => {
      const found = readHere(diskFree(path).on('one'));
      return found.state === 'value' ? found.value.bytes : Number.NaN;
    };
    // Other programs write meanwhile, so the two readings need not be equal to the byte.
    expect(Math.abs(free(`${folder}/not/yet/there`) - free(folder))).toBeLessThan(1e9);
  }));
