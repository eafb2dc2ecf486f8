import { commonOptions, type Typed, withHosts } from '../options.ts';
import { pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry rollback [RUN]`: takes a run back and proves it. */
export const rollback: Verb = (program, cli) => {
  withHosts(program.command('rollback'))
    .summary('take a run back, and prove it')
    .description(
      'Undo the steps of a run, last first, then read the state again and compare it with the state from before. ' +
        'Across the write line it is refused unless --discard-writes is given: what was written since is given up.',
    )
    .argument('[run]', 'the run (default: the latest)')
    .option('--to <checkpoint>', 'go back to this checkpoint only')
    .option('--plan', 'show what would be undone; changes nothing')
    .option('--discard-writes', 'go back across the write line')
    .option('-y, --yes', 'ask nothing; does not stand for --discard-writes')
    .addHelpText(
      'after',
      examples('ferry rollback --plan', 'ferry rollback --to quiesced', 'ferry rollback r-20260101-020000-ab12 --discard-writes'),
    )
    .action(
      does(cli, async (run: string | undefined, typed: Typed & { to?: string; plan?: boolean; discardWrites?: boolean }) => {
        const { to } = typed;
        const options = {
          ...commonOptions(typed, cli.outside.env),
          ...(to === undefined ? {} : { to }),
          discardWrites: typed.discardWrites ?? false,
        };
        if (!typed.plan) {
          const { conduct } = await import('../conduct.ts');
          return conduct(cli.outside, options, (wire, io) => wire.rollbackRun(run, options, io));
        }
        const wire = await cli.outside.loadWire();
        const preview = await wire.previewRollback(run, options);
        if (options.json) print(cli.outside, JSON.stringify(preview, null, 2));
        else {
          const { rollbackPlanText } = await import('../../renderers/rollback-plan.ts');
          print(cli.outside, rollbackPlanText(preview, pageOf(cli.outside.stdout, cli.outside.env)));
        }
        return 0;
      }),
    );
};
