import { printable } from '../../lib/text.ts';
import { commonOptions, type Typed, withHosts } from '../options.ts';
import { canAsk, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry unlock HOST`: gives a host free that a run still holds. */
export const unlock: Verb = (program, cli) => {
  withHosts(program.command('unlock'))
    .summary('give a host free that a run still holds')
    .description(
      'Give a host free that the lease of a run holds, where that run is over. With --abandon also where it is not: the run is given up ' +
        'for good, what it changed stays as it is, and it can be neither resumed nor rolled back any more.',
    )
    .argument('<host>', 'the host, as the inventory names it')
    .option('--abandon', 'give the run up for good')
    .option('-y, --yes', 'give it up without asking')
    .addHelpText('after', examples('ferry unlock engine', 'ferry unlock engine --abandon'))
    .action(
      does(cli, async (host: string, typed: Typed & { abandon?: boolean }) => {
        const options = { ...commonOptions(typed, cli.outside), abandon: typed.abandon ?? false };
        // What is given up so cannot be had back, and the word stands in the hint of an error.
        if (options.abandon && canAsk(cli.outside) && !options.yes && !options.json) {
          const { askYes } = await import('../ask.ts');
          const question = `Give up the run that holds ${host}, for good? It can be neither resumed nor rolled back any more.`;
          if (!(await askYes(cli.outside, question))) return 5;
        }
        print(cli.outside, printable(await (await cli.outside.loadWire()).unlockHost(host, options)));
        return 0;
      }),
    );
};
