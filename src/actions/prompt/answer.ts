import { z } from 'zod';
import { reveal, Secret } from '../../hosts/secret.ts';
import { sh } from '../../hosts/sh.ts';
import { blocked, type DiffLine, defineAction } from '../action.ts';
import { commandScript, takeBack } from '../command/act.ts';
import { commandText, EITHER, hasNotOne, isReversible, NO_WAY_BACK, shownCommand } from '../command/params.ts';
import { commandFacts, commandPreview, commandTouches, planCommand, putCommandBack } from '../command/plan-command.ts';
import { keepsOf } from '../kept-room.ts';
import { unknown } from '../outputs.ts';
import { duration, secretText, toMs } from '../params.ts';
import { type FileUndo, restoreScript } from '../replace-file.ts';
import { Dialogue } from './dialogue.ts';

// A terminal takes no longer line.
const LINE_LIMIT_BYTES = 4000;

const answer = z.strictObject({
  expect: z
    .string()
    .min(1)
    .refine(isPattern, 'write a regular expression')
    .describe(
      'Regular expression for the question. It fits what was printed since the answer before, and must reach into the last line: ' +
        'where that line is ended already, end the pattern in \\n.',
    ),
  send: secretText().describe('What to type, one line; an empty text is the Enter alone.'),
  optional: z.boolean().default(false).describe('The program may end without asking for it.'),
  repeat: z.boolean().default(false).describe('Give it each time it is asked for, and not once.'),
});

export default defineAction({
  summary: 'Run a program that asks questions, and answer them.',
  description:
    'For a program that takes its answers from a terminal only. It gets one of its own, in which nothing that is typed is shown; an answer is typed when the program pauses. ' +
    'What it asks beyond the answers ends it, with all that it started: better that than a default nobody chose. ' +
    'It does not run detached, since it needs somebody to answer: when Ferry or its connection dies, so does the program, and how far it came nobody knows. ' +
    'So on resume, once it is known to be dead, what it creates is removed, what it protects is put back, and it is asked again from the start.',
  undone: 'What `undo` does, then what it `creates` is removed and what it `protects` is put back.',
  params: z
    .strictObject({
      ...commandText,
      answers: z.array(answer).describe('The answers, in any order; the first that fits is given.'),
      unexpectedAfter: duration().default('10s').describe('How long a question that no answer fits may stand.'),
      silence: duration().default('10m').describe('How long it may print nothing where no question stands.'),
      timeout: duration().default('1h').describe('How long it may take in all.'),
      kill: z
        .boolean()
        .default(false)
        .describe(
          'Where Ferry ends it, kill it at once, unasked: for a program whose own clean-up destroys more than its death.',
        ),
    })
    .superRefine((given, context) => {
      const say = (message: string, ...path: (string | number)[]) => context.addIssue({ code: 'custom', message, path });
      if (hasNotOne(given)) say(EITHER, 'argv');
      if (!isReversible(given) && !given.irreversible) say(NO_WAY_BACK, 'irreversible');
    }),
  outputs: { code: 'Exit code.' },
  // After a crash its exit code in the attempt folder says more than facts do.
  converges: false,
  facts: ({ host }, params) => commandFacts(host, params),
  touches: commandTouches,
  plan(params, facts, { host, earlier }) {
    const unfit = params.answers.find(({ send }) => !isLine(reveal(send)));
    if (unfit)
      return blocked(
        `the answer to /${unfit.expect}/ is not one line of at most ${LINE_LIMIT_BYTES} bytes without control characters`,
        'A terminal takes nothing else; give the program its answer by a file, if it can read one.',
      );
    const planned = planCommand(params, facts, {
      ...{ host, isAgain: earlier !== null, isSecret: params.answers.some(({ send }) => send instanceof Secret) },
      ...{ timeoutMs: toMs(params.timeout), outputs: { ahead: { code: unknown('exit code') }, done: { code: 0 } } },
    });
    if (planned.kind !== 'change') return planned;
    // The files as they were before the first attempt: what is there now is what a dead one left.
    const restoreFirst: FileUndo[] = earlier?.undo.restore ?? [];
    return { ...planned, diff: params.answers.map(shownAnswer), data: { ...planned.data, restoreFirst } };
  },
  preflight: ({ protects }, ask, { host }) => ({ keeps: keepsOf(protects, ask, host) }),
  async apply({ on, params, ctx, change: { data } }) {
    if (data.removeFirst !== null) await on.change('remove-partial', sh`rm -rf -- ${data.removeFirst}`);
    for (const [index, file] of data.restoreFirst.entries())
      await on.change(`restore-first-${index}`, restoreScript(file, ctx.kept(on.name, `protected-${index}`)));
    const dialogue = new Dialogue(params.answers, {
      ...{ program: shownCommand(params), host: on.name, questionMs: toMs(params.unexpectedAfter) },
      ...{ silenceMs: toMs(params.silence), timeoutMs: toMs(params.timeout) },
    });
    const options = { as: params.as, okCodes: params.exitCodes, reply: dialogue.reply, kill: params.kill };
    const { code } = await on.converse('ask', commandScript(params), options);
    dialogue.refuseMissing(code);
    return { code };
  },
  rollback: takeBack,
  putBack: putCommandBack,
  preview: commandPreview,
  examples: [
    {
      title: 'Answer a wizard, one answer from a secret',
      with: {
        argv: ['/usr/sbin/setup-wizard'],
        answers: [
          { expect: 'Host name.*: $', send: 'db.example.com' },
          { expect: 'Password: $', send: '${{ inputs.password }}' },
          { expect: 'Overwrite .*\\[no\\]: $', send: 'yes', optional: true },
        ],
        protects: ['/etc/wizard.conf'],
      },
    },
  ],
});

function shownAnswer({ expect, send, optional }: z.output<typeof answer>): DiffLine {
  return [' ', `/${expect}/ -> ${send instanceof Secret ? '[secret]' : JSON.stringify(send)}${optional ? ' (if asked)' : ''}`];
}

function isLine(text: string): boolean {
  return Buffer.byteLength(text) <= LINE_LIMIT_BYTES && !/\p{Cc}/u.test(text);
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'gu') instanceof RegExp;
  } catch {
    return false;
  }
}
