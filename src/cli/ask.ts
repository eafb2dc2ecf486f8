import { createInterface } from 'node:readline/promises';
import { printable } from '../lib/text.ts';

interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Asks on stderr and gives the line that was typed, trimmed; null when the question was taken back, or nobody can type any more. */
export async function askLine(
  terminal: Terminal,
  question: string,
  more: { signal?: AbortSignal; onInterrupt?(): void } = {},
): Promise<string | null> {
  if (!canType(terminal.stdin)) return null;
  const line = createInterface({ input: terminal.stdin, output: terminal.stderr });
  const ended = new AbortController();
  // Ctrl-C at a question belongs to whoever asked; without an answer to it, it takes the question back.
  line.on('SIGINT', () => (more.onInterrupt ? more.onInterrupt() : ended.abort()));
  for (const over of ['close', 'error']) line.on(over, () => ended.abort());
  const signals = [ended.signal, ...(more.signal ? [more.signal] : [])];
  try {
    return (await line.question(printable(question), { signal: AbortSignal.any(signals) })).trim();
  } catch (thrown) {
    if (!AbortSignal.any(signals).aborted) throw thrown;
    terminal.stderr.write('\n');
    return null;
  } finally {
    line.close();
  }
}

/** Whether what is typed comes here: not from input that has ended, nor a terminal whose shell has gone on without this process. */
export function canType(stdin: NodeJS.ReadStream): boolean {
  let isOurs = !stdin.destroyed && !stdin.readableEnded;
  const lost = () => {
    isOurs = false;
  };
  // readline tries the same before anybody can hear its error.
  stdin.on('error', lost);
  for (const isRaw of [true, false]) stdin.setRawMode?.(isRaw);
  stdin.off('error', lost);
  return isOurs;
}

/** Asks a question that only a clear yes answers with true. */
export async function askYes(terminal: Terminal, question: string, more: { signal?: AbortSignal } = {}): Promise<boolean> {
  const answer = await askLine(terminal, `${question} [y/N] `, more);
  return answer !== null && /^y(es)?$/i.test(answer);
}
