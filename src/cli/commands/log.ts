import { FerryError } from '../../errors/ferry-error.ts';
import { jsonText } from '../../lib/json.ts';
import { nearest } from '../../lib/text.ts';
import { commonOptions, JSON_FLAG, STATE_DIR, type Typed } from '../options.ts';
import { pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry log [RUN] [STEP]`: the records of a run as they were written. */
export const log: Verb = (program, cli) => {
  program
    .command('log')
    .summary('the records of a run, or of one of its steps')
    .description('Show the records of a run as they were written, or those of one step. With --json one record a line, whole.')
    .argument('[run]', 'the run (default: the latest)')
    .argument('[step]', 'the id of a step; of one on many hosts also ID@HOST')
    .option(...STATE_DIR)
    .option(...JSON_FLAG)
    .addHelpText('after', examples('ferry log', 'ferry log r-20260101-020000-ab12 restore'))
    .action(
      does(cli, async (run: string | undefined, step: string | undefined, typed: Typed) => {
        const options = commonOptions(typed, cli.outside);
        const records = (await cli.outside.loadWire()).readLog(run, options);
        const steps = new Set(records.map((record) => record.step).filter((id) => id !== null));
        // Of a step on many hosts, each host's part has records of its own.
        const isAsked = (id: string | null) => id === step || id?.startsWith(`${step}@`);
        if (step !== undefined && ![...steps].some(isAsked)) {
          const near = nearest(step, steps);
          throw new FerryError('USAGE_WRONG', {
            problem: `The run has no record of a step "${step}"${near ? `; did you mean ${near}?` : '.'}`,
            command: 'ferry log',
          });
        }
        const shown = step === undefined ? records : records.filter((record) => isAsked(record.step));
        const { logText } = await import('../../renderers/log.ts');
        if (options.json) for (const record of shown) print(cli.outside, jsonText(record));
        else print(cli.outside, logText(shown, undefined, pageOf(cli.outside, 'stdout')));
        return 0;
      }),
    );
};
