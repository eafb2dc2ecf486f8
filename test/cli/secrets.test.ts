import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { promptSecret, readSecret } from '../../src/cli/secrets.ts';
import { createKeyboard, createScreen } from '../kit/terminal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ferry-secrets-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(content: string, mode: number): Promise<string> {
  const path = join(folder, `secret-${mode.toString(8)}-${content.length}`);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}
const env = { PATH: process.env.PATH, PW: ` it's "\\$ %:\u00e9 `, EMPTY: '' };

describe('a secret from its source', () => {
  it('is what the variable, the file or the command holds, to the byte, but for one last newline', async () => {
    expect(await readSecret('password', 'env:PW', env)).toBe(env.PW);
    expect(await readSecret('password', `file:${await file(`${env.PW}\n\n`, 0o600)}`, env)).toBe(`${env.PW}\n`);
    expect(await readSecret('password', `cmd:printf '%s\\n' "$PW"`, env)).toBe(env.PW);
  });

  it('is refused from a file that others can read', async () => {
    await expect(readSecret('password', `file:${await file('x', 0o640)}`, env)).rejects.toMatchObject({
      code: 'SECRET_FILE_OPEN',
      message: expect.stringContaining('mode 0640'),
      hint: expect.stringContaining('chmod 600 '),
    });
    expect(await readSecret('password', `file:${await file('x', 0o400)}`, env)).toBe('x');
  });

  it('is told as missing with the reason, and what a command printed is not', async () => {
    const why = async (source: string) =>
      (await readSecret('password', source, env).catch((error: Error) => error.message)) as string;
    expect(await why('env:NOBODY')).toContain('the variable is not set');
    expect(await why('env:EMPTY')).toContain('it is empty');
    expect(await why(`file:${folder}/nowhere`)).toContain('no such file');
    expect(await why(`file:${folder}`)).toMatch(/mode 0700|illegal operation/);
    const said = await why("cmd:echo 's3cret' >&2; exit 3");
    expect(said).toContain('exit code 3');
  });

  it('is not repeated when its source is not understood: it may be the secret itself', async () => {
    const error = await readSecret('password', 'hunter2', env).catch((thrown: Error) => thrown as Error & { hint: string });
    expect(error).toMatchObject({ code: 'SECRET_SOURCE_WRONG' });
    expect(JSON.stringify([error, (error as Error).message])).not.toContain('hunter2');
  });
});

describe('a secret that is typed', () => {
  it('is not shown', async () => {
    const [screen, keyboard] = [createScreen({ columns: 80, rows: 24 }), createKeyboard()];
    const answer = promptSecret({ stdin: keyboard.stream, stderr: screen.stream }, 'Password');
    keyboard.type('hunter2\r');
    expect(await answer).toBe('hunter2');
    expect(screen.raw()).toBe('Password: \n');
  });

  it('is null when Ctrl-C is pressed or input ends', async () => {
    const [screen, keyboard] = [createScreen({ columns: 80, rows: 24 }), createKeyboard()];
    const answer = promptSecret({ stdin: keyboard.stream, stderr: screen.stream }, 'Password');
    keyboard.type('hun\u0003');
    expect(await answer).toBeNull();
  });
});
