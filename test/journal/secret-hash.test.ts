import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SecretHashes } from '../../src/journal/secret-hash.ts';

function stateDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'ferry-key-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

it('a secret is known again by the key of its state folder, and by no other', () => {
  const dir = stateDir();
  const hashed = new SecretHashes(dir).hash('geheim');
  expect(new SecretHashes(dir).matches('geheim', hashed)).toBe(true);
  expect(new SecretHashes(dir).matches('anders', hashed)).toBe(false);
  expect(new SecretHashes(stateDir()).matches('geheim', hashed)).toBe(false);
});

it('a hash tells with which key it was made, so that one of another is not taken for that of another value', () => {
  const dir = stateDir();
  const hashes = new SecretHashes(dir);
  const hashed = hashes.hash('geheim');
  expect([new SecretHashes(dir).canCompare(hashed), new SecretHashes(stateDir()).canCompare(hashed)]).toEqual([true, false]);
  // As older releases wrote it, without a key's name.
  const old = hashed.split(':').slice(0, 2).join(':');
  expect([hashes.canCompare(old), hashes.matches('geheim', old)]).toEqual([true, true]);
});

// Each was told as a defect of Ferry, or hashed with half a key.
it.each([
  ['a folder', (file: string) => mkdirSync(file), /EISDIR/],
  ['empty', (file: string) => writeFileSync(file, ''), /has 0 bytes and should have 32/],
  ['cut', (file: string) => writeFileSync(file, 'half'), /has 4 bytes/],
])('a key that is %s is refused in words', (_, spoil, why) => {
  const dir = stateDir();
  spoil(join(dir, 'hash.key'));
  expect(() => new SecretHashes(dir)).toThrow(
    expect.objectContaining({ code: 'STATE_DIR_UNUSABLE', args: { dir, why: expect.stringMatching(why) } }),
  );
});
