import type { Action, Change } from '../actions/action.ts';
import type { Outputs, OutputValue } from '../actions/outputs.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { FactRef, Observed } from '../facts/fact.ts';
import type { HostInfo } from '../hosts/host.ts';
import { digestOf, type Json } from '../lib/json.ts';
import type { Runbook, Step } from '../runbook/runbook.ts';
import type { Look } from './fact-view.ts';
import { blockedBy, Findings, isToldElsewhere, LACKING, ofError, UNREACHED, withoutFacts, withoutHosts } from './findings.ts';
import { namesOver, SKIPPED } from './names.ts';
import type { Plan, PlanLine, Reading } from './plan.ts';
import { lineOf } from './plan-line.ts';
import { planStep, type StepPlan } from './plan-step.ts';
import { askOver, preflightStep, whenRead } from './preflight.ts';
import { type HostsFound, preflightHosts } from './preflight-hosts.ts';
import { publishReading, publishValue } from './publish.ts';
import { RoomLedger } from './room.ts';
import { waysBack } from './ways-back.ts';
import { withoutSecrets } from './without-secrets.ts';

export interface PlanRequest {
  readonly runbook: Runbook;
  readonly actions: ReadonlyMap<string, Action>;
  readonly inputs: ReadonlyMap<string, OutputValue>;
  /** Root role -> host. */
  readonly roles: ReadonlyMap<string, HostInfo>;
  readonly madeAt: string;
  /** Steps of a run under way that are done already: their lines stand, and they hand on what they have. */
  readonly done?: ReadonlyMap<string, { readonly line: PlanLine; readonly outputs: Outputs | typeof SKIPPED }>;
  /** What undoes a step that was begun before. */
  readonly begun?: ReadonlyMap<string, { readonly undo: Json }>;
  /** Reads facts of one host in one round trip, in order. */
  read(host: string, refs: readonly FactRef<unknown>[]): Promise<Observed<unknown>[]>;
  /** What is to be said of hosts that other runs hold; they then count as blockers before all others. */
  judgeLeases?(leases: HostsFound['leases']): readonly Diagnostic[];
}

interface Known {
  readonly ref: FactRef<unknown>;
  readonly observed: Observed<unknown>;
}

/** What has been read so far, and of which hosts nothing can be. */
interface World {
  readonly known: Map<string, Known>;
  readonly unreached: Map<string, FerryError>;
  /** Facts that steps are planned on, as against those only a preflight asked for. */
  readonly used: Set<string>;
}

/**
 * Makes a plan by reading and nothing else. Steps are planned in order on what was read plus what earlier steps will make
 * of it. Facts are read in waves, one batch per host and all hosts at once: the first wave has every fact whose params are
 * known at the start, the next those that hang on what the first one told. Probes come last, when it is clear which are
 * worth it. A host that cannot be read is a blocker, and what does not need it is planned all the same.
 */
export async function makePlan(request: PlanRequest): Promise<Plan> {
  const world: World = { known: new Map(), unreached: new Map(), used: new Set() };
  for (;;) {
    const walk = walkSteps(request, world);
    const wanted = walk.missing.size > 0 ? walk.missing : walk.probes;
    if (wanted.size === 0) return finish(request, world, walk);
    await Promise.all([...groupByHost(wanted.values())].map(([host, refs]) => readInto(world, request, host, refs)));
  }
}

async function readInto(world: World, request: PlanRequest, host: string, refs: readonly FactRef<unknown>[]): Promise<void> {
  try {
    const observed = await request.read(host, refs);
    refs.forEach((ref, index) => {
      world.known.set(idOf(ref), { ref, observed: observed[index] ?? { state: 'unreadable', why: 'no answer' } });
    });
  } catch (thrown) {
    if (!isFerryError(thrown) || !('host' in thrown.args)) throw thrown;
    world.unreached.set(host, thrown);
  }
}

interface Walk {
  readonly lines: PlanLine[];
  readonly missing: Map<string, FactRef<unknown>>;
  readonly probes: Map<string, FactRef<unknown>>;
  readonly findings: Diagnostic[];
  readonly alreadyDone: boolean;
  /** What the steps will hand on, as far as it is known by now. */
  readonly handed: readonly OutputValue[];
}

function walkSteps(request: PlanRequest, { known, unreached, used }: World): Walk {
  const outputs = new Map<string, Outputs | typeof SKIPPED>();
  const overlay = new Map<string, Look>();
  const opaqueOn = new Map<string, string>();
  const missing = new Map<string, FactRef<unknown>>();
  const probes = new Map<string, FactRef<unknown>>();
  const hosts = [...new Map([...request.roles.values()].map((host) => [host.name, host])).values()];
  const hostOfRole = (role: string): HostInfo => request.roles.get(role) as HostInfo;
  const names = namesOver(request.inputs, (step) => outputs.get(step), hostOfRole, request.runbook.spread);
  const look = (ref: FactRef<unknown>): Look => {
    const made = overlay.get(idOf(ref));
    if (made) return made;
    const read = known.get(idOf(ref));
    const opaque = opaqueOn.get(ref.host);
    if (read) return { observed: read.observed, madeBy: opaque ?? null, ...(opaque === undefined ? {} : { doubtedBy: opaque }) };
    return unreached.has(ref.host) ? { observed: { state: 'unreadable', why: UNREACHED }, madeBy: null } : 'missing';
  };
  // Nobody knows what a step will have done to these hosts: whatever is known of them by now may be otherwise then.
  const doubt = (doubted: readonly string[], doubtedBy: string) => {
    for (const host of doubted) opaqueOn.set(host, doubtedBy);
    for (const [id, made] of overlay)
      if (typeof made === 'object' && 'observed' in made && doubted.some((host) => id.startsWith(`${host} `)))
        overlay.set(id, { ...made, doubtedBy });
  };
  const plan = (step: Step): StepPlan => {
    const result = planStep(step, request.actions.get(step.uses) as Action, {
      names,
      hostOfRole,
      earlier: request.begun?.get(step.id) ?? null,
      look(ref) {
        used.add(idOf(ref));
        return look(ref);
      },
    });
    if (result.kind === 'missing') for (const ref of result.refs) missing.set(idOf(ref), ref);
    return withoutFacts(result, unreached);
  };
  const ask = askOver(look, (ref) => (ref.kind.probe ? probes : missing).set(idOf(ref), ref));
  const ledger = new RoomLedger();
  const findings = new Findings();

  for (const error of unreached.values()) findings.add([ofError(error)]);
  const reached = hosts.filter(({ name }) => !unreached.has(name)).map(({ name }) => ({ name, tools: toolsOf(request, name) }));
  const ofHosts = whenRead(() => preflightHosts(reached, ask, ledger));
  findings.add(ofHosts?.findings ?? []);
  const held = request.judgeLeases?.(ofHosts?.leases ?? []) ?? [];

  const done = request.runbook.done.map((step) => {
    const result = planDone(request, step, plan(step));
    if (result.kind === 'planned') outputs.set(step.id, result.planned.outputs);
    if (result.kind === 'skipped') outputs.set(step.id, SKIPPED);
    return result;
  });
  const lines = request.runbook.steps.map((step): PlanLine => {
    const stands = request.done?.get(step.id);
    if (stands) {
      outputs.set(step.id, stands.outputs);
      return { ...stands.line, needs: step.needs };
    }
    const action = request.actions.get(step.uses) as Action;
    const host = hostOfRole(step.role).name;
    const seen = plan(step);
    const lacking = opaqueOn.has(host) || seen.kind === 'skipped' ? null : ofHosts?.lacks(host, action.tools ?? []);
    if (lacking) findings.add([lacking]);
    const result = lacking ? blockedBy(seen, LACKING) : seen;
    const isBlocked = result.kind === 'planned' && result.planned.kind === 'blocked';
    const preflight =
      isBlocked || result.kind === 'skipped' ? null : preflightStep(step, action, { names, hostOfRole, ask, hosts });
    for (const room of preflight?.room ?? []) ledger.take(room);
    for (const kept of preflight?.keeps ?? []) ofHosts?.keep(kept);
    if (result.kind === 'skipped') outputs.set(step.id, SKIPPED);
    if (result.kind === 'planned') {
      const { planned } = result;
      // A fact may have been read that this step's prediction then replaces: the reading stays the proof's baseline.
      outputs.set(step.id, planned.outputs);
      if (planned.kind === 'change') {
        ledger.release(planned.predicts);
        if (planned.opaque) doubt(result.hosts, step.id);
        applyToOverlay(overlay, planned, step.id);
      }
      if (planned.kind === 'blocked' && !isToldElsewhere(planned)) findings.addBlocked(step, host, planned);
    }
    findings.add((preflight?.findings ?? []).map((found) => ({ ...found, at: step.at })));
    // What such a step would have made is not known, so what comes after it is not judged without it: one cause, one blocker.
    if (result.kind === 'later' || (result.kind === 'planned' && isBlocked))
      for (const fact of result.touched) overlay.set(fact, { unknownAfter: step.id });
    // Which facts it will change hangs on params nobody knows yet: any fact of its hosts may be another by then.
    if (result.kind === 'later' && result.open !== 'facts' && mayChange(action)) doubt(result.hosts, step.id);
    const line = lineOf(step, action, result, host);
    return withoutHosts({ ...line, notes: [...line.notes, ...(preflight?.notes ?? [])] }, unreached);
  });
  // A check whose condition is false says nothing; that none says anything is no proof.
  const asked = done.filter(({ kind }) => kind !== 'skipped');
  const isDone =
    asked.length > 0 &&
    asked.every(
      (result) => result.kind === 'planned' && (result.planned.kind === 'check' || result.planned.kind === 'no-change'),
    );
  findings.add(ledger.findings());
  // Hosts that a run has left half-way may look done, or blocked by what that run has made: its end comes first.
  const told = held.length > 0 ? [...held, ...[...unreached.values()].map(ofError)] : isDone ? [] : findings.all;
  const handed = [...outputs.values()].flatMap((made) => (made === SKIPPED ? [] : Object.values(made)));
  return { lines, missing, probes, findings: told, alreadyDone: isDone && held.length === 0, handed };
}

/** The commands that the steps of a host need there. */
function toolsOf({ runbook, roles, actions }: PlanRequest, host: string): string[] {
  const steps = runbook.steps.filter((step) => roles.get(step.role)?.name === host);
  return [...new Set(steps.flatMap((step) => actions.get(step.uses)?.tools ?? []))];
}

/** Whether an action ever changes anything: those that do can be taken back or say why not. */
function mayChange(action: Action | undefined): boolean {
  return action?.rollback !== undefined || action?.irreversible !== undefined;
}

/** A check under `done` must be answered by facts alone: one that has to act would count as held although nobody looked. */
function planDone(request: PlanRequest, step: Step, result: StepPlan): StepPlan {
  const isAnswered = result.kind !== 'planned' || result.planned.kind !== 'check' || !request.actions.get(step.uses)?.apply;
  if (!isAnswered) throw new FerryError('DONE_CHECK_UNFIT', { step: step.id, uses: step.uses });
  return result;
}

function applyToOverlay(overlay: Map<string, Look>, planned: Change<Json>, step: string): void {
  for (const { host, key, to } of planned.predicts) {
    overlay.set(`${host} ${key}`, to ? { observed: to, madeBy: step } : { unknownAfter: step });
  }
}

function finish(request: PlanRequest, { known, used }: World, walk: Walk): Plan {
  const readings: { [host: string]: { [key: string]: Reading } } = {};
  const stateRefs: { [host: string]: { [key: string]: { kind: string; args: readonly Json[] } } } = {};
  for (const [id, { ref, observed }] of known) {
    if (!used.has(id)) continue;
    (readings[ref.host] ??= {})[ref.key] = publishReading(ref.kind, observed);
    if (ref.kind.class === 'state') (stateRefs[ref.host] ??= {})[ref.key] = { kind: ref.kind.kind, args: ref.args };
  }
  const { runbook } = request;
  const checkpoints = runbook.checkpoints.map(({ name, afterStep }) => ({ name, afterStep }));
  const told = {
    lines: walk.lines,
    readings,
    blockers: walk.findings.filter((found) => found.severity === 'error'),
    warnings: [...runbook.warnings, ...walk.findings.filter((found) => found.severity === 'warning')],
  };
  const plan = {
    version: 1 as const,
    runbook: { name: runbook.name, title: runbook.title ?? runbook.name, digest: runbook.digest },
    roles: Object.fromEntries([...request.roles].map(([role, host]) => [role, host.name])),
    inputs: publishValue(Object.fromEntries(request.inputs)) as { [name: string]: Json },
    madeAt: request.madeAt,
    alreadyDone: walk.alreadyDone,
    checkpoints,
    waysBack: waysBack(walk.lines, checkpoints, ({ uses }) => mayChange(request.actions.get(uses))),
    stateRefs,
    ...withoutSecrets(told, [...request.inputs.values(), ...walk.handed]),
  };
  return { ...plan, digest: digestOf(plan) };
}

function idOf(ref: FactRef<unknown>): string {
  return `${ref.host} ${ref.key}`;
}

function groupByHost(refs: Iterable<FactRef<unknown>>): Map<string, FactRef<unknown>[]> {
  const groups = new Map<string, FactRef<unknown>[]>();
  for (const ref of refs) groups.set(ref.host, [...(groups.get(ref.host) ?? []), ref]);
  return groups;
}
