import { z } from 'zod';
import { Secret } from '../../hosts/secret.ts';
import type { Effect } from '../effects.ts';
import { absolutePath, duration, secretText, userName } from '../params.ts';

const shellText = () => secretText();

/** A command, what it does and how it is taken back, as every step that runs one says it. Text in a command line may not be secret; that is said by `secretIn`, in words. */
export const commandText = {
  argv: z
    .array(z.union([secretText(), z.number()]))
    .min(1)
    .optional()
    .describe('The program and its arguments, no shell in between.'),
  shell: shellText().optional().describe('POSIX shell text, instead of argv.'),
  as: userName().default('root').describe('The user it runs as, in /, with LC_ALL=C.'),
  env: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/), secretText())
    .default({})
    .describe('Environment variables; no secrets.'),
  exitCodes: z.array(z.int().min(0).max(255)).min(1).default([0]).describe('Exit codes that mean success.'),
  check: shellText().optional().describe('Read-only shell text; exit code 0 says that nothing is left to do.'),
  undo: shellText()
    .optional()
    .describe('Shell text for rollback; must be right whether the command ran not at all, half, or fully.'),
  creates: absolutePath().optional().describe('What it makes: when it is there nothing is left to do, and rollback removes it.'),
  protects: z
    .array(absolutePath())
    .default([])
    .describe('Files it may change: kept before, put back by rollback, also to not being there.'),
  changes: z.array(z.string()).default([]).describe('Keys of facts it changes, for the linter: unitState(x.service).'),
  irreversible: z
    .string()
    .optional()
    .describe('Why it cannot be taken back; an empty text, which an expression may give, says nothing.'),
  summary: z.string().min(1).optional().describe('What the plan shows instead of the command.'),
};

export type CommandText = z.output<z.ZodObject<typeof commandText>>;

/** What command.run takes. */
export const commandParams = z
  .strictObject({
    ...commandText,
    stdin: secretText().optional().describe('What it reads; the one place for a secret.'),
    readOnly: z
      .boolean()
      .default(false)
      .describe('It changes nothing: it then runs as a check, and its failure is that of a check.'),
    timeout: duration().optional().describe('How long it may take: 5m unless given, without end for a long one.'),
    long: z.boolean().default(false).describe('Runs as a unit of its own, which outlives Ferry and a lost connection.'),
  })
  .superRefine((given, context) => {
    const say = (message: string, path: string) => context.addIssue({ code: 'custom', message, path: [path] });
    if (hasNotOne(given)) say(EITHER, 'argv');
    const reversible = isReversible(given);
    if (given.readOnly) {
      if (reversible || given.irreversible || given.check !== undefined || given.long)
        say('a readOnly command changes nothing: leave out check, undo, creates, protects, irreversible and long', 'readOnly');
    } else if (!reversible && !given.irreversible) {
      say(`${NO_WAY_BACK}, or readOnly: true`, 'irreversible');
    }
  });

export const EITHER = 'give either argv or shell';
export const NO_WAY_BACK = 'say how it is taken back (undo, creates or protects), or irreversible: and why not';

export function hasNotOne({ argv, shell }: CommandText): boolean {
  return (argv === undefined) === (shell === undefined);
}

/** Whether it is said how the command is taken back. */
export function isReversible({ undo, creates, protects }: CommandText): boolean {
  return undo !== undefined || creates !== undefined || protects.length > 0;
}

export type CommandParams = z.output<typeof commandParams>;

/** Where a secret stands in text that every user of the machine could read; undefined when there is none. */
export function secretIn(params: CommandText): string | undefined {
  if (params.argv?.some((word) => word instanceof Secret)) return 'argv';
  if (Object.values(params.env).some((text) => text instanceof Secret)) return 'env';
  return (['shell', 'check', 'undo'] as const).find((name) => params[name] instanceof Secret);
}

/** What it does, as far as it tells. */
export function effectsOf(params: CommandText & { readOnly: boolean }, role: string): Effect[] {
  const { argv, shell, creates, check, readOnly } = params;
  const reversible = readOnly || isReversible(params);
  return [
    {
      does: 'run-command',
      role,
      open: ['argv', 'shell', 'env', 'check', 'undo', 'summary'],
      ...(argv ? { argv: argv.map(String) } : {}),
      ...(shell === undefined ? {} : { shell: String(shell) }),
      readOnly,
      checked: check !== undefined,
      reversible,
    },
    ...(creates === undefined ? [] : [{ does: 'make-file', role, path: creates, how: 'new' } as const]),
  ];
}

/** The command in a few words, for a plan. */
export function shownCommand(params: CommandText): string {
  const text = params.summary ?? (params.argv ? params.argv.join(' ') : String(params.shell).trim());
  const line = text.split('\n')[0] ?? '';
  return line.length > 80 || line !== text ? `${line.slice(0, 80)} ...` : line;
}
