import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { fleetOf } from '../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../src/cli/prepare.ts';
import type { Fleet } from '../../src/hosts/fleet.ts';
import { expectSame, Step } from '../kit/contract.ts';

const labDir = inject('labDir');
const [CERTIFICATE, KEY] = ['/etc/postgresql/server.crt', '/etc/postgresql/server.key'];
const steps: [action: string, params: object][] = [
  [
    'certificate.make',
    { certificate: CERTIFICATE, key: KEY, names: ['newdb.lab.example', 'newdb'], owner: 'postgres', group: 'postgres' },
  ],
  ['postgres.settings', { settings: { ssl: true, ssl_cert_file: CERTIFICATE, ssl_key_file: KEY, listen_addresses: '*' } }],
  ['postgres.hba', { rules: [{ database: 'all', role: 'walker', address: 'all', type: 'hostssl' }] }],
];
let fleet: Fleet;

/** What a client on the engine machine is told. */
async function login(options: string): Promise<string> {
  const script = `PGPASSWORD=walk psql -XAtq "host=newdb.lab.example user=walker dbname=postgres ${options}" -c 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()' 2>&1`;
  return (await execOn(labDir, 'engine', script)).stdout.trim();
}

beforeAll(async () => {
  fleet = fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir)));
});
afterAll(() => fleet.close());

test('a PostgreSQL server gets TLS with a certificate made on it: clients that check it get in, those without TLS do not', async () => {
  await execOn(labDir, 'newdb', `runuser -u postgres -- psql -c "CREATE ROLE walker LOGIN PASSWORD 'walk'"`);
  const done: { step: Step; change: Awaited<ReturnType<Step['planChange']>>; before: Awaited<ReturnType<Step['state']>> }[] = [];
  for (const [index, [action, params]] of steps.entries()) {
    const step = await Step.make(fleet, action, 'newdb', params, `r-tls-${index}`);
    const before = await step.state();
    const change = await step.planChange();
    await step.intend(change);
    await step.apply(change);
    await step.verify(change);
    await step.release();
    done.push({ step, change, before });
  }
  const made = (await execOn(labDir, 'newdb', `cat ${CERTIFICATE}`)).stdout;
  await execOn(labDir, 'engine', `cat >/srv/newdb.crt <<'END'\n${made}END`);
  expect(await login('sslmode=verify-full sslrootcert=/srv/newdb.crt')).toBe('t');
  expect(await login('sslmode=disable')).toContain('no pg_hba.conf entry');
  expect(await login('sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt')).toMatch(/certificate|does not exist/);

  for (const { step, change, before } of done.reverse()) {
    await step.rollback(change);
    expectSame(before, await step.state());
    await step.release();
  }
  expect((await execOn(labDir, 'newdb', `ls ${CERTIFICATE} ${KEY} 2>/dev/null`)).stdout).toBe('');
  expect(await login('sslmode=require')).not.toBe('t');
});
