import { expect } from 'vitest';
import { ask, commandsOf, recordsOf, repeated, runOf } from './evidence.ts';
import { FerryOnLab, type FerryResult } from './ferry-on-lab.ts';

const HOSTS = ['he1', 'engine', 'newdb', 'dwh'];

/** A run of a shipped runbook on the lab, begun with the same words each time, and killed where a test wants it. */
export class ChapterRun {
  readonly ferry: FerryOnLab;
  readonly #labDir: string;
  readonly #words: readonly string[];
  readonly #always: readonly string[];
  #begun = false;

  /** `always` are words for each verb that begins the run or goes on with it, such as `--yes`. */
  constructor(labDir: string, words: readonly string[], always: readonly string[] = []) {
    this.#labDir = labDir;
    this.#always = always;
    this.ferry = new FerryOnLab(labDir);
    this.#words = [...words, ...this.ferry.hosts];
  }

  plan(more: readonly string[] = []): Promise<FerryResult> {
    return this.ferry.run(['plan', ...this.#words, ...more]);
  }

  /** Begins the run, or goes on with it. */
  go(env: NodeJS.ProcessEnv = {}, more: readonly string[] = []): Promise<FerryResult> {
    const verb = this.#begun ? ['resume'] : ['run', ...this.#words];
    this.#begun = true;
    return this.ferry.run([...verb, ...this.#always, ...more], env);
  }

  /** Goes on to a gate, which must be the one that is named, or to the end when none is. */
  async goesTo(gate: string | null): Promise<FerryResult> {
    const ended = await this.go();
    expect(ended.code, ended.stdout.slice(-3000) + ended.stderr.slice(-3000)).toBe(gate === null ? 0 : 3);
    if (gate !== null) expect(ended.stdout + ended.stderr).toContain(gate);
    return ended;
  }

  async approve(step: string): Promise<void> {
    const yes = await this.ferry.run(['approve', runOf(this.ferry), step]);
    expect(yes.code, yes.stderr).toBe(0);
  }

  /** Ferry is killed at a named point of the run, which it must come to. */
  async killAt(point: string): Promise<void> {
    const ended = await this.go({ FERRY_CRASH_AT: point });
    const said = ended.stderr.slice(-1500) + ended.stdout.slice(-1500);
    expect(ended.code, `${point} was not come to: ${said}`).toBe(null);
  }

  rollBack(more: readonly string[] = []): Promise<FerryResult> {
    return this.ferry.run(['rollback', '--yes', ...more]);
  }

  /** No command of the run ran twice, none is left running, and no host is still held. */
  async leavesNothing(): Promise<void> {
    expect(repeated(await commandsOf(this.#labDir, runOf(this.ferry), HOSTS))).toEqual([]);
    for (const host of HOSTS) {
      expect(await ask(this.#labDir, host, 'systemctl list-units --all --plain --no-legend "ferry-r-*"')).toBe('');
      expect(await ask(this.#labDir, host, 'pgrep -fa "[/]var/lib/ferry/" || :')).toBe('');
      expect(await ask(this.#labDir, host, 'cat /var/lib/ferry/lease 2>/dev/null || :')).toBe('');
    }
  }

  remove(): void {
    this.ferry.remove();
  }
}

/** The crash points around the acts and records of the steps of a finished run, in the order it came to them. */
export function crashPoints(run: ChapterRun): string[] {
  return recordsOf(run.ferry).flatMap(({ type, step }) => {
    if (step === null || !/^step\.(intended|kept|applied|verified|checked)$/.test(type)) return [];
    const record = [`before-record ${type}:${step}`, `after-record ${type}:${step}`];
    if (type === 'step.intended') return [...record, `before-apply ${step}`];
    return type === 'step.applied' ? [`after-apply ${step}`, ...record] : record;
  });
}

/** That many of the points, one from each stretch of the run, by chance; FERRY_SEED in the output takes the same ones again. */
export function somePoints(points: readonly string[], count: number): string[] {
  if (points.length < count) throw new Error(`there are ${points.length} points: no run has come to its end before`);
  const seed = Number(process.env.FERRY_SEED ?? process.hrtime.bigint() % 1_000_000n);
  const stretch = points.length / count;
  const chosen = Array.from({ length: count }, (_, index) => {
    const part = ((seed * (index + 1) * 2_654_435_761) % 1_000_003) / 1_000_003;
    return points[Math.floor(stretch * (index + part))] as string;
  });
  process.stdout.write(`killed at ${chosen.join(', ')} (FERRY_SEED=${seed}, ${points.length} points)\n`);
  return chosen;
}
