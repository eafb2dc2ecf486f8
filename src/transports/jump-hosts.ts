import type { Duplex } from 'node:stream';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Connection } from './ssh-connect.ts';

type Connect = (hop: HostSettings) => Promise<Connection>;

/** The connections to machines others are reached through: one each, shared, and closed when nothing goes through it. */
export class JumpHosts {
  readonly #open = new Map<string, { readonly connection: Promise<Connection>; users: number }>();

  /**
   * A TCP connection to `target`, made by the machine it is reached through.
   * @throws what `connect` throws, naming the jump host and whose it is; HOST_UNREACHABLE when it cannot reach the target
   */
  async through(hop: HostSettings, target: HostSettings, timeoutMs: number, connect: Connect): Promise<Duplex> {
    const key = JSON.stringify(hop);
    const shared = this.#open.get(key) ?? this.#connect(key, connect(hop));
    shared.users += 1;
    const leave = () => {
      shared.users -= 1;
      if (shared.users === 0) this.#forget(key, shared);
    };
    try {
      const { client } = await shared.connection.catch((thrown) => {
        throw named(thrown, hop, target);
      });
      const stream = await forward(client, hop, target, timeoutMs);
      stream.once('close', leave);
      return stream;
    } catch (thrown) {
      leave();
      throw thrown;
    }
  }

  #connect(key: string, connection: Promise<Connection>): { readonly connection: Promise<Connection>; users: number } {
    const shared = { connection, users: 0 };
    this.#open.set(key, shared);
    connection.then(
      ({ client }) => {
        // Each machine behind it listens for its end.
        client.setMaxListeners(0);
        client.once('close', () => this.#forget(key, shared));
      },
      () => undefined,
    );
    return shared;
  }

  #forget(key: string, shared: { readonly connection: Promise<Connection> }): void {
    if (this.#open.get(key) === shared) this.#open.delete(key);
    shared.connection.then(
      ({ client }) => client.end(),
      () => undefined,
    );
  }
}

function forward(client: Connection['client'], hop: HostSettings, target: HostSettings, timeoutMs: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string, cause?: unknown) =>
      reject(
        new FerryError(
          'HOST_UNREACHABLE',
          { ...addressOf(target), why: `its jump host ${hop.name} does not get through: ${why}` },
          { cause },
        ),
      );
    const timer = setTimeout(() => refuse(`no answer within ${formatDuration(timeoutMs)}`), timeoutMs);
    const lost = () => refuse('its own connection was closed');
    client.once('close', lost);
    const ended = () => {
      clearTimeout(timer);
      client.off('close', lost);
    };
    try {
      client.forwardOut('127.0.0.1', 0, target.hostName, target.port, (cause, channel) => {
        ended();
        if (cause) refuse(cause.message.replace(/^\(SSH\) Channel open failure: ?/, '') || 'no connection', cause);
        else resolve(channel);
      });
    } catch (thrown) {
      ended();
      refuse('its own connection was closed', thrown);
    }
  });
}

/** What an error about reaching a host says of where it is. */
export function addressOf(settings: HostSettings): { host: string; address: string; port: number; via?: string } {
  const way: string[] = [];
  for (let hop = settings.via; hop; hop = hop.via) way.unshift(`${hop.user}@${hop.hostName}:${hop.port}`);
  return {
    host: settings.name,
    address: settings.hostName,
    port: settings.port,
    ...(way.length > 0 ? { via: way.join(',') } : {}),
  };
}

/** The same error, saying which jump host it is about and whose. */
function named(thrown: unknown, hop: HostSettings, target: HostSettings): unknown {
  if (!isFerryError(thrown)) return thrown;
  const args = thrown.args as { host?: string };
  if (args.host !== hop.name) return thrown;
  return new FerryError(thrown.code, { ...args, host: `${hop.name}, the jump host of ${target.name},` } as never, {
    cause: thrown,
  });
}
