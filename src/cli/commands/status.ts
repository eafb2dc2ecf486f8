import { commonOptions, type Typed, withHosts } from '../options.ts';
import { pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry status [RUN]`: where a run stands and what leads on. */
export const status: Verb = (program, cli) => {
  withHosts(program.command('status'))
    .summary('where a run stands, and what leads on')
    .description(
      'Show where a run stands: what is done, what is to come, what failed, and the commands that lead on. ' +
        'Touches no host, unless --evidence asks them how a step stands that was begun and not finished; that reads and changes nothing.',
    )
    .argument('[run]', 'the run (default: the latest)')
    .option('--evidence', 'ask the hosts how steps in doubt stand; changes nothing')
    .addHelpText('after', examples('ferry status', 'ferry status r-20260101-020000-ab12 --evidence'))
    .action(
      does(cli, async (run: string | undefined, typed: Typed & { evidence?: boolean }) => {
        const options = commonOptions(typed, cli.outside);
        const wire = await cli.outside.loadWire();
        const state = await wire.readState(run, options);
        const { statusJson, statusText } = await import('../../renderers/status.ts');
        const workedOn = wire.isWorkedOn(state.run, options);
        const isInDoubt = [...state.steps.values()].some(({ phase }) => ['doubt', 'applied', 'failed'].includes(phase));
        const doubts = typed.evidence && isInDoubt ? await wire.readDoubts(state.run, options) : [];
        const page = pageOf(cli.outside, 'stdout');
        print(cli.outside, options.json ? statusJson(state, workedOn, doubts) : statusText(state, page, workedOn, doubts));
        return 0;
      }),
    );
};
