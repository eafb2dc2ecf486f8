import { describe, expect, test } from 'vitest';
import portCheck from '../../src/actions/port/check.ts';
import { loginPreflight } from '../../src/actions/postgres/login-preflight.ts';
import { pgClientVersion } from '../../src/facts/pg-client-version.ts';
import { type PgCluster, pgCluster } from '../../src/facts/pg-cluster.ts';
import { pgDatabase } from '../../src/facts/pg-database.ts';
import { pgLogin } from '../../src/facts/pg-login.ts';
import { pgRole } from '../../src/facts/pg-role.ts';
import { type TcpListen, tcpListen } from '../../src/facts/tcp-listen.ts';
import { type TcpReach, tcpReach } from '../../src/facts/tcp-reach.ts';
import type { LoginAnswer } from '../../src/hosts/login.ts';
import { asking } from '../kit/asking.ts';
import { factOf, hostInfo, siteOf } from '../kit/facts.ts';

const newdb = hostInfo('newdb');
const at = { address: newdb.address, port: 5432 };
const request = { ...at, database: 'engine', user: 'engine', password: 'canary' };
const site = { ...siteOf('engine'), hostAt: (address: string) => (address === newdb.address ? newdb : undefined) };
const reachOf = (state: TcpReach['state'], more = {}) =>
  factOf(tcpReach(at.address, 5432).on('engine'), { state, why: `it is ${state}` }, more);
const listenOf = (outside: boolean, more = {}) =>
  factOf<TcpListen>(tcpListen(5432).on('newdb'), { outside, inside: !outside }, more);
const told = (found: { findings?: readonly { code: string; severity: string }[] }) =>
  (found.findings ?? []).map(({ code, severity }) => `${severity} ${code}`);

describe('a port that a step will need', () => {
  const params = portCheck.params.parse({ ...at, open: true });
  const check = (reach: ReturnType<typeof reachOf>, listen: ReturnType<typeof listenOf>, address = at.address) =>
    portCheck.preflight?.({ ...params, address }, asking(reach, listen).ask, site) ?? {};

  test.each([
    ['that is open', reachOf('open'), listenOf(true), []],
    ['where packets vanish though somebody listens', reachOf('silent'), listenOf(true), ['error PORT_BLOCKED']],
    ['that is refused though somebody listens', reachOf('refused'), listenOf(true), ['error PORT_BLOCKED']],
    ['where packets vanish and nobody listens yet', reachOf('silent'), listenOf(false), ['warning PORT_SILENT']],
    ['that is refused because nobody listens yet', reachOf('refused'), listenOf(false), []],
    ['that sshd lets nobody ask for', reachOf('forbidden'), listenOf(false), ['error CONNECT_REFUSED']],
    [
      'that a command of an earlier step may open',
      reachOf('silent'),
      listenOf(true, { after: 'open-port' }),
      ['warning PORT_BLOCKED'],
    ],
    [
      'to which a command of an earlier step may lead',
      reachOf('silent', { after: 'route' }),
      listenOf(true),
      ['warning PORT_BLOCKED'],
    ],
  ])('%s', (_, reach, listen, expected) => {
    expect(told(check(reach, listen))).toEqual(expected);
  });

  test('of a machine the plan does not know is warned of, because no step of the plan will open it', () => {
    const far = factOf(tcpReach('far.example.com', 5432).on('engine'), { state: 'refused' as const, why: 'Connection refused' });
    expect(told(portCheck.preflight?.({ ...params, address: 'far.example.com' }, asking(far).ask, site) ?? {})).toEqual([
      'warning CONNECT_REFUSED',
    ]);
  });

  test('that is not open yet is asked again in its step; one to be closed is not asked for at all', () => {
    expect(check(reachOf('refused'), listenOf(false)).notes).toEqual([
      'it is not open yet; asked again when this step is reached',
    ]);
    const { ask, asked } = asking();
    expect(portCheck.preflight?.({ ...params, open: false }, ask, site)).toEqual({});
    expect(asked).toEqual([]);
  });
});

describe('a login that a step will need', () => {
  const answered = (answer: LoginAnswer) => factOf(pgLogin(request).on('engine'), answer);
  const wrong = answered({ ok: false, code: '28P01', why: 'password authentication failed' });

  test('is tried when nothing is still to be made, and its refusal is a blocker with what to do', () => {
    const found = loginPreflight(request, asking(reachOf('open'), listenOf(true), wrong).ask, site);
    expect(found.findings).toMatchObject([
      { code: 'LOGIN_REFUSED', severity: 'error', message: expect.stringContaining('the password of engine is wrong') },
    ]);
    const right = answered({ ok: true, version: '15.8' });
    expect(loginPreflight(request, asking(reachOf('open'), listenOf(true), right).ask, site)).toEqual({ findings: [] });
  });

  test('is not tried while earlier steps make its role and database: it says after which', () => {
    const role = factOf(pgRole(5432, 'engine').on('newdb'), undefined, { after: 'role' });
    const database = factOf(pgDatabase(5432, 'engine').on('newdb'), undefined, { after: 'database' });
    const { ask, asked } = asking(reachOf('open'), listenOf(true), role, database, wrong);
    expect(loginPreflight(request, ask, site)).toEqual({ findings: [], notes: ['the login is tried after role, database'] });
    const shut = loginPreflight(request, asking(reachOf('silent'), listenOf(false), role, database).ask, site);
    expect([told(shut), shut.notes]).toEqual([['warning PORT_SILENT'], ['the login is tried after role, database']]);
    expect(asked.join()).not.toContain('pgLogin');
  });

  test('to a server that is newer than the programs beside the service is a warning: backups there would be refused', () => {
    const versions = (ours: number | undefined, theirs: number) =>
      loginPreflight(
        request,
        asking(
          ...[reachOf('open'), listenOf(true), answered({ ok: true, version: '' })],
          factOf(pgClientVersion(5432).on('engine'), ours),
          factOf(pgCluster(5432).on('newdb'), { version: theirs } as PgCluster),
        ).ask,
        site,
      );
    expect(told(versions(13, 15))).toEqual(['warning CLIENT_OLDER']);
    for (const ours of [15, 16, undefined]) expect(told(versions(ours, 15))).toEqual([]);
  });

  test('tells of a shut way before all else, and has the password in no key', () => {
    expect(told(loginPreflight(request, asking(reachOf('silent'), listenOf(true)).ask, site))).toEqual(['error PORT_BLOCKED']);
    expect(pgLogin(request).key).not.toContain('canary');
  });
});
