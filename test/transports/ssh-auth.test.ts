import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type ParsedKey } from 'ssh2';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { HostSettings } from '../../src/inventory/inventory.ts';
import { KeyRing } from '../../src/transports/key-ring.ts';
import { type Login, prepareLogin } from '../../src/transports/ssh-auth.ts';
import { SshKeys } from '../kit/ssh-keys.ts';

const keys = new SshKeys();
afterAll(() => keys.remove());

const settings = (more: Partial<HostSettings>): HostSettings => ({
  name: 'newdb',
  hostName: 'newdb',
  port: 22,
  user: 'root',
  address: 'newdb',
  identityFiles: [],
  agent: null,
  knownHostsFiles: [],
  connection: 'ssh',
  ...more,
});
const blobOf = (file: string) => readFileSync(`${file}.pub`, 'utf8').split(' ')[1]?.trim();
const offered = (login: Login) =>
  new Promise<ParsedKey[]>((resolve, reject) =>
    login.agent.getIdentities((cause, found) => (cause ? reject(cause) : resolve((found ?? []) as ParsedKey[]))),
  );
const blobs = async (login: Login) => (await offered(login)).map((key) => key.getPublicSSH().toString('base64'));
const sign = (login: Login, key: ParsedKey, data: Buffer) =>
  new Promise<Buffer>((resolve, reject) =>
    login.agent.sign(key, data, {}, (cause, signature) => (signature ? resolve(signature) : reject(cause))),
  );

describe('a login offers keys', () => {
  it('as ssh does: named ones that the agent holds, its others, then files', async () => {
    const [file, named, other] = [keys.make(), keys.make(), keys.make()];
    const agent = await keys.agent(other, named);
    const login = await prepareLogin(settings({ agent, identityFiles: [file, named] }), new KeyRing(), ssh2);
    expect(await blobs(login)).toEqual([blobOf(named), blobOf(other), blobOf(file)]);
    expect(login.tried).toEqual(['agent', `key ${file}`]);
  });

  it('of the agent only where they are named, when told so; a public file names one', async () => {
    const [named, other, locked] = [keys.make(), keys.make(), keys.make('geheim')];
    const agent = await keys.agent(other, named);
    const identityFiles = [`${named}.pub`, locked];
    const login = await prepareLogin(settings({ agent, identityFiles, identitiesOnly: true }), new KeyRing(), ssh2);
    expect(await blobs(login)).toEqual([blobOf(named), blobOf(locked)]);
  });

  it('of a locked file through the agent that holds it, without a question', async () => {
    const open = keys.make();
    const agent = await keys.agent(open);
    const ring = new KeyRing({ ask: () => Promise.reject(new Error('asked')) });
    const login = await prepareLogin(settings({ agent, identityFiles: [open] }), ring, ssh2);
    const [key] = await offered(login);
    const data = Buffer.from('to sign');
    expect(key?.verify(data, await sign(login, key, data))).toBe(true);
  });

  it('and unlocks one when the server wants it signed with, not before', async () => {
    const asked: string[] = [];
    const told: boolean[] = [];
    const ring = new KeyRing({ ask: async (question) => ['geheim'][asked.push(question) - 1] ?? null });
    const login = await prepareLogin(settings({ identityFiles: [keys.make('geheim')] }), ring, ssh2, (begins) =>
      told.push(begins),
    );
    const [key] = await offered(login);
    expect(asked).toEqual([]);
    const data = Buffer.from('to sign');
    expect(key?.verify(data, await sign(login, key as ParsedKey, data))).toBe(true);
    expect([asked.length, told]).toEqual([1, [true, false]]);
    expect(login.trouble()).toBeNull();
  });

  it('and knows afterwards which one the server wanted and could not have', async () => {
    const file = keys.make('geheim');
    const login = await prepareLogin(settings({ identityFiles: [file] }), new KeyRing({ passphrase: 'wrong' }), ssh2);
    const [key] = await offered(login);
    await expect(sign(login, key as ParsedKey, Buffer.from('x'))).rejects.toThrow('FERRY_KEY_PASSPHRASE');
    expect(login.trouble()).toEqual({ file, why: expect.stringContaining('FERRY_KEY_PASSPHRASE does not open it') });
  });
});

describe('a login without a key', () => {
  it.each([
    ['none named', {}, /\(none\) .* no agent holds one/],
    ['an agent that is not there', { agent: '/nowhere/agent' }, /no agent holds one/],
    ['a file that is not there', { identityFiles: ['/nowhere/key'] }, /\/nowhere\/key for newdb cannot be used: no such file/],
  ])('is refused before anything is connected: %s', async (_name, more, says) => {
    const refused = prepareLogin(settings(more), new KeyRing(), ssh2);
    await expect(refused).rejects.toMatchObject({ code: 'IDENTITY_UNREADABLE', message: expect.stringMatching(says) });
  });

  it('but a locked one says how to unlock it', async () => {
    const file = keys.make('geheim');
    await expect(prepareLogin(settings({ identityFiles: [file] }), new KeyRing(), ssh2)).rejects.toMatchObject({
      code: 'IDENTITY_UNREADABLE',
      message: expect.stringContaining('nobody can be asked'),
      hint: expect.stringContaining(`ssh-add ${file}`),
    });
  });
});

describe('an agent that takes a connection and says nothing', () => {
  const silentAgent = async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ferry-agent-'));
    const server = createServer();
    const closed = new Promise<void>((resolve) => server.once('connection', (socket) => socket.resume().once('close', resolve)));
    await new Promise<void>((resolve) => server.listen(join(folder, 'agent'), resolve));
    onTestFinished(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    return { agent: join(folder, 'agent'), closed };
  };
  const login = (more: Partial<HostSettings>) => prepareLogin(settings(more), new KeyRing(), ssh2, undefined, 200);

  it('holds no keys after a while: those of files are used, and a refusal tells why the others were not', async () => {
    const { agent, closed } = await silentAgent();
    const file = keys.make();
    const found = await login({ agent, identityFiles: [file] });
    expect(await blobs(found)).toEqual([blobOf(file)]);
    expect(found.tried).toEqual([`agent (the agent at ${agent} gave no answer within 200 ms)`, `key ${file}`]);
    // An open one would keep Ferry from ending.
    await closed;
  });

  it('is the reason when there is no other key', async () => {
    const { agent } = await silentAgent();
    await expect(login({ agent })).rejects.toMatchObject({
      code: 'IDENTITY_UNREADABLE',
      args: { why: `the agent at ${agent} gave no answer within 200 ms` },
    });
  });
});
