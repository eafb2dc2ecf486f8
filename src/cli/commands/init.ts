import { join } from 'node:path';
import { print } from '../outside.ts';
import { packageFolder } from '../package-folder.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry init [FOLDER]`: a first runbook and inventory. */
export const init: Verb = (program, cli) => {
  program
    .command('init')
    .summary('write a first runbook and inventory')
    .description(
      'Write a small runbook and an inventory to begin with. A file that is there already stays as it is. Touches no host.',
    )
    .argument('[folder]', 'where to put them (default: here)')
    .addHelpText('after', examples('ferry init', 'ferry init moves/webshop'))
    .action(
      does(cli, async (folder = '.') => {
        const { starterFiles, writeStarter } = await import('../starter.ts');
        const { initText } = await import('../../renderers/init.ts');
        const files = starterFiles(join(packageFolder(), 'schemas'));
        const done = await writeStarter(folder, files);
        print(
          cli.outside,
          initText(
            folder,
            files.map((file, index) => ({ ...file, written: done[index]?.written ?? false })),
          ),
        );
        return 0;
      }),
    );
};
