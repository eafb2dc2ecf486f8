import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Action } from '../../src/actions/action.ts';
import type { FactRef } from '../../src/facts/fact.ts';
import type { HostInfo } from '../../src/hosts/host.ts';
import { Redactor } from '../../src/hosts/redactor.ts';
import { Secret } from '../../src/hosts/secret.ts';
import type { Sh } from '../../src/hosts/sh.ts';
import { factsOf, refsOf } from '../../src/plan/fact-view.ts';
import { everyAction, recordingHost, tryPlans } from '../kit/every-action.ts';
import { siteOf } from '../kit/facts.ts';
import { actContext } from '../kit/local-host.ts';
import { SandboxShell } from '../kit/sandbox-shell.ts';

const box = new SandboxShell();
afterAll(() => box.remove());
afterEach(() => box.mend());

// In each of them, so that a piece of it that went astray is known.
const MARK = 'Fz9';
const HOSTILE: Record<string, string> = {
  'a single quote': `'; mkcanary; '${MARK}`,
  'a double quote and a substitution': `"; mkcanary; "$(mkcanary)\`mkcanary\`${MARK}`,
  'an end of a command': `; mkcanary & mkcanary | mkcanary #${MARK}`,
  'a line of its own': `x${MARK}\nmkcanary\n#`,
  'a leading dash': `-oProxyCommand=mkcanary;${MARK}`,
  backslashes: `\\'; mkcanary; \\"; mkcanary; \\! mkcanary \\${MARK}`,
  'words, patterns and unseen letters': `${MARK} * ~ {a,b} [!x] %s%n$HOME ü🚢\u202e`,
};
const TAME = ['a leading dash', 'words, patterns and unseen letters'];
// Shell text of the author is shell text.
const SHELL = ['shell', 'check', 'undo'];

/** The value with the text put in place of every text in it, and of every name in a record, one at a time. */
function* spoiltOnce(value: unknown, text: string, key = ''): Generator<(whole: unknown) => unknown> {
  if (typeof value === 'string' && !SHELL.includes(key)) yield () => text;
  else if (value instanceof Secret) yield () => new Secret(text, value.source);
  else if (Array.isArray(value)) {
    for (const [index, member] of value.entries())
      for (const spoil of spoiltOnce(member, text))
        yield (whole) => (whole as unknown[]).map((one, at) => (at === index ? spoil(one) : one));
  } else if (value !== null && typeof value === 'object') {
    for (const [name, member] of Object.entries(value)) {
      for (const spoil of spoiltOnce(member, text, name))
        yield (whole) => ({ ...(whole as object), [name]: spoil((whole as Record<string, unknown>)[name]) });
      yield (whole) => Object.fromEntries(Object.entries(whole as object).map(([own, one]) => [own === name ? text : own, one]));
    }
  }
}

/** Params with the text in every place that takes it, as it is or in a path. */
function spoilt(schema: z.ZodType, given: unknown, text: string): unknown {
  let params = given;
  for (const form of [text, `/srv/${text}`]) {
    for (const spoil of [...spoiltOnce(params, form)]) {
      try {
        const next = spoil(params);
        if (!JSON.stringify(params).includes(JSON.stringify(form)) || JSON.stringify(next) !== JSON.stringify(params))
          if (schema.safeParse(next).success) params = next;
      } catch {
        // A name above it was spoilt before.
      }
    }
  }
  return schema.parse(params);
}

/** Every script that a step gives away with these params: what it reads, does, undoes and looks at before it undoes. */
async function scriptsOf(action: Action, params: unknown, address: string): Promise<{ scripts: Sh[]; kind: string }> {
  const others = new Proxy({}, { get: (_, role) => ({ name: String(role), address, user: 'root', port: 22 }) }) as Record<
    string,
    HostInfo
  >;
  const site = { ...siteOf('one', others), host: { ...siteOf().host, address } };
  const scripts: Sh[] = [];
  const add = (refs: readonly FactRef<unknown>[]) => {
    for (const { kind, args } of refs) if (!kind.probe) scripts.push(kind.script(...(args as never[])));
  };
  const { refs, planned, read } = tryPlans(action, params, site);
  add(refs);
  const ask = (tree: Parameters<typeof factsOf>[0]) => {
    add(refsOf(tree));
    return factsOf(tree, (ref) => ({
      observed: read.get(`${ref.host} ${ref.key}`) ?? { state: 'absent' },
      madeBy: null,
    })) as never;
  };
  action.preflight?.(params, ask, { ...site, hostAt: () => undefined });
  const on = (name: string) => recordingHost(name, scripts);
  const acting = { ...site, on: on('one'), onRole: on, onHost: on, params, ctx: actContext('/srv/kept') };
  // What it makes of answers that say nothing is not the matter here, nor how long it would wait for better ones.
  const tried = (work: unknown) => Promise.race([Promise.resolve(work).catch(() => undefined), delay(50)]);
  if (planned?.kind === 'change' || planned?.kind === 'check')
    await tried(action.apply?.({ ...acting, change: planned as never }));
  if (planned?.kind === 'change') {
    for (const keep of planned.keep) if ('print' in keep) scripts.push(keep.print);
    await tried(action.rollback?.({ ...acting, undo: planned.undo }));
    const undoSite = { host: 'one', run: 'r-1', crossedWriteLine: true, kept: (name: string) => `/srv/${name}` };
    if (action.preview) add(refsOf(action.preview.facts(planned.undo, undoSite)));
  }
  return { scripts, kind: planned?.kind ?? 'none' };
}

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
      const scripts = new Map<string, string>();
      for (const [what, hostile] of Object.entries(HOSTILE)) {
        for (const text of [hostile, hostile.replaceAll(/['\\]/g, '\\$&')]) known.add(new Secret(text, 'x'));
        // The first with which it acts is enough: they differ in what they set, not in how it is written.
        for (const one of given) {
          const made = await scriptsOf(action, spoilt(action.params, one, hostile), 'one.example.com');
          for (const { text } of made.scripts) scripts.set(text, what);
          if (!['change', 'check', 'gate'].includes(made.kind)) continue;
          acted.add(name);
          break;
        }
      }
      const args = box.run([...scripts.keys()]);
      const guilty = [...scripts].filter(([text]) => {
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
      counted += scripts.size;
    },
    120_000,
  );

  it('was put to every action in a state in which it acts', () => {
    // It does nothing but read, and blocks on keys that no file has.
    expect(actions.map(({ name }) => name).filter((name) => !acted.has(name))).toEqual(['config.read']);
    expect(counted).toBeGreaterThan(500);
  });
});
