import { describe, expect, test } from 'vitest';
import { isSecretKey, isSensitiveKey, maskLines, maskValue } from '../../src/facts/mask.ts';

describe('masking conf files', () => {
  test.each(['ENGINE_DB_PASSWORD', 'SSO_CLIENT_SECRET', 'apiToken', 'PGPASSWD', 'pki.key', 'PRIVATE_KEY', 'db_pass'])(
    '%s is sensitive',
    (key) => {
      expect(isSensitiveKey(key)).toBe(true);
    },
  );

  test.each(['ENGINE_DB_HOST', 'BYPASS', 'KEYBOARD', 'COMPASS_X'])('%s is not sensitive', (key) => {
    expect(isSensitiveKey(key)).toBe(false);
  });

  test('a path to a key is masked for people but is no secret for steps', () => {
    expect([isSensitiveKey('SSL_KEY'), isSecretKey('SSL_KEY')]).toEqual([true, false]);
  });

  test('a value with a password inside shows the rest', () => {
    expect(maskValue('jdbc:postgresql://h/db?user=u&password=hunter2&ssl=true')).toBe(
      'jdbc:postgresql://h/db?user=u&password=[secret]&ssl=true',
    );
    expect(maskValue('postgres://u:hunter2@h/db')).toBe('postgres://u:[secret]@h/db');
    expect(maskValue("primary_conninfo = 'host=h password=hunter2 x=1'")).not.toContain('hunter2');
  });

  test('a file everybody may read shows all but its secrets', () => {
    expect(maskLines('host=a\n# PASSWORD="old"\nlisten 80\npassword: x\n', true)).toEqual([
      'host=a',
      '# PASSWORD=[secret]',
      'listen 80',
      'password: [secret]',
      '',
    ]);
  });

  test('a file only some may read shows nothing but plain assignments', () => {
    expect(maskLines('K=v\nhost:5432:db:u:hunter2\n# hunter2\nP_PASSWORD="x"\nA="password=hunter2"', false)).toEqual([
      'K=v',
      '[secret]',
      '[secret]',
      'P_PASSWORD=[secret]',
      'A="password=[secret]"',
    ]);
  });

  test('a private key is masked from its first to its last line', () => {
    const shown = maskLines('a=1\n-----BEGIN OPENSSH PRIVATE KEY-----\nQUJD\n-----END OPENSSH PRIVATE KEY-----\nb=2', true);
    expect(shown).toEqual(['a=1', '[secret]', '[secret]', '[secret]', 'b=2']);
  });
});
