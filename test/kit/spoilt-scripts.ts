import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import type { Action } from '../../src/actions/action.ts';
import type { FactRef } from '../../src/facts/fact.ts';
import type { HostInfo } from '../../src/hosts/host.ts';
import { Secret } from '../../src/hosts/secret.ts';
import type { Sh } from '../../src/hosts/sh.ts';
import { factsOf, refsOf } from '../../src/plan/fact-view.ts';
import { type Given, recordingHost, tryPlans } from './every-action.ts';
import { siteOf } from './facts.ts';
import { actContext } from './local-host.ts';

/** Stands in each hostile text, so that a piece of it that went astray is known. */
export const MARK = 'Fz9';
/** Texts that would like to be more than text; each that is more calls the program `mkcanary`. */
export const HOSTILE: Record<string, string> = {
  'a single quote': `'; mkcanary; '${MARK}`,
  'a double quote and a substitution': `"; mkcanary; "$(mkcanary)\`mkcanary\`${MARK}`,
  'an end of a command': `; mkcanary & mkcanary | mkcanary #${MARK}`,
  'a line of its own': `x${MARK}\nmkcanary\n#`,
  'a leading dash': `-oProxyCommand=mkcanary;${MARK}`,
  backslashes: `\\'; mkcanary; \\"; mkcanary; \\! mkcanary \\${MARK}`,
  'words, patterns and unseen letters': `${MARK} * ~ {a,b} [!x] %s%n$HOME ü🚢\u202e`,
};
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
async function scriptsOf(
  action: Action,
  params: unknown,
  address: string,
): Promise<{ scripts: Sh[]; given: Map<Sh, Given>; kind: string }> {
  const others = new Proxy({}, { get: (_, role) => ({ name: String(role), address, user: 'root', port: 22 }) }) as Record<
    string,
    HostInfo
  >;
  const site = { ...siteOf('one', others), host: { ...siteOf().host, address } };
  const scripts: Sh[] = [];
  const given = new Map<Sh, Given>();
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
  const on = (name: string) => recordingHost(name, scripts, [], given);
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
  return { scripts, given, kind: planned?.kind ?? 'none' };
}

/** A script that was made with hostile text in every param that takes it. */
export interface SpoiltScript extends Given {
  readonly text: string;
  /** Which of the hostile texts. */
  readonly what: string;
}

/**
 * Every script of an action, with each hostile text in each of its params that takes it, once each. `hasActed` tells whether
 * there was a state in which it changes or checks something.
 */
export async function spoiltScripts(
  action: Action,
  given: readonly unknown[],
  address: string,
): Promise<{ scripts: SpoiltScript[]; hasActed: boolean }> {
  const scripts = new Map<string, SpoiltScript>();
  let hasActed = false;
  for (const [what, hostile] of Object.entries(HOSTILE)) {
    // The first with which it acts is enough: they differ in what they set, not in how it is written.
    for (const one of given) {
      const made = await scriptsOf(action, spoilt(action.params, one, hostile), address);
      for (const script of made.scripts) scripts.set(script.text, { ...made.given.get(script), text: script.text, what });
      if (!['change', 'check', 'gate'].includes(made.kind)) continue;
      hasActed = true;
      break;
    }
  }
  return { scripts: [...scripts.values()], hasActed };
}
