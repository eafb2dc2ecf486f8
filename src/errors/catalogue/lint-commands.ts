import { entry } from '../entry.ts';

/** What the linter finds in commands and in the way secrets go. */
export const lintCommandErrors = {
  SECRET_EXPOSED: entry<{ step: string; param: string; uses: string; source: string; open: number }>({
    title: 'A secret goes where it can be seen',
    message: (a) =>
      a.open
        ? `"${a.param}" of step "${a.step}" holds the secret ${a.source}: every user of the machine can read it while the command runs.`
        : `"${a.param}" of step "${a.step}" holds the secret ${a.source}, and ${a.uses} takes no secret there.`,
    hint: (a) =>
      a.open
        ? `Give it by stdin and let the command read it:  stdin: "\${{ ${a.source} }}"`
        : `ferry actions ${a.uses}   says which params take a secret.`,
    exit: 65,
    example: { step: 'set-password', param: 'argv', uses: 'command.run', source: 'inputs.password', open: 1 },
  }),
  SECRET_LITERAL: entry<{ step: string; param: string; what: string }>({
    title: 'A password stands in the runbook',
    message: (a) =>
      `"${a.param}" of step "${a.step}" holds a password (${a.what}): it stays in the runbook and in every journal, and every user of the machine can read it while the command runs.`,
    hint: () => 'Make it an input of type secret and give it by stdin:  stdin: "${{ inputs.password }}"',
    exit: 65,
    example: { step: 'look', param: 'shell', what: 'PGPASSWORD' },
  }),
  COMMAND_HAS_ACTION: entry<{ step: string; program: string; action: string }>({
    title: 'A command does what an action does better',
    message: (a) =>
      `Step "${a.step}" runs ${a.program}. ${a.action} does that too, and knows the state before, the way back and whether it worked.`,
    hint: (a) => `ferry actions ${a.action}   shows how.`,
    exit: 65,
    example: { step: 'dump', program: 'pg_dump', action: 'postgres.dump' },
  }),
  COMMAND_ASKS: entry<{ step: string; program: string; why: string }>({
    title: 'A command asks questions nobody can answer',
    message: (a) =>
      `Step "${a.step}" runs ${a.program}, ${a.why}; a step has no terminal, so it fails or takes what it takes for an answer.`,
    hint: () => 'Give it its answers by a file, an option or stdin.',
    exit: 65,
    example: { step: 'setup', program: 'engine-setup', why: 'which asks questions unless it gets an answer file' },
  }),
  COMMAND_UNCHECKED: entry<{ step: string; why: string; instead: string }>({
    title: 'A command ends well whatever happened',
    message: (a) => `Step "${a.step}" cannot fail: ${a.why}.`,
    hint: (a) => a.instead,
    exit: 65,
    example: {
      step: 'load',
      why: 'psql goes on after an error in its script and ends with exit code 0',
      instead: 'psql -X -v ON_ERROR_STOP=1 -1 -f FILE   stops at the first error and leaves nothing half done.',
    },
  }),
};
