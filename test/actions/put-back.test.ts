import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { catalog } from '../../src/actions/catalog.ts';
import commandRun from '../../src/actions/command/run.ts';
import configSet from '../../src/actions/config/set.ts';
import filePut from '../../src/actions/file/put.ts';
import hba from '../../src/actions/postgres/hba.ts';
import type { Sh } from '../../src/hosts/sh.ts';
import { withFolder } from '../kit/read-here.ts';

const run = (script: Sh | null | undefined) => {
  if (!script) throw new Error('nothing to put back');
  const { status, stderr } = spawnSync('sh', ['-c', script.text], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
};
const was = { mode: '0640', owner: 'root', group: 'root' };

describe.runIf(process.getuid?.() === 0)('what a dead-man switch puts back', () => {
  test('is the file with its bytes, mode and owner, whatever was done of the step, and as often as it is done', () =>
    withFolder((folder) => {
      const path = `${folder}/it's a file`;
      const kept = (name: string) => `${folder}/kept-${name}`;
      writeFileSync(kept('before'), 'old\n');
      const undos = [
        () => run(filePut.putBack?.({ path, was } as never, kept)),
        () => run(configSet.putBack?.({ path, was } as never, kept)),
      ];
      for (const undo of undos) {
        for (const half of ['old\n', 'new\n', null]) {
          if (half !== null) writeFileSync(path, half);
          chmodSync(path, 0o644);
          undo();
          undo();
          expect(readFileSync(path, 'utf8')).toBe('old\n');
          expect(statSync(path).mode & 0o777).toBe(0o640);
        }
      }
    }));

  test('is nothing where there was nothing', () =>
    withFolder((folder) => {
      const path = `${folder}/made`;
      writeFileSync(path, 'new');
      run(filePut.putBack?.({ path, was: null } as never, (name) => `${folder}/${name}`));
      expect(existsSync(path)).toBe(false);
    }));

  test('is written through no link that the owner of its folder has laid', () =>
    withFolder((folder) => {
      const [path, shadow] = [`${folder}/pg_hba.conf`, `${folder}/shadow`];
      for (const [file, text] of [
        [path, 'new'],
        [shadow, 'secret'],
        [`${folder}/kept`, 'old'],
      ] as const)
        writeFileSync(file, text, { mode: 0o600 });
      for (const name of ['new', 'old']) symlinkSync(shadow, `${path}.ferry-${name}`);
      run(hba.putBack?.({ port: 1, path, ...was } as never, () => `${folder}/kept`));
      expect([readFileSync(path, 'utf8'), readFileSync(shadow, 'utf8')]).toEqual(['old', 'secret']);
      expect([statSync(path).mode & 0o777, statSync(shadow).mode & 0o777]).toEqual([0o640, 0o600]);
    }));

  test('is each file that a command protects, and nothing else of it', () =>
    withFolder((folder) => {
      mkdirSync(`${folder}/keep`);
      const files = ['one', 'two', 'made'].map((name) => `${folder}/${name}`);
      for (const [index, file] of files.entries()) {
        writeFileSync(file, `old ${index}`, { mode: 0o640 });
        chmodSync(file, 0o640);
        if (index < 2) cpSync(file, `${folder}/keep/protected-${index}`);
        writeFileSync(file, 'new');
      }
      const undo = {
        ...{ script: 'exit 1', as: 'root', remove: `${folder}/keep`, irreversible: null, isSecret: false, timeoutMs: 1 },
        restore: files.map((path, index) => ({ path, was: index < 2 ? was : null })),
      };
      run(commandRun.putBack?.(undo, (name) => `${folder}/keep/${name}`));
      expect(files.map((file) => existsSync(file) && readFileSync(file, 'utf8'))).toEqual(['old 0', 'old 1', false]);
      expect(commandRun.putBack?.({ ...undo, restore: [] }, (name) => name)).toBe(null);
    }));
});

test('every step type that can have a dead-man switch is on its own host alone, and is named where one cannot', async () => {
  const all = await Promise.all(Object.entries(catalog).map(async ([name, load]) => ({ name, action: (await load()).default })));
  const fit = all.filter(({ action }) => action.putBack).map(({ name }) => name);
  expect(fit.sort()).toEqual(['command.run', 'config.set', 'file.put', 'firewall.open', 'postgres.hba', 'prompt.answer']);
});
