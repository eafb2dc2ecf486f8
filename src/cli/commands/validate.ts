import { jsonText } from '../../lib/json.ts';
import { plural } from '../../lib/text.ts';
import { JSON_FLAG } from '../options.ts';
import { pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry validate RUNBOOK`: everything that is wrong with a runbook, without touching a host. */
export const validate: Verb = (program, cli) => {
  program
    .command('validate')
    .summary('check a runbook without touching a host')
    .description('Check a runbook, with all it includes, without touching a host. All errors are shown at once.')
    .argument('<runbook>', 'the runbook, a YAML file')
    .option(...JSON_FLAG)
    .addHelpText('after', examples('ferry validate runbooks/ovirt/migrate-engine-db.yaml'))
    .action(
      does(cli, async (path: string, options: { json?: boolean }) => {
        const wire = await cli.outside.loadWire();
        const { diagnostics, sources, runbook } = await wire.validateRunbook(path);
        const wrong = diagnostics.some((found) => found.severity === 'error');
        if (options.json) print(cli.outside, jsonText(diagnostics, 2));
        else {
          const { diagnosticsText } = await import('../../renderers/diagnostics.ts');
          if (diagnostics.length > 0) print(cli.outside, diagnosticsText(diagnostics, sources, pageOf(cli.outside, 'stdout')));
          if (!wrong)
            print(
              cli.outside,
              `${path} is sound: ${plural(runbook?.steps.length ?? 0, 'step')}, ${plural(runbook?.roles.length ?? 0, 'role')}. No host was touched.`,
            );
        }
        return wrong ? 65 : 0;
      }),
    );
};
