import type { Outputs } from '../actions/outputs.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { Secret } from '../hosts/secret.ts';
import type { Step } from '../runbook/runbook.ts';
import { applyChange, applyCheck, attemptOf } from './act.ts';
import { type FreshPlan, planFresh } from './plan-fresh.ts';
import { isHidden, type RunContext } from './run-context.ts';
import { usersOf } from './users-of.ts';

type Hidden = { readonly name: string; readonly $secret: string; readonly hash: string; readonly text?: string };

/**
 * Gets back, after a restart, the secret outputs that steps still to be done use: the journal holds their source and a keyed
 * hash only. A step that read one is planned again on fresh facts, and its value must be the one from before; a source that
 * the run itself has removed when nobody needs it any more is not asked. What a command printed is asked of its attempt
 * folder, of a check by asking again; what is not had back that way is missed only by a step that uses it.
 * @param all where the steps to come are not those of the run, as in an edited runbook
 * @throws SECRET_DRIFTED
 */
export async function recallSecrets(context: RunContext, all = false): Promise<void> {
  const { secrets } = context.ports;
  const isSame = (value: string, hash: string) => !secrets.canCompare(hash) || secrets.matches(value, hash);
  for (const step of context.ports.runbook.steps) {
    const state = context.stepState(step.id);
    const secret = Object.entries(state.outputs).flatMap(([name, value]) => (isHidden(value) ? [{ name, ...value }] : []));
    if (state.phase !== 'done' || secret.length === 0) continue;
    const wanted = all ? null : wantedOf(context, step);
    const hidden = secret.filter(({ name }) => wanted?.has(name) ?? true);
    if (hidden.length === 0) continue;
    const read = hidden.filter(({ text }) => text === undefined);
    const plan = read.length > 0 ? await planFresh(context, step) : null;
    for (const { name, $secret: source, hash } of read) {
      const found = plan?.planned.outputs[name];
      if (!(found instanceof Secret) || !isSame(found.reveal(), hash))
        throw new FerryError('SECRET_DRIFTED', { step: step.id, source });
      context.ports.learn(found);
      context.holdSecret(step.id, name, found);
    }
    const printed = hidden.filter(({ text }) => text !== undefined);
    const again = printed.length > 0 ? await printedBy(context, step) : {};
    for (const { name, $secret: source, hash } of printed) {
      const found = again[name];
      if (typeof found === 'string' && isSame(found, hash)) context.holdSecret(step.id, name, new Secret(found, source));
    }
    rekey(context, step, hidden);
  }
}

/** Outputs of a step that those use which are not done yet. */
function wantedOf(context: RunContext, step: Step): Set<string> {
  const isOver = (user: string) => ['done', 'skipped'].includes(context.stepState(user).phase);
  return new Set(usersOf(context, step).flatMap((user) => (isOver(user.step) ? [] : [user.output])));
}

/** Puts new hashes on record for those of a key that is lost, so that another value is noticed from here on. */
function rekey(context: RunContext, step: Step, hidden: readonly Hidden[]): void {
  const outputs = hidden.flatMap(({ name, hash, ...shown }) => {
    const held = context.secretOf(step.id, name);
    return held && !context.ports.secrets.canCompare(hash)
      ? [[name, { ...shown, hash: context.ports.secrets.hash(held.reveal()) }] as const]
      : [];
  });
  if (outputs.length > 0) context.record('secrets.rekeyed', { step: step.id, body: { outputs: Object.fromEntries(outputs) } });
}

/** What a step that is done handed on, without doing it again; nothing when its hosts cannot tell any more. */
async function printedBy(context: RunContext, step: Step): Promise<Outputs> {
  try {
    const plan = await planFresh(context, step);
    if (plan === null) return {};
    return context.stepState(step.id).change === null ? await applyCheck(context, step, plan) : await replay(context, step, plan);
  } catch (thrown) {
    if (isFerryError(thrown)) return {};
    throw thrown;
  }
}

/** Every command of the attempt has ended, so each returns what it left in the attempt folder, and none runs. */
async function replay(context: RunContext, step: Step, plan: FreshPlan): Promise<Outputs> {
  const { attempt, hosts, change } = context.stepState(step.id);
  const id = attemptOf(context, step.id, attempt);
  const effects = await Promise.all(hosts.map(async (host) => (await context.ports.fleet.effects(host, id)) ?? []));
  if (effects.flat().length === 0 || effects.flat().some(({ state }) => state !== 'exited')) return {};
  const { data = null } = change ?? {};
  const done = { kind: 'change', summary: '', predicts: [], outputs: {}, undo: null, undoSummary: '', keep: [] } as const;
  return applyChange(context, step, plan, { ...done, data, opaque: true }, attempt);
}
