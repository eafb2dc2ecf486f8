import type { ErrorCode } from '../errors/catalogue.ts';
import { FerryError } from '../errors/ferry-error.ts';

const OUT_OF_REACH = [
  'HOST_UNREACHABLE',
  'HOST_LOGIN_REFUSED',
  'HOST_KEY_UNKNOWN',
  'HOST_KEY_CHANGED',
  'HOST_KEY_REVOKED',
  'IDENTITY_UNREADABLE',
  'BECOME_REFUSED',
] as const satisfies readonly ErrorCode[];

type OutOfReach = (typeof OUT_OF_REACH)[number];

/** Whether a host could not be spoken to at all. */
export function isOutOfReach(thrown: unknown): thrown is FerryError<OutOfReach> {
  return thrown instanceof FerryError && (OUT_OF_REACH as readonly ErrorCode[]).includes(thrown.code);
}

/** Whether Ferry stopped seeing a command before its end: that says nothing of how it ended, nor whether it did. */
export function isOutOfSight(thrown: unknown): boolean {
  return isOutOfReach(thrown) || (thrown instanceof FerryError && ['COMMAND_TIMEOUT', 'STEP_TIMEOUT'].includes(thrown.code));
}
