import { describe, expect, it } from 'vitest';
import { FerryError } from '../../src/errors/ferry-error.ts';
import { actionText } from '../../src/renderers/actions.ts';
import { diagnosticsText } from '../../src/renderers/diagnostics.ts';
import { errorText, reportOf } from '../../src/renderers/error.ts';
import { createJsonRenderer } from '../../src/renderers/json.ts';
import { wrapText } from '../../src/renderers/layout.ts';
import { windowOf } from '../../src/renderers/live-list.ts';
import { logText } from '../../src/renderers/log.ts';
import { rollbackPlanText } from '../../src/renderers/rollback-plan.ts';
import { runsText } from '../../src/renderers/runs.ts';
import { eventsAt, RUN, restoreFailed, stepBack } from '../kit/plans.ts';

const page = { width: 100, colour: false };

describe('wrapped text', () => {
  it('breaks at spaces, a path behind a folder, and another long word anywhere', () => {
    expect(wrapText('make /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-scale.conf now', 24)).toEqual([
      'make /etc/',
      'ovirt-engine-dwh/',
      'ovirt-engine-dwhd.conf.d',
      '/10-setup-scale.conf now',
    ]);
    expect(wrapText('a'.repeat(20), 8)).toEqual(['a'.repeat(8), 'a'.repeat(8), 'a'.repeat(4)]);
  });
});

describe('an error', () => {
  it('has its code, what happened, what was left, and a hint that is never broken', () => {
    const error = new FerryError('HOST_KEY_CHANGED', {
      host: 'newdb',
      address: '192.0.2.7',
      port: 22,
      got: 'SHA256:Jx4',
      expected: 'SHA256:0aB',
      file: '~/.ssh/known_hosts',
      line: 12,
    });
    error.left = 'Nothing was run on newdb.';
    const text = errorText(reportOf(error), { width: 56, colour: false });
    expect(text).toMatch(/^error HOST_KEY_CHANGED {2}newdb \(192\.0\.2\.7 port 22\)/);
    expect(text).toContain('\n  Nothing was run on newdb.\n');
    expect(text).toContain(
      '\n  If the machine was reinstalled, check the fingerprint with its owner, then:  ssh-keygen -f ~/.ssh/known_hosts -R 192.0.2.7',
    );
  });

  it('has a line for each way on where they do not fit on one', () => {
    const report = {
      code: 'X',
      message: 'It waits.',
      left: null,
      hint: 'ferry approve r-1   goes on;  ferry rollback r-1   goes back.',
    };
    expect(errorText(report, { width: 100, colour: false }).split('\n')).toHaveLength(2);
    expect(errorText(report, { width: 50, colour: false }).split('\n').slice(1)).toEqual([
      '  ferry approve r-1   goes on;',
      '  ferry rollback r-1   goes back.',
    ]);
    const both = { ...report, hint: 'ferry approve r-1   and   ferry resume r-1   go on;  ferry rollback r-1   goes back.' };
    expect(errorText(both, { width: 40, colour: false }).split('\n').slice(1)).toEqual([
      '  ferry approve r-1   and',
      '  ferry resume r-1   go on;',
      '  ferry rollback r-1   goes back.',
    ]);
  });

  it('of another kind is told as a defect of Ferry', () => {
    expect(reportOf(new TypeError('x is undefined'))).toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('x is undefined'),
    });
  });
});

describe('findings about a file', () => {
  it('have place, frame, caret and hint, and are counted', () => {
    const found = {
      severity: 'error',
      code: 'FIELD_UNKNOWN',
      message: 'There is no field "step" here.',
      hint: 'Did you mean "steps"?',
      at: { file: 'a.yaml', line: 10, column: 3 },
      length: 4,
    } as const;
    const text = `${'x: 1\n'.repeat(9)}  step: 1\r\n`;
    expect(
      diagnosticsText(
        [found, { severity: 'warning', code: 'INPUT_UNUSED', message: 'Nobody uses "a".' }],
        [{ path: 'a.yaml', text }],
        page,
      ),
    ).toBe(
      `
a.yaml:10:3
error FIELD_UNKNOWN  There is no field "step" here.
   9 | x: 1
  10 |   step: 1
     |   ^^^^
  Did you mean "steps"?

warning INPUT_UNUSED  Nobody uses "a".

1 error, 1 warning.`.trimStart(),
    );
  });

  it('show the caret also at the end of a very long line', () => {
    const at = { file: 'a.yaml', line: 1, column: 5001 };
    const text = diagnosticsText(
      [{ severity: 'error', code: 'X', message: 'Here.', at }],
      [{ path: 'a.yaml', text: `${'a'.repeat(5000)}!bc` }],
      page,
    );
    const [source, caret] = text.split('\n').slice(2, 4);
    expect(source?.[caret?.indexOf('^') ?? -1]).toBe('!');
    expect(source?.length).toBeLessThan(100);
  });
});

describe('a rollback before it is done', () => {
  const steps = [
    stepBack({ step: 'restore', host: 'newdb', summary: 'empty it', diff: [['-', 'database engine: 156 tables']] }),
    stepBack({ step: 'point-engine', host: 'engine', diff: [['~', 'ENGINE_DB_HOST=', '"newdb.example.com"', '"localhost"']] }),
    stepBack({ step: 'stop-services', host: 'engine', summary: 'start them' }),
    stepBack({
      step: 'install',
      host: 'newdb',
      summary: 'nothing: packages stay',
      kept: [{ host: 'newdb', what: 'package postgresql stays installed' }],
    }),
    stepBack({ step: 'cluster', host: 'newdb', summary: 'stop it', stops: 'PostgreSQL on newdb port 5432 is stopped' }),
    stepBack({ step: 'maintenance', host: 'he1', summary: 'back to none', diff: null, unknown: 'he1 cannot be reached' }),
  ];
  const irreversible = [{ step: 'tell', host: 'he1', why: 'mail is sent' }];

  it('says what is undone, what stays, what was written since, and how to go back all the same', () => {
    const writeLine = { step: 'compare', at: '2026-01-01T02:02:00.000Z', written: ['engine: 12 rows inserted'] };
    expect(
      rollbackPlanText(
        { run: RUN, to: 'quiesced', ms: 12_400, steps, irreversible, newer: [], writeLine },
        { width: 200, colour: false },
      ),
    ).toBe(
      `
Rollback of ${RUN} to checkpoint quiesced: 6 steps, last first, about 12 s.
Each diff is from what is on the hosts now to what undo brings back.
 1  newdb   restore        empty it
                             - database engine: 156 tables
 2  engine  point-engine   as before
                             ~ ENGINE_DB_HOST="newdb.example.com" -> "localhost"
 3  engine  stop-services  start them
                             nothing to change: it is so already
 4  newdb   install        nothing: packages stay
                             kept: package postgresql stays installed
 5  newdb   cluster        stop it
                             its undo would fail: PostgreSQL on newdb port 5432 is stopped
 6  he1     maintenance    back to none
                             what it will change is not known: he1 cannot be reached
  stays: what tell did on he1: mail is sent

The write line was crossed at compare, 2026-01-01 02:02:00Z: going back gives up what was written since.
  engine: 12 rows inserted
To go back all the same:  ferry rollback ${RUN} --to quiesced --discard-writes
Nothing was changed.`.trimStart(),
    );
  });

  it('leaves out the command that would do it right before the question whether to do it', () => {
    const writeLine = { step: 'compare', at: '2026-01-01T02:02:00.000Z', written: ['engine: 12 rows inserted'] };
    const text = rollbackPlanText({ run: RUN, to: null, ms: 12_400, steps, irreversible, newer: [], writeLine }, page, true);
    expect(text).toContain('engine: 12 rows inserted');
    expect(text).not.toMatch(/discard-writes|Nothing was changed/);
  });

  it('is no wider than a narrow page, on which a value and what it becomes have a row each', () => {
    const text = rollbackPlanText(
      { run: RUN, to: null, ms: 12_400, steps, irreversible, newer: [], writeLine: null },
      { width: 56, colour: false },
    );
    expect(
      Math.max(
        ...text
          .split('\n')
          .slice(1)
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(79);
    expect(text).toContain('\n        - ENGINE_DB_HOST="newdb.example.com"\n        + ENGINE_DB_HOST="localhost"\n');
  });

  it('says that nothing is lost where the write line is not crossed', () => {
    expect(rollbackPlanText({ run: RUN, to: null, ms: 12_400, steps, irreversible, newer: [], writeLine: null }, page)).toContain(
      'The write line is not crossed: nothing that was written is lost.',
    );
  });
});

describe('lists', () => {
  it('of runs have a head and aligned columns, or say that there is none', () => {
    const run = {
      run: RUN,
      runbook: 'move',
      startedAt: '2026-01-01T02:00:00.000Z',
      lastAt: '2026-01-01T02:05:00.000Z',
      lastType: 'lease.released',
      stands: 'rollback.finished',
      differing: 0,
    };
    expect(runsText([run], page)).toBe(
      `
run                     runbook  started               last seen             stands
${RUN}  move     2026-01-01 02:00:00Z  2026-01-01 02:05:00Z  rolled back`.trimStart(),
    );
    expect(runsText([{ ...run, differing: 2 }], page)).toMatch(/rolled back, proof failed \(2 facts\)$/);
    expect(runsText([], page)).toBe('There are no runs yet.');
    expect(runsText([], page, '/srv/runs')).toBe('There are no runs in /srv/runs.');
  });

  it('of records can be those of one step', () => {
    const record = (seq: number, step: string | null, body: object) =>
      ({ seq, at: '2026-01-01T02:00:00.000Z', epoch: 1, type: 'step.failed', step, host: 'db', body }) as never;
    const records = [
      record(1, 'dump', { summary: 'x' }),
      record(2, 'restore', { error: { ...restoreFailed } }),
      record(3, null, { mode: 'full', big: { a: 'a'.repeat(99) } }),
    ];
    expect(logText(records, 'restore', { width: 200, colour: false })).toBe(
      `    2  2026-01-01 02:00:00Z  step.failed  restore on db: COMMAND_FAILED: ${restoreFailed.message}`,
    );
    expect(logText(records, undefined, page)).toMatch(/step\.failed {2}db: mode=full$/);
  });

  it('of events for programs are one JSON value a line', () => {
    let text = '';
    const events = eventsAt([0, { type: 'note', text: 'a\nb' }], [1, { type: 'checkpoint.reached', checkpoint: 'quiesced' }]);
    const json = createJsonRenderer((piece) => {
      text += piece;
    });
    for (const event of events) json.emit(event);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(events);
  });
});

describe('an action for its reader', () => {
  it('has params with type and default, and its examples as YAML', () => {
    const params = {
      type: 'object',
      required: ['units'],
      properties: {
        units: { type: 'array', items: { type: 'string' }, description: 'Units by name.' },
        timeout: { type: 'string', default: '60s' },
      },
    };
    const examples = [
      { title: 'Stop one', with: { units: ['a.service'], deep: { on: 'yes' }, rules: [{ user: 'engine', port: 5432 }] } },
    ];
    const text = actionText(
      {
        name: 'service.stop',
        summary: 'Stop units.',
        description: null,
        params,
        outputs: { stopped: 'What ran.' },
        undone: 'They run again.',
        irreversible: null,
        examples,
      },
      page,
    );
    expect(text).toContain('  units    list of texts, required\n           Units by name.\n  timeout  text, default "60s"\n');
    expect(text).toContain('rollback\n  They run again.');
    expect(text).toContain(
      '      units: [a.service]\n      deep:\n        "on": "yes"\n      rules:\n        - user: engine\n          port: 5432',
    );
  });
});

describe('the window on a long frame', () => {
  const frame = Array.from({ length: 50 }, (_, index) => `${index === 30 ? '*' : '-'} step ${index}`).join('\n');

  it('has the running line in it and says how much is cut', () => {
    const lines = windowOf(frame, 12, '*').split('\n');
    expect(lines).toHaveLength(12);
    expect(lines[0]).toBe('  ... 25 more above');
    expect(lines).toContain('* step 30');
    expect(lines.at(-1)).toBe('  ... 15 more below');
  });

  it('shows the end when nothing runs, and all of it when it fits', () => {
    expect(windowOf(frame.replace('*', '-'), 12, '*').split('\n').at(-1)).toBe('- step 49');
    expect(windowOf('a\nb', 12, '*')).toBe('a\nb');
  });
});
