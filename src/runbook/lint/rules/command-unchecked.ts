import { defineRule } from '../rule.ts';
import { programsOf } from '../shell-commands.ts';

export default defineRule({
  code: 'COMMAND_UNCHECKED',
  severity: 'warning',
  why: 'The run goes on with a part of the rows, and nobody is told: 617 errors and exit code 0 were measured for a script run twice.',
  fix: 'Let it stop at the first error, in one transaction.',
  bad: `
steps:
  - id: load
    host: db
    uses: command.run
    with: { shell: psql -d app -f /srv/app.sql, as: postgres, undo: "psql -X -c 'DROP DATABASE IF EXISTS app'" }`,
  good: `
steps:
  - id: load
    host: db
    uses: command.run
    with: { shell: psql -X -v ON_ERROR_STOP=1 -1 -d app -f /srv/app.sql, as: postgres, undo: "psql -X -c 'DROP DATABASE IF EXISTS app'" }`,
  check: (book) =>
    book.all('run-command').flatMap(({ by, what }) => {
      const psql = programsOf(what).find(
        ({ program, args }) => program === 'psql' && readsScript(args) && !/ON_ERROR_STOP=(1|on|true)/i.test(args.join(' ')),
      );
      if (!psql) return [];
      const why = 'psql goes on after an error in its script and ends with exit code 0';
      const instead = 'psql -X -v ON_ERROR_STOP=1 -1 -f FILE   stops at the first error and leaves nothing half done.';
      return [{ args: { step: by.step.id, why, instead }, step: by }];
    }),
});

/** Whether psql gets a script: by -f, or by its stdin when nothing is given by -c. */
function readsScript(args: readonly string[]): boolean {
  if (args.some((arg) => /^-[a-zA-Z]*f/.test(arg) || arg.startsWith('--file') || arg.startsWith('<'))) return true;
  return !args.some((arg) => /^-[a-zA-Z]*[clV]/.test(arg) || /^--(command|list|version)/.test(arg));
}
