import { Secret } from '../../hosts/secret.ts';
import { check, defineAction } from '../action.ts';
import { keepsOf } from '../kept-room.ts';
import { unknown } from '../outputs.ts';
import { limitOf, runChange, runCheck, takeBack } from './act.ts';
import { commandParams, shownCommand } from './params.ts';
import { commandFacts, commandPreview, commandTouches, planCommand, putCommandBack, refuseSecret } from './plan-command.ts';

const OUTPUTS = { code: unknown('exit code'), stdout: unknown('what it prints') };

export default defineAction({
  summary: 'Run a command of your own.',
  description:
    'The way out where no action fits. Ferry cannot know what a command does, so tell it: check says whether it is done already, undo takes it back, creates names what it makes, ' +
    'protects names files that are kept and put back. With none of the last three it must say irreversible. With readOnly it is a check that changes nothing. ' +
    'Secrets go in by stdin only, because every user of a machine can see the arguments of its commands. ' +
    'A command that died half-way runs again on resume, after what it creates was removed; one that ended does not.',
  undone: 'What `undo` does, then what it `creates` is removed and what it `protects` is put back.',
  params: commandParams,
  outputs: {
    code: 'Exit code.',
    stdout:
      'What it printed, the first 64 KiB; of a long one the end of its log, stderr included. A secret where one stands in it.',
  },
  // What it prints is handed on, so after a crash the answer is taken from the attempt folder instead of the facts.
  converges: false,
  facts: ({ host }, params) => commandFacts(host, params),
  touches: commandTouches,
  plan(params, facts, { host, earlier }) {
    if (params.readOnly) {
      const refused = refuseSecret(params, host);
      return refused ?? check(shownCommand(params), { outputs: OUTPUTS });
    }
    return planCommand(params, facts, {
      ...{ host, isAgain: earlier !== null, isSecret: params.stdin instanceof Secret, timeoutMs: limitOf(params) ?? 3_600_000 },
      outputs: { ahead: OUTPUTS, done: { code: 0, stdout: '' } },
    });
  },
  preflight: ({ protects }, ask, { host }) => ({ keeps: keepsOf(protects, ask, host) }),
  apply: ({ on, params, change: { data } }) =>
    params.readOnly ? runCheck(on, params) : runChange(on, params, data?.removeFirst ?? null),
  rollback: takeBack,
  putBack: putCommandBack,
  preview: commandPreview,
  examples: [
    { title: 'Make a folder, unless it is there', with: { argv: ['mkdir', '-m', '0700', '/srv/dumps'], creates: '/srv/dumps' } },
    {
      title: 'A kernel setting, with its check and its undo',
      with: {
        shell: 'sysctl -w vm.swappiness=1',
        check: 'test "$(sysctl -n vm.swappiness)" = 1',
        undo: 'sysctl -w vm.swappiness=60',
      },
    },
    { title: 'Look at something', with: { argv: ['uname', '-r'], readOnly: true } },
  ],
});
