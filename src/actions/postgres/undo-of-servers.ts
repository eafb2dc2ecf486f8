import { fileContent, textOf } from '../../facts/file-content.ts';
import { MASK, OTHER_MASK } from '../../facts/mask.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgRole } from '../../facts/pg-role.ts';
import { pgSetting } from '../../facts/pg-setting.ts';
import type { DiffLine, KeptOnPurpose } from '../action.ts';
import { fileDiff, ownershipDiff } from '../file-diff.ts';
import { fileBack, fileBackFacts } from '../file-preview.ts';
import { undoPreview } from '../undo-preview.ts';
import { ruleDiff } from './rule-diff.ts';
import type { serverRef } from './server.ts';
import { settingLine } from './setting-line.ts';
import { stopped } from './undo-of-databases.ts';

type ClusterServer = ReturnType<typeof serverRef>;
export type HbaUndo = { port: number; path: string; mode: string; owner: string; group: string };

/** The undo of `postgres.hba`: the file as it was kept. */
export const hbaPreview = undoPreview({
  facts: ({ path }: HbaUndo, { host, kept }) => fileBackFacts(host, path, kept('pg_hba.conf')),
  look: ({ path, mode, owner, group }, facts) =>
    fileBack({ path, was: { mode, owner, group } }, facts, (now, before) => {
      const [old, next] = [textOf(now), textOf(before)];
      if (old === null || next === null) return fileDiff(now, before);
      return [...ownershipDiff(now, before), ...ruleDiff(old, next)];
    }),
});

/** `hidden` is one that may hold a secret: what it was stands in the kept postgresql.auto.conf alone. */
export type Former = { autoConf: string | null; setting: string | null; needsRestart: boolean; hidden?: true };

/** What a setting was, the kept text of postgresql.auto.conf at hand. A hidden one that is not in it came from elsewhere: null. */
export function wholeFormer(name: string, former: Former, kept: string): Former {
  if (!former.hidden) return former;
  const entries = [...kept.matchAll(/^\s*([\w.]+)\s*=\s*'(.*)'\s*$/gm)];
  const last = entries.findLast(([, key = '']) => key.toLowerCase() === name.toLowerCase());
  const autoConf = last?.[2]?.replace(/(['\\])\1/g, '$1') ?? null;
  return { ...former, autoConf, setting: autoConf };
}

export type SettingsUndo = { port: number; server: ClusterServer; autoConfFile: string; former: { [name: string]: Former } };

/** The undo of `postgres.settings`: the former entries, or the former file where the server does not run to be told. */
export const settingsPreview = undoPreview({
  facts: ({ port, autoConfFile, former }: SettingsUndo, { host, kept }) => ({
    cluster: pgCluster(port).on(host),
    settings: Object.keys(former).map((name) => pgSetting(port, name).on(host)),
    file: fileBackFacts(host, autoConfFile, kept('postgresql.auto.conf')),
  }),
  look({ autoConfFile, former }, { cluster, settings, file }) {
    if (!cluster.value?.running) {
      const { kept } = file;
      const was = kept.value ? { mode: kept.value.mode, owner: kept.value.owner, group: kept.value.group } : null;
      return was ? fileBack({ path: autoConfFile, was }, file, fileDiff) : { diff: [] };
    }
    const kept = (file.kept.value && textOf(file.kept.value)) ?? '';
    const moves = Object.entries(former).flatMap(([name, given], index) => {
      const { autoConf, setting, needsRestart, hidden } = wholeFormer(name, given, kept);
      const fact = settings[index];
      const now = fact?.value;
      if (!fact || !now) return [];
      if (setting === null && hidden && now.autoConf !== null)
        return [{ line: settingLine(name, now.setting, ''), restarts: needsRestart, prediction: fact.becomesUnknown() }];
      if (setting === null) return [];
      // A restart brings the entry in force that was waiting for one.
      const next = needsRestart && now.setting !== setting && autoConf !== null ? autoConf : setting;
      const isMoved = now.setting !== setting || now.autoConf !== autoConf;
      if (!isMoved) return [];
      const unit = now.unit && /^[A-Za-z]/.test(now.unit) ? ` ${now.unit}` : '';
      const line: DiffLine =
        now.setting === setting
          ? [' ', `${name} stays; its entry in postgresql.auto.conf ${autoConf === null ? 'goes' : 'is the former one'}`]
          : settingLine(name, now.setting + unit, next + (/^[\d.-]+$/.test(next) ? unit : ''));
      return [
        {
          line,
          restarts: needsRestart && now.setting !== setting,
          prediction: fact.becomes({ ...now, setting: next, autoConf, pendingRestart: false }),
        },
      ];
    });
    const restart: DiffLine[] = moves.some(({ restarts }) => restarts) ? [[' ', 'the server is restarted']] : [];
    return { diff: [...moves.map(({ line }) => line), ...restart], predicts: moves.map(({ prediction }) => prediction) };
  },
});

/** The undo of `postgres.role`. */
export const rolePreview = undoPreview({
  facts: ({ port, name }: { port: number; name: string; created: boolean; login: boolean }, { host, kept }) => ({
    cluster: pgCluster(port).on(host),
    role: pgRole(port, name).on(host),
    verifier: fileContent(kept('verifier')).on(host),
  }),
  look({ port, name, created, login }, { cluster, role, verifier }, { crossedWriteLine }) {
    const stops = stopped(cluster, port);
    if (stops) return stops;
    const now = role.value;
    if (!now) return { diff: [] };
    if (created) {
      const remark: DiffLine[] = crossedWriteLine ? [[' ', 'stays where the database that is kept belongs to it']] : [];
      return {
        diff: [['-', `role ${name}`], ...remark],
        predicts: [crossedWriteLine ? role.becomesUnknown() : role.becomesAbsent()],
      };
    }
    const former = verifier.value ? (textOf(verifier.value) ?? '').trim() || null : now.verifier;
    return {
      diff: [
        ...(now.login === login ? [] : [['~', 'login ', now.login ? 'yes' : 'no', login ? 'yes' : 'no'] as const]),
        ...(now.verifier === former
          ? []
          : [['~', 'password ', now.verifier === null ? 'none' : MASK, former === null ? 'none' : OTHER_MASK] as const]),
      ],
      predicts: [role.becomes({ ...now, login, verifier: former })],
    };
  },
});

/** What stays of a cluster that the run has made. */
export function keptCluster(host: string, port: number): KeptOnPurpose {
  return { host, key: pgCluster.key(port), what: `the new cluster on port ${port} is stopped and kept` };
}

export type ClusterUndo = {
  port: number;
  server: ClusterServer | null;
  created: boolean;
  running: boolean;
  enabled: boolean;
  start: string | null;
};

/** The undo of `postgres.cluster`. */
export const clusterPreview = undoPreview({
  facts: ({ port }: ClusterUndo, { host }) => ({ cluster: pgCluster(port).on(host) }),
  look({ port, server, created, running, enabled, start }, { cluster }, { host }) {
    const now = cluster.value;
    if (!server || !now) return { diff: [] };
    const word = (runs: boolean) => (runs ? 'running' : 'stopped');
    const boots = (one: { enabled: boolean; start: string | null }) =>
      one.enabled && (one.start === null || one.start === 'auto');
    const next = created
      ? { ...now, running: false, start: now.start === null ? null : start }
      : { ...now, running, enabled, start: now.start === null ? null : start };
    return {
      diff: [
        ...(now.running === next.running
          ? []
          : [['~', `PostgreSQL on port ${port} `, word(now.running), word(next.running)] as const]),
        ...(boots(now) === boots(next)
          ? []
          : [['~', 'starts at boot ', boots(now) ? 'yes' : 'no', boots(next) ? 'yes' : 'no'] as const]),
      ],
      predicts: [now.running === next.running ? cluster.becomes(next) : cluster.becomesUnknown()],
      kept: created ? [keptCluster(host, port)] : [],
    };
  },
});
