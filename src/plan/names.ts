import { type Outputs, type OutputValue, Unknown } from '../actions/outputs.ts';
import type { HostInfo } from '../hosts/host.ts';
import type { Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';
import type { Names } from '../runbook/evaluate.ts';
import { makeNames } from '../runbook/names.ts';
import type { Spread } from '../runbook/runbook.ts';

/** Outputs of a step whose condition does not hold: whatever is asked for is null, and stays so. */
export const SKIPPED = 'skipped';

/**
 * The names expressions may use, over what steps are known to hand on so far. `outputsOf` answers undefined for a step that
 * was not planned or done; an output that is not there yet is one only apply will tell. It is told which one is asked for.
 */
export function namesOver(
  inputs: ReadonlyMap<string, OutputValue>,
  outputsOf: (step: string, asked: string) => Outputs | typeof SKIPPED | undefined,
  hostOfRole: (rootRole: string) => HostInfo,
  spread?: Spread,
): Names {
  return makeNames({
    spread,
    inputs: inputs as ReadonlyMap<string, Json | Secret>,
    role: hostOfRole,
    output(step, name) {
      const outputs = outputsOf(step, name);
      if (outputs === SKIPPED) return { known: true, value: null };
      const found = outputs?.[name];
      if (found instanceof Unknown) return { known: false, after: [step], what: [found.hint] };
      return found === undefined ? { known: false, after: [step], what: [`its ${name}`] } : { known: true, value: found };
    },
  });
}
