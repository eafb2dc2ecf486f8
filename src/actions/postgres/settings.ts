import { z } from 'zod';
import { FerryError, isFerryError } from '../../errors/ferry-error.ts';
import type { Fact, Prediction } from '../../facts/fact.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgLocale } from '../../facts/pg-locale.ts';
import { isSecretSetting, type PgSetting, pgSetting } from '../../facts/pg-setting.ts';
import { psql, runSql } from '../../facts/postgres/psql.ts';
import { readFacts } from '../../facts/read.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { joinSh, sh } from '../../hosts/sh.ts';
import { plural } from '../../lib/text.ts';
import { blocked, change, type DiffLine, defineAction, noChange, type Site } from '../action.ts';
import { CLOSED_BESIDE, PUT_IN_PLACE } from '../replace-file.ts';
import { readKept } from './former-settings.ts';
import { localeRefused } from './locale-refused.ts';
import { clusterPort, notReady } from './params.ts';
import { awaitServer, control, serverRef } from './server.ts';
import { settingLine } from './setting-line.ts';
import { settingStatements } from './sql.ts';
import { type Former, type SettingsUndo, settingsPreview, wholeFormer } from './undo-of-servers.ts';
import { plainValue, settingToWrite, shownAs } from './values.ts';

const bound = z.union([z.number(), z.string().min(1)]);
const wanted = z.union([
  z.number(),
  z.boolean(),
  z.string(),
  z.strictObject({
    atLeast: bound.optional().describe('Raised to this when lower.'),
    atMost: bound.optional().describe('Lowered to this when higher.'),
  }),
]);

type Server = ReturnType<typeof serverRef>;
type Data = { port: number; server: Server; write: { [name: string]: string }; restart: boolean };

export default defineAction({
  summary: 'Set configuration settings of a server, and restart it where one needs that.',
  description:
    'Writes with ALTER SYSTEM. A value with `atLeast` or `atMost` is left alone while it is within the bound; units count (64MB is more than 8192kB). Locale names are the same whatever their case and dashes.',
  undone: 'The former values hold, after a restart where one of them needs it.',
  tools: ['psql'],
  params: z.strictObject({
    port: clusterPort(),
    settings: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_.]*$/, 'write the name of a setting'), wanted)
      .describe('Setting name to its value, or to { atLeast: value } or { atMost: value }.'),
    restart: z
      .boolean()
      .default(true)
      .describe('Restart the server when a changed setting needs it. With false such a setting waits for the next restart.'),
  }),
  outputs: { changed: 'Names of the settings that were changed.', restarted: 'Whether the server was restarted.' },
  facts: ({ host }, { port, settings }) => ({
    cluster: pgCluster(port).on(host.name),
    settings: Object.fromEntries(Object.keys(settings).map((name) => [name, pgSetting(port, name).on(host.name)])),
    locales: Object.entries(settings).flatMap(([name, given]) =>
      name.startsWith('lc_') && typeof given === 'string' ? [pgLocale(port, given).on(host.name)] : [],
    ),
  }),
  touches: ({ port, settings }, role) => ({
    changes: Object.keys(settings).map((name) => [role, pgSetting.key(port, name)] as const),
    effects: [{ does: 'tune', role, port, settings: Object.keys(settings) }],
  }),
  plan(params, facts, { host }: Site) {
    const { port } = params;
    const stopped = notReady(facts.cluster, port);
    if (stopped || !facts.cluster.value) return stopped ?? blocked('no cluster', '');
    const refused = facts.locales.map((fact) => localeRefused(fact, facts.cluster)).find(Boolean);
    if (refused) return refused;
    const parts: Part[] = [];
    for (const [name, want] of Object.entries(params.settings)) {
      const fact = facts.settings[name] as Fact<PgSetting>;
      const now = fact.value;
      if (!now && fact.read && facts.cluster.read)
        return blocked(`PostgreSQL on ${host.name} knows no setting "${name}"`, 'Correct its name.');
      if (now?.context === 'internal')
        return blocked(`"${name}" cannot be set, it is fixed when the cluster is made`, 'Take it out of `settings`.');
      const part = partOf(name, fact, now ? settingToWrite(want, now, name) : plainValue(want), params.restart);
      if (part) parts.push(part);
    }
    const restart = parts.some((part) => part.restarts);
    const write = Object.fromEntries(parts.flatMap((part) => (part.write === null ? [] : [[part.name, part.write]])));
    if (parts.length === 0 || (!restart && Object.keys(write).length === 0)) {
      const waiting = parts.length > 0 ? 'set already, waiting for a restart' : 'all as wanted';
      return noChange(waiting, { outputs: { changed: [], restarted: false } });
    }
    const server = serverRef(facts.cluster.value);
    const autoConfFile = `${facts.cluster.value.dataDirectory}/postgresql.auto.conf`;
    return change<SettingsUndo, Data>({
      summary: `${plural(parts.length, 'setting')}${restart ? ', restart needed' : ', reload'}`,
      diff: parts.map((part) => part.diff),
      predicts: parts.map((part) => part.prediction),
      outputs: { changed: parts.map((part) => part.name), restarted: restart },
      undo: { port, server, autoConfFile, former: Object.fromEntries(parts.map((part) => [part.name, part.former])) },
      undoSummary: `the former values${restart ? ', restart' : ''}`,
      ...(parts.some((part) => part.isWaiting) ? { undoDiff: parts.map((part) => part.back) } : {}),
      data: { port, server, write, restart },
      keep: [{ name: 'postgresql.auto.conf', host: host.name, path: autoConfFile }],
    });
  },
  async apply({ on, change: { data } }) {
    await alterSystem(on, data.port, data.write);
    if (data.restart) await restartServer(on, data.server, data.port);
  },
  preview: settingsPreview,
  async rollback({ on, undo, ctx }) {
    const { port, server } = undo;
    const answers = await on.run(runSql({ port }, 'SELECT 1;'));
    if (answers.code !== 0) {
      // It does not run, maybe because of what was set: without it ALTER SYSTEM is not to be had, so the file goes back.
      const kept = ctx.kept(on.name, 'postgresql.auto.conf');
      const file = undo.autoConfFile;
      await on.change(
        'put-back',
        sh`f=${file}; ${CLOSED_BESIDE}
cp -p -- ${kept} "$t"; chown postgres: -- "$t"
${PUT_IN_PLACE}`,
      );
      await restartServer(on, server, port);
      return;
    }
    const isHidden = Object.values(undo.former).some(({ hidden }) => hidden);
    const kept = isHidden ? await readKept(on, ctx.kept(on.name, 'postgresql.auto.conf')) : '';
    const former = Object.entries(undo.former).map(([name, one]) => [name, wholeFormer(name, one, kept)] as const);
    await alterSystem(on, port, Object.fromEntries(former.map(([name, { autoConf }]) => [name, autoConf])));
    const waiting = former.filter(([, { needsRestart }]) => needsRestart);
    const now = await readFacts(
      on,
      waiting.map(([name]) => pgSetting(port, name).on(on.name)),
    );
    const moved = waiting.some(([, { setting, hidden }], index) => {
      const read = now[index] as { state: string; value?: PgSetting } | undefined;
      return (setting !== null || hidden === true) && read?.value?.setting !== setting;
    });
    if (moved) await restartServer(on, server, port);
  },
  examples: [
    {
      title: 'What engine-setup asks of a server',
      with: { settings: { max_connections: { atLeast: 150 }, work_mem: { atLeast: '8MB' }, lc_messages: 'en_US.UTF-8' } },
    },
  ],
});

interface Part {
  readonly name: string;
  /** The text to write; null when the file has it already and only a restart is missing. */
  readonly write: string | null;
  readonly restarts: boolean;
  readonly diff: DiffLine;
  /** What undo makes of it. */
  readonly back: DiffLine;
  /** True when undo, by its restart, brings in force a former entry that was waiting for one. */
  readonly isWaiting: boolean;
  readonly prediction: Prediction;
  readonly former: Former;
}

function partOf(name: string, fact: Fact<PgSetting>, text: string | undefined, mayRestart: boolean): Part | undefined {
  const now = fact.value;
  if (text === undefined) return undefined;
  if (!now) {
    return {
      name,
      write: text,
      restarts: false,
      diff: settingLine(name, null, text),
      back: settingLine(name, text, null),
      isWaiting: false,
      prediction: fact.becomesUnknown(),
      former: { autoConf: null, setting: null, needsRestart: true },
    };
  }
  const needsRestart = now.context === 'postmaster';
  const restarts = needsRestart && mayRestart;
  const written = now.autoConf !== null && now.pendingRestart && shownAs(now.autoConf, now) === shownAs(text, now);
  const old = now.setting + (now.unit && /^[A-Za-z]/.test(now.unit) ? ` ${now.unit}` : '');
  const isWaiting = restarts && now.pendingRestart && !written;
  return {
    name,
    write: written ? null : text,
    restarts,
    diff: settingLine(name, old, text),
    back: settingLine(name, text, isWaiting ? (now.autoConf ?? 'what postgresql.conf says') : old),
    isWaiting,
    prediction: fact.becomes({
      ...now,
      setting: needsRestart && !mayRestart ? now.setting : shownAs(text, now),
      autoConf: written ? now.autoConf : text,
      pendingRestart: needsRestart && !mayRestart,
      secret: now.secret || isSecretSetting(name, text),
    }),
    // Its bytes are in the file that is kept.
    former: now.secret
      ? { autoConf: null, setting: null, needsRestart, hidden: true }
      : { autoConf: now.autoConf, setting: now.setting, needsRestart },
  };
}

async function alterSystem(on: ActingHost, port: number, settings: Readonly<Record<string, string | null>>): Promise<void> {
  await on.change('alter', psql({ port }), {
    stdin: `${settingStatements('ALTER SYSTEM', settings)}\nSELECT pg_reload_conf();\n`,
  });
}

async function restartServer(on: ActingHost, server: Server, port: number): Promise<void> {
  try {
    await on.change('restart', joinSh([control(server, 'restart'), awaitServer(server, port)], ' && '));
  } catch (thrown) {
    if (!isFerryError(thrown, 'COMMAND_FAILED')) throw thrown;
    throw new FerryError(
      'SERVER_NOT_STARTED',
      { host: on.name, unit: server.unit, why: thrown.args.output },
      { cause: thrown, left: `The server on ${on.name} is down, with the new settings in postgresql.auto.conf.` },
    );
  }
}
