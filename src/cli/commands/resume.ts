import { Option } from 'commander';
import { FerryError } from '../../errors/ferry-error.ts';
import type { RunOptions } from '../contract.ts';
import { withRoles, withSecret } from '../options.ts';
import { runOptions, type TypedRunning, withRunning } from '../running-options.ts';
import { does, examples, type Verb } from '../verb.ts';

interface TypedResume extends TypedRunning {
  readonly replan?: boolean;
  readonly skip?: string;
  readonly reason?: string;
  readonly markDone?: string;
  readonly runbook?: 'keep' | 'redo';
}

/** What a person decides about the step at which the run stands. @throws USAGE_WRONG */
function byHand({ skip, reason, markDone }: TypedResume): Pick<RunOptions, 'skip' | 'markDone'> {
  const wrong = (problem: string) => new FerryError('USAGE_WRONG', { problem, command: 'ferry resume' });
  if (skip !== undefined && !reason?.trim())
    throw wrong('--skip needs a reason, which goes on record: --reason "the disk is full".');
  if (skip === undefined && reason !== undefined) throw wrong('--reason is for --skip.');
  if (skip !== undefined && markDone !== undefined) throw wrong('--skip and --mark-done are one or the other.');
  return {
    ...(skip === undefined ? {} : { skip: { step: skip, reason: String(reason).trim() } }),
    ...(markDone === undefined ? {} : { markDone }),
  };
}

/** `ferry resume [RUN]`: goes on where a run stopped. */
export const resume: Verb = (program, cli) => {
  withRunning(withRoles(program.command('resume')))
    .summary('go on where a run stopped')
    .description(
      'Go on with a run that was paused or whose Ferry died, from the same place. Commands that still run on their hosts are joined, not started again. ' +
        'Without a terminal, or with --json, nobody is asked: it goes on, and pauses before a gate.',
    )
    .argument('[run]', 'the run (default: the latest)')
    .addOption(withSecret())
    .option('--replan', 'plan steps anew whose facts other hands have moved, instead of refusing')
    .addOption(
      new Option(
        '--runbook <which>',
        'when the runbook was edited since: keep the text the run began with, or redo (default: ask, else keep)',
      ).choices(['keep', 'redo']),
    )
    .option('--skip <step>', 'go on without the step at which the run stands; needs --reason')
    .option('--reason <text>', 'why it is skipped; goes on record')
    .option('--mark-done <step>', 'the step at which the run stands was done by hand: taken when its facts agree')
    .option('-y, --yes', 'go on without asking; gates count as answered with yes')
    .addHelpText(
      'after',
      examples(
        'ferry resume',
        'ferry resume r-20260101-020000-ab12 --until moved',
        'ferry resume --skip compare --reason compared-by-hand',
        'ferry resume --mark-done stop-services',
      ),
    )
    .action(
      does(cli, async (run: string | undefined, typed: TypedResume) => {
        const { conduct } = await import('../conduct.ts');
        const { replan = false, runbook } = typed;
        const edit = runbook === undefined ? {} : { runbook };
        const options = { ...runOptions(typed, cli.outside), replan, ...edit, ...byHand(typed) };
        return conduct(cli.outside, options, (wire, io) => wire.resumeRun(run, options, io));
      }),
    );
};
