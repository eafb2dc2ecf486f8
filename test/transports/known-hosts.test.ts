import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fingerprint, knownHostsName, knownKeys } from '../../src/transports/known-hosts.ts';

const folder = mkdtempSync(join(tmpdir(), 'ferry-known-hosts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = (name: string): string => {
  const file = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
};
const KEY = key('first');
const OTHER = key('second');
const blob = (line: string) => line.split(' ')[1] ?? '';

let count = 0;
function write(text: string): string {
  const file = join(folder, `known_hosts-${count++}`);
  writeFileSync(file, text);
  return file;
}
const found = async (text: string, host: string, port = 22) =>
  (await knownKeys([write(text)], host, port)).map((one) => one.blob);

describe('the keys known for a host', () => {
  it('are found by name, address and list, whatever the case, and by nothing else', async () => {
    const text = `NewDB.lab.example,192.0.2.7 ${KEY}\n`;
    expect(await found(text, 'newdb.lab.example')).toEqual([blob(KEY)]);
    expect(await found(text, 'NEWDB.LAB.EXAMPLE')).toEqual([blob(KEY)]);
    expect(await found(text, '192.0.2.7')).toEqual([blob(KEY)]);
    expect(await found(text, 'newdb')).toEqual([]);
    expect(await found(text, '192.0.2.70')).toEqual([]);
    expect(await found(text, 'xnewdb.lab.example')).toEqual([]);
  });

  it('take a dot in a name for a dot', async () => {
    expect(await found(`192.0.2.7 ${KEY}\n`, '19210.2.7')).toEqual([]);
  });

  it('of another port stand in brackets, and do not count for port 22', async () => {
    const text = `[192.0.2.7]:2222 ${KEY}\n192.0.2.7 ${OTHER}\n`;
    expect(await found(text, '192.0.2.7', 2222)).toEqual([blob(KEY)]);
    expect(await found(text, '192.0.2.7')).toEqual([blob(OTHER)]);
    expect(await found(text, '192.0.2.7', 2223)).toEqual([]);
    expect([knownHostsName('a', 22), knownHostsName('a', 23)]).toEqual(['a', '[a]:23']);
  });

  it('follow wildcards and negations as OpenSSH does', async () => {
    const text = `*.lab.example,!old.lab.example,db? ${KEY}\n`;
    expect(await found(text, 'newdb.lab.example')).toEqual([blob(KEY)]);
    expect(await found(text, 'old.lab.example')).toEqual([]);
    expect(await found(text, 'db1')).toEqual([blob(KEY)]);
    expect(await found(text, 'db')).toEqual([]);
    expect(await found(text, 'db12')).toEqual([]);
    // A negation alone matches nobody.
    expect(await found(`!old.lab.example ${KEY}\n`, 'newdb.lab.example')).toEqual([]);
  });

  it('are found under names that ssh-keygen has hashed, on port 22 and others', async () => {
    const file = write(`newdb.lab.example ${KEY}\n[newdb.lab.example]:2222 ${OTHER}\n`);
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
    expect(readFileSync(file, 'utf8')).not.toContain('newdb');
    expect((await knownKeys([file], 'newdb.lab.example', 22)).map((one) => one.blob)).toEqual([blob(KEY)]);
    expect((await knownKeys([file], 'NewDB.lab.example', 2222)).map((one) => one.blob)).toEqual([blob(OTHER)]);
    expect(await knownKeys([file], 'he1.lab.example', 22)).toEqual([]);
  });

  it('say which are revoked and which are authorities; a marker nobody knows makes no key of a line', async () => {
    const markers = `@revoked * ${OTHER}\n@cert-authority * ${KEY}\nnewdb ${KEY}\n`;
    const text = `${markers}@REVOKED newdb ${OTHER}\n@trusted newdb ${OTHER}\n@revoked @cert-authority newdb ${OTHER}\n`;
    const keys = await knownKeys([write(text)], 'newdb', 22);
    expect(keys.map(({ line, as }) => [line, as])).toEqual([
      [1, 'revoked'],
      [2, 'authority'],
      [3, 'host'],
    ]);
  });

  it('are revoked on every port when they are on one name', async () => {
    const keys = await knownKeys([write(`@revoked newdb ${KEY}\nnewdb ${OTHER}\n`)], 'newdb', 2222);
    expect(keys.map(({ line, as }) => [line, as])).toEqual([[1, 'revoked']]);
  });

  it('are those that ssh-keygen finds, line by line', async () => {
    const lines = [
      'newdb',
      '[newdb]:2222',
      'new*,!newdb',
      '*',
      '10.0.0.?',
      '!newdb,*db',
      'NEWDB',
      '@revoked *',
      '@cert-authority newdb',
      '@odd newdb',
    ];
    const text = lines.map((names) => `${names} ${KEY}\n`).join('');
    // It hashes no file with a line it cannot read.
    const hashed = write(text.replace(/^@odd.*\n/m, ''));
    execFileSync('ssh-keygen', ['-H', '-f', hashed], { stdio: 'ignore' });
    for (const file of [write(text), hashed]) {
      for (const [host, port] of [
        ['newdb', 22],
        ['newdb', 2222],
        ['newdbs', 22],
        ['10.0.0.7', 22],
        ['olddb', 22],
      ] as const) {
        const { stdout } = spawnSync('ssh-keygen', ['-F', knownHostsName(host, port), '-f', file], { encoding: 'utf8' });
        const told = [...stdout.matchAll(/found: line (\d+)(?: (\S+))?/g)].map((match) => [Number(match[1]), match[2] ?? '']);
        const words = { host: '', revoked: 'REVOKED', authority: 'CA' };
        const ours = (await knownKeys([file], host, port)).map(({ line, as }) => [line, words[as]]);
        expect(ours, `${host} ${port} in ${file}`).toEqual(told);
      }
    }
  });

  it('are not to be had from a file that is there and cannot be read', async () => {
    await expect(knownKeys([folder], 'newdb', 22)).rejects.toMatchObject({ code: 'KNOWN_HOSTS_UNREADABLE' });
  });

  it('come with file and line, from all files in order; a file that is not there holds none', async () => {
    const first = write(`# comment ${KEY}\n\n  \nnewdb ${KEY} root@newdb\r\nbroken-line\n`);
    const second = write(`newdb ${OTHER}\n`);
    const keys = await knownKeys([join(folder, 'not-there'), first, second], 'newdb', 22);
    expect(keys.map(({ file, line, type }) => [file, line, type])).toEqual([
      [first, 4, 'ssh-ed25519'],
      [second, 1, 'ssh-ed25519'],
    ]);
  });
});

describe('a fingerprint', () => {
  it('is what ssh-keygen shows', () => {
    const shown = execFileSync('ssh-keygen', ['-l', '-f', join(folder, 'first.pub')], { encoding: 'utf8' }).split(' ')[1];
    expect(fingerprint(blob(KEY))).toBe(shown);
  });
});
