import { lstat, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FerryError } from '../errors/ferry-error.ts';
import { finding } from '../errors/finding.ts';
import { FindingsError } from '../errors/findings-error.ts';
import type { FactKind } from '../facts/fact.ts';
import { factKind } from '../facts/kinds.ts';
import { randomToken } from '../lib/random.ts';
import type { Plan } from '../plan/plan.ts';
import { openSavedPlan, type SavedPlan } from '../plan/saved-plan.ts';
import { type Staleness, stalenessOf } from '../plan/stale.ts';
import { readInput } from './places.ts';

/** The plan in a file, or null when the file is no saved plan. @throws FILE_UNREADABLE, PLAN_FILE_INVALID */
export async function readSavedPlan(path: string): Promise<SavedPlan | null> {
  const saved = openSavedPlan(path, Buffer.from(await readInput(path)).toString('utf8'));
  if (saved) (await import('./plan-file-shape.ts')).refuseOtherShape(path, saved);
  return saved;
}

/**
 * Says no to a file that holds something else than a plan, before anything is asked of hosts.
 * @throws PLAN_FILE_UNWRITABLE
 */
export async function checkPlanFile(path: string): Promise<void> {
  // What is no plain file is not opened: a pipe would wait for ever, and a link leads to what somebody else may have chosen.
  const found = await lstat(resolve(path)).catch(() => null);
  if (found && !found.isFile() && !found.isDirectory())
    throw unwritable(path, found.isSymbolicLink() ? 'it is a symbolic link' : 'it is no regular file');
  const there = await readFile(resolve(path), 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return null;
    throw unwritable(path, thrown.code === 'EISDIR' ? 'it is a folder' : thrown.message, thrown);
  });
  if (there !== null && !/^\s*\{\s*"ferryPlan":/.test(there)) throw unwritable(path, 'something else is there already');
}

/** Writes a plan to a file, 0600, whole or not at all. @throws PLAN_FILE_UNWRITABLE */
export async function writeSavedPlan(path: string, saved: SavedPlan): Promise<void> {
  await checkPlanFile(path);
  const temporary = `${resolve(path)}.${randomToken(4)}.new`;
  try {
    await writeFile(temporary, `${JSON.stringify(saved, null, 1)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    await rename(temporary, resolve(path));
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw unwritable(path, (thrown as Error).message, thrown);
  }
}

function unwritable(file: string, why: string, cause?: unknown): FerryError {
  return new FerryError('PLAN_FILE_UNWRITABLE', { file, why }, { cause });
}

/** What has moved since a plan was saved. */
export async function compareToNow(file: string, saved: Plan, fresh: Plan): Promise<Staleness> {
  const kinds = new Map<string, FactKind<unknown>>();
  for (const { kind } of Object.values(saved.stateRefs).flatMap((byKey) => Object.values(byKey))) {
    const found = await factKind(kind);
    if (!found) throw new FerryError('PLAN_FILE_INVALID', { file, why: `this release knows no fact ${kind}` });
    kinds.set(kind, found);
  }
  return stalenessOf(saved, fresh, (kind) => kinds.get(kind) as FactKind<unknown>);
}

/** The refusal of a plan that is not true any more: each fact that moved, and the steps that hang on it. */
export function staleError(file: string, saved: Plan, fresh: Plan, { moved, changed }: Staleness): FindingsError<'PLAN_STALE'> {
  const findings = moved.map(({ host, key, before, now, steps }) =>
    finding('FACT_MOVED', {
      ...{ host, fact: key, before, now, beforeAt: saved.madeAt, nowAt: fresh.madeAt },
      steps: steps.join(', '),
    }),
  );
  return new FindingsError('PLAN_STALE', { file, count: moved.length, steps: changed.join(', ') }, findings);
}
