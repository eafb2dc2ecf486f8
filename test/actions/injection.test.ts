import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Redactor } from '../../src/hosts/redactor.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { everyAction } from '../kit/every-action.ts';
import { SandboxShell } from '../kit/sandbox-shell.ts';
import { HOSTILE, MARK, spoiltScripts } from '../kit/spoilt-scripts.ts';

const box = new SandboxShell();
afterAll(() => box.remove());
afterEach(() => box.mend());

const TAME = ['a leading dash', 'words, patterns and unseen letters'];
const actions = await everyAction();
const acted = new Set<string>();
let counted = 0;

describe('text that would like to be more than text', () => {
  it('is more in a shell that does not quote it, and every argument of a program is seen', () => {
    for (const [name, hostile] of Object.entries(HOSTILE)) {
      box.mend();
      box.run(['x %', "x '%'", 'x "%"'].map((script) => script.replace('%', () => hostile)));
      expect(box.broken, name).toBe(!TAME.includes(name));
    }
    const nested = `runuser -u postgres -- env -i PATH="$PATH" sh -c 'rm three'`;
    expect(box.run(['rm one "two words"', nested])).toEqual(expect.arrayContaining(['one', 'two words', 'three']));
  });

  it.each(actions.map(({ name, action, params }) => [name, action, params] as const))(
    'is text to %s',
    async (name, action, given) => {
      expect(given.length, 'params to begin with').toBeGreaterThan(0);
      const known = new Redactor();
      for (const hostile of Object.values(HOSTILE))
        for (const text of [hostile, hostile.replaceAll(/['\\]/g, '\\$&')]) known.add(new Secret(text, 'x'));
      const { scripts, hasActed } = await spoiltScripts(action, given, 'one.example.com');
      if (hasActed) acted.add(name);
      const args = box.run(scripts.map(({ text }) => text));
      const guilty = scripts.filter(({ text }) => {
        if (!box.broken) return false;
        box.mend();
        box.run([text]);
        return box.broken;
      });
      expect(guilty).toEqual([]);
      expect(box.broken).toBe(false);
      // What reached a program is whole: no shell has split it or read anything into it.
      // Text for another shell is not an argument yet; what that makes of it is.
      const whole = args.filter((arg) => !arg.startsWith('cd /; ')).map((arg) => known.redact(arg));
      expect(whole.filter((arg) => arg.includes(MARK))).toEqual([]);
      counted += scripts.length;
    },
    120_000,
  );

  it('was put to every action in a state in which it acts', () => {
    // It does nothing but read, and blocks on keys that no file has.
    expect(actions.map(({ name }) => name).filter((name) => !acted.has(name))).toEqual(['config.read']);
    expect(counted).toBeGreaterThan(500);
  });
});
