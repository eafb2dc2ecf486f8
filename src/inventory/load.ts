import { hostname, userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import schema from '../../schemas/inventory.schema.json' with { type: 'json' };
import { checkSchema, schemaCompiler } from '../documents/check-schema.ts';
import type { SourceDocument } from '../documents/document.ts';
import { parseDocument } from '../documents/parse-document.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { nearest } from '../lib/text.ts';
import type { HostSettings, Inventory } from './inventory.ts';
import { lookUpSshHost, type SshSettings } from './ssh-config.ts';

export interface InventorySurroundings {
  readFile(path: string): Promise<string | Uint8Array>;
  /** The home folder whose .ssh is used. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface WrittenHost {
  readonly address?: string;
  readonly name?: string;
  readonly user?: string;
  readonly port?: number;
  readonly identityFile?: string | string[];
  readonly connection?: 'ssh' | 'local';
}
interface WrittenInventory {
  readonly knownHosts?: string | string[];
  readonly hosts: Record<string, WrittenHost | null>;
  readonly roles?: Record<string, string>;
}
type Source = { readonly path: string; readonly text: string };

const DEFAULT_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/**
 * Reads an inventory and completes each host from ~/.ssh/config, the keys in ~/.ssh and the environment. What the inventory
 * says wins. All errors are told at once.
 * @throws what `readFile` throws for the inventory itself
 */
export async function loadInventory(
  path: string,
  surroundings: InventorySurroundings,
): Promise<
  { readonly inventory: Inventory } | { readonly diagnostics: readonly Diagnostic[]; readonly sources: readonly Source[] }
> {
  const parsed = parseDocument(path, await surroundings.readFile(path));
  if ('diagnostics' in parsed) return { diagnostics: parsed.diagnostics, sources: [] };
  const { document } = parsed;
  const diagnostics = checkSchema(document, document.value, schemaCompiler().compile(schema));
  const sources: Source[] = [{ path, text: document.text }];
  if (diagnostics.length > 0) return { diagnostics, sources };
  const written = document.value as unknown as WrittenInventory;
  const config = await readOptional(surroundings, `${surroundings.home}/.ssh/config`);
  if (config) sources.push(config);
  const base = {
    surroundings,
    config,
    folder: dirname(resolve(path)),
    keys: await defaultKeys(surroundings),
    report: (found: Diagnostic) => diagnostics.push(found),
  };
  const known =
    written.knownHosts === undefined
      ? undefined
      : [written.knownHosts].flat().map((file) => resolvePath(file, base.folder, surroundings.home));
  const hosts = new Map(Object.entries(written.hosts).map(([name, host]) => [name, settle(name, host ?? {}, known, base)]));
  checkRoles(document, written, diagnostics);
  if (diagnostics.length > 0) return { diagnostics, sources };
  return { inventory: { file: path, hosts, roles: new Map(Object.entries(written.roles ?? {})) } };
}

interface Base {
  readonly surroundings: InventorySurroundings;
  readonly config: Source | undefined;
  readonly folder: string;
  readonly keys: readonly string[];
  report(found: Diagnostic): void;
}

function settle(name: string, host: WrittenHost, known: readonly string[] | undefined, base: Base): HostSettings {
  const { home, env } = base.surroundings;
  const me = env.USER ?? env.LOGNAME ?? userInfo().username;
  const agent = env.SSH_AUTH_SOCK || null;
  if (host.connection === 'local') {
    const address = host.name ?? host.address ?? hostname();
    return {
      name,
      hostName: 'localhost',
      port: 22,
      user: me,
      address,
      identityFiles: [],
      agent: null,
      knownHostsFiles: [],
      connection: 'local',
    };
  }
  // A host that says everything itself does not depend on what else stands in a person's configuration.
  const complete = host.address !== undefined && host.user !== undefined && host.identityFile !== undefined;
  const ssh: SshSettings =
    complete || !base.config
      ? { identityFiles: [] }
      : lookUpSshHost(base.config.path, base.config.text, host.address ?? name, base.report);
  const asked = host.address ?? name;
  const user = host.user ?? ssh.user ?? me;
  const port = host.port ?? ssh.port ?? 22;
  const hostName = host.address ?? expand(ssh.hostName ?? name, { h: name });
  const tokens = { h: hostName, n: asked, r: user, p: String(port), u: me, d: home };
  const place = (file: string) => resolvePath(expand(file, tokens), home, home);
  const own =
    host.identityFile === undefined ? undefined : [host.identityFile].flat().map((file) => resolvePath(file, base.folder, home));
  return {
    name,
    hostName,
    port,
    user,
    address: host.name ?? hostName,
    identityFiles: own ?? (ssh.identityFiles.length > 0 ? ssh.identityFiles.map(place) : base.keys),
    agent: agentOf(ssh.identityAgent, agent, env, place),
    knownHostsFiles: known ?? [...(ssh.knownHostsFiles?.map(place) ?? [`${home}/.ssh/known_hosts`]), '/etc/ssh/ssh_known_hosts'],
    connection: 'ssh',
  };
}

function agentOf(
  written: string | undefined,
  byDefault: string | null,
  env: InventorySurroundings['env'],
  place: (file: string) => string,
): string | null {
  if (written === undefined || written === 'SSH_AUTH_SOCK') return byDefault;
  if (written.toLowerCase() === 'none') return null;
  return written.startsWith('$') ? (env[written.slice(1).replaceAll(/[{}]/g, '')] ?? null) : place(written);
}

/** Replaces ssh's tokens: %h, %r, %% and the like; an unknown one stays as it is. */
function expand(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replaceAll(/%(.)/g, (whole, letter: string) => (letter === '%' ? '%' : (tokens[letter] ?? whole)));
}

function resolvePath(file: string, folder: string, home: string): string {
  return file === '~' || file.startsWith('~/') ? resolve(home, file.slice(2)) : resolve(folder, file);
}

async function defaultKeys(surroundings: InventorySurroundings): Promise<string[]> {
  const found = await Promise.all(
    DEFAULT_IDENTITIES.map((name) => readOptional(surroundings, `${surroundings.home}/.ssh/${name}`)),
  );
  return found.flatMap((source) => (source ? [source.path] : []));
}

async function readOptional(surroundings: InventorySurroundings, path: string): Promise<Source | undefined> {
  try {
    const content = await surroundings.readFile(path);
    return { path, text: typeof content === 'string' ? content : new TextDecoder().decode(content) };
  } catch {
    return undefined;
  }
}

function checkRoles(document: SourceDocument, written: WrittenInventory, diagnostics: Diagnostic[]): void {
  const known = Object.keys(written.hosts);
  for (const [role, host] of Object.entries(written.roles ?? {})) {
    if (known.includes(host)) continue;
    diagnostics.push(
      finding(
        'HOST_UNKNOWN',
        { host, nearest: nearest(host, known) ?? '', known: known.join(', ') },
        document.place(['roles', role]),
      ),
    );
  }
}
