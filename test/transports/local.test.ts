import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { LocalTransport } from '../../src/transports/local.ts';
import { localSettings } from '../kit/local-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'ferry-local-'));
afterAll(() => rmSync(folder, { recursive: true }));
const local = new LocalTransport(localSettings);

describe.runIf(process.getuid?.() === 0)('a command on the machine Ferry runs on', () => {
  it('leaves its exit code and both streams, and gets its stdin', async () => {
    const result = await local.exec('cat; echo why >&2; exit 3', { stdin: Buffer.from('in'), timeoutMs: 10_000 });
    expect(result).toEqual({ code: 3, stdout: 'in', stderr: 'why\n' });
  });

  // Its shell was ended and what that had started went on, without anything to tell that it did.
  it('goes on with its shell when its time is over, as over ssh', async () => {
    const [begun, done] = [join(folder, 'begun'), join(folder, 'done')];
    const script = `touch ${begun}; sleep 2; sleep 0; touch ${done}`;
    await expect(local.exec(script, { timeoutMs: 1000 })).rejects.toMatchObject({ code: 'COMMAND_TIMEOUT' });
    // A timer of Node that is set longer than it can be ends at once.
    expect(await local.exec('sleep 0.1; echo done', { timeoutMs: 30 * 86_400_000 })).toMatchObject({ stdout: 'done\n' });
    expect([begun, done].map((file) => existsSync(file))).toEqual([true, false]);
    await vi.waitFor(() => expect(existsSync(done)).toBe(true), { timeout: 10_000 });
  });

  it('that prints without end is told as that', async () => {
    await expect(local.exec('yes', { timeoutMs: 60_000 })).rejects.toMatchObject({ name: 'OutputTooLong' });
  }, 60_000);
});
