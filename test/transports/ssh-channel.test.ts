import { EventEmitter } from 'node:events';
import type { ClientChannel } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { collect } from '../../src/transports/ssh-channel.ts';
import { SshShell } from '../../src/transports/ssh-shell.ts';

/** A small working model of a channel: what is written to it is answered by `answer`, and closing it ends it. */
class Channel extends EventEmitter {
  readonly stderr = new EventEmitter();
  closed = false;
  write(_text: string): void {}
  close(): void {
    if (this.closed) return;
    this.closed = true;
    queueMicrotask(() => this.emit('close'));
  }
  /** Says a megabyte without a line end until it is closed, at most 64 of them. */
  babble(stream: EventEmitter): number {
    let said = 0;
    for (; said < 64 && !this.closed; said += 1) stream.emit('data', Buffer.alloc(1 << 20, 'x'));
    return said;
  }
}
const open = () => {
  const channel = new Channel();
  return { channel, as: channel as unknown as ClientChannel };
};

describe('a host that prints without end', () => {
  it.each(['stdout', 'stderr'] as const)('on %s is ended after 8 MiB and told as that', async (which) => {
    const { channel, as } = open();
    const result = collect(as);
    expect(channel.babble(which === 'stdout' ? channel : channel.stderr)).toBe(9);
    await expect(result).rejects.toMatchObject({ name: 'OutputTooLong' });
  });

  it.each(['stdout', 'stderr'] as const)('in the shell that stays open, on %s, too', async (which) => {
    const { channel, as } = open();
    const result = new SshShell(as).run('true');
    expect(channel.babble(which === 'stdout' ? channel : channel.stderr)).toBe(9);
    await expect(result).rejects.toMatchObject({ name: 'OutputTooLong' });
  });

  it('does not count what is just as long as it may be', async () => {
    const { channel, as } = open();
    const result = collect(as);
    for (const stream of [channel, channel.stderr]) stream.emit('data', Buffer.alloc(8 << 20, 'x'));
    channel.emit('exit', 0);
    channel.close();
    expect((await result).stdout.length).toBe(8 << 20);
  });
});
