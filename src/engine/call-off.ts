import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { RunContext } from './run-context.ts';

/**
 * Tells that a run which failed is not rolled back by itself after all, whatever was announced, and why. That goes on record
 * where the run is still this Ferry's to write down; the run stays as its failure left it.
 */
export function callOffRollback(context: RunContext, why: string, isOurs = true): void {
  const { run, pause } = context.state;
  const failure = new FerryError('ROLLBACK_CALLED_OFF', { why, run });
  context.emit({ type: 'rollback.called-off', error: context.report(failure, 'This Ferry took nothing back.') });
  if (!isOurs || !pause) return;
  try {
    context.record('run.paused', { body: { ...pause, rollbackAt: null, calledOff: why } });
  } catch (thrown) {
    // The journal may be why: then the moment stands there, and passes.
    if (!isFerryError(thrown)) throw thrown;
  }
}
