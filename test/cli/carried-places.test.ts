import { describe, expect, it } from 'vitest';
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
