/** The public API for embedding Ferry: what a command line does, as calls, and the types they speak. */
export type {
  CommonOptions,
  RollbackOptions,
  RunEnd,
  RunIo,
  RunOptions,
  Validation,
  Wire as Ferry,
} from './cli/contract.ts';
export { wire as ferry } from './cli/wire.ts';
export type { ErrorReport, Event, ProofLine } from './engine/events.ts';
export type { RollbackPreview } from './engine/preview-rollback.ts';
export type { RunState } from './engine/state.ts';
export type { StepState } from './engine/step-state.ts';
export type { ErrorCode } from './errors/catalogue.ts';
export type { Diagnostic, Position } from './errors/diagnostic.ts';
export { FerryError, isFerryError } from './errors/ferry-error.ts';
export type { JournalRecord, RunSummary } from './journal/journal.ts';
export type { Plan, PlanLine } from './plan/plan.ts';
export { planText } from './renderers/plan.ts';
export { statusText } from './renderers/status.ts';
