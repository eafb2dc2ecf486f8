import { isFerryError } from '../errors/ferry-error.ts';
import { probeOf, value } from './fact.ts';

/** `silent` is no answer at all, as where a firewall drops packets; `forbidden` is by the ssh server the question goes through. */
export interface TcpReach {
  readonly state: 'open' | 'refused' | 'silent' | 'forbidden';
  readonly why: string;
}

const LIMIT_MS = 5000;

/** What a host gets when it connects to a port: asked through its connection, so that every firewall in between has its say. */
export function tcpReach(address: string, port: number) {
  return probeOf<TcpReach>(
    `tcpReach(${address}, ${port})`,
    async (host) => {
      try {
        (await host.connect(address, port, LIMIT_MS)).destroy();
        return value({ state: 'open', why: '' });
      } catch (thrown) {
        if (!isFerryError(thrown, 'CONNECT_REFUSED')) throw thrown;
        return value({ state: thrown.args.how as TcpReach['state'], why: thrown.args.why });
      }
    },
    (published) => (published as unknown as TcpReach).state,
  );
}
