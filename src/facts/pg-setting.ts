import { z } from 'zod';
import type { Json } from '../lib/json.ts';
import { defineFact, value } from './fact.ts';
import { isSensitiveKey, MASK, maskValue } from './mask.ts';
import { fromJson, readSql } from './postgres/psql.ts';

const shape = z.object({
  /** In `unit`, as the server has it now. */
  setting: z.string(),
  /** `kB`, `8kB`, `ms`, ...; null for plain numbers and text. */
  unit: z.string().nullable(),
  /** `postmaster` needs a restart, `internal` cannot be set. */
  context: z.string(),
  type: z.enum(['bool', 'enum', 'integer', 'real', 'string']),
  pendingRestart: z.boolean(),
  /** The entry ALTER SYSTEM has left in postgresql.auto.conf; null when there is none. */
  autoConf: z.string().nullable(),
});
export type PgSetting = z.infer<typeof shape> & {
  /** Whether it may hold a password: it is then published masked. */
  readonly secret: boolean;
};

const SECRET_SETTINGS = ['primary_conninfo', 'ssl_passphrase_command', 'archive_command', 'restore_command'];

/** Whether a setting may hold a password: by its name, as `app.jwt_secret`, or by what one of its values looks like. */
export function isSecretSetting(name: string, ...values: readonly (string | null)[]): boolean {
  // A name without a dot is PostgreSQL's own: password_encryption holds no password.
  const isNamedSo = SECRET_SETTINGS.includes(name.toLowerCase()) || (name.includes('.') && isSensitiveKey(name));
  return isNamedSo || values.some((text) => text !== null && maskValue(text) !== text);
}

const SQL = `SELECT json_build_object('setting', setting, 'unit', unit, 'context', context, 'type', vartype, 'pendingRestart', pending_restart,
 'autoConf', (SELECT f.setting FROM pg_file_settings f WHERE lower(f.name) = lower(s.name) AND f.sourcefile LIKE '%/postgresql.auto.conf'
   ORDER BY f.seqno DESC LIMIT 1))
FROM pg_settings s WHERE lower(s.name) = lower(:'name');`;

/** One configuration setting of a running server; absent when it does not run or knows no such setting. */
export const pgSetting = defineFact<[port: number, name: string], PgSetting>({
  kind: 'pgSetting',
  class: 'state',
  script: (port, name) => readSql(port, SQL, { name }),
  parse(answer, _port, name) {
    const found = fromJson(answer, shape);
    if (found.state !== 'value') return found;
    return value({ ...found.value, secret: isSecretSetting(name, found.value.setting, found.value.autoConf) });
  },
  publish: (found): Json => (found.secret ? { ...found, setting: MASK, autoConf: found.autoConf === null ? null : MASK } : found),
  meets: (read, predicted) =>
    read.setting === predicted.setting &&
    read.autoConf === predicted.autoConf &&
    read.pendingRestart === predicted.pendingRestart,
  show: (published) => {
    const seen = published as unknown as PgSetting;
    return `${seen.setting}${seen.unit ? ` ${seen.unit}` : ''}${seen.pendingRestart ? ' (restart pending)' : ''}`;
  },
});
