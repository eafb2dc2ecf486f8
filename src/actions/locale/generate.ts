import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { type OsLocale, osLocale } from '../../facts/os-locale.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgLocale } from '../../facts/pg-locale.ts';
import { joinSh } from '../../hosts/sh.ts';
import { lastLines } from '../../lib/text.ts';
import { blocked, change, defineAction, type KeptOnPurpose, noChange } from '../action.ts';
import { ANY_CODE } from '../any-code.ts';
import { clusterPort } from '../postgres/params.ts';
import { awaitServer, control, serverRef } from '../postgres/server.ts';
import { undoPreview } from '../undo-preview.ts';
import { generateScript } from './scripts.ts';

type Server = ReturnType<typeof serverRef>;
type Data = { by: OsLocale['by']; make: string[]; port: number; restart: Server | null };
type LocaleUndo = { made: string[]; port: number };

export default defineAction({
  summary: 'Have locales on a host, also for the PostgreSQL server that runs there.',
  description:
    'By locale-gen on Debian, by glibc-langpack packages on Enterprise Linux, else by localedef. A running PostgreSQL server does not see a locale that was made after its start, so it is restarted when it runs and refuses one.',
  undone: 'Locales stay, and the proof says so: a database may have come to need them. A restart is not taken back.',
  params: z.strictObject({
    locales: z
      .array(z.string().regex(/^[A-Za-z]{2,3}(_[A-Z]{2})?(\.[A-Za-z0-9-]+)?(@[A-Za-z]+)?$/, 'write a locale such as en_US.UTF-8'))
      .min(1)
      .describe('Names, as locale -a or /usr/share/i18n/SUPPORTED has them.'),
    port: clusterPort().describe('Port of the server that is to use them, if there is one.'),
    restart: z.boolean().default(true).describe('Restart that server when it runs and refuses one of them.'),
  }),
  outputs: { made: 'Locales that were not there before.', restarted: 'Whether the server was restarted.' },
  facts: ({ host }, { locales, port }) => ({
    os: locales.map((name) => osLocale(name).on(host.name)),
    pg: locales.map((name) => pgLocale(port, name).on(host.name)),
    cluster: pgCluster(port).on(host.name),
  }),
  touches: ({ locales, port }, role) => ({
    changes: locales.flatMap((name) => [osLocale.key(name), pgLocale.key(port, name)].map((key) => [role, key] as const)),
  }),
  plan({ locales, port, restart: mayRestart }, facts, { host, earlier }) {
    const missing = locales.filter((_, index) => facts.os[index]?.value?.installed === false);
    const by = facts.os.find(({ value }) => value?.installed === false)?.value?.by ?? null;
    const stuck = locales.find((_, index) => facts.os[index]?.value?.installed === false && !facts.os[index]?.value?.by);
    if (stuck !== undefined)
      return blocked(
        `nothing on ${host.name} can make locale ${stuck}`,
        'Check its name; on Debian the package locales has to be there: install it in an earlier step.',
      );
    const server = facts.cluster.value;
    const refuses = facts.pg.some(({ value }) => value?.accepted === false);
    // What the server refuses now for being missing it goes on refusing until it is restarted.
    const restart = mayRestart && server?.running && (missing.length > 0 || refuses) ? serverRef(server) : null;
    const made = locales.filter((name) => missing.includes(name) || earlier?.undo.made.includes(name));
    const outputs = { made, restarted: restart !== null };
    if (missing.length === 0 && restart === null)
      return noChange(refuses ? 'there, the server sees them after its next start' : 'there already', { outputs });
    const words = [
      missing.length > 0 ? `make ${missing.join(', ')}` : '',
      restart
        ? `restart PostgreSQL ${restart.version}, which does not see ${missing.length > 0 ? 'new locales' : 'all of them'}`
        : '',
    ];
    return change<LocaleUndo, Data>({
      summary: words.filter(Boolean).join('; '),
      predicts: [
        ...facts.os.flatMap((fact) =>
          fact.value?.installed === false ? [fact.becomes({ ...fact.value, installed: true })] : [],
        ),
        ...facts.pg.map((fact) =>
          fact.becomes({
            installed: true,
            accepted: server?.running ? restart !== null || fact.value?.accepted === true : (fact.value?.accepted ?? null),
          }),
        ),
      ],
      outputs,
      undo: { made: missing, port },
      undoSummary: 'nothing: locales stay',
      data: { by, make: missing, port, restart },
    });
  },
  async apply({ on, change: { data } }) {
    const result = await on.detached('generate', generateScript(data.by, data.make), {
      okCodes: ANY_CODE,
      note: 'making locales',
    });
    if (result.code !== 0)
      throw new FerryError('LOCALE_FAILED', { locales: data.make.join(', '), host: on.name, why: lastLines(result.stdout, 5) });
    if (data.restart)
      await on.change('restart', joinSh([control(data.restart, 'restart'), awaitServer(data.restart, data.port)], ' && '));
  },
  async rollback({ on, undo }) {
    const kept: KeptOnPurpose[] = [];
    for (const name of undo.made) {
      const found = osLocale.definition.parse(await on.run(osLocale.definition.script(name)), name);
      if (found.state === 'value' && found.value.installed) kept.push(...stays(on.name, name, undo.port));
    }
    return kept;
  },
  preview: undoPreview({
    facts: ({ made }: LocaleUndo, { host }) => made.map((name) => osLocale(name).on(host)),
    look: ({ made, port }, facts, { host }) => ({
      diff: [],
      kept: made.flatMap((name, index) => (facts[index]?.value?.installed ? stays(host, name, port) : [])),
    }),
  }),
  examples: [{ title: 'What the engine database is sorted by', with: { locales: ['en_US.UTF-8'] } }],
});

function stays(host: string, name: string, port: number): KeptOnPurpose[] {
  return [
    { host, key: osLocale.key(name), what: `locale ${name} stays installed` },
    { host, key: pgLocale.key(port, name), what: `PostgreSQL on port ${port} may use locale ${name}` },
  ];
}
