import { sh } from '../hosts/sh.ts';
import { absent, defineFact, value } from './fact.ts';
import { psql } from './postgres/psql.ts';

export interface PgLocale {
  /** Whether the operating system has it. */
  readonly installed: boolean;
  /** Whether the running server takes it; null while none runs. A locale generated after its start is refused until a restart. */
  readonly accepted: boolean | null;
}

// Every backend checks a locale the same way CREATE DATABASE does when lc_monetary is set.
const SQL = String.raw`\set ON_ERROR_STOP 0
SET lc_monetary = :'locale';
\echo accepted=:SQLSTATE`;

/** A locale of the operating system, and what the server on a port thinks of it. */
export const pgLocale = defineFact<[port: number, locale: string], PgLocale>({
  kind: 'pgLocale',
  class: 'state',
  script: (port, locale) => sh`locale -a 2>/dev/null; command -v psql >/dev/null 2>&1 || exit 0
printf '%s\\n' ${SQL} | ${psql({ port }, { locale })} 2>/dev/null; exit 0`,
  parse: (answer, _port, locale) => {
    const lines = answer.stdout.split('\n').filter((line) => line !== '');
    if (lines.length === 0) return absent;
    const state = lines.find((line) => line.startsWith('accepted='))?.slice('accepted='.length);
    const installed = lines.some((line) => normalLocale(line) === normalLocale(locale));
    return value({ installed, accepted: state === undefined ? null : state === '00000' });
  },
  show: (published) => {
    const seen = published as unknown as PgLocale;
    if (!seen.installed) return 'not installed';
    return seen.accepted === false ? 'installed, refused by the running server' : 'installed';
  },
});

/** The form in which `en_US.UTF-8` and `en_US.utf8` are the same. */
export function normalLocale(name: string): string {
  return name.trim().toLowerCase().replaceAll('-', '');
}
