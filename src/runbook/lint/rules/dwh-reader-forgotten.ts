import { paramOf } from '../book.ts';
import { moveWithout } from '../example-move.ts';
import { movesOf } from '../moves.ts';
import { defineRule } from '../rule.ts';

const ADDRESS = /^DWH_DB_(HOST|PORT|URL|DATABASE)$/;
/** Who reads the data warehouse's database, and by what it finds it. */
const READERS: readonly (readonly [who: string, path: RegExp])[] = [
  [
    "the data warehouse's service (/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d)",
    /^\/etc\/ovirt-engine-dwh\/ovirt-engine-dwhd\.conf\.d\//,
  ],
  ["the engine's dashboard (/etc/ovirt-engine/engine.conf.d)", /^\/etc\/ovirt-engine\/engine\.conf\.d\//],
  ['Grafana (its data source under /etc/grafana)', /^\/etc\/grafana\//],
];

const point = (id: string, path: string, set: string) =>
  `  - { id: ${id}, host: app, uses: config.set, with: { path: ${path}, ${set} } }`;
const url = 'set: { DWH_DB_URL: "jdbc:postgresql://db2.example.com:5432/app" }';
const dwhd = point('point-dwhd', '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf', url);
const dashboard = point('point-dashboard', '/etc/ovirt-engine/engine.conf.d/10-setup-dwh-database.conf', url);
const source = point(
  'point-source',
  '/etc/grafana/conf/provisioning/datasources/ovirt-dwh.yaml',
  'format: yaml, set: { "datasources[0].url": "db2.example.com:5432" }',
);
const LINE = '  - { id: line,';
const moveWith = (...points: string[]) => moveWithout('point').replace(LINE, `${points.join('\n')}\n${LINE}`);

export default defineRule({
  code: 'DWH_READER_FORGOTTEN',
  severity: 'warning',
  why: 'Three programs find it by files of their own. One that is left out goes on with the old database, and nothing else tells: the engine and Grafana are well without it.',
  fix: 'Change all three; silence it where there is no Grafana.',
  bad: moveWith(dwhd),
  good: moveWith(dwhd, dashboard, source),
  check(book) {
    if (movesOf(book).length === 0) return [];
    const all = book.all('configure');
    const first = all.find(({ what }) => what.keys.some((key) => ADDRESS.test(key)));
    if (!first) return [];
    const left = READERS.filter(
      ([, path]) =>
        !all.some(({ what }) => path.test(what.path) && what.keys.some((key) => ADDRESS.test(key) || key.includes('url'))),
    );
    if (left.length === 0) return [];
    const args = { step: first.by.step.id, left: left.map(([who]) => who).join(', ') };
    return [{ args, step: first.by, at: paramOf(first.by.step, 'set')?.at }];
  },
});
