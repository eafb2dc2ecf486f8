import type { AttemptId } from '../../src/hosts/layout.ts';

/** How much time of the world goes by while a controller waits before it asks a command again how it stands. */
const LOOK_TICKS = 60;

/** One command of an attempt on a model host. It lives by itself: whoever began it need not be there when it ends. */
export interface ModelEffect {
  readonly host: string;
  readonly id: AttemptId;
  readonly name: string;
  /** A conversation has no end without the controller that holds it. */
  readonly kind: 'short' | 'detached' | 'conversation';
  readonly command: string;
  readonly begunAt: number;
  readonly stdout: string;
  state: 'running' | 'exited' | 'lost';
  code: number;
}

type Commands = Map<string, ModelEffect>;

/**
 * The commands of a model world, and what is wrong with how they were run. They have no clock but the calls of controllers: each
 * is a tick, also one that has nothing to do with them, so a command comes to its end while nobody looks at it.
 */
export class ModelEffects {
  /** By attempt folder: `host/run/step.1`, `host/run/step.undo.1`. */
  readonly attempts = new Map<string, Commands>();
  /** Begun ones in order: `host:step.1:name`. */
  readonly ran: string[] = [];
  /** Those that came to a good end, in order and as often as they did: `host:step:name`; undos are `step.undo`. */
  readonly completed: string[] = [];
  /** Commands at work at once that must not be: of two attempts of one step, or on one cell. */
  readonly overlaps: string[] = [];
  /** Commands that came to a good end once more, though none of their attempt had died or failed and nothing was undone. */
  readonly doubled: string[] = [];
  /** How often a detached command is asked about before it ends. */
  detachedPolls = 2;
  /** Attempts of which it was told last that something of them runs. */
  readonly #toldRunning = new Set<Commands>();
  readonly #live = new Set<ModelEffect>();
  /** The attempt that came to a good end last, by `host/run/step/name`. */
  readonly #ended = new Map<string, number>();
  /** The last attempt that was opened, and the last after which a step may be done anew, by `run/step`. */
  readonly #opened = new Map<string, number>();
  readonly #over = new Map<string, number>();
  readonly #execute: (effect: ModelEffect) => number;
  #now = 0;

  constructor(execute: (effect: ModelEffect) => number) {
    this.#execute = execute;
  }

  /** Lets a tick go by; what has lived its time ends by itself. */
  tick(): void {
    this.#passTo(this.#now + 1);
  }

  /** Waits as one who asks again later; those who wait at once wait for the same time. */
  async look(wait: () => Promise<void>): Promise<void> {
    const due = this.#now + LOOK_TICKS;
    await wait();
    this.#passTo(due);
  }

  /** Opens the folder of an attempt; false when it is there. */
  open(host: string, id: AttemptId): boolean {
    const folder = folderOf(host, id);
    if (this.attempts.has(folder)) return false;
    this.attempts.set(folder, new Map());
    for (const effect of this.#live)
      if (isOtherAttempt(effect, id)) this.overlaps.push(`${wordsOf(effect)} runs while ${attemptWords(host, id)} begins`);
    const step = `${id.run}/${id.step}`;
    // What is taken back may be done again.
    if (id.undo) this.#over.set(step, this.#opened.get(step) ?? 0);
    else this.#opened.set(step, id.attempt);
    return true;
  }

  /** Begins a command, unless its attempt has begun it before. */
  begin(host: string, id: AttemptId, name: string, kind: ModelEffect['kind'], command: string): ModelEffect {
    const folder = this.attempts.get(folderOf(host, id));
    if (!folder) throw new Error(`attempt not open: ${folderOf(host, id)}`);
    const known = folder.get(name);
    if (known) return known;
    const stdout = command.startsWith('say ') ? command.slice(4) : '';
    const begun = { host, id, name, kind, command, begunAt: this.#now, stdout };
    const effect: ModelEffect = { ...begun, state: 'running', code: 0 };
    for (const other of this.#live)
      if (isOtherAttempt(other, id) || sharesCell(other, effect))
        this.overlaps.push(`${wordsOf(other)} runs while ${wordsOf(effect)} begins`);
    folder.set(name, effect);
    this.#live.add(effect);
    this.ran.push(wordsOf(effect));
    return effect;
  }

  /** Brings a command to its end, if it runs. */
  finish(effect: ModelEffect): void {
    if (effect.state !== 'running') return;
    this.#live.delete(effect);
    effect.code = this.#execute(effect);
    effect.state = 'exited';
    const { host, id, name, code } = effect;
    if (code === 0) this.completed.push(`${host}:${id.step}${id.undo ? '.undo' : ''}:${name}`);
    if (id.undo) return;
    if (code === 0) {
      const key = `${host}/${id.run}/${id.step}/${name}`;
      const before = this.#ended.get(key) ?? 0;
      if (before > (this.#over.get(`${id.run}/${id.step}`) ?? 0)) this.doubled.push(wordsOf(effect));
      this.#ended.set(key, id.attempt);
    } else this.allowAgain(id);
  }

  /** A command dies without an exit code. */
  lose(effect: ModelEffect): void {
    if (effect.state !== 'running') return;
    this.#live.delete(effect);
    effect.state = 'lost';
    if (!effect.id.undo) this.allowAgain(effect.id);
  }

  /** What runs, as `host:step.1:name`. */
  atWork(): string[] {
    return [...this.#live].map(wordsOf);
  }

  /** Hosts on which something runs. */
  busyHosts(): string[] {
    return [...new Set([...this.#live].map(({ host }) => host))];
  }

  /** A host is rebooted: nothing that ran there runs any more. */
  reboot(host: string): void {
    for (const effect of [...this.#live]) if (effect.host === host) this.lose(effect);
  }

  /** A step may be done anew after this attempt: it failed or died, or its host has put back what it did. */
  allowAgain({ run, step, attempt }: AttemptId): void {
    this.#over.set(`${run}/${step}`, Math.max(this.#over.get(`${run}/${step}`) ?? 0, attempt));
  }

  /** Tells how the commands of an attempt stand; whoever asks again after being told that one runs has waited in between. */
  async askAbout(host: string, id: AttemptId): Promise<readonly ModelEffect[] | null> {
    const folder = this.commandsOf(host, id);
    if (!folder) return null;
    if (this.#toldRunning.delete(folder)) await this.look(async () => undefined);
    const found = [...folder.values()].map((effect) => ({ ...effect }));
    if (found.some(({ state }) => state === 'running')) this.#toldRunning.add(folder);
    return found;
  }

  commandsOf(host: string, id: AttemptId): Commands | undefined {
    return this.attempts.get(folderOf(host, id));
  }

  #passTo(then: number): void {
    this.#now = Math.max(this.#now, then);
    for (const effect of this.#live) if (this.#now - effect.begunAt >= this.#lifeOf(effect)) this.finish(effect);
  }

  #lifeOf({ kind }: ModelEffect): number {
    if (kind === 'conversation') return Number.POSITIVE_INFINITY;
    return kind === 'short' ? LOOK_TICKS : this.detachedPolls * LOOK_TICKS;
  }
}

function folderOf(host: string, { run, step, attempt, undo }: AttemptId): string {
  return `${host}/${run}/${step}.${undo ? 'undo.' : ''}${attempt}`;
}

function attemptWords(host: string, { step, attempt, undo }: AttemptId): string {
  return `${host}:${step}.${undo ? 'undo.' : ''}${attempt}`;
}

function wordsOf({ host, id, name }: ModelEffect): string {
  return `${attemptWords(host, id)}:${name}`;
}

function isOtherAttempt({ id }: ModelEffect, other: AttemptId): boolean {
  const isSameStep = id.run === other.run && id.step === other.step;
  return isSameStep && (id.attempt !== other.attempt || id.undo !== other.undo);
}

function sharesCell(one: ModelEffect, other: ModelEffect): boolean {
  const cells = cellsOf(other.command);
  return one.host === other.host && cellsOf(one.command).some((cell) => cells.includes(cell));
}

function cellsOf(command: string): string[] {
  return command.split('\n').flatMap((line) => {
    const [verb = '', key = ''] = line.trim().split(' ');
    return ['set', 'unset', 'add'].includes(verb) ? [key] : [];
  });
}
