import { defineRule } from '../rule.ts';
import { type ProgramCall, programsOf } from '../shell-commands.ts';

const SYSTEMCTL: Record<string, string> = { stop: 'service.stop', start: 'service.start', restart: 'service.restart' };
const PROGRAMS: Record<string, string> = {
  pg_dump: 'postgres.dump',
  pg_restore: 'postgres.restore',
  createdb: 'postgres.database',
  createuser: 'postgres.role',
  initdb: 'postgres.cluster',
  'postgresql-setup': 'postgres.cluster',
  'locale-gen': 'locale.generate',
  localedef: 'locale.generate',
  'firewall-cmd': 'firewall.open',
  ufw: 'firewall.open',
  scp: 'file.transfer',
};

const SQL: readonly (readonly [RegExp, string])[] = [
  [/alter system/i, 'postgres.settings'],
  [/create (role|user)/i, 'postgres.role'],
  [/create database/i, 'postgres.database'],
  [/create extension/i, 'postgres.extension'],
];

export default defineRule({
  code: 'COMMAND_HAS_ACTION',
  severity: 'warning',
  why: 'A command is done blindly: the plan cannot say what it changes, a rollback does what you tell it, and its exit code is all the proof there is.',
  fix: 'Use the action.',
  bad: `
steps:
  - { id: stop, host: app, uses: command.run, with: { argv: [systemctl, stop, app.service], undo: systemctl start app.service } }`,
  good: `
steps:
  - { id: stop, host: app, uses: service.stop, with: { units: [app.service], disable: true } }`,
  check: (book) =>
    book.all('run-command').flatMap(({ by, what }) => {
      if (what.readOnly) return [];
      const found = programsOf(what)
        .map((call) => ({ call, action: actionFor(call) }))
        .find(({ action }) => action !== undefined);
      return found?.action ? [{ args: { step: by.step.id, program: shown(found.call), action: found.action }, step: by }] : [];
    }),
});

function actionFor({ program, args }: ProgramCall): string | undefined {
  const text = args.join(' ');
  if (program === 'systemctl') return SYSTEMCTL[args.find((arg) => !arg.startsWith('-')) ?? ''];
  if (program === 'service') return SYSTEMCTL[args[1] ?? ''];
  if (program === 'hosted-engine') return text.includes('--set-maintenance') ? 'ovirt.maintenance' : undefined;
  if (['yum', 'dnf', 'apt', 'apt-get'].includes(program)) {
    if (args.includes('install')) return 'package.install';
    return ['remove', 'erase'].some((verb) => args.includes(verb)) ? 'package.remove' : undefined;
  }
  if (program === 'psql') return SQL.find(([pattern]) => pattern.test(text))?.[1];
  if (program === 'sed')
    return args.some((arg) => /^-\w*i|^--in-place/.test(arg)) && /\/etc\/\S+\.conf/.test(text) ? 'config.set' : undefined;
  if (program === 'rm') return /(^| )\//.test(text) ? 'file.remove' : undefined;
  return PROGRAMS[program];
}

function shown({ program, args }: ProgramCall): string {
  const verb = args.find((arg) => ['stop', 'start', 'restart', 'install', '--set-maintenance'].includes(arg));
  return verb === undefined ? program : `${program} ${verb}`;
}
