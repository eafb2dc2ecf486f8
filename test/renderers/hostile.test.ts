import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/engine/events.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import { auditMarkdown, auditText } from '../../src/renderers/audit.ts';
import { backupText } from '../../src/renderers/backup.ts';
import { cleanText } from '../../src/renderers/clean.ts';
import { diagnosticsText } from '../../src/renderers/diagnostics.ts';
import { diffLines } from '../../src/renderers/diff.ts';
import { errorLines, errorText, reportOf } from '../../src/renderers/error.ts';
import { gateText } from '../../src/renderers/gate.ts';
import { createJsonRenderer } from '../../src/renderers/json.ts';
import { createLines } from '../../src/renderers/lines.ts';
import { logText } from '../../src/renderers/log.ts';
import { createOutcome } from '../../src/renderers/outcome.ts';
import { createPaint, type Page } from '../../src/renderers/paint.ts';
import { planText } from '../../src/renderers/plan.ts';
import { proofText } from '../../src/renderers/proof.ts';
import { rollbackPlanText } from '../../src/renderers/rollback-plan.ts';
import { runsText } from '../../src/renderers/runs.ts';
import { shown } from '../../src/renderers/shown.ts';
import { statusJson, statusText } from '../../src/renderers/status.ts';
import { takenText } from '../../src/renderers/taken.ts';
import { createTree } from '../../src/renderers/tree.ts';
import { ALL_HOSTILE, HOSTILE, spoiltBy, unfitIn } from '../kit/hostile-text.ts';
import { localHost } from '../kit/local-host.ts';
import { eventsAt, movePlan, planLine, RUN, restoreFailed, runState, stepBack, stepState } from '../kit/plans.ts';
import { createScreen } from '../kit/terminal.ts';

const error = { ...restoreFailed };
const proof = (['equal', 'kept', 'differs'] as const).map((verdict) => ({
  ...{ host: 'newdb', key: 'fileContent(/etc/x)', verdict, before: 'was', now: 'is', why: 'because' },
}));
const finding = {
  severity: 'warning',
  code: 'X',
  message: 'said',
  hint: 'type',
  at: { file: 'a.yaml', line: 1, column: 1 },
} as const;
const plan = movePlan({
  warnings: [finding],
  blockers: [{ ...finding, severity: 'error' }],
  lines: [
    planLine({
      ...{ step: 'put', host: 'db', notes: ['a note'], undo: 'as before', after: ['x'], irreversible: 'mail is sent' },
      diff: [
        ['-', 'old'],
        ['+', 'new'],
        ['@', '@@ -1 +1 @@'],
        ['~', 'KEY=', 'a', 'b'],
      ],
      undoDiff: [['+', 'old']],
    }),
    planLine({ step: 'check', host: 'db', kind: 'check', uses: 'http.check' }),
  ],
});
const events: Event[] = eventsAt(
  [0, { type: 'run.started', plan, resumed: false, done: [] }],
  [1, { type: 'step.started', step: 'put', host: 'db', attempt: 2, title: 't', summary: 's', reattached: false }],
  [7, { type: 'step.progressed', step: 'put', host: 'db', note: 'dumping', bytes: 10, totalBytes: 100, log: null }],
  [8, { type: 'note', text: 'noted' }],
  [
    8,
    {
      ...{ type: 'step.settled', step: 'put', host: 'db', attempt: 1, verdict: 'partly' },
      hosts: [{ host: 'db', commands: [{ name: 'c', detached: false, state: 'lost', code: null, why: 'w' }] }],
      facts: [{ host: 'db', key: 'k', before: 'b', planned: 'p', now: 'n', stands: 'otherwise' }],
    },
  ],
  [8, { type: 'failure.answered', step: 'put', host: 'db', answer: 'skip', by: 'me', reason: 'r', warnings: ['w'] }],
  [
    8,
    {
      type: 'run.revised',
      plan: 'd',
      by: 'me',
      changes: [{ what: 'step', name: 'n', how: 'changed', fields: [{ field: 'f', before: 'b', after: 'a' }] }],
    },
  ],
  [9, { type: 'step.ended', step: 'put', host: 'db', outcome: 'failed', summary: 's', ms: 5, outputs: { a: 'b' }, error }],
  [
    9,
    { type: 'step.ended', step: 'check', host: 'db', outcome: 'ok', summary: 's', ms: 5, outputs: { stdout: 'b' }, error: null },
  ],
  [10, { type: 'checkpoint.reached', checkpoint: 'quiesced' }],
  [
    11,
    {
      type: 'rollback.started',
      steps: [{ step: 'put', host: 'db', summary: 's' }],
      irreversible: [{ step: 'put', host: 'db', why: 'w' }],
      to: 'quiesced',
    },
  ],
  [12, { type: 'undo.started', step: 'put', host: 'db', summary: 's' }],
  [13, { type: 'undo.ended', step: 'put', host: 'db', outcome: 'failed', ms: 3, kept: ['this'], waitsFor: [], error }],
  [14, { type: 'run.rolled-back', to: 'quiesced', proof, kept: ['that'], ms: 3 }],
  [15, { type: 'run.paused', reason: 'failure', step: 'put', error }],
);
const state = runState(plan, {
  ...{
    pause: { reason: 'failure', step: 'put', error },
    phase: 'paused',
    proof,
    kept: [{ step: 'put', host: 'db', key: null, what: 'x' }],
    checkpoints: ['quiesced'],
  },
  writeLine: { step: 'put', at: '2026-01-01T02:00:00.000Z', counts: {} } as never,
  steps: new Map([['put', stepState({ step: 'put', host: 'db', phase: 'failed', summary: 's', error })]]),
});
const records = events.map((event, index) => ({
  seq: index + 1,
  at: event.at,
  epoch: 1,
  type: 'step.failed',
  step: 'put',
  host: 'db',
  body: { error, note: 'x', summary: 's' },
}));

const audit = {
  ...{ run: RUN, runbook: 'move', records: 3, unchained: 1, fault: { seq: 2, why: 'it was changed' } },
  witnesses: [
    { host: 'a', records: 2, silent: null },
    { host: 'b', records: null, silent: 'no route' },
  ],
  trail: [{ seq: 1, at: '2026-01-01T02:00:00.000Z', by: 'me@here', what: 'began' }],
};

const gate = {
  ...{ run: RUN, step: 'put', host: 'db', question: 'Go on?', summary: 's', undo: 'u', digest: 'd'.repeat(64) },
  ...{ plan: 'd'.repeat(64), askedAt: '2026-01-01T02:00:00.000Z', diff: [['+', 'line']] as const },
};

const backup = {
  ...{ file: '/b', sizeBytes: 9, compressor: 'gzip', version: '4.5.7', osVersion: 'centos9', hashList: 'sha256sum' },
  members: [{ name: 'config', type: 'file', sizeBytes: 9, mode: '0644', owner: 'root:root', hash: 'wrong' }],
  dumps: [
    {
      ...{ scope: 'db', member: 'db/engine_backup.db', title: 'engine', format: 'custom', compressor: 'none' },
      ...{ sizeBytes: 9, server: '15.1', client: '15.1', database: 'engine', proof: 'damaged' },
    },
  ],
  files: { compressor: 'xz', members: 2, sizeBytes: 9, enabled: ['OVESETUP_DWH_CORE/enable'], proof: 'unproven' },
  findings: [finding],
  verdict: 'damaged',
} as const;

/** Each renderer, over what it is given with hostile text behind every text in it. */
const RENDERERS: { readonly [name: string]: (evil: string, page: Page) => string | Promise<string> } = {
  planText: (evil, page) => planText(spoiltBy(plan, evil), page),
  proofText: (evil, page) => proofText(spoiltBy(proof, evil), page),
  gateText: (evil, page) => gateText(spoiltBy(gate, evil), page),
  errorText: (evil, page) => errorText(spoiltBy(error, evil), page),
  errorLines: (evil, page) => errorLines(spoiltBy(error, evil), page).join('\n'),
  logText: (evil, page) => logText(spoiltBy(records, evil) as never, undefined, page),
  runsText: (evil, page) =>
    runsText(
      [
        spoiltBy(
          {
            run: RUN,
            runbook: 'move',
            startedAt: '2026-01-01T02:00:00.000Z',
            lastAt: '2026-01-01T02:00:00.000Z',
            lastType: 'x',
            stands: 'run.paused',
            differing: 0,
          },
          evil,
        ),
      ],
      page,
    ),
  cleanText: (evil, page) =>
    cleanText(
      spoiltBy(
        {
          isDone: false,
          rows: [
            { ...{ run: RUN, runbook: 'move', stands: 'finished', endedAt: null, host: 'db' }, state: 'free', bytes: 5 } as const,
          ],
          leftovers: [{ host: 'db', run: RUN, kind: 'key', where: '/root/.ssh/authorized_keys' }] as const,
        },
        evil,
      ),
      page,
    ),
  backupText: (evil, page) => {
    const { dumps, files, ...rest } = spoiltBy(backup, evil) as unknown as typeof backup;
    // What Ferry itself found out is one of a few words.
    return backupText(
      { ...rest, dumps: dumps.map((dump) => ({ ...dump, proof: 'damaged' })), files: { ...files, proof: 'unproven' } } as never,
      page,
    );
  },
  statusText: (evil, page) => statusText(spoiltBy(state, evil), page, false),
  rollbackPlanText: (evil, page) =>
    rollbackPlanText(
      spoiltBy(
        {
          ...{ run: RUN, to: 'quiesced', ms: 12_400, irreversible: [{ step: 'tell', host: 'he1', why: 'mail is sent' }] },
          newer: [{ host: 'a', run: 'r-2', known: 'move, finished' }],
          writeLine: { step: 'compare', at: '2026-01-01T02:02:00.000Z', written: ['engine: 12 rows inserted'] },
          steps: [
            stepBack({
              step: 'a',
              host: 'b',
              diff: [
                ['-', 'x'],
                ['~', 'K=', 'a', 'b'],
              ],
              kept: [{ host: 'c', what: 'd' }],
            }),
            stepBack({ step: 'a', host: 'b', diff: null, unknown: 'why', stops: 'because' }),
          ],
        },
        evil,
      ),
      page,
    ),
  diagnosticsText: (evil, page) =>
    diagnosticsText([spoiltBy(finding, evil)], [{ path: `a.yaml${evil}`, text: `key: ${evil}` }], page),
  diffLines: (evil, { colour }) =>
    diffLines(spoiltBy(plan.lines[0]?.diff ?? [], evil), 4, 300, createPaint({ colour })).join('\n'),
  createLines: (evil, { colour }) => {
    let text = '';
    const lines = createLines((more) => (text += more), { colour });
    for (const event of events) lines.emit(spoiltBy(event, evil));
    return text;
  },
  createOutcome: (evil, page) => {
    const outcome = createOutcome();
    for (const event of events) outcome.hear(spoiltBy(event, evil));
    return (['finished', 'paused', 'failed', 'rolled-back', 'refused', 'already-done'] as const)
      .map((end) => outcome.text({ outcome: end, run: RUN, error: spoiltBy(error, evil) }, page))
      .join('\n');
  },
  createJsonRenderer: (evil) => {
    let text = '';
    const json = createJsonRenderer((more) => (text += more));
    for (const event of events) json.emit(spoiltBy(event, evil));
    return text;
  },
  auditText: (evil, page) => auditText(spoiltBy(audit, evil), page),
  auditMarkdown: (evil) => auditMarkdown(spoiltBy(audit, evil)),
  takenText: (evil, page) =>
    takenText(
      { ...spoiltBy({ run: RUN, from: 'me@here', fenced: ['a'], busy: ['b'], told: ['c'] }, evil), epoch: 2, phase: 'paused' },
      page,
    ),
  statusJson: (evil) => statusJson(spoiltBy(state, evil)),
};

// These see no text of a host, or their callers above are looked at with them in it.
const WITHOUT = [
  'createTree',
  'createPaint',
  'createMeter',
  'createForecast',
  'initText',
  'actionText',
  'actionListText',
  'wrapText',
  'flowText',
];

describe('what a host says does nothing to a terminal', () => {
  it.each(Object.keys(RENDERERS))('through %s, in colour and without', async (name) => {
    for (const colour of [true, false]) {
      for (const evil of [...Object.values(HOSTILE), ALL_HOSTILE]) {
        const text = (await RENDERERS[name]?.(evil, { width: 100, colour })) ?? '';
        expect(text.length).toBeGreaterThan(20);
        expect(unfitIn(text), `${name} of ${JSON.stringify(evil)}`).toBe('');
      }
    }
  });

  it('through the live picture, which has escapes of its own', async () => {
    const screen = createScreen({ columns: 100, rows: 40 });
    const tree = createTree(screen.stream, { colour: true });
    for (const event of events) tree.emit(spoiltBy(event, ALL_HOSTILE));
    await tree.close();
    const raw = screen.raw();
    expect(screen.text()).toContain('Rolling back');
    for (const part of [
      '\x1b[2J',
      '\x1b[8m',
      '\x1b]',
      '\x1bP',
      '\x1bc',
      '\x1b[6n',
      '\x9b',
      '\x9d',
      '\r',
      '\b',
      '\x07',
      '\u202e',
      '\u200b',
      '\u2028',
    ])
      expect(raw.includes(part), JSON.stringify(part)).toBe(false);
  });

  it('whatever it is made of', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...Object.values(HOSTILE), '\x1b', '\x1b]', '\x1b[', '\x9b', ';', '\x07'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        expect(unfitIn(errorText({ ...error, message: text, hint: text, left: text }, { width: 80, colour: true }))).toBe('');
        expect(unfitIn(diffLines([['+', text]], 0, 1e6, createPaint({ colour: false })).join('\n'))).toBe('');
      }),
    );
  });

  it('and no renderer is forgotten here', () => {
    const folder = join(import.meta.dirname, '..', '..', 'src', 'renderers');
    const made = globSync('*.ts', { cwd: folder }).flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/^export function (create\w+|\w+(?:Text|Json|Markdown))\b/gm)].map(
        ([, name]) => name,
      ),
    );
    expect(made.length).toBeGreaterThan(15);
    expect(made.filter((name = '') => !Object.hasOwn(RENDERERS, name) && !WITHOUT.includes(name))).toEqual([]);
    // What verbs print as JSON is written so that a terminal does nothing with it.
    const verbs = join(folder, '..', 'cli', 'commands');
    const bare = globSync('*.ts', { cwd: verbs }).filter((file) =>
      readFileSync(join(verbs, file), 'utf8').includes('JSON.stringify'),
    );
    expect(bare).toEqual([]);
  });
});

describe('what a host says is', () => {
  it('the same to a program', () => {
    let text = '';
    const json = createJsonRenderer((more) => (text += more));
    const event = spoiltBy(events[4], ALL_HOSTILE) as Event;
    json.emit(event);
    expect(JSON.parse(text)).toEqual(event);
  });

  it('seen in a diff to the last byte', () => {
    const [line] = diffLines([['+', `rm\x1b[8m -rf /\x1b[0m\r\u202e`]], 0, 200, createPaint({ colour: false }));
    expect(line).toBe('+ rm<U+001B>[8m -rf /<U+001B>[0m<U+000D><U+202E>');
    expect(shown({ diff: [['+', '\x1b[8m']], note: '\x1b[8mx' })).toEqual({ diff: [['+', '<U+001B>[8m']], note: 'x' });
  });

  it('fit and short in an error, when a real shell prints every byte there is and a megabyte without a line end', async () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
    const { stdout } = await localHost().run({
      text: `printf '${bytes}\\033]0;x\\007'; head -c 1000000 /dev/zero | tr '\\0' x; printf end`,
    } as never);
    expect(stdout.length).toBeGreaterThan(1_000_000);
    const thrown = new FerryError('COMMAND_FAILED', { host: 'db', what: 'x', code: 1, output: stdout });
    const text = errorText(reportOf(thrown), { width: 100, colour: false });
    expect(unfitIn(text)).toBe('');
    expect(text).toMatch(/\(\d+ characters left out\)/);
    expect(text.replaceAll(/\n\s*/g, '')).toContain('xend');
    expect([text.length < 5000, text.split('\n').length < 120]).toEqual([true, true]);
  });
});
