import { type Command, Option } from 'commander';
import { FerryError } from '../errors/ferry-error.ts';
import { parseDuration } from '../lib/duration.ts';
import { type OnFailure, parseOnFailure } from '../runbook/on-failure.ts';
import type { Runbook } from '../runbook/runbook.ts';
import type { RunOptions } from './contract.ts';
import { commonOptions, type Typed, withNotify } from './options.ts';
import type { Outside } from './outside.ts';

/** What run and resume have in common, as commander gives it. */
export interface TypedRunning extends Typed {
  readonly until?: string;
  readonly onFailure?: string;
  readonly window?: number;
  readonly wait?: number;
}

/** Adds the options of verbs that work a run forward. */
export function withRunning(command: Command): Command {
  return command
    .option('--until <checkpoint>', 'pause when this checkpoint is reached')
    .addOption(
      new Option(
        '--on-failure <what>',
        'when a step fails: ask, pause, rollback or "pause 20m, then rollback", after any time (default: as the runbook says; else ask in a terminal without --yes, else pause)',
      ).argParser(checkedOnFailure),
    )
    .addOption(
      new Option('--window <duration>', 'how long this may take, such as 2h: shows until when a rollback still fits').argParser(
        durationOf('--window'),
      ),
    )
    .addOption(withNotify())
    .addOption(
      new Option('--wait <duration>', 'how long a question waits for  ferry approve  before the run pauses').argParser(
        durationOf('--wait'),
      ),
    );
}

function checkedOnFailure(text: string): string {
  if (text === 'ask' || parseOnFailure(text)) return text;
  const problem = `--on-failure must be ask, pause, rollback or "pause 20m, then rollback", not "${text}".`;
  throw new FerryError('USAGE_WRONG', { problem, command: 'ferry run' });
}

function durationOf(option: string): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text);
    if (ms !== null) return ms;
    const problem = `${option} must be a duration such as 2h or 90m, not ${text}.`;
    throw new FerryError('USAGE_WRONG', { problem, command: 'ferry run' });
  };
}

/** What was typed, as the engine's side takes it. */
export function runOptions(typed: TypedRunning, outside: Outside): RunOptions {
  const { until, onFailure, window, wait } = typed;
  return {
    ...commonOptions(typed, outside),
    ...(until === undefined ? {} : { until }),
    ...(window === undefined ? {} : { windowMs: window }),
    ...(wait === undefined ? {} : { waitMs: wait }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
}

/** What becomes of a run that fails: what was typed, else what its runbook says, else it stays paused. */
export function onFailureOf(runbook: Pick<Runbook, 'onFailure'>, { onFailure }: Pick<RunOptions, 'onFailure'>): OnFailure {
  return parseOnFailure(onFailure ?? runbook.onFailure ?? 'pause') ?? { rollBackAfterMs: null };
}
