import type { DiffLine, KeptOnPurpose } from '../actions/action.ts';
import type { UndoSite, UndoView } from '../actions/undo-preview.ts';
import { isFerryError } from '../errors/ferry-error.ts';
import type { FactRef, Observed } from '../facts/fact.ts';
import { keepPath } from '../hosts/layout.ts';
import { factsOf, type Look, refsOf } from '../plan/fact-view.ts';
import type { Step } from '../runbook/runbook.ts';
import type { NewerRun } from './overtaken.ts';
import { actionOf } from './plan-fresh.ts';
import type { RunContext } from './run-context.ts';
import type { WayBack } from './way-back.ts';

/** One step of a rollback before it is done. */
export interface StepBack {
  readonly step: string;
  readonly host: string;
  /** What undo was planned to do, in a few words. */
  readonly summary: string;
  /** From what is on the hosts now to what undo brings back; null when that is not known, for the reason in `unknown`. */
  readonly diff: readonly DiffLine[] | null;
  readonly unknown: string | null;
  /** What it is going to leave different on purpose, as far as that is known beforehand. */
  readonly kept: readonly KeptOnPurpose[];
  /** Why the undo of this step would fail, when it would. */
  readonly stops: string | null;
}

/** What a rollback would do, in the order it would do it. */
export interface RollbackPreview {
  readonly run: string;
  readonly to: string | null;
  /** Runs that worked on its hosts since; a rollback goes over what they did. */
  readonly newer: readonly NewerRun[];
  readonly steps: readonly StepBack[];
  /** How long it will take, as far as earlier runs tell. */
  readonly ms: number;
  /** What stays, because nothing can take it back. */
  readonly irreversible: readonly { readonly step: string; readonly host: string; readonly why: string }[];
  /** Set when the way back crosses the write line; `written` has a line for each thing written since. */
  readonly writeLine: { readonly step: string; readonly at: string; readonly written: readonly string[] } | null;
}

interface Ahead {
  readonly step: Step;
  readonly summary: string;
  readonly site: UndoSite;
  readonly refs: readonly FactRef<unknown>[];
}

/**
 * Looks at each undo of a way back, changing nothing: from the journaled undo, from what is on the hosts now, and from the
 * bytes kept there. Undos are looked at in their order, each on what those before it will have made.
 */
export async function previewSteps(context: RunContext, way: WayBack): Promise<StepBack[]> {
  const ahead = way.steps.map(({ step, summary }): Ahead => {
    const host = context.hostOfRole(step.role).name;
    const kept = (name: string) => keepPath(context.state.run, step.id, name, context.stepState(step.id).generation);
    const crossedWriteLine = context.stepState(step.id).mayHoldWrites || way.writeLine !== null;
    const site = { host, run: context.state.run, crossedWriteLine, kept };
    const tree = actionOf(context, step).preview?.facts(undoOf(context, step), site);
    return { step, summary, site, refs: tree ? refsOf(tree) : [] };
  });
  const { found, silent } = await readAll(
    context,
    ahead.flatMap(({ refs }) => refs),
  );
  const overlay = new Map<string, Look>();
  return ahead.map((one) => {
    const back = lookAt(context, one, overlay, found, silent);
    for (const { host, key, to } of back.view?.predicts ?? [])
      overlay.set(`${host} ${key}`, to ? { observed: to, madeBy: one.step.id } : { unknownAfter: one.step.id });
    return {
      step: one.step.id,
      host: one.site.host,
      summary: one.summary,
      diff: back.view?.diff ?? null,
      unknown: back.unknown,
      kept: back.view?.kept ?? [],
      stops: back.view?.stops ?? null,
    };
  });
}

function lookAt(
  context: RunContext,
  { step, site, refs }: Ahead,
  overlay: ReadonlyMap<string, Look>,
  found: ReadonlyMap<string, Observed<unknown>>,
  silent: ReadonlyMap<string, string>,
): { view: UndoView | null; unknown: string | null } {
  const { preview } = actionOf(context, step);
  // Apply never began before its bytes were kept.
  if (context.stepState(step.id).keepOwed) return { view: { diff: [] }, unknown: null };
  if (!preview) return { view: null, unknown: 'this step type cannot look ahead' };
  const unheard = refs.map(({ host }) => silent.get(host)).find((why) => why !== undefined);
  if (unheard !== undefined) return { view: null, unknown: unheard };
  const look = (ref: FactRef<unknown>): Look => {
    const observed = found.get(idOf(ref)) ?? { state: 'unreadable' as const, why: 'no answer' };
    return overlay.get(idOf(ref)) ?? { observed, madeBy: null };
  };
  const later = refs.map(look).find((one) => typeof one === 'object' && 'unknownAfter' in one);
  if (typeof later === 'object' && 'unknownAfter' in later)
    return { view: null, unknown: `known after ${later.unknownAfter} is undone` };
  const undo = undoOf(context, step);
  return { view: preview.look(undo, factsOf(preview.facts(undo, site), look), site), unknown: null };
}

function undoOf(context: RunContext, step: Step): never {
  return context.stepState(step.id).undo?.undo as never;
}

/** Reads facts on all hosts at once. A host that gives no answer costs what is on it, and no more. */
async function readAll(
  context: RunContext,
  refs: readonly FactRef<unknown>[],
): Promise<{ found: Map<string, Observed<unknown>>; silent: Map<string, string> }> {
  const unique = new Map(refs.map((ref) => [idOf(ref), ref]));
  const found = new Map<string, Observed<unknown>>();
  const silent = new Map<string, string>();
  await Promise.all(
    [...new Set(refs.map(({ host }) => host))].map(async (host) => {
      try {
        for (const [ref, observed] of await context.observe([...unique.values()].filter((one) => one.host === host)))
          found.set(idOf(ref), observed);
      } catch (thrown) {
        if (!isFerryError(thrown)) throw thrown;
        silent.set(host, context.report(thrown, '').message);
      }
    }),
  );
  return { found, silent };
}

function idOf(ref: FactRef<unknown>): string {
  return `${ref.host} ${ref.key}`;
}
