import { nowMs } from '../lib/clock.ts';
import { tailOf } from '../lib/text.ts';
import { LOG_TAIL_BYTES, watchScript } from './detached-scripts.ts';
import { diagnoseScript, explainStall } from './diagnose.ts';
import { parseExitCode, UNREADABLE } from './exit-code.ts';
import type { DetachedOptions, Host, Progress, RunResult, Terms } from './host.ts';
import type { AttemptId } from './layout.ts';
import { LogFollower } from './log-follower.ts';
import { STALL_AFTER_MS, StallWatch } from './stall-watch.ts';

/** How a detached command stands: it runs, it left a result, or it left none (`why` as the host tells it); else an answer nobody knows. */
export type Standing =
  | { readonly is: 'running'; readonly logBytes: number }
  | { readonly is: 'exited'; readonly result: RunResult }
  | { readonly is: 'lost'; readonly line: string }
  | { readonly is: 'unknown'; readonly answer: RunResult };

/** Watches one detached command: reports how far it is, what it prints from where the log stood when it began to watch, and when it stalls. */
export class DetachedWatch {
  readonly #host: Host;
  readonly #id: AttemptId;
  readonly #name: string;
  readonly #options: DetachedOptions;
  readonly #report: (progress: Progress) => void;
  readonly #log: LogFollower;
  readonly #stall: StallWatch;

  constructor(
    host: Host,
    id: AttemptId,
    name: string,
    options: DetachedOptions,
    terms: Terms,
    report: (progress: Progress) => void,
  ) {
    this.#host = host;
    this.#id = id;
    this.#name = name;
    this.#options = options;
    this.#report = report;
    this.#log = new LogFollower(`${name}@${host.name}`);
    this.#stall = new StallWatch(terms.stallAfterMs ?? STALL_AFTER_MS);
  }

  async look(): Promise<Standing> {
    const answer = await this.#host.run(watchScript(this.#id, this.#name, this.#options.progress, this.#log.at));
    const [first = '', second = '', third = '', ...rest] = answer.stdout.split('\n');
    const [word, ...words] = first.split(' ');
    if (word === 'exited') {
      const stdout = tailOf(answer.stdout.slice(first.length + second.length + 2), LOG_TAIL_BYTES);
      const code = parseExitCode(words.join(' '));
      return code === null ? { is: 'lost', line: UNREADABLE } : { is: 'exited', result: { code, stdout, stderr: '' } };
    }
    if (word === 'lost') return { is: 'lost', line: words.join(' ') };
    if (word !== 'running' || rest.length === 0) return { is: 'unknown', answer };
    await this.#tell(Number.parseInt(second, 10), third);
    return { is: 'running', logBytes: Number(third.split(' ')[1] ?? 0) };
  }

  async #tell(bytes: number, logLine: string): Promise<void> {
    const [from = '0', size = '0', chunk = ''] = logLine.split(' ');
    const log = this.#log.take(Number(from), Buffer.from(chunk, 'base64'));
    const { note, totalBytes, diagnose } = this.#options;
    this.#report({
      ...(note === undefined ? {} : { note }),
      ...(Number.isFinite(bytes) ? { bytes } : {}),
      ...(totalBytes === undefined ? {} : { totalBytes }),
      ...(log === null ? {} : { log }),
    });
    const seen = this.#stall.see(`${bytes} ${size}`, nowMs());
    if (seen?.is === 'moved') this.#report({ stall: { ms: seen.ms, why: null } });
    if (seen?.is !== 'stalled') return;
    const found = await this.#host.run(diagnoseScript(this.#id, this.#name, diagnose));
    this.#report({ stall: { ms: seen.ms, why: explainStall(found.stdout) } });
  }
}
