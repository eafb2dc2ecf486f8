import { randomBytes } from 'node:crypto';

/** A fresh random token of `bytes` bytes, as lower-case hex. The one home of randomness. */
export function randomToken(bytes = 16): string {
  return randomBytes(bytes).toString('hex');
}
