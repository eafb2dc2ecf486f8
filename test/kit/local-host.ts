import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { FerryError } from '../../src/errors/ferry-error.ts';
import type { ActingHost, ChangeOptions, RunOptions, RunResult } from '../../src/hosts/host.ts';
import { reveal } from '../../src/hosts/secret.ts';
import type { Sh } from '../../src/hosts/sh.ts';

/** A small working model of an acting host: scripts run on this machine as they are, each name at most once. */
export function localHost(name = 'one'): ActingHost & { readonly ran: string[] } {
  const results = new Map<string, RunResult>();
  const ran: string[] = [];
  const run = (script: Sh, options: RunOptions = {}) => runHere(script, options);
  const change = async (step: string, script: Sh, options: ChangeOptions = {}): Promise<RunResult> => {
    const known = results.get(step) ?? (await run(script, options));
    if (!results.has(step)) ran.push(step);
    results.set(step, known);
    if ((options.okCodes ?? [0]).includes(known.code)) return known;
    throw new FerryError('COMMAND_FAILED', { host: name, what: step, code: known.code, output: known.stderr });
  };
  return {
    ...{ name, address: '127.0.0.1', user: 'root', port: 22, ran, run, change },
    detached: change,
    converse: (step, script, { as: _, ...options }) => change(step, script, options),
    hostKey: () => Promise.resolve(null),
    connect: (address, port) =>
      new Promise((resolve, reject) => {
        const socket = connect(port, address, () => resolve(socket));
        socket.on('error', (cause) =>
          reject(new FerryError('CONNECT_REFUSED', { from: name, address, port, why: cause.message, how: 'refused' })),
        );
      }),
  };
}

function runHere(script: Sh, { stdin }: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', script.text], { cwd: '/', env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 255, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(stdin === undefined ? '' : stdin instanceof Uint8Array ? stdin : reveal(stdin));
  });
}

/** What actions have beside their hosts, in unit tests; kept bytes are in `folder`. */
export function actContext(folder = '/nowhere') {
  return {
    ...{ run: 'r-1', step: 'the-step', attempt: 1, signal: new AbortController().signal, crossedWriteLine: false },
    progress: () => {},
    exitCodes: () => Promise.resolve([0]),
    kept: (_host: string, name: string) => `${folder}/${name}`,
  };
}
