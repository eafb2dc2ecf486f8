import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'CHECKPOINT_UNREACHABLE',
  severity: 'warning',
  why: 'A checkpoint promises a place one can come back to. Behind a step that cannot be taken back the promise is empty.',
  fix: 'Tell how it is taken back, or do it before the checkpoint.',
  bad: `
steps:
  - { id: stop, host: app, uses: service.stop, with: { units: [app.service] } }
  - checkpoint: quiet
  - { id: upgrade, host: app, uses: command.run, with: { argv: [/opt/app/upgrade], irreversible: it rewrites the data }, confirm: Upgrade? }
  - { id: start, host: app, uses: service.start, with: { units: "\${{ steps.stop.outputs.stopped }}" } }`,
  good: `
steps:
  - { id: stop, host: app, uses: service.stop, with: { units: [app.service] } }
  - { id: upgrade, host: app, uses: command.run, with: { argv: [/opt/app/upgrade], irreversible: it rewrites the data }, confirm: Upgrade? }
  - checkpoint: upgraded
  - { id: start, host: app, uses: service.start, with: { units: "\${{ steps.stop.outputs.stopped }}" } }`,
  check(book) {
    return book.steps.flatMap((step) => {
      const isFinal =
        step.action.irreversible !== undefined ||
        step.effects.some((effect) => effect.does === 'run-command' && !effect.reversible);
      const behind = book.runbook.checkpoints.filter(({ afterStep }) => afterStep <= book.indexOf(step));
      if (!isFinal || behind.length === 0) return [];
      return [{ args: { step: step.step.id, checkpoints: behind.map(({ name }) => `"${name}"`).join(', ') }, step }];
    });
  },
});
