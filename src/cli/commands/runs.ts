import { jsonText } from '../../lib/json.ts';
import { commonOptions, JSON_FLAG, STATE_DIR, type Typed } from '../options.ts';
import { pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry runs`: every run that is remembered, newest first. */
export const runs: Verb = (program, cli) => {
  program
    .command('runs')
    .summary('all runs, newest first')
    .description('List every run that is remembered on this machine, newest first.')
    .option(...STATE_DIR)
    .option(...JSON_FLAG)
    .addHelpText('after', examples('ferry runs', 'ferry runs --json'))
    .action(
      does(cli, async (typed: Typed) => {
        const options = commonOptions(typed, cli.outside);
        const found = (await cli.outside.loadWire()).readRuns(options);
        const { runsText } = await import('../../renderers/runs.ts');
        const page = pageOf(cli.outside, 'stdout');
        print(cli.outside, options.json ? jsonText(found, 2) : runsText(found, page, options.stateDir));
        return 0;
      }),
    );
};
