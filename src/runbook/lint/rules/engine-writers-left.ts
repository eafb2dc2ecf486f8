import { isOpen } from '../../../actions/partial-params.ts';
import { paramOf } from '../book.ts';
import { movesOf } from '../moves.ts';
import { defineRule } from '../rule.ts';

const ENGINE = 'ovirt-engine.service';
const OTHERS = ['ovirt-engine-dwhd.service', 'ovirt-engine-notifier.service', 'ovirt-fence-kdump-listener.service'];

const MOVE = (units: string) => `
steps:
  - { id: stop, host: engine, uses: service.stop, with: { units: [${units}] } }
  - { id: fence, host: engine, uses: postgres.freeze, with: { database: engine } }
  - { id: dump, host: engine, uses: postgres.dump, with: { database: engine, path: /root/engine.dump } }
  - { id: copy, host: db, uses: file.transfer, with: { from: { host: engine, path: /root/engine.dump }, path: /root/engine.dump } }
  - { id: restore, host: db, uses: postgres.restore, with: { database: engine, owner: engine, path: /root/engine.dump } }
  - { id: compare, host: db, uses: postgres.compare, with: { database: engine, with: { host: engine, database: engine } } }
  - { id: point, host: engine, uses: file.put, with: { path: /etc/ovirt-engine/engine.conf.d/99-db.conf, content: "\${{ roles.db.address }}" } }
  - { id: line, host: db, uses: postgres.write-line, with: { database: engine } }
  - { id: start, host: engine, uses: service.start, with: { units: "\${{ steps.stop.outputs.stopped }}" } }
  - { id: tidy-old, host: engine, uses: file.remove, with: { paths: [/root/engine.dump], keep: false } }
  - { id: tidy-new, host: db, uses: file.remove, with: { paths: [/root/engine.dump], keep: false } }`;

export default defineRule({
  code: 'ENGINE_WRITERS_LEFT',
  severity: 'warning',
  why: 'The data warehouse writes into the engine database too: what it writes after the dump is lost, and the dump says that it still runs, which the next engine-setup refuses.',
  fix: 'Stop all four; those that are not installed are left alone.',
  bad: MOVE('ovirt-engine'),
  good: MOVE([ENGINE, ...OTHERS].map((unit) => unit.replace('.service', '')).join(', ')),
  check(book) {
    return movesOf(book).flatMap(({ dump }) => {
      // Of what is stopped only after the dump has begun, rows are missing in it.
      const stops = book.all('stop-unit').filter(({ by }) => !book.isBefore(dump.by, by));
      const engine = stops.find(({ what }) => what.unit === ENGINE);
      if (!engine) return [];
      const { by, what } = engine;
      const stopped = stops.filter((other) => book.maySameHost(other.what.role, what.role)).map((other) => other.what.unit);
      const running = OTHERS.filter((unit) => !stopped.includes(unit));
      if (running.length === 0 || stopped.some(isOpen)) return [];
      const at = paramOf(by.step, 'units')?.at;
      return [{ args: { step: by.step.id, units: running.join(', '), role: what.role }, step: by, at }];
    });
  },
});
