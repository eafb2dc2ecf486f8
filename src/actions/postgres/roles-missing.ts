import type { Diagnostic } from '../../errors/diagnostic.ts';
import { finding } from '../../errors/finding.ts';
import type { Fact } from '../../facts/fact.ts';
import type { PgRole } from '../../facts/pg-role.ts';
import { quote } from '../../lib/quote.ts';

/** A finding that names the roles a database's privileges need and its server does not have; none when all are there, or will be. */
export function rolesMissing(
  host: string,
  database: string,
  names: readonly string[],
  facts: readonly Fact<PgRole>[],
): Diagnostic[] {
  // Names with pg_ are the server's own; one that does not run yet has them too.
  const missing = names.filter((name, index) => !name.startsWith('pg_') && facts[index]?.absent && facts[index]?.read);
  if (missing.length === 0) return [];
  const statement = `for r in ${missing.map(quote).join(' ')}; do runuser -u postgres -- createuser --no-login -- "$r"; done`;
  return [finding('ROLES_MISSING', { host, database, roles: missing.join(', '), statement })];
}
