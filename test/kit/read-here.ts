import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer, FactRef, Observed } from '../../src/facts/fact.ts';

/** Runs a fact's reader on this machine and parses what it said. */
export function readHere<V>(ref: FactRef<V>): Observed<V> {
  const script = ref.kind.script(...ref.args).text;
  const ran = spawnSync('sh', ['-c', script], {
    input: '',
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
  });
  return ref.kind.parse({ code: ran.status ?? 255, stdout: ran.stdout, stderr: ran.stderr }, ...ref.args) as Observed<V>;
}

/** What a program printed, for tests of parsers. */
export function answer(stdout: string, more: Partial<Answer> = {}): Answer {
  return { code: 0, stdout, stderr: '', ...more };
}

/** Gives a test a folder of its own and takes it away afterwards. */
export async function withFolder(use: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ferry-test-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
