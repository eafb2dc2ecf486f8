import type { Command } from 'commander';
import type { Outside } from './outside.ts';

/** What a verb needs beside its words: where it stands, and a place for its exit code. */
export interface Cli {
  readonly outside: Outside;
  exitCode: number;
}

/** Adds one verb to the program. Its file is named after it. */
export type Verb = (program: Command, cli: Cli) => void;

/** Wraps what a verb does: its answer becomes the exit code. */
export function does<A extends unknown[]>(cli: Cli, work: (...args: A) => Promise<number>): (...args: A) => Promise<void> {
  return async (...args) => {
    cli.exitCode = await work(...args);
  };
}

/** Shows examples below the help of a verb. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}
