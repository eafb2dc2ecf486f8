import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import { expectAsPlanned } from '../kit/as-planned.ts';
import { recordsOf } from '../kit/evidence.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { snapshot } from '../kit/lab-state-of.ts';
import { expectError } from '../kit/trouble.ts';

const RUNBOOK = 'runbooks/ovirt/prepare-remote-db.yaml';
const PASSWORD = `pre"pare 'd $HOME \\ 100%`;
const labDir = inject('labDir');
const ferry = new FerryOnLab(labDir);
const folder = mkdtempSync(join(tmpdir(), 'ferry-prepare-'));
const file = join(folder, 'prepare.plan');
const secret = join(folder, 'password');
const inputs = ['database=engine', 'user=engine', 'more_clients=engine.lab.example'].flatMap((one) => ['--input', one]);
const words = [
  ...ferry.hosts,
  ...inputs,
  '--role',
  'clients=engine',
  '--role',
  'new_db=newdb',
  '--secret',
  `password=file:${secret}`,
];

describe('preparing a server alone, from a saved plan', () => {
  beforeAll(async () => {
    writeFileSync(secret, PASSWORD, { mode: 0o600 });
    await labReset({ dir: labDir, hosts: ['newdb'], say: () => undefined });
  });
  afterAll(() => {
    ferry.remove();
    rmSync(folder, { recursive: true });
  });

  it('keeps the password out of the plan, refuses another one, does what each line said, and is taken back', async () => {
    const before = await snapshot(labDir);
    const plan = await ferry.run(['plan', RUNBOOK, ...words, '--out', file]);
    expect(plan.code, plan.stderr).toBe(0);
    const text = readFileSync(file, 'utf8');
    for (const form of [PASSWORD, JSON.stringify(PASSWORD).slice(1, -1), Buffer.from(PASSWORD).toString('base64')])
      expect(text + plan.stdout).not.toContain(form);

    writeFileSync(secret, 'another');
    expectError(await ferry.run(['run', file, '--yes']), {
      exit: 5,
      code: 'SECRET_CHANGED',
      says: [/password/, /Nothing was changed/],
    });
    expect(await snapshot(labDir)).toEqual(before);
    writeFileSync(secret, PASSWORD);

    const run = await ferry.run(['run', file, '--yes']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    const records = recordsOf(ferry);
    expect(expectAsPlanned(records).exact).toBeGreaterThan(4);

    const back = await ferry.run(['rollback']);
    expect(back.code, back.stdout + back.stderr).toBe(4);
    expect(back.stdout).toContain(' 0 differ.');
    expect(await snapshot(labDir)).toEqual(before);
  });
});
