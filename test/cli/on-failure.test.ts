import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wire } from '../../src/cli/wire.ts';
import { typed } from '../kit/ferry.ts';
import { PrivateHost } from '../kit/private-host.ts';

let host: PrivateHost;
let dir: string;
let server: Server;
beforeEach(async () => {
  host = new PrivateHost();
  ({ dir } = host);
  server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  // Fails as long as the server listens, and changes nothing anywhere.
  await host.start(`ferry: 1
name: fails
onFailure: pause 1h, then rollback
roles: { here: {} }
steps:
  - { id: closed, host: here, uses: port.check, with: { address: 127.0.0.1, port: ${port}, open: false, timeout: 2s } }
`);
});
afterEach(() => {
  server.close();
  host.remove();
});
const ferry = (...words: string[]) => typed([...words, '--state-dir', join(dir, 'state')], { wire });

describe('a run that failed and is to be rolled back after a while', () => {
  it('is taken on by a resume from another terminal, which finds it free', async () => {
    const first = ferry('run', join(dir, 'runbook.yaml'));
    await expect.poll(() => first.err.text(), { timeout: 10_000 }).toMatch(/rolls back at .*Z, in (1 h|59 min 5\d s), unless/);
    const status = ferry('status');
    expect(await status.exit).toBe(0);
    expect(status.out.text()).toMatch(/due +rolled back by itself at /);
    await new Promise((resolve) => server.close(resolve));
    const second = ferry('resume');
    expect(await second.exit).toBe(0);
    expect(await first.exit).toBe(1);
    expect(first.err.text()).toContain('Not rolled back by itself: ');
  });

  it('is rolled back when the time is over, and the words typed win over those of the runbook', async () => {
    const run = ferry('run', join(dir, 'runbook.yaml'), '--on-failure', 'pause 1s, then rollback');
    expect(await run.exit).toBe(4);
    expect(run.err.text()).toContain('Nobody took it on: it is rolled back now.');
    expect(run.out.text()).toContain('Rolled back to before the run');
  });

  it('stays paused when Ctrl-C is pressed', async () => {
    const run = ferry('run', join(dir, 'runbook.yaml'));
    await expect.poll(() => run.err.text(), { timeout: 10_000 }).toContain('rolls back at');
    run.press('SIGINT');
    expect(await run.exit).toBe(1);
    expect(run.err.text()).toContain('Not rolled back by itself: it was told to leave the run paused.');
    expect(run.err.text()).not.toContain('The command that runs now');
    expect(run.left).toEqual([]);
    const status = ferry('status');
    await status.exit;
    expect(status.out.text()).toContain('due      not rolled back by itself: it was told to leave the run paused');
    expect(status.out.text()).not.toContain('rolled back by itself at');
  });
});
