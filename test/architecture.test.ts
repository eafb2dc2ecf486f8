import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  actionFaults,
  barrelFaults,
  folderCycle,
  importFaults,
  importsOf,
  nameFaults,
  type SourceFile,
  scriptsNamedIn,
  wordFaults,
} from './kit/architecture.ts';

const project = join(import.meta.dirname, '..');
const read = (pattern: string): SourceFile[] =>
  globSync(pattern, { cwd: project }).map((path) => ({ path, text: readFileSync(join(project, path), 'utf8') }));
const src = read('src/**/*.ts');
const lines = (file: SourceFile) => file.text.split('\n').length - 1;
const bad = (path: string, ...text: string[]): SourceFile => ({ path, text: text.join('\n') });

describe('the house', () => {
  it('has files to look at', () => {
    expect(src.length).toBeGreaterThan(50);
    expect(src.flatMap(importsOf).length).toBeGreaterThan(100);
  });

  it('has each folder import only what the table allows', () => {
    expect(src.filter((file) => !file.path.startsWith('src/dev/')).flatMap(importFaults)).toEqual([]);
  });

  it('has no way round through its folders', () => {
    expect(folderCycle(src)).toBeNull();
  });

  it('has exit codes, the console, the clock and chance each in one home', () => {
    expect(src.flatMap(wordFaults)).toEqual([]);
  });

  it('has no barrel but index.ts', () => {
    expect(src.flatMap(barrelFaults)).toEqual([]);
  });

  it('has no action that another file than the catalog imports', () => {
    expect(actionFaults(src)).toEqual([]);
  });

  it('has the lab loaded by its own verb alone', () => {
    const users = src.filter((file) => importsOf(file).some(({ target }) => target?.startsWith('lab/'))).map((file) => file.path);
    expect(users).toEqual(['src/cli/commands/lab.ts']);
  });

  it('has no file over 300 lines, and nine in ten under 200', () => {
    expect(
      [...src, ...read('lab/**/*.ts')].filter((file) => lines(file) > 300).map((file) => `${file.path}: ${lines(file)}`),
    ).toEqual([]);
    expect(src.filter((file) => lines(file) < 200).length / src.length).toBeGreaterThanOrEqual(0.9);
  });

  it('has at most eight files in lib', () => {
    expect(src.filter((file) => file.path.startsWith('src/lib/')).length).toBeLessThanOrEqual(8);
  });

  it('has kebab-case file names', () => {
    expect([...src, ...read('test/**/*.ts')].filter((file) => !file.path.endsWith('.test.ts')).flatMap(nameFaults)).toEqual([]);
  });

  it('has every npm script that its papers name', () => {
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const papers = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: project })].filter((path) =>
      existsSync(join(project, path)),
    );
    const missing = papers.flatMap((path) =>
      scriptsNamedIn(readFileSync(join(project, path), 'utf8'))
        .filter((name) => !(name in scripts))
        .map((name) => `${path}: npm run ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('the check of the house', () => {
  it('sees an import against the table, static, dynamic, and of a type', () => {
    expect(importFaults(bad('src/engine/run.ts', "import { createTree } from '../renderers/tree.ts';"))).toEqual([
      'src/engine/run.ts imports src/renderers/tree.ts',
    ]);
    expect(importFaults(bad('src/plan/plan.ts', "const run = await import('../engine/run.ts');"))).toEqual([
      'src/plan/plan.ts imports src/engine/run.ts',
    ]);
    expect(importFaults(bad('src/lib/text.ts', "import type { Plan } from '../plan/plan.ts';"))).toEqual([
      'src/lib/text.ts imports types of src/plan/plan.ts',
    ]);
    expect(importFaults(bad('src/hosts/host.ts', "export { x } from '../facts/fact.ts';"))).toEqual([
      'src/hosts/host.ts imports src/facts/fact.ts',
    ]);
  });

  it('sees an import that spans lines', () => {
    expect(importFaults(bad('src/facts/fact.ts', 'import {', '  a,', '  b,', "} from '../engine/run.ts';"))).toEqual([
      'src/facts/fact.ts imports src/engine/run.ts',
    ]);
  });

  it('tells types from values where only types may pass', () => {
    expect(importFaults(bad('src/renderers/tree.ts', "import type { Event } from '../engine/events.ts';"))).toEqual([]);
    expect(importFaults(bad('src/renderers/tree.ts', "import { foldRun } from '../engine/state.ts';"))).toEqual([
      'src/renderers/tree.ts imports src/engine/state.ts',
    ]);
  });

  it('sees a package away from home and one nobody agreed to', () => {
    expect(importFaults(bad('src/actions/file/put.ts', "import { Client } from 'ssh2';"))).toEqual([
      'src/actions/file/put.ts imports ssh2, whose home is src/transports/',
    ]);
    expect(importFaults(bad('src/lib/text.ts', "import chalk from 'chalk';"))).toEqual([
      'src/lib/text.ts imports chalk, whose home is nowhere in src',
    ]);
  });

  it('does not take a comment or a text for code', () => {
    expect(importFaults(bad('src/lib/text.ts', "// import { run } from '../engine/run.ts';"))).toEqual([]);
    expect(wordFaults(bad('src/engine/run.ts', '/** Never Date.now. */', "const advice = 'use console.log';"))).toEqual([]);
  });

  it('sees a word outside its home', () => {
    expect(wordFaults(bad('src/engine/run.ts', 'const now = Date.now();'))).toEqual([
      'src/engine/run.ts uses Date.now, whose home is src/lib/clock.ts',
    ]);
    expect(wordFaults(bad('src/cli/program.ts', 'process.exit(1);'))).toHaveLength(1);
    expect(wordFaults(bad('src/lib/clock.ts', 'const now = Date.now();'))).toEqual([]);
  });

  it('sees a barrel, an action that is imported, a way round, and a wrong name', () => {
    expect(
      barrelFaults(bad('src/plan/all.ts', '/** All. */', "export { a } from './a.ts';", "export type { B } from './b.ts';")),
    ).toHaveLength(1);
    expect(barrelFaults(bad('src/plan/all.ts', "export * from './a.ts';", 'const x = 1;'))).toHaveLength(1);
    const stop = bad('src/actions/service/stop.ts', 'export default defineAction({});');
    expect(actionFaults([stop, bad('src/actions/service/restart.ts', "import stop from './stop.ts';")])).toHaveLength(1);
    expect(
      folderCycle([bad('src/a/x.ts', "import { y } from '../b/y.ts';"), bad('src/b/y.ts', "import { x } from '../a/x.ts';")]),
    ).toEqual(['a', 'b', 'a']);
    expect(nameFaults(bad('src/plan/makePlan.ts'))).toHaveLength(1);
  });

  it('sees which scripts a text names', () => {
    expect(scriptsNamedIn('npm ci && npm run demo, then npm run test:unit -- x')).toEqual(['demo', 'test:unit']);
  });
});
