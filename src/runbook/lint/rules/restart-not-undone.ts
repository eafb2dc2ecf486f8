import { isOpen } from '../../../actions/partial-params.ts';
import { paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';
import { maySame } from '../symbols.ts';

export default defineRule({
  code: 'RESTART_NOT_UNDONE',
  severity: 'warning',
  why:
    'A rollback goes backwards: it comes to the restart first, which leaves nothing to take back, and then puts the file back. The ' +
    'service goes on with what it read when it was restarted, and nothing looks wrong until its next start. A whole file that is put ' +
    'somewhere counts as one the service reads when its path names the service.',
  fix: 'Stop, change, start: backwards that is stop, put back, start.',
  bad: `
steps:
  - { id: conf, host: app, uses: config.set, with: { path: /etc/app.conf, set: { WORKERS: 8 } } }
  - { id: restart, host: app, uses: service.restart, with: { units: [app.service] } }`,
  good: `
steps:
  - { id: stop, host: app, uses: service.stop, with: { units: [app.service] } }
  - { id: conf, host: app, uses: config.set, with: { path: /etc/app.conf, set: { WORKERS: 8 } } }
  - { id: start, host: app, uses: service.start, with: { units: "\${{ steps.stop.outputs.stopped }}" } }`,
  check(book) {
    return book.all('restart-unit').flatMap(({ by, what }) => {
      const changed = book
        .all('configure')
        .find(
          (change) =>
            change.what.role === what.role &&
            (change.what.keys.length > 0 || mayRead(what.unit, change.what.path)) &&
            book.isBefore(change.by, by) &&
            !book
              .all('stop-unit')
              .some(
                (stop) =>
                  maySame(stop.what.unit, what.unit) && book.maySameHost(stop.what.role, what.role) && book.isBefore(stop.by, by),
              ),
        );
      if (!changed) return [];
      const at = paramOf(by.step, 'units')?.at;
      const args = { step: by.step.id, unit: what.unit, change: changed.by.step.id, path: changed.what.path };
      return [{ args, step: by, at }];
    });
  },
});

/** Whether a word of the unit's name begins or ends like one of the path: sshd.service may read /etc/ssh/sshd_config. */
function mayRead(unit: string, path: string): boolean {
  if (isOpen(unit) || isOpen(path)) return true;
  const words = (text: string) => text.toLowerCase().match(/[a-z]{3,}/g) ?? [];
  const ofUnit = words(unit.replace(/\.\w+$/, ''));
  return words(path).some((word) => ofUnit.some((name) => name.includes(word) || word.includes(name)));
}
