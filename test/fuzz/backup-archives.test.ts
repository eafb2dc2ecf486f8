import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reportOf } from '../../src/archives/inspect-backup.ts';
import { lookAtBackup } from '../../src/archives/look-at-backup.ts';
import { makeBackup } from '../kit/backup-archives.ts';

const inspect = async (bytes: Uint8Array, piece: number) => {
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
  };
  return reportOf('fuzzed.backup', bytes.length, await lookAtBackup(pieces()));
};

describe('an archive of any bytes', () => {
  const edits = fc.array(
    fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), run: fc.integer({ min: 1, max: 600 }) }),
    { minLength: 1, maxLength: 6 },
  );

  it.each([
    { archive: '', files: '' },
    { archive: '', files: 'z' },
    { archive: 'z', files: 'J' },
  ] as const)('gets a report, whatever was changed in it, and is never called whole with a part changed: %o', async (wish) => {
    const whole = readFileSync(makeBackup(wish));
    const parts = (await inspect(whole, 4096)).members.map(({ name, sizeBytes }) => `${name} ${sizeBytes}`).join();
    await fc.assert(
      fc.asyncProperty(edits, fc.integer({ min: 1, max: 5000 }), fc.option(fc.nat()), async (changes, piece, cut) => {
        const bytes = Buffer.from(whole);
        for (const { at, byte, run } of changes)
          bytes.fill(byte, at % bytes.length, Math.min(bytes.length, (at % bytes.length) + run));
        const report = await inspect(cut === null ? bytes : bytes.subarray(0, cut % bytes.length), piece);
        const same = report.members.map(({ name, sizeBytes }) => `${name} ${sizeBytes}`).join() === parts;
        // Owners, times and padding are in no hash; all else is.
        if (report.verdict === 'whole') expect(same).toBe(true);
      }),
      { numRuns: 250 },
    );
  });

  it('gets a report when it is nothing but noise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 4000 }), async (bytes) => {
        expect((await inspect(bytes, 700)).verdict).toBe('damaged');
      }),
      { numRuns: 300 },
    );
  });
});
