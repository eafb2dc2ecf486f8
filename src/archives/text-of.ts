import type { Bytes } from './byte-source.ts';

const LIMIT = 1 << 20;

/** The beginning of a body as text, as far as it is not unreasonably long; the whole body goes by. */
export async function textOf(body: Bytes): Promise<string> {
  let held = Buffer.alloc(0);
  for await (const piece of body) if (held.length < LIMIT) held = Buffer.concat([held, piece.subarray(0, LIMIT - held.length)]);
  return held.toString('utf8');
}
