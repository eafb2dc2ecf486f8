import { isOpen } from '../../../actions/partial-params.ts';
import { paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';

const ENGINE = '/etc/ovirt-engine/';
const DWH = '/etc/ovirt-engine-dwh/';
const ADDRESS = /^ENGINE_DB_(HOST|PORT|URL|DATABASE)$/;

export default defineRule({
  code: 'ENGINE_DWH_FORGOTTEN',
  severity: 'warning',
  why: 'With the data warehouse on the engine machine, its own copy of these keys counts for dwhd, which writes to the engine database, and for engine-backup.',
  fix: 'Change both files; silence it where no data warehouse is installed.',
  bad: `
inputs:
  url: { type: string }
steps:
  - id: point
    host: engine
    uses: config.set
    with:
      path: /etc/ovirt-engine/engine.conf.d/10-setup-database.conf
      set: { ENGINE_DB_HOST: db2.example.com, ENGINE_DB_URL: "\${{ inputs.url }}" }`,
  good: `
inputs:
  url: { type: string }
steps:
  - id: point
    host: engine
    uses: config.set
    with:
      path: /etc/ovirt-engine/engine.conf.d/10-setup-database.conf
      set: &address { ENGINE_DB_HOST: db2.example.com, ENGINE_DB_URL: "\${{ inputs.url }}" }
  - id: point-dwhd
    host: engine
    uses: config.set
    with: { path: /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf, set: *address }`,
  check(book) {
    const all = book.all('configure').filter(({ what }) => what.keys.some((key) => ADDRESS.test(key)));
    if (all.some(({ what }) => what.path.startsWith(DWH) || isOpen(what.path))) return [];
    return all
      .filter(({ what }) => what.path.startsWith(ENGINE))
      .slice(0, 1)
      .map(({ by }) => {
        const at = paramOf(by.step, 'set')?.at;
        return { args: { step: by.step.id }, step: by, at };
      });
  },
});
