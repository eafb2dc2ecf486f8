import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument } from 'commander';
import { packageFolder } from '../package-folder.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry schema`: the JSON Schemas of Ferry's files, for editors. */
export const schema: Verb = (program, cli) => {
  program
    .command('schema')
    .summary('the JSON Schemas of its files, for editors')
    .description(
      'Write the JSON Schema of runbooks, of inventories, of the events that --json writes, or of what a --notify hook is given. With --path only say where the file is.',
    )
    .addArgument(new Argument('[what]', 'which schema').choices(['runbook', 'inventory', 'events', 'notice']).default('runbook'))
    .option('--path', 'say where the file is')
    .addHelpText(
      'after',
      examples('ferry schema > runbook.schema.json', 'echo "# yaml-language-server: \\$schema=$(ferry schema --path)"'),
    )
    .action(
      does(cli, async (what: string, options: { path?: boolean }) => {
        const file = join(packageFolder(), 'schemas', `${what}.schema.json`);
        cli.outside.stdout.write(options.path ? `${file}\n` : await readFile(file, 'utf8'));
        return 0;
      }),
    );
};
