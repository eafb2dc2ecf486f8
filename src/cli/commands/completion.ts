import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument } from 'commander';
import type { Answer } from '../candidates.ts';
import { packageFolder } from '../package-folder.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry completion SHELL`: what makes a shell complete Ferry's words. */
export const completion: Verb = (program, cli) => {
  program
    .command('completion')
    .summary('make your shell complete what you type after ferry')
    .description(
      'Print what makes a shell complete verbs, options, actions, runs, hosts and runbooks. The line below, put into the start file of ' +
        'your shell, switches it on for good.',
    )
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      examples(
        'source <(ferry completion bash)     in ~/.bashrc',
        'source <(ferry completion zsh)      in ~/.zshrc, after compinit',
        'ferry completion fish | source      in ~/.config/fish/config.fish',
      ),
    )
    .action(
      does(cli, async (shell: string) => {
        cli.outside.stdout.write(await readFile(join(packageFolder(), 'completions', `ferry.${shell}`), 'utf8'));
        return 0;
      }),
    );

  // What those scripts ask: candidates for the last of the words, a line each.
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(
      does(cli, async (words: string[]) => {
        const { complete } = await import('../complete.ts');
        const { candidates, files } = await complete(program, words, cli);
        const lines = candidates.map(({ value, about }) => `${value}\t${(about ?? '').split('\n')[0]}`);
        cli.outside.stdout.write([...lines, ...filesLine(files)].map((line) => `${line}\n`).join(''));
        return 0;
      }),
    );
};

/** What the scripts take for: let the shell offer files too. */
function filesLine(files: Answer['files']): string[] {
  if (files === undefined) return [];
  return files === 'folders' ? [':folders'] : [[':files', ...files].join(' ')];
}
