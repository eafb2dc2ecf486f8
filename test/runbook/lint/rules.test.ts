import { describe, expect, test } from 'vitest';
import { rules } from '../../../src/runbook/lint/rules.ts';
import { found, shown } from '../../kit/lint.ts';

describe('every rule proves its own examples', () => {
  test.each(rules.map((rule) => [rule.code, rule] as const))('%s finds what is wrong in the bad one', async (code, rule) => {
    expect(await found(rule.bad)).toContain(`${rule.severity} ${code}`);
  });

  test.each(rules.map((rule) => [rule.code, rule] as const))(
    '%s and all others find nothing in the good one',
    async (_, rule) => {
      expect(await shown(rule.good)).toBe('');
    },
  );
});
