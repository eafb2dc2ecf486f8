import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commonOptions } from '../../src/cli/options.ts';
import { prepareSaved } from '../../src/cli/plan-run.ts';
import { SecretHashes } from '../../src/journal/secret-hash.ts';
import { sealPlan } from '../../src/plan/saved-plan.ts';
import { movePlan } from '../kit/plans.ts';

const RUNBOOK = `ferry: 1
name: move
inputs: { password: { type: secret } }
roles: { db: }
steps:
  - { id: put, host: db, uses: file.put, with: { path: /root/pw, content: "\${{ inputs.password }}" } }
`;
const folder = mkdtempSync(join(tmpdir(), 'ferry-saved-'));
const [here, elsewhere] = [join(folder, 'state'), join(folder, 'other-state')];
const password = join(folder, 'pw');
const inventory = join(folder, 'inventory.yaml');
const file = join(folder, 'move.plan');

describe('a saved plan with a secret', () => {
  beforeAll(() => {
    writeFileSync(password, 'another', { mode: 0o600 });
    writeFileSync(inventory, 'ferry: 1\nhosts:\n  here: { address: 192.0.2.1, user: root }\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (stateDir: string) => {
    const hashes = new SecretHashes(here);
    const saved = sealPlan({
      ...{ release: '0.1.0', path: join(folder, 'move.yaml'), inventory },
      sources: [{ path: join(folder, 'move.yaml'), text: RUNBOOK }],
      hosts: { here: 'root@192.0.2.1:22' },
      secrets: { password: { source: `file:${password}`, hash: hashes.hash('the former') } },
      secretsKey: hashes.keyName,
      plan: movePlan({ roles: { db: 'here' }, inputs: { password: { $secret: 'input:password' } } }),
    });
    return prepareSaved(file, saved, commonOptions({ inventory, stateDir, yes: true }, { env: {}, places: {} }), {});
  };

  it('is refused when it is another secret now', async () => {
    await expect(run(here)).rejects.toMatchObject({ code: 'SECRET_CHANGED' });
  });

  // It ran without a word: the key of another folder cannot tell one secret from another.
  it('is refused from another state folder, where nobody can tell whether it is the same', async () => {
    await expect(run(elsewhere)).rejects.toMatchObject({
      code: 'PLAN_KEY_OTHER',
      exit: 5,
      message: expect.stringMatching(
        /another state folder than \S+other-state: whether its secrets \(password\) .* cannot be told/,
      ),
      hint: expect.stringMatching(/--state-dir DIR .*ferry plan \S+move.yaml --out \S+move.plan/),
      left: 'Nothing was changed.',
    });
  });
});
