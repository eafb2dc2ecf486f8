import { z } from 'zod';
import type { Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';
import { defineFact } from './fact.ts';
import { fromJson, readSql } from './postgres/psql.ts';
import { verifierKind, verifierMatches } from './postgres/scram.ts';

const shape = z.object({
  name: z.string(),
  login: z.boolean(),
  superuser: z.boolean(),
  inherit: z.boolean(),
  createdb: z.boolean(),
  createrole: z.boolean(),
  replication: z.boolean(),
  bypassrls: z.boolean(),
  /** -1 is no limit. */
  connectionLimit: z.int(),
  /** What the server keeps in place of the password: as good as secret, so it is never published. */
  verifier: z.string().nullable(),
});

export interface PgRole extends z.infer<typeof shape> {
  /** Only in predictions, in place of `verifier`: the password the verifier will match. */
  readonly password?: string | Secret;
  /** Beside it, when that is not SCRAM: how the verifier is going to be made. */
  readonly encryption?: 'md5';
}

const SQL = `SELECT json_build_object('name', rolname, 'login', rolcanlogin, 'superuser', rolsuper, 'inherit', rolinherit, 'createdb', rolcreatedb,
 'createrole', rolcreaterole, 'replication', rolreplication, 'bypassrls', rolbypassrls, 'connectionLimit', rolconnlimit, 'verifier', rolpassword)
FROM pg_authid WHERE rolname = :'role';`;

/** One role of a cluster and its rights. */
export const pgRole = defineFact<[port: number, name: string], PgRole>({
  kind: 'pgRole',
  class: 'state',
  script: (port, name) => readSql(port, SQL, { role: name }),
  parse: (answer) => fromJson(answer, shape),
  publish,
  meets: (read, predicted) => {
    if (JSON.stringify(attributes(read)) !== JSON.stringify(attributes(predicted))) return false;
    return predicted.password === undefined
      ? read.verifier === predicted.verifier
      : verifierMatches(read.verifier, predicted.password, read.name);
  },
  show: (published) => {
    const seen = published as { login: boolean; superuser: boolean; hasPassword: boolean };
    const words = [seen.login ? 'may log in' : 'no login', seen.hasPassword ? 'has a password' : 'no password'];
    return (seen.superuser ? [...words, 'superuser'] : words).join(', ');
  },
});

function attributes(role: PgRole) {
  const { login, superuser, inherit, createdb, createrole, replication, bypassrls, connectionLimit } = role;
  return { login, superuser, inherit, createdb, createrole, replication, bypassrls, connectionLimit };
}

function publish(found: PgRole): Json {
  const kind =
    found.password !== undefined
      ? (found.encryption ?? 'scram-sha-256')
      : found.verifier === null
        ? null
        : verifierKind(found.verifier);
  return { ...attributes(found), hasPassword: kind !== null, verifierKind: kind };
}
