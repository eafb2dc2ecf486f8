import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import make, { makeScript } from '../../../src/actions/certificate/make.ts';
import { type Certificate, certificate } from '../../../src/facts/certificate.ts';
import { type FileStat, fileStat } from '../../../src/facts/file-stat.ts';
import { factOf, siteOf } from '../../kit/facts.ts';
import { readHere, withFolder } from '../../kit/read-here.ts';

const file: FileStat = { type: 'file', mode: '0600', owner: 'postgres', group: 'postgres', sizeBytes: 5 };
const good: Certificate = { fingerprint: 'AA', names: ['db'], endsAtS: 1, fits: true };
const [C, K] = ['/etc/tls/db.crt', '/etc/tls/db.key'];

function plan(there: { certificate?: Certificate; files: [boolean, boolean]; folder?: boolean; earlier?: boolean }) {
  const params = make.params.parse({ certificate: C, key: K, names: ['db', '192.0.2.1'] });
  const facts = {
    certificate: factOf(certificate(C, K).on('one'), there.certificate),
    files: [C, K].map((path, index) => factOf(fileStat(path).on('one'), there.files[index] ? file : undefined)),
    folders: [0, 1].map(() =>
      factOf(fileStat('/etc/tls').on('one'), there.folder === false ? undefined : { ...file, type: 'folder' as const }),
    ),
  };
  return make.plan(params, facts, { ...siteOf('one'), earlier: there.earlier ? { undo: { paths: [C, K] } } : null });
}

describe('certificate.make', () => {
  test.each([
    [
      'nothing there',
      { files: [false, false] as [boolean, boolean] },
      'change',
      'make a certificate for db, 192.0.2.1, good for 825 days',
    ],
    [
      'both there, and they fit',
      { certificate: good, files: [true, true] as [boolean, boolean] },
      'no-change',
      'there already, for db',
    ],
    [
      'another key',
      { certificate: { ...good, fits: false }, files: [true, true] as [boolean, boolean] },
      'blocked',
      `${C} is there on one and the key is not its own`,
    ],
    ['a key alone', { files: [false, true] as [boolean, boolean] }, 'blocked', `${K} is there on one without the other`],
    [
      'a key alone, of an attempt that died',
      { files: [false, true] as [boolean, boolean], earlier: true },
      'change',
      'make a certificate for db, 192.0.2.1, good for 825 days',
    ],
    [
      'no folder',
      { files: [false, false] as [boolean, boolean], folder: false },
      'blocked',
      'the folder /etc/tls is not there on one',
    ],
  ])('%s', (_, there, kind, summary) => {
    expect(plan(there)).toMatchObject({ kind, summary });
  });

  test('openssl makes a pair that fits, for these names, and the reader tells another key', () =>
    withFolder((folder) => {
      const paths = { certificate: join(folder, "it's.crt"), key: join(folder, 'a key') };
      const { username } = userInfo();
      const group = spawnSync('id', ['-gn'], { encoding: 'utf8' }).stdout.trim();
      const script = makeScript({
        ...paths,
        names: ['db.example.com', '2001:db8::1'],
        days: 3,
        owner: username,
        group,
        mode: '0640',
      });
      const ran = spawnSync('sh', ['-c', script.text], { encoding: 'utf8' });
      expect([ran.status, ran.stderr]).toEqual([0, '']);
      expect(readdirSync(folder).toSorted()).toEqual(['a key', "it's.crt"]);
      expect((statSync(paths.key).mode & 0o777).toString(8)).toBe('640');
      const read = readHere(certificate(paths.certificate, paths.key).on('here'));
      expect(read).toMatchObject({ value: { names: ['db.example.com', '2001:DB8:0:0:0:0:0:1'], fits: true } });
      const days = ((read as { value: Certificate }).value.endsAtS ?? 0) - Date.now() / 1000;
      expect(days / 86_400).toBeCloseTo(3, 1);

      const other = { ...paths, certificate: join(folder, 'other.crt'), key: join(folder, 'other.key') };
      spawnSync('sh', ['-c', makeScript({ ...other, names: ['x'], days: 3, owner: username, group, mode: '0600' }).text]);
      expect(readHere(certificate(paths.certificate, other.key).on('here'))).toMatchObject({ value: { fits: false } });
      expect(readHere(certificate(paths.certificate, join(folder, 'gone')).on('here'))).toMatchObject({ value: { fits: false } });
      expect(readHere(certificate(join(folder, 'gone'), paths.key).on('here'))).toEqual({ state: 'absent' });
      writeFileSync(other.certificate, 'no certificate');
      expect(readHere(certificate(other.certificate, other.key).on('here'))).toMatchObject({ state: 'unreadable' });
    }));
});
