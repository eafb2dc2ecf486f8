import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { fleetOf } from '../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../src/cli/prepare.ts';
import type { Fleet } from '../../src/hosts/fleet.ts';
import { expectJournalable, expectSame, Step } from '../kit/contract.ts';
import { ElLikeHost, type MadePackage } from '../kit/el-like-host.ts';

const labDir = inject('labDir');
const HOST = 'dwh';
const host = new ElLikeHost(labDir, HOST);
const open: Step[] = [];
let fleet: Fleet;
let count = 0;

const made = (name: string, version: string, more: Partial<MadePackage> = {}): MadePackage => ({
  ...{ name, version, release: '1.el9', arch: 'noarch', files: { [`/opt/${name}/readme`]: { text: `${version}\n` } } },
  folders: [`/opt/${name}`],
  ...more,
});
const UNIT =
  '[Service]\nExecStart=/bin/sh -c "echo >>/srv/el-like/started; exec sleep 9999"\n[Install]\nWantedBy=multi-user.target\n';
const SERVICE = made('ferry-made', '1.0', {
  requires: ['ferry-made-libs'],
  files: {
    '/etc/ferry-made.conf': { text: 'A=stock\n', config: true },
    '/usr/lib/systemd/system/ferry-made.service': { text: UNIT },
  },
  folders: ['/etc/ferry-made.d'],
  post: 'systemctl daemon-reload; [ $1 != 1 ] || { systemctl enable -q ferry-made; systemctl start ferry-made; }',
  // Told to, it takes dnf along while rpm still knows the package.
  preun:
    '[ $1 != 0 ] || { systemctl stop ferry-made; systemctl disable -q ferry-made; }; [ ! -e /srv/el-like/die ] || { rm /srv/el-like/die /etc/ferry-made.conf; kill -9 $PPID; }',
  postun: '[ $1 != 0 ] || rm -rf /etc/ferry-made.d; systemctl daemon-reload',
});
const LIBS = made('ferry-made-libs', '1.0');
const PLUGIN = made('ferry-made-plugin', '1.0', { requires: ['ferry-made'] });
const GRAFTED = made('ferry-grafted', '2.4', { requires: ['ferry-grafted-libs'], recommends: ['ferry-grafted-doc'] });
const LANGPACK = made('glibc-langpack-nl', '2.34', {
  post: 'localedef --no-archive -i nl_NL -f UTF-8 /usr/lib/locale/nl_NL.utf8',
  postun: 'rm -rf /usr/lib/locale/nl_NL.utf8',
});
// Where the unit lies it wins over Debian's own.
const SERVER = made('postgresql-server', '15.4', {
  files: {
    '/run/systemd/system/postgresql.service': {
      text: `[Service]\nType=notify\nUser=postgres\nEnvironment=PGDATA=/var/lib/pgsql/data\nExecStart=/usr/lib/postgresql/15/bin/postgres -D \${PGDATA}\n[Install]\nWantedBy=multi-user.target\n`,
    },
  },
  post: 'systemctl daemon-reload',
  postun: 'systemctl daemon-reload',
});

async function step(action: string, given: unknown): Promise<Step> {
  count += 1;
  const made = await Step.make(fleet, action, HOST, given, `r-el-${process.pid}-${count}`);
  open.push(made);
  return made;
}

/** Plans a change and does it, as far as its verification. */
async function done(one: Step) {
  const change = await one.planChange();
  await one.intend(change);
  const { outputs } = await one.apply(change);
  await one.verify(change);
  expectJournalable(change, outputs, []);
  return { change, outputs };
}

beforeAll(async () => {
  fleet = fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir)));
  await host.make();
  for (const one of [SERVICE, LIBS, PLUGIN, GRAFTED, made('ferry-grafted-libs', '2.4'), made('ferry-grafted-doc', '2.4')])
    await host.offer(one);
  for (const one of [made('ferry-made', '1.1'), LANGPACK, SERVER]) await host.offer(one);
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.release();
});
afterAll(async () => {
  await host.run(
    'systemctl stop postgresql ferry-made; dnf -q -y remove -- ferry-grafted ferry-grafted-libs ferry-newer ferry-made ferry-made-plugin ferry-made-libs glibc-langpack-nl postgresql-server; rm -rf /var/lib/pgsql /etc/ferry-made*; :',
  );
  const { refused, left } = await host.unmake();
  await fleet.close();
  // A form that the stand-ins do not play was typed, or the host is not what it was.
  expect({ refused, left }).toEqual({ refused: '', left: [] });
});

describe('on a host that looks like Enterprise Linux, with stand-ins of dnf and rpm, package.install', () => {
  test('brings what is missing and what that needs, nothing that is only recommended, and leaves it there', async () => {
    const one = await step('package.install', { packages: ['ferry-grafted', { debian: 'none', el: 'ferry-grafted-libs' }] });
    const before = await one.state();
    const { change, outputs } = await done(one);
    expect(outputs).toMatchObject({ installed: ['ferry-grafted', 'ferry-grafted-libs'] });
    expect(await host.run('rpm -q -- ferry-grafted ferry-grafted-doc || :')).toBe(
      'ferry-grafted-2.4-1.el9.noarch\npackage ferry-grafted-doc is not installed',
    );
    expect((await one.plan()).kind).toBe('no-change');
    const kept = await one.rollback(change);
    expect(kept).toEqual([`${HOST} packageVersion(ferry-grafted)`, `${HOST} packageVersion(ferry-grafted-libs)`]);
    expectSame(before, await one.state(), kept);
  });

  test('says which package there is not, in the words of dnf', async () => {
    const one = await step('package.install', { packages: ['ferry-made-libs', 'no-such-package'] });
    const change = await one.planChange();
    await one.intend(change);
    await expect(one.apply(change)).rejects.toMatchObject({
      code: 'PACKAGES_FAILED',
      args: { why: 'Error: Unable to find a match: no-such-package' },
    });
    expect(await host.run('rpm -q -- ferry-made-libs || :')).toContain('is not installed');
  });

  test('finds one that came into the repository after its lists were fetched', async () => {
    await host.offer(made('ferry-newer', '1.0'));
    const { outputs } = await done(await step('package.install', { packages: ['ferry-newer'] }));
    expect(outputs).toEqual({ installed: ['ferry-newer'] });
  });
});

describe('there, package.remove', () => {
  const params = { packages: ['ferry-made', 'no-such-package'], units: ['ferry-made'], keep: ['/etc/ferry-made.d'] };
  // As an administrator left it: another version than the newest, its conf file changed, its service stopped but on at boot.
  const USED = `rpm -q -- ferry-made >/dev/null || dnf -q -y install -- ferry-made-1.0-1.el9
systemctl stop ferry-made; systemctl enable -q ferry-made; echo A=mine >/etc/ferry-made.conf; mkdir -p /etc/ferry-made.d; echo mine >/etc/ferry-made.d/id
rm -f /srv/el-like/started /etc/ferry-made.conf.rpm*`;
  const look = () =>
    host.run(
      'rpm -q -- ferry-made ferry-made-libs || :; cat /etc/ferry-made.conf /etc/ferry-made.d/id; ls /etc/ferry-made* /srv/el-like/started 2>&1; systemctl is-enabled ferry-made',
    );
  let as: string;

  test('removes it and not what only it needed; undo brings the same version back, and not the newest', async () => {
    await host.run(USED);
    as = await look();
    const one = await step('package.remove', params);
    const before = await one.state();
    const { change, outputs } = await done(one);
    expect(outputs).toEqual({ removed: ['ferry-made'] });
    expect(await host.run('rpm -q -- ferry-made ferry-made-libs || :')).toBe(
      'package ferry-made is not installed\nferry-made-libs-1.0-1.el9.noarch',
    );
    expect((await one.plan()).kind).toBe('no-change');
    const ahead = await one.preview(change);
    expect(ahead.diff).toEqual([['+', 'package ferry-made 1.0-1.el9']]);
    await one.rollback(change);
    expectSame(before, await one.state());
    await one.verifyUndone(ahead);
    expect(await look()).toBe(as);
    await one.rollback(change);
    expect(await look()).toBe(as);
  });

  test.each([
    ['not begin', ':'],
    ['die when all of it was gone', 'dnf -q -y remove -- ferry-made'],
  ])('goes back after an apply that did %s', async (_, half) => {
    await host.run(USED);
    const one = await step('package.remove', params);
    const before = await one.state();
    const change = await one.planChange();
    await one.intend(change);
    await host.run(half);
    await one.rollback(change);
    expectSame(before, await one.state());
    expect(await host.run('cat /etc/ferry-made.conf; rpm -q -- ferry-made')).toBe('A=mine\nferry-made-1.0-1.el9.noarch');
  });

  test('goes back after an apply whose dnf was killed in the middle', async () => {
    await host.run(USED);
    const one = await step('package.remove', params);
    const before = await one.state();
    const change = await one.planChange();
    await one.intend(change);
    await host.run(': >/srv/el-like/die');
    await expect(one.apply(change)).rejects.toMatchObject({ code: 'PACKAGES_NOT_REMOVED' });
    expect(await host.run('rpm -q -- ferry-made; ls /etc/ferry-made.conf 2>&1 || :; systemctl is-enabled ferry-made || :')).toBe(
      "ferry-made-1.0-1.el9.noarch\nls: cannot access '/etc/ferry-made.conf': No such file or directory\ndisabled",
    );
    await one.rollback(change);
    expectSame(before, await one.state());
    expect(await look()).toBe(as);
  });

  test('leaves a .rpmsave alone that was there before', async () => {
    await host.run(`${USED}; echo older >/etc/ferry-made.conf.rpmsave`);
    const one = await step('package.remove', params);
    const { change } = await done(one);
    await one.rollback(change);
    expect(await host.run('cat /etc/ferry-made.conf /etc/ferry-made.conf.rpmsave; rm /etc/ferry-made.conf.rpmsave')).toBe(
      'A=mine\nolder',
    );
  });

  test('is refused while its unit runs', async () => {
    await host.run(`${USED}; systemctl start ferry-made`);
    expect(await (await step('package.remove', { ...params, units: [] })).plan()).toMatchObject({
      kind: 'blocked',
      summary: `ferry-made.service still runs on ${HOST}`,
    });
    await host.run('systemctl stop ferry-made');
  });

  test('is refused while another package needs it, also when that came after the plan', async () => {
    await host.run(USED);
    const late = await step('package.remove', params);
    const change = await late.planChange();
    await late.intend(change);
    await host.run('dnf -q -y install -- ferry-made-plugin');
    await expect(late.apply(change)).rejects.toMatchObject({
      code: 'PACKAGES_TAKE_MORE',
      args: { why: expect.stringContaining('ferry-made is needed by (installed) ferry-made-plugin-1.0-1.el9.noarch') },
    });
    await late.release();
    expect(await (await step('package.remove', params)).plan()).toMatchObject({
      kind: 'blocked',
      summary: `removing ferry-made on ${HOST} would take ferry-made-plugin-1.0-1.el9.noarch along`,
    });
    expect(await host.run('rpm -q -- ferry-made; dnf -q -y remove -- ferry-made-plugin >/dev/null')).toBe(
      'ferry-made-1.0-1.el9.noarch',
    );
  });

  test('is refused before the gate where the repository has that version no more', async () => {
    await host.run(USED);
    await host.withdraw(SERVICE);
    // Its lists still have it: then fetching it fails, before anything is removed.
    const unaware = await step('package.remove', params);
    await expect(unaware.intend(await unaware.planChange())).rejects.toThrow();
    await unaware.release();
    await host.run('dnf -q -y --refresh install -- ferry-made-libs');
    expect(await (await step('package.remove', params)).plan()).toMatchObject({
      kind: 'blocked',
      summary: `no repository of ${HOST} has ferry-made 1.0-1.el9 any more: removed, it could not come back`,
    });
    expect(await host.run('rpm -q -- ferry-made')).toBe('ferry-made-1.0-1.el9.noarch');
  });
});

describe('there, a server is', () => {
  test('given a locale by a package of its language', async () => {
    const one = await step('locale.generate', { locales: ['nl_NL.UTF-8'] });
    expect(await host.run('locale -a')).not.toContain('nl_NL');
    const { change, outputs } = await done(one);
    expect(outputs).toEqual({ made: ['nl_NL.UTF-8'], restarted: false });
    expect((await one.plan()).kind).toBe('no-change');
    expect(await one.rollback(change)).toContain(`${HOST} osLocale(nl_NL.UTF-8)`);
    expect(await host.run('rpm -q -- glibc-langpack-nl')).toBe('glibc-langpack-nl-2.34-1.el9.noarch');
  });

  test('made by postgresql-setup, started, enabled, and put out of use again', async () => {
    const install = await step('package.install', { packages: [{ debian: 'postgresql', el: 'postgresql-server' }] });
    await done(install);
    await install.release();
    const one = await step('postgres.cluster', { port: 5433, locale: 'nl_NL.UTF-8' });
    const { change, outputs } = await done(one);
    expect(outputs).toEqual({ version: 15, unit: 'postgresql.service', port: 5433 });
    expect((await one.plan()).kind).toBe('no-change');
    const sql = 'psql -p 5433 -XAt -c "SELECT datcollate, pg_encoding_to_char(encoding) FROM pg_database LIMIT 1"';
    expect(await host.run(`cd / && runuser -u postgres -- ${sql}; systemctl is-enabled postgresql`)).toBe(
      'nl_NL.UTF-8|UTF8\nenabled',
    );
    expect(await host.run(`grep -E '^(local|host) +all' /var/lib/pgsql/data/pg_hba.conf | tr -s ' ' | cut -d' ' -f1,2,4-`)).toBe(
      'local all peer\nhost all 127.0.0.1/32 scram-sha-256\nhost all ::1/128 scram-sha-256',
    );
    await one.rollback(change);
    expect(
      await host.run('systemctl is-active postgresql; systemctl is-enabled postgresql; ls /var/lib/pgsql/data/PG_VERSION || :'),
    ).toBe('inactive\ndisabled\n/var/lib/pgsql/data/PG_VERSION');
    // It is there now, so another run starts it and makes none.
    expect(await (await step('postgres.cluster', { port: 5433 })).plan()).toMatchObject({
      summary: 'PostgreSQL 15 on port 5433: start it and enable it',
    });
  });
});
