import { type Command, Option } from 'commander';
import { FerryError } from '../errors/ferry-error.ts';
import { parseDuration } from '../lib/duration.ts';
import type { RunOptions } from './contract.ts';
import { commonOptions, type Typed } from './options.ts';
import type { Outside } from './outside.ts';

/** What run and resume have in common, as commander gives it. */
export interface TypedRunning extends Typed {
  readonly until?: string;
  readonly onFailure: 'pause' | 'rollback';
  readonly window?: number;
}

/** Adds the options of verbs that work a run forward. */
export function withRunning(command: Command): Command {
  return command
    .option('--until <checkpoint>', 'pause when this checkpoint is reached')
    .addOption(new Option('--on-failure <what>', 'what to do when a step fails').choices(['pause', 'rollback']).default('pause'))
    .addOption(
      new Option('--window <duration>', 'how long this may take, such as 2h: shows until when a rollback still fits').argParser(
        durationOf,
      ),
    );
}

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  const problem = `--window must be a duration such as 2h or 90m, not ${text}.`;
  throw new FerryError('USAGE_WRONG', { problem, command: 'ferry run' });
}

/** What was typed, as the engine's side takes it. */
export function runOptions(typed: TypedRunning, env: Outside['env']): RunOptions {
  const { until, onFailure, window } = typed;
  return {
    ...commonOptions(typed, env),
    ...(until === undefined ? {} : { until }),
    ...(window === undefined ? {} : { windowMs: window }),
    onFailure,
  };
}
