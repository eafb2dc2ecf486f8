import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { catalog } from '../../src/actions/catalog.ts';
import type { UndoView } from '../../src/actions/undo-preview.ts';
import { fleetOf } from '../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../src/cli/prepare.ts';
import type { Fleet } from '../../src/hosts/fleet.ts';
import { publishValue } from '../../src/plan/publish.ts';
import { expectJournalable, expectSame, Step } from '../kit/contract.ts';
import { backupRows } from './backup-rows.ts';
import { postgresRows } from './postgres-rows.ts';
import type { Row } from './row.ts';
import { rows } from './rows.ts';

const labDir = inject('labDir');
const all = [...rows, ...postgresRows, ...backupRows];
const open: Step[] = [];
let fleet: Fleet;
let count = 0;
const commandsOf = new Map<Row, number>();

async function scripts(byHost: Readonly<Record<string, string>> = {}): Promise<void> {
  for (const [host, script] of Object.entries(byHost)) {
    const { code, stderr } = await execOn(labDir, host, script);
    if (code !== 0) throw new Error(`${host}: ${script} ended with exit code ${code}: ${stderr}`);
  }
}

/** The row's step in a run of its own, with its hosts prepared. */
async function stepOf(row: Row, params: unknown = row.with): Promise<Step> {
  await scripts(row.before);
  count += 1;
  const step = await Step.make(fleet, row.action, row.host, params, `r-contract-${process.pid}-${count}`);
  open.push(step);
  return step;
}

/** A plan of the same row in a run of its own, on the hosts as they are. */
async function planNow(row: Row) {
  return (await Step.make(fleet, row.action, row.host, row.with, 'r-contract-look')).plan();
}

beforeAll(async () => {
  const inventory = await readInventory(join(labDir, 'inventory.yaml'), labDir);
  fleet = fleetOf(await hostsOf(inventory));
});
afterEach(async () => {
  for (const step of open.splice(0)) await step.release();
});
afterAll(() => fleet.close());

// npm run test:crash has all rows and their deaths; the other way a third of the deaths, by chance, and FERRY_SEED takes the same third again.
const isWhole = Boolean(process.env.FERRY_EVERY_FAULT);
const seed = Number(process.env.FERRY_SEED ?? process.hrtime.bigint() % 3n);
if (!isWhole)
  process.stdout.write(`deaths in the middle of a third of the actions (FERRY_SEED=${seed}); npm run test:crash does all\n`);
const dies = (row: Row) => isWhole || (!row.isLong && changes.indexOf(row) % 3 === seed % 3);
const changes = all.filter((row) => !isCheck(row) && (isWhole || row.isLong !== 'all'));
const checks = all.filter(isCheck);

function isCheck({ action, with: given }: Row): boolean {
  return (
    /\.(read|arrivals|check|compare|connections|history|login|match|sampling|write-line)$/.test(action) ||
    (given as { readOnly?: boolean }).readOnly === true
  );
}

/** What an undo would change; remarks are none. */
function changesOf({ diff, stops }: UndoView): unknown[] {
  return [...diff.filter(([mark]) => mark !== ' ' && mark !== '@'), ...(stops ? [stops] : [])];
}

function nameOf({ action, about }: Row): string {
  return about ? `${action} ${about}` : action;
}

/** Taken back after an apply that never began, after one that died between any two of its commands, and after one that did half. */
async function goesBack(row: Row): Promise<void> {
  const untouched = await stepOf(row);
  const before = await untouched.state();
  const planned = await untouched.planChange();
  await untouched.intend(planned);
  expect(changesOf(await untouched.preview(planned))).toEqual([]);
  const nothing = await untouched.rollback(planned);
  expectSame(before, await untouched.state(), nothing);
  await scripts(row.clean);
  await untouched.release();

  // The first test counts the commands; alone, this one finds their number by dying later each time.
  for (let lives = 1; lives < (commandsOf.get(row) ?? Number.POSITIVE_INFINITY); lives += 1) {
    const step = await stepOf(row);
    const start = await step.state();
    const change = await step.planChange();
    await step.intend(change);
    const { commands } = await step.apply(change, lives);
    const died = commands === lives;
    const kept = await step.rollback(change);
    expectSame(start, await step.state(), kept);
    await scripts(row.clean);
    await step.release();
    if (!died) break;
  }

  if (!row.half) return;
  const step = await stepOf(row);
  const start = await step.state();
  const change = await step.planChange();
  await step.intend(change);
  await scripts(row.half);
  const kept = await step.rollback(change);
  expectSame(start, await step.state(), kept);
  await scripts(row.clean);
}

test('every action has a row here', () => {
  const missing = Object.keys(catalog).filter((name) => !all.some(({ action }) => action === name));
  // A gate asks a person and touches no host.
  expect(missing).toEqual(['gate.confirm']);
});

describe.each(changes.map((row) => [nameOf(row), row] as const))('%s', (_, row) => {
  afterAll(() => scripts(row.after));

  test('does what it planned, then has nothing left to do, goes back, and does it again', async () => {
    const step = await stepOf(row);
    const before = await step.state();
    const change = await step.planChange();
    await step.intend(change);
    const { outputs, commands } = await step.apply(change);
    commandsOf.set(row, commands);
    await step.verify(change);
    expectJournalable(change, outputs, row.secrets ?? []);
    expect(publishValue(outputs)).toMatchObject(row.outputs ?? {});
    for (const name of Object.keys(outputs)) expect(Object.keys(step.action.outputs ?? {}), 'declared outputs').toContain(name);
    expect((await planNow(row)).kind).toBe(row.again ?? (step.action.converges === false ? 'change' : 'no-change'));

    const ahead = await step.preview(change);
    for (const word of row.secrets ?? []) expect(JSON.stringify(ahead.diff)).not.toContain(word);
    const kept = await step.rollback(change);
    expectSame(before, await step.state(), kept);
    // What was foreseen is what came: the facts, what stays on purpose, and that nothing is left to change.
    await step.verifyUndone(ahead);
    expect((ahead.kept ?? []).flatMap(({ host, key }) => (key === undefined ? [] : [`${host} ${key}`]))).toEqual(kept);
    expect(changesOf(await step.preview(change))).toEqual([]);
    await scripts(row.clean);
    // Rolling back what is rolled back changes nothing more.
    await step.rollback(change);
    expectSame(before, await step.state(), kept);
    await step.release();

    if (kept.length > 0) await scripts(row.before);
    count += 1;
    const second = await Step.make(fleet, row.action, row.host, row.with, `r-contract-${process.pid}-${count}`);
    open.push(second);
    const again = await second.planChange();
    await second.intend(again);
    await second.apply(again);
    await second.verify(again);
    await second.rollback(again);
    expectSame(before, await second.state(), kept);
  });

  if (dies(row))
    test('goes back after an apply that did not begin, that died between its commands, and that did half', () => goesBack(row));
});

describe.each(checks.map((row) => [nameOf(row), row] as const))('%s', (_, row) => {
  afterAll(() => scripts(row.after));

  test('holds, hands on what it says and changes nothing', async () => {
    const step = await stepOf(row);
    const before = await step.state();
    const planned = await step.plan();
    expect(planned.kind, planned.summary).toBe('check');
    const outputs = { ...planned.outputs, ...(await step.check()) };
    for (const name of Object.keys(outputs)) {
      const declared = Object.keys(step.action.outputs ?? {});
      if (!declared.includes('*')) expect(declared).toContain(name);
    }
    expect(publishValue(outputs)).toMatchObject(row.outputs ?? {});
    for (const word of row.secrets ?? []) expect(JSON.stringify([planned, publishValue(outputs)])).not.toContain(word);
    expectSame(before, await step.state());
  });

  const { fails } = row;
  if (!fails) return;
  test('says so when it does not hold', async () => {
    const step = await stepOf(row, fails.with);
    const planned = await step.plan();
    if (fails.code === 'blocked') return expect(planned.kind).toBe('blocked');
    await expect(step.check()).rejects.toMatchObject({ code: fails.code });
  });
});
