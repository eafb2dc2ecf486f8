import { describe, expect, it } from 'vitest';
import restore from '../../../src/actions/ovirt/restore-backup.ts';
import { changedCredentials } from '../../../src/actions/ovirt/restore-params.ts';
import { type Reach, reachRefused } from '../../../src/actions/ovirt/restore-reach.ts';
import { inReadingOrder } from '../../../src/actions/ovirt/restore-targets.ts';
import { Secret } from '../../../src/hosts/secret.ts';

const access = { scope: 'db', host: 'newdb', port: '5432', user: 'engine', database: 'engine', password: 'x' } as const;
const seen = { identity: '7/16384', standby: false, language: 'en_US.UTF-8', objects: 0, roles: { engine: true, reader: false } };
const good: Reach = {
  access,
  seen,
  why: '',
  granted: ['reader'],
  owners: ['engine', 'postgres', 'pg_database_owner'],
  expected: '7/16384',
};
const target = { host: 'newdb', database: 'engine' };
const judge = (more: Partial<Reach>, tool: 'ferry' | 'engine-backup' = 'engine-backup', permissions = true) =>
  reachRefused({ ...good, ...more }, { tool, permissions }, target);

describe('what stands against a restore, seen before anything is touched', () => {
  it('is nothing where the very database is reached, and the server has what the dump names', () => {
    expect(judge({})).toEqual([]);
    expect(judge({ expected: null })).toEqual([]);
  });

  it.each<[string, Partial<Reach>, RegExp]>([
    ['no login', { seen: null, why: 'FATAL: no' }, /^engine cannot log in to engine on newdb:5432: FATAL: no$/],
    ['another server', { expected: '8/16384' }, /newdb:5432 is another server than newdb/],
    ['another database', { expected: '7/5' }, /another server/],
    ['a standby', { seen: { ...seen, standby: true } }, /is a standby/],
    ['messages of the role', { seen: { ...seen, language: 'C' } }, /lc_messages is C for engine/],
    ['a role that is missing', { granted: ['reader', 'gone'] }, /has grants for gone, no role/],
    ['an owner of another name', { owners: ['other'] }, /belongs to other, and engine is no member/],
    ['an owner one is no member of', { owners: ['reader'] }, /belongs to reader/],
  ])('%s', (_, more, why) => {
    expect(judge(more)).toEqual([expect.stringMatching(why)]);
  });

  it('asks for roles with permissions alone, and for owners where engine-backup is to set them', () => {
    const more = { granted: ['gone'], owners: ['other'] };
    expect(judge(more, 'engine-backup', false)).toEqual([]);
    expect(judge(more, 'ferry')).toEqual([expect.stringContaining('has grants for gone')]);
    expect(judge(more)).toHaveLength(2);
  });
});

describe('other credentials', () => {
  const params = (db: object) => restore.params.safeParse({ path: '/a', from: '/b', scopes: ['db'], credentials: { db } });
  const both = { address: 'newdb', password: new Secret('x', 'test'), database: 'engine', user: 'engine' };

  it('are none without address and password, and refused with one of them', () => {
    const none = params({ database: 'engine', user: 'engine' });
    expect(none.success && changedCredentials(none.data.credentials)).toEqual({});
    const all = params(both);
    expect(all.success && Object.keys(changedCredentials(all.data.credentials))).toEqual(['db']);
    for (const left of ['address', 'password'] as const)
      expect(params({ ...both, [left]: undefined }).error?.issues).toEqual([
        expect.objectContaining({ message: expect.stringContaining('give both, or neither') }),
      ]);
  });
});

it('reads conf files in the order of engine-backup, those of the data warehouse last', () => {
  const order = [
    '/usr/share/ovirt-engine/services/ovirt-engine/ovirt-engine.conf',
    '/etc/ovirt-engine/engine.conf',
    '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf',
    '/etc/ovirt-engine/engine.conf.d/99-own.conf',
    '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf',
    '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf',
  ];
  const files = new Map(order.toReversed().map((path) => [path, '']));
  expect(inReadingOrder(files).map(({ path }) => path)).toEqual(order);
});
