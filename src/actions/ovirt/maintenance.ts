import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { type MaintenanceMode, maintenanceMode } from '../../facts/maintenance-mode.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';
import { poll } from '../../lib/clock.ts';
import { blocked, change, defineAction, noChange } from '../action.ts';
import { ANY_CODE } from '../any-code.ts';
import { undoPreview } from '../undo-preview.ts';

// The flag is on the shared storage; the agents of the other hosts see it within one of their rounds.
const SETTLE_MS = 120_000;

export default defineAction({
  summary: 'Set the maintenance mode of a hosted engine and wait until this host sees it.',
  description: 'In global maintenance the hosts leave the engine machine alone.',
  undone: 'The mode from before is set.',
  params: z.strictObject({
    mode: z
      .enum(['global', 'local', 'none'])
      .describe('global for the whole environment, local for this host, none to lift both.'),
  }),
  outputs: { before: 'The mode from before.' },
  facts: ({ host }) => ({ mode: maintenanceMode().on(host.name) }),
  touches: ({ mode }, role) => ({ changes: [[role, maintenanceMode.key()]], effects: [{ does: 'set-maintenance', role, mode }] }),
  plan({ mode }, facts, { host, earlier }) {
    const now = facts.mode.value;
    if (now === undefined)
      return blocked(`hosted-engine is not installed on ${host.name}`, 'Let the role name a hosted-engine host.');
    const before = (earlier?.undo.mode ?? now) as MaintenanceMode;
    if (now === mode)
      return noChange(mode === 'none' ? 'not in maintenance' : `already in ${mode} maintenance`, { outputs: { before } });
    return change({
      summary: `maintenance: ${now} -> ${mode}`,
      predicts: [facts.mode.becomes(mode)],
      outputs: { before },
      undo: { mode: now as string },
      undoSummary: now === 'none' ? 'lift it' : `back to ${now}`,
    });
  },
  async apply({ on, params: { mode } }) {
    await setMode(on, mode);
  },
  rollback: backToMode,
  preview: undoPreview({
    facts: (_: { mode: string }, { host }) => ({ mode: maintenanceMode().on(host) }),
    look: ({ mode }, { mode: now }) =>
      now.value === mode
        ? { diff: [] }
        : {
            diff: [['~', 'maintenance ', now.value ?? 'unknown', mode]],
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

async function backToMode({ on, undo }: { on: ActingHost; undo: { mode: string } }): Promise<void> {
  if (await sees(on, undo.mode)) return;
  await setMode(on, undo.mode);
  const seen = await poll(async () => ((await sees(on, undo.mode)) ? true : undefined), {
    timeoutMs: SETTLE_MS,
    intervalMs: 2000,
  });
  if (!seen) throw refused(on, undo.mode, 0, `the host does not see it after ${SETTLE_MS / 1000} s`);
}

async function sees(on: ActingHost, mode: string): Promise<boolean> {
  const found = maintenanceMode.definition.parse(await on.run(maintenanceMode.definition.script()));
  return found.state === 'value' && found.value === mode;
}

function refused(on: ActingHost, mode: string, code: number, why: string) {
  return new FerryError('MAINTENANCE_REFUSED', { mode, host: on.name, code, why });
}
