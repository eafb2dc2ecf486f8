import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { FerryError } from '../errors/ferry-error.ts';
import { printable } from '../lib/text.ts';
import { canType } from './ask.ts';

/**
 * Reads a secret from where it is kept: `env:VAR`, `file:PATH` or `cmd:COMMAND`. One trailing newline is not part of it.
 * @throws SECRET_SOURCE_WRONG, SECRET_UNAVAILABLE, SECRET_FILE_OPEN
 */
export async function readSecret(
  name: string,
  source: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const [, kind, place] = /^(env|file|cmd):(.+)$/s.exec(source) ?? [];
  // What was typed is not repeated: it may be the secret itself.
  if (!kind || !place)
    throw new FerryError('SECRET_SOURCE_WRONG', { name, got: source === '' ? 'nothing' : 'a text that is none' });
  const fail = (why: string, cause?: unknown) =>
    new FerryError('SECRET_UNAVAILABLE', { name, source: `${kind}:${place}`, why }, { cause });
  const value =
    kind === 'env' ? env[place] : kind === 'file' ? await fromFile(name, place, fail) : await fromCommand(place, env, fail);
  if (value === undefined) throw fail('the variable is not set');
  const secret = kind === 'env' ? value : value.replace(/\r?\n$/, '');
  if (secret === '') throw fail('it is empty');
  if (secret.includes('\0')) throw fail('it holds a NUL byte');
  return secret;
}

type Fail = (why: string, cause?: unknown) => FerryError;

async function fromFile(name: string, path: string, fail: Fail): Promise<string> {
  const file = await open(path, 'r').catch((thrown: NodeJS.ErrnoException) => {
    throw fail(thrown.code === 'ENOENT' ? 'no such file' : thrown.message, thrown);
  });
  try {
    // The opened file is asked, not the path: nobody can put another one there in between.
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw new FerryError('SECRET_FILE_OPEN', { name, file: path, mode: (mode & 0o777).toString(8).padStart(4, '0') });
    }
    return await file.readFile('utf8').catch((thrown: NodeJS.ErrnoException) => {
      throw fail(thrown.message, thrown);
    });
  } finally {
    await file.close();
  }
}

/**
 * A command of the person's own, such as `pass show db`, so a shell reads it as they would have typed it. It runs on this
 * machine before any transport exists; its stderr goes to nobody, for it may hold what it was asked for.
 */
function fromCommand(command: string, env: Readonly<Record<string, string | undefined>>, fail: Fail): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], { env: { ...env }, timeout: 60_000, maxBuffer: 1 << 20 }, (error, stdout) => {
      if (error)
        reject(fail(error.killed ? 'the command gave no answer within 60 s' : `the command ended with exit code ${error.code}`));
      else resolve(stdout);
    });
  });
}

/** Asks for a secret in a terminal without showing what is typed; null when nobody can type any more, or Ctrl-C was pressed. */
export async function promptSecret(
  terminal: { stdin: NodeJS.ReadStream; stderr: NodeJS.WriteStream },
  question: string,
): Promise<string | null> {
  if (!canType(terminal.stdin)) return null;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // The terminal shows nothing from here on; a question that stood before that would let a fast answer be seen.
  const line = createInterface({ input: terminal.stdin, output: nowhere, terminal: true });
  terminal.stderr.write(`${printable(question)}: `);
  try {
    return await new Promise<string | null>((resolve) => {
      line.on('line', resolve);
      for (const over of ['close', 'SIGINT', 'error']) line.on(over, () => resolve(null));
    });
  } finally {
    line.close();
    terminal.stderr.write('\n');
  }
}
