import { describe, expect, test } from 'vitest';
import { frozenReader, readRunbook, rolesOf } from '../../src/cli/prepare.ts';
import { FindingsError } from '../../src/errors/findings-error.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { rules } from '../../src/runbook/lint/rules.ts';
import type { Runbook } from '../../src/runbook/runbook.ts';
import { wholeRunbook } from '../kit/lint.ts';

const example = (code: string) => wholeRunbook(rules.find((rule) => rule.code === code)?.bad ?? '');
const reader = (code: string) => frozenReader([{ path: 'r.yaml', text: example(code) }]);

describe('a runbook the linter finds fault with', () => {
  test('is refused for an error, with all findings, before anything else is looked at', async () => {
    const thrown = await readRunbook('r.yaml', reader('FILE_NOT_MADE')).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(FindingsError);
    expect(thrown).toMatchObject({ code: 'RUNBOOK_INVALID', args: { count: 1 } });
    expect((thrown as FindingsError).findings.map(({ code }) => code)).toContain('FILE_NOT_MADE');
  });

  test('is taken with its warnings', async () => {
    const runbook = await readRunbook('r.yaml', reader('MAINTENANCE_LEFT_SET'));
    expect(runbook.warnings.map(({ code }) => code)).toEqual(['MAINTENANCE_LEFT_SET']);
  });

  test('is read as it is when a run has begun on it', async () => {
    const runbook = await readRunbook('r.yaml', reader('FILE_NOT_MADE'), { lint: false });
    expect(runbook.steps.length).toBeGreaterThan(1);
    expect(runbook.warnings).toEqual([]);
  });
});

describe('the hosts of roles', () => {
  const hosts = new Map([['newdb', {}]]);
  const inventory = { file: 'inventory.yaml', hosts, roles: new Map(), groups: new Map() } as unknown as Inventory;
  const runbook = { roles: [{ name: 'new_db' }], sources: [] } as unknown as Runbook;
  const refusal = (given: [string, string[]][]) => rolesOf(runbook, inventory, new Map(given)).catch((error: unknown) => error);

  test('that were mistyped are an error of the command line, those that are missing one of the inventory', async () => {
    expect(await refusal([['new_db', ['newbd']]])).toMatchObject({ code: 'ROLE_OPTION_WRONG', exit: 64, args: { count: 1 } });
    expect(await refusal([])).toMatchObject({ code: 'INVENTORY_INVALID', exit: 65 });
  });
});
