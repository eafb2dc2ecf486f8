import { FerryError } from '../errors/ferry-error.ts';
import { Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';
import { planFresh } from './perform.ts';
import type { RunContext } from './run-context.ts';

/**
 * Gets secret outputs of earlier steps back after a restart: the journal holds their source and a keyed hash only, so the
 * step that read them is planned again on fresh facts, and its value must be the one from before.
 * @throws SECRET_DRIFTED
 */
export async function recallSecrets(context: RunContext): Promise<void> {
  for (const step of context.ports.runbook.steps) {
    const state = context.stepState(step.id);
    const hidden = Object.entries(state.outputs).filter(([, value]) => isHidden(value));
    if (state.phase !== 'done' || hidden.length === 0) continue;
    const plan = await planFresh(context, step);
    for (const [name, value] of hidden) {
      const found = plan?.planned.outputs[name];
      const { $secret: source, hash } = value as { $secret: string; hash: string };
      if (!(found instanceof Secret) || !context.ports.secrets.matches(found.reveal(), hash))
        throw new FerryError('SECRET_DRIFTED', { step: step.id, source });
      context.ports.learn(found);
      context.holdSecret(step.id, name, found);
    }
  }
}

function isHidden(value: Json): boolean {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && '$secret' in value && 'hash' in value;
}
