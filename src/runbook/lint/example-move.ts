const STEPS = {
  stop: '{ id: stop, host: app, uses: service.stop, with: { units: [app.service] } }',
  fence: '{ id: fence, host: old_db, uses: postgres.freeze, with: { database: app } }',
  quiet: '{ id: quiet, host: old_db, uses: postgres.connections, with: { database: app, max: 0 } }',
  dump: '{ id: dump, host: old_db, uses: postgres.dump, with: { database: app, path: /root/app.dump } }',
  copy: '{ id: copy, host: new_db, uses: file.transfer, with: { from: { host: old_db, path: /root/app.dump }, path: /root/app.dump } }',
  restore: '{ id: restore, host: new_db, uses: postgres.restore, with: { database: app, owner: app, path: /root/app.dump } }',
  compare:
    '{ id: compare, host: new_db, uses: postgres.compare, with: { database: app, with: { host: old_db, database: app } } }',
  point:
    '{ id: point, host: app, uses: config.set, with: { path: /etc/app.conf, set: { DB_HOST: "${{ roles.new_db.address }}" } } }',
  line: '{ id: line, host: new_db, uses: postgres.write-line, with: { database: app } }',
  start: '{ id: start, host: app, uses: service.start, with: { units: "${{ steps.stop.outputs.stopped }}" } }',
  tidyOld: '{ id: tidy-old, host: old_db, uses: file.remove, with: { paths: [/root/app.dump], keep: false } }',
  tidyNew: '{ id: tidy-new, host: new_db, uses: file.remove, with: { paths: [/root/app.dump], keep: false } }',
};

type Name = keyof typeof STEPS;

/** The whole way of a database from one server to another, in the order in which nothing is lost. */
export const SOUND_MOVE: readonly Name[] = [
  ...(['stop', 'fence', 'dump', 'copy', 'restore', 'compare', 'point', 'line', 'start', 'tidyOld', 'tidyNew'] as const),
];

/** An example of a move for the rules about moves: the named steps, in that order. */
export function exampleMove(names: readonly Name[]): string {
  return `steps:\n${names.map((name) => `  - ${STEPS[name]}`).join('\n')}\n`;
}

/** The sound move without some of its steps. */
export function moveWithout(...left: readonly Name[]): string {
  return exampleMove(SOUND_MOVE.filter((name) => !left.includes(name)));
}
