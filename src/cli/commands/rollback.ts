import type { RollbackPreview } from '../../engine/preview-rollback.ts';
import { jsonText } from '../../lib/json.ts';
import { commonOptions, type Typed, withHosts, withNotify } from '../options.ts';
import { canAsk, pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry rollback [RUN]`: takes a run back and proves it. */
export const rollback: Verb = (program, cli) => {
  withHosts(program.command('rollback'))
    .summary('take a run back, and prove it')
    .description(
      'Undo the steps of a run, last first, then read the state again and compare it with the state from before. ' +
        'Across the write line it is refused unless --discard-writes is given: what was written since is given up. ' +
        'Without a terminal, or with --json, nobody is asked: it is done. --plan shows it and changes nothing.',
    )
    .argument('[run]', 'the run (default: the latest)')
    .option('--to <checkpoint>', 'go back to this checkpoint only')
    .option('--plan', 'show what would be undone; changes nothing')
    .option('--discard-writes', 'go back across the write line')
    .option('--over-newer', 'go back also over what newer runs did on the same hosts')
    .addOption(withNotify())
    .option('-y, --yes', 'go back without asking; does not stand for --discard-writes or --over-newer')
    .addHelpText(
      'after',
      examples('ferry rollback --plan', 'ferry rollback --to quiesced', 'ferry rollback r-20260101-020000-ab12 --discard-writes'),
    )
    .action(
      does(
        cli,
        async (
          run: string | undefined,
          typed: Typed & { to?: string; plan?: boolean; discardWrites?: boolean; overNewer?: boolean },
        ) => {
          const { to } = typed;
          const options = {
            ...commonOptions(typed, cli.outside),
            ...(to === undefined ? {} : { to }),
            discardWrites: typed.discardWrites ?? false,
            overNewer: typed.overNewer ?? false,
          };
          const { outside } = cli;
          const lookBack = async () => (await outside.loadWire()).previewRollback(run, options);
          const textOf = async (preview: RollbackPreview, stream: 'stdout' | 'stderr', isAsked: boolean) => {
            const { rollbackPlanText } = await import('../../renderers/rollback-plan.ts');
            return rollbackPlanText(preview, pageOf(outside, stream), isAsked);
          };
          if (typed.plan) {
            const preview = await lookBack();
            print(outside, options.json ? jsonText(preview, 2) : await textOf(preview, 'stdout', false));
            return 0;
          }
          // RUN is the latest unless named, and one word would take back what was done last month.
          if (canAsk(outside) && !options.yes && !options.json) {
            const preview = await lookBack();
            outside.stderr.write(`${await textOf(preview, 'stderr', true)}\n\n`);
            const { askYes } = await import('../ask.ts');
            if (!(await askYes(outside, preview.newer.length > 0 ? 'Go back, over what newer runs did?' : 'Go back?'))) return 5;
          }
          const { conduct } = await import('../conduct.ts');
          return conduct(outside, options, (wire, io) => wire.rollbackRun(run, options, io));
        },
      ),
    );
};
