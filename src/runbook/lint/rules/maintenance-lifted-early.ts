import { isOpen } from '../../../actions/partial-params.ts';
import { paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'MAINTENANCE_LIFTED_EARLY',
  severity: 'warning',
  why: 'An engine needs minutes to come up. Out of maintenance, the hosts take it for dead and restart its machine in the middle.',
  fix: 'Wait for its health page first.',
  bad: `
steps:
  - { id: maintenance, host: he_host, uses: ovirt.maintenance, with: { mode: global } }
  - { id: restart, host: engine, uses: service.restart, with: { units: [ovirt-engine.service] } }
  - { id: lift, host: he_host, uses: ovirt.maintenance, with: { mode: "\${{ steps.maintenance.outputs.before }}" } }`,
  good: `
steps:
  - { id: maintenance, host: he_host, uses: ovirt.maintenance, with: { mode: global } }
  - { id: restart, host: engine, uses: service.restart, with: { units: [ovirt-engine.service] } }
  - { id: health, host: engine, uses: http.check, with: { url: "http://localhost/ovirt-engine/services/health", text: DB Up! } }
  - { id: lift, host: he_host, uses: ovirt.maintenance, with: { mode: "\${{ steps.maintenance.outputs.before }}" } }`,
  check(book) {
    const proofs = [...book.all('prove'), ...book.all('run-command').filter(({ what }) => what.readOnly)];
    return book.all('set-maintenance').flatMap(({ by, what }) => {
      if (what.mode !== 'none' && !isOpen(what.mode)) return [];
      const set = book.all('set-maintenance').some((other) => book.isBefore(other.by, by));
      const start = book
        .all('start-unit', 'restart-unit')
        .find(
          (each) =>
            book.isBefore(each.by, by) &&
            !proofs.some((proof) => book.isBefore(each.by, proof.by) && book.isBefore(proof.by, by)),
        );
      if (!set || !start) return [];
      const at = paramOf(by.step, 'mode')?.at;
      return [{ args: { step: by.step.id, start: start.by.step.id }, step: by, at }];
    });
  },
});
