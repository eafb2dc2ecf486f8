import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SmallSshd } from './small-sshd.ts';
import { SshKeys } from './ssh-keys.ts';

/**
 * A host for whole runs in unit tests: an sshd in this process, whose commands run on this machine with a folder of Ferry's of
 * their own. So a test needs no root, and no run that holds this machine stands in its way. The inventory names it `here`.
 */
export class PrivateHost {
  readonly dir = mkdtempSync(join(tmpdir(), 'ferry-private-'));
  readonly #keys = new SshKeys();
  readonly #sshd: SmallSshd;

  constructor() {
    mkdirSync(join(this.dir, 'ferry'), { mode: 0o700 });
    this.#sshd = new SmallSshd(this.#keys.make(), join(this.dir, 'known_hosts'), (command) =>
      command.replaceAll('/var/lib/ferry', join(this.dir, 'ferry')),
    );
  }

  /** Starts it, and writes `runbook.yaml` and `inventory.yaml` into its folder. */
  async start(runbook: string): Promise<void> {
    const port = await this.#sshd.listen();
    const host = { address: '127.0.0.1', port, user: 'root', identityFile: this.#keys.make() };
    const inventory = { ferry: 1, knownHosts: join(this.dir, 'known_hosts'), sshConfig: '/dev/null', hosts: { here: host } };
    writeFileSync(join(this.dir, 'inventory.yaml'), JSON.stringify(inventory));
    writeFileSync(join(this.dir, 'runbook.yaml'), runbook);
  }

  remove(): void {
    this.#sshd.close();
    this.#keys.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
