import type { Host } from '../hosts/host.ts';
import { joinSh, type Sh, sh } from '../hosts/sh.ts';
import { type Answer, type FactRef, type Observed, unreadable } from './fact.ts';

// A reader that prints more is unreadable.
const ANSWER_LIMIT_BYTES = 512 * 1024;
const READER_LIMIT_S = 30;
const SCRIPT_LIMIT = 48 * 1024;

/**
 * Reads facts of one host in one round trip; the result is in the order of `refs`. Each reader is a process of its own
 * with an empty stdin and a time limit, so one that fails or hangs does not spoil the others.
 * @throws HOST_UNREACHABLE, COMMAND_TIMEOUT
 */
export async function readFacts(
  host: Host,
  refs: readonly FactRef<unknown>[],
  limitS = READER_LIMIT_S,
): Promise<Observed<unknown>[]> {
  if (refs.length === 0) return [];
  // One line a fact: base64 of its stdout with the exit code as last line, base64 of its stderr. No temporary file: a plan
  // writes nothing on any host.
  const reader = (script: Sh): Sh =>
    sh`E=$( { { timeout -k 5 ${limitS} sh -c ${script.text} </dev/null; printf '\\n%s' $?; } 2>&3 | head -c ${ANSWER_LIMIT_BYTES} | base64 -w0 >&4; } 3>&1 | head -c 4096 | base64 -w0); printf ' %s\\n' "$E"`;
  const batches = batchesOf(refs.map((ref) => reader(ref.kind.script(...ref.args))));
  const answers = await Promise.all(
    batches.map(async (readers) => {
      const timeoutMs = 30_000 + (limitS + 6) * 1000 * readers.length;
      const lines = (await host.run(joinSh([sh`exec 4>&1`, ...readers]), { timeoutMs })).stdout.split('\n');
      return readers.map((_, index) => lines[index]);
    }),
  );
  const lines = answers.flat();
  return refs.map((ref, index) => {
    const answer = parseAnswer(lines[index], limitS);
    return typeof answer === 'string' ? unreadable(answer) : ref.kind.parse(answer, ...ref.args);
  });
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
  return { code, stdout: text.slice(0, end), stderr: Buffer.from(err64, 'base64').toString('utf8') };
}
