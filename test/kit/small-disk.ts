import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small disk for a folder, one of its own unless told, which can be filled. */
export class SmallDisk {
  readonly #mount: string;
  /** What is on it; may be removed and made again. */
  readonly folder: string;
  /** What takes the room. */
  readonly filler: string;

  constructor(sizeMb: number, mount = mkdtempSync(join(tmpdir(), 'ferry-small-disk-'))) {
    this.#mount = mount;
    this.folder = join(mount, 'state');
    this.filler = join(mount, 'filler');
    mkdirSync(mount, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,nr_inodes=10000,mode=700`, 'none', mount]);
  }

  /** Takes all that is free, but for some kilobytes. */
  fill(freeKb = 0): void {
    try {
      execFileSync('dd', ['if=/dev/zero', `of=${this.filler}`, 'bs=4k'], { stdio: 'ignore' });
    } catch {
      // It ends with "no space left", which is what it is for.
    }
    truncateSync(this.filler, statSync(this.filler).size - freeKb * 1024);
  }

  /** Takes no new file any more, whatever room there is in those that are there. */
  freeze(): void {
    const { files, ffree } = statfsSync(this.#mount);
    this.#allow(files - ffree);
  }

  empty(): void {
    rmSync(this.filler, { force: true });
    this.#allow(10_000);
  }

  #allow(files: number): void {
    execFileSync('mount', ['-o', `remount,nr_inodes=${files}`, this.#mount]);
  }

  remove(): void {
    execFileSync('umount', ['-l', this.#mount]);
    rmSync(this.#mount, { recursive: true, force: true });
  }
}
