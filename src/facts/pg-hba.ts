import { z } from 'zod';
import { sh } from '../hosts/sh.ts';
import { type Answer, defineFact, type Observed, unreadable, value } from './fact.ts';
import { MASK } from './mask.ts';
import { fromJson, readSql } from './postgres/psql.ts';

export interface PgHba {
  readonly path: string;
  /** Four octal digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly content: string;
  /** Whether the server has read the file since it was last written. */
  readonly loaded: boolean;
}

const SQL = `SELECT json_build_object('path', current_setting('hba_file'), 'loadedAt', extract(epoch FROM pg_conf_load_time())::float8);`;
const asked = z.object({ path: z.string(), loadedAt: z.number() });

// Told apart from the codes of psql.
const FILE_UNREADABLE = 92;

/** The client authentication file of a running server. */
export const pgHba = defineFact<[port: number], PgHba>({
  kind: 'pgHba',
  class: 'state',
  script: (port) => sh`a=$(${readSql(port, SQL)}); r=$?; printf '%s\\n' "$a"; [ $r -eq 0 ] || exit $r
f=$(${readSql(port, 'SHOW hba_file;')}) && stat -c '%a %U %G %.9Y' -- "$f" && cat -- "$f" || exit ${FILE_UNREADABLE}`,
  parse: parseHba,
  publish: (found) => ({
    path: found.path,
    mode: found.mode,
    owner: found.owner,
    group: found.group,
    content: maskHba(found.content),
  }),
  meets: (read, predicted) =>
    read.content === predicted.content && read.mode === predicted.mode && read.owner === predicted.owner && read.loaded,
  show: (published) => {
    const { content } = published as unknown as PgHba;
    return `${content.split('\n').filter((line) => /^\s*[^#\s]/.test(line)).length} rules`;
  },
});

function parseHba(answer: Answer): Observed<PgHba> {
  const [first = '', second = '', ...lines] = answer.stdout.split('\n');
  const server = fromJson({ ...answer, code: answer.code === FILE_UNREADABLE ? 0 : answer.code, stdout: first }, asked);
  if (server.state !== 'value') return server;
  const [mode, owner, group, writtenAt] = second.split(' ');
  if (answer.code !== 0 || !mode || !owner || !group) return unreadable(answer.stderr.trim() || 'the file cannot be read');
  const loaded = Number(writtenAt) <= server.value.loadedAt;
  return value({ path: server.value.path, mode: mode.padStart(4, '0'), owner, group, content: lines.join('\n'), loaded });
}

/** Rules with the passwords that LDAP and RADIUS ones carry as options masked. */
export function maskHba(content: string): string {
  return content.replaceAll(/\b(ldapbindpasswd|radiussecrets?)=("[^"]*"|\S+)/g, `$1=${MASK}`);
}
