import type { LintBook, LintStep } from '../book.ts';
import { mayBothRun } from '../conditions.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'STEPS_CONFLICT',
  severity: 'error',
  why: 'Which comes first is left to chance: the plan predicts one order, the run takes the other, and a rollback cannot tell what was before.',
  fix: 'Put them in an order.',
  bad: `
steps:
  - { id: workers, host: app, uses: config.set, with: { path: /etc/app.conf, set: { WORKERS: 8 } } }
  - { id: memory, host: app, needs: [], uses: config.set, with: { path: /etc/app.conf, set: { MEMORY: 4096 } } }`,
  good: `
steps:
  - { id: workers, host: app, uses: config.set, with: { path: /etc/app.conf, set: { WORKERS: 8 } } }
  - { id: memory, host: app, needs: [workers], uses: config.set, with: { path: /etc/app.conf, set: { MEMORY: 4096 } } }`,
  check(book) {
    // By fact, so that a long runbook is not gone through pair by pair.
    const touching = new Map<string, { step: LintStep; changes: boolean; role: string; key: string }[]>();
    for (const step of book.steps) {
      const { changes = [], reads = [] } = step.touches;
      const all = [...changes.map((one) => [one, true] as const), ...reads.map((one) => [one, false] as const)];
      for (const [[role, key], isChange] of all) {
        const name = `${book.homeOf(role)} ${key}`;
        touching.set(name, [...(touching.get(name) ?? []), { step, changes: isChange, role, key }]);
      }
    }
    const told = new Set<string>();
    return [...touching.values()].flatMap((group) =>
      group.flatMap((late, index) =>
        group.slice(0, index).flatMap((early) => {
          const pair = `${early.step.step.id} ${late.step.step.id}`;
          if (told.has(pair) || !(early.changes || late.changes) || !clash(book, early.step, late.step)) return [];
          told.add(pair);
          const args = { step: late.step.step.id, other: early.step.step.id, fact: late.key, role: late.role };
          return [{ args, step: late.step }];
        }),
      ),
    );
  },
});

function clash(book: LintBook, a: LintStep, b: LintStep): boolean {
  return book.areSideBySide(a, b) && mayBothRun(a.step, b.step);
}
