import { sh } from '../hosts/sh.ts';
import { defineFact, value } from './fact.ts';

export interface TcpListen {
  /** Something listens on the port, at an address that others can reach. */
  readonly outside: boolean;
  /** Something listens on the port at a loopback address. */
  readonly inside: boolean;
}

const LOOPBACK = new Set(['0100007F', '00000000000000000000000001000000', '0000000000000000FFFF00000100007F']);

/** Whether a host listens on a TCP port, and for whom: by the kernel's own table, so nothing need be installed. */
export const tcpListen = defineFact<[port: number], TcpListen>({
  kind: 'tcpListen',
  class: 'measure',
  script: (port) => {
    const pattern = `[0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F]+:0000 0A `;
    return sh`grep -hoE ${pattern} /proc/net/tcp /proc/net/tcp6 2>/dev/null; exit 0`;
  },
  parse(answer) {
    const addresses = answer.stdout.split('\n').flatMap((line) => /^([0-9A-F]+):/.exec(line)?.[1] ?? []);
    return value({
      outside: addresses.some((address) => !LOOPBACK.has(address) && !isLoopback(address)),
      inside: addresses.some((address) => LOOPBACK.has(address) || isLoopback(address)),
    });
  },
  show: (published) => {
    const seen = published as unknown as TcpListen;
    return seen.outside ? 'listens' : seen.inside ? 'listens for its own machine' : 'does not listen';
  },
});

/** 127.0.0.0/8, as the kernel writes it: the last byte first. */
function isLoopback(address: string): boolean {
  return address.length === 8 && address.endsWith('7F');
}
