import { paramOf } from '../book.ts';
import { speaksOf } from '../moves.ts';
import { defineRule } from '../rule.ts';
import { maySame } from '../symbols.ts';

export default defineRule({
  code: 'SERVICE_LEFT_STOPPED',
  severity: 'warning',
  why:
    'The service is down when the run is done; or, if it has moved to another host, it is still enabled here and comes back with the ' +
    'next reboot, beside the new one.',
  fix: 'Start what ran before, or say that it is stopped for good.',
  bad: `
steps:
  - { id: stop, host: app, uses: service.stop, with: { units: [app.service] } }
  - { id: conf, host: app, uses: config.set, with: { path: /etc/app.conf, set: { WORKERS: 8 } } }`,
  good: `
steps:
  - { id: stop, host: app, uses: service.stop, with: { units: [app.service] } }
  - { id: conf, host: app, uses: config.set, with: { path: /etc/app.conf, set: { WORKERS: 8 } } }
  - { id: start, host: app, uses: service.start, with: { units: "\${{ steps.stop.outputs.stopped }}" } }`,
  check(book) {
    return book.steps.flatMap((step) => {
      const left = step.effects.flatMap((effect) => {
        if (effect.does !== 'stop-unit' || effect.forGood) return [];
        const { unit, role } = effect;
        const isStarted = book
          .all('start-unit', 'restart-unit')
          .some(
            (start) =>
              !book.isBefore(start.by, step) && book.maySameHost(start.what.role, role) && maySame(start.what.unit, unit),
          );
        const bare = unit.replace(/\.service$/, '');
        const isSpokenOf = book
          .all('run-command')
          .some((command) => !book.isBefore(command.by, step) && !command.what.readOnly && speaksOf(command, bare));
        return isStarted || isSpokenOf ? [] : [unit];
      });
      if (left.length === 0) return [];
      const at = paramOf(step.step, 'units')?.at;
      return [{ args: { step: step.step.id, units: left.join(', '), role: step.step.role }, step, at }];
    });
  },
});
