import { paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';
import { maySame } from '../symbols.ts';

const FAMILIES = ['ENGINE_DB', 'DWH_DB'];

export default defineRule({
  code: 'ENGINE_URL_STALE',
  severity: 'warning',
  why: 'oVirt writes the server into HOST and, once more, into URL. Shell tools read the first, the engine the second: it starts happily on the old database, and its health page says all is well.',
  fix: 'Set both. Taking the URL out does not help: it then means localhost.',
  bad: `
steps:
  - id: point
    host: engine
    uses: config.set
    with:
      path: /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf
      set: { DWH_DB_HOST: "\${{ roles.new_db.address }}" }
  - { id: look, host: new_db, uses: postgres.read, with: { database: ovirt_engine_history } }`,
  good: `
steps:
  - id: read
    host: engine
    uses: config.read
    with: { files: [/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/*.conf], keys: { url: DWH_DB_URL } }
  - id: point
    host: engine
    uses: config.set
    with:
      path: /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf
      set:
        DWH_DB_HOST: "\${{ roles.new_db.address }}"
        DWH_DB_URL: "\${{ jdbcUrl(steps.read.outputs.url, roles.new_db.address, 5432, 'ovirt_engine_history') }}"
  - { id: look, host: new_db, uses: postgres.read, with: { database: ovirt_engine_history } }`,
  check(book) {
    const all = book.all('configure');
    return all.flatMap(({ by, what }) =>
      FAMILIES.flatMap((family) => {
        const url = `${family}_URL`;
        const keys = what.keys.filter((key) => ['HOST', 'PORT', 'DATABASE'].some((part) => key === `${family}_${part}`));
        const hasUrl = all.some(
          (other) => other.what.role === what.role && maySame(other.what.path, what.path) && other.what.keys.includes(url),
        );
        if (keys.length === 0 || hasUrl) return [];
        const at = paramOf(by.step, 'set')?.at;
        return [{ args: { step: by.step.id, keys: keys.join(', '), url, path: what.path }, step: by, at }];
      }),
    );
  },
});
