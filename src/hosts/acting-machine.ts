import type { Duplex } from 'node:stream';
import { FerryError } from '../errors/ferry-error.ts';
import { poll } from '../lib/clock.ts';
import { headOf, lastLines } from '../lib/text.ts';
import { ConnectionLost, type Terminal } from '../transports/transport.ts';
import { asUser } from './as-user.ts';
import { converse } from './conversation.ts';
import { conversationScript, conversationStateScript } from './conversation-scripts.ts';
import { detachedScript, endDetachedScript, LOG_LIMIT_BYTES } from './detached-scripts.ts';
import { DetachedWatch } from './detached-watch.ts';
import { changeScript, guard, OUTPUT_HEAD_BYTES, REFUSE_FIRED, wholeStdin } from './effect-scripts.ts';
import { parseExitCode, UNREADABLE } from './exit-code.ts';
import type {
  ActingHost,
  ChangeOptions,
  ConverseOptions,
  DetachedOptions,
  Host,
  Progress,
  RunOptions,
  RunResult,
  Terms,
} from './host.ts';
import { type AttemptId, attemptDir, secretsDir } from './layout.ts';
import { bytesOf, type Machine } from './machine.ts';
import { whyLost } from './postmortem.ts';
import { type Sh, sh } from './sh.ts';
import { staleError } from './stale-epoch.ts';

const DAY_MS = 86_400_000;

/** A machine within one attempt of one step: the only way to change anything on a host. */
export class ActingMachine implements ActingHost {
  readonly name: string;
  readonly address: string;
  readonly user: string;
  readonly port: number;
  readonly #host: Host & Pick<Machine, 'terminal'>;
  readonly #id: AttemptId;
  readonly #signal: AbortSignal;
  readonly #report: (progress: Progress) => void;
  readonly #terms: Terms;

  constructor(
    host: Host & Pick<Machine, 'terminal'>,
    id: AttemptId,
    signal: AbortSignal,
    report: (progress: Progress) => void,
    terms: Terms = {},
  ) {
    ({ name: this.name, address: this.address, user: this.user, port: this.port } = host);
    this.#host = host;
    this.#id = id;
    this.#signal = signal;
    this.#report = report;
    this.#terms = terms;
  }

  run(script: Sh, options?: RunOptions): Promise<RunResult> {
    return this.#host.run(script, options);
  }

  connect(address: string, port: number, timeoutMs?: number): Promise<Duplex> {
    return this.#host.connect(address, port, timeoutMs);
  }

  hostKey(): Promise<{ type: string; blob: string } | null> {
    return this.#host.hostKey();
  }

  async change(name: string, script: Sh, options: ChangeOptions = {}): Promise<RunResult> {
    this.#signal.throwIfAborted();
    const command = options.as ? asUser(options.as, script) : script;
    const stdin = options.stdin === undefined ? undefined : bytesOf(options.stdin);
    const answer = await this.#host.run(changeScript(this.#id, name, command, stdin?.byteLength), {
      timeoutMs: options.timeoutMs ?? 300_000,
      ...(stdin === undefined ? {} : { stdin }),
    });
    const { word, rest, body } = firstLine(answer.stdout);
    this.#refuse(name, answer, word, rest);
    if (word === 'lost') throw this.#lost(name, whyLost(rest));
    const code = parseExitCode(rest);
    if (code === null) throw this.#lost(name, whyLost(UNREADABLE));
    const [stdout, stderr] = [body, answer.stderr].map((text) => headOf(text, OUTPUT_HEAD_BYTES)) as [string, string];
    return this.#judge(name, { code, stdout, stderr }, options);
  }

  async detached(name: string, script: Sh, options: DetachedOptions = {}): Promise<RunResult> {
    await this.#start(name, options.as ? asUser(options.as, script) : script, options);
    const watch = new DetachedWatch(this.#host, this.#id, name, options, this.#terms, this.#report);
    const ended = await poll(() => this.#look(name, watch), {
      timeoutMs: options.timeoutMs ?? 7 * DAY_MS,
      intervalMs: 1000,
      signal: this.#signal,
    });
    // What runs on needs its secrets.
    if (!ended)
      throw new FerryError('COMMAND_TIMEOUT', {
        host: this.name,
        what: `${this.#id.step} (${name})`,
        limit: `${options.timeoutMs} ms`,
      });
    // A re-attached command may have ended before its secrets were put there again.
    if (options.secrets) await this.#host.run(sh`rm -rf ${secretsDir(this.#id, name)}`);
    return this.#judge(name, ended, options);
  }

  async converse(name: string, script: Sh, options: ConverseOptions): Promise<RunResult> {
    this.#signal.throwIfAborted();
    const before = await this.#standing(name);
    if (before.word === 'none') await this.#talk(name, options.as ? asUser(options.as, script) : script, options);
    // What somebody else had begun has nobody to answer it any more.
    else if (before.word === 'running') await this.#end(name);
    const { word, rest } = await this.#standing(name);
    if (word === 'none') throw this.#lost(name, 'it never began');
    if (word === 'lost') throw this.#lost(name, whyLost(rest));
    const code = parseExitCode(rest);
    if (word !== 'exited' || code === null) throw this.#lost(name, whyLost(UNREADABLE));
    return this.#judge(name, { code, stdout: '', stderr: '' }, options);
  }

  /** Nothing of the program runs any more when this ends, however it does; what cannot be ended is an error. */
  async #talk(name: string, command: Sh, { reply, kill }: ConverseOptions): Promise<void> {
    let terminal: Terminal | undefined;
    try {
      terminal = await this.#host.terminal(conversationScript(this.#id, name, command, kill));
      await converse(terminal, { of: `${name}@${this.name}`, reply, report: this.#report }, this.#signal);
    } catch (thrown) {
      await this.#end(name);
      if (!(thrown instanceof ConnectionLost)) throw thrown;
    } finally {
      terminal?.hangUp();
    }
  }

  /** Ends what runs of the attempt; a program at a terminal is the only thing that can. */
  async #end(name: string): Promise<void> {
    const ended = await this.#host.run(endDetachedScript(this.#id), { timeoutMs: 150_000 });
    const { word, rest } = firstLine(ended.stdout);
    if (word === 'stale') throw staleError(this.name, this.#id, rest);
    if (ended.code !== 0) throw this.#failed(name, ended);
  }

  async #standing(name: string): Promise<{ word: string; rest: string }> {
    const answer = await this.#host.run(conversationStateScript(this.#id, name));
    const { word, rest } = firstLine(answer.stdout);
    if (word !== 'none') this.#refuse(name, answer, word, rest);
    return { word, rest };
  }

  async #start(name: string, command: Sh, options: DetachedOptions): Promise<void> {
    this.#signal.throwIfAborted();
    const folder = secretsDir(this.#id, name);
    for (const [file, content] of Object.entries(options.secrets ?? {})) {
      const bytes = bytesOf(content);
      const put = await this.#host.run(
        sh`umask 077; ${wholeStdin(bytes.byteLength)}
${guard(this.#id)}
${REFUSE_FIRED}
mkdir -p ${folder} && cat > ${`${folder}/${file}`} && echo put`,
        { stdin: bytes },
      );
      const { word, rest } = firstLine(put.stdout);
      if (word !== 'put') this.#refuse(name, put, word, rest);
    }
    const answer = await this.#host.run(detachedScript(this.#id, name, command, this.#terms.limits, options.kill));
    const { word, rest } = firstLine(answer.stdout);
    this.#refuse(name, answer, word, rest);
  }

  async #look(name: string, watch: DetachedWatch): Promise<RunResult | undefined> {
    let standing = await watch.look();
    const isEndless = standing.is === 'running' && standing.logBytes > LOG_LIMIT_BYTES;
    if (isEndless) {
      await this.#end(name);
      standing = await watch.look();
    }
    if (isEndless && standing.is === 'lost') {
      const log = `${attemptDir(this.#id)}/${name}/out`;
      throw new FerryError('LOG_TOO_LONG', { host: this.name, what: `${this.#id.step} (${name})`, log, run: this.#id.run });
    }
    if (standing.is === 'lost') throw this.#lost(name, whyLost(standing.line));
    if (standing.is === 'unknown') throw this.#failed(name, standing.answer);
    return standing.is === 'exited' ? standing.result : undefined;
  }

  #judge(name: string, result: RunResult, options: Pick<ChangeOptions, 'okCodes'>): RunResult {
    if (!(options.okCodes ?? [0]).includes(result.code)) throw this.#failed(name, result);
    return result;
  }

  #refuse(name: string, answer: RunResult, word: string, rest: string): void {
    if (word === 'stale') throw staleError(this.name, this.#id, rest);
    if (word === 'fired') throw new FerryError('DEAD_MAN_REVERTED', { host: this.name, step: this.#id.step, run: this.#id.run });
    if (!['exited', 'lost', 'running'].includes(word)) throw this.#failed(name, answer);
  }

  #failed(name: string, result: RunResult): FerryError<'COMMAND_FAILED'> {
    const output = lastLines(result.stderr.trim() || result.stdout, 6);
    return new FerryError('COMMAND_FAILED', { host: this.name, what: `${this.#id.step} (${name})`, code: result.code, output });
  }

  #lost(name: string, why: string): FerryError<'COMMAND_LOST'> {
    return new FerryError('COMMAND_LOST', { host: this.name, what: `${this.#id.step} (${name})`, why });
  }
}

function firstLine(text: string): { word: string; rest: string; body: string } {
  const end = text.indexOf('\n');
  const line = end < 0 ? text : text.slice(0, end);
  const space = line.indexOf(' ');
  return {
    word: space < 0 ? line : line.slice(0, space),
    rest: space < 0 ? '' : line.slice(space + 1),
    body: end < 0 ? '' : text.slice(end + 1),
  };
}
