import { commonOptions, type Typed, withHosts } from '../options.ts';
import { print } from '../outside.ts';
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
    .addHelpText('after', examples('ferry unlock engine', 'ferry unlock engine --abandon'))
    .action(
      does(cli, async (host: string, typed: Typed & { abandon?: boolean }) => {
        const options = { ...commonOptions(typed, cli.outside.env), abandon: typed.abandon ?? false };
        print(cli.outside, await (await cli.outside.loadWire()).unlockHost(host, options));
        return 0;
      }),
    );
};
