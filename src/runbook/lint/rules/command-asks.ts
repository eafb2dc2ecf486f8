import { paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';
import { type ProgramCall, programsOf } from '../shell-commands.ts';

export default defineRule({
  code: 'COMMAND_ASKS',
  severity: 'warning',
  why: 'It stops in the middle of a run, with services down, or takes its own default: engine-setup takes No for "Disconnect the existing DWH?".',
  fix: 'Give it its answers.',
  bad: `
steps:
  - { id: setup, host: dwh, uses: command.run, with: { argv: [engine-setup], irreversible: it sets up a database }, confirm: Set up DWH? }`,
  good: `
steps:
  - id: setup
    host: dwh
    confirm: Set up DWH?
    uses: command.run
    with: { argv: [engine-setup, --config-append=/root/answers.conf, --accept-defaults], irreversible: it sets up a database }`,
  check: (book) =>
    book.all('run-command').flatMap(({ by, what }) => {
      if (paramOf(by.step, 'stdin') || paramOf(by.step, 'answers')) return [];
      const asking = programsOf(what).flatMap((call) => {
        const why = whyAsking(call);
        return why ? [{ args: { step: by.step.id, program: call.program, why }, step: by }] : [];
      });
      return asking.slice(0, 1);
    }),
});

function whyAsking({ program, args }: ProgramCall): string | undefined {
  const has = (...options: string[]) =>
    args.some((arg) => options.some((option) => arg === option || arg.startsWith(`${option}=`)));
  if (program === 'engine-setup' || (program === 'hosted-engine' && has('--deploy')))
    return has('--config', '--config-append') ? undefined : 'which asks questions unless it gets an answer file';
  if (program === 'engine-cleanup') return has('--config-append', '--config') ? undefined : 'which asks before it cleans up';
  if (program === 'mysql_secure_installation' || program === 'passwd') return 'which asks for a password';
  if (!['yum', 'dnf', 'apt', 'apt-get'].includes(program) || !has('install', 'remove', 'erase', 'upgrade', 'update', 'purge'))
    return undefined;
  const isApt = program.startsWith('apt');
  if (isApt && has('update')) return undefined;
  // Twice quiet is a yes for apt-get, and for nobody else.
  const isYes = (arg: string) => /^-[a-z]*y|^--(assumeyes|assume-yes|yes)$/.test(arg) || (isApt && /^-q(q|=[2-9])/.test(arg));
  return args.some(isYes) ? undefined : 'which asks for a yes without -y';
}
