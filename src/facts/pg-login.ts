import { type LoginAnswer, type LoginRequest, loginThrough } from '../hosts/login.ts';
import { probeOf, value } from './fact.ts';

/** Whether a role gets into a database from where a host stands. The password is in neither key nor value. */
export function pgLogin(request: LoginRequest) {
  const { address, port, database, user } = request;
  return probeOf<LoginAnswer>(
    `pgLogin(${address}, ${port}, ${database}, ${user})`,
    async (host) => value(await loginThrough(host, request)),
    (published) => ((published as unknown as LoginAnswer).ok ? 'gets in' : 'does not get in'),
  );
}
