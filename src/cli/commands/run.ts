import { Option } from 'commander';
import { commonOptions, type Typed, withHosts, withInputs } from '../options.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `--on-failure`, as run and resume have it. */
export function onFailure(): Option {
  return new Option('--on-failure <what>', 'what to do when a step fails').choices(['pause', 'rollback']).default('pause');
}

/** `ferry run RUNBOOK`: does what the plan says, remembering every step. */
export const run: Verb = (program, cli) => {
  withInputs(withHosts(program.command('run')))
    .summary('do what the plan says')
    .description(
      'Plan, show the plan, ask, and do it. Every step is remembered before it is done: whatever stops Ferry, ferry resume goes on from there. ' +
        'Ctrl-C lets the running step end and pauses; a second Ctrl-C leaves at once.',
    )
    .argument('<runbook>', 'the runbook, a YAML file')
    .option('--until <checkpoint>', 'pause when this checkpoint is reached')
    .addOption(onFailure())
    .option('-y, --yes', 'run without asking; gates count as answered with yes')
    .addHelpText(
      'after',
      examples(
        'ferry run runbooks/ovirt/migrate-engine-db.yaml -i inventory.yaml',
        'ferry run move.yaml --input database=shop --secret password=file:/root/pw',
        'ferry run move.yaml --until quiesced',
        'ferry run move.yaml --yes --on-failure rollback 2> run.log',
      ),
    )
    .action(
      does(cli, async (path: string, typed: Typed & { until?: string; onFailure: 'pause' | 'rollback' }) => {
        const { conduct } = await import('../conduct.ts');
        const { until, onFailure: policy } = typed;
        const options = {
          ...commonOptions(typed, cli.outside.env),
          ...(until === undefined ? {} : { until }),
          onFailure: policy,
        };
        return conduct(cli.outside, options, (wire, io) => wire.runRunbook(path, options, io));
      }),
    );
};
