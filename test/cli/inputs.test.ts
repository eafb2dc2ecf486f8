import { expect, it, onTestFinished, vi } from 'vitest';
import type { CommonOptions } from '../../src/cli/contract.ts';
import { gatherInputs } from '../../src/cli/inputs.ts';
import { frozenReader, readRunbook } from '../../src/cli/prepare.ts';

const text = `ferry: 1
name: secret
inputs: { password: { type: secret, description: A password } }
roles: { a: { description: a host } }
steps:
  - { id: one, host: a, uses: config.read, with: { files: [/etc/x], expect: { A: "\${{ inputs.password }}" } } }
`;
const runbook = await readRunbook('r.yaml', frozenReader([{ path: 'r.yaml', text }]), { lint: false });
const options: CommonOptions = {
  ...{ inputs: new Map(), secrets: new Map(), roles: new Map(), yes: true, json: true },
};
const gather = (variable: string, more: Partial<CommonOptions> = {}) => {
  vi.stubEnv('FERRY_INPUT_PASSWORD', variable);
  onTestFinished(() => void vi.unstubAllEnvs());
  return gatherInputs(runbook, { ...options, ...more }, new Map());
};

it('a secret from FERRY_INPUT_NAME is held to what one from env: is: an empty one is none', async () => {
  expect(String((await gather('geheim')).get('password'))).toBe('[secret]');
  await expect(gather('')).rejects.toMatchObject({
    code: 'SECRET_UNAVAILABLE',
    args: { source: 'env:FERRY_INPUT_PASSWORD', why: 'it is empty' },
  });
});

it('one that --secret overrides is not looked at', async () => {
  vi.stubEnv('DB_PASSWORD', 'geheim');
  const inputs = await gather('', { secrets: new Map([['password', 'env:DB_PASSWORD']]) });
  expect(inputs.get('password')).toMatchObject({ source: 'env:DB_PASSWORD' });
});
