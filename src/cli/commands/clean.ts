import { Option } from 'commander';
import { FerryError } from '../../errors/ferry-error.ts';
import { parseDuration } from '../../lib/duration.ts';
import { jsonText } from '../../lib/json.ts';
import { commonOptions, type Typed, withHosts } from '../options.ts';
import { canAsk, pageOf, print, printError } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry clean [RUN]`: removes from the hosts what runs that are over keep there. */
export const clean: Verb = (program, cli) => {
  withHosts(program.command('clean'))
    .summary('remove what runs that are over keep on hosts')
    .description(
      'Remove from the hosts the folders of runs that are over, with the bytes kept for their way back, and what dead runs left. ' +
        'Without RUN: of runs that were rolled back, given up or refused; of finished runs, which cannot be rolled back after it, with --older-than alone.',
    )
    .argument('[run]', 'the run (default: all that can go)')
    .option('--older-than <duration>', 'only runs that ended longer ago, such as 30d; finished ones too')
    .addOption(
      new Option('--without <host>', 'with RUN: a host that is lost for good counts as cleaned; may be repeated').argParser(
        (host: string, before: readonly string[] = []) => [...before, host],
      ),
    )
    .option('--plan', 'show what would go, with its bytes; removes nothing')
    .option('-y, --yes', 'remove without asking')
    .addHelpText(
      'after',
      examples('ferry clean --plan', 'ferry clean r-20260101-020000-ab12 --without newdb', 'ferry clean --older-than 30d --yes'),
    )
    .action(
      does(
        cli,
        async (run: string | undefined, typed: Typed & { olderThan?: string; plan?: boolean; without?: readonly string[] }) => {
          const { outside } = cli;
          const { without = [] } = typed;
          if (run === undefined && without.length > 0)
            throw new FerryError('USAGE_WRONG', { problem: '--without goes with the name of a run.', command: 'ferry clean' });
          const olderThanMs = typed.olderThan === undefined ? undefined : ageOf(typed.olderThan);
          const options = {
            ...commonOptions(typed, outside),
            ...(olderThanMs === undefined ? {} : { olderThanMs }),
            plan: typed.plan ?? false,
            without,
          };
          const { cleanText } = await import('../../renderers/clean.ts');
          let isRefused = false;
          const { report, left } = await (await outside.loadWire()).cleanRuns(run, options, async (found) => {
            if (options.yes) return true;
            if (!canAsk(outside) || options.json) throw new FerryError('CLEAN_UNCONFIRMED', { run: run ?? '' });
            outside.stderr.write(`${cleanText(found, pageOf(outside, 'stderr'))}\n\n`);
            const { askYes } = await import('../ask.ts');
            isRefused = !(await askYes(outside, 'Remove it, for good?'));
            return !isRefused;
          });
          if (isRefused) return 5;
          print(outside, options.json ? jsonText(report, 2) : cleanText(report, pageOf(outside, 'stdout')));
          if (options.plan && !options.json) print(outside, 'Nothing was changed.');
          if (!report.isDone || !left) return 0;
          const { reportOf } = await import('../../renderers/error.ts');
          await printError(outside, reportOf(left), options.json);
          return left.exit;
        },
      ),
    );
};

function ageOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  const problem = `--older-than must be a duration such as 30d or 12h, not ${text}.`;
  throw new FerryError('USAGE_WRONG', { problem, command: 'ferry clean' });
}
