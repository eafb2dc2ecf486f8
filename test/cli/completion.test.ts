import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completable } from '../../src/cli/candidates.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { modelWire, typed } from '../kit/ferry.ts';
import { RUN } from '../kit/plans.ts';
import { createKeyboard, createScreen, createSignals } from '../kit/terminal.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ferry-completion-'));
  writeFileSync(join(folder, 'move.yaml'), MOVE);
  writeFileSync(join(folder, 'inventory.yaml'), 'ferry: 1\nhosts: { db1: {}, db2: {} }\nroles: { new_db: db2 }\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MOVE = `
ferry: 1
name: move
inputs:
  database: { type: string, description: Name of the database }
  password: { type: secret }
roles: { new_db: { description: The new server }, old_db: {} }
steps:
  - { id: look, host: new_db, uses: service.read, with: { units: ["\${{ inputs.database }}"] } }
  - checkpoint: looked
  - { id: log-in, host: old_db, uses: postgres.role, with: { name: x, password: "\${{ inputs.password }}" } }
`;

/** The candidates for the last word, as the scripts of the shells get them. */
async function offered(words: readonly string[], around: Parameters<typeof typed>[1] = {}): Promise<string[]> {
  const ferry = typed(['__complete', '--', ...words], around);
  expect(await ferry.exit).toBe(0);
  expect(ferry.err.text()).toBe('');
  return ferry.out
    .text()
    .split('\n')
    .filter((line) => line !== '');
}

/** Each argument and each value of an option there is, with its verb. */
function completed(command: Command, path = 'ferry'): { what: string; name: string; choices: boolean }[] {
  return [
    ...command.registeredArguments.map((one) => ({ what: path, name: one.name(), choices: one.argChoices !== undefined })),
    ...command.options
      .filter(({ required, optional }) => required || optional)
      .map((one) => ({ what: path, name: one.long ?? '', choices: one.argChoices !== undefined })),
    ...command.commands.flatMap((verb) => completed(verb, `${path} ${verb.name()}`)),
  ];
}

describe('what is offered', () => {
  const wire = modelWire().wire;

  it('is thought of for every argument and option of every verb', () => {
    const size = createScreen();
    const outside = {
      stdin: createKeyboard().stream,
      stdout: size.stream,
      stderr: size.stream,
      env: {},
      signals: createSignals(),
    };
    const program = buildProgram({
      outside: { ...outside, loadWire: () => Promise.resolve(wire), leave: () => undefined, places: {} },
      exitCode: 0,
    });
    const all = completed(program);
    expect(all.length).toBeGreaterThan(40);
    expect(all.filter(({ name, choices }) => !choices && !completable.includes(name))).toEqual([]);
  });

  it('begins with the verbs, each with what it does, and leaves out what is for shells', async () => {
    const verbs = await offered(['']);
    expect(verbs).toContain('rollback\ttake a run back, and prove it');
    expect(verbs.filter((line) => line.startsWith('_'))).toEqual([]);
    expect(await offered(['lab', 's'])).toEqual([expect.stringMatching(/^status\t/), expect.stringMatching(/^ssh\t/)]);
  });

  it('goes on with the options of the verb, and with the choices of an option, behind a blank or an =', async () => {
    expect((await offered(['run', '--on'])).map((line) => line.split('\t')[0])).toEqual(['--on-failure']);
    expect(await offered(['run', 'x.yaml', '--on-failure', ''])).toEqual(['ask\t', 'pause\t', 'rollback\t']);
    expect(await offered(['run', '--on-failure=p'])).toEqual(['--on-failure=pause\t']);
    expect(await offered(['run', '-'])).not.toContain(expect.stringMatching(/^--discard-writes/));
  });

  it('is the actions, and what a file can be is left to the shell', async () => {
    expect(await offered(['actions', 'service.st'])).toEqual(['service.start\t', 'service.stop\t']);
    expect(await offered(['plan', ''])).toEqual([':files yaml yml']);
    expect(await offered(['run', ''])).toEqual([':files yaml yml plan']);
    expect(await offered(['plan', '-i', ''])).toEqual([':files']);
    expect(await offered(['plan', '--state-dir=/v'])).toEqual([':folders']);
  });

  it('is the runs that are remembered, and the steps of one', async () => {
    const readRuns = () => [
      { run: RUN, runbook: 'move', startedAt: '', lastAt: '', lastType: 'run.paused', stands: 'run.paused', differing: 0 },
    ];
    const around = { ...modelWire(undefined, { readRuns }), env: { FERRY_STATE_DIR: folder } };
    expect(await offered(['resume', 'r'], around)).toEqual([`${RUN}\tmove, run.paused`]);
    expect(await offered(['log', RUN, ''], around)).toEqual(['dump\t']);
    expect(await offered(['rollback', '--to', ''], around)).toEqual(['quiesced\t', 'moved\t']);
  });

  it('makes no journal where there is none', async () => {
    const none = join(folder, 'none');
    expect(await offered(['resume', ''], { env: { FERRY_STATE_DIR: none } })).toEqual([]);
    expect(existsSync(none)).toBe(false);
  });

  it('is the inputs, secrets, roles and checkpoints of the runbook in the line', async () => {
    const { wire: real } = await import('../../src/cli/wire.ts');
    const move = join(folder, 'move.yaml');
    const ask = (...words: string[]) => offered(['run', move, ...words], { wire: real });
    expect(await ask('--input', '')).toEqual(['database=\tName of the database']);
    expect(await ask('--secret', '')).toEqual(['password=\t']);
    expect(await ask('--secret', 'password=')).toEqual(['password=file:\t', 'password=env:\t', 'password=cmd:\t']);
    expect(await ask('--role', 'n')).toEqual(['new_db=\tThe new server']);
    expect(await ask('--role', 'new_db=d')).toEqual(['new_db=db1\t', 'new_db=db2\t']);
    expect(await ask('--until', '')).toEqual(['looked\t']);
  });

  it('is the hosts of the inventory', async () => {
    expect(await offered(['unlock', '-i', join(folder, 'inventory.yaml'), ''])).toEqual(['db1\t', 'db2\t']);
  });

  it('is nothing, and no error, where something is broken', async () => {
    expect(await offered(['unlock', '-i', '/nowhere', ''])).toEqual([]);
    expect(await offered(['nonsense', ''])).toEqual([]);
    expect(await offered(['run', '/nowhere.yaml', '--input', ''])).toEqual([]);
  });
});
