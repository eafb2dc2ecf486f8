import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small disk for a state folder, which can be filled. */
export class SmallDisk {
  readonly #mount = mkdtempSync(join(tmpdir(), 'ferry-small-disk-'));
  /** What is on it; may be removed and made again. */
  readonly folder = join(this.#mount, 'state');
  readonly #filler = join(this.#mount, 'filler');

  constructor(sizeMb: number) {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=700`, 'none', this.#mount]);
  }

  /** Takes all that is free. */
  fill(): void {
    try {
      execFileSync('dd', ['if=/dev/zero', `of=${this.#filler}`, 'bs=4k'], { stdio: 'ignore' });
    } catch {
      // It ends with "no space left", which is what it is for.
    }
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  remove(): void {
    execFileSync('umount', ['-l', this.#mount]);
    rmSync(this.#mount, { recursive: true, force: true });
  }
}
