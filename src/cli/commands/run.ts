import { withInputs, withRoles } from '../options.ts';
import { runOptions, type TypedRunning, withRunning } from '../running-options.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry run RUNBOOK`: does what the plan says, remembering every step. */
export const run: Verb = (program, cli) => {
  withRunning(withInputs(withRoles(program.command('run'))))
    .summary('do what the plan says')
    .description(
      'Plan, show the plan, ask, and do it. Every step is remembered before it is done: whatever stops Ferry, ferry resume goes on from there. ' +
        'Ctrl-C lets the running step end and pauses, or cancels it; a second Ctrl-C leaves at once. ' +
        'Without a terminal, or with --json, nobody is asked: it is done, and pauses before a gate.',
    )
    .argument('<runbook>', 'the runbook, a YAML file, or a plan saved by  ferry plan --out')
    .option('--replan', 'a saved plan that is not true any more: plan anew what hangs on what has moved')
    .option('-y, --yes', 'run without asking; gates count as answered with yes')
    .addHelpText(
      'after',
      examples(
        'ferry run runbooks/ovirt/migrate-engine-db.yaml -i inventory.yaml',
        'ferry run move.yaml --input database=shop --secret password=file:/root/pw',
        'ferry run move.plan',
        'ferry run move.yaml --until quiesced',
        'ferry run move.yaml --yes --on-failure rollback 2> run.log',
      ),
    )
    .action(
      does(cli, async (path: string, typed: TypedRunning & { replan?: boolean }) => {
        const { conduct } = await import('../conduct.ts');
        const options = { ...runOptions(typed, cli.outside), replan: typed.replan ?? false };
        return conduct(cli.outside, { ...options, plansFirst: true }, (wire, io) => wire.runRunbook(path, options, io));
      }),
    );
};
