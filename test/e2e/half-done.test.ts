import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import { ask, attemptsOf, recordsOf } from '../kit/evidence.ts';
import { FerryOnLab, type FerryResult } from '../kit/ferry-on-lab.ts';
import { type Snapshot, snapshot } from '../kit/lab-state-of.ts';

const RUNBOOK = 'runbooks/ovirt/migrate-engine-db.yaml';
const STUBBORN = ['ovirt-engine-notifier', 'ovirt-fence-kdump-listener'];
const UNITS = ['ovirt-engine', 'ovirt-engine-dwhd', ...STUBBORN].map((unit) => `${unit}.service`);
const labDir = inject('labDir');
const ferry = new FerryOnLab(labDir);
const elsewhere = new FerryOnLab(labDir);
const proofOfNoDifference = /Proof: \d+ facts read again: \d+ equal, 0 kept on purpose, 0 differ\./;

const areActive = async () => (await ask(labDir, 'engine', `systemctl is-active ${UNITS.join(' ')} || :`)).split('\n');
const latestRun = () => String((recordsOf(ferry)[0] as unknown as { run: string }).run);

/** Refused with exit code 5, nothing changed, and the three ways on are named. */
async function isRefused(attempt: Promise<FerryResult>, run: string): Promise<void> {
  const { code, stderr } = await attempt;
  expect(code, stderr).toBe(5);
  expect(stderr).toContain(run);
  expect(stderr).toContain('Nothing was changed');
  for (const way of [`ferry resume ${run}`, `ferry rollback ${run}`, ' --abandon'])
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(way);
}

afterAll(async () => {
  ferry.remove();
  elsewhere.remove();
  await labReset({ dir: labDir, hosts: ['engine', 'newdb'], say: () => undefined });
});

describe('a run that is half done', () => {
  let before: Snapshot;
  let run: string;

  beforeAll(async () => {
    await ask(labDir, 'engine', `systemctl enable --quiet --now ${UNITS.join(' ')}`);
    expect(await areActive()).toEqual(['active', 'active', 'active', 'active']);
    before = await snapshot(labDir);
    for (const unit of STUBBORN) {
      const folder = `/run/systemd/system/${unit}.service.d`;
      await ask(labDir, 'engine', `mkdir -p ${folder}; printf '[Unit]\\nRefuseManualStop=yes\\n' >${folder}/stubborn.conf`);
    }
    await ask(labDir, 'engine', 'systemctl daemon-reload');
  });

  it('says which two of four units did not stop, and in what state that leaves the host', async () => {
    const { code, stdout, stderr } = await ferry.run(['run', RUNBOOK, ...ferry.hosts]);
    expect(code, stderr).toBe(1);
    run = latestRun();
    const said = stdout.replaceAll(/\s+/g, ' ');
    expect(said).toContain('UNITS_FAILED');
    for (const unit of STUBBORN) expect(said).toContain(`${unit}.service is active`);
    expect(said).toContain('On engine ovirt-engine, ovirt-engine-dwhd are stopped.');
    expect(said).toContain(`ferry resume ${run}`);
    expect(await areActive()).toEqual(['inactive', 'inactive', 'active', 'active']);

    const status = await ferry.run(['status']);
    expect(status.stdout).toMatch(/paused \(failure at stop-services\)/);
    expect(status.stdout).toMatch(/^ {2}failed +engine +stop-services /m);
    const looked = (await ferry.run(['status', '--evidence'])).stdout.replaceAll(/\s+/g, ' ');
    expect(looked).toMatch(/engine attempt 1: \S.* ended with exit code/);
    expect(looked).toMatch(/unitState\(ovirt-engine\.service\) on engine: \S.* -> \S.*; now \S.* \(as planned\)/);
    expect(looked).toMatch(/unitState\(ovirt-engine-notifier\.service\) on engine: \S.* -> \S.*; now \S.* \(as before\)/);
    expect(looked).toContain('It is partly done');
  });

  it('is not run anew, here or from another state folder', async () => {
    const now = await snapshot(labDir);
    await isRefused(ferry.run(['run', RUNBOOK, ...ferry.hosts]), run);
    await isRefused(elsewhere.run(['run', RUNBOOK, ...elsewhere.hosts]), run);
    expect(await snapshot(labDir)).toEqual(now);
    expect(await ask(labDir, 'engine', 'cut -d" " -f1 /var/lib/ferry/lease')).toBe(run);
    expect(latestRun()).toBe(run);
  });

  it('is not given up without the word for it', async () => {
    const { code, stderr } = await ferry.run(['unlock', 'engine']);
    expect(code).toBe(5);
    expect(stderr).toContain('LEASE_WANTED');
    expect(await ask(labDir, 'engine', 'cut -d" " -f1 /var/lib/ferry/lease')).toBe(run);
  });

  it('is not called done while a unit runs that the step was to stop', async () => {
    const { code, stderr } = await ferry.run(['resume', '--mark-done', 'stop-services']);
    expect(code, stderr).toBe(5);
    expect(stderr).toContain('STEP_NOT_DONE');
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(
      /unitState\(ovirt-\S+\.service\) on engine is \S.*, and the step was to make it \S/,
    );
    expect(attemptsOf(ferry, 'stop-services')).toEqual([1]);
    expect(await areActive()).toEqual(['inactive', 'inactive', 'active', 'active']);
  });

  it('stops the other two when it is resumed, and still knows that all four ran', async () => {
    await ask(
      labDir,
      'engine',
      `rm -r ${STUBBORN.map((unit) => `/run/systemd/system/${unit}.service.d`).join(' ')}; systemctl daemon-reload`,
    );
    const { code, stdout, stderr } = await ferry.run(['resume', '--until', 'quiesced']);
    expect(code, stdout + stderr).toBe(0);
    expect(await areActive()).toEqual(['inactive', 'inactive', 'inactive', 'inactive']);
    expect(attemptsOf(ferry, 'stop-services')).toEqual([1, 2]);
    const applied = recordsOf(ferry).find(({ type, step }) => type === 'step.applied' && step === 'stop-services');
    expect(applied?.body.outputs).toEqual({
      stopped: UNITS,
      active: Object.fromEntries(UNITS.map((unit) => [unit, true])),
      enabled: Object.fromEntries(UNITS.map((unit) => [unit, 'enabled'])),
    });
  });

  it('is rolled back to all four running, and nothing differs', async () => {
    const { code, stdout, stderr } = await ferry.run(['rollback']);
    expect(code, stderr).toBe(4);
    expect(stdout).toMatch(proofOfNoDifference);
    expect(await areActive()).toEqual(['active', 'active', 'active', 'active']);
    expect(await snapshot(labDir)).toEqual(before);
  });
});

describe('a step that failed and was done by hand', () => {
  it('is taken for done once its facts agree, is not done again, and is rolled back with the rest', async () => {
    const before = await snapshot(labDir);
    const failed = await ferry.run(['run', RUNBOOK, ...ferry.hosts], { FERRY_FAIL_AT: 'before-apply stop-services' });
    expect(failed.code, failed.stderr).toBe(1);
    await ask(labDir, 'engine', `systemctl stop ${UNITS.join(' ')}`);
    const marked = await ferry.run(['resume', '--mark-done', 'stop-services', '--until', 'quiesced']);
    expect(marked.code, marked.stdout + marked.stderr).toBe(0);
    expect(marked.stderr).toMatch(/engine {2}stop-services: marked done by \S+@\S+/);
    expect(attemptsOf(ferry, 'stop-services')).toEqual([1]);
    expect((await ferry.run(['status'])).stdout).toMatch(/^ {12}marked done by \S+@\S+$/m);
    const back = await ferry.run(['rollback']);
    expect(back.code, back.stderr).toBe(4);
    expect(await areActive()).toEqual(['active', 'active', 'active', 'active']);
    expect(await snapshot(labDir)).toEqual(before);
  });
});

describe('a run by a user who is not root', () => {
  it('does and takes back the same, by sudo', async () => {
    const inventory = join(labDir, 'inventory-admin.yaml');
    writeFileSync(inventory, readFileSync(join(labDir, 'inventory.yaml'), 'utf8').replaceAll('user: root', 'user: admin'));
    const admin = new FerryOnLab(labDir, {}, inventory);
    const before = await snapshot(labDir);
    const there = await admin.run(['run', RUNBOOK, ...admin.hosts, '--until', 'quiesced']);
    expect(there.code, there.stdout + there.stderr).toBe(0);
    expect(await areActive()).toEqual(['inactive', 'inactive', 'inactive', 'inactive']);
    expect(await ask(labDir, 'engine', 'stat -c "%U %a" /var/lib/ferry')).toBe('root 700');
    const back = await admin.run(['rollback']);
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toMatch(proofOfNoDifference);
    expect(await snapshot(labDir)).toEqual(before);
    admin.remove();
    // What is not the lab's keeps its folder from going.
    rmSync(inventory);
  });
});

describe('a run that is given up', () => {
  it('leaves its hosts free and as they are, can go neither on nor back, and a new run is accepted', async () => {
    expect((await ferry.run(['run', RUNBOOK, ...ferry.hosts, '--until', 'prepared'])).code).toBe(0);
    const run = latestRun();
    const there = await snapshot(labDir);

    const given = await ferry.run(['unlock', 'engine', '--abandon']);
    expect(given.code, given.stderr).toBe(0);
    expect(given.stdout).toContain(`Run ${run} is abandoned; what it changed stays as it is: `);
    for (const host of ['engine', 'newdb', 'he1'])
      expect(await ask(labDir, host, 'cat /var/lib/ferry/lease 2>/dev/null || :')).toBe('');
    expect(await snapshot(labDir)).toEqual(there);
    for (const verb of ['resume', 'rollback']) {
      const refused = await ferry.run([verb, run]);
      expect(refused.code, refused.stderr).toBe(64);
      expect(refused.stderr).toContain('abandoned');
    }

    const anew = await elsewhere.run(['run', RUNBOOK, ...elsewhere.hosts, '--until', 'prepared']);
    expect(anew.code, anew.stderr).toBe(0);
    expect((await elsewhere.run(['rollback'])).code).toBe(4);
    expect(await snapshot(labDir)).toEqual(there);
  });
});
