import { commandCheck } from '../../facts/command-check.ts';
import { fileContent } from '../../facts/file-content.ts';
import { fileStat, somethingThere } from '../../facts/file-stat.ts';
import { maskLines } from '../../facts/mask.ts';
import { Secret } from '../../hosts/secret.ts';
import { joinSh, sh } from '../../hosts/sh.ts';
import { blocked, change, check, type DiffLine, defineAction, noChange } from '../action.ts';
import { fileDiff } from '../file-diff.ts';
import { fileBack, fileBackFacts, pathWithSize } from '../file-preview.ts';
import { keepsOf } from '../kept-room.ts';
import { unknown } from '../outputs.ts';
import { type FileUndo, restoreScript } from '../replace-file.ts';
import { limited } from '../text-hunks.ts';
import { undoPreview } from '../undo-preview.ts';
import { type CommandUndo, limitOf, runChange, runCheck, takeBack, whatStays } from './act.ts';
import { commandParams, effectsOf, secretIn, shownCommand } from './params.ts';

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
  facts: ({ host }, params) => ({
    check: typeof params.check === 'string' ? [commandCheck(params.check, params.as).on(host.name)] : [],
    creates: params.creates ? [fileStat(params.creates).on(host.name)] : [],
    protects: params.protects.map((path) => fileContent(path).on(host.name)),
  }),
  touches(params, role) {
    const { changes, creates, protects, readOnly } = params;
    const keys = [...changes, ...(creates ? [fileStat.key(creates)] : []), ...protects.map(fileContent.key)];
    return { changes: readOnly ? [] : keys.map((key) => [role, key] as const), effects: effectsOf(params, role) };
  },
  plan(params, facts, { host, earlier }) {
    const secret = secretIn(params);
    if (secret)
      return blocked(
        `${secret} holds a secret, which every user of ${host.name} could see`,
        'Give the secret by stdin and let the command read it there.',
      );
    const summary = shownCommand(params);
    const outputs = { code: unknown('exit code'), stdout: unknown('what it prints') };
    if (params.readOnly) return check(summary, { outputs });

    const done = { outputs: { code: 0, stdout: '' } };
    if (facts.check[0]?.value?.holds) return noChange('already done: its check holds', done);
    const made = facts.creates.some((fact) => !fact.absent);
    if (made && !earlier && facts.check.length === 0) return noChange(`already done: ${params.creates} is there`, done);
    if (made && !earlier)
      return blocked(
        `${params.creates} is there but the check does not hold`,
        'Remove it, or leave out creates if the command copes with it.',
      );
    const undo: CommandUndo = {
      script: typeof params.undo === 'string' ? params.undo : null,
      as: params.as,
      remove: params.creates ?? null,
      restore: facts.protects.map(({ value }, index) => ({
        path: params.protects[index] ?? '',
        was: value ? { mode: value.mode, owner: value.owner, group: value.group } : null,
      })),
      irreversible: params.irreversible ?? null,
      isSecret: params.stdin instanceof Secret,
      timeoutMs: limitOf(params) ?? 3_600_000,
    };
    return change({
      summary,
      predicts: [
        ...facts.check.map((fact) => fact.becomes({ holds: true })),
        ...facts.creates.map((fact) => fact.becomes(somethingThere)),
        ...facts.protects.map((fact) => fact.becomesUnknown()),
      ],
      outputs,
      undo,
      undoSummary: undoSummary(undo),
      ...(undo.script?.trim().includes('\n') ? { undoDiff: limited(scriptLines(undo.script)) } : {}),
      // Absent before the first attempt: what is there now is what a dead attempt left.
      data: { removeFirst: made ? (params.creates ?? null) : null },
      keep: facts.protects.flatMap(({ absent }, index) =>
        absent ? [] : [{ name: `protected-${index}`, host: host.name, path: params.protects[index] ?? '' }],
      ),
      opaque: true,
      ...(params.irreversible === undefined ? {} : { irreversible: params.irreversible }),
    });
  },
  preflight: ({ protects }, ask, { host }) => ({ keeps: keepsOf(protects, ask, host) }),
  apply: ({ on, params, change: { data } }) =>
    params.readOnly ? runCheck(on, params) : runChange(on, params, data?.removeFirst ?? null),
  rollback: takeBack,
  putBack: ({ restore }, kept) =>
    restore.length === 0
      ? null
      : joinSh(restore.map((file, index) => sh`( ${restoreScript(file, kept(`protected-${index}`))}\n) || exit 1`)),
  preview: undoPreview({
    facts: ({ remove, restore }: CommandUndo, { host, kept }) => ({
      made: remove === null ? [] : [fileStat(remove).on(host)],
      files: restore.map(({ path }, index) => fileBackFacts(host, path, kept(`protected-${index}`))),
    }),
    look({ script, remove, restore, irreversible, isSecret }, { made, files }, { host }) {
      const goes = made.filter((fact) => !fact.absent);
      const back = files.map((facts, index) =>
        fileBack(restore[index] as FileUndo, facts, (now, before) => fileDiff(now, before, isSecret)),
      );
      const stops = back.find((view) => view.stops)?.stops;
      return {
        diff: [
          ...(script === null ? [] : [[' ', 'runs:'] as const, ...limited(scriptLines(script))]),
          ...goes.map((fact) => ['-', pathWithSize(remove ?? '', fact.value)] as const),
          ...back.flatMap(({ diff }, index) => (diff.length === 0 ? [] : [['@', restore[index]?.path ?? ''] as const, ...diff])),
        ],
        predicts: [...goes.map((fact) => fact.becomesAbsent()), ...back.flatMap(({ predicts = [] }) => predicts)],
        kept: irreversible === null ? [] : [whatStays(host, irreversible)],
        ...(stops === undefined ? {} : { stops }),
      };
    },
  }),
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

/** A script of several lines, of which the summary has the first. */
function scriptLines(script: string): DiffLine[] {
  return maskLines(script.trimEnd(), true).map((line) => [' ', line] as const);
}

function undoSummary({ script, remove, restore, irreversible }: CommandUndo): string {
  const parts = [
    script === null ? '' : `run: ${script.trim().split('\n')[0] ?? ''}`,
    remove === null ? '' : `remove ${remove}`,
    restore.length === 0 ? '' : `put back ${restore.map(({ path }) => path).join(', ')}`,
  ].filter(Boolean);
  return parts.join('; ') || `nothing: ${irreversible ?? ''}`;
}
