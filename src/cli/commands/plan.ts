import { carryPlaces } from '../../errors/carry-places.ts';
import { jsonText } from '../../lib/json.ts';
import { commonOptions, type Typed, withInputs, withRoles } from '../options.ts';
import { pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry plan RUNBOOK`: what a run would do, from the real state of the hosts. */
export const plan: Verb = (program, cli) => {
  withInputs(withRoles(program.command('plan')))
    .summary('show what a run would do; changes nothing')
    .description(
      'Read the hosts and show what a run would do, step by step, with the way back beside each. Nothing is written on any host.',
    )
    .argument('<runbook>', 'the runbook, a YAML file')
    .option('--out <file>', 'save the plan, to run exactly it:  ferry run FILE')
    .option('--detailed-exitcode', 'exit with 2 when changes are planned')
    .addHelpText(
      'after',
      examples(
        'ferry plan runbooks/ovirt/migrate-engine-db.yaml -i inventory.yaml',
        'ferry plan move.yaml --input database=shop --secret password=file:/root/pw',
        'ferry plan move.yaml --role new_db=db7 --out move.plan',
      ),
    )
    .action(
      does(cli, async (path: string, typed: Typed & { detailedExitcode?: boolean; out?: string }) => {
        const { out } = typed;
        const options = { ...commonOptions(typed, cli.outside), ...(out === undefined ? {} : { out }) };
        const wire = await cli.outside.loadWire();
        const { plan: made, estimate } = await wire.planRunbook(path, options);
        if (options.json) print(cli.outside, jsonText({ ...made, estimate }, 2));
        else {
          const { planText } = await import('../../renderers/plan.ts');
          print(cli.outside, planText(made, pageOf(cli.outside, 'stdout'), estimate));
          if (out !== undefined)
            print(cli.outside, carryPlaces(`Saved to ${out}. To do exactly this:  ferry run ${out}`, cli.outside.places));
        }
        if (made.blockers.length > 0) return 5;
        const changes = !made.alreadyDone && made.lines.some((line) => line.kind === 'change' || line.kind === 'later');
        return typed.detailedExitcode && changes ? 2 : 0;
      }),
    );
};
