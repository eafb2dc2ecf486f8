import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NotifiedIo, notifying } from '../../src/cli/notify.ts';
import { wire } from '../../src/cli/wire.ts';
import { afterFailure } from '../../src/engine/after-failure.ts';
import { rollBack } from '../../src/engine/rollback.ts';
import { type Ending, executeRun } from '../../src/engine/run.ts';
import { RunContext } from '../../src/engine/run-context.ts';
import type { Notice } from '../../src/notify/notice.ts';
import { typed } from '../kit/ferry.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { PrivateHost } from '../kit/private-host.ts';

const TOKEN = 'T0KEN-that-nobody-may-see';
let host: PrivateHost;
let dir: string;
let server: Server;
let hook: string;
let posted: Notice[];
let status: number;
beforeEach(async () => {
  host = new PrivateHost();
  ({ dir } = host);
  posted = [];
  status = 200;
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      posted.push(JSON.parse(body) as Notice);
      // Late enough to be missed by a Ferry that does not wait for it.
      setTimeout(() => response.writeHead(status).end(), 200);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(dir, 'hook-address'), `http://127.0.0.1:${port}/${TOKEN}\n`, { mode: 0o600 });
  hook = `file:${join(dir, 'hook-address')}`;
  await host.start(`ferry: 1
name: asks
roles: { here: {} }
steps:
  - { id: go, host: here, uses: gate.confirm, with: { question: "Go on?" } }
`);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  host.remove();
});
async function ferry(words: string[], env: Record<string, string> = {}) {
  const one = typed([...words, '--state-dir', join(dir, 'state')], { wire, env });
  return { code: await one.exit, out: one.out.text(), err: one.err.text() };
}

describe('a hook', () => {
  it('is told of a question, of a no, and of the end, before Ferry ends', async () => {
    const file = join(dir, 'program');
    writeFileSync(file, `#!/bin/sh\ncat >>${join(dir, 'told')}\n`);
    chmodSync(file, 0o700);
    const first = await ferry(['run', join(dir, 'runbook.yaml'), '--notify', hook, '--notify', `cmd:${file}`]);
    expect(first.code).toBe(3);
    expect(posted).toHaveLength(1);
    const [{ run = '', goOn = [] } = {}] = posted;
    expect(posted[0]).toMatchObject({ version: 1, type: 'gate', runbook: 'asks', step: 'go', host: 'here', question: 'Go on?' });
    // What it says to type does what it says.
    expect(await ferry(['reject', run, 'go', '--reason', 'not tonight'])).toMatchObject({ code: 0 });
    expect(goOn[0]).toContain(` --state-dir ${join(dir, 'state')}`);
    const approve = goOn[0]?.split(' ').slice(1) ?? [];
    expect(await ferry(approve)).toMatchObject({ code: 0 });
    expect((await ferry(['resume'], { FERRY_NOTIFY: `${hook} cmd:${file}` })).code).toBe(0);
    expect(posted.map(({ type }) => type)).toEqual(['gate', 'finished']);
    const told = readFileSync(join(dir, 'told'), 'utf8').trim().split('\n');
    expect(told.map((line) => (JSON.parse(line) as Notice).type)).toEqual(['gate', 'finished']);
  });

  it('that fails changes nothing for the run, is told and on record, and its token is nowhere', async () => {
    status = 503;
    const run = await ferry(['run', join(dir, 'runbook.yaml'), '--yes', '--notify', hook]);
    expect(run.code).toBe(0);
    expect(run.err).toMatch(/The notice "finished" did not arrive at http:\/\/127\.0\.0\.1:\d+: it answered 503\./);
    const log = await ferry(['log', '--json']);
    const failed = log.out.split('\n').filter((line) => line.includes('notify.failed'));
    expect(failed).toHaveLength(1);
    expect(JSON.parse(failed[0] ?? '')).toMatchObject({ body: { notice: 'finished', why: 'it answered 503' } });
    expect((await ferry(['status'])).out).toContain('finished');
    expect(run.out + run.err + log.out).not.toContain(TOKEN);
    expect(execFileSync('sh', ['-c', `grep -rlF ${TOKEN} ${join(dir, 'state')} || true`], { encoding: 'utf8' })).toBe('');
  });

  it('that cannot be used is refused before anything is begun', async () => {
    const bad = await ferry(['run', join(dir, 'runbook.yaml'), '--notify', TOKEN]);
    expect(bad).toMatchObject({ code: 64, err: expect.stringContaining('NOTIFY_WRONG') });
    expect(bad.err).not.toContain(TOKEN);
    chmodSync(join(dir, 'hook-address'), 0o644);
    expect((await ferry(['run', join(dir, 'runbook.yaml'), '--notify', hook])).err).toContain('NOTIFY_WRONG');
    expect((await ferry(['runs'])).out).toContain('There are no runs in ');
  });
});

describe('what a hook is told while nobody sits there', () => {
  const made = () =>
    new ModelRun(
      runbookOf([
        step('conf', 'model.atomic', { key: 'conf', value: 'new' }),
        step('send', 'model.atomic', { key: 'log', value: 'x' }),
      ]),
      { 'a/conf': 'old' },
    );
  /** Works on a run with a hook, and gives what that was told. */
  async function noticed(run: ModelRun, work: (context: RunContext, told: readonly Notice[]) => Promise<Ending>) {
    const told: Notice[] = [];
    const target = { shown: 'a hook', send: async (body: string) => void told.push(JSON.parse(body)) };
    const failure = await run
      .inContext((context) => {
        let also: NotifiedIo['emit'] = () => undefined;
        const { emit } = context.ports;
        const ports = {
          ...context.ports,
          emit: (event: Parameters<typeof emit>[0]) => {
            emit(event);
            also(event);
          },
        };
        const heard = new RunContext(ports, context.state);
        const io = { emit, signal: ports.signal, alsoTell: (listener: typeof also) => void (also = listener) };
        return notifying({ targets: [target], secrets: [] }, heard, io, () => work(heard, told));
      })
      .catch((thrown: { code: string }) => thrown.code);
    return { told, failure };
  }

  it('is that a person is asked about a failure, at once', async () => {
    const run = made();
    run.world.failOnce.add('send:set');
    run.failureAnswers.push({ answer: 'pause' });
    await run.begin();
    let toldFirst: readonly string[] = [];
    const { told } = await noticed(run, (context, sofar) => {
      const { askFailure } = context.ports;
      const ports = {
        ...context.ports,
        askFailure: async (question: Parameters<NonNullable<typeof askFailure>>[0]) => {
          await expect.poll(() => sofar.length).toBe(1);
          toldFirst = sofar.map(({ type }) => type);
          return (await askFailure?.(question)) ?? null;
        },
      };
      return executeRun(new RunContext(ports, context.state), { resumed: false });
    });
    expect(toldFirst).toEqual(['failed']);
    expect(told).toMatchObject([{ type: 'failed', step: 'send', question: expect.stringContaining('What becomes of it?') }]);
  });

  it('is that a rollback which was announced does not come, and why', async () => {
    const run = made();
    run.world.failOnce.add('send:set');
    await run.begin();
    const { told } = await noticed(run, async (context) => {
      const failed = await executeRun(context, { resumed: false, rollBackAfterMs: 50 });
      run.world.away.add('a');
      return afterFailure(context, failed, 50);
    });
    expect(told).toMatchObject([
      { type: 'failed', rollbackAt: expect.any(String) },
      { type: 'rollback-stopped', error: { code: 'ROLLBACK_CALLED_OFF', message: expect.stringContaining('no route') } },
    ]);
  });

  it('is to go on with a rollback that was stopped, and with one that is refused while it goes on, never to resume it', async () => {
    const run = made();
    await run.start();
    run.stopAt = 'after-record step.undone:send';
    const stopped = await noticed(run, (context) => rollBack(context, { discardWrites: false }));
    run.stopAt = null;
    run.world.away.add('a');
    const refused = await noticed(run, (context) => rollBack(context, { discardWrites: false }));
    expect(refused.failure).toBe('HOST_UNREACHABLE');
    for (const { told } of [stopped, refused])
      expect(told).toMatchObject([{ type: 'rollback-stopped', goOn: [expect.stringMatching(/^ferry rollback r-model/)] }]);
  });
});
