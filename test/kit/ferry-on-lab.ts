import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '../../src/engine/events.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

export interface FerryResult {
  /** The exit code; null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built program with a state folder of its own, as a person would use it. */
export class FerryOnLab {
  readonly stateDir: string;
  readonly inventory: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(
    labDir: string,
    env: NodeJS.ProcessEnv = {},
    inventory = join(labDir, 'inventory.yaml'),
    stateDir = mkdtempSync(join(tmpdir(), 'ferry-state-')),
  ) {
    this.stateDir = stateDir;
    this.inventory = inventory;
    // A terminal's wishes must not change what tests see.
    this.#env = { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', CI: '1', ...env };
  }

  /** Runs one verb to its end. */
  run(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<FerryResult> {
    return this.start(words, env).ended;
  }

  /** Starts one verb; with `--json` among the words, `events` is filled as they come. */
  start(words: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    return new Running(
      spawn(process.execPath, [join(PROJECT, 'dist', 'src', 'main.js'), ...words, '--state-dir', this.stateDir], {
        cwd: PROJECT,
        env: { ...this.#env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  /** `--inventory` with this lab's. */
  get hosts(): string[] {
    return ['-i', this.inventory];
  }

  remove(): void {
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

/** A verb under way. */
export class Running {
  readonly events: Event[] = [];
  readonly ended: Promise<FerryResult>;
  readonly #child: ChildProcess;
  #wake: (() => void)[] = [];
  #over = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    let stdout = '';
    let stderr = '';
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      // Events; other verbs print JSON over many lines.
      for (const line of lines) if (line.startsWith('{"')) this.events.push(JSON.parse(line) as Event);
      this.#tell();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => {
        this.#over = true;
        this.#tell();
        resolve({ code, stdout, stderr });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits for an event. Fails when the process ends without it. */
  async seen(wanted: (event: Event) => boolean): Promise<Event> {
    for (;;) {
      const found = this.events.find(wanted);
      if (found) return found;
      if (this.#over) throw new Error(`ferry ended without it: ${JSON.stringify(await this.ended)}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Kills it as a power cut would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
