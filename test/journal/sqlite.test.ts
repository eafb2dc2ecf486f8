import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { verifyChain } from '../../src/journal/chain.ts';
import type { Journal, JournalRecord } from '../../src/journal/journal.ts';
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
    const proof = [{ verdict: 'differs' }, { verdict: 'equal' }];
    journal.append('r-1', { type: 'rollback.finished', epoch: 1, body: { proof, readings: {} } });
    expect(journal.runs().map(({ differing }) => differing)).toEqual([0, 1]);
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

  it.each([
    ['was removed', () => rmSync(dir, { recursive: true })],
    [
      'was replaced',
      () => {
        renameSync(dir, `${dir}.old`);
        openSqliteJournal(dir).close();
      },
    ],
  ])('takes no record for one that nobody finds again: the folder %s', (_what, lose) => {
    journal.create('r-1', 'move', started);
    lose();
    const refused = caught(() => journal.append('r-1', { type: 'step.intended', epoch: 1 }));
    expect(refused).toMatchObject({
      code: 'JOURNAL_UNWRITABLE',
      hint: expect.stringContaining('ferry takeover r-1 --from HOST'),
    });
    expect(journal.read('r-1')).toHaveLength(1);
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

  it('takes records of two processes at once into one chain', async () => {
    journal.create('r-1', 'move', started);
    const many = `for (let i = 0; i < 50; i++) journal.append('r-1', { type: 'x', epoch: 1, body: { i } }); journal.close();`;
    const ended = [1, 2].map(
      () => new Promise<number | null>((resolve) => spawn(process.execPath, elsewhere(many)).on('close', resolve)),
    );
    expect(await Promise.all(ended)).toEqual([0, 0]);
    const records = journal.read('r-1');
    expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 101 }, (_, index) => index + 1));
    expect(verifyChain('r-1', records)).toBe(null);
    expect(new Set(records.map(({ hash }) => hash)).size).toBe(101);
  });

  it('takes a record whose body has what JSON leaves out', () => {
    journal.create('r-1', 'move', {
      ...started,
      body: { gone: undefined as unknown as Json, list: [undefined as unknown as Json] },
    });
    expect(verifyChain('r-1', journal.read('r-1'))).toBe(null);
  });

  it('goes on with the journal of an older release, and vouches for its records from then on', () => {
    journal.close();
    rmSync(dir, { recursive: true });
    mkdirSync(dir, { mode: 0o700 });
    const old = new DatabaseSync(join(dir, 'journal.db'));
    old.exec(`CREATE TABLE runs (run TEXT PRIMARY KEY, runbook TEXT NOT NULL, started_at TEXT NOT NULL) STRICT;
      CREATE TABLE records (run TEXT NOT NULL REFERENCES runs, seq INTEGER NOT NULL, at TEXT NOT NULL, epoch INTEGER NOT NULL,
        type TEXT NOT NULL, step TEXT, host TEXT, body TEXT NOT NULL, PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
      INSERT INTO runs VALUES ('r-1', 'move', 'then');
      INSERT INTO records VALUES ('r-1', 1, 'then', 1, 'run.started', NULL, NULL, '{"b": 1, "a": 2}');
      INSERT INTO records VALUES ('r-1', 2, 'then', 1, 'step.intended', 'dump', 'engine', '{}');`);
    old.close();
    journal = openSqliteJournal(dir);
    expect(journal.append('r-1', { type: 'run.resumed', epoch: 1 })).toMatchObject({ seq: 3, hash: expect.any(String) });
    const records = journal.read('r-1');
    expect(records.map(({ hash }) => hash === null)).toEqual([true, true, false]);
    expect(verifyChain('r-1', records)).toBe(null);
    expect(verifyChain('r-1', records.with(1, { ...(records[1] as JournalRecord), host: 'newdb' }))).toMatchObject({ seq: 3 });
  });

  it('gives a run to who takes it over though another process holds its lock, and takes no record of that one any more', async () => {
    const first = spawn(
      process.execPath,
      elsewhere(`journal.create('r-1', 'move', { type: 'run.started', epoch: 1 });
process.stdout.write('held\\n');
process.stdin.once('data', () => {
  try { journal.append('r-1', { type: 'step.applied', epoch: 1 }); } catch (thrown) { process.stdout.write(JSON.stringify([thrown.code, thrown.args])); }
  journal.close();
});`),
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void first.kill('SIGKILL'));
    await new Promise((resolve) => first.stdout.once('data', resolve));
    expect(caught(() => journal.open('r-1'))).toMatchObject({ code: 'RUN_BUSY', args: { pid: first.pid } });
    expect(journal.holderOf('r-1')).toMatchObject({ pid: first.pid, since: expect.stringMatching(/^20\d\d-/) });
    const taken = journal.takeOver('r-1', { by: 'me@here' });
    expect(taken).toMatchObject({ seq: 2, epoch: 2, type: 'run.taken-over' });
    expect(journal.holderOf('r-1')).toMatchObject({ pid: process.pid });
    expect(journal.append('r-1', { type: 'run.resumed', epoch: 2 }).seq).toBe(3);
    const said = new Promise((resolve) => first.stdout.once('data', (text) => resolve(JSON.parse(String(text)))));
    first.stdin.write('go on\n');
    expect(await said).toEqual(['JOURNAL_FENCED', { run: 'r-1', by: 'me@here', at: taken.at, ours: 1, theirs: 2 }]);
    expect(journal.read('r-1').map(({ type }) => type)).toEqual(['run.started', 'run.taken-over', 'run.resumed']);

    const other = openSqliteJournal(dir);
    expect(caught(() => other.open('r-1'))).toMatchObject({ code: 'RUN_BUSY' });
    expect(caught(() => other.takeOver('r-7', {}))).toMatchObject({ code: 'RUN_UNKNOWN' });
    // A second takeover fences this process, which then may hold what it likes.
    expect(other.takeOver('r-1', { by: 'you@there' })).toMatchObject({ epoch: 3 });
    expect(caught(() => journal.append('r-1', { type: 'x', epoch: 2 }))).toMatchObject({ args: { by: 'you@there' } });
    other.close();
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
