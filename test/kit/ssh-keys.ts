import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { poll } from '../../src/lib/clock.ts';

/** Private keys in a folder of their own, made by ssh-keygen, and a real agent to hold some. */
export class SshKeys {
  readonly folder = mkdtempSync(join(tmpdir(), 'ferry-keys-'));
  readonly #agents: ChildProcess[] = [];
  #count = 0;

  /** Makes a key and gives its path; its public half stands beside it unless `alone`. */
  make(passphrase = '', words: readonly string[] = ['-t', 'ed25519'], alone: 'alone' | 'with .pub' = 'with .pub'): string {
    const file = join(this.folder, `key-${this.#count++}`);
    execFileSync('ssh-keygen', ['-q', ...words, '-N', passphrase, '-C', '', '-f', file]);
    if (alone === 'alone') rmSync(`${file}.pub`);
    return file;
  }

  /** Starts an agent that holds these keys, which must be open; gives its socket. */
  async agent(...keys: string[]): Promise<string> {
    const socket = join(this.folder, `agent-${this.#count++}`);
    this.#agents.push(spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }));
    const there = await poll(async () => existsSync(socket) || undefined, { timeoutMs: 10_000 });
    if (!there) throw new Error('the agent did not start');
    for (const key of keys) execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    return socket;
  }

  remove(): void {
    for (const agent of this.#agents) agent.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
