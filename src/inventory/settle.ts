import { hostname } from 'node:os';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { accountName } from '../lib/account.ts';
import { askSsh, refuseDirective, type SshAnswer, type SshAsked } from './ask-ssh.ts';
import type { HostSettings, Inventory, InventorySurroundings, SourceText, WrittenHost } from './inventory.ts';
import { type Hop, hopsOf, jumpOf } from './jumps.ts';
import { readOptional } from './paths.ts';

const DEFAULT_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

/**
 * Completes the named hosts of an inventory from the ssh configuration, the keys in ~/.ssh and the environment, with every
 * machine their connections go through. What the inventory says wins. All errors of these hosts are told at once; those of
 * others are not looked for.
 */
export async function settleHosts(
  inventory: Inventory,
  names: Iterable<string>,
  surroundings: InventorySurroundings,
): Promise<
  | { readonly hosts: ReadonlyMap<string, HostSettings> }
  | { readonly diagnostics: readonly Diagnostic[]; readonly sources: readonly SourceText[] }
> {
  const diagnostics: Diagnostic[] = [];
  const sources = [...inventory.sources];
  const settler = new Settler(inventory, {
    surroundings,
    sshConfig: inventory.sshConfig,
    report(found, more = []) {
      const same = (one: Diagnostic) => JSON.stringify(one) === JSON.stringify(found);
      if (!diagnostics.some(same)) diagnostics.push(found);
      for (const source of more) if (!sources.some(({ path }) => path === source.path)) sources.push(source);
    },
  });
  const settled = await Promise.all([...new Set(names)].map(async (name) => [name, await settler.host(name, [])] as const));
  if (diagnostics.length > 0) return { diagnostics, sources };
  return { hosts: new Map(settled.flatMap(([name, host]) => (host ? [[name, host] as const] : []))) };
}

/** A machine whose way is being worked out. */
interface Station {
  readonly name: string;
  readonly target: string;
}

class Settler {
  readonly #answers = new Map<string, Promise<SshAnswer | null>>();
  readonly #inventory: Inventory;
  readonly #asked: SshAsked;

  constructor(inventory: Inventory, asked: SshAsked) {
    this.#inventory = inventory;
    this.#asked = asked;
  }

  /** Undefined when something was reported. `way` names the hosts that are reached through this one. */
  async host(name: string, way: readonly Station[]): Promise<HostSettings | undefined> {
    const written = this.#inventory.hosts.get(name);
    if (!written) return undefined;
    for (const refusal of written.refusals) this.#asked.report(refusal);
    if (written.refusals.length > 0) return undefined;
    if (written.connection === 'local') return local(name, written);
    const complete = written.hostName !== undefined && written.user !== undefined && written.identityFiles !== undefined;
    // A host that says everything itself does not depend on what else stands in a person's configuration.
    if (complete && this.#inventory.sshConfig === null && !written.sshWords) {
      const via = await this.#via(hopsOf(written.jump ?? null), { name, written, way });
      return via === null ? undefined : this.#complete(name, written, null, via);
    }
    const words = [
      ...(written.sshWords ?? []),
      ...(written.user === undefined ? [] : ['-l', written.user]),
      ...(written.port === undefined ? [] : ['-p', String(written.port)]),
    ];
    return this.#ask(name, { target: written.target, words }, written, way);
  }

  async #ask(
    name: string,
    { target, words }: { target: string; words: readonly string[] },
    written: WrittenHost,
    way: readonly Station[],
    rest?: readonly Hop[],
  ): Promise<HostSettings | undefined> {
    const question = { target, words, host: name, way: way[0]?.name ?? name, place: written.place };
    // A jump host is asked about once, however many go through it.
    const key = JSON.stringify([target, words]);
    const asked = this.#answers.get(key) ?? askSsh(question, this.#asked);
    this.#answers.set(key, asked);
    const answer = await asked;
    if (!answer) return undefined;
    const command = written.jump === undefined && !rest?.length ? answer.proxyCommand : null;
    const hop = command === null ? null : jumpOf(command);
    if (command !== null && hop === null) {
      await refuseDirective('ProxyCommand', question, this.#asked);
      return undefined;
    }
    const hops = rest?.length ? rest : hop ? [hop] : hopsOf(written.jump ?? answer.proxyJump);
    const via = await this.#via(hops, { name, written, way });
    return via === null ? undefined : this.#complete(name, written, answer, via);
  }

  /**
   * The last machine before the host; undefined for none, null when something was reported. As with ssh, the hops before the
   * last stand in for what the configuration says of the way to it.
   */
  async #via(
    hops: readonly Hop[],
    { name, written, way }: { name: string; written: WrittenHost; way: readonly Station[] },
  ): Promise<HostSettings | undefined | null> {
    const hop = hops.at(-1);
    if (!hop) return undefined;
    // What the inventory calls a jump may be one of its own hosts; what the ssh configuration names is not.
    const isOwn = written.jump !== undefined && hop.words.length === 0 && hops.length === 1;
    const own = isOwn ? this.#inventory.hosts.get(hop.target) : undefined;
    const through = [...way, { name, target: written.target }];
    if (through.some(({ target }) => target === (own?.target ?? hop.name))) {
      const stations = [...through.slice(1).map((station) => station.name), hop.name];
      const args = { host: through[0]?.name ?? name, way: stations.join(', ') };
      this.#asked.report(finding('SSH_JUMP_CIRCLE', args, written.place));
      return null;
    }
    // This machine stands before every other anyway.
    if (own?.connection === 'local') return undefined;
    if (own) return (await this.host(hop.target, through)) ?? null;
    const unwritten: WrittenHost = { connection: 'ssh', target: hop.name, place: written.place, refusals: [] };
    return (await this.#ask(hop.name, hop, unwritten, through, hops.slice(0, -1))) ?? null;
  }

  async #complete(
    name: string,
    written: WrittenHost,
    answer: SshAnswer | null,
    via: HostSettings | undefined,
  ): Promise<HostSettings> {
    const { home, env } = this.#asked.surroundings;
    const hostName = written.hostName ?? answer?.hostName ?? written.target;
    return {
      name,
      hostName,
      port: written.port ?? answer?.port ?? 22,
      user: written.user ?? answer?.user ?? accountName(),
      address: written.address ?? hostName,
      identityFiles: written.identityFiles ?? (await this.#present(answer?.identityFiles ?? [])),
      agent: answer ? answer.agent : env.SSH_AUTH_SOCK || null,
      knownHostsFiles: this.#inventory.knownHosts
        ? [...this.#inventory.knownHosts, '/etc/ssh/ssh_known_hosts']
        : (answer?.knownHostsFiles ?? [`${home}/.ssh/known_hosts`, '/etc/ssh/ssh_known_hosts']),
      connection: 'ssh',
      ...(answer?.identitiesOnly ? { identitiesOnly: true } : {}),
      ...(answer?.hostKeyAlias ? { hostKeyAlias: answer.hostKeyAlias } : {}),
      ...(via ? { via } : {}),
    };
  }

  /** ssh names all default keys, there or not, in an order of its own. */
  async #present(files: readonly string[]): Promise<string[]> {
    const { home } = this.#asked.surroundings;
    const usual = (file: string) => file.startsWith(`${home}/.ssh/id_`);
    const there = await Promise.all(
      files.map(async (file) => !usual(file) || (await readOptional(this.#asked.surroundings, file)) !== undefined),
    );
    const rank = (file: string) => (usual(file) ? DEFAULT_IDENTITIES.indexOf(file.slice(`${home}/.ssh/`.length)) : -1);
    const kept = files.filter((_file, index) => there[index]);
    return kept.every(usual) ? kept.sort((a, b) => rank(a) - rank(b)) : kept;
  }
}

function local(name: string, written: WrittenHost): HostSettings {
  return {
    name,
    hostName: 'localhost',
    port: 22,
    user: accountName(),
    address: written.address ?? written.hostName ?? hostname(),
    identityFiles: [],
    agent: null,
    knownHostsFiles: [],
    connection: 'local',
  };
}
