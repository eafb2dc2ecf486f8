import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FerryError } from '../errors/ferry-error.ts';
import { formatDuration } from '../lib/duration.ts';

const LIMIT_MS = 10_000;
// A hook needs its way around, and none of what Ferry was given in variables.
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ'];

/** Where notices go. */
export interface Target {
  /** What may be shown and written down of it: a command's path, a webhook's origin. */
  readonly shown: string;
  /** Sends one notice, within `limitMs`. @throws Error whose message says why it did not arrive, without any secret */
  send(body: string): Promise<void>;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads `cmd:PATH`, a program that gets the notice as stdin, or the address of a webhook, which gets it as the body of a POST.
 * What was given is not repeated in an error: it may hold a token.
 * @throws NOTIFY_WRONG
 */
export function targetOf(text: string, env: Env, limitMs = LIMIT_MS): Target {
  if (text.startsWith('cmd:')) return commandTarget(resolve(text.slice(4)), env, limitMs);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'https:') {
    if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0')
      throw new FerryError('NOTIFY_WRONG', { why: 'NODE_TLS_REJECT_UNAUTHORIZED=0 has certificates not checked' });
    return webhookTarget(url, limitMs);
  }
  if (url?.protocol === 'http:') {
    if (['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) return webhookTarget(url, limitMs);
    throw new FerryError('NOTIFY_WRONG', { why: 'http is for this machine alone; anywhere else it must be https' });
  }
  throw new FerryError('NOTIFY_WRONG', { why: 'it is neither cmd:PATH nor https://...' });
}

function commandTarget(path: string, env: Env, limitMs: number): Target {
  try {
    if (!statSync(path).isFile()) throw new Error('it is no file');
    accessSync(path, constants.X_OK);
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'it may not be executed' : message;
    throw new FerryError('NOTIFY_WRONG', { why: `cmd:${path}: ${why}` }, { cause: thrown });
  }
  return { shown: `cmd:${path}`, send: (body) => runCommand(path, body, env, limitMs) };
}

function runCommand(path: string, body: string, env: Env, limitMs: number): Promise<void> {
  return new Promise((done, failed) => {
    const passed = Object.fromEntries(PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
    // A process group of its own, so that what it started ends with it, and Ctrl-C is for Ferry.
    const child = spawn(path, [], { stdio: ['pipe', 'ignore', 'ignore'], env: passed, detached: true });
    const timer = setTimeout(() => {
      failed(new Error(`it did not end within ${formatDuration(limitMs)}${endGroup(child)}`));
    }, limitMs);
    const settle = (why: string | null) => {
      clearTimeout(timer);
      if (why === null) done();
      else failed(new Error(why));
    };
    child.once('error', (cause: NodeJS.ErrnoException) => settle(`it cannot be run: ${cause.code ?? cause.message}`));
    child.once('exit', (code, signal) => settle(code === 0 ? null : `it ended with ${signal ?? `exit code ${code}`}`));
    // One that reads nothing may still do its work.
    child.stdin.on('error', () => undefined);
    child.stdin.end(body);
  });
}

/** Ends a program with all it started. One that has become another user's is let go: words that say so, else none. */
function endGroup(child: ChildProcess): string {
  if (child.pid === undefined) return '';
  try {
    process.kill(-child.pid, 'SIGKILL');
    return '';
  } catch (thrown) {
    // Ferry must not wait for its end either.
    child.stdin?.destroy();
    child.unref();
    return `, and could not be ended (${(thrown as NodeJS.ErrnoException).code})`;
  }
}

function webhookTarget(url: URL, limitMs: number): Target {
  return {
    shown: url.origin,
    async send(body) {
      let status: number;
      try {
        const response = await fetch(withoutLogin(url), {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'ferry', ...loginOf(url) },
          body,
          // Elsewhere than it was told to, a notice is not sent.
          redirect: 'manual',
          signal: AbortSignal.timeout(limitMs),
        });
        ({ status } = response);
        await response.body?.cancel();
      } catch (thrown) {
        const { name, cause } = thrown as Error & { cause?: NodeJS.ErrnoException };
        if (name === 'TimeoutError') throw new Error(`no answer within ${formatDuration(limitMs)}`);
        // Its own words may hold the address.
        throw new Error(`it cannot be reached (${cause?.code ?? name})`);
      }
      if (status < 200 || status > 299) throw new Error(`it answered ${status}`);
    },
  };
}

// fetch refuses an address with a login in it.
function withoutLogin(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

function loginOf({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}
