import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { fleetOf } from '../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../src/cli/prepare.ts';
import type { Fleet } from '../../src/hosts/fleet.ts';
import { NFTABLES_DOWN, NFTABLES_UP } from '../contract/firewalls.ts';
import { expectSame, Step } from '../kit/contract.ts';

// A port with nothing behind it: what comes through a firewall is refused, what does not gets no answer or is prohibited.
const PORT = 5999;
const labDir = inject('labDir');
let fleet: Fleet;
let step: Step | undefined;

/** What one host gets when it knocks at the port of newdb. */
async function knock(from: string): Promise<string> {
  const script = `timeout 3 bash -c '</dev/tcp/newdb/${PORT}' 2>&1; [ $? != 124 ] || echo timeout`;
  const said = (await execOn(labDir, from, script)).stdout;
  return said.includes('refused') ? 'through' : said.includes('No route') || said.includes('timeout') ? 'kept out' : said;
}

const run = (script: string) => execOn(labDir, 'newdb', script);

beforeAll(async () => {
  fleet = fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir)));
});
afterEach(() => step?.release());
afterAll(() => fleet.close());

describe.each([
  ['nftables', NFTABLES_UP, NFTABLES_DOWN],
  [
    'firewalld',
    'DEBIAN_FRONTEND=noninteractive apt-get install -y -q firewalld >/dev/null && systemctl start firewalld && firewall-cmd --state',
    'DEBIAN_FRONTEND=noninteractive apt-get purge -y -q firewalld >/dev/null; nft flush ruleset',
  ],
])('%s that is really running', (kind, up, down) => {
  afterAll(() => run(down));

  test('lets in the client that is named and nobody else, also after a boot, until it is taken back', async () => {
    expect((await run(up)).code).toBe(0);
    expect([await knock('engine'), await knock('dwh')]).toEqual(['kept out', 'kept out']);
    step = await Step.make(
      fleet,
      'firewall.open',
      'newdb',
      { ports: [PORT], from: ['engine.lab.example'] },
      `r-firewall-${kind}`,
    );
    const before = await step.state();
    const change = await step.planChange();
    await step.intend(change);
    expect((await step.apply(change)).outputs).toMatchObject({ firewall: kind });
    await step.verify(change);
    expect([await knock('engine'), await knock('dwh')]).toEqual(['through', 'kept out']);

    // What a boot does to it. firewalld is there before its rules are.
    await run(`systemctl restart ${kind}`);
    await expect.poll(() => knock('dwh'), { timeout: 20_000 }).toBe('kept out');
    expect(await knock('engine')).toBe('through');

    await step.rollback(change);
    expectSame(before, await step.state());
    expect(await knock('engine')).toBe('kept out');
    await run(`systemctl restart ${kind}`);
    await expect.poll(() => knock('engine'), { timeout: 20_000 }).toBe('kept out');
  });
});
