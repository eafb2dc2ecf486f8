import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const run = (words: string[], nodeOptions: string[] = []) =>
  spawnSync(process.execPath, [...nodeOptions, main, ...words], { encoding: 'utf8' });

describe('the program', () => {
  it('gives the exit code of its words to the shell', () => {
    expect(run(['--version'])).toMatchObject({ status: 0, stderr: '' });
    expect(run(['nonsense'])).toMatchObject({ status: 64, stdout: '' });
  });

  it('says which Node it needs before it loads anything, on an older one', () => {
    const older =
      'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })';
    const { status, stderr } = run(['--version'], ['--import', older]);
    expect(status).toBe(64);
    expect(stderr).toMatch(/^Ferry needs Node 24 or newer and runs on 20\.20\.2\. Nothing was done\./);
  });

  it('imports nothing before the version is known', () => {
    expect(readFileSync(main, 'utf8')).not.toMatch(/^\s*import\s/m);
  });

  it('does not stumble over a reader that went away', () => {
    const { status, stderr } = spawnSync('sh', ['-c', '"$0" "$1" actions --json | head -c 10', process.execPath, main], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('keeps quiet about node:sqlite and nothing else', () => {
    const warn =
      'data:text/javascript,setTimeout(() => { process.emitWarning("SQLite is an experimental feature", "ExperimentalWarning"); process.emitWarning("mind this") }, 20)';
    const { stderr } = run(['--version'], ['--import', warn]);
    expect(stderr).toContain('mind this');
    expect(stderr).not.toContain('SQLite');
  });
});
