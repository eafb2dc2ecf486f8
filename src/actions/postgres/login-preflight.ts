import type { Diagnostic } from '../../errors/diagnostic.ts';
import { finding } from '../../errors/finding.ts';
import { firewall } from '../../facts/firewall.ts';
import { pgClientVersion } from '../../facts/pg-client-version.ts';
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
  const { made, older, isOpened } = target
    ? serverSide(request, ask, host.name, target.name)
    : { made: [], older: [], isOpened: false };
  const found = reachFindings(request, ask, host, target);
  // What stops at the server's own firewall now, an earlier step lets through.
  const way = isOpened ? { ...found, findings: [] } : found;
  const findings = [...way.findings, ...older];
  if (way.findings.some(({ severity }) => severity === 'error')) return { findings };
  if (made.length > 0) return { findings, notes: [`the login is tried after ${made.join(', ')}`] };
  if (way.findings.length > 0) return { findings };
  if (!way.isOpen) return { findings, notes: ['nothing listens there yet; the login is tried when this step is reached'] };
  const { login } = ask({ login: pgLogin(request).on(host.name) });
  if (!login.value || login.value.ok) return { findings };
  const [why, todo] = reason(login.value.code, login.value.why, request, host.name);
  const { address, port, database, user } = request;
  const refused = finding('LOGIN_REFUSED', { from: host.name, address, port, database, user, why, todo });
  return { findings: [refused, ...older] };
}

/** The steps that have yet to make what a login needs; and whether programs of the client are too old for the server. */
function serverSide(
  { port, user, database }: LoginRequest,
  ask: Ask,
  client: string,
  server: string,
): { made: string[]; older: Diagnostic[]; isOpened: boolean } {
  const { programs, ...facts } = ask({
    programs: pgClientVersion(port).on(client),
    cluster: pgCluster(port).on(server),
    listen: pgSetting(port, 'listen_addresses').on(server),
    role: pgRole(port, user).on(server),
    database: pgDatabase(port, database).on(server),
    access: pgHba(port).on(server),
    firewall: firewall('').on(server),
  });
  const made = [...new Set(Object.values(facts).flatMap(({ after }) => after ?? []))];
  const version = facts.cluster.value?.version;
  const isOlder = version !== undefined && programs.value !== undefined && programs.value < version;
  const args = { host: client, ours: programs.value ?? 0, server, theirs: version ?? 0 };
  const isOpened = (facts.firewall.value?.kind ?? 'none') !== 'none' && facts.firewall.after !== null;
  return { made, isOpened, older: isOlder ? [finding('CLIENT_OLDER', args, undefined, { severity: 'warning' })] : [] };
}
