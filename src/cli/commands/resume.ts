import { withHosts, withSecret } from '../options.ts';
import { runOptions, type TypedRunning, withRunning } from '../running-options.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry resume [RUN]`: goes on where a run stopped. */
export const resume: Verb = (program, cli) => {
  withRunning(withHosts(program.command('resume')))
    .summary('go on where a run stopped')
    .description(
      'Go on with a run that was paused or whose Ferry died, from the same place. Commands that still run on their hosts are joined, not started again.',
    )
    .argument('[run]', 'the run (default: the latest)')
    .addOption(withSecret())
    .option('--replan', 'plan steps anew whose facts other hands have moved, instead of refusing')
    .option('-y, --yes', 'go on without asking; gates count as answered with yes')
    .addHelpText('after', examples('ferry resume', 'ferry resume r-20260101-020000-ab12 --until moved'))
    .action(
      does(cli, async (run: string | undefined, typed: TypedRunning & { replan?: boolean }) => {
        const { conduct } = await import('../conduct.ts');
        const options = { ...runOptions(typed, cli.outside.env), replan: typed.replan ?? false };
        return conduct(cli.outside, options, (wire, io) => wire.resumeRun(run, options, io));
      }),
    );
};
