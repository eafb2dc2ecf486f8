import { commonOptions, JSON_FLAG, STATE_DIR, type Typed } from '../options.ts';
import { pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry status [RUN]`: where a run stands and what leads on. */
export const status: Verb = (program, cli) => {
  program
    .command('status')
    .summary('where a run stands, and what leads on')
    .description(
      'Show where a run stands: what is done, what is to come, what failed, and the commands that lead on. Touches no host.',
    )
    .argument('[run]', 'the run (default: the latest)')
    .option(...STATE_DIR)
    .option(...JSON_FLAG)
    .addHelpText('after', examples('ferry status', 'ferry status r-20260101-020000-ab12 --json'))
    .action(
      does(cli, async (run: string | undefined, typed: Typed) => {
        const options = commonOptions(typed, cli.outside.env);
        const wire = await cli.outside.loadWire();
        const state = await wire.readState(run, options);
        const { statusJson, statusText } = await import('../../renderers/status.ts');
        const workedOn = wire.isWorkedOn(state.run, options);
        const page = pageOf(cli.outside.stdout, cli.outside.env);
        print(cli.outside, options.json ? statusJson(state, workedOn) : statusText(state, page, workedOn));
        return 0;
      }),
    );
};
