import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Action, Change } from '../../src/actions/action.ts';
import { Redactor } from '../../src/hosts/redactor.ts';
import { reveal, Secret } from '../../src/hosts/secret.ts';
import type { Sh } from '../../src/hosts/sh.ts';
import type { Json } from '../../src/lib/json.ts';
import { factsOf } from '../../src/plan/fact-view.ts';
import { publishReading, publishValue, showReading } from '../../src/plan/publish.ts';
import { needlesOf, newCanary } from '../kit/canary.ts';
import { everyAction, recordingHost, tryPlans } from '../kit/every-action.ts';
import { siteOf } from '../kit/facts.ts';
import { actContext } from '../kit/local-host.ts';

const canary = newCanary('the secret');
const needles = [...needlesOf([canary])];
const secret = () => new Secret(canary.secret, 'input:password');

/** Which forms of the secret stand in a text. */
const formsIn = (text: string) => needles.flatMap(([needle, { form }]) => (text.includes(needle) ? [form] : []));

/** Params with the secret in one place each that takes one, with the place; those of command lines refuse it in words. */
function withSecret(schema: z.ZodType, given: unknown): [place: string, params: unknown][] {
  const places = (value: unknown, at: string[], put: (member: unknown) => unknown): [string, unknown][] => {
    const own: [string, unknown][] = typeof value === 'string' || value instanceof Secret ? [[at.join('.'), put(secret())]] : [];
    if (value === null || typeof value !== 'object' || value instanceof Secret) return own;
    return Object.entries(value).flatMap(([key, member]) =>
      places(member, [...at, key], (one) =>
        put(Array.isArray(value) ? value.map((old, index) => (String(index) === key ? one : old)) : { ...value, [key]: one }),
      ),
    );
  };
  return places(given, [], (whole) => whole).filter(([, params]) => schema.safeParse(params).success);
}

const actions = await everyAction();
const cases = actions.flatMap(({ name, action, params }) => {
  const seen = new Set<string>();
  return params.flatMap((given) =>
    withSecret(action.params, given).flatMap(([place, spoilt]): [string, string, Action, unknown][] => {
      // One of each place, whatever the name of a key or the number in a list.
      const kind = place.replace(/\.\d+$/, '.0');
      if (seen.has(kind)) return [];
      seen.add(kind);
      return [[name, place, action, action.params.parse(spoilt)]];
    }),
  );
});

/** All that is published of a step: as a plan, a record, an event or an error holds it. */
async function told(
  action: Action,
  params: unknown,
): Promise<{ kind: string; texts: Record<string, string>; scripts: Sh[]; given: unknown[] }> {
  const site = siteOf();
  const texts: Record<string, string> = {};
  const put = (what: string, value: unknown) => {
    texts[what] = `${texts[what] ?? ''}${typeof value === 'string' ? value : JSON.stringify(value)}\n`;
  };
  // The lines of files pass the redactor on their way into a plan or a record; nothing else here does.
  const redactor = new Redactor();
  redactor.add(secret());
  const published = (value: unknown) => redactor.redactTexts(value);
  // The file that is read holds it too: a step that changes nothing else shows what is there.
  const { refs, planned, read } = tryPlans(
    action,
    params,
    site,
    `A=1\nPASSWORD="${canary.words[0]}"\nENGINE_DB_PASSWORD=${canary.words[1]}\n`,
  );
  for (const ref of refs) {
    put('fact keys', ref.key);
    const reading = publishReading(ref.kind, read.get(`${ref.host} ${ref.key}`) ?? { state: 'absent' });
    put('readings', reading);
    put('readings in words', showReading(ref.kind, reading));
  }
  const scripts: Sh[] = refs.flatMap(({ kind, args }) => (kind.probe ? [] : [kind.script(...(args as never[]))]));
  const given: unknown[] = [];
  if (!planned) return { kind: 'none', texts, scripts, given };
  const { outputs } = planned;
  put('summary', planned.summary);
  put('outputs', publishValue(outputs));
  put('touches', action.touches?.(params, 'one') ?? null);
  const findings = action.preflight?.(
    params,
    (tree) =>
      factsOf(tree, (ref) => ({ observed: read.get(`${ref.host} ${ref.key}`) ?? { state: 'absent' }, madeBy: null })) as never,
    { ...site, hostAt: () => undefined },
  );
  put('preflight', findings ?? null);
  const on = (name: string) => recordingHost(name, scripts, given);
  const acting = { ...site, on: on('one'), onRole: on, onHost: on, params, ctx: actContext('/srv/kept') };
  const tried = async (what: string, work: unknown) => {
    const end = await Promise.race([Promise.resolve(work).then(publishValue, (thrown) => thrown as Error), delay(50, null)]);
    put(what, end instanceof Error ? `${end.message} ${(end as { hint?: string }).hint ?? ''}` : (end ?? ''));
  };
  if (planned.kind === 'change' || planned.kind === 'check')
    await tried('what apply says', action.apply?.({ ...acting, change: planned as never }));
  if (planned.kind === 'change') {
    const change: Change<Json> = planned;
    for (const part of ['diff', 'undo', 'undoSummary', 'undoDiff', 'data', 'irreversible'] as const)
      put(part, change[part] ?? null);
    put('keep', change.keep);
    for (const { key, kind, to } of change.predicts) put('predictions', published([key, to && publishReading(kind, to)]));
    await tried('what rollback says', action.rollback?.({ ...acting, undo: JSON.parse(JSON.stringify(change.undo)) as Json }));
    if (action.preview) {
      const undoSite = { host: 'one', run: 'r-1', crossedWriteLine: false, kept: (name: string) => `/srv/${name}` };
      const facts = factsOf(action.preview.facts(change.undo, undoSite), (ref) => ({
        observed: read.get(`${ref.host} ${ref.key}`) ?? { state: 'absent' },
        madeBy: null,
      }));
      await tried(
        'preview',
        Promise.resolve().then(() => action.preview?.look(change.undo, facts, undoSite)),
      );
    }
  }
  return { kind: planned.kind, texts, scripts, given };
}

describe('a secret given to a step', () => {
  it('may be given to these params, by their schemas', () => {
    expect(cases.map(([name, place]) => `${name} ${place}`).sort()).toMatchInlineSnapshot(`
      [
        "command.run argv.0",
        "command.run check",
        "command.run shell",
        "command.run stdin",
        "command.run undo",
        "config.read expect.ENGINE_DB_HOST",
        "config.set set.A",
        "config.set set.ENGINE_DB_HOST",
        "config.set set.ENGINE_DB_PASSWORD",
        "config.set set.OVESETUP_DWH_CORE/enable",
        "config.set set.datasources[0].secureJsonData.password",
        "config.set set.datasources[0].url",
        "file.put content",
        "ovirt.setup answers.OVESETUP_CONFIG/remoteEngineHostRootPassword",
        "ovirt.setup answers.OVESETUP_DWH_CONFIG/scale",
        "ovirt.setup answers.OVESETUP_DWH_DB/password",
        "postgres.login password",
        "postgres.role password",
        "prompt.answer answers.0.send",
        "prompt.answer answers.1.send",
        "prompt.answer answers.2.send",
        "prompt.answer argv.0",
        "prompt.answer shell",
      ]
    `);
  });

  it.each(cases)(
    '%s %s is in nothing that is planned, recorded or told, and in no command line',
    async (_name, _place, action, params) => {
      const { texts, scripts, given, kind } = await told(action, params);
      for (const [what, text] of Object.entries(texts)) expect([what, formsIn(text)]).toEqual([what, []]);
      for (const { text } of scripts) expect(formsIn(text)).toEqual([]);
      // It does reach the host: on stdin, or in a file of its own.
      const bytes = given.flatMap((options) => {
        const { stdin, secrets } = options as { stdin?: string | Uint8Array | Secret; secrets?: Record<string, string | Secret> };
        return [stdin ?? '', ...Object.values(secrets ?? {})].map((one) =>
          one instanceof Uint8Array ? Buffer.from(one).toString() : reveal(one),
        );
      });
      if (kind === 'change' && action.apply)
        expect(bytes.some((text) => formsIn(text).length > 0 || /SCRAM-SHA-256/.test(text))).toBe(true);
    },
  );

  it('is found where it does stand, and taken out by the redactor in each form that is looked for', () => {
    const redactor = new Redactor();
    redactor.add(secret());
    for (const [needle, { form }] of needles.filter(([, { form }]) => !form.startsWith('a word'))) {
      expect(formsIn(`x${needle}y`), form).toContain(form);
      expect(formsIn(redactor.redact(`x ${needle} y`)), form).toEqual([]);
    }
  });
});
