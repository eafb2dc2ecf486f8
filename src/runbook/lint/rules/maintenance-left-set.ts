import { isOpen } from '../../../actions/partial-params.ts';
import { paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'MAINTENANCE_LEFT_SET',
  severity: 'warning',
  why: 'Nobody notices until a host fails and its virtual machines, the engine among them, are started nowhere.',
  fix: 'Put back in the end what was before.',
  bad: `
steps:
  - { id: maintenance, host: he_host, uses: ovirt.maintenance, with: { mode: global } }`,
  good: `
steps:
  - { id: maintenance, host: he_host, uses: ovirt.maintenance, with: { mode: global } }
  - { id: lift, host: he_host, uses: ovirt.maintenance, with: { mode: "\${{ steps.maintenance.outputs.before }}" } }`,
  check(book) {
    const all = book.all('set-maintenance');
    return all.flatMap(({ by, what }) => {
      if (what.mode === 'none' || isOpen(what.mode)) return [];
      const isLifted = all.some(
        (other) => other.by !== by && !book.isBefore(other.by, by) && (other.what.mode === 'none' || isOpen(other.what.mode)),
      );
      if (isLifted) return [];
      const at = paramOf(by.step, 'mode')?.at;
      return [{ args: { step: by.step.id, mode: what.mode }, step: by, at }];
    });
  },
});
