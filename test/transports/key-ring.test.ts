import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, describe, expect, it } from 'vitest';
import { type Identity, KeyRing } from '../../src/transports/key-ring.ts';
import { SshKeys } from '../kit/ssh-keys.ts';

const keys = new SshKeys();
afterAll(() => keys.remove());

const parse = (data: Buffer | string, passphrase?: string) => ssh2.utils.parseKey(data, passphrase);
const identity = async (ring: KeyRing, file: string): Promise<Identity> => {
  const found = await ring.identity(file, parse);
  if (found instanceof Error) throw found;
  return found;
};

describe('a locked key', () => {
  it.each([
    ['ed25519', ['-t', 'ed25519']],
    ['rsa', ['-t', 'rsa', '-b', '2048']],
    ['ecdsa', ['-t', 'ecdsa']],
    ['ed25519 under aes256-gcm', ['-t', 'ed25519', '-Z', 'aes256-gcm@openssh.com']],
  ])('of OpenSSH shows its public half without the passphrase, and opens with it: %s', async (_name, words) => {
    const file = keys.make('geheim', words, 'alone');
    const ring = new KeyRing({ passphrase: 'geheim' });
    const found = await identity(ring, file);
    expect(found).toMatchObject({ locked: true, key: null });
    const opened = await ring.unlock(file, parse);
    if (opened instanceof Error) throw opened;
    expect(found.publicKey?.getPublicSSH().equals(opened.getPublicSSH())).toBe(true);
    const data = Buffer.from('what the server asks to sign');
    expect(found.publicKey?.verify(data, opened.sign(data))).toBe(true);
  });

  it('in the old PEM form is known by the .pub beside it, and not at all without', async () => {
    const words = ['-t', 'rsa', '-b', '2048', '-m', 'PEM'];
    const ring = new KeyRing({ passphrase: 'geheim' });
    const beside = keys.make('geheim', words);
    expect((await identity(ring, beside)).publicKey).not.toBeNull();
    expect(await ring.unlock(beside, parse)).not.toBeInstanceOf(Error);
    expect(await identity(ring, keys.make('geheim', words, 'alone'))).toMatchObject({ locked: true, publicKey: null });
  });

  it('is asked about once, whoever needs it and however often, and one question stands at a time', async () => {
    const [one, two] = [keys.make('first'), keys.make('second')];
    const questions: string[] = [];
    let open = 0;
    const ring = new KeyRing({
      ask: async (question) => {
        questions.push(question);
        open += 1;
        expect(open).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        return question.endsWith(one) ? 'first' : 'second';
      },
    });
    const opened = await Promise.all([one, two, one, two].map((file) => ring.unlock(file, parse)));
    expect(opened.filter((key) => key instanceof Error)).toEqual([]);
    expect(opened[0]).toBe(opened[2]);
    await ring.unlock(one, parse);
    expect(questions).toEqual([`Passphrase of the key ${one}`, `Passphrase of the key ${two}`]);
  });

  it('may be given a wrong passphrase twice, not three times', async () => {
    const answers = ['wrong', 'wrong', 'geheim'];
    const file = keys.make('geheim');
    const questions: string[] = [];
    const ring = new KeyRing({ ask: async (question) => answers[questions.push(question) - 1] ?? null });
    expect(await ring.unlock(file, parse)).not.toBeInstanceOf(Error);
    expect(questions[1]).toContain('does not open it');
    expect(await new KeyRing({ ask: async () => 'wrong' }).unlock(file, parse)).toMatchObject({
      message: 'it is encrypted, and 3 passphrases did not open it',
    });
  });

  it.each([
    [{}, 'nobody can be asked'],
    [{ passphrase: 'wrong' }, 'FERRY_KEY_PASSPHRASE does not open it'],
    [{ ask: async () => null }, 'no passphrase was given'],
    [{ ask: async () => '' }, 'no passphrase was given'],
  ])('stays locked and says why: %j', async (ways, why) => {
    const key = await new KeyRing(ways).unlock(keys.make('geheim'), parse);
    expect(key).toBeInstanceOf(Error);
    expect((key as Error).message).toContain(why);
  });

  it('is asked about when the given passphrase is another one’s', async () => {
    const ring = new KeyRing({ passphrase: 'another', ask: async () => 'geheim' });
    expect(await ring.unlock(keys.make('geheim'), parse)).not.toBeInstanceOf(Error);
  });
});

describe('a file', () => {
  it('with an open key is its key, with a public one its name only', async () => {
    const file = keys.make();
    expect(await identity(new KeyRing(), file)).toMatchObject({ locked: false, key: expect.anything() });
    expect(await identity(new KeyRing(), `${file}.pub`)).toMatchObject({
      locked: false,
      key: null,
      publicKey: expect.anything(),
    });
  });

  it('that is none, or holds none, says so', async () => {
    const other = join(keys.folder, 'other');
    writeFileSync(other, 'no key at all');
    expect(await new KeyRing().identity(join(keys.folder, 'gone'), parse)).toMatchObject({ message: 'no such file' });
    expect(await new KeyRing().identity(other, parse)).toBeInstanceOf(Error);
    writeFileSync(other, '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n');
    expect(await new KeyRing().identity(other, parse)).toBeInstanceOf(Error);
  });
});
