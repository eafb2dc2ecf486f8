import { FerryError } from '../errors/ferry-error.ts';
import { digestOf, type Json } from '../lib/json.ts';
import type { Plan } from './plan.ts';

/** The form of the file; a later release that changes it reads this one or says so. */
const FORM = 1;

/** A plan as a file: all a run needs to do exactly this, and no secret. */
export interface SavedPlan {
  readonly ferryPlan: number;
  /** The release that wrote it. */
  readonly release: string;
  /** Where the runbook was, absolute, and the text of it and all it includes, root first. */
  readonly path: string;
  readonly sources: readonly { readonly path: string; readonly text: string }[];
  /** Where the inventory was, absolute. */
  readonly inventory: string;
  /** The machine behind each host's name, as `user@address:port`: another one is another plan. */
  readonly hosts: { readonly [host: string]: string };
  /** For each secret input: where it came from, and a hash keyed with the state folder's key of that name. */
  readonly secrets: { readonly [name: string]: { readonly source: string; readonly hash: string } };
  readonly secretsKey: string;
  readonly plan: Plan;
  /** Over everything else in the file. */
  readonly digest: string;
}

/** Makes the file's content. */
export function sealPlan(parts: Omit<SavedPlan, 'ferryPlan' | 'digest'>): SavedPlan {
  const content = { ferryPlan: FORM, ...parts };
  return { ...content, digest: digestOf(content) };
}

/**
 * Reads the text of a saved plan; null when it is something else, a runbook for one.
 * @throws PLAN_FILE_INVALID when it was changed or cut, or is of a form this release does not know
 */
export function openSavedPlan(file: string, text: string): SavedPlan | null {
  if (!text.trimStart().startsWith('{')) return null;
  let found: Json;
  try {
    found = JSON.parse(text) as Json;
  } catch {
    // Half a plan begins like a whole one.
    if (!/^\s*\{\s*"ferryPlan":/.test(text)) return null;
    throw new FerryError('PLAN_FILE_INVALID', { file, why: 'it ends in the middle or is no JSON any more' });
  }
  if (found === null || typeof found !== 'object' || Array.isArray(found) || !('ferryPlan' in found)) return null;
  if (found.ferryPlan !== FORM)
    throw new FerryError('PLAN_FILE_INVALID', {
      file,
      why: `it has form ${String(found.ferryPlan)}, this Ferry reads form ${FORM}`,
    });
  const { digest, ...content } = found;
  if (digest !== digestIn(file, content))
    throw new FerryError('PLAN_FILE_INVALID', { file, why: 'it was changed after it was saved' });
  return found as unknown as SavedPlan;
}

/** @throws PLAN_FILE_INVALID for values nested deeper than anything of Ferry's can be walked */
function digestIn(file: string, content: Json): string {
  try {
    return digestOf(content);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new FerryError(
      'PLAN_FILE_INVALID',
      { file, why: 'its values are nested in each other without end' },
      { cause: thrown },
    );
  }
}
