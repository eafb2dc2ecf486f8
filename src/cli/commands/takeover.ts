import { Option } from 'commander';
import { jsonText } from '../../lib/json.ts';
import { commonOptions, type Typed, withHosts } from '../options.ts';
import { canAsk, pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry takeover [RUN]`: makes a run this controller's own. */
export const takeover: Verb = (program, cli) => {
  withHosts(program.command('takeover'))
    .summary('take a run over from a controller that hangs or is lost')
    .description(
      'Make a run your own: from then on its former controller, should it wake up, can change and record nothing of it. What runs on the hosts goes on. ' +
        'With --from, where the state folder of that controller is lost, the run is rebuilt from the records on its hosts.',
    )
    .argument('[run]', 'the run (default: the latest; with --from the one that holds the host)')
    .option('--from <host>', 'rebuild the run from what is on record on this host and the others of the run')
    .addOption(
      new Option('--without <host>', 'with --from: go on without a host that is lost for good; may be repeated').argParser(
        (host: string, before: readonly string[] = []) => [...before, host],
      ),
    )
    .option('-y, --yes', 'take it over without asking')
    .addHelpText('after', examples('ferry takeover r-20260101-020000-ab12', 'ferry takeover --from engine -i inventory.yaml'))
    .action(
      does(cli, async (run: string | undefined, typed: Typed & { from?: string; without?: readonly string[] }) => {
        const { outside } = cli;
        const { from, without = [] } = typed;
        const options = { ...commonOptions(typed, outside), ...(from === undefined ? {} : { from }), without };
        const { askYes } = await import('../ask.ts');
        const ask = canAsk(outside) && !options.json ? (question: string) => askYes(outside, question) : undefined;
        const taken = await (await outside.loadWire()).takeOverRun(run, options, ask);
        if (taken === null) return 5;
        const { takenText } = await import('../../renderers/taken.ts');
        print(outside, options.json ? jsonText(taken) : takenText(taken, pageOf(outside, 'stdout')));
        return 0;
      }),
    );
};
