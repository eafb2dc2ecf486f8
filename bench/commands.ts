import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { labSshArgs } from '../lab/lab.ts';
import { fleetOf } from '../src/cli/engine-ports.ts';
import { hostsOf } from '../src/cli/prepare.ts';
import type { Host } from '../src/hosts/host.ts';
import { sh } from '../src/hosts/sh.ts';
import type { Inventory } from '../src/inventory/inventory.ts';
import { inventoryOf, labOfBench, median, record, timed } from './bench.ts';

// Ferry against the system's ssh with ControlMaster, which keeps one connection as Ferry does. Both are measured in the same
// rounds, so that what else this machine does falls on both.
const COMMANDS = 100;
const ROUNDS = 5;
const HOST = 'newdb';
// ssh's own first choice of key exchange, a post-quantum one, costs far more than the connection; ssh2 does not know it.
const SAME_KEY_EXCHANGE = ['-o', 'KexAlgorithms=curve25519-sha256'];
const run = promisify(execFile);

/** Milliseconds to the first answer of a host nobody is connected to, and for 100 short commands after that. */
interface Times {
  readonly first: number;
  readonly commands: number;
}

async function ferryRound(inventory: Inventory): Promise<Times> {
  const fleet = fleetOf(await hostsOf(inventory));
  try {
    const host = fleet.host(HOST);
    const first = await timed(() => askFerry(host, 0));
    return { first, commands: await timed(() => inTurn((index) => askFerry(host, index))) };
  } finally {
    await fleet.close();
  }
}

async function askFerry(host: Host, index: number): Promise<void> {
  mustEcho((await host.run(sh`echo ${index}`)).stdout, index);
}

/** `words` are ssh's options with the host last. */
async function sshRound(words: readonly string[], socket: string): Promise<Times> {
  const first = await timed(() => askSsh(words, 0));
  const shared = ['-S', socket, ...words];
  // With -f ssh comes back when it is connected, and stays behind the socket.
  await new Promise<void>((resolve, reject) => {
    spawn('ssh', ['-M', '-f', '-N', ...shared], { stdio: 'ignore' }).once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`ssh ended with exit code ${code}`)),
    );
  });
  try {
    return { first, commands: await timed(() => inTurn((index) => askSsh(shared, index))) };
  } finally {
    await run('ssh', ['-O', 'exit', ...shared]);
  }
}

async function askSsh(words: readonly string[], index: number): Promise<void> {
  mustEcho((await run('ssh', [...words, `echo ${index}`])).stdout, index);
}

async function inTurn(ask: (index: number) => Promise<void>): Promise<void> {
  for (let index = 1; index <= COMMANDS; index += 1) await ask(index);
}

function mustEcho(stdout: string, index: number): void {
  if (stdout.trim() !== String(index)) throw new Error(`echo ${index} gave ${JSON.stringify(stdout)}`);
}

const dir = await labOfBench();
const inventory = await inventoryOf(dir);
const words = [...SAME_KEY_EXCHANGE, ...(await labSshArgs(dir, HOST))];
const folder = mkdtempSync(join(tmpdir(), 'ferry-bench-'));
const rounds: { ferry: Times; ssh: Times }[] = [];
try {
  await ferryRound(inventory);
  for (let round = 0; round < ROUNDS; round += 1)
    rounds.push({ ferry: await ferryRound(inventory), ssh: await sshRound(words, join(folder, 'socket')) });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const of = (pick: (round: (typeof rounds)[number]) => number) => median(rounds.map(pick));
const ms = (value: number) => `${value.toFixed(0)} ms`;
process.stdout.write(`              ferry    ssh\n`);
process.stdout.write(`first answer  ${ms(of(({ ferry }) => ferry.first)).padEnd(8)} ${ms(of(({ ssh }) => ssh.first))}\n`);
process.stdout.write(
  `${COMMANDS} commands  ${ms(of(({ ferry }) => ferry.commands)).padEnd(8)} ${ms(of(({ ssh }) => ssh.commands))}\n`,
);
record(
  `commands: ${COMMANDS} commands ${of(({ ferry, ssh }) => ferry.commands / ssh.commands).toFixed(2)} of ssh's time, first answer ${of(({ ferry, ssh }) => ferry.first / ssh.first).toFixed(2)}`,
);
