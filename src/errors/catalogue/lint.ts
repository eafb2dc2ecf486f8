import { entry } from '../entry.ts';
import { lintCommandErrors } from './lint-commands.ts';
import { lintMoveErrors } from './lint-moves.ts';

const ownErrors = {
  FILE_NOT_MADE: entry<{ step: string; path: string; role: string; why: string }>({
    title: 'A file is needed that nobody makes there in time',
    message: (a) => `Step "${a.step}" needs ${a.path} on ${a.role}, and ${a.why}.`,
    hint: () => 'Name the host that has it, bring it there with file.transfer first, or change the order.',
    exit: 65,
    example: { step: 'restore', path: '/var/lib/move/engine.dump', role: 'new_db', why: 'step "dump" makes it on old_db only' },
  }),
  FILE_LEFT: entry<{ step: string; path: string; role: string; what: string }>({
    title: 'A file that was only needed on the way stays',
    message: (a) => `The ${a.what} ${a.path}, made on ${a.role} by step "${a.step}", is never removed.`,
    hint: (a) =>
      `At the end:  uses: file.remove   with: { paths: [${a.path}]${a.what === 'folder' ? ', recursive: true' : ''}, keep: false }`,
    exit: 65,
    example: { step: 'dump', path: '/var/lib/move/engine.dump', role: 'old_db', what: 'file' },
  }),
  FILE_EXPOSED: entry<{ step: string; path: string; mode: string; what: string }>({
    title: 'A file with secrets in it can be read by everybody',
    message: (a) => `Step "${a.step}" makes ${a.path} with mode ${a.mode}: every user of the machine can read ${a.what}.`,
    hint: () => 'Say mode: "0600", with the owner who needs it.',
    exit: 65,
    example: { step: 'copy', path: '/tmp/engine.dump', mode: '0644', what: 'a whole database' },
  }),
  REMOVAL_FINAL: entry<{ step: string; path: string; role: string }>({
    title: 'What the run did not make is removed for good',
    message: (a) =>
      `Step "${a.step}" removes ${a.path} on ${a.role} with keep: false, and no step makes it: a rollback cannot bring it back.`,
    hint: () => 'Leave out keep: false; what is removed is then kept on the host and comes back with a rollback.',
    exit: 65,
    example: { step: 'tidy', path: '/etc/ovirt-engine-dwh', role: 'engine' },
  }),
  SERVICE_LEFT_STOPPED: entry<{ step: string; units: string; role: string }>({
    title: 'A service is stopped and never started',
    message: (a) => `Step "${a.step}" stops ${a.units} on ${a.role}, and no later step starts it there.`,
    hint: (a) =>
      `Start what ran:  units: "\${{ steps['${a.step}'].outputs.stopped }}"   or, if it is to stay stopped, say disable: true: otherwise the next reboot starts it.`,
    exit: 65,
    example: { step: 'stop-services', units: 'ovirt-engine.service', role: 'engine' },
  }),
  MAINTENANCE_LEFT_SET: entry<{ step: string; mode: string }>({
    title: 'Maintenance is set and never lifted',
    message: (a) => `Step "${a.step}" sets ${a.mode} maintenance, and no later step lifts it.`,
    hint: (a) => `At the end:  uses: ovirt.maintenance   with: { mode: "\${{ steps['${a.step}'].outputs.before }}" }`,
    exit: 65,
    example: { step: 'maintenance', mode: 'global' },
  }),
  MAINTENANCE_LIFTED_EARLY: entry<{ step: string; start: string }>({
    title: 'Maintenance is lifted before anything proves the service is up',
    message: (a) =>
      `Step "${a.step}" lifts maintenance after step "${a.start}" has started services, and no check between them waits until they answer.`,
    hint: () => 'Between them:  uses: http.check   with: { url: http://localhost/ovirt-engine/services/health, text: DB Up! }',
    exit: 65,
    example: { step: 'lift-maintenance', start: 'start-services' },
  }),
  RESTART_NOT_UNDONE: entry<{ step: string; unit: string; change: string; path: string }>({
    title: 'A rollback leaves a service running on a configuration that is gone',
    message: (a) =>
      `Step "${a.step}" restarts ${a.unit} after step "${a.change}" has changed ${a.path}. On the way back the file is put back, but ${a.unit} keeps running with the new one.`,
    hint: (a) => `Stop ${a.unit} before "${a.change}" and start it after: a rollback then does the same backwards.`,
    exit: 65,
    example: {
      step: 'restart',
      unit: 'ovirt-engine.service',
      change: 'point-engine',
      path: '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf',
    },
  }),
  CHECKPOINT_UNREACHABLE: entry<{ step: string; checkpoints: string }>({
    title: 'No rollback leads back to a checkpoint',
    message: (a) =>
      `Once step "${a.step}" is done, no rollback leads all the way back to ${a.checkpoints}: it cannot be taken back.`,
    hint: () => 'Give it an undo, creates or protects; or put it before the checkpoint.',
    exit: 65,
    example: { step: 'engine-setup', checkpoints: '"quiesced"' },
  }),
  CHECKPOINT_FILE_LOST: entry<{ step: string; path: string; checkpoint: string; need: string }>({
    title: 'After a rollback to a checkpoint a file is gone that is needed again',
    message: (a) =>
      `Step "${a.step}" removes ${a.path} for good. After a rollback to "${a.checkpoint}" the run cannot go on: step "${a.need}" needs that file again, and the step that makes it came before.`,
    hint: () => 'Leave out keep: false there, or put the checkpoint before the step that makes the file.',
    exit: 65,
    example: { step: 'remove-dump', path: '/var/lib/move/engine.dump', checkpoint: 'dumped', need: 'restore' },
  }),
  STEPS_CONFLICT: entry<{ step: string; other: string; fact: string; role: string }>({
    title: 'Two steps that may run side by side touch the same thing',
    message: (a) => `Steps "${a.other}" and "${a.step}" may run side by side, and both touch ${a.fact} on ${a.role}.`,
    hint: (a) => `Say which comes first:  needs: [${a.other}]`,
    exit: 65,
    example: { step: 'point-dwhd', other: 'point-engine', fact: 'fileContent(/etc/app.conf)', role: 'engine' },
  }),
  CONDITION_CONSTANT: entry<{ condition: string; value: string; what: string }>({
    title: 'A condition is the same for every input',
    message: (a) => `"${a.condition}" is ${a.value} whatever the inputs are: ${a.what}.`,
    hint: () => 'Compare with another value, or take the condition out.',
    exit: 65,
    example: { condition: "inputs.mode == 'a' && inputs.mode == 'b'", value: 'false', what: 'what it stands on is never done' },
  }),
  GATE_MISSING: entry<{ step: string; does: string }>({
    title: 'What cannot be taken back is done without asking',
    message: (a) => `Step "${a.step}" ${a.does}, and no gate before it says what is at stake.`,
    hint: () => 'Add  confirm: a question in your words   to the step, or a gate.confirm before it.',
    exit: 65,
    example: { step: 'wipe', does: 'runs a command that cannot be taken back and cannot tell whether it is done' },
  }),
  ALLOW_UNUSED: entry<{ rule: string }>({
    title: 'An allow silences nothing',
    message: (a) => `There is nothing here that ${a.rule} would say: this "allow" silences nothing.`,
    hint: () => 'Take it out, so that the rule speaks up the next time.',
    exit: 65,
    example: { rule: 'FILE_LEFT' },
  }),
};

/** What the linter finds; its rules stand in src/runbook/lint/rules. */
export const lintErrors = { ...lintCommandErrors, ...lintMoveErrors, ...ownErrors };
