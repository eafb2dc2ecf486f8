import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  absolutePath,
  duration,
  hostAddress,
  octalMode,
  portNumber,
  role,
  secretText,
  toMs,
  unitName,
} from '../../src/actions/params.ts';
import { Secret } from '../../src/hosts/secret.ts';

describe('shared params', () => {
  test('a duration stays text and is read as milliseconds', () => {
    expect(duration().parse('1h30m')).toBe('1h30m');
    expect(toMs('1h30m')).toBe(5_400_000);
    expect(duration().safeParse('60').success).toBe(false);
  });

  test('a unit without suffix is a service, as for systemctl', () => {
    expect(unitName().parse('postgresql@15-main')).toBe('postgresql@15-main.service');
    expect(unitName().parse('cron.timer')).toBe('cron.timer');
    for (const bad of ['-rf', 'a b', 'x;y', '']) expect(unitName().safeParse(bad).success).toBe(false);
  });

  test('a path is absolute, has no way up and no doubled slash', () => {
    expect(absolutePath().parse('/etc//ovirt-engine/')).toBe('/etc/ovirt-engine');
    expect(absolutePath().parse('/')).toBe('/');
    expect(absolutePath().parse('/a..b/..c')).toBe('/a..b/..c');
    for (const bad of ['etc', '/a/../b', '/..', '/a/..', '/a\nb', '']) expect(absolutePath().safeParse(bad).success).toBe(false);
  });

  test('a mode is four octal digits', () => {
    expect(octalMode().parse('640')).toBe('0640');
    expect(octalMode().safeParse('0680').success).toBe(false);
  });

  test('an address may be a name, IPv4 or IPv6 but no option', () => {
    for (const good of ['newdb.example.com', '192.0.2.1', '::1', 'fe80::1%eth0']) expect(hostAddress().parse(good)).toBe(good);
    for (const bad of ['-oProxyCommand=x', 'a b', '']) expect(hostAddress().safeParse(bad).success).toBe(false);
    expect(portNumber().safeParse(0).success).toBe(false);
  });

  test('secret text takes a secret or plain text and nothing else', () => {
    const secret = new Secret('x', 'input:password');
    expect(secretText().parse(secret)).toBe(secret);
    expect(secretText().parse('plain')).toBe('plain');
    for (const bad of [1, null, undefined, {}]) expect(secretText().safeParse(bad).success).toBe(false);
  });

  test('every one has a JSON Schema of the form a file is written in', () => {
    const all = z.strictObject({
      a: duration().default('60s'),
      b: unitName(),
      c: absolutePath(),
      d: role(),
      e: secretText(),
      f: octalMode(),
      g: portNumber(),
      h: hostAddress(),
    });
    const schema = z.toJSONSchema(all, { target: 'draft-7', io: 'input' });
    const types = Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([key, of]) => [key, (of as { type: string }).type]),
    );
    expect(types).toEqual({
      a: 'string',
      b: 'string',
      c: 'string',
      d: 'string',
      e: 'string',
      f: 'string',
      g: 'integer',
      h: 'string',
    });
    expect(schema.required).toEqual(['b', 'c', 'd', 'e', 'f', 'g', 'h']);
    expect(schema.properties?.d).toMatchObject({ ferry: 'role' });
    expect(schema.properties?.e).toMatchObject({ ferry: 'secret' });
  });
});
