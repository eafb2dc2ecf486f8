import type { Transport } from '../../src/transports/transport.ts';

/** The same transport, telling each command that goes through it: what a host is asked, and how often. */
export function counting(transport: Transport, count: (command: string) => void): Transport {
  return {
    exec(command, options) {
      count(command);
      return transport.exec(command, options);
    },
    terminal: (command) => transport.terminal(command),
    forward: (address, port, timeoutMs) => transport.forward(address, port, timeoutMs),
    hostKey: () => transport.hostKey(),
    rest: () => transport.rest(),
    close: () => transport.close(),
  };
}
