import { blocked, type Planned } from '../actions/action.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import type { FerryError } from '../errors/ferry-error.ts';
import type { Step } from '../runbook/runbook.ts';
import type { PlanLine } from './plan.ts';
import type { StepPlan } from './plan-step.ts';

/** Summaries of steps that are not planned for a reason that is told once, for the host. They have no hint of their own. */
export const UNREACHED = 'not planned: its host cannot be read';
export const LACKING = 'not planned: its host lacks commands';

/** Everything found for a plan, each once, in the order found. */
export class Findings {
  readonly all: Diagnostic[] = [];

  add(found: readonly Diagnostic[]): void {
    for (const one of found)
      if (!this.all.some((other) => other.code === one.code && other.message === one.message)) this.all.push(one);
  }

  /** Two steps that need the same thing of a host have one blocker. */
  addBlocked(step: Step, host: string, { summary, hint }: Planned & { kind: 'blocked' }): void {
    const message = `${step.id} on ${host}: ${summary}`;
    const isTold = this.all.some((other) => other.hint === hint && other.message.endsWith(` on ${host}: ${summary}`));
    if (!isTold) this.all.push({ severity: 'error', code: 'STEP_BLOCKED', message, hint, at: step.at });
  }
}

/** An error that keeps a plan from being complete, as a finding of it. */
export function ofError(error: FerryError): Diagnostic {
  const { code, message, hint } = error;
  return { severity: 'error', code, message, ...(hint === undefined ? {} : { hint }) };
}

/** A step of which a host cannot be read is blocked, whatever it could be planned on. */
export function withoutFacts(result: StepPlan, unreached: ReadonlyMap<string, unknown>): StepPlan {
  if (result.kind !== 'planned') return result;
  const isDown = [...result.hosts, ...result.refs.map((ref) => ref.host)].some((host) => unreached.has(host));
  return isDown ? blockedBy(result, UNREACHED) : result;
}

/** So is its line when it also hangs on an earlier step: that one is not planned either. */
export function withoutHosts(line: PlanLine, unreached: ReadonlyMap<string, unknown>): PlanLine {
  if (line.kind !== 'later' || !line.hosts.some((host) => unreached.has(host))) return line;
  return { ...line, kind: 'blocked', summary: UNREACHED, after: [], notes: [] };
}

/** The same step, blocked for a reason that is told elsewhere. */
export function blockedBy(result: StepPlan, why: string): StepPlan {
  return result.kind === 'planned' ? { ...result, planned: blocked(why, '') } : result;
}

/** Whether why a step is blocked is told once for its host, and not again for the step. */
export function isToldElsewhere(planned: Planned): boolean {
  return planned.kind === 'blocked' && planned.hint === '';
}
