import { FerryError } from '../../errors/ferry-error.ts';
import { asUser } from '../../hosts/as-user.ts';
import type { ActingHost, RunResult } from '../../hosts/host.ts';
import { reveal } from '../../hosts/secret.ts';
import { joinSh, Sh, sh } from '../../hosts/sh.ts';
import { cutEnd, lastLines } from '../../lib/text.ts';
import type { ActContext, KeptOnPurpose } from '../action.ts';
import type { Outputs } from '../outputs.ts';
import { toMs } from '../params.ts';
import { type FileUndo, restoreScript } from '../replace-file.ts';
import { type CommandParams, type CommandText, shownCommand } from './params.ts';

export type CommandUndo = {
  script: string | null;
  as: string;
  remove: string | null;
  restore: FileUndo[];
  irreversible: string | null;
  /** Whether it was given a secret, which it may have written into the files it changes. */
  isSecret: boolean;
  timeoutMs: number;
};

const SHORT_MS = 300_000;
const OUTPUT_LIMIT = 65_536;

/** How long the command may take; undefined for a long one without limit. */
export function limitOf({ timeout, long }: Pick<CommandParams, 'timeout' | 'long'>): number | undefined {
  return timeout === undefined ? (long ? undefined : SHORT_MS) : toMs(timeout);
}

/** The command as shell text. Its author's own shell text stands in it as written; all else is quoted. */
export function commandScript({ argv, shell, env }: CommandText): Sh {
  const exports = Object.entries(env).map(([name, text]) => sh`export ${new Sh(name)}=${reveal(text)}`);
  const body = argv ? sh`${argv.map((word) => (typeof word === 'number' ? word : reveal(word)))}` : new Sh(reveal(shell ?? ''));
  return joinSh([...exports, body]);
}

export async function runChange(on: ActingHost, params: CommandParams, removeFirst: string | null): Promise<Outputs> {
  if (removeFirst !== null) await on.change('remove-partial', sh`rm -rf -- ${removeFirst}`);
  const script = commandScript(params);
  const limitMs = limitOf(params);
  const limits = { okCodes: params.exitCodes, ...(limitMs === undefined ? {} : { timeoutMs: limitMs }) };
  if (params.long) return outputsOf(await runLong(on, params, script, limits));
  const stdin = params.stdin === undefined ? {} : { stdin: params.stdin };
  return outputsOf(await on.change('command', script, { ...limits, ...stdin, as: params.as }));
}

/** A detached command has no stdin of its own: root opens the file of its secrets and hands it over. */
function runLong(on: ActingHost, params: CommandParams, script: Sh, limits: object): Promise<RunResult> {
  const note = shownCommand(params);
  const command = params.as === 'root' ? sh`sh -c ${script.text}` : asUser(params.as, script);
  if (params.stdin === undefined) return on.detached('command', command, { ...limits, note });
  return on.detached('command', sh`${command} <"$FERRY_SECRETS/stdin"`, { ...limits, note, secrets: { stdin: params.stdin } });
}

/** @throws CHECK_FAILED */
export async function runCheck(on: ActingHost, params: CommandParams): Promise<Outputs> {
  const stdin = params.stdin === undefined ? {} : { stdin: params.stdin };
  const result = await on.run(commandScript(params), { as: params.as, timeoutMs: limitOf(params) ?? SHORT_MS, ...stdin });
  if (params.exitCodes.includes(result.code)) return outputsOf(result);
  const said = lastLines(result.stderr.trim() || result.stdout, 5);
  throw new FerryError('CHECK_FAILED', {
    what: shownCommand(params),
    host: on.name,
    why: `exit code ${result.code}${said ? `: ${said}` : ''}`,
  });
}

function outputsOf({ code, stdout }: RunResult): Outputs {
  return { code, stdout: cutEnd(stdout, OUTPUT_LIMIT) };
}

/** Undo script first, since it may need what the command made; then what it made goes, then kept files come back. */
export async function takeBack({
  on,
  undo,
  ctx,
}: {
  on: ActingHost;
  undo: CommandUndo;
  ctx: Pick<ActContext, 'kept'>;
}): Promise<KeptOnPurpose[]> {
  if (undo.script !== null) await on.change('undo', new Sh(undo.script), { as: undo.as, timeoutMs: undo.timeoutMs });
  if (undo.remove !== null) await on.change('remove', sh`rm -rf -- ${undo.remove}`);
  for (const [index, file] of undo.restore.entries()) {
    await on.change(`restore-${index}`, restoreScript(file, ctx.kept(on.name, `protected-${index}`)));
  }
  return undo.irreversible === null ? [] : [whatStays(on.name, undo.irreversible)];
}

export function whatStays(host: string, why: string): KeptOnPurpose {
  return { host, what: `what the command did: ${why}` };
}
