import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { LabError, labDown, labReset, labSshArgs, labStatus, labUp } from './lab.ts';

const USAGE =
  'usage: node lab/main.ts [--dir D] up [--size MB] [--hosts A,B] | down | status | reset [HOST..] | ssh HOST [COMMAND..]';

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Runs one lab command and gives the exit code. */
async function main(argv: string[]): Promise<number> {
  // What follows the host belongs to ssh, options and all.
  const at = argv.indexOf('ssh');
  const command = at < 0 ? [] : argv.splice(at + 2);
  const options = { size: { type: 'string' }, dir: { type: 'string' }, hosts: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  const [verb, ...rest] = positionals;
  const { dir } = values;
  if (verb === 'up') {
    const sizeMb = values.size === undefined ? undefined : Number(values.size);
    if (sizeMb !== undefined && !(sizeMb > 0))
      throw new LabError(`--size ${values.size} is not a number of MB.`, 'ferry lab up --size 10');
    await labUp({ dir, sizeMb, hosts: values.hosts?.split(','), say });
  } else if (verb === 'down') await labDown({ dir, say });
  else if (verb === 'reset') await labReset({ dir, hosts: rest, say });
  else if (verb === 'status') {
    const status = await labStatus({ dir });
    if (!status) say('there is no lab here');
    for (const { name, address, state, systemd, ssh } of status?.hosts ?? []) {
      process.stdout.write(`${name.padEnd(8)}${address.padEnd(16)}${state.padEnd(8)}${systemd ?? '-'}${ssh ? '' : '  no ssh'}\n`);
    }
    return status?.hosts.every(({ state }) => state === 'up') ? 0 : 1;
  } else if (verb === 'ssh' && rest[0]) {
    const args = [...(await labSshArgs(dir, rest[0])), ...command];
    return new Promise((resolve) => spawn('ssh', args, { stdio: 'inherit' }).on('close', (code) => resolve(code ?? 255)));
  } else {
    say(USAGE);
    return 64;
  }
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Error)) throw error;
  say(`error ${error.message}`);
  if (error instanceof LabError) say(`  next: ${error.hint}`);
  process.exitCode = 1;
}
