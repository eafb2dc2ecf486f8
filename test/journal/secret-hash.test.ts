import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
])('a key that is %s is refused in words when it is needed, and not before', (_, spoil, why) => {
  const dir = stateDir();
  spoil(join(dir, 'hash.key'));
  const hashes = new SecretHashes(dir);
  expect(() => hashes.hash('geheim')).toThrow(
    expect.objectContaining({
      code: expect.stringMatching(/^(STATE_DIR_UNUSABLE|HASH_KEY_BROKEN)$/),
      message: expect.stringMatching(why),
    }),
  );
});

it('a key that is none is moved away as the error says, and a new one made', () => {
  const dir = stateDir();
  const file = join(dir, 'hash.key');
  writeFileSync(file, '');
  expect(() => new SecretHashes(dir).hash('geheim')).toThrow(
    expect.objectContaining({ code: 'HASH_KEY_BROKEN', hint: expect.stringContaining(`mv ${file} ${file}.broken`) }),
  );
  renameSync(file, `${file}.broken`);
  expect(new SecretHashes(dir).matches('geheim', new SecretHashes(dir).hash('geheim'))).toBe(true);
  expect(readdirSync(dir).sort()).toEqual(['hash.key', 'hash.key.broken']);
});
