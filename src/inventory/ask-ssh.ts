import { execFile } from 'node:child_process';
import { hostname } from 'node:os';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding, type Place } from '../errors/finding.ts';
import type { InventorySurroundings, SourceText } from './inventory.ts';
import { readOptional, resolvePath } from './paths.ts';
import { findDirective } from './ssh-trace.ts';

/** What ssh would do for one destination, by its own account. Paths are absolute, tokens replaced. */
export interface SshAnswer {
  readonly hostName: string;
  readonly user: string;
  readonly port: number;
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket, or null. */
  readonly agent: string | null;
  readonly knownHostsFiles: readonly string[];
  readonly hostKeyAlias: string | null;
  readonly proxyJump: string | null;
  readonly proxyCommand: string | null;
}

export interface SshQuestion {
  /** Host, user@host or ssh:// address. */
  readonly target: string;
  /** Options before it. */
  readonly words: readonly string[];
  /** Who asks, for findings. */
  readonly host: string;
  /** The host at the end of the way this one is on. */
  readonly way: string;
  readonly place: Place;
}

export interface SshAsked {
  readonly surroundings: InventorySurroundings;
  /** The file given by `-F`; null for ssh's own. */
  readonly sshConfig: string | null;
  report(found: Diagnostic, sources?: readonly SourceText[]): void;
}

const LIMIT_MS = 30_000;
/** What would change who answers or who is believed, and Ferry does not do. `none` and `no` switch them off. */
const REFUSED = ['CertificateFile', 'KnownHostsCommand', 'RevokedHostKeys', 'PKCS11Provider', 'BindInterface'];

/**
 * Asks `ssh -G` what it would do for a destination: only ssh itself follows Include, Match, tokens and what the system's
 * configuration says as ssh does. Null when there is no answer, or one that Ferry cannot follow; why was reported.
 */
export async function askSsh(question: SshQuestion, asked: SshAsked): Promise<SshAnswer | null> {
  const run = await runSsh(['-G', ...wordsOf(question, asked)], asked.surroundings.env);
  if (run.code !== 0) {
    await reportTrouble(run, question, asked);
    return null;
  }
  const answer = new Map<string, string[]>();
  for (const line of run.stdout.split('\n')) {
    const [, key = '', value = ''] = /^(\S+) (.*)$/.exec(line.trimEnd()) ?? [];
    if (key !== '') answer.set(key.toLowerCase(), [...(answer.get(key.toLowerCase()) ?? []), value]);
  }
  for (const directive of REFUSED) {
    if (!isSet(answer.get(directive.toLowerCase())?.[0])) continue;
    await refuseDirective(directive, question, asked);
    return null;
  }
  return settle(answer, question, asked);
}

/** Reports a directive of the ssh configuration that Ferry cannot follow, at its line where ssh's trace shows it. */
export async function refuseDirective(directive: string, question: SshQuestion, asked: SshAsked): Promise<void> {
  const { stderr } = await runSsh(['-vvv', '-G', ...wordsOf(question, asked)], asked.surroundings.env);
  const found = await findDirective(stderr, directive, (path) => readOptional(asked.surroundings, path));
  const args = { directive, host: question.host };
  asked.report(finding('SSH_CONFIG_UNSUPPORTED', args, found?.place ?? question.place), found ? [found.source] : []);
}

function wordsOf({ target, words }: SshQuestion, { sshConfig }: SshAsked): string[] {
  return [...(sshConfig === null ? [] : ['-F', sshConfig]), ...words, '--', target];
}

function settle(answer: ReadonlyMap<string, string[]>, question: SshQuestion, { surroundings }: SshAsked): SshAnswer {
  const { home, env } = surroundings;
  const one = (key: string) => answer.get(key)?.[0];
  const value = (key: string) => (isSet(one(key)) ? (one(key) as string) : null);
  const hostName = one('hostname') ?? question.target;
  const user = one('user') ?? '';
  const port = Number(one('port') ?? 22);
  const alias = value('hostkeyalias');
  const tokens: Record<string, string> = {
    h: hostName,
    n: one('host') ?? question.target,
    r: user,
    p: String(port),
    u: env.USER ?? env.LOGNAME ?? '',
    d: home,
    k: alias ?? hostName,
    l: hostname(),
    L: hostname().split('.')[0] ?? '',
    i: String(process.getuid?.() ?? ''),
  };
  const place = (file: string) => {
    const whole = expandVariables(file, env);
    return whole === null ? [] : [resolvePath(expandTokens(whole, tokens), home, home)];
  };
  const files = (key: string) => (value(key) ?? '').split(' ').filter(isSet).flatMap(place);
  const socket = one('identityagent') ?? 'SSH_AUTH_SOCK';
  return {
    hostName,
    user,
    port,
    identityFiles: (answer.get('identityfile') ?? []).filter(isSet).flatMap(place),
    identitiesOnly: one('identitiesonly') === 'yes',
    agent:
      socket === 'SSH_AUTH_SOCK' || socket.startsWith('$')
        ? env[socket.replaceAll(/[${}]/g, '')] || null
        : isSet(socket)
          ? (place(socket)[0] ?? null)
          : null,
    knownHostsFiles: [...files('userknownhostsfile'), ...files('globalknownhostsfile')],
    hostKeyAlias: alias,
    proxyJump: value('proxyjump'),
    proxyCommand: value('proxycommand'),
  };
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '' && !['none', 'no'].includes(value.toLowerCase());
}

/** Replaces ssh's tokens: %h, %r, %% and the like; an unknown one stays as it is. */
function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replaceAll(/%(.)/g, (whole, letter: string) => (letter === '%' ? '%' : (tokens[letter] ?? whole)));
}

/** Replaces ${NAME}; null when a variable is not set, for which ssh leaves the setting out. */
function expandVariables(text: string, env: InventorySurroundings['env']): string | null {
  const missing = [...text.matchAll(/\$\{(\w+)\}/g)].some(([, name]) => env[name ?? ''] === undefined);
  return missing ? null : text.replaceAll(/\$\{(\w+)\}/g, (_whole, name: string) => env[name] ?? '');
}

interface SshRun {
  /** Null when ssh did not start or did not end. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
}

function runSsh(words: readonly string[], env: InventorySurroundings['env']): Promise<SshRun> {
  return new Promise((resolve) => {
    const options = { env: { ...env, LC_ALL: 'C' }, timeout: LIMIT_MS, maxBuffer: 8 << 20 };
    const child = execFile('ssh', [...words], options, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : null) : 0;
      resolve({ code, stdout, stderr, missing: (error as NodeJS.ErrnoException | null)?.code === 'ENOENT' });
    });
    child.stdin?.end();
  });
}

async function reportTrouble(run: SshRun, question: SshQuestion, asked: SshAsked): Promise<void> {
  if (run.missing) {
    asked.report(finding('SSH_PROGRAM_MISSING', { host: question.host }, question.place));
    return;
  }
  let told = false;
  for (const line of run.stderr.split(/\r?\n/)) {
    const [, file, number, why] = /^(.+?):? line (\d+): (.+?)\.?$/.exec(line) ?? [];
    if (!file || !why) continue;
    const source = await readOptional(asked.surroundings, file);
    const text = source?.text.split('\n')[Number(number) - 1] ?? '';
    const at = { file, line: Number(number), column: Math.max(1, text.search(/\S/) + 1) };
    asked.report(finding('SSH_CONFIG_INVALID', { why }, { at, length: text.trim().length || 1 }), source ? [source] : []);
    told = true;
  }
  if (told) return;
  const [, gate] = /^jumphost loop via (\S+?)\r?$/m.exec(run.stderr) ?? [];
  if (gate) {
    asked.report(finding('SSH_JUMP_CIRCLE', { host: question.way, way: `${gate}, ${gate}` }, question.place));
    return;
  }
  const last = run.stderr.trim().split('\n').at(-1)?.replace(/\.$/, '') ?? '';
  const why = run.code === null ? `ssh gave no answer within ${LIMIT_MS / 1000} s` : last || `ssh -G ended with ${run.code}`;
  asked.report(finding('SSH_CONFIG_INVALID', { why }, question.place));
}
