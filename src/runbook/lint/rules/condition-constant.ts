import { constantValue } from '../conditions.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'CONDITION_CONSTANT',
  severity: 'warning',
  why: 'A step nobody can reach was mostly meant to be done, and a condition that always holds was meant to hold it back.',
  fix: 'Compare with what the input can be.',
  bad: `
inputs:
  mode: { type: string, default: copy }
steps:
  - { id: look, host: db, when: "inputs.mode == 'copy' && inputs.mode == 'stream'", uses: postgres.read, with: { database: app } }`,
  good: `
inputs:
  mode: { type: string, default: copy }
steps:
  - { id: look, host: db, when: "inputs.mode == 'copy' || inputs.mode == 'stream'", uses: postgres.read, with: { database: app } }`,
  check(book) {
    return book.models.flatMap((model) =>
      model.items.flatMap((item) => {
        if (item.kind === 'checkpoint' || !item.when) return [];
        const value = constantValue(item.when.source, model);
        if (value === null) return [];
        const what = value ? 'it holds nothing back' : 'what it stands on is never done';
        return [{ args: { condition: item.when.source, value: String(value), what }, at: item.when, allow: item.allow }];
      }),
    );
  },
});
