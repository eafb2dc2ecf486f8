import { mkdirSync, readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { SecretHashes } from '../../src/journal/secret-hash.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { SmallDisk } from '../kit/small-disk.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stdout.write('left out: a full disk for the journal is a mount, which only root can make\n');

describe.runIf(isRoot)('a journal whose disk is full', () => {
  const disk = new SmallDisk(4);
  afterEach(() => disk.remove());

  // The row of an INSERT came back before its commit was tried, and a commit that failed was passed over.
  it('does not take a record for written that is not, and goes on when there is room again', () => {
    const journal = openSqliteJournal(disk.folder);
    const body = { text: 'x'.repeat(2000) };
    journal.create('r-1', 'move', { type: 'run.started', epoch: 1, body });
    disk.fill();
    let written = 1;
    const fill = () => {
      for (let more = 0; more < 100; more += 1) {
        journal.append('r-1', { type: 'step.progressed', epoch: 1, body });
        written += 1;
      }
    };
    expect(fill).toThrow(expect.objectContaining({ code: 'JOURNAL_UNWRITABLE' }));
    expect(journal.read('r-1')).toHaveLength(written);
    disk.empty();
    expect(journal.append('r-1', { type: 'step.applied', epoch: 1 }).seq).toBe(written + 1);
    journal.close();
    const again = openSqliteJournal(disk.folder);
    expect(again.read('r-1').map(({ seq }) => seq)).toEqual(Array.from({ length: written + 1 }, (_, index) => index + 1));
    again.close();
  });
});

describe.runIf(isRoot)('the key of a state folder whose disk is full', () => {
  const disk = new SmallDisk(1);
  afterEach(() => disk.remove());

  // It left an empty file, which no command went past any more.
  it('is not half made, and is made when there is room again', () => {
    mkdirSync(disk.folder, { mode: 0o700 });
    disk.fill();
    const hashes = new SecretHashes(disk.folder);
    expect(() => hashes.hash('geheim')).toThrow(expect.objectContaining({ code: 'STATE_DIR_UNUSABLE' }));
    expect(readdirSync(disk.folder)).toEqual([]);
    disk.empty();
    expect(hashes.matches('geheim', new SecretHashes(disk.folder).hash('geheim'))).toBe(true);
  });
});
