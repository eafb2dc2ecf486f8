import type { Socket } from 'node:net';
import type { BaseAgent, OpenSSHAgent, ParsedKey } from 'ssh2';
import { FerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Identity, KeyRing, ParseKey } from './key-ring.ts';

type Ssh2 = typeof import('ssh2');

/** The keys a login may use, as an agent of their own, so that a locked one is unlocked only when the server would take it. */
export interface Login {
  readonly agent: BaseAgent;
  /** What is offered, in words, in its order. */
  readonly tried: readonly string[];
  /** Why a key that the server would have taken could not be used. */
  trouble(): { readonly file: string; readonly why: string } | null;
}

interface Offer {
  readonly publicKey: ParsedKey;
  readonly from: 'agent' | Identity;
}

// As long as a connection may take: a person may have to touch a token before the agent signs.
const AGENT_LIMIT_MS = 15_000;

/**
 * Collects the keys for a login in the order ssh offers them: those of the agent that are named as identity files, the agent's
 * others unless `identitiesOnly`, then the files. `asking` is told when a person begins and ends to type. An agent that is
 * silent for `agentLimitMs` holds no keys.
 * @throws IDENTITY_UNREADABLE when no key is left
 */
export async function prepareLogin(
  settings: HostSettings,
  ring: KeyRing,
  ssh2: Ssh2,
  asking: (begins: boolean) => void = () => undefined,
  agentLimitMs = AGENT_LIMIT_MS,
): Promise<Login> {
  const parse: ParseKey = (data, passphrase) => ssh2.utils.parseKey(data, passphrase);
  const bounded = settings.agent === null ? null : boundedAgent(settings.agent, ssh2, agentLimitMs);
  const held = bounded ? await keysOf(bounded.agent) : [];
  const identities: Identity[] = [];
  const silence = bounded?.isSilent()
    ? `the agent at ${settings.agent} gave no answer within ${formatDuration(agentLimitMs)}`
    : null;
  let trouble: { file: string; why: string } | null = silence === null ? null : { file: '(agent)', why: silence };
  const unlock = async (file: string): Promise<ParsedKey | Error> => {
    asking(true);
    const key = await ring.unlock(file, parse);
    asking(false);
    if (key instanceof Error) trouble = { file, why: key.message };
    return key;
  };
  for (const file of settings.identityFiles) {
    let identity = await ring.identity(file, parse);
    if (!(identity instanceof Error) && identity.publicKey === null) {
      const key = await unlock(file);
      identity = key instanceof Error ? key : { file, publicKey: key, key, locked: false };
    }
    if (identity instanceof Error) trouble ??= { file, why: identity.message };
    else identities.push(identity);
  }
  const offers = offersOf(settings, held, identities);
  const usable = offers.filter(({ from }) => from === 'agent' || !from.locked || ring.canUnlock);
  if (usable.length === 0) {
    const locked = offers.find(({ from }) => from !== 'agent')?.from as Identity | undefined;
    const lost = locked ? await ring.unlock(locked.file, parse) : null;
    const why = lost instanceof Error ? lost.message : (trouble as { why: string } | null)?.why;
    throw new FerryError('IDENTITY_UNREADABLE', {
      host: settings.name,
      file: locked?.file ?? (trouble as { file: string } | null)?.file ?? '(none)',
      why: why ?? 'no identityFile is named, none of the usual ones exists, and no agent holds one',
    });
  }
  // Only a key that the server asks to sign with matters from here on.
  trouble = null;
  class Keys extends ssh2.BaseAgent<ParsedKey> {
    getIdentities(done: (cause: Error | undefined, keys?: ParsedKey[]) => void): void {
      done(
        undefined,
        offers.map(({ publicKey }) => publicKey),
      );
    }

    sign(...args: unknown[]): void {
      const [wanted, data, options, done] = args as [ParsedKey, Buffer, { hash?: 'sha256' | 'sha512' }, SignDone];
      const offer = offers.find(({ publicKey }) => same(publicKey, wanted));
      if (!offer) done(new Error('no such key'));
      else if (offer.from === 'agent') bounded?.agent.sign(wanted, data, options, done);
      else
        void signWith(offer.from, data, options.hash).then((signed) =>
          signed instanceof Error ? done(signed) : done(undefined, signed),
        );
    }
  }
  const signWith = async (identity: Identity, data: Buffer, hash: string | undefined): Promise<Buffer | Error> => {
    const key = identity.key ?? (await unlock(identity.file));
    return key instanceof Error ? key : key.sign(data, hash);
  };
  const offered = offers.map(({ from }) => (from === 'agent' ? 'agent' : `key ${from.file}`));
  const tried = silence === null ? offered : [`agent (${silence})`, ...offered];
  return { agent: new Keys() as BaseAgent, tried: [...new Set(tried)], trouble: () => trouble };
}

type SignDone = (cause?: Error | null, signature?: Buffer) => void;

function offersOf(settings: HostSettings, held: readonly ParsedKey[], identities: readonly Identity[]): Offer[] {
  const among = (key: ParsedKey | null, keys: readonly (ParsedKey | null)[]) =>
    key !== null && keys.some((one) => one !== null && same(one, key));
  const named = identities.map(({ publicKey }) => publicKey);
  const fromAgent = (keys: readonly ParsedKey[]): Offer[] => keys.map((publicKey) => ({ publicKey, from: 'agent' }));
  return [
    ...fromAgent(named.flatMap((key) => held.find((one) => key !== null && same(one, key)) ?? [])),
    ...fromAgent(settings.identitiesOnly ? [] : held.filter((key) => !among(key, named))),
    ...identities.flatMap((from): Offer[] =>
      from.publicKey === null || among(from.publicKey, held) || (from.key === null && !from.locked)
        ? []
        : [{ publicKey: from.publicKey, from }],
    ),
  ];
}

function same(one: ParsedKey, other: ParsedKey): boolean {
  return one.getPublicSSH().equals(other.getPublicSSH());
}

/** The agent behind a socket; a conversation in which it says nothing for `limitMs` fails. */
function boundedAgent(path: string, ssh2: Ssh2, limitMs: number): { agent: OpenSSHAgent; isSilent(): boolean } {
  let isSilent = false;
  class Bounded extends ssh2.OpenSSHAgent {
    override getStream(done: Parameters<OpenSSHAgent['getStream']>[0]): void {
      super.getStream((cause, stream) => {
        const socket = stream as Socket | undefined;
        socket?.setTimeout(limitMs, () => {
          isSilent = true;
          socket.destroy();
        });
        done(cause, stream);
      });
    }
  }
  return { agent: new Bounded(path), isSilent: () => isSilent };
}

/** An agent that cannot be reached holds no keys. */
function keysOf(agent: OpenSSHAgent): Promise<ParsedKey[]> {
  return new Promise((resolve) => agent.getIdentities((_cause, keys) => resolve((keys ?? []) as ParsedKey[])));
}
