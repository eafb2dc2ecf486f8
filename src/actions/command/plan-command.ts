import { commandCheck } from '../../facts/command-check.ts';
import type { Facts } from '../../facts/fact.ts';
import { fileContent } from '../../facts/file-content.ts';
import { fileStat, somethingThere } from '../../facts/file-stat.ts';
import { maskLines } from '../../facts/mask.ts';
import type { HostInfo } from '../../hosts/host.ts';
import { joinSh, type Sh, sh } from '../../hosts/sh.ts';
import { type Blocked, blocked, type Change, change, type DiffLine, type NoChange, noChange, type Touches } from '../action.ts';
import { fileDiff } from '../file-diff.ts';
import { fileBack, fileBackFacts, pathWithSize } from '../file-preview.ts';
import type { Outputs } from '../outputs.ts';
import { type FileUndo, restoreScript } from '../replace-file.ts';
import { limited } from '../text-hunks.ts';
import { undoPreview } from '../undo-preview.ts';
import { type CommandUndo, whatStays } from './act.ts';
import { type CommandText, effectsOf, secretIn, shownCommand } from './params.ts';

/** What is looked at before a command: whether it is done, what it makes, and what it may spoil. */
export function commandFacts(host: HostInfo, params: CommandText) {
  return {
    check: typeof params.check === 'string' ? [commandCheck(params.check, params.as).on(host.name)] : [],
    creates: params.creates ? [fileStat(params.creates).on(host.name)] : [],
    protects: params.protects.map((path) => fileContent(path).on(host.name)),
  };
}

export function commandTouches(params: CommandText & { readOnly?: boolean }, role: string): Touches {
  const { changes, creates, protects, readOnly = false } = params;
  const keys = [...changes, ...(creates ? [fileStat.key(creates)] : []), ...protects.map(fileContent.key)];
  return { changes: readOnly ? [] : keys.map((key) => [role, key] as const), effects: effectsOf({ ...params, readOnly }, role) };
}

/** Every user of a machine can see the arguments of its commands. */
export function refuseSecret(
  params: CommandText,
  host: HostInfo,
  instead = 'Give the secret by stdin and let the command read it there.',
): Blocked | undefined {
  const secret = secretIn(params);
  return secret ? blocked(`${secret} holds a secret, which every user of ${host.name} could see`, instead) : undefined;
}

/** The plan of a command that changes something: what it makes and protects is all that undo knows of it, beside its own script. */
export function planCommand(
  params: CommandText,
  facts: Facts<ReturnType<typeof commandFacts>>,
  site: {
    readonly host: HostInfo;
    /** Whether it was begun before. */
    readonly isAgain: boolean;
    /** Whether it is given a secret. */
    readonly isSecret: boolean;
    readonly timeoutMs: number;
    /** What it hands on, where it has to run and where it was done already. */
    readonly outputs: { readonly ahead: Outputs; readonly done: Outputs };
  },
): Change<CommandUndo, { removeFirst: string | null }> | NoChange | Blocked {
  const { host, isAgain, outputs } = site;
  const refused = refuseSecret(params, host);
  if (refused) return refused;
  const done = { outputs: outputs.done };
  if (facts.check[0]?.value?.holds) return noChange('already done: its check holds', done);
  const made = facts.creates.some((fact) => !fact.absent);
  if (made && !isAgain && facts.check.length === 0) return noChange(`already done: ${params.creates} is there`, done);
  if (made && !isAgain)
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
    irreversible: params.irreversible || null,
    isSecret: site.isSecret,
    timeoutMs: site.timeoutMs,
  };
  return change({
    summary: shownCommand(params),
    predicts: [
      ...facts.check.map((fact) => fact.becomes({ holds: true })),
      ...facts.creates.map((fact) => fact.becomes(somethingThere)),
      ...facts.protects.map((fact) => fact.becomesUnknown()),
    ],
    outputs: outputs.ahead,
    undo,
    undoSummary: undoSummary(undo),
    ...(undo.script?.trim().includes('\n') ? { undoDiff: limited(scriptLines(undo.script)) } : {}),
    // Absent before the first attempt: what is there now is what a dead attempt left.
    data: { removeFirst: made ? (params.creates ?? null) : null },
    keep: facts.protects.flatMap(({ absent }, index) =>
      absent ? [] : [{ name: `protected-${index}`, host: host.name, path: params.protects[index] ?? '' }],
    ),
    opaque: true,
    ...(params.irreversible ? { irreversible: params.irreversible } : {}),
  });
}

/** What a dead-man switch runs: the files it protects, each back or the whole has failed. */
export function putCommandBack({ restore }: CommandUndo, kept: (name: string) => string): Sh | null {
  if (restore.length === 0) return null;
  return joinSh(restore.map((file, index) => sh`( ${restoreScript(file, kept(`protected-${index}`))}\n) || exit 1`));
}

export const commandPreview = undoPreview({
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
