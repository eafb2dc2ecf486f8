import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { recordSecrets, refuseOtherSecrets, secretsAtHand } from '../../src/cli/state-dir.ts';
import { wire } from '../../src/cli/wire.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { SecretHashes } from '../../src/journal/secret-hash.ts';
import { typed } from '../kit/ferry.ts';

const folder = mkdtempSync(join(tmpdir(), 'ferry-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

// A rollback showed the line that comes back with the password in it, because it knew of no secret.
it('a rollback knows the secrets that can be had without asking, and does without those that cannot', async () => {
  const hashes = new SecretHashes(join(folder, 'state'));
  const file = join(folder, 'password');
  writeFileSync(file, 'right one\n', { mode: 0o600 });
  const inputs = new Map([
    ['here', new Secret('right one', `file:${file}`)],
    ['other', new Secret('former one', `file:${file}`)],
    ['gone', new Secret('x', `file:${file}.gone`)],
    ['typed', new Secret('y', 'prompt')],
    ['made', new Secret('z', 'cmd:touch /nowhere/ferry')],
  ]);
  const found = await secretsAtHand(
    recordSecrets(inputs, () => hashes),
    () => hashes,
  );
  expect([...found].map(([name, value]) => [name, (value as Secret).reveal()])).toEqual([['here', 'right one']]);
});

it('a rollback goes on where the key that knows secrets again is none, and shows none that may be one of them', async () => {
  const hashes = new SecretHashes(join(folder, 'state'));
  const file = join(folder, 'other-password');
  writeFileSync(file, 'right one\n', { mode: 0o600 });
  const recorded = recordSecrets(new Map([['here', new Secret('right one', `file:${file}`)]]), () => hashes);
  mkdirSync(join(folder, 'broken'), { mode: 0o700 });
  writeFileSync(join(folder, 'broken', 'hash.key'), '', { mode: 0o600 });
  const found = await secretsAtHand(recorded, () => new SecretHashes(join(folder, 'broken')));
  expect([...found.keys()]).toEqual(['here']);
});

it('a secret whose hash was made with a key that is lost is taken, and named; one that can be compared must be the same', () => {
  const hashes = new SecretHashes(join(folder, 'state'));
  const lost = new SecretHashes(join(folder, 'lost'));
  const right = new Map([['password', new Secret('right one', 'prompt')]]);
  const told = { since: 'the run began', command: 'ferry resume r-1' };
  const refuse = (recorded: SecretHashes, given = right) =>
    refuseOtherSecrets(
      recordSecrets(right, () => recorded),
      given,
      () => hashes,
      told,
    );
  const wrong = new Map([['password', new Secret('wrong one', 'prompt')]]);
  expect([refuse(hashes), refuse(lost), refuse(lost, wrong)]).toEqual([[], ['password'], ['password']]);
  expect(() => refuse(hashes, wrong)).toThrow(expect.objectContaining({ code: 'SECRET_CHANGED' }));
});

describe('a folder without a journal', () => {
  const dir = join(folder, 'mistyped');

  it.each([
    ['runs', 0, `There are no runs in ${dir}.`],
    ['status', 64, `There is no run in the state folder ${dir}.`],
    ['log r-1', 64, `no run r-1 in the state folder ${dir}`],
    ['audit r-1', 64, 'RUN_UNKNOWN'],
    ['approve r-1 stop', 64, 'RUN_UNKNOWN'],
    ['resume', 64, 'RUN_UNKNOWN'],
    ['rollback', 64, 'RUN_UNKNOWN'],
    ['takeover r-1', 64, 'RUN_UNKNOWN'],
    ['clean', 0, 'Nothing to clean'],
  ])('is not made by ferry %s, which finds no run there', async (words, exit, said) => {
    const ferry = typed(`${words} --state-dir ${dir}`, { wire });
    expect({ exit: await ferry.exit, said: ferry.out.text() + ferry.err.text() }).toEqual({
      exit,
      said: expect.stringContaining(said),
    });
    expect(existsSync(dir)).toBe(false);
  });

  it('is not seen where nobody can look', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    for (const words of ['runs', 'clean', 'log r-1']) {
      const ferry = typed(`${words} --state-dir ${join(file, 'state')}`, { wire });
      expect(await ferry.exit).toBe(64);
      expect(ferry.err.text()).toContain('STATE_DIR_UNUSABLE');
    }
  });
});
