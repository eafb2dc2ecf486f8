import type { ClientChannel } from 'ssh2';
import { type CommandResult, ConnectionLost, OUTPUT_LIMIT_BYTES, OutputTooLong } from './transport.ts';

/**
 * Waits for a command on a channel of its own and returns what it left; one that prints too much is ended.
 * @throws ConnectionLost when it ends without an exit code, OutputTooLong
 */
export function collect(channel: ClientChannel): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let isTooLong = false;
    let code: number | undefined;
    const keep = (into: Buffer[]) => {
      let size = 0;
      return (chunk: Buffer) => {
        size += chunk.length;
        if (size <= OUTPUT_LIMIT_BYTES) return void into.push(chunk);
        // Not held for a lost connection, which would have the command tried again.
        isTooLong = true;
        channel.close();
      };
    };
    channel.on('data', keep(out));
    channel.stderr.on('data', keep(err));
    channel.on('error', () => undefined);
    channel.on('exit', (exit: number | null) => {
      // A command ended by a signal reports no number; 128 + 9 is what a shell would say.
      code = exit ?? 137;
    });
    channel.once('close', () => {
      if (isTooLong) reject(new OutputTooLong());
      else if (code === undefined) reject(new ConnectionLost('the connection was lost while a command ran'));
      else resolve({ code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') });
    });
  });
}
