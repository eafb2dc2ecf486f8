import { jsonText } from '../../lib/json.ts';
import { JSON_FLAG } from '../options.ts';
import { pageOf, print } from '../outside.ts';
import { does, examples, type Verb } from '../verb.ts';

/** `ferry actions [NAME]`: the step types there are, or one of them with its params. */
export const actions: Verb = (program, cli) => {
  program
    .command('actions')
    .summary('the step types there are, or one in full')
    .description('List the step types a runbook can use, or show one with its params, outputs and examples.')
    .argument('[action]', 'the name of an action, such as service.stop')
    .option(...JSON_FLAG)
    .addHelpText('after', examples('ferry actions', 'ferry actions service.stop'))
    .action(
      does(cli, async (name: string | undefined, options: { json?: boolean }) => {
        const { describeAction, listActions } = await import('../action-reference.ts');
        const { actionListText, actionText } = await import('../../renderers/actions.ts');
        const page = pageOf(cli.outside, 'stdout');
        if (name === undefined) {
          const list = await listActions();
          print(cli.outside, options.json ? jsonText(list, 2) : actionListText(list, page));
        } else {
          const action = await describeAction(name);
          print(cli.outside, options.json ? jsonText(action, 2) : actionText(action, page));
        }
        return 0;
      }),
    );
};
