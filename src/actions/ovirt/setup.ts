import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { fileTree } from '../../facts/file-tree.ts';
import { isSensitiveKey } from '../../facts/mask.ts';
import { Secret } from '../../hosts/secret.ts';
import { sh } from '../../hosts/sh.ts';
import { blocked, change, type DiffLine, defineAction } from '../action.ts';
import { ANY_CODE } from '../any-code.ts';
import { keepsOf } from '../kept-room.ts';
import { unknown } from '../outputs.ts';
import { absolutePath, duration, secretText, toMs, unitName } from '../params.ts';
import { type UnitFact, type UnitsUndo, unitFacts, unitOf } from '../service/units.ts';
import { type Answer, answerFile, unfitAnswer } from './answer-file.ts';
import { setupRefusal } from './setup-refusal.ts';
import { type SetupUndo, setupPreview, takeSetupBack, treesBack } from './setup-undo.ts';

const PROGRAM = '/usr/bin/engine-setup';
const ANSWERS = '/var/lib/ovirt-engine/setup/answers';
const DISCONNECT = 'OVESETUP_DWH_DB/disconnectExistingDwh';

const answer = z.union([secretText(), z.number().int(), z.boolean(), z.null(), z.array(z.string())]);

export default defineAction({
  summary: 'Run engine-setup by an answer file, with nobody there to ask.',
  description:
    'The answers go to the host by stdin into a file for root alone on a tmpfs, and are gone when it ends; so is the file of answers, passwords among them, that engine-setup would leave. ' +
    'It runs as a unit of its own and its output is the log of the step. What it does not find among the answers takes its default; what has none fails it. ' +
    'Its refusals are told with what to do. On resume after a failure the protected paths are put back first.',
  undone: 'The units are stopped, the protected paths are as they were, and the units run and start at boot as they did.',
  params: z.strictObject({
    answers: z
      .record(z.string().regex(/^[A-Z][A-Z0-9_]*\/[A-Za-z][A-Za-z0-9]*$/, 'write a key such as OVESETUP_DB/host'), answer)
      .describe(
        'Answers by key. The type is that of the value: text, number, true or false, null, or a list; a password may be a secret.',
      ),
    disconnectExisting: z
      .boolean()
      .default(false)
      .describe('Disconnect for good the data warehouse that the engine knows, when its identity is another one.'),
    options: z
      .array(z.enum(['--offline', '--reconfigure-optional-components', '--reconfigure-dwh-scale']))
      .default([])
      .describe('More options for it.'),
    protects: z
      .array(absolutePath())
      .default([])
      .describe('Files and folders of settings that it writes: kept before, put back by rollback, also to not being there.'),
    units: z.array(unitName()).default([]).describe('Units it enables and starts.'),
    timeout: duration().default('2h').describe('How long it may take.'),
  }),
  outputs: { log: 'Path of its log on the host; null when it did not say.' },
  // It does its work each time it runs.
  converges: false,
  facts: (site, { protects, units }) => ({
    program: fileStat(PROGRAM).on(site.host.name),
    trees: protects.map((path) => fileTree(path).on(site.host.name)),
    units: unitFacts(site, units),
  }),
  touches: ({ protects, units, disconnectExisting, options }, role) => ({
    changes: [...protects.map(fileTree.key)].map((key) => [role, key] as const),
    effects: [
      {
        does: 'run-command',
        role,
        open: ['options'],
        argv: [PROGRAM, '--config-append', ...options],
        readOnly: false,
        checked: false,
        // An expression, until its value is known, is no promise to disconnect.
        reversible: disconnectExisting !== true,
      },
      ...units.map((unit) => ({ does: 'start-unit', role, unit }) as const),
    ],
  }),
  plan({ answers, disconnectExisting, protects, units, options }, facts, { host, earlier }) {
    if (DISCONNECT in answers)
      return blocked(
        `${DISCONNECT} stands among the answers`,
        'A disconnect is for good: say disconnectExisting: true instead, so that the plan shows it as that.',
      );
    for (const [key, given] of Object.entries(answers)) {
      const why = unfitAnswer(given as Answer);
      if (why)
        return blocked(
          `the answer ${key} cannot stand in an answer file: ${why}`,
          'Give another value, or answer its question with prompt.answer.',
        );
    }
    if (facts.program.absent && facts.program.read)
      return blocked(
        `engine-setup is not installed on ${host.name}`,
        'Install ovirt-engine-dwh-setup or ovirt-engine-setup in an earlier step.',
      );
    const undo: SetupUndo = { paths: protects, units: unitsBefore(facts.units) };
    const all = { ...answers, [DISCONNECT]: disconnectExisting };
    return change({
      summary: `engine-setup with ${Object.keys(all).length} answers${options.length > 0 ? `, ${options.join(' ')}` : ''}`,
      diff: Object.entries(all).map(([key, given]) => [' ', `${key} = ${shownAnswer(key, given as Answer)}`] as DiffLine),
      predicts: [
        ...facts.trees.map((tree) => tree.becomesUnknown()),
        ...facts.units.map((unit) => unit.becomes({ active: true, moving: false, enabled: 'enabled' })),
      ],
      outputs: { log: unknown("path of engine-setup's log") },
      undo,
      undoSummary: [
        protects.length > 0 ? `put back ${protects.join(', ')}` : '',
        units.length > 0 ? `${units.map((unit) => unit.replace(/\.service$/, '')).join(', ')} as before` : '',
      ]
        .filter(Boolean)
        .join('; '),
      data: { restoreFirst: earlier !== null },
      keep: protects.map((path, index) => ({ name: `tree-${index}`, host: host.name, path })),
      opaque: true,
      ...(disconnectExisting ? { irreversible: 'the data warehouse that the engine knew is disconnected for good' } : {}),
    });
  },
  preflight: ({ protects }, ask, { host }) => ({ keeps: keepsOf(protects, ask, host) }),
  async apply({ on, params, ctx, change: { data } }) {
    const { answers, disconnectExisting, options, protects, timeout } = params;
    // What a failed attempt left in its files would be answers to the next.
    if (data.restoreFirst) await treesBack(on, protects, ctx.kept, 'first-');
    const text = answerFile({ ...(answers as Record<string, Answer>), [DISCONNECT]: disconnectExisting });
    const result = await on.detached('engine-setup', setupScript(options), {
      // Asked to end while it refreshes the schema, it clears the data warehouse's database first and restores it then.
      ...{ okCodes: ANY_CODE, timeoutMs: toMs(timeout), note: 'engine-setup', kill: true },
      secrets: { 'answers.conf': new Secret(text, 'answers for engine-setup') },
    });
    if (result.code !== 0)
      throw new FerryError('SETUP_FAILED', { host: on.name, code: result.code, ...setupRefusal(result.stdout) });
    return { log: /Log file is located at (\S+)/.exec(result.stdout)?.[1] ?? null };
  },
  rollback: takeSetupBack,
  preview: setupPreview,
  verifyTimeoutMs: 120_000,
  examples: [
    {
      title: 'Set up a data warehouse on a host of its own, the databases being elsewhere',
      with: {
        answers: {
          'OVESETUP_DIALOG/confirmSettings': true,
          'OVESETUP_ENGINE_CORE/enable': false,
          'OVESETUP_DWH_CORE/enable': true,
          'OVESETUP_DWH_DB/password': '${{ inputs.password }}',
        },
        protects: ['/etc/ovirt-engine-dwh', '/etc/ovirt-engine-setup.conf.d'],
        units: ['ovirt-engine-dwhd.service'],
      },
    },
  ],
});

/**
 * Answers and what engine-setup would leave of them lie in the folder of its secrets, which goes with its end. A release that writes its file of
 * answers to the usual place all the same is not left with it: what came there meanwhile goes.
 */
function setupScript(options: readonly string[]) {
  return sh`umask 022; : >"$FERRY_SECRETS/begun"
${PROGRAM} --config-append="$FERRY_SECRETS/answers.conf" --generate-answer="$FERRY_SECRETS/left.conf" --accept-defaults ${options} </dev/null; r=$?
[ ! -d ${ANSWERS} ] || find ${ANSWERS} -type f -newer "$FERRY_SECRETS/begun" -exec rm -f {} +
exit $r`;
}

function unitsBefore(facts: readonly UnitFact[]): UnitsUndo {
  const named = (is: (fact: UnitFact) => boolean) => facts.filter(is).map(unitOf);
  return {
    start: named(({ value }) => value?.active === true || value?.moving === true),
    stop: named(({ value }) => !value?.active && !value?.moving),
    enable: named(({ value }) => value?.enabled === 'enabled'),
    disable: named(({ value }) => value?.enabled !== 'enabled'),
    waitMs: 90_000,
  };
}

function shownAnswer(key: string, given: Answer): string {
  return given instanceof Secret || isSensitiveKey(key.split('/')[1] ?? '') ? '[secret]' : JSON.stringify(given);
}
