import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { labReboot } from '../../lab/lab.ts';
import { FerryOnLab, type FerryResult } from '../kit/ferry-on-lab.ts';
import { type Snapshot, snapshot } from '../kit/lab-state-of.ts';
import { expectError, on, sql } from '../kit/trouble.ts';

const RUNBOOK = 'runbooks/ovirt/migrate-engine-db.yaml';
const CONF = '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf';
const labDir = inject('labDir');
let ferry: FerryOnLab;
let before: Snapshot;
let repair: () => Promise<unknown> = async () => undefined;
const run = (...words: string[]) => ferry.run(['run', RUNBOOK, ...ferry.hosts, ...words]);

/** Takes the run back and holds Ferry to its word: the proof is clean, and so is what is seen past Ferry. */
async function rollBackCleanly() {
  const back = await ferry.run(['rollback']);
  expect(back.code, back.stdout + back.stderr).toBe(4);
  expect(back.stdout).toMatch(/Proof: \d+ facts read again: \d+ equal, 0 kept on purpose, 0 differ\./);
}

beforeAll(async () => {
  before = await snapshot(labDir);
  ferry = new FerryOnLab(labDir);
});
afterAll(() => ferry.remove());

describe('a run that fails or is disturbed half-way', () => {
  afterEach(async () => {
    // A test that failed must not spoil the next; after one that did not, there is nothing to take back.
    await ferry.run(['rollback', '--discard-writes']);
    await repair();
    repair = async () => undefined;
    expect(await snapshot(labDir)).toEqual(before);
  });

  it('is not begun when a prepared server has another password', async () => {
    repair = async () => {
      await sql(labDir, 'newdb', 'DROP DATABASE engine; DROP ROLE engine; ALTER SYSTEM RESET ALL;'.replaceAll('; ', ';\n'));
      await on(labDir, 'newdb', 'cp -p /root/hba /etc/postgresql/15/main/pg_hba.conf && systemctl restart postgresql@15-main');
    };
    await sql(
      labDir,
      'newdb',
      `CREATE ROLE engine LOGIN PASSWORD 'not the one';
CREATE DATABASE engine OWNER engine LOCALE 'en_US.UTF-8' TEMPLATE template0;
ALTER SYSTEM SET listen_addresses = '*';`,
    );
    await on(
      labDir,
      'newdb',
      `cd /etc/postgresql/15/main && cp -p pg_hba.conf /root/hba && echo 'host engine engine all scram-sha-256' >>pg_hba.conf && systemctl restart postgresql@15-main`,
    );
    const there = await snapshot(labDir);
    expectError(await run('--input', 'prepare=false'), {
      exit: 5,
      code: 'LOGIN_REFUSED',
      says: [
        /role engine cannot log in to database engine on newdb.lab.example/,
        /the password of engine is wrong/,
        /Nothing was changed/,
      ],
    });
    expect(await snapshot(labDir)).toEqual(there);
  });

  // A file system with no inode left is as full as one without a byte, and gets past every look at what is free.
  const full = 'mkdir -p /srv/full && mount -t tmpfs -o size=64m,nr_inodes=2 none /srv/full';
  const emptied = 'umount /srv/full && rmdir /srv/full';

  it('leaves no half dump, copy, key or permission when a disk is full while it dumps or copies', async () => {
    repair = async () => {
      for (const host of ['engine', 'newdb']) await on(labDir, host, emptied);
    };
    for (const host of ['engine', 'newdb']) await on(labDir, host, full);
    const noDump = await run('--input', 'work_dir=/srv/full/dump');
    expectError(noDump, {
      exit: 1,
      code: 'COMMAND_FAILED',
      says: [/dump/, /No space left on device/, /ferry resume/, /ferry rollback/],
    });
    expect(await on(labDir, 'engine', 'find /srv/full -type f')).toBe('');

    await on(labDir, 'engine', 'mount -o remount,nr_inodes=100 /srv/full');
    expectError(await ferry.run(['resume']), {
      exit: 1,
      code: 'TRANSFER_FAILED',
      says: [/No space left on device/, /Nothing is at \/srv\/full\/dump\/engine.dump on newdb/],
    });
    expect(await on(labDir, 'engine', 'ls /srv/full/dump')).toBe('engine.dump\n');
    expect(await on(labDir, 'newdb', 'find /srv/full -type f; grep -c ferry: /root/.ssh/authorized_keys || true')).toBe('0\n');
    await rollBackCleanly();
    for (const host of ['engine', 'newdb']) expect(await on(labDir, host, 'ls /srv/full')).toBe('');
  });

  it('leaves an empty database when the disk of the new server is full while it restores', async () => {
    // The data directory on a file system of a few MB more than it holds; the write-ahead log stays outside, as on a real server.
    const data = '/var/lib/postgresql/15/main';
    repair = () =>
      on(
        labDir,
        'newdb',
        `systemctl stop postgresql@15-main && cp -a ${data}/. /var/lib/postgresql/back && umount ${data} && rm -rf ${data} && rm /var/lib/postgresql/back/pg_wal && mv /var/lib/postgresql/back ${data} && mv /var/lib/postgresql/wal ${data}/pg_wal && systemctl start postgresql@15-main`,
      );
    await on(
      labDir,
      'newdb',
      `set -e; systemctl stop postgresql@15-main; cd /var/lib/postgresql; mv ${data}/pg_wal wal; ln -s /var/lib/postgresql/wal ${data}/pg_wal
mv ${data} full; mkdir ${data}; mount -t tmpfs -o size=$(( $(du -sk full | cut -f1) + 6000 ))k none ${data}; cp -a full/. ${data}; chown postgres:postgres ${data}; chmod 700 ${data}; rm -rf full
install -d -o postgres -g postgres -m 700 back; systemctl start postgresql@15-main`,
    );
    const failed = await run();
    expectError(failed, {
      exit: 1,
      code: 'RESTORE_FAILED',
      says: [
        /Database engine on newdb could not be restored: .*(No space left on device|Check free disk space)/s,
        /database engine on newdb is empty, as before/,
        /ferry rollback/,
      ],
    });
    expect(
      await sql(
        labDir,
        'newdb',
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'",
        'engine',
      ),
    ).toBe('0');
    await rollBackCleanly();
  });

  if (process.env.FERRY_EVERY_FAULT) inPause();
  else process.stdout.write('what becomes of hosts in a pause is left to npm run test:crash\n');
});

function inPause(): void {
  it('goes on after a pause in which a host was rebooted, but not where a file was changed by hand, and shows no secret of it', async () => {
    const paused = await run('--until', 'quiesced');
    expect(paused.code, paused.stderr).toBe(0);
    const secret =
      /ENGINE_DB_PASSWORD="(.*)"/.exec(await on(labDir, 'engine', `cp -p ${CONF} /root/conf && cat ${CONF}`))?.[1] ?? '';
    expect(secret.length).toBeGreaterThan(8);
    const edit = (script: string) => on(labDir, 'engine', `sed -i '${script}' ${CONF}`);
    const putBack = () => on(labDir, 'engine', `cp -p /root/conf ${CONF}`);
    const hidden = (result: FerryResult) => {
      for (const text of [secret, 'Changed-by-hand']) expect(result.stdout + result.stderr).not.toContain(text);
    };

    await labReboot({ dir: labDir, host: 'newdb', say: () => undefined });
    const resumed = await ferry.run(['resume', '--until', 'copied']);
    expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
    expect(await sql(labDir, 'newdb', 'SELECT count(*) FROM dwh_history_timekeeping', 'engine')).toBe('7');

    // No step to come uses the password, so nobody asks for it; that its file has moved is found before it is written to.
    for (const script of [
      's/^ENGINE_DB_PASSWORD=.*/ENGINE_DB_PASSWORD="Changed-by-hand"/',
      's/^ENGINE_DB_DRIVER=.*/ENGINE_DB_DRIVER="com.example.Driver"/',
    ]) {
      await edit(script);
      const drifted = await ferry.run(['resume']);
      await putBack();
      expectError(drifted, {
        exit: 5,
        code: 'FACT_DRIFTED',
        says: [
          /10-setup-database.conf\S* on engine was changed by other hands/,
          /Step point-engine/,
          /changed nothing on engine/,
          /Put it back/,
        ],
      });
      hidden(drifted);
    }
    await rollBackCleanly();
  });
}
