import type { PgRole } from '../pg-role.ts';
import { verifierKind } from './scram.ts';

/**
 * The method of a rule under which a role's stored password can be used: a scram-sha-256 rule refuses a role whose verifier is
 * md5, and an md5 rule takes both. A role that is not there yet gets a SCRAM verifier; of `all` nobody knows.
 */
export function hbaMethod(
  name: string,
  role: Pick<PgRole, 'verifier' | 'password' | 'encryption'> | undefined,
): 'scram-sha-256' | 'md5' {
  if (name === 'all') return 'md5';
  if (role?.password !== undefined) return role.encryption ?? 'scram-sha-256';
  if (!role || role.verifier === null) return 'scram-sha-256';
  return verifierKind(role.verifier) === 'md5' ? 'md5' : 'scram-sha-256';
}
