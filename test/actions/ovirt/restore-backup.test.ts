import { describe, expect, it } from 'vitest';
import { passFile } from '../../../src/actions/ovirt/engine-access.ts';
import restore from '../../../src/actions/ovirt/restore-backup.ts';
import { engineBackupWords, isDoneByEngineBackup } from '../../../src/actions/ovirt/restore-tools.ts';
import { confBlock } from '../../../src/actions/ovirt/rewrite-conf.ts';
import { readConfig } from '../../../src/facts/config-text.ts';
import { Secret } from '../../../src/hosts/secret.ts';

const to = (password: string) => ({
  ...{ address: 'newdb', port: 5433, database: 'engine', user: 'engine', password: new Secret(password, 'x') },
  ...{ secured: true, validation: false },
});
const params = (more: object = {}) =>
  restore.params.parse({ path: '/root/a b', from: '/srv/x', scopes: ['files', 'db'], ...more });

const bare = (text: string) => text.replaceAll("'", '');

describe('what engine-backup is given', () => {
  it('is the mode, the scopes, and permissions, without which it fails half way', () => {
    expect(bare(engineBackupWords(params()).text)).toBe(
      '--mode=restore --file=/root/a b --log=/var/log/ovirt-engine-backup/ferry-restore.log --scope=files --scope=db --restore-permissions',
    );
    expect(engineBackupWords(params({ permissions: false, keepTemporaryData: true })).text).toMatch(
      / --no-restore-permissions --keep-temporary-data$/,
    );
  });

  it('has credentials by a file, and the word for validation that it knows', () => {
    const words = bare(engineBackupWords(params({ credentials: { dwhdb: { ...to('s3cr"et'), validation: true } } })).text);
    expect(words).toContain(
      '--change-dwh-db-credentials --dwh-db-host=newdb --dwh-db-port=5433 --dwh-db-user=engine --dwh-db-name=engine',
    );
    expect(words).toContain('--dwh-db-secured --dwh-db-sec-validation --dwh-db-passfile="$FERRY_SECRETS/"dwhdb');
    expect(words).not.toContain('s3cr');
  });
});

describe('whether engine-backup has restored', () => {
  const REWRITING = ['engine/engine.conf.d', 'engine-dwh/ovirt-engine-dwhd.conf.d'].map(
    (at) => `Rewriting /etc/ovirt-${at}/10-setup-database.conf\n`,
  );
  const CANNOT = 'FATAL: Can not find /etc/ovirt-engine/engine.conf.d/10-setup-cinderlib-database.conf\n';

  it.each<[number, string, boolean]>([
    [0, 'Restoring:\nDone.\n', true],
    [0, 'Restoring:\n', false],
    [1, `${REWRITING.join('')}${CANNOT}`, true],
    [1, `${REWRITING.join('')}${CANNOT.replace('10-setup-cinderlib-database', '12-setup-keycloak')}`, true],
    [1, `${REWRITING[0]}${CANNOT}`, false],
    [1, CANNOT, false],
    [1, `${REWRITING.join('')}FATAL: Can not find /etc/ovirt-engine/engine.conf.d/10-setup-database.conf\n`, false],
    [1, "FATAL: Database 'engine' is not empty\nDone.\n", false],
  ])('exit code %i, %j: %s', (code, said, done) => {
    expect(isDoneByEngineBackup(code, said)).toBe(done);
  });
});

describe('new credentials in conf files', () => {
  it.each(['plain', 'a"b', 'a\\b', 'a$b${c}', 'a`b', "a'b", 'a b#c', 'a:b'])(
    'are read back by oVirt as they are: %s',
    (password) => {
      const text = confBlock('ENGINE_DB', to(password));
      const { values, problem } = readConfig([{ path: 'x', text }]);
      expect(problem).toBeNull();
      expect(values.get('ENGINE_DB_PASSWORD')).toBe(password);
      expect(values.get('ENGINE_DB_URL')).toBe(
        'jdbc:postgresql://newdb:5433/engine?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory',
      );
      expect(
        text
          .split('\n')
          .slice(0, 9)
          .map((line) => line.split('=')[0]?.slice('ENGINE_DB_'.length)),
      ).toEqual([...['HOST', 'PORT', 'USER', 'PASSWORD', 'DATABASE', 'SECURED', 'SECURED_VALIDATION', 'DRIVER', 'URL']]);
    },
  );

  it('are escaped in a password file', () => {
    const secret = passFile([{ scope: 'db', host: '::1', port: '5432', database: 'e', user: 'u', password: 'a:b\\c' }]);
    expect(secret.reveal()).toBe('\\:\\:1:5432:e:u:a\\:b\\\\c\n');
  });
});
