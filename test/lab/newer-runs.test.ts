import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { expectError } from '../kit/trouble.ts';

const FILE = '/root/ferry-newer';
const labDir = inject('labDir');
const folder = mkdtempSync(join(tmpdir(), 'ferry-newer-'));
const runbook = join(folder, 'write.yaml');
writeFileSync(
  runbook,
  `ferry: 1
name: write
roles: { app: {} }
inputs: { text: { type: string } }
steps:
  - { id: note, host: app, uses: file.put, with: { path: ${FILE}, content: "\${{ inputs.text }}" } }
`,
);
const content = async () => (await execOn(labDir, 'newdb', `cat ${FILE} 2>/dev/null || echo none`)).stdout.trim();
let ferry: FerryOnLab;
let elsewhere: FerryOnLab;

beforeEach(() => {
  ferry = new FerryOnLab(labDir);
  elsewhere = new FerryOnLab(labDir);
});
afterEach(async () => {
  ferry.remove();
  elsewhere.remove();
  await execOn(labDir, 'newdb', `rm -f ${FILE}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the runbook from a controller, and answers with the run's name. */
async function written(by: FerryOnLab, text: string): Promise<string> {
  const run = by.start(['run', runbook, ...by.hosts, '--role', 'app=newdb', '--input', `text=${text}`, '--json']);
  const ended = await run.ended;
  expect(ended.code, ended.stderr).toBe(0);
  expect(await content()).toBe(text);
  return (await run.seen(({ type }) => type === 'run.started')).run;
}

describe('a run after which another one has worked on its host', () => {
  it('is not taken back before the newer one, and then is', async () => {
    const first = await written(ferry, 'one');
    const second = await written(ferry, 'two');
    const refused = await ferry.run(['rollback', first]);
    expectError(refused, { exit: 5, code: 'RUN_OVERTAKEN', says: [`${second} (write, finished) on newdb`, '--over-newer'] });
    // What is told to be typed finds the run from anywhere.
    expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain(`ferry rollback ${second} --state-dir ${ferry.stateDir}`);
    expect(await content()).toBe('two');
    expect((await ferry.run(['rollback', second])).code).toBe(4);
    expect(await content()).toBe('one');
    expect((await ferry.run(['rollback', first])).code).toBe(4);
    expect(await content()).toBe('none');
  });

  it('is known as that by the host when the newer one came from another controller, whose work is undone only when told', async () => {
    const first = await written(ferry, 'one');
    const second = await written(elsewhere, 'two');
    expectError(await ferry.run(['rollback', first]), {
      exit: 5,
      code: 'RUN_OVERTAKEN',
      says: [`${second} (not in this state folder) on newdb`],
    });
    expect(await content()).toBe('two');
    const back = await ferry.run(['rollback', first, '--over-newer', '--yes']);
    expect([back.code, await content()], back.stderr).toEqual([4, 'none']);
  });
});
