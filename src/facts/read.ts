import { FerryError } from '../errors/ferry-error.ts';
import type { Host } from '../hosts/host.ts';
import { joinSh, type Sh, sh } from '../hosts/sh.ts';
import { nowMs } from '../lib/clock.ts';
import { headOf } from '../lib/text.ts';
import { type Answer, type ClockOffset, type FactRef, type Observed, unreadable } from './fact.ts';
import { BASE_TOOLS, parseTools, toolsArgs, toolsScript } from './host-tools.ts';

// A reader that prints more is unreadable.
const ANSWER_LIMIT_BYTES = 512 * 1024;
// Of what it says beside its answer this much is told.
const STDERR_LIMIT_BYTES = 4096;
const READER_LIMIT_S = 30;
const SCRIPT_LIMIT = 48 * 1024;

/**
 * Reads facts of one host in one round trip; the result is in the order of `refs`. Each reader is a process of its own
 * with an empty stdin and a time limit, so one that fails or hangs does not spoil the others. Probes go beside it.
 * @throws HOST_UNREACHABLE, COMMAND_TIMEOUT, TOOLS_MISSING when the host lacks what reading itself needs
 */
export async function readFacts(
  host: Host,
  refs: readonly FactRef<unknown>[],
  limitS = READER_LIMIT_S,
): Promise<Observed<unknown>[]> {
  const found = new Map<FactRef<unknown>, Observed<unknown>>();
  await Promise.all([
    readByScript(
      host,
      refs.filter((ref) => !ref.kind.probe),
      limitS,
      found,
    ),
    ...refs.map(async (ref) => ref.kind.probe && found.set(ref, await ref.kind.probe(host))),
  ]);
  return refs.map((ref) => found.get(ref) ?? unreadable('no answer'));
}

async function readByScript(
  host: Host,
  refs: readonly FactRef<unknown>[],
  limitS: number,
  found: Map<FactRef<unknown>, Observed<unknown>>,
): Promise<void> {
  if (refs.length === 0) return;
  // One line a fact: base64 of its stdout with the exit code as last line, base64 of its stderr. No temporary file: a plan
  // writes nothing on any host.
  const reader = (script: Sh): Sh =>
    sh`E=$( { { timeout -k 5 ${limitS} sh -c ${script.text} </dev/null; printf '\\n%s' $?; } 2>&3 | head -c ${ANSWER_LIMIT_BYTES} | base64 -w0 >&4; } 3>&1 | head -c ${STDERR_LIMIT_BYTES} | base64 -w0); printf ' %s\\n' "$E"`;
  const isTimed = refs.some((ref) => ref.kind.timed);
  const batches = batchesOf(refs.map((ref) => reader(ref.kind.script(...ref.args))));
  const answers = await Promise.all(
    batches.map(async (readers) => {
      const timeoutMs = 30_000 + (limitS + 6) * 1000 * readers.length;
      const script = joinSh([TOOLS_OR_LEAVE, sh`exec 4>&1`, ...(isTimed ? [DATE, ...readers, DATE] : readers)]);
      const sentMs = nowMs();
      const { stdout } = await host.run(script, { timeoutMs });
      const gotMs = nowMs();
      const lines = stdout.split('\n');
      refuseMissing(host.name, lines);
      const clock = isTimed ? offsetOf(sentMs, lines.shift(), lines[readers.length], gotMs) : null;
      return readers.map((_, index) => ({ line: lines[index], clock }));
    }),
  );
  answers.flat().forEach(({ line, clock }, index) => {
    const ref = refs[index];
    if (!ref) return;
    const answer = parseAnswer(line, limitS);
    found.set(
      ref,
      typeof answer === 'string'
        ? unreadable(answer)
        : ref.kind.parse(ref.kind.timed ? { ...answer, clock } : answer, ...ref.args),
    );
  });
}

// Without these every reader would end as "the answer was cut".
const READING_TOOLS = ['base64', 'timeout'];
const TOOLS_OR_LEAVE = sh`for t in ${READING_TOOLS}; do command -v "$t" >/dev/null 2>&1 || { echo ferry-tools; ${toolsScript(BASE_TOOLS)}; exit 0; }; done`;

function refuseMissing(host: string, lines: readonly string[]): void {
  if (lines[0] !== 'ferry-tools') return;
  const tools = parseTools(lines.slice(1).join('\n')) ?? { missing: READING_TOOLS, family: 'other' as const };
  throw new FerryError('TOOLS_MISSING', toolsArgs(host, tools));
}

const DATE = sh`date +%s.%N`;

/**
 * How far the host's clock is ahead, from when the batch was sent and answered by our clock and when it began and ended by the
 * host's. A way there that takes longer than the way back looks like an offset: at most half of what both take.
 */
function offsetOf(sentMs: number, began: string | undefined, ended: string | undefined, gotMs: number): ClockOffset | null {
  // A date that knows no %N tells whole seconds.
  const [beganMs, endedMs] = [began, ended].map((text) => Number.parseFloat(text ?? '') * 1000) as [number, number];
  if (!Number.isFinite(beganMs) || !Number.isFinite(endedMs)) return null;
  const isCoarse = !/\.\d/.test(began ?? '');
  const aheadMs = (beganMs - sentMs + (endedMs - gotMs)) / 2;
  const underWayMs = gotMs - sentMs - (endedMs - beganMs);
  return { aheadMs: Math.round(aheadMs), withinMs: Math.ceil(Math.max(0, underWayMs) / 2) + (isCoarse ? 1000 : 1) };
}

/** Readers in order, as many in one script as an argument can hold: Linux takes 128 KiB, and each quoting on the way adds. */
function batchesOf(readers: readonly Sh[]): Sh[][] {
  const batches: Sh[][] = [];
  let room = 0;
  for (const reader of readers) {
    if (reader.text.length > room) {
      batches.push([]);
      room = SCRIPT_LIMIT;
    }
    batches.at(-1)?.push(reader);
    room -= reader.text.length;
  }
  return batches;
}

function parseAnswer(line: string | undefined, limitS: number): Answer | string {
  const [out64, err64] = line?.split(' ') ?? [];
  if (out64 === undefined || err64 === undefined) return 'the answer was cut';
  const out = Buffer.from(out64, 'base64');
  if (out.length >= ANSWER_LIMIT_BYTES) return 'it prints more than 512 KiB';
  const text = out.toString('utf8');
  const end = text.lastIndexOf('\n');
  const code = Number(text.slice(end + 1));
  if (code === 124) return `it gave no answer within ${limitS} s`;
  // Either it did not heed the end of its time, or something else killed it: half an answer is none.
  if (code === 137) return 'its reader was killed';
  const stderr = headOf(Buffer.from(err64, 'base64').toString('utf8'), STDERR_LIMIT_BYTES);
  return { code, stdout: text.slice(0, end), stderr };
}
