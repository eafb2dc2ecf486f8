import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import type { FerryResult } from './ferry-on-lab.ts';

/** Runs a script on a lab host past Ferry, and gives what it printed; a script that fails fails the test. */
export async function on(labDir: string, host: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await execOn(labDir, host, script);
  if (code !== 0) throw new Error(`on ${host}, exit code ${code}: ${stderr}${stdout}\n${script}`);
  return stdout;
}

/** Runs SQL as postgres on a lab host. */
export async function sql(labDir: string, host: string, text: string, database = 'postgres'): Promise<string> {
  const psql = `cd / && runuser -u postgres -- psql -XqAt -v ON_ERROR_STOP=1 -d '${database}'`;
  const { code, stdout, stderr } = await execOn(labDir, host, psql, { input: text });
  if (code !== 0) throw new Error(`on ${host}: ${stderr}`);
  return stdout.trim();
}

/** Copies of a lab's inventory and known_hosts to spoil, in a folder that is gone after `remove`. */
export class Spoilt {
  readonly folder = mkdtempSync(join(tmpdir(), 'ferry-spoilt-'));
  readonly #labDir: string;
  #count = 0;

  constructor(labDir: string) {
    this.#labDir = labDir;
  }

  /** An inventory like the lab's, with lines of its hosts and its known_hosts file changed. */
  inventory(change: { line?: (host: string, line: string) => string; knownHosts?: string }): string {
    const text = readFileSync(join(this.#labDir, 'inventory.yaml'), 'utf8')
      .replaceAll('./id_ed25519', join(this.#labDir, 'id_ed25519'))
      .replace('./known_hosts', change.knownHosts ?? join(this.#labDir, 'known_hosts'))
      .split('\n')
      .map((line) => change.line?.(/^ {2}(\w+): \{ address/.exec(line)?.[1] ?? '', line) ?? line);
    return this.file(text.join('\n'));
  }

  /** A known_hosts file made of the lab's. */
  knownHosts(change: (lines: string[]) => string[]): string {
    const lines = readFileSync(join(this.#labDir, 'known_hosts'), 'utf8').trimEnd().split('\n');
    return this.file(`${change(lines).join('\n')}\n`);
  }

  file(text: string): string {
    const path = join(this.folder, `file-${this.#count++}`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// They say how many errors there are, each of which is told on its own.
const UMBRELLAS = ['PLAN_BLOCKED', 'INPUTS_INVALID', 'INVENTORY_INVALID', 'ROLE_OPTION_WRONG'];

/** The one error a person is told: that code and no other, no stack trace, what state was left, and what to do. */
export function expectError(
  result: FerryResult,
  wanted: { exit: number; code: string; says?: readonly (string | RegExp)[] },
): void {
  const text = result.stdout + result.stderr;
  expect(result.code, text).toBe(wanted.exit);
  const codes = new Set([...text.matchAll(/^ *(?:error|blocker) +([A-Z]+_[A-Z_]+)/gm)].map((match) => match[1]));
  expect(
    [...codes].filter((code) => !UMBRELLAS.includes(code ?? '')),
    text,
  ).toEqual([wanted.code]);
  expect(text).not.toMatch(/^\s+at .*:\d+:\d+\)?$|node:internal|undefined|\[object/m);
  // Long lines are wrapped for the width of the page.
  const unwrapped = text.replaceAll(/\n +(?=\S)/g, ' ');
  for (const says of wanted.says ?? []) expect(unwrapped).toMatch(says);
}
