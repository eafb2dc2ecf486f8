import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { fleetOf } from '../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../src/cli/prepare.ts';
import type { Fleet } from '../../src/hosts/fleet.ts';
import { sh } from '../../src/hosts/sh.ts';

let fleet: Fleet;
beforeAll(async () => {
  const labDir = inject('labDir');
  fleet = fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir)));
});
afterAll(() => fleet.close());

// Two steps side by side once got each other's answers: both had taken the one shell that was free.
test('commands given to a host at once keep their own answers, also when there are more than shells', async () => {
  const host = fleet.host('newdb');
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        n % 4 === 3 ? host.run(sh`cat; seq 1 500`, { stdin: `${n}\n` }) : host.run(sh`echo ${n}; sleep 0.05; seq 1 500`),
      ),
    );
    const wanted = Array.from({ length: 500 }, (_, n) => `${n + 1}\n`).join('');
    answers.forEach(({ code, stdout }, n) => {
      expect([n, code, stdout === `${n}\n${wanted}`]).toEqual([n, 0, true]);
    });
  }
});
