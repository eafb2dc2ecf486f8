import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { labPowerOff, labPowerOn } from '../../lab/lab.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { type Snapshot, snapshot } from '../kit/lab-state-of.ts';
import { expectError, on, Spoilt, sql } from '../kit/trouble.ts';

const RUNBOOK = 'runbooks/ovirt/migrate-engine-db.yaml';
const labDir = inject('labDir');
const ferry = new FerryOnLab(labDir);
const spoilt = new Spoilt(labDir);
const run = (...words: string[]) => ferry.run(['run', RUNBOOK, ...ferry.hosts, ...words]);
const runWith = (inventory: string, ...words: string[]) => ferry.run(['run', RUNBOOK, '-i', inventory, ...words]);
const NOTHING = /Nothing was changed/;
let before: Snapshot;

beforeAll(async () => {
  before = await snapshot(labDir);
});
afterAll(() => {
  ferry.remove();
  spoilt.remove();
});

describe('a host that cannot be trusted or entered', () => {
  afterAll(async () => expect(await snapshot(labDir)).toEqual(before));
  const addressOf = (host: string) =>
    new RegExp(`  ${host}: \\{ address: ([\\d.]+)`).exec(readFileSync(ferry.inventory, 'utf8'))?.[1] ?? '';
  const key = (name: string, passphrase = '') => {
    const file = join(spoilt.folder, name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-f', file]);
    return file;
  };

  it('is refused when its host key is unknown, with the fingerprint and the command that would accept it', async () => {
    const knownHosts = spoilt.file('');
    expectError(await runWith(spoilt.inventory({ knownHosts })), {
      exit: 5,
      code: 'HOST_KEY_UNKNOWN',
      says: [/ssh-ed25519 SHA256:\S{43}/, NOTHING, `ssh-keyscan -p 22 ${addressOf('engine').slice(0, 4)}`],
    });
    expect(readFileSync(knownHosts, 'utf8')).toBe('');
  });

  it('is refused when its host key has changed, while other hosts are read already', async () => {
    const other = readFileSync(`${key('other-host-key')}.pub`, 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
    const knownHosts = spoilt.knownHosts((lines) =>
      lines.map((line) => (line.startsWith('newdb') ? `${line.split(' ')[0]} ${other}` : line)),
    );
    expectError(await runWith(spoilt.inventory({ knownHosts })), {
      exit: 5,
      code: 'HOST_KEY_CHANGED',
      says: [
        /newdb .* shows another host key/,
        /got ssh-ed25519 SHA256:\S+, expected ssh-ed25519 SHA256:/,
        NOTHING,
        /ssh-keygen -f \S+ -R/,
      ],
    });
  });

  it('is refused when its host key is revoked, and nobody is told to take that back', async () => {
    const knownHosts = spoilt.knownHosts((lines) => [
      ...lines.filter((line) => line.startsWith('newdb')).map((line) => `@revoked * ${line.split(' ').slice(1).join(' ')}`),
      ...lines,
    ]);
    const result = await runWith(spoilt.inventory({ knownHosts }));
    expectError(result, { exit: 5, code: 'HOST_KEY_REVOKED', says: [/newdb/, NOTHING] });
    expect(result.stderr).not.toContain('ssh-keygen');
  });

  it('is refused when an authority alone vouches for it, with the key it shows and how that is made known', async () => {
    const knownHosts = spoilt.knownHosts((lines) =>
      lines.map((line) => (line.startsWith('newdb') ? `@cert-authority ${line}` : line)),
    );
    expectError(await runWith(spoilt.inventory({ knownHosts })), {
      exit: 5,
      code: 'HOST_KEY_CA',
      says: [
        /newdb .*certificate authority in \S+ line \d+/,
        /ssh-ed25519 SHA256:\S{43}/,
        NOTHING,
        `ssh-keyscan -p 22 ${addressOf('newdb').slice(0, 4)}`,
      ],
    });
  });

  it('is told apart: the login of another user is refused', async () => {
    const inventory = spoilt.inventory({
      line: (host, line) => (host === 'newdb' ? line.replace('user: root', 'user: nobody') : line),
    });
    expectError(await runWith(inventory), { exit: 5, code: 'HOST_LOGIN_REFUSED', says: [/newdb .*login of nobody/, NOTHING] });
  });

  it('is not even asked when there is no key to log in with', async () => {
    const cases: [string, RegExp][] = [
      [join(spoilt.folder, 'not-there'), /not-there for newdb cannot be used: no such file/],
      [spoilt.file('no key at all'), /for newdb cannot be used: /],
      [key('locked', 'a passphrase'), /locked for newdb cannot be used: it is encrypted/],
    ];
    for (const [file, says] of cases) {
      const inventory = spoilt.inventory({
        line: (host, line) => (host === 'newdb' ? line.replace(/identityFile: [^ ]+/, `identityFile: ${file}`) : line),
      });
      expectError(await runWith(inventory), { exit: 5, code: 'IDENTITY_UNREADABLE', says: [says, NOTHING, /ssh-add/] });
    }
  });

  it('is refused when the login may not become root', async () => {
    await on(
      labDir,
      'newdb',
      'useradd -m -s /bin/sh plain && install -d -m 700 -o plain /home/plain/.ssh && install -m 600 -o plain /root/.ssh/authorized_keys /home/plain/.ssh/',
    );
    const inventory = spoilt.inventory({
      line: (host, line) => (host === 'newdb' ? line.replace('user: root', 'user: plain') : line),
    });
    const result = await runWith(inventory);
    await on(labDir, 'newdb', 'userdel -r plain 2>/dev/null');
    expectError(result, {
      exit: 5,
      code: 'BECOME_REFUSED',
      says: [/plain on newdb/, /password is required/, NOTHING, /sudoers/],
    });
  });

  it('is unreachable when it is switched off, and works when it is on again', async () => {
    await labPowerOff({ dir: labDir, host: 'newdb', cut: true, say: () => undefined });
    // While this machine remembers where the address was, it takes longer to notice.
    execFileSync('ip', ['neigh', 'flush', 'to', addressOf('newdb')]);
    const off = await run();
    await labPowerOn({ dir: labDir, host: 'newdb', say: () => undefined });
    expectError(off, { exit: 5, code: 'HOST_UNREACHABLE', says: [/newdb .*cannot be reached/, NOTHING] });
    expect((await ferry.run(['plan', RUNBOOK, ...ferry.hosts])).code).toBe(0);
  });
});

describe('a server that lacks something', () => {
  let repair: () => Promise<unknown> = async () => undefined;
  afterEach(async () => {
    await repair();
    repair = async () => undefined;
    expect(await snapshot(labDir)).toEqual(before);
  });

  it('gets its locale, and a restart where the server does not see it, and the plan says so before', async () => {
    const locale = async () => {
      const { lines } = JSON.parse((await ferry.run(['plan', RUNBOOK, ...ferry.hosts, '--json'])).stdout) as Plan;
      return lines.find(({ step }) => step === 'prepare.locale')?.summary;
    };
    repair = () => on(labDir, 'newdb', 'locale-gen >/dev/null 2>&1; systemctl restart postgresql@15-main');
    await on(labDir, 'newdb', 'localedef --delete-from-archive en_US.utf8 && systemctl restart postgresql@15-main');
    expect(await locale()).toBe('make en_US.UTF-8; restart PostgreSQL 15, which does not see new locales');
    await on(labDir, 'newdb', 'locale-gen >/dev/null 2>&1');
    expect(await locale()).toBe('restart PostgreSQL 15, which does not see all of them');
  });

  it('is not begun with when the extension is missing', async () => {
    const [here, away] = ['/usr/share/postgresql/15/extension/uuid-ossp.control', '/root/uuid-ossp.control'];
    repair = () => on(labDir, 'newdb', `mv ${away} ${here}`);
    await on(labDir, 'newdb', `mv ${here} ${away}`);
    expectError(await run(), {
      exit: 5,
      code: 'STEP_BLOCKED',
      says: [/a blocker: .*extension "uuid-ossp" is not installed on newdb/, /postgresql-contrib/, NOTHING],
    });
  });

  it('is not begun with when the database is there and holds something, which stays untouched', async () => {
    repair = () => sql(labDir, 'newdb', 'DROP DATABASE engine;');
    await sql(labDir, 'newdb', "CREATE DATABASE engine LOCALE 'en_US.UTF-8' TEMPLATE template0;");
    await sql(labDir, 'newdb', 'CREATE TABLE mine AS SELECT 42 AS answer;', 'engine');
    expectError(await run(), {
      exit: 5,
      code: 'STEP_BLOCKED',
      says: [/a blocker: .*database "engine" on newdb is not empty/, NOTHING],
    });
    expect(await sql(labDir, 'newdb', 'SELECT answer FROM mine', 'engine')).toBe('42');
  });

  it('is not begun with when the disk for the dump is too small', async () => {
    repair = () => on(labDir, 'engine', 'umount /srv/small && rmdir /srv/small');
    await on(labDir, 'engine', 'mkdir /srv/small && mount -t tmpfs -o size=128k none /srv/small');
    expectError(await run('--input', 'work_dir=/srv/small/dump'), {
      exit: 5,
      code: 'STEP_BLOCKED',
      says: [/a blocker: dump on engine: engine has 131 kB free for a dump of a database of \d/, /Make room/, NOTHING],
    });
  });
});

describe('a command line that cannot be meant', () => {
  afterAll(async () => expect(await snapshot(labDir)).toEqual(before));
  const hosts = ferry.hosts;
  const cases: [title: string, words: string[], exit: number, code: string, says: string | RegExp][] = [
    ['an unknown verb', ['rnu', RUNBOOK], 64, 'USAGE_WRONG', /rnu/],
    ['an unknown option', ['run', RUNBOOK, ...hosts, '--untill', 'copied'], 64, 'USAGE_WRONG', /--until\b/],
    ['a runbook that is not there', ['run', 'runbooks/ovirt/migrate.yaml', ...hosts], 64, 'FILE_UNREADABLE', /no such file/],
    [
      'an inventory that is not there',
      ['run', RUNBOOK, '-i', '/nowhere/inventory.yaml'],
      64,
      'FILE_UNREADABLE',
      /\/nowhere\/inventory.yaml/,
    ],
    ['no inventory at all', ['run', RUNBOOK], 64, 'INVENTORY_MISSING', /-i inventory.yaml/],
    [
      'an unknown checkpoint',
      ['run', RUNBOOK, ...hosts, '--until', 'quiet'],
      64,
      'CHECKPOINT_UNKNOWN',
      /prepared, quiesced, copied, moved/,
    ],
    ['an input of another type', ['run', RUNBOOK, ...hosts, '--input', 'port=five'], 64, 'INPUT_INVALID', /port/],
    ['an unknown input', ['run', RUNBOOK, ...hosts, '--input', 'prot=5432'], 64, 'INPUT_UNDECLARED', /Did you mean "port"/],
    [
      'a secret in the open',
      [
        'run',
        'runbooks/ovirt/prepare-remote-db.yaml',
        ...hosts,
        '--role',
        'clients=engine',
        '--input',
        'database=engine',
        '--input',
        'user=engine',
        '--input',
        'password=OpenSesame1',
      ],
      64,
      'INPUT_SECRET_EXPOSED',
      /--secret password=/,
    ],
    [
      'a role played by a host nobody knows',
      ['run', RUNBOOK, ...hosts, '--role', 'new_db=newbd'],
      64,
      'HOST_UNKNOWN',
      /Did you mean "newdb"/,
    ],
    ['a run nobody knows', ['resume', 'r-20200101-000000-0000'], 64, 'RUN_UNKNOWN', /r-20200101-000000-0000/],
  ];
  for (const [title, words, exit, code, says] of cases) {
    it(`is refused: ${title}`, async () => {
      const result = await ferry.run(words);
      expectError(result, { exit, code, says: [says] });
      expect(result.stdout + result.stderr).not.toContain('OpenSesame1');
    });
  }
});
