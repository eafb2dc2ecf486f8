import { afterEach, describe, expect, it } from 'vitest';
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
