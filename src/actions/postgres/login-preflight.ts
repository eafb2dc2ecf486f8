import { finding } from '../../errors/finding.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgDatabase } from '../../facts/pg-database.ts';
import { pgHba } from '../../facts/pg-hba.ts';
import { pgLogin } from '../../facts/pg-login.ts';
import { pgRole } from '../../facts/pg-role.ts';
import { pgSetting } from '../../facts/pg-setting.ts';
import type { HostInfo } from '../../hosts/host.ts';
import type { LoginRequest } from '../../hosts/login.ts';
import type { Ask, Preflight, Site } from '../action.ts';
import { reachFindings } from '../reach.ts';
import { reason } from './login-reason.ts';

/**
 * Tries the way and, where no earlier step has yet to make role, database or access, the login itself: now, before anything
 * is stopped.
 */
export function loginPreflight(
  request: LoginRequest,
  ask: Ask,
  { host, hostAt }: Site & { hostAt(address: string): HostInfo | undefined },
): Preflight {
  const target = hostAt(request.address);
  const made = target ? madeBy(request, ask, target.name) : [];
  const { isOpen, findings } = reachFindings(request, ask, host, target);
  if (findings.length > 0) return { findings };
  if (made.length > 0) return { notes: [`the login is tried after ${made.join(', ')}`] };
  if (!isOpen) return { notes: [`nothing listens there yet; the login is tried when this step is reached`] };
  const { login } = ask({ login: pgLogin(request).on(host.name) });
  if (!login.value || login.value.ok) return {};
  const [why, todo] = reason(login.value.code, login.value.why, request, host.name);
  const { address, port, database, user } = request;
  return { findings: [finding('LOGIN_REFUSED', { from: host.name, address, port, database, user, why, todo })] };
}

/** The steps that have yet to make what a login needs. */
function madeBy({ port, user, database }: LoginRequest, ask: Ask, server: string): string[] {
  const facts = ask({
    cluster: pgCluster(port).on(server),
    listen: pgSetting(port, 'listen_addresses').on(server),
    role: pgRole(port, user).on(server),
    database: pgDatabase(port, database).on(server),
    access: pgHba(port).on(server),
  });
  return [...new Set(Object.values(facts).flatMap(({ after }) => after ?? []))];
}
