import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { actionsOf, rolesOf } from '../src/cli/prepare.ts';
import { readFacts } from '../src/facts/read.ts';
import { openFleet } from '../src/hosts/open-fleet.ts';
import type { Inventory } from '../src/inventory/inventory.ts';
import { makePlan } from '../src/plan/make-plan.ts';
import { resolveInputs } from '../src/runbook/inputs.ts';
import { loadRunbook } from '../src/runbook/load.ts';
import type { Runbook } from '../src/runbook/runbook.ts';
import { SshTransport } from '../src/transports/ssh.ts';
import { counting } from '../test/kit/counting.ts';
import { inventoryOf, labOfBench, median, record, timed } from './bench.ts';

const RUNBOOK = join(import.meta.dirname, '..', 'runbooks', 'ovirt', 'migrate-engine-db.yaml');
const ROUNDS = 5;

/** Plans the move on hosts nobody is connected to, as `ferry plan` does, and tells how many round trips each host saw. */
async function planOnce(
  runbook: Runbook,
  inventory: Inventory,
): Promise<{ ms: number; trips: Map<string, number>; steps: number }> {
  const trips = new Map<string, number>();
  const fleet = openFleet(inventory.hosts, (settings) =>
    counting(new SshTransport(settings), () => trips.set(settings.name, (trips.get(settings.name) ?? 0) + 1)),
  );
  const roles = rolesOf(runbook, inventory, new Map());
  const resolved = resolveInputs(runbook, new Map(), (role) => fleet.info(roles.get(role)?.name ?? role));
  if (!('inputs' in resolved)) throw new Error(resolved.diagnostics.map(({ message }) => message).join('\n'));
  const actions = await actionsOf(runbook);
  let steps = 0;
  try {
    const ms = await timed(async () => {
      const plan = await makePlan({
        runbook,
        actions,
        inputs: resolved.inputs,
        roles,
        madeAt: new Date().toISOString(),
        read: (host, refs) => readFacts(fleet.host(host), refs),
      });
      if (plan.alreadyDone || plan.blockers.length > 0) throw new Error('the lab is not fresh: ferry lab reset');
      steps = plan.lines.length;
    });
    return { ms, trips, steps };
  } finally {
    await fleet.close();
  }
}

const inventory = await inventoryOf(await labOfBench());
const loaded = await loadRunbook(RUNBOOK, { readFile: (path) => readFile(path) });
if (!('runbook' in loaded)) throw new Error('the runbook has errors: ferry validate');
const { runbook } = loaded;
const rounds = [];
for (let round = 0; round < ROUNDS; round += 1) rounds.push(await planOnce(runbook, inventory));
const [last] = rounds.slice(-1);
const perHost = [...(last?.trips ?? [])].map(([host, count]) => `${host} ${count}`).join(', ');
record(
  `plan: migrate-engine-db, ${last?.steps} steps, ${median(rounds.map(({ ms }) => ms)).toFixed(0)} ms; round trips: ${perHost}`,
);
