import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretHashes } from '../../src/journal/secret-hash.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';

let root: string;
let dir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ferry-state-'));
  dir = join(root, 'state');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** One run on record, so that every file is there. */
function fill(): void {
  new SecretHashes(dir).hash('geheim');
  const journal = openSqliteJournal(dir);
  journal.create('r-1', 'move', { type: 'run.started', epoch: 1 });
  journal.close();
  // What a process that was killed leaves beside the database.
  for (const end of ['-wal', '-shm']) writeFileSync(join(dir, `journal.db${end}`), '', { mode: 0o600 });
}

function open(): void {
  new SecretHashes(dir).hash('geheim');
  const journal = openSqliteJournal(dir);
  journal.open('r-1');
  journal.close();
}

/** Moves a thing away and leaves a link to it. */
function link(name: string): void {
  renameSync(join(dir, name), join(root, 'away'));
  symlinkSync(join(root, 'away'), join(dir, name));
}

const NAMES = ['', 'journal.db', 'journal.db-wal', 'journal.db-shm', 'hash.key', 'locks', 'locks/r-1.lock'];
const isRoot = process.getuid?.() === 0;

describe('the state folder', () => {
  it('is open to nobody else, with all that is in it, whatever the umask and while work goes on', () => {
    const module = (name: string) => JSON.stringify(join(import.meta.dirname, '..', '..', 'src', 'journal', name));
    const program = `process.umask(0);
import { statSync, globSync } from 'node:fs';
const { openSqliteJournal } = await import(${module('sqlite.ts')});
const { SecretHashes } = await import(${module('secret-hash.ts')});
const dir = ${JSON.stringify(dir)};
new SecretHashes(dir).hash('geheim');
const journal = openSqliteJournal(dir);
journal.create('r-1', 'move', { type: 'run.started', epoch: 1 });
for (const path of [dir, ...globSync(dir + '/**')].sort()) console.log(path.slice(dir.length + 1), (statSync(path).mode & 0o777).toString(8));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--no-warnings', '-e', program], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const modes = Object.fromEntries([...new Set(stdout.trimEnd().split('\n'))].map((line) => line.split(' ')));
    expect(modes).toEqual({
      ...{
        '': '700',
        locks: '700',
        'hash.key': '600',
        'locks/r-1.lock': '600',
        'locks/r-1.lock.pid': '600',
        'locks/r-1.lock-journal': '600',
      },
      ...{ 'journal.db': '600', 'journal.db-shm': '600', 'journal.db-wal': '600' },
    });
  });

  it.each(NAMES)('is refused when %s is a symbolic link, and nothing is done behind it', (name) => {
    fill();
    link(name);
    const before = globSync(`${join(root, 'away')}*`).map((path) => lstatSync(path).mtimeMs);
    expect(open).toThrow(
      expect.objectContaining({
        code: 'STATE_DIR_UNSAFE',
        exit: 64,
        args: expect.objectContaining({ why: 'it is a symbolic link' }),
      }),
    );
    expect(globSync(`${join(root, 'away')}*`).map((path) => lstatSync(path).mtimeMs)).toEqual(before);
  });

  it.each(['', 'journal.db', 'hash.key', 'locks'])(
    'is refused when %s is a link to what is not there, which is not made',
    (name) => {
      if (name !== '') mkdirSync(dir, { mode: 0o700 });
      symlinkSync(join(root, 'away'), join(dir, name).replace(/\/$/, ''));
      expect(() => {
        new SecretHashes(dir).hash('geheim');
        openSqliteJournal(dir).create('r-1', 'move', { type: 'run.started', epoch: 1 });
      }).toThrow(expect.objectContaining({ code: 'STATE_DIR_UNSAFE' }));
      expect(existsSync(join(root, 'away'))).toBe(false);
    },
  );

  it.each(
    NAMES.flatMap(
      (name) =>
        [
          [name, 0o020],
          [name, 0o002],
        ] as const,
    ),
  )('is refused when others may write %s (%o)', (name, bit) => {
    fill();
    const path = join(dir, name);
    chmodSync(path, statSync(path).mode | bit);
    expect(open).toThrow(
      expect.objectContaining({ code: 'STATE_DIR_UNSAFE', message: expect.stringContaining('others may write') }),
    );
  });

  it.skipIf(!isRoot).each(NAMES)('is refused when %s belongs to another user', (name) => {
    fill();
    chownSync(join(dir, name), 65534, 65534);
    expect(open).toThrow(
      expect.objectContaining({ code: 'STATE_DIR_UNSAFE', message: expect.stringContaining('user with number 65534') }),
    );
  });

  it('is closed again when others may only read it', () => {
    fill();
    for (const name of NAMES) chmodSync(join(dir, name), name === '' || name === 'locks' ? 0o755 : 0o644);
    open();
    const modes = [dir, ...globSync(`${dir}/**`)].map((path) => statSync(path).mode & 0o077);
    expect(new Set(modes)).toEqual(new Set([0]));
  });

  it('is made of an empty folder, and not of a home that others may enter', () => {
    mkdirSync(dir, { mode: 0o755 });
    openSqliteJournal(dir).close();
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    const home = join(root, 'home');
    mkdirSync(home, { mode: 0o755 });
    writeFileSync(join(home, 'letter'), 'dear');
    expect(() => openSqliteJournal(home)).toThrow(expect.objectContaining({ code: 'STATE_DIR_UNSAFE' }));
    expect([statSync(home).mode & 0o777, globSync(`${home}/*`)]).toEqual([0o755, [join(home, 'letter')]]);
    chmodSync(home, 0o700);
    openSqliteJournal(home).close();
    expect(readFileSync(join(home, 'letter'), 'utf8')).toBe('dear');
  });

  it('is refused where everybody may exchange it for another', () => {
    fill();
    chmodSync(root, 0o777);
    expect(open).toThrow(expect.objectContaining({ code: 'STATE_DIR_UNSAFE', args: expect.objectContaining({ path: root }) }));
    chmodSync(root, 0o1777);
    open();
  });
});
