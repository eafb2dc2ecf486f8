import { FerryError } from '../errors/ferry-error.ts';
import { PRELUDE } from './become.ts';
import type { Terminal } from './transport.ts';

/**
 * A terminal on the machine Ferry itself runs on, made by `script` of util-linux, since Node has none. When Ferry dies, its
 * program reads the end of its input; whatever comes of that, who goes on with the run ends it first.
 */
export async function localTerminal(host: string, command: string): Promise<Terminal> {
  const { execa } = await import('execa');
  const words = ['script', '--quiet', '--flush', '--return', '--command', PRELUDE + command, '/dev/null'];
  const [file = 'script', ...args] = process.getuid?.() === 0 ? words : ['sudo', '-n', '--', ...words];
  const running = execa(file, args, {
    reject: false,
    buffer: false,
    // As for any command here: Ctrl-C in Ferry's own terminal is for Ferry.
    detached: true,
    env: { SHELL: '/bin/sh', TERM: 'dumb' },
    stderr: 'ignore',
  });
  running.stdin.on('error', () => undefined);
  const ended = running.then(({ code }) => {
    if (code === 'ENOENT') throw new FerryError('TERMINAL_UNSUPPORTED', { host, why: `it has no command ${file}` });
  });
  ended.catch(() => undefined);
  return {
    onOutput: (listener) => void running.stdout.on('data', listener),
    type: (text) => void (running.stdin.writable && running.stdin.write(text)),
    ended,
    hangUp: () => void running.kill('SIGHUP'),
  };
}
