import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { engineLiveliness } from '../../facts/engine-liveliness.ts';
import { type MaintenanceMode, maintenanceMode } from '../../facts/maintenance-mode.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';
import { nowMs, poll } from '../../lib/clock.ts';
import { blocked, change, defineAction, noChange, type UndoContext } from '../action.ts';
import { ANY_CODE } from '../any-code.ts';
import { duration, toMs } from '../params.ts';
import { undoPreview } from '../undo-preview.ts';

// The flag is on the shared storage; the agents of the other hosts see it within one of their rounds.
const SETTLE_MS = 120_000;

/** `upWithinMs` is there where the engine answered before: how long it may take to answer again before global maintenance goes. */
type ModeUndo = { mode: string; upWithinMs?: number };

export default defineAction({
  summary: 'Set the maintenance mode of a hosted engine and wait until this host sees it.',
  description: 'In global maintenance the hosts leave the engine machine alone.',
  undone:
    'The mode from before is set. Global maintenance is lifted only once the engine answers, where it did before: a rollback that has just started it waits for that.',
  params: z.strictObject({
    mode: z
      .enum(['global', 'local', 'none'])
      .describe('global for the whole environment, local for this host, none to lift both.'),
    upTimeout: duration()
      .default('10m')
      .describe('How long a rollback waits for the engine to answer before it lifts global maintenance.'),
  }),
  outputs: { before: 'The mode from before.' },
  facts: ({ host }) => ({ mode: maintenanceMode().on(host.name), up: engineLiveliness().on(host.name) }),
  touches: ({ mode }, role) => ({ changes: [[role, maintenanceMode.key()]], effects: [{ does: 'set-maintenance', role, mode }] }),
  plan({ mode, upTimeout }, facts, { host, earlier }) {
    const now = facts.mode.value;
    if (now === undefined)
      return blocked(`hosted-engine is not installed on ${host.name}`, 'Let the role name a hosted-engine host.');
    const before = (earlier?.undo.mode ?? now) as MaintenanceMode;
    if (now === mode)
      return noChange(mode === 'none' ? 'not in maintenance' : `already in ${mode} maintenance`, { outputs: { before } });
    const waits = mode === 'global' && facts.up.value === true;
    return change<ModeUndo>({
      summary: `maintenance: ${now} -> ${mode}`,
      predicts: [facts.mode.becomes(mode)],
      outputs: { before },
      undo: { mode: now, ...(waits ? { upWithinMs: toMs(upTimeout) } : {}) },
      undoSummary: `${now === 'none' ? 'lift it' : `back to ${now}`}${waits ? ' once the engine is up' : ''}`,
    });
  },
  async apply({ on, params: { mode } }) {
    await setMode(on, mode);
  },
  rollback: backToMode,
  preview: undoPreview({
    facts: (_: ModeUndo, { host }) => ({ mode: maintenanceMode().on(host) }),
    look: ({ mode, upWithinMs }, { mode: now }) =>
      now.value === mode
        ? { diff: [] }
        : {
            diff: [
              ['~', 'maintenance ', now.value ?? 'unknown', mode],
              ...(upWithinMs === undefined ? [] : [[' ', 'once the engine answers'] as const]),
            ],
            predicts: [now.becomes(mode as MaintenanceMode)],
          },
  }),
  verifyTimeoutMs: SETTLE_MS,
  examples: [{ title: 'Before the engine database moves', with: { mode: 'global' } }],
});

/** @throws MAINTENANCE_REFUSED with the words of hosted-engine */
async function setMode(on: ActingHost, mode: string): Promise<void> {
  // Local maintenance does not lift the global one, so that goes first.
  const lift = mode === 'local' ? sh`hosted-engine --set-maintenance --mode=none || exit; ` : sh``;
  const result = await on.change('set-maintenance', sh`${lift}hosted-engine --set-maintenance ${`--mode=${mode}`}`, {
    okCodes: ANY_CODE,
  });
  if (result.code !== 0) throw refused(on, mode, result.code, `${result.stderr}\n${result.stdout}`.trim() || 'it said nothing');
}

async function backToMode({ on, undo, ctx }: { on: ActingHost; undo: ModeUndo; ctx: UndoContext }): Promise<void> {
  if (await sees(on, undo.mode)) return;
  if (undo.upWithinMs !== undefined) await awaitEngine(on, undo.upWithinMs, ctx);
  await setMode(on, undo.mode);
  const seen = await poll(async () => ((await sees(on, undo.mode)) ? true : undefined), {
    timeoutMs: SETTLE_MS,
    intervalMs: 2000,
  });
  if (!seen) throw refused(on, undo.mode, 0, `the host does not see it after ${SETTLE_MS / 1000} s`);
}

/** @throws MAINTENANCE_KEPT when the engine does not answer in time, or nobody wants to wait any longer */
async function awaitEngine(on: ActingHost, timeoutMs: number, ctx: UndoContext): Promise<void> {
  const startedMs = nowMs();
  const end = await poll(
    async () => {
      const found = engineLiveliness.definition.parse(await on.run(engineLiveliness.definition.script()));
      if (found.state === 'value' && found.value === true) return 'up';
      ctx.progress({ note: 'waiting for the engine to answer' });
      return ctx.signal.aborted ? 'stopped' : undefined;
    },
    { timeoutMs, intervalMs: 2000 },
  );
  if (end === 'up') return;
  const why = end === 'stopped' ? 'it was told to stop' : 'hosted-engine --check-liveliness still says that it is not up';
  throw new FerryError('MAINTENANCE_KEPT', { host: on.name, seconds: Math.round((nowMs() - startedMs) / 1000), why });
}

async function sees(on: ActingHost, mode: string): Promise<boolean> {
  const found = maintenanceMode.definition.parse(await on.run(maintenanceMode.definition.script()));
  return found.state === 'value' && found.value === mode;
}

function refused(on: ActingHost, mode: string, code: number, why: string) {
  return new FerryError('MAINTENANCE_REFUSED', { mode, host: on.name, code, why });
}
