import { FerryError } from '../../errors/ferry-error.ts';
import { jsonText } from '../../lib/json.ts';
import { commonOptions, JSON_FLAG, STATE_DIR, type Typed } from '../options.ts';
import { pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry audit [RUN]`: whether the records of a run are intact, and who did what when. */
export const audit: Verb = (program, cli) => {
  program
    .command('audit')
    .summary('whether the records of a run are intact, and who did what when')
    .description(
      'Verify the chain of the records of a run, and that what its hosts have of them is the same; then show who did what when. ' +
        'Ends with exit code 1 where a record was changed, put in or taken out.',
    )
    .argument('[run]', 'the run (default: the latest)')
    .option('--offline', 'verify the chain alone, and ask no host')
    .option('-i, --inventory <file>', 'hosts and roles (default: the file of the run)')
    .option('--markdown', 'write a Markdown page')
    .option(...STATE_DIR)
    .option(...JSON_FLAG)
    .addHelpText('after', examples('ferry audit', 'ferry audit r-20260101-020000-ab12 --markdown'))
    .action(
      does(cli, async (run: string | undefined, typed: Typed & { offline?: boolean; markdown?: boolean }) => {
        const options = { ...commonOptions(typed, cli.outside), offline: typed.offline ?? false };
        const report = await (await cli.outside.loadWire()).auditRun(run, options);
        const { auditMarkdown, auditText } = await import('../../renderers/audit.ts');
        const page = pageOf(cli.outside, 'stdout');
        if (options.json) print(cli.outside, jsonText(report, 2));
        else print(cli.outside, typed.markdown ? auditMarkdown(report) : auditText(report, page));
        if (report.fault) throw new FerryError('AUDIT_BROKEN', { run: report.run, ...report.fault });
        return 0;
      }),
    );
};
