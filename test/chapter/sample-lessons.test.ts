import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';

const labDir = inject('labDir');
const HOSTS = ['engine', 'newdb'] as const;

// What the lessons touch: files with bytes, mode and owner, databases, units. Not what apt keeps for itself, nor its logs.
const LOOK = `find /etc /root /srv /var/tmp /var/lib/ferry-lesson -xdev -type f ! -name locale.gen -exec sha256sum {} + 2>/dev/null | sort -k2
find /etc /root -xdev -printf '%p %m %u %g\\n' | sort
runuser -u postgres -- psql -XAtc 'SELECT datname, datallowconn, datconnlimit FROM pg_database ORDER BY 1'
systemctl list-units --type=service --state=running,failed --plain --no-legend | awk '{print $1, $3, $4}' | grep -v '^user@\\|^session\\|^user-runtime'`;

async function look(): Promise<Record<string, string>> {
  const found = await Promise.all(HOSTS.map(async (host) => [host, (await execOn(labDir, host, LOOK)).stdout] as const));
  return Object.fromEntries(found);
}
const onHost = async (host: string, script: string) => (await execOn(labDir, host, script)).stdout.trim();

let ferry: FerryOnLab;
beforeEach(() => {
  ferry = new FerryOnLab(labDir);
});
afterEach(async () => {
  // One that failed half way leaves its hosts to the next.
  await ferry.run(['rollback']);
  await ferry.remove();
});

async function ran(words: string[], code = 0): Promise<string> {
  const run = await ferry.run(words);
  expect(run.code, run.stderr).toBe(code);
  return run.stdout;
}

interface Lesson {
  readonly file: string;
  readonly words?: string[];
  /** What is looked at past Ferry when it has run, and what that says. */
  readonly after: readonly (readonly [host: string, script: string, says: string | RegExp])[];
  /** How many things a rollback keeps on purpose. */
  readonly kept: number;
}

const lessons: Lesson[] = [
  {
    file: '08-a-database',
    after: [
      ['newdb', 'runuser -u postgres -- psql -XAtd ferry_lesson -c "SELECT count(*), sum(note) FROM notes"', '1000|500500'],
      ['engine', `runuser -u postgres -- psql -XAtc "SELECT datconnlimit FROM pg_database WHERE datname = 'ferry_lesson'"`, '0'],
      ['newdb', 'ls /var/lib/ferry-lesson', ''],
    ],
    kept: 0,
  },
  {
    file: '09-when-things-fail',
    words: ['--role', 'machines=engine,newdb'],
    after: HOSTS.map(
      (host) => [host, 'sshd -T | grep usedns; cat /etc/ssh/sshd_config.d/90-ferry.conf', 'usedns no\nUseDNS no'] as const,
    ),
    kept: 0,
  },
  {
    file: '10-a-new-server',
    after: [
      ['newdb', 'tree --version | cut -d" " -f1', 'tree'],
      ['newdb', 'openssl x509 -in /etc/ssl/certs/ferry-lesson.pem -noout -subject', /CN ?= ?/],
      ['newdb', 'stat -c "%a %U" /etc/ssl/private/ferry-lesson.key', '600 root'],
    ],
    kept: 1,
  },
  {
    file: '11-one-in-another',
    after: HOSTS.map(
      (host) =>
        [host, 'cat /var/lib/ferry-lesson/from-engine.txt', host === 'newdb' ? 'Made on engine.' : 'Made on newdb.'] as const,
    ),
    kept: 0,
  },
];

test.each(lessons)('lesson $file is planned, run, and taken back', async ({ file, words = [], after, kept }) => {
  const before = await look();
  const path = `examples/${file}.yaml`;
  expect(await ran(['plan', path, ...ferry.hosts, ...words])).toContain('Nothing was changed.');
  expect(await look()).toEqual(before);
  await ran(['run', path, ...ferry.hosts, ...words, '--yes']);
  for (const [host, script, says] of after) {
    const said = await onHost(host, script);
    if (says instanceof RegExp) expect(said).toMatch(says);
    else expect(said).toBe(says);
  }
  const back = await ran(['rollback'], 4);
  expect(back).toMatch(new RegExp(`, ${kept} kept on purpose, 0 differ\\.`));
  if (kept > 0) await onHost('newdb', 'DEBIAN_FRONTEND=noninteractive apt-get purge -y -q tree >/dev/null');
  expect(await look()).toEqual(before);
});

test('lesson 07 waits at its gate for somebody, goes on after a yes, and comes back to its checkpoint', async () => {
  const before = await look();
  const dwhd = () => onHost('engine', 'systemctl is-active ovirt-engine-dwhd');
  await ran(['run', 'examples/07-checkpoints-and-gates.yaml', ...ferry.hosts], 3);
  expect(await dwhd()).toBe('inactive');
  const { run } = JSON.parse(await ran(['status', '--json'])) as { run: string };
  await ran(['approve', run, 'look']);
  await ran(['resume'], 3);
  await ran(['approve', run, 'start']);
  await ran(['resume']);
  expect(await dwhd()).toBe('active');
  await ran(['rollback', '--to', 'quiet'], 4);
  expect(await dwhd()).toBe('inactive');
  await ran(['rollback'], 4);
  expect(await look()).toEqual(before);
});
