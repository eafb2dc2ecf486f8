import type { Template } from '../../runbook.ts';
import { type LintStep, paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';
import { type ProgramCall, programsOf } from '../shell-commands.ts';

export default defineRule({
  code: 'SECRET_LITERAL',
  severity: 'warning',
  why:
    'It is in the runbook and its history, in the journal of every run and in every plan, and every user of the machine can read it ' +
    'while the command runs. Ferry hides only what it knows to be a secret.',
  fix: 'Make it an input of type secret and give it by stdin, or let the program read it from a file of its own, as .pgpass is.',
  bad: `
steps:
  - { id: look, host: db, uses: command.run, with: { shell: "PGPASSWORD=hunter2 psql -X -c 'select 1'", readOnly: true } }`,
  good: `
inputs:
  password: { type: secret }
steps:
  - id: look
    host: db
    uses: command.run
    with: { shell: "read -r PGPASSWORD; export PGPASSWORD; psql -X -c 'select 1'", stdin: "\${{ inputs.password }}\\n", readOnly: true }`,
  check: (book) =>
    book.all('run-command').flatMap(({ by, what }) => {
      const param = what.argv ? 'argv' : 'shell';
      const given = [...(what.argv ?? []), ...(what.shell === undefined ? [] : [what.shell])];
      const found = first(given, named) ?? first(given, inAddress) ?? first(programsOf(what), loginOf);
      const env = inEnv(by);
      return [
        ...(found === undefined
          ? []
          : [{ args: { step: by.step.id, param, what: found }, step: by, at: paramOf(by.step, param)?.at }]),
        ...(env === undefined ? [] : [{ args: { step: by.step.id, param: 'env', what: env.name }, step: by, at: env.at }]),
      ];
    }),
});

const SECRET_NAME = '[\\w-]*(?:password|passwd|passphrase|secret|token)';
// A value that is expanded, empty, a number or a plain yes or no is none; an expression is for SECRET_EXPOSED to judge.
const LITERAL = `(?!\\d+\\b|(?:true|false|yes|no|none|null)\\b)[^\\s"'$\`;&|()<>]`;

/** The name a word sets to a literal value: `PGPASSWORD` of `PGPASSWORD=x`, `--password` of `--password=x`. */
function named(text: string): string | undefined {
  return new RegExp(`(?:^|[\\s;&|(\`"'])(${SECRET_NAME})=["']?${LITERAL}`, 'i').exec(text)?.[1];
}

/** `postgres://app:x@db` */
function inAddress(text: string): string | undefined {
  return /\b[a-z][\w+.-]*:\/\/[^\s/:@"'$]+:[^\s/@"'$]+@/i.test(text) ? 'the address of a server' : undefined;
}

/** `curl -u user:x` */
function loginOf({ program, args }: ProgramCall): string | undefined {
  if (program !== 'curl' && program !== 'wget') return undefined;
  const login = args.flatMap((arg, index) => {
    if (/^(-\w*u|--user|--proxy-user)$/.test(arg)) return [args[index + 1] ?? ''];
    return [/^(?:-u|--(?:proxy-)?user=)(.+)$/.exec(arg)?.[1] ?? ''];
  });
  return login.some((text) => /^[^:\s]+:[^\s$]/.test(text)) ? `the login of ${program}` : undefined;
}

function inEnv({ step }: LintStep): { name: string; at: Template['at'] } | undefined {
  const env = paramOf(step, 'env');
  const entries = env?.kind === 'map' ? env.entries : [];
  const found = entries.find(
    ([name, value]) => value.kind === 'literal' && value.value !== null && named(`${name}=${String(value.value)}`) !== undefined,
  );
  return found && { name: found[0], at: found[1].at };
}

function first<T>(parts: readonly T[], find: (part: T) => string | undefined): string | undefined {
  return parts.map(find).find((one) => one !== undefined);
}
