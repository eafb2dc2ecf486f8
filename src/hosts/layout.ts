import type { HostInfo } from './host.ts';

/** A machine as records name it: `user@address:port`. */
export function machineOf({ user, address, port }: HostInfo): string {
  return `${user}@${address}:${port}`;
}

/** Where Ferry leaves its evidence on a host; root only, 0700. */
export const FERRY_DIR = '/var/lib/ferry';
/** Secrets of detached commands while they run; a tmpfs, so they do not survive a reboot. */
export const SECRETS_DIR = '/run/ferry';

/** One attempt of one step of one run. `undo` attempts are those of a rollback. */
export interface AttemptId {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly undo: boolean;
}

/** Several attempts of one step, those of a rollback left out. */
export interface Attempts {
  readonly run: string;
  readonly step: string;
  readonly attempts: readonly number[];
}

export function runDir(run: string): string {
  return `${FERRY_DIR}/${run}`;
}

/** Where a dead-man switch is in an attempt's folder. No effect has this name: theirs begin with a letter. */
export const DEAD_MAN = '.dead-man';

/** A step's id as part of a path or a unit's name: the name of a host in it may come from an inventory that allows anything. */
function fileName(step: string): string {
  const [id = '', ...host] = step.split('@');
  if (host.length === 0) return id;
  return `${id}@${host.join('@').replaceAll(/[^A-Za-z0-9_.-]/gu, (odd) => `:${odd.codePointAt(0)?.toString(16)}:`)}`;
}

export function attemptDir(id: Pick<AttemptId, 'run' | 'step' | 'attempt' | 'undo'>): string {
  return `${runDir(id.run)}/${fileName(id.step)}.${id.undo ? 'undo.' : ''}${id.attempt}`;
}

/**
 * The path of bytes kept by a step under a name. `generation` counts how often the step had been taken back before it was
 * begun: what is there when it is done again is kept anew.
 */
export function keepPath(run: string, step: string, name: string, generation = 0): string {
  return `${runDir(run)}/keep/${fileName(step)}${generation === 0 ? '' : `.again-${generation}`}/${name}`;
}

/**
 * The systemd unit of a detached command. Its name says to whom it belongs, so any controller finds it. With an `@` in it, as
 * a step on many hosts has, it would be an instance of a template.
 */
export function unitName(id: AttemptId, effect: string): string {
  return `ferry-${id.run}-${fileName(id.step).replace('@', ':')}.${id.undo ? 'undo.' : ''}${id.attempt}-${effect}.service`;
}

/** The folder of a detached command's secrets. */
export function secretsDir(id: AttemptId, effect: string): string {
  return `${SECRETS_DIR}/${id.run}/${fileName(id.step)}.${id.undo ? 'undo.' : ''}${id.attempt}.${effect}`;
}
