import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { commonOptions } from '../../src/cli/options.ts';
import { startRun } from '../../src/cli/start-run.ts';
import type { SavedPlan } from '../../src/plan/saved-plan.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { expectError } from '../kit/trouble.ts';

const CONF = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf';
const EDIT = 'examples/03-edit-a-conf.yaml';
const labDir = inject('labDir');
const folder = mkdtempSync(join(tmpdir(), 'ferry-plans-'));
const file = join(folder, 'edit.plan');
const onEngine = async (script: string) => (await execOn(labDir, 'engine', script)).stdout.trim();
const setting = () => onEngine(`grep ^DWH_DB_SECURED_VALIDATION= ${CONF}`);
const byOtherHands = (value: string) =>
  onEngine(`sed -i 's/^DWH_DB_SECURED_VALIDATION=.*/DWH_DB_SECURED_VALIDATION="${value}"/' ${CONF}`);
let ferry: FerryOnLab;

describe('a plan saved and run', () => {
  beforeAll(() => {
    ferry = new FerryOnLab(labDir);
  });
  afterEach(async () => {
    await ferry.run(['rollback']);
    await byOtherHands('False');
  });
  afterAll(() => {
    ferry.remove();
    rmSync(folder, { recursive: true });
  });
  const save = async (...words: string[]) => {
    const plan = await ferry.run(['plan', EDIT, ...ferry.hosts, '--out', file, ...words]);
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout).toContain(`Saved to ${file}. To do exactly this:  ferry run ${file}`);
  };

  it('is a file of its owner alone, and a run of it is bound to its digest', async () => {
    await save();
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    const saved = JSON.parse(readFileSync(file, 'utf8')) as SavedPlan;
    const run = ferry.start(['run', file, '--json']);
    expect((await run.ended).code).toBe(0);
    expect(run.events.find(({ type }) => type === 'run.started')).toMatchObject({
      plan: { digest: saved.plan.digest, madeAt: saved.plan.madeAt },
    });
    expect(await setting()).toBe('DWH_DB_SECURED_VALIDATION="True"');
  });

  it('is refused when a fact moved, which it names with both values, both times and the steps; then planned anew when told to', async () => {
    await save();
    await byOtherHands('Maybe');
    const refused = await ferry.run(['run', file]);
    const text = refused.stderr.replaceAll(/\n +(?=\S)/g, ' ');
    expect(refused.code).toBe(5);
    expect(text).toMatch(
      /FACT_MOVED {2}fileContent\(\S+\) on engine was line 16: DWH_DB_SECURED_VALIDATION="False" \(read \S+Z\) and is line 16: DWH_DB_SECURED_VALIDATION="Maybe" \(read \S+Z\); it matters to validate\./,
    );
    expect(text).toMatch(/PLAN_STALE .*validate would do something else now.*Nothing was changed.*--replan/s);
    expect(await setting()).toBe('DWH_DB_SECURED_VALIDATION="Maybe"');
    const anew = await ferry.run(['run', file, '--replan']);
    expect(anew.code, anew.stderr).toBe(0);
    expect(await setting()).toBe('DWH_DB_SECURED_VALIDATION="True"');
  });

  it('asks a person, where there is one, whether to plan the steps that hang on it anew', async () => {
    await save();
    await byOtherHands('Maybe');
    const options = { ...commonOptions({ stateDir: ferry.stateDir }, { env: {}, places: {} }), onFailure: 'pause' } as const;
    const run = async (answer: boolean) => {
      const questions: string[] = [];
      const ask = async (question: string) => questions.push(question) > 0 && answer;
      const end = await startRun(file, options, { ask, emit: () => undefined, signal: new AbortController().signal });
      return { ...end, questions };
    };
    expect(await run(false)).toMatchObject({
      outcome: 'refused',
      exit: 5,
      questions: [expect.stringMatching(/is not true any more.*fileContent\S+ on engine was .*Plan validate anew\?$/s)],
    });
    expect(await setting()).toBe('DWH_DB_SECURED_VALIDATION="Maybe"');
    expect(await run(true)).toMatchObject({ outcome: 'finished', questions: [expect.stringContaining('Plan validate anew?')] });
    expect(await setting()).toBe('DWH_DB_SECURED_VALIDATION="True"');
  });

  it('is refused when it was changed, and takes no inputs of its own', async () => {
    await save();
    expectError(await ferry.run(['run', file, '--role', 'engine=he1']), { exit: 64, code: 'PLAN_INPUT_GIVEN', says: ['--role'] });
    writeFileSync(file, readFileSync(file, 'utf8').replace('True', 'Truf'));
    expectError(await ferry.run(['run', file]), {
      exit: 65,
      code: 'PLAN_FILE_INVALID',
      says: [/it was changed after it was saved/],
    });
    expect(await setting()).toBe('DWH_DB_SECURED_VALIDATION="False"');
  });

  it('is for the machines it was made for, not for others under their names', async () => {
    await save();
    const moved = join(folder, 'inventory.yaml');
    const text = readFileSync(ferry.inventory, 'utf8').replaceAll('./', `${labDir}/`);
    writeFileSync(moved, text.replace(/(engine: \{ address: \S+ name: )engine/, '$1engine2'));
    const refused = await ferry.run(['run', file, '-i', moved]);
    expectError(refused, {
      exit: 5,
      code: 'PLAN_HOST_CHANGED',
      says: [/engine at root@engine\S+; the inventory says root@engine2/, /Nothing was changed/],
    });
    expect(await setting()).toBe('DWH_DB_SECURED_VALIDATION="False"');
  });

  it('replaces no file that is something else, before any host is asked', async () => {
    writeFileSync(join(folder, 'precious.yaml'), 'precious: true\n');
    const words = ['plan', EDIT, '-i', join(folder, 'no-such-inventory.yaml'), '--out', join(folder, 'precious.yaml')];
    expectError(await ferry.run(words), { exit: 64, code: 'PLAN_FILE_UNWRITABLE', says: ['something else is there already'] });
    expect(readFileSync(join(folder, 'precious.yaml'), 'utf8')).toBe('precious: true\n');
  });
});
