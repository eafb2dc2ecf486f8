import { isIP } from 'node:net';
import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgHba } from '../../facts/pg-hba.ts';
import { pgRole } from '../../facts/pg-role.ts';
import { hbaMethod } from '../../facts/postgres/hba-method.ts';
import { type HbaRule, hbaLine, leadingComments, rulesMissing } from '../../facts/postgres/hba-rules.ts';
import { runSql } from '../../facts/postgres/psql.ts';
import { resolvedName } from '../../facts/resolved-name.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
import { plural } from '../../lib/text.ts';
import { blocked, change, defineAction, noChange, type Site } from '../action.ts';
import { CLOSED_BESIDE, PUT_IN_PLACE } from '../replace-file.ts';
import { clusterPort, databaseName, notReady, roleName } from './params.ts';
import { ruleDiff } from './rule-diff.ts';
import { type HbaUndo, hbaPreview } from './undo-of-servers.ts';

const address = z
  .string()
  .regex(
    /^(all|samehost|samenet|[A-Za-z0-9:._-]+(\/\d{1,3})?)$/,
    'write an address, a network such as 192.0.2.0/24, or a host name',
  )
  .describe('Client: an IP address, a network such as 192.0.2.0/24, a host name, or all, samehost, samenet.');

type Data = { port: number; path: string; after: number; lines: string[] };

export default defineAction({
  summary: 'Let roles connect to databases: rules in pg_hba.conf, before any rule that would decide first.',
  description:
    'New rules go to the top of the file, after its leading comments, each marked with `# ferry`. The server checks them before it loads them.',
  undone: 'The file has its former bytes, mode and owner, and the server reads it again.',
  tools: ['psql'],
  params: z.strictObject({
    port: clusterPort(),
    rules: z
      .array(
        z.strictObject({
          database: databaseName().describe('Database, or all.'),
          role: roleName().describe('Role, or all.'),
          address: z.union([address, z.array(address).min(1)]).describe('One client, or a list of them.'),
          method: z
            .enum(['scram-sha-256', 'md5', 'as-stored', 'cert', 'trust', 'reject'])
            .default('scram-sha-256')
            .describe(
              'How the client proves who it is; as-stored: scram-sha-256, or md5 where the password of the role is stored as that.',
            ),
          type: z
            .enum(['host', 'hostssl', 'hostnossl'])
            .default('host')
            .describe('Any TCP connection, or only those with or without TLS.'),
        }),
      )
      .min(1)
      .describe('Rules, in the order they should stand.'),
    resolve: z
      .boolean()
      .default(false)
      .describe('Write the addresses a host name has, IPv4 and IPv6, as the server resolves it now, in place of the name.'),
  }),
  outputs: { added: 'Number of lines that were put in.' },
  facts: ({ host }, { port, rules, resolve }) => ({
    cluster: pgCluster(port).on(host.name),
    hba: pgHba(port).on(host.name),
    names: resolve ? namesIn(rules).map((name) => resolvedName(name).on(host.name)) : [],
    roles: rules.map(({ role, method }) => (method === 'as-stored' ? [pgRole(port, role).on(host.name)] : [])),
  }),
  touches: ({ port, rules }, role) => ({
    changes: [[role, pgHba.key(port)]],
    effects: rules.map((rule) => ({ does: 'let-in', role, port, database: rule.database })),
  }),
  plan({ port, rules, resolve }, { cluster, hba, names, roles }, { host }: Site) {
    const stopped = notReady(cluster, port);
    if (stopped || !cluster.value) return stopped ?? blocked('no cluster', '');
    const known = new Map(namesIn(rules).map((name, index) => [name, names[index]?.value]));
    const unknown = resolve ? [...known].find(([, found]) => found === undefined)?.[0] : undefined;
    if (unknown !== undefined)
      return blocked(`"${unknown}" has no address on ${host.name}`, `Write its address, or let ${host.name} resolve it.`);
    const wanted = rules.flatMap(({ address: clients, method, ...rule }, index) =>
      [...new Set([clients].flat().flatMap((client) => known.get(client) ?? [client]))].map(
        (client): HbaRule => ({
          ...rule,
          method: method === 'as-stored' ? hbaMethod(rule.role, roles[index]?.[0]?.value) : method,
          address: client,
        }),
      ),
    );
    const now = hba.value;
    if (!now && hba.read && cluster.read)
      return blocked(`pg_hba.conf on ${host.name} cannot be found`, `Look at:  ls -l ${cluster.value.hbaFile}`);
    const lines = (now ? rulesMissing(now.content, wanted) : wanted).map(hbaLine);
    if (now && lines.length === 0 && now.loaded) return noChange('the rules are there', { outputs: { added: 0 } });
    const after = now ? leadingComments(now.content) : 0;
    const path = now?.path ?? cluster.value.hbaFile;
    const { mode, owner, group } = now ?? { mode: '0640', owner: 'postgres', group: 'postgres' };
    return change<HbaUndo, Data>({
      summary: lines.length === 0 ? 'reload pg_hba.conf' : `${plural(lines.length, 'rule')} in pg_hba.conf`,
      diff: now ? ruleDiff(now.content, insert(now.content, after, lines)) : lines.map((line) => ['+', line] as const),
      predicts: [now ? hba.becomes({ ...now, content: insert(now.content, after, lines), loaded: true }) : hba.becomesUnknown()],
      outputs: { added: lines.length },
      undo: { port, path, mode, owner, group },
      undoSummary: `the former bytes of pg_hba.conf, reload${now?.loaded === false ? ', with the edits in it that wait for one' : ''}`,
      data: { port, path, after, lines },
      keep: [{ name: 'pg_hba.conf', host: host.name, path }],
    });
  },
  async apply({ on, change: { data } }) {
    const { path, after, lines, port } = data;
    const errors = runSql({ port }, `SELECT line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL;`);
    // The server can only check the file in its place; nothing is in force before the reload.
    const put = await on.change(
      'put',
      sh`f=${path}; ${CLOSED_BESIDE}
cp -p -- "../$b" old
{ head -n ${after} old && ${lines.length > 0 ? sh`printf '%s\\n' ${lines}` : sh`:`} && tail -n +${after + 1} old; } >"$t" || exit 1
chown --reference=old -- "$t"; chmod --reference=old -- "$t"
${PUT_IN_PLACE}
r=0; e=$(${errors}) || r=$?
if [ $r -ne 0 ] || [ -n "$e" ]; then mv -fT -- old "../$b"; sync ..; printf '%s\\n' "$e"; [ $r -eq 0 ] || exit $r; exit 9; fi
${runSql({ port }, 'SELECT pg_reload_conf();')} >/dev/null`,
      { okCodes: [0, 9] },
    );
    if (put.code === 9) {
      throw new FerryError(
        'HBA_INVALID',
        { host: on.name, path, why: put.stdout.trim().split('\n')[0] ?? '' },
        { left: `${path} has its former content; the server kept its rules.` },
      );
    }
  },
  preview: hbaPreview,
  async rollback({ on, undo, ctx }) {
    await on.change('put-back', putBackScript(undo, ctx.kept(on.name, 'pg_hba.conf')));
  },
  putBack: (undo, kept) => putBackScript(undo, kept('pg_hba.conf')),
  examples: [
    {
      title: 'The engine may log in from its host',
      with: { rules: [{ database: 'engine', role: 'engine', address: '192.0.2.10' }] },
    },
    {
      title: 'Names are quoted where they need it',
      with: { rules: [{ database: 'My-DB', role: 'app', address: ['192.0.2.10', '2001:db8::/64'] }] },
    },
  ],
});

/** The host names among the clients. */
function namesIn(rules: readonly { readonly address: string | readonly string[] }[]): string[] {
  const clients = rules.flatMap(({ address }) => address);
  const isName = (client: string) => !/^(all|samehost|samenet|\..*|.*\/.*)$/.test(client) && isIP(client) === 0;
  return [...new Set(clients.filter(isName))];
}

function insert(content: string, after: number, lines: readonly string[]): string {
  const all = content.split('\n');
  return [...all.slice(0, after), ...lines, ...all.slice(after)].join('\n');
}

function putBackScript({ path, mode, owner, group, port }: HbaUndo, kept: string): Sh {
  return sh`f=${path}; ${CLOSED_BESIDE}
cat -- ${kept} >"$t"; chown ${`${owner}:${group}`} -- "$t"; chmod ${mode} -- "$t"
${PUT_IN_PLACE}
# A server that does not run reads the file when it starts.
${runSql({ port }, 'SELECT pg_reload_conf();')} >/dev/null 2>&1 || :`;
}
