import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import type { Json } from '../../src/lib/json.ts';

const MODULE = join(import.meta.dirname, '..', '..', 'src', 'journal', 'sqlite.ts');
let dir: string;
let journal: Journal;

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'ferry-journal-')), 'state');
  journal = openSqliteJournal(dir);
});
afterEach(() => {
  journal.close();
  rmSync(join(dir, '..'), { recursive: true, force: true });
});

/** Runs a piece of code in a process of its own, with `journal` opened on the same folder. */
function elsewhere(code: string) {
  const program = `import { openSqliteJournal } from ${JSON.stringify(MODULE)};
const journal = openSqliteJournal(${JSON.stringify(dir)});
${code}`;
  return ['--input-type=module', '--no-warnings', '-e', program];
}

const caught = (work: () => unknown): unknown => {
  try {
    work();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};

const started = { type: 'run.started', epoch: 1 };

describe('the journal', () => {
  it('gives records back in order, numbered without gaps for each run', () => {
    const first = journal.create('r-1', 'move', { ...started, body: { path: '/é "quoted"' } });
    journal.create('r-2', 'move', started);
    const second = journal.append('r-1', { type: 'step.intended', epoch: 2, step: 'stop', host: 'engine' });
    expect(first).toMatchObject({ seq: 1, step: null, host: null, body: { path: '/é "quoted"' } });
    expect(second).toMatchObject({ seq: 2, epoch: 2, step: 'stop', host: 'engine', body: {} });
    expect(journal.read('r-1')).toEqual([first, second]);
    expect(journal.read('r-2').map(({ seq }) => seq)).toEqual([1]);
    expect(journal.read('r-3')).toEqual([]);
  });

  it('lists runs, the newest first, with the last thing on record', () => {
    journal.create('r-1', 'move', started);
    journal.append('r-1', { type: 'run.finished', epoch: 1 });
    journal.append('r-1', { type: 'lease.released', epoch: 1, host: 'he1' });
    journal.create('r-2', 'prepare', started);
    expect(journal.runs().map(({ run, runbook, lastType, stands }) => [run, runbook, lastType, stands])).toEqual([
      ['r-2', 'prepare', 'run.started', 'run.started'],
      ['r-1', 'move', 'lease.released', 'run.finished'],
    ]);
  });

  it('has a record on disk when append returns, as one who dies at once leaves it', () => {
    const died = spawnSync(
      process.execPath,
      elsewhere(`journal.create('r-9', 'move', { type: 'run.started', epoch: 1 });
for (const type of ['step.intended', 'step.applied']) journal.append('r-9', { type, epoch: 1 });
process.kill(process.pid, 'SIGKILL');`),
      { encoding: 'utf8' },
    );
    expect(died.signal, died.stderr).toBe('SIGKILL');
    expect(journal.read('r-9').map(({ type }) => type)).toEqual(['run.started', 'step.intended', 'step.applied']);
  });

  it('syncs on every commit: WAL with synchronous=FULL, asked of the very connection it writes by', () => {
    const { exec } = DatabaseSync.prototype;
    const connections = new Set<DatabaseSync>();
    DatabaseSync.prototype.exec = function (sql) {
      connections.add(this);
      return exec.call(this, sql);
    };
    const second = openSqliteJournal(dir);
    DatabaseSync.prototype.exec = exec;
    const [connection] = connections;
    expect(connection?.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(connection?.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    second.close();
  });

  it('belongs to its owner alone: folders 0700, files 0600', () => {
    journal.create('r-1', 'move', started);
    const modes = readdirSync(dir, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(dir.length + 1), (statSync(path).mode & 0o777).toString(8)];
    });
    expect((statSync(dir).mode & 0o777).toString(8)).toBe('700');
    expect(Object.fromEntries(modes)).toMatchObject({
      'journal.db': '600',
      'journal.db-wal': '600',
      'journal.db-shm': '600',
      locks: '700',
      'locks/r-1.lock': '600',
    });
  });

  // A run without its first record could be neither read nor resumed, and hid the last good one from `ferry status`.
  it('begins a run with its first record or not at all', () => {
    const circle: { [name: string]: Json } = {};
    circle.circle = circle;
    expect(caught(() => journal.create('r-1', 'move', { ...started, body: circle }))).toMatchObject({
      code: 'JOURNAL_UNWRITABLE',
    });
    expect(journal.runs()).toEqual([]);
    journal.create('r-2', 'move', started);
    expect(journal.runs().map(({ run }) => run)).toEqual(['r-2']);
  });

  it('refuses a run nobody has begun', () => {
    expect(caught(() => journal.open('r-7'))).toMatchObject({ code: 'RUN_UNKNOWN', exit: 64 });
    expect(caught(() => journal.append('r-7', { type: 'run.started', epoch: 1 }))).toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
    expect(journal.read('r-7')).toEqual([]);
  });

  // Each was told as a defect of Ferry, or as a run that another process works on.
  it.each([
    ['a file where the locks should be', () => writeFileSync(join(dir, 'locks'), '')],
    ['a folder where a lock should be', () => mkdirSync(join(dir, 'locks', 'r-1.lock'), { recursive: true })],
    [
      'a lock that is none',
      () => {
        mkdirSync(join(dir, 'locks'));
        writeFileSync(join(dir, 'locks', 'r-1.lock'), 'x'.repeat(4096));
      },
    ],
  ])('says what is wrong with %s', (_, spoil) => {
    spoil();
    expect(caught(() => journal.create('r-1', 'move', started))).toMatchObject({ code: 'STATE_DIR_UNUSABLE', exit: 64 });
    expect(journal.runs()).toEqual([]);
  });

  it('gives a run to one process at a time, lets others read, and lets go when that process dies', async () => {
    const holder = spawn(
      process.execPath,
      elsewhere(`journal.create('r-1', 'move', { type: 'run.started', epoch: 1 });
// A journal nobody holds any more is collected, and its lock with it.
process.stdout.write('held\\n'); setInterval(() => journal.runs(), 1000);`),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void holder.kill('SIGKILL'));
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    expect(caught(() => journal.open('r-1'))).toMatchObject({ code: 'RUN_BUSY', exit: 5 });
    expect(journal.isOpen('r-1')).toBe(true);
    expect(journal.read('r-1')).toHaveLength(1);
    const gone = new Promise((resolve) => holder.once('close', resolve));
    holder.kill('SIGKILL');
    await gone;
    expect(journal.isOpen('r-1')).toBe(false);
    journal.open('r-1');
    expect(journal.isOpen('r-1')).toBe(true);
    expect(journal.isOpen('r-2')).toBe(false);
    expect(journal.append('r-1', { type: 'run.resumed', epoch: 1 }).seq).toBe(2);
  });

  it('lets two processes work on two runs at once', () => {
    journal.create('r-1', 'move', started);
    const other = spawnSync(
      process.execPath,
      elsewhere(
        `journal.create('r-2', 'move', { type: 'run.started', epoch: 1 }); for (let i = 0; i < 20; i++) journal.append('r-2', { type: 'x', epoch: 1 }); journal.close();`,
      ),
      { encoding: 'utf8' },
    );
    expect(other.stderr).toBe('');
    journal.append('r-1', { type: 'run.paused', epoch: 1 });
    expect([journal.read('r-1').length, journal.read('r-2').length]).toEqual([2, 21]);
  });

  it('says so when the folder cannot be used', () => {
    const file = join(dir, '..', 'a-file');
    writeFileSync(file, '');
    expect(caught(() => openSqliteJournal(join(file, 'state')))).toMatchObject({ code: 'STATE_DIR_UNUSABLE', exit: 64 });
    const broken = join(dir, '..', 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'journal.db'), 'this is no database, whatever its name says. '.repeat(40));
    chmodSync(broken, 0o700);
    expect(caught(() => openSqliteJournal(broken))).toMatchObject({
      code: 'STATE_DIR_UNUSABLE',
      message: expect.stringContaining('not a database'),
    });
  });
});
