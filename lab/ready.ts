import { get } from 'node:http';
import { connect } from 'node:net';
import { execOn } from './exec-on.ts';
import type { LabHost, LabState } from './lab-state.ts';
import { pollUntil } from './poll-until.ts';

const READY_MS = 90_000;

/**
 * Waits until a host is ready: sshd answers with its banner, systemd is no longer starting, PostgreSQL accepts connections where it is
 * enabled and has not failed, and on a freshly made engine host the health page says that the database is up.
 * @throws LabError naming what is still missing after 90 s.
 */
export async function waitUntilReady(state: LabState, host: LabHost, expectHealth: boolean): Promise<void> {
  let lack = 'not asked yet';
  const ready = async () => {
    lack = await firstLack(state, host, expectHealth);
    return lack === '';
  };
  await pollUntil(ready, { what: `${host.name} to be ready`, timeoutMs: READY_MS, missing: () => lack });
}

/** What a host still lacks, in words; '' when it is ready. */
async function firstLack(state: LabState, host: LabHost, expectHealth: boolean): Promise<string> {
  if (!(await sshAnswers(host.address))) return 'no ssh banner';
  const script = `cd /
systemctl is-system-running
systemctl is-enabled --quiet postgresql || exit 0
systemctl is-failed --quiet postgresql@15-main && exit 0
runuser -u postgres -- pg_isready -q -d postgres || echo 'PostgreSQL does not accept connections'`;
  const { stdout } = await execOn(state.dir, host.name, script, { timeoutMs: 5_000 });
  if (!/^(running|degraded)$/m.test(stdout)) return `systemd is ${stdout.trim().split('\n')[0] || 'silent'}`;
  const lack = /^PostgreSQL .*/m.exec(stdout)?.[0];
  if (lack) return lack;
  if (host.kind === 'engine' && expectHealth && !(await healthPage(host.address)).startsWith('DB Up'))
    return 'the health page does not say DB Up';
  return '';
}

/** Whether sshd greets within half a second. */
export function sshAnswers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 500 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => end(data.toString('latin1').startsWith('SSH-')));
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => end(false));
  });
}

/** The text of the engine's health page, or '' when nothing answers. */
export function healthPage(address: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host: address, path: '/ovirt-engine/services/health', timeout: 3_000 }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (part: string) => (text += part));
      reply.on('end', () => resolve(text));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(''));
  });
}
