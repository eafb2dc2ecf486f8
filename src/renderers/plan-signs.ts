import type { Plan, PlanLine, Reading } from '../plan/plan.ts';

/** One character that says what a line does: change, create, remove, check, no change, gate, later, skipped, blocked. */
export type Sign = '~' | '+' | '-' | '?' | '=' | '!' | '*' | ' ' | 'x';

/**
 * The sign of each line of a plan, in order. Whether a change creates or removes follows from its predictions against what
 * was read and what earlier lines predict.
 */
export function planSigns(plan: Plan): Sign[] {
  const world = new Map<string, Reading | null>();
  for (const [host, readings] of Object.entries(plan.readings)) {
    for (const [key, reading] of Object.entries(readings)) world.set(`${host}\n${key}`, reading);
  }
  return plan.lines.map((line) => {
    const sign = signOf(line, world);
    for (const [host, predicted] of Object.entries(line.predicts)) {
      for (const [key, reading] of Object.entries(predicted)) world.set(`${host}\n${key}`, reading);
    }
    return sign;
  });
}

const SIGN_OF_KIND: { readonly [K in Exclude<PlanLine['kind'], 'change'>]: Sign } = {
  'no-change': '=',
  check: '?',
  gate: '!',
  later: '*',
  skipped: ' ',
  blocked: 'x',
};

function signOf(line: PlanLine, world: ReadonlyMap<string, Reading | null>): Sign {
  if (line.kind !== 'change') return SIGN_OF_KIND[line.kind];
  const moves = new Set<Sign>();
  for (const [host, predicted] of Object.entries(line.predicts)) {
    for (const [key, to] of Object.entries(predicted)) {
      const from = world.get(`${host}\n${key}`);
      if (from?.state === 'absent' && to?.state !== 'absent') moves.add('+');
      else if (to?.state === 'absent') {
        if (from?.state !== 'absent') moves.add('-');
      } else moves.add('~');
    }
  }
  const [only] = moves;
  return moves.size === 1 && only ? only : '~';
}
