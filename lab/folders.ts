import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabError } from './lab-error.ts';

/** Where built roots are kept between labs: FERRY_LAB_CACHE, else /var/cache/ferry-lab. */
export function cacheFolder(): string {
  return resolve(process.env.FERRY_LAB_CACHE || '/var/cache/ferry-lab');
}

/**
 * The lab folder as an absolute path without symbolic links: `dir`, else FERRY_LAB_DIR, else .lab here. It may not be there.
 * @throws LabError when its path holds a character that an overlay mount cannot take.
 */
export function labFolder(dir?: string): string {
  const wanted = resolve(dir || process.env.FERRY_LAB_DIR || '.lab');
  const folder = realPath(wanted);
  if (/[^\w./@+-]/.test(folder)) {
    throw new LabError(
      `The lab folder ${folder} has a space, comma, colon or another character that an overlay mount cannot take. Nothing was started.`,
      'FERRY_LAB_DIR=/var/tmp/lab ferry lab up',
    );
  }
  return folder;
}

/** The path with the links of its existing part resolved. */
function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realPath(parent), basename(path));
}

/** Four characters that stay the same for a folder; bridge, machine names and subnet are made from them. */
export function labId(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 4);
}

/** A file that ships beside this code, also when this code was compiled into another folder. */
export function asset(...path: string[]): string {
  let here = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = join(here, 'lab', ...path);
    if (existsSync(candidate)) return candidate;
    const parent = dirname(here);
    if (parent === here) throw new LabError(`The lab's own file ${path.join('/')} is missing from this installation.`, 'npm ci');
    here = parent;
  }
}
