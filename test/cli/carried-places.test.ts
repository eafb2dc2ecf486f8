import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { wire } from '../../src/cli/wire.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import { modelWire, typed } from '../kit/ferry.ts';

const busy = {
  resumeRun: async () => {
    throw new FerryError('RUN_BUSY', { run: 'r-1', pid: 1, since: 'then' });
  },
};

describe('the commands that lead on', () => {
  it('carry the state folder that was typed, in text and in JSON', async () => {
    const status = typed(['status', '--state-dir', '/my runs']);
    expect(await status.exit).toBe(0);
    expect(status.out.text()).toMatch(/^go on +ferry resume \S+ --state-dir '\/my runs'$/m);
    expect(status.out.text()).toMatch(/^go back +ferry rollback \S+ --plan --state-dir '\/my runs'$/m);
    const json = typed(['resume', '--json', '--state-dir', '/s'], { wire: modelWire(undefined, busy).wire });
    await json.exit;
    expect(json.err.text()).toContain('ferry status r-1 --state-dir /s;');
  });

  it('need none where FERRY_STATE_DIR names it', async () => {
    const status = typed('status', { env: { FERRY_STATE_DIR: '/s' } });
    await status.exit;
    expect(status.out.text()).not.toContain('--state-dir');
  });
});

describe('a state folder without the run', () => {
  it('is named, with the way on where it was lost', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ferry-empty-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    for (const words of [['status'], ['resume'], ['rollback', '--plan'], ['status', 'r-1']]) {
      const ferry = typed([...words, '--state-dir', dir], { wire });
      expect(await ferry.exit).toBe(64);
      expect(ferry.err.text().replaceAll(/\s+/g, ' ')).toContain(`in the state folder ${dir}.`);
      expect(ferry.err.text()).toMatch(/If that folder was lost: {2}ferry takeover (RUN|r-1) --from HOST -i FILE --state-dir /);
    }
  });
});

describe('a run that is over', () => {
  it.each([
    ['finished', 'go back  ferry rollback r-1 --plan'],
    ['rolled-back', 'begin again  ferry run move.yaml'],
  ])('leads on when it is %s', (phase, hint) => {
    expect(new FerryError('RUN_OVER', { run: 'r-1', phase, verb: 'resume', path: 'move.yaml' }).hint).toBe(hint);
  });
});
