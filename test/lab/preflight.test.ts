import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import type { CommonOptions } from '../../src/cli/contract.ts';
import { actionsOf, readInventory, rolesOf } from '../../src/cli/prepare.ts';
import { wire } from '../../src/cli/wire.ts';
import type { Event } from '../../src/engine/events.ts';
import { readFacts } from '../../src/facts/read.ts';
import { openFleet } from '../../src/hosts/open-fleet.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { resolveInputs } from '../../src/runbook/inputs.ts';
import { loadRunbook } from '../../src/runbook/load.ts';
import { JumpHosts } from '../../src/transports/jump-hosts.ts';
import { KeyRing } from '../../src/transports/key-ring.ts';
import { SshTransport } from '../../src/transports/ssh.ts';
import { counting } from '../kit/counting.ts';
import { on, Spoilt, sql } from '../kit/trouble.ts';

// What a plan finds before anything is done, on real hosts that lack something.
const MOVE = 'runbooks/ovirt/migrate-engine-db.yaml';
const labDir = inject('labDir');
const spoilt = new Spoilt(labDir);
const lab = join(labDir, 'inventory.yaml');

async function planOf(runbook: string, more: Partial<CommonOptions> = {}): Promise<Plan> {
  const nothing = { inputs: new Map(), secrets: new Map(), roles: new Map(), yes: false, json: false };
  const { plan } = await wire.planRunbook(runbook, {
    inventory: lab,
    stateDir: join(spoilt.folder, 'state'),
    ...nothing,
    ...more,
  });
  return plan;
}
const codes = (plan: Plan) => plan.blockers.map(({ code }) => code);
const warned = (plan: Plan) => plan.warnings.map(({ code }) => code);

/** A runbook of these steps, with the roles they name, so that the linter has nothing to say of it. */
function runbook(steps: string, inputs = ''): string {
  const roles = ['engine', 'old_db', 'new_db'].filter((role) => steps.includes(role));
  const declared = roles.map((role) => `${role}: { description: ${role} }`).join(', ');
  return spoilt.file(`ferry: 1\nname: trial\n${inputs}roles: { ${declared} }\nsteps:\n${steps}`);
}

let repairs: (() => Promise<unknown>)[] = [];
const later = (host: string, script: string) => repairs.unshift(() => on(labDir, host, script));
afterEach(async () => {
  for (const repair of repairs) await repair();
  repairs = [];
});
afterAll(() => spoilt.remove());

describe('hosts that cannot be read', () => {
  it('are told all at once, each with its own reason, and the others are planned as far as they go', async () => {
    const knownHosts = spoilt.knownHosts((lines) => lines.filter((line) => !line.startsWith('newdb')));
    const inventory = spoilt.inventory({
      knownHosts,
      line: (host, line) => (host === 'he1' ? line.replace(/address: [\d.]+/, 'address: 127.0.0.1, port: 1') : line),
    });
    const plan = await planOf(MOVE, { inventory });
    expect(codes(plan).sort()).toEqual(['HOST_KEY_UNKNOWN', 'HOST_UNREACHABLE']);
    expect(plan.blockers.map(({ hint }) => hint).join()).toMatch(/ssh-keyscan[\s\S]*ssh -p 1 |ssh -p 1 [\s\S]*ssh-keyscan/);
    expect(plan.warnings).toEqual([]);
    const kind = (step: string) => plan.lines.find((line) => line.step === step)?.kind;
    expect([kind('read-conf'), kind('stop-services'), kind('maintenance'), kind('copy'), kind('restore')]).toEqual([
      ...['check', 'change', 'blocked', 'blocked', 'blocked'],
    ]);
  });

  it('are refused as a whole by a run, which begins nothing', async () => {
    const inventory = spoilt.inventory({
      line: (host, line) =>
        host === 'he1' || host === 'newdb' ? line.replace(/address: [\d.]+/, 'address: 127.0.0.1, port: 1') : line,
    });
    const io = { emit: () => undefined, signal: new AbortController().signal };
    const nothing = { inputs: new Map(), secrets: new Map(), roles: new Map(), yes: true, json: false };
    const refused = wire.runRunbook(
      MOVE,
      { inventory, stateDir: join(spoilt.folder, 'state'), ...nothing, onFailure: 'pause' },
      io,
    );
    await expect(refused).rejects.toMatchObject({
      code: 'PLAN_BLOCKED',
      exit: 5,
      findings: [{ code: 'HOST_UNREACHABLE' }, { code: 'HOST_UNREACHABLE' }],
    });
  });
});

describe('a host that another run holds', () => {
  it('is a blocker of the plan, before all that its half-moved state would say', async () => {
    later('newdb', 'rm -f /var/lib/ferry/lease');
    await on(
      labDir,
      'newdb',
      'mkdir -p /var/lib/ferry; echo "r-20260101-000000-abcd root@elsewhere 2026-01-01T00:00:00Z" >/var/lib/ferry/lease',
    );
    const plan = await planOf(MOVE);
    expect(codes(plan)).toEqual(['LEASE_HELD']);
    expect(plan.blockers[0]).toMatchObject({
      message: expect.stringContaining('newdb is held by run r-20260101-000000-abcd (root@elsewhere'),
      hint: expect.stringMatching(/ferry resume .*ferry rollback .*ferry unlock newdb --abandon/),
    });
  });
});

/** Plans a runbook on the lab, and counts how often each host is asked after connecting. */
async function countTrips(path: string, given: ReadonlyMap<string, string> = new Map()) {
  const loaded = await loadRunbook(path, { readFile: (file) => readFile(file) });
  if (!('runbook' in loaded)) throw new Error('the runbook has errors');
  const inventory = await readInventory(lab, labDir);
  const trips = new Map<string, number>();
  const named = new Map([...given].map(([role, host]) => [role, [host]]));
  const { runbook, roles, hosts } = await rolesOf(loaded.runbook, inventory, named);
  const shared = { keys: new KeyRing({ passphrase: null, ask: null }), jumpHosts: new JumpHosts() };
  const fleet = openFleet(hosts, (settings) =>
    counting(new SshTransport(settings, shared), () => trips.set(settings.name, (trips.get(settings.name) ?? 0) + 1)),
  );
  const resolved = resolveInputs(runbook, new Map(), (role) => fleet.info(roles.get(role)?.name ?? role));
  if (!('inputs' in resolved)) throw new Error('the inputs do not fit');
  try {
    const plan = await makePlan({
      runbook,
      actions: await actionsOf(runbook),
      inputs: resolved.inputs,
      roles,
      madeAt: '',
      read: (host, refs) => readFacts(fleet.host(host), refs),
    });
    return { plan, trips };
  } finally {
    await fleet.close();
  }
}

describe('a fresh lab', () => {
  it('has no finding, and its hosts are asked three times at most after connecting', async () => {
    const { plan, trips } = await countTrips(MOVE);
    expect([plan.blockers, plan.warnings]).toEqual([[], []]);
    expect(plan.lines.find((line) => line.step === 'prepare.login@engine')?.notes).toEqual([
      expect.stringMatching(/^the login is tried after .*prepare\.role/),
    ]);
    // What only a preflight asked about is no part of what a rollback is held against.
    expect(Object.keys(plan.readings.newdb ?? {}).join()).not.toMatch(/hostClock|runLease|pgRoom|tcpReach/);
    expect([...trips.keys()].sort()).toEqual(['engine', 'he1', 'newdb']);
    for (const [host, count] of trips) expect(count, host).toBeLessThanOrEqual(3);
  });

  it('is asked no more often for 15 steps over five hosts', async () => {
    const roles = new Map([
      ['he_peer', 'he2'],
      ['dwh', 'dwh'],
    ]);
    const { plan, trips } = await countTrips('test/runbooks/five-hosts.yaml', roles);
    expect(plan.blockers).toEqual([]);
    expect(plan.lines).toHaveLength(15);
    expect([...trips.keys()].sort()).toEqual(['dwh', 'engine', 'he1', 'he2', 'newdb']);
    for (const [host, count] of trips) expect(count, host).toBeLessThanOrEqual(3);
  });
});

describe('room', () => {
  it('for a copy that does not exist yet is judged by the database it will be dumped from', async () => {
    later('newdb', 'umount /srv/small; rmdir /srv/small');
    await on(labDir, 'newdb', 'mkdir -p /srv/small && mount -t tmpfs -o size=128k none /srv/small');
    const full = await planOf(MOVE, { inputs: new Map([['work_dir', '/srv/small/dump']]) });
    expect(full.blockers.map(({ code, message }) => [code, message])).toEqual([
      ['DISK_FULL', expect.stringMatching(/^newdb has 131 kB free on \/srv\/small, and at least .*copy \/srv\/small\/dump/)],
    ]);
    await on(labDir, 'newdb', 'mount -o remount,size=2m /srv/small');
    const tight = await planOf(MOVE, { inputs: new Map([['work_dir', '/srv/small/dump']]) });
    expect([codes(tight), warned(tight)]).toEqual([[], ['DISK_TIGHT']]);
  });

  it('for what the restored database takes is looked for where the new cluster keeps its data', async () => {
    later('newdb', 'pg_dropcluster --stop 15 small; umount /srv/small; rmdir /srv/small; systemctl daemon-reload');
    await on(
      labDir,
      'newdb',
      `mkdir -p /srv/small && mount -t tmpfs -o size=120m none /srv/small && pg_createcluster -p 5433 -d /srv/small/data --start 15 small >/dev/null
kb=$(df -Pk /srv/small | awk 'NR==2 { print $4 }') && head -c $(( (kb - 1500) * 1024 )) /dev/zero >/srv/small/filler`,
    );
    const plan = await planOf(MOVE, { inputs: new Map([['port', '5433']]) });
    expect(plan.blockers.find(({ code }) => code === 'DISK_FULL')?.message).toMatch(
      /^newdb has 1\.\d MB free on \/srv\/small, and at least .*: database engine/,
    );
  });
});

describe('commands', () => {
  it('that a host lacks are told with the packages that have them, those needed for reading too', async () => {
    const hide = async (...names: string[]) => {
      const each = (from: string, to: string) =>
        names.map((name) => `mv /usr/bin/${name}${from} /usr/bin/${name}${to}`).join(' && ');
      later('he1', each('.away', ''));
      await on(labDir, 'he1', each('', '.away'));
    };
    await hide('flock');
    expect((await planOf(MOVE)).blockers).toMatchObject([
      { code: 'TOOLS_MISSING', message: expect.stringMatching(/^he1 lacks flock,/), hint: 'On he1:  apt-get install util-linux' },
    ]);
    await hide('base64', 'sha256sum');
    const { blockers, lines } = await planOf(MOVE);
    expect(blockers).toMatchObject([
      {
        code: 'TOOLS_MISSING',
        message: expect.stringMatching(/^he1 lacks base64, sha256sum, flock,/),
        hint: 'On he1:  apt-get install coreutils util-linux',
      },
    ]);
    expect(lines.find(({ host }) => host === 'he1')?.kind).toBe('blocked');
  });

  it('that only the steps of a host need are told for that host', async () => {
    later('newdb', 'mv /usr/bin/pg_restore.away /usr/bin/pg_restore');
    await on(labDir, 'newdb', 'mv /usr/bin/pg_restore /usr/bin/pg_restore.away');
    expect((await planOf(MOVE)).blockers).toMatchObject([
      {
        code: 'TOOLS_MISSING',
        message: expect.stringMatching(/^newdb lacks pg_restore,/),
        hint: 'On newdb:  apt-get install postgresql-client',
      },
    ]);
  });
});

describe('the way to the new server', () => {
  const login = () =>
    runbook(
      `  - id: login
    host: engine
    uses: postgres.login
    with: { address: "\${{ roles.new_db.address }}", database: trial, user: trial, password: "\${{ inputs.password }}" }
`,
      'inputs: { password: { type: secret, description: p } }\n',
    );
  const secret = (text: string) => ({ secrets: new Map([['password', `file:${spoilt.file(text)}`]]) });
  const listen = (to: string) =>
    `cd / && runuser -u postgres -- psql -XqAt -c "ALTER SYSTEM SET listen_addresses = '${to}'" && systemctl restart postgresql@15-main`;
  const drop =
    'nft add table inet trial && nft add chain inet trial in "{ type filter hook input priority 0; }" && nft add rule inet trial in tcp dport 5432 drop';

  beforeAll(async () => {
    await sql(labDir, 'newdb', "CREATE ROLE trial LOGIN PASSWORD 'right-canary';\nCREATE DATABASE trial OWNER trial;");
  });
  afterAll(async () => {
    await sql(labDir, 'newdb', 'DROP DATABASE trial;\nDROP ROLE trial;');
    await on(
      labDir,
      'newdb',
      'cd / && runuser -u postgres -- psql -XqAt -c "ALTER SYSTEM RESET listen_addresses" && systemctl restart postgresql@15-main',
    );
  });

  it('is found shut by a firewall before anything is done, when the server listens already', async () => {
    later('newdb', 'nft delete table inet trial');
    await on(labDir, 'newdb', `${listen('*')} && ${drop}`);
    expect((await planOf(login(), secret('right-canary'))).blockers).toMatchObject([
      {
        code: 'PORT_BLOCKED',
        message:
          /^From engine, newdb\.lab\.example port 5432 cannot be reached \(no answer within 5\.0 s\), although newdb listens/,
        hint: expect.stringMatching(/nft list ruleset/),
      },
    ]);
  });

  it('is warned of when packets vanish while the server does not listen yet', async () => {
    later('newdb', 'nft delete table inet trial');
    await on(labDir, 'newdb', `${listen('localhost')} && ${drop}`);
    const plan = await planOf(login(), secret('right-canary'));
    expect([codes(plan), warned(plan)]).toEqual([[], ['PORT_SILENT']]);
    expect((await planOf(MOVE)).warnings.map(({ code }) => code)).toEqual(['PORT_SILENT']);
  });

  it('is said to be tried later when nothing listens yet', async () => {
    await on(labDir, 'newdb', listen('localhost'));
    const plan = await planOf(login(), secret('right-canary'));
    expect([codes(plan), warned(plan)]).toEqual([[], []]);
    expect(plan.lines[0]?.notes).toEqual(['nothing listens there yet; the login is tried when this step is reached']);
  });

  it('is gone to the end: the login itself is tried, and a refusal names its reason, never the password', async () => {
    const hba = '/etc/postgresql/15/main/pg_hba.conf';
    later('newdb', `cp -p /root/hba ${hba}; rm /root/hba; systemctl reload postgresql@15-main`);
    await on(labDir, 'newdb', `cp -p ${hba} /root/hba; ${listen('*')}`);
    const noRule = await planOf(login(), secret('right-canary'));
    expect(noRule.blockers).toMatchObject([
      { code: 'LOGIN_REFUSED', message: expect.stringMatching(/by no rule of its pg_hba\.conf/) },
    ]);
    await on(labDir, 'newdb', `echo 'host trial trial samenet scram-sha-256' >>${hba}; systemctl reload postgresql@15-main`);
    const wrong = await planOf(login(), secret('wrong-canary'));
    expect(wrong.blockers).toMatchObject([
      { code: 'LOGIN_REFUSED', message: expect.stringMatching(/password of trial is wrong/) },
    ]);
    const right = await planOf(login(), secret('right-canary'));
    expect([right.blockers, right.warnings, right.lines[0]?.notes]).toEqual([[], [], []]);
    expect(JSON.stringify([noRule, wrong, right])).not.toMatch(/canary/);
  });
});

describe('a dump with privileges', () => {
  const restore = (steps = '') =>
    runbook(`${steps}  - id: database
    host: new_db
    uses: postgres.database
    with: { database: trial, owner: postgres }
  - id: restore
    host: new_db
    uses: postgres.restore
    with: { database: trial, owner: postgres, path: /var/lib/ferry-trial/x.dump, privileges: true }
`);
  beforeAll(async () => {
    const grants = `CREATE ROLE trial_reader;
CREATE ROLE "Odd ""one";
CREATE TABLE trial (x int);
GRANT SELECT ON trial TO trial_reader;
GRANT UPDATE (x) ON trial TO "Odd ""one";
CREATE FUNCTION trial_f() RETURNS int LANGUAGE sql AS $f$
GRANT SELECT ON trial TO nobody_at_all;
SELECT 1 $f$;`;
    // The body is text: that it is no valid SQL for a function need not be found out.
    await sql(labDir, 'engine', `SET check_function_bodies = off;\n${grants}`, 'engine');
  });
  afterAll(() =>
    sql(labDir, 'engine', 'DROP TABLE trial;\nDROP FUNCTION trial_f;\nDROP ROLE trial_reader;\nDROP ROLE "Odd ""one";', 'engine'),
  );
  const missing = {
    code: 'ROLES_MISSING',
    message: expect.stringMatching(/does not have: .*Odd "one.*trial_reader\.$/),
    hint: expect.stringMatching(/createuser --no-login/),
  };

  it('that an earlier step will make is held against the roles of the new server', async () => {
    const steps = `  - id: dump
    host: old_db
    uses: postgres.dump
    with: { database: engine, path: /var/lib/ferry-trial/x.dump }
  - id: copy
    host: new_db
    uses: file.transfer
    with: { from: { host: old_db, path: /var/lib/ferry-trial/x.dump }, path: /var/lib/ferry-trial/x.dump }
`;
    const plan = await planOf(restore(steps));
    expect(plan.blockers).toMatchObject([missing]);
    expect(plan.blockers[0]?.message).not.toContain('nobody_at_all');
  });

  it('that is there already is asked itself, and text inside a function is no privilege', async () => {
    later('newdb', 'rm -rf /var/lib/ferry-trial');
    const bytes = await on(labDir, 'engine', 'cd /; runuser -u postgres -- pg_dump -Fc engine | base64 -w0');
    const put = 'install -d -m 700 /var/lib/ferry-trial && base64 -d >/var/lib/ferry-trial/x.dump';
    expect(await execOn(labDir, 'newdb', put, { input: bytes })).toMatchObject({ code: 0 });
    const plan = await planOf(restore());
    expect(plan.blockers).toMatchObject([missing]);
    expect(plan.blockers[0]?.message).not.toContain('nobody_at_all');
  });
});

describe('the clock', () => {
  it('of this machine is suspected when all hosts agree with each other and not with it', async () => {
    const real = Date.now.bind(Date);
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => real() - 3_600_000);
    try {
      const { warnings } = await planOf(MOVE);
      expect(warnings).toMatchObject([
        {
          code: 'CLOCK_SKEWED',
          message: expect.stringMatching(/^The clock of each of he1, engine, newdb is 1 h ahead of this machine's/),
          severity: 'warning',
        },
      ]);
    } finally {
      clock.mockRestore();
    }
    expect((await planOf(MOVE)).warnings).toEqual([]);
  });
});

describe('units to be stopped', () => {
  it('of which none is installed are warned of, because a name may be misspelt', async () => {
    const stop = (units: string) =>
      planOf(runbook(`  - { id: stop, host: engine, uses: service.stop, with: { units: [${units}], disable: true } }\n`));
    expect((await stop('ovirt-engin, ovirt-dwh')).warnings).toMatchObject([
      { code: 'UNITS_ABSENT', message: expect.stringMatching(/on engine: ovirt-engin, ovirt-dwh\.$/) },
    ]);
    expect((await stop('ovirt-engin, ovirt-engine')).warnings).toEqual([]);
  });

  it('and other warnings are told by a run that asks nobody', async () => {
    const told: string[] = [];
    const io = {
      emit: (event: Event) => void (event.type === 'note' && told.push(event.text)),
      signal: new AbortController().signal,
    };
    const stop = runbook('  - { id: stop, host: engine, uses: service.stop, with: { units: [ovirt-engin], disable: true } }\n');
    const nothing = { inputs: new Map(), secrets: new Map(), roles: new Map(), yes: true, json: false };
    const options = { inventory: lab, stateDir: join(spoilt.folder, 'state'), ...nothing, onFailure: 'pause' as const };
    expect(await wire.runRunbook(stop, options, io)).toMatchObject({ outcome: 'finished' });
    expect(told).toEqual([expect.stringMatching(/^warning UNITS_ABSENT .*ovirt-engin/)]);
  });
});
