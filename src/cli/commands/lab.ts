import { type Command, Option } from 'commander';
import { FerryError } from '../../errors/ferry-error.ts';
import { print } from '../outside.ts';
import { type Cli, does, examples, type Verb } from '../verb.ts';

interface Typed {
  readonly dir?: string;
}
type Lab = typeof import('../../../lab/lab.ts');

/** `ferry lab up|down|status|reset|ssh`: throw-away hosts on this machine to try things on. */
export const lab: Verb = (program, cli) => {
  const say = (line: string) => void cli.outside.stderr.write(`${line}\n`);
  const group = program
    .command('lab')
    .enablePositionalOptions()
    .usage('<verb> [options]')
    .helpCommand('help [verb]', 'show the help of a verb')
    .summary('throw-away hosts on this machine')
    .description(
      'Boot throw-away hosts with real systemd, sshd and PostgreSQL on this machine, to try runbooks on. Needs root and Linux.',
    )
    .addHelpText(
      'after',
      examples(
        'ferry lab up',
        'ferry lab ssh engine systemctl status ovirt-engine',
        'ferry plan runbooks/ovirt/migrate-engine-db.yaml -i .lab/inventory.yaml',
        'ferry lab down',
      ),
    );
  const verb = (words: string, summary: string): Command =>
    group
      .command(words)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
      .option('--dir <folder>', 'where the lab keeps its files (default: .lab)');

  verb('up [hosts...]', 'boot the hosts and write .lab/inventory.yaml')
    .addHelpText('after', examples('ferry lab up', 'ferry lab up db1 db2 --dir /tmp/lab'))
    .addOption(new Option('--size <mb>', 'size of the engine database in MB (default: 200)').argParser(megabytes))
    .action(
      does(cli, (hosts: string[], { dir, size }: Typed & { size?: number }) =>
        withLab(async ({ labUp }) => {
          await labUp({ dir, say, ...(hosts.length > 0 ? { hosts } : {}), ...(size === undefined ? {} : { sizeMb: size }) });
          return 0;
        }),
      ),
    );
  verb('down', 'stop the hosts and remove what they wrote').action(
    does(cli, ({ dir }: Typed) => withLab(async ({ labDown }) => labDown({ dir, say }).then(() => 0))),
  );
  verb('reset [hosts...]', 'fresh hosts, as after up').action(
    does(cli, (hosts: string[], { dir }: Typed) => withLab(async ({ labReset }) => labReset({ dir, hosts, say }).then(() => 0))),
  );
  verb('status', 'which hosts run, and how to reach them').action(
    does(cli, ({ dir }: Typed) => withLab((loaded) => showStatus(cli, loaded, dir))),
  );
  verb('ssh <host> [command...]', 'open a shell on a host, or run a command there')
    .passThroughOptions()
    .action(
      does(cli, (host: string, command: string[], { dir }: Typed) =>
        withLab(async ({ labSshArgs }) => {
          const { spawnSync } = await import('node:child_process');
          return spawnSync('ssh', [...(await labSshArgs(dir, host)), ...command], { stdio: 'inherit' }).status ?? 1;
        }),
      ),
    );
};

/** The lab is no part of moving anything: it is loaded when it is asked for, and its errors become ours. */
async function withLab(work: (lab: Lab) => Promise<number>): Promise<number> {
  const loaded = await import('../../../lab/lab.ts');
  try {
    return await work(loaded);
  } catch (thrown) {
    if (thrown instanceof loaded.LabError)
      throw new FerryError('LAB_FAILED', { what: thrown.message, todo: thrown.hint }, { cause: thrown });
    throw thrown;
  }
}

async function showStatus(cli: Cli, { labStatus }: Lab, dir: string | undefined): Promise<number> {
  const { table } = await import('../../renderers/layout.ts');
  const found = await labStatus({ dir });
  if (!found) print(cli.outside, 'There is no lab here;  ferry lab up  makes one.');
  else {
    const rows = found.hosts.map((host) => [
      host.name,
      host.address,
      host.state,
      host.systemd ?? '',
      host.ssh ? 'ssh answers' : 'no ssh',
    ]);
    print(cli.outside, [found.dir, ...table(rows)].join('\n'));
  }
  return found?.hosts.every((host) => host.state === 'up' && host.ssh) ? 0 : 1;
}

function megabytes(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new FerryError('USAGE_WRONG', { problem: '--size must be a whole number of megabytes.', command: 'ferry lab up' });
  return count;
}
