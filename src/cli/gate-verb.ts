import { carryPlaces } from '../errors/carry-places.ts';
import type { GateVerdict } from './contract.ts';
import { commonOptions, JSON_FLAG, STATE_DIR, type Typed } from './options.ts';
import { canAsk, pageOf, print } from './outside.ts';
import { does, examples, type Verb } from './verb.ts';

interface Words {
  readonly name: 'approve' | 'reject';
  readonly verdict: GateVerdict;
  readonly summary: string;
  readonly description: string;
  readonly words: readonly [flag: string, about: string];
  readonly examples: readonly string[];
}

interface TypedAnswer extends Typed {
  readonly comment?: string;
  readonly reason?: string;
  readonly digest?: string;
}

/** A verb that answers the question before a step. Whoever names the step has decided; else, in a terminal, it is asked once more. */
export function answersGate(words: Words): Verb {
  return (program, cli) => {
    program
      .command(words.name)
      .summary(words.summary)
      .description(words.description)
      .argument('[run]', 'the run (default: the latest)')
      .argument('[step]', 'the id of the step (default: the one that waits)')
      .option(...words.words)
      .option('--digest <digest>', 'only when this is what is asked, as a notification names it')
      .option(...STATE_DIR)
      .option(...JSON_FLAG)
      .addHelpText('after', examples(...words.examples))
      .action(
        does(cli, async (run: string | undefined, step: string | undefined, typed: TypedAnswer) => {
          const { outside } = cli;
          const options = commonOptions(typed, outside);
          const wire = await outside.loadWire();
          const shown = wire.readGate(run, step, words.verdict, { ...options, digest: typed.digest });
          const { gateText } = await import('../renderers/gate.ts');
          if (!options.json) outside.stderr.write(`${gateText(shown, pageOf(outside, 'stderr'))}\n\n`);
          if (step === undefined && canAsk(outside) && !options.json) {
            const { askYes } = await import('./ask.ts');
            if (!(await askYes(outside, words.name === 'approve' ? 'Approve it?' : 'Reject it?'))) return 5;
          }
          const { isWaitedFor } = wire.answerGate(shown, words.verdict, typed.comment ?? typed.reason, options);
          const next = isWaitedFor
            ? 'The Ferry that waits for it goes on from here.'
            : `ferry resume ${shown.run}   ${words.name === 'approve' ? 'goes on without asking again' : 'would ask again'}.`;
          if (options.json) print(outside, JSON.stringify({ ...shown, verdict: words.verdict, isWaitedFor }, null, 2));
          else
            print(
              outside,
              `${words.verdict === 'approved' ? 'Approved' : 'Rejected'}: ${shown.step} of ${shown.run}. ${carryPlaces(next, outside.places)}`,
            );
          return 0;
        }),
      );
  };
}
