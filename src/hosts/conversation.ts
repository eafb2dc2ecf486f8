import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../lib/clock.ts';
import { printable } from '../lib/text.ts';
import type { Terminal } from '../transports/transport.ts';
import type { Progress, Reply } from './host.ts';
import { reveal, Secret } from './secret.ts';

const TICK_MS = 50;
// What comes in pieces comes faster than this; a question is looked at when it stands there whole.
const SETTLE_MS = 250;
const HELD_CHARACTERS = 65_536;

/**
 * Answers what a program at a terminal asks, until it ends: whenever it pauses, `reply` sees what it has printed since the last
 * answer. Whole lines are reported as its log, each answer in the place where a screen would show it, secrets as `[secret]`.
 * @throws what `reply` throws; ConnectionLost; the reason of `signal`. The program still runs then
 */
export async function converse(
  terminal: Terminal,
  { of, reply, report }: { of: string; reply: Reply; report: (progress: Progress) => void },
  signal: AbortSignal,
): Promise<void> {
  const decoder = new TextDecoder();
  const begunMs = nowMs();
  let heardMs = begunMs;
  let said = '';
  let line = '';
  let after: 'nothing' | 'last' = 'nothing';
  const log = (text: string) => {
    line += text;
    const end = line.lastIndexOf('\n') + 1;
    if (end === 0) return;
    report({ log: { of, text: printable(line.slice(0, end)), after } });
    [line, after] = [line.slice(end), 'last'];
  };
  terminal.onOutput((chunk) => {
    const text = decoder.decode(chunk, { stream: true }).replaceAll('\r\n', '\n');
    heardMs = nowMs();
    said = (said + text).slice(-HELD_CHARACTERS);
    log(text);
  });
  const end: { isThere?: true; cut?: unknown } = {};
  terminal.ended
    .catch((cut: unknown) => {
      end.cut = cut;
    })
    .finally(() => {
      end.isThere = true;
    });
  while (!end.isThere) {
    await delay(TICK_MS);
    if (end.isThere) break;
    signal.throwIfAborted();
    const quietMs = nowMs() - heardMs;
    const answer = reply({ said: printable(said), quietMs, tookMs: nowMs() - begunMs, hasPaused: quietMs >= SETTLE_MS });
    if (answer === null) continue;
    [said, heardMs] = ['', nowMs()];
    log(`${answer instanceof Secret ? '[secret]' : answer}\n`);
    terminal.type(`${reveal(answer)}\r`);
  }
  log(line === '' ? '' : '\n');
  if (end.cut) throw end.cut;
}
