import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { Fleet } from '../../src/hosts/fleet.ts';
import { openFleet } from '../../src/hosts/open-fleet.ts';
import { localTerminal } from '../../src/transports/local-terminal.ts';
import type { CommandResult, Transport } from '../../src/transports/transport.ts';
import { localSettings } from './local-settings.ts';

/**
 * The real fleet over this machine's own shell, as a host `here` without systemd; what Ferry leaves on a host is in `folder`
 * instead. `lib` is its /var/lib/ferry, `run` its /run.
 */
export function fleetHere(folder: string): Fleet {
  for (const name of ['lib', 'run']) mkdirSync(`${folder}/${name}`, { recursive: true });
  const moved = (command: string) =>
    command
      .replaceAll('/var/lib/ferry', `${folder}/lib`)
      .replaceAll('/run/systemd/system', '/no/systemd')
      .replaceAll('getent passwd', `cat ${folder}/passwd 2>/dev/null`)
      .replaceAll('/run/ferry', `${folder}/run/ferry`)
      // A second of grace is enough for tests.
      .replaceAll('-ge 100 ]', '-ge 10 ]')
      .replaceAll('-lt 150 ]', '-lt 30 ]')
      .replaceAll('mktemp -p /run ', `mktemp -p ${folder}/run `);
  const transport: Transport = {
    exec: (command, { stdin }) => execHere(moved(command), stdin),
    terminal: (command) => localTerminal('here', moved(command)),
    forward: () => Promise.reject(new Error('no network here')),
    hostKey: () => Promise.resolve(null),
    rest: () => undefined,
    close: () => Promise.resolve(),
  };
  return openFleet(new Map([['here', localSettings]]), () => transport);
}

function execHere(command: string, stdin: Uint8Array | undefined): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', command], { cwd: '/', env: { ...process.env, LC_ALL: 'C' } });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code: code ?? 137, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    );
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin ?? '');
  });
}
