import { z } from 'zod';
import { FerryError } from '../errors/ferry-error.ts';
import type { SavedPlan } from '../plan/saved-plan.ts';

const text = z.string();
const texts = z.array(text);
const orNull = <T extends z.ZodType>(shape: T) => z.union([shape, z.null()]);
const byName = <T extends z.ZodType>(shape: T) => z.record(text, shape);
const count = z.number().int().nonnegative();

const reading = z.union([
  z.object({ state: z.literal('value'), value: z.json() }),
  z.object({ state: z.literal('absent') }),
  z.object({ state: z.literal('unreadable'), why: text }),
]);
const diff = z.array(z.union([z.tuple([z.enum(['-', '+', ' ', '@']), text]), z.tuple([z.literal('~'), text, text, text])]));
const finding = z.object({
  severity: z.enum(['error', 'warning']),
  code: text,
  message: text,
  hint: text.exactOptional(),
  at: z.object({ file: text, line: count, column: count }).exactOptional(),
  length: count.exactOptional(),
});

const line = z.object({
  ...{ step: text, title: text, host: text, uses: text, summary: text },
  kind: z.enum(['change', 'no-change', 'check', 'gate', 'later', 'skipped', 'blocked']),
  stamp: z.enum(['exact', 'predicted', 'opaque']),
  ...{ notes: texts, after: texts, needs: texts, hosts: texts },
  part: z.object({ of: text, concurrency: orNull(count) }).exactOptional(),
  ...{ diff, undo: orNull(text), undoDiff: orNull(diff), irreversible: orNull(text) },
  question: text.exactOptional(),
  ...{ writeLine: z.boolean(), bytes: orNull(z.number()) },
  facts: z.array(z.tuple([text, text])),
  predicts: byName(byName(orNull(reading))),
});

const plan = z.object({
  version: z.literal(1),
  runbook: z.object({ name: text, title: text, digest: text }),
  roles: byName(text),
  inputs: byName(z.json()),
  madeAt: text,
  alreadyDone: z.boolean(),
  lines: z.array(line),
  checkpoints: z.array(z.object({ name: text, afterStep: count })),
  waysBack: z.array(z.object({ to: orNull(text), undoes: texts, unsure: texts, stays: texts, losesFrom: orNull(text) })),
  readings: byName(byName(reading)),
  stateRefs: byName(byName(z.object({ kind: text, args: z.array(z.json()) }))),
  blockers: z.array(finding),
  warnings: z.array(finding),
  digest: text,
});

const savedPlan: z.ZodType<SavedPlan> = z.object({
  ...{ release: text, path: text, inventory: text, secretsKey: text, digest: text },
  ferryPlan: z.number(),
  sources: z.array(z.object({ path: text, text })).min(1),
  hosts: byName(text),
  secrets: byName(z.object({ source: text, hash: text })),
  plan,
});

/**
 * Says no to a file whose digest is right and which holds something else than a plan: anybody can make a digest.
 * @throws PLAN_FILE_INVALID naming the first place that is wrong
 */
export function refuseOtherShape(file: string, saved: SavedPlan): void {
  const [issue] = savedPlan.safeParse(saved).error?.issues ?? [];
  if (issue) throw new FerryError('PLAN_FILE_INVALID', { file, why: `${issue.path.join('.')}: ${issue.message}` });
}
