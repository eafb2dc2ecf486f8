import type { ClientChannel, PseudoTtyOptions } from 'ssh2';
import { ConnectionLost, type Terminal } from './transport.ts';

/** Wide, so that no program breaks a line in the midst of a question; and one that can do no more than print. */
export const PTY: PseudoTtyOptions = { rows: 50, cols: 1000, term: 'dumb', modes: { ECHO: 0 } };

/** The terminal behind a channel that was opened with `PTY`. sshd hangs it up when the connection ends, once it knows. */
export function sshTerminal(channel: ClientChannel): Terminal {
  let hasEnded = false;
  channel.on('error', () => undefined);
  channel.on('exit', () => {
    hasEnded = true;
  });
  const ended = new Promise<void>((resolve, reject) => {
    channel.once('close', () =>
      hasEnded ? resolve() : reject(new ConnectionLost('the connection was lost while a program was at its terminal')),
    );
  });
  ended.catch(() => undefined);
  return {
    onOutput: (listener) => {
      channel.on('data', listener);
      channel.stderr.on('data', listener);
    },
    type: (text) => void (channel.writable && channel.write(text)),
    ended,
    hangUp: () => channel.close(),
  };
}
