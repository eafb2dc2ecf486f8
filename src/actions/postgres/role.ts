import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { MASK, OTHER_MASK } from '../../facts/mask.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { type PgRole, pgRole } from '../../facts/pg-role.ts';
import { psql, runSql } from '../../facts/postgres/psql.ts';
import { md5Verifier, scramVerifier, verifierMatches } from '../../facts/postgres/scram.ts';
import { reveal, Secret } from '../../hosts/secret.ts';
import { sh } from '../../hosts/sh.ts';
import { randomToken } from '../../lib/random.ts';
import { blocked, change, defineAction, noChange, type Site } from '../action.ts';
import { secretText } from '../params.ts';
import { clusterPort, notReady, roleName } from './params.ts';
import { rolePreview } from './undo-of-servers.ts';

type Undo = { port: number; name: string; created: boolean; login: boolean };
type Data = { port: number; name: string; setPassword: boolean };

// A verifier is no password, but it belongs into no log either.
const QUIET = `SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic'; SET pg_stat_statements.track_utility = off;`;

const SET_ROLE = String.raw`BEGIN;
SELECT count(*) = 0 AS missing FROM pg_roles WHERE rolname = :'role' \gset
\if :missing
CREATE ROLE :"role";
\endif
ALTER ROLE :"role" LOGIN;
\if :{?verifier}
ALTER ROLE :"role" PASSWORD :'verifier';
\endif
COMMIT;`;

const PUT_BACK = String.raw`SELECT count(*) > 0 AS found FROM pg_roles WHERE rolname = :'role' \gset
\if :found
BEGIN;
ALTER ROLE :"role" PASSWORD NULL;
SELECT format('ALTER ROLE %I PASSWORD %L', :'role', :'verifier') WHERE :'verifier' <> '' \gexec
SELECT format('ALTER ROLE %I %s', :'role', :'login') \gexec
COMMIT;
\endif`;

export default defineAction({
  summary: 'Have a role that may log in with a password.',
  description:
    'The password is turned into its verifier, SCRAM-SHA-256 unless told otherwise, before it is sent, so that it reaches neither the server nor a log. A role whose password is right already is left alone, however it is stored.',
  undone: 'A new role is dropped unless something belongs to it; a former password is in force again.',
  tools: ['psql'],
  params: z.strictObject({
    name: roleName(),
    password: secretText().optional().describe('Password of the role; left as it is when not given.'),
    encryption: z
      .enum(['scram-sha-256', 'md5'])
      .default('scram-sha-256')
      .describe('How a password that is set is stored; md5 only for clients that know nothing else.'),
    port: clusterPort(),
  }),
  outputs: { name: 'Name of the role.' },
  facts: ({ host }, { name, port }) => ({ cluster: pgCluster(port).on(host.name), role: pgRole(port, name).on(host.name) }),
  touches: ({ name, port }, role) => ({ changes: [[role, pgRole.key(port, name)]] }),
  plan({ name, password, encryption, port }, { cluster, role }, { host }: Site) {
    if (password !== undefined && reveal(password) === '')
      return blocked(`the password of ${name} is empty`, 'Give one; PostgreSQL takes no empty password.');
    const stopped = notReady(cluster, port);
    if (stopped) return stopped;
    const now = role.value;
    const matches = password === undefined || (now !== undefined && knows(now, password));
    if (now?.login && matches) return noChange('there, with this password', { outputs: { name } });
    const words = now
      ? [now.login ? '' : 'allow login', matches ? '' : 'set the password'].filter(Boolean).join(', ')
      : 'new, may log in';
    const next: PgRole = {
      ...(now ?? { ...PLAIN, name }),
      login: true,
      ...(matches || password === undefined ? {} : { password, ...(encryption === 'md5' ? { encryption } : {}) }),
    };
    return change<Undo, Data>({
      summary: `role ${name}: ${words}`,
      diff: now
        ? [
            ...(now.login ? [] : [['~', 'login ', 'no', 'yes'] as const]),
            ...(matches ? [] : [['~', 'password ', ...passwordChange(now)] as const]),
          ]
        : [],
      predicts: [role.becomes(next)],
      outputs: { name },
      undo: { port, name, created: now === undefined, login: now?.login ?? false },
      undoSummary: now ? 'the former password and rights' : 'drop it',
      data: { port, name, setPassword: !matches },
      keep: [
        {
          name: 'verifier',
          host: host.name,
          print: runSql({ port }, `SELECT rolpassword FROM pg_authid WHERE rolname = :'role';`, { role: name }),
        },
      ],
    });
  },
  async apply({ on, params, change: { data } }) {
    const verifier =
      data.setPassword && params.password !== undefined
        ? params.encryption === 'md5'
          ? md5Verifier(params.password, data.name)
          : scramVerifier(params.password, Buffer.from(randomToken(16), 'hex'))
        : undefined;
    // Base64, hex and punctuation only, so it can stand between quotes.
    const given = verifier === undefined ? '' : `\\set verifier '${verifier}'\n`;
    await on.change('set', psql({ port: data.port }, { role: data.name }), {
      stdin: new Secret(`${given}${QUIET}\n${SET_ROLE}\n`, 'verifier of a role'),
    });
  },
  preview: rolePreview,
  async rollback({ on, undo, ctx }) {
    const { port, name } = undo;
    if (undo.created) {
      // 2BP01: something depends on it.
      const sql = String.raw`\set ON_ERROR_STOP 0
DROP ROLE IF EXISTS :"role";
\echo :SQLSTATE`;
      const dropped = await on.change('drop', runSql({ port }, sql, { role: name }));
      if (dropped.stdout.trim().endsWith('2BP01')) {
        return [
          {
            host: on.name,
            key: pgRole.key(port, name),
            what: `role ${name} is kept: a database or an object in one belongs to it`,
          },
        ];
      }
      if (!dropped.stdout.trim().endsWith('00000')) {
        throw new FerryError('COMMAND_FAILED', {
          host: on.name,
          what: `dropping role ${name}`,
          code: 3,
          output: dropped.stderr.trim(),
        });
      }
      return [];
    }
    const kept = ctx.kept(on.name, 'verifier');
    await on.change(
      'put-back',
      sh`{ printf "\\\\set verifier '"; tr -d '\\n' <${kept}; printf "'\\n%s\\n" ${`${QUIET}\n${PUT_BACK}`}; } | ${psql({ port }, { role: name, login: undo.login ? 'LOGIN' : 'NOLOGIN' })}`,
    );
    return [];
  },
  examples: [{ title: 'The role of the engine', with: { name: 'engine', password: '${{ inputs.password }}' } }],
});

const PLAIN: Omit<PgRole, 'name'> = {
  ...{ login: true, superuser: false, inherit: true, createdb: false, createrole: false, replication: false, bypassrls: false },
  ...{ connectionLimit: -1, verifier: null },
};

/** Whether a role, read or predicted, has this password. */
function knows(role: PgRole, password: string | Secret): boolean {
  return role.password === undefined
    ? verifierMatches(role.verifier, password, role.name)
    : reveal(role.password) === reveal(password);
}

/** That a role gets another password, or its first. */
function passwordChange(role: PgRole): [before: string, after: string] {
  const hadOne = role.verifier !== null || role.password !== undefined;
  return hadOne ? [MASK, OTHER_MASK] : ['none', MASK];
}
