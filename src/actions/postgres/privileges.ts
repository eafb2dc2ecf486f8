import { aboutWhat, type PgPrivilege, sorted } from '../../facts/pg-privileges.ts';
import { plural } from '../../lib/text.ts';
import type { DiffLine } from '../action.ts';
import { identifier } from './sql.ts';

/** Named one by one up to so many; more of a kind are counted. */
const NAMED = 2;

/**
 * What one database's privileges are in another, where everything belongs to `owner`: what the former owner had, the new one
 * has without being told so, and what was to hold for objects of the former one holds for those of the new.
 */
export function carriedTo(privileges: readonly PgPrivilege[], formerOwner: string, owner: string): PgPrivilege[] {
  const kept = privileges.filter(({ to }) => to !== formerOwner && to !== owner);
  return kept.map((one) => (one.future?.of === formerOwner ? { ...one, future: { ...one.future, of: owner } } : one));
}

/** Those there are and those wanted, which decide where they speak of the same. */
export function joined(now: readonly PgPrivilege[], wanted: readonly PgPrivilege[]): PgPrivilege[] {
  const decided = new Set(wanted.map(aboutWhat));
  return sorted([...now.filter((one) => !decided.has(aboutWhat(one))), ...wanted]);
}

/** The roles that must be there for privileges to be given. */
export function rolesNamed(privileges: readonly PgPrivilege[]): string[] {
  const names = privileges.flatMap(({ to, future }) => [to, future?.of ?? '']);
  return [...new Set(names)].filter((name) => name !== '').sort();
}

/** What leads from one state of privileges to another: what is to be taken back of the one, then what is to be given of the other. */
function steps(from: readonly PgPrivilege[], to: readonly PgPrivilege[]): { gone: PgPrivilege[]; come: PgPrivilege[] } {
  const isIn = (list: readonly PgPrivilege[], one: PgPrivilege) =>
    list.some((each) => aboutWhat(each) === aboutWhat(one) && each.verb === one.verb && each.grantable === one.grantable);
  return { gone: from.filter((one) => !isIn(to, one)), come: to.filter((one) => !isIn(from, one)) };
}

/** The SQL that makes of one state of privileges another. */
export function privilegeStatements(from: readonly PgPrivilege[], to: readonly PgPrivilege[]): string[] {
  const { gone, come } = steps(from, to);
  const back = gone.map((one): PgPrivilege => ({ ...one, verb: one.verb === 'GRANT' ? 'REVOKE' : 'GRANT', grantable: false }));
  return [...back, ...come].map((one) => `${statement(one, one.on)};`);
}

/** The same for a person: what is alike is counted. */
export function privilegeLines(from: readonly PgPrivilege[], to: readonly PgPrivilege[]): DiffLine[] {
  const { gone, come } = steps(from, to);
  return [...grouped(gone).map((text) => ['-', text] as const), ...grouped(come).map((text) => ['+', text] as const)];
}

function grouped(privileges: readonly PgPrivilege[]): string[] {
  const groups = Map.groupBy(privileges, (one) => statement({ ...one, columns: null }, kindOf(one.on)));
  return [...groups].flatMap(([, members]) => {
    const [first] = members;
    if (!first || members.length <= NAMED) return members.map((one) => statement(one, one.on));
    return [statement({ ...first, columns: null }, plural(members.length, kindOf(first.on).toLowerCase()))];
  });
}

function kindOf(on: string): string {
  return /^[A-Z]+( OBJECT)?/.exec(on)?.[0] ?? on;
}

function statement({ verb, privilege, columns, to, grantable, future }: PgPrivilege, on: string): string {
  const whom = `${verb === 'GRANT' ? 'TO' : 'FROM'} ${to === '' ? 'PUBLIC' : identifier(to)}${grantable ? ' WITH GRANT OPTION' : ''}`;
  const what = `${verb} ${privilege}${columns ?? ''} ON ${on} ${whom}`;
  if (!future) return what;
  const where = future.schema === null ? '' : ` IN SCHEMA ${identifier(future.schema)}`;
  return `ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(future.of)}${where} ${what}`;
}
