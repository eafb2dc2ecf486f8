import { describe, expect, it } from 'vitest';
import type { PlanLine } from '../../src/plan/plan.ts';
import { planText } from '../../src/renderers/plan.ts';
import { planSigns } from '../../src/renderers/plan-signs.ts';
import { aPlan, movePlan, planLine } from '../kit/plans.ts';

const wide = { width: 130, colour: false };

describe('the text of a plan', () => {
  it('has each step with its stamp and its way back, rules between, and what it adds up to', () => {
    expect(planText(movePlan(), wide)).toBe(
      `
migrate-engine-db   7 steps on 3 hosts   plan 7f3a91c2
Move the oVirt engine database to a remote PostgreSQL server

 1  he1     ~ maintenance     global maintenance: none -> global                 exact      undo: back to none
 2  engine  ~ stop-services   stop ovirt-engine, ovirt-engine-dwhd (2 of 4 run)  exact      undo: start both
    ----- checkpoint: quiesced -----
 3  engine  + dump            engine.dump, about 61 MB (database 204 MB)         predicted  undo: remove it
 4  newdb   ~ restore         into engine, one transaction                       predicted  undo: empty it
 5  engine  ? compare         rows and content of every table                    predicted
    ===== from here, going back loses what is written on the new side =====
    ----- checkpoint: moved -----
 6  engine  ~ point-at-new    10-setup-database.conf                             exact      undo: the old bytes
                                ~ ENGINE_DB_HOST="localhost" -> "newdb.example.com"
 7  engine  ~ start-services  start ovirt-engine, ovirt-engine-dwhd              predicted  undo: stop both

What a rollback undoes once all of it is done:
  to before the run  6 steps  loses what is written from point-at-new on
  to quiesced        4 steps  loses what is written from point-at-new on
  to moved           2 steps  nothing that is written is lost

7 steps: 3 exact, 4 predicted, 0 opaque. Nothing was changed.`.trimStart(),
    );
  });

  it('puts the way back below the step where the page is narrow, and no line is wider than the page', () => {
    const text = planText(movePlan(), { width: 80, colour: false });
    expect(text).toContain(
      ' 2  engine  ~ stop-services   stop ovirt-engine, ovirt-engine-dwhd (2  exact\n' +
        '                              of 4 run)\n' +
        '                              undo: start both\n',
    );
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('tells under a step what cannot be known of it yet', () => {
    const notes = ['the login is tried after role, database'];
    const text = planText(aPlan([planLine({ step: 'login', host: 'engine', kind: 'check', undo: null, notes })]), wide);
    expect(text).toContain(` 1  engine  ? login  do login                  exact\n${' '.repeat(21)}${notes[0]}\n`);
  });

  it('shows blockers first, with what to type, and says that it cannot run', () => {
    const text = planText(
      movePlan({
        warnings: [
          { severity: 'warning', code: 'SETTING_LOW', message: 'newdb: max_connections is 100.' },
          { severity: 'warning', code: 'FILE_LEFT', message: 'A file stays.', at: { file: 'm.yaml', line: 7, column: 3 } },
        ],
        blockers: [
          {
            severity: 'error',
            code: 'DISK_FULL',
            message: 'engine: /var has 20 MB free.',
            hint: 'Make room:\n  du -x /var | sort -n | tail',
          },
        ],
      }),
      wide,
    );
    expect(text).toContain(
      [
        'blocker  DISK_FULL  engine: /var has 20 MB free.',
        '         Make room:',
        '           du -x /var | sort -n | tail',
        'warning  SETTING_LOW  newdb: max_connections is 100.',
        'warning  FILE_LEFT  A file stays.',
        '         m.yaml:7:3',
        '',
        ' 1  he1',
      ].join('\n'),
    );
    expect(text).toMatch(/It cannot run: 1 blocker, see above\.$/);
  });

  it('says of an already done runbook that nothing was changed and shows no step', () => {
    const text = planText(aPlan([], { alreadyDone: true }), wide);
    expect(text).toContain('Already done: every check under "done" holds');
    expect(text).toMatch(/Nothing was changed\.$/);
    expect(text).not.toContain('0 steps');
  });

  it('marks what cannot be taken back, what is known later and what is skipped', () => {
    const text = planText(
      aPlan([
        planLine({ step: 'drop', host: 'db', irreversible: 'the bytes are gone', undo: null, stamp: 'opaque' }),
        planLine({
          step: 'copy',
          host: 'db',
          kind: 'later',
          summary: 'copies the dump',
          after: ['dump'],
          stamp: 'predicted',
          undo: null,
        }),
        planLine({ step: 'dwh', host: 'db', kind: 'skipped', summary: 'inputs.dwh is false', undo: null }),
      ]),
      wide,
    );
    expect(text).toContain('opaque     cannot be taken back: the bytes are gone');
    expect(text).toMatch(/\* copy +copies the dump, known after dump +predicted/);
    expect(text).toContain('skipped: inputs.dwh is false');
    expect(text).toContain('2 steps: 0 exact, 1 predicted, 1 opaque; 1 skipped. Nothing was changed.');
  });

  it('shows the diff of undo where it is not that of the step the other way round', () => {
    const text = planText(
      aPlan([
        planLine({
          step: 'settings',
          host: 'db',
          undo: 'the former values, restart',
          diff: [['~', 'max_connections = ', '100', '150']],
          undoDiff: [['~', 'max_connections = ', '150', '200']],
        }),
      ]),
      wide,
    );
    expect(text).toContain(
      [
        '                      ~ max_connections = 100 -> 150',
        '                      undo:',
        '                        ~ max_connections = 150 -> 200',
      ].join('\n'),
    );
  });

  it('shows hunks, and puts diffs further out and values in two rows where the page is narrow', () => {
    const diff: PlanLine['diff'] = [
      ['~', 'mode ', '0644', '0600'],
      ['@', '@@ -1,2 +1,2 @@'],
      [' ', 'a\tb'],
      ['-', 'old'],
      ['+', 'new'],
      ['~', 'ENGINE_DB_URL=', '"jdbc:postgresql://localhost:5432/engine"', '"jdbc:postgresql://newdb:5432/engine"'],
    ];
    const text = planText(aPlan([planLine({ step: 'a-step-with-a-name', host: 'engine', diff })]), { width: 80, colour: false });
    expect(text).toContain(
      [
        '        ~ mode 0644 -> 0600',
        '        @@ -1,2 +1,2 @@',
        '          a  b',
        '        - old',
        '        + new',
        '        - ENGINE_DB_URL="jdbc:postgresql://localhost:5432/engine"',
        '        + ENGINE_DB_URL="jdbc:postgresql://newdb:5432/engine"',
      ].join('\n'),
    );
  });

  it('says of each way back what stays and how many steps it may be, and no way where nothing changes', () => {
    const lines = [
      planLine({ step: 'install', host: 'db', irreversible: 'mail is sent' }),
      planLine({ step: 'perhaps', host: 'db', kind: 'later', undo: null }),
    ];
    expect(planText(aPlan(lines), wide)).toContain(
      '\n  to before the run  1 to 2 steps  nothing that is written is lost; stays: install\n',
    );
    expect(planText(aPlan([planLine({ step: 'look', host: 'db', kind: 'check' })]), wide)).not.toContain('rollback');
  });

  it('takes terminal escapes out of what hosts said, and shows them in a diff', () => {
    const text = planText(
      aPlan([planLine({ step: 'put', host: 'db', summary: 'x\u001b[2Jy', diff: [['+', 'a\u001b]0;title\u0007b']] })]),
      wide,
    );
    expect(text).not.toContain('\u001b');
    expect(text).toContain('+ a<U+001B>]0;title<U+0007>b');
  });

  it('colours only when asked to', () => {
    expect(planText(movePlan(), { width: 130, colour: true })).toContain('\u001b[32m');
    expect(planText(movePlan(), wide)).not.toContain('\u001b');
  });
});

describe('the sign of a line', () => {
  const value = (text: string) => ({ state: 'value', value: text }) as const;
  const absent = { state: 'absent' } as const;

  it('follows what was read and what earlier lines predict', () => {
    const plan = aPlan(
      [
        planLine({ step: 'create', host: 'db', predicts: { db: { file: value('a') } } }),
        planLine({ step: 'change', host: 'db', predicts: { db: { file: value('b') } } }),
        planLine({ step: 'remove', host: 'db', predicts: { db: { file: absent } } }),
        planLine({ step: 'again', host: 'db', predicts: { db: { file: null } } }),
        planLine({ step: 'both', host: 'db', predicts: { db: { other: value('x'), unit: value('on') } } }),
      ],
      { readings: { db: { file: absent, other: absent, unit: value('off') } } },
    );
    expect(planSigns(plan)).toEqual(['+', '~', '-', '+', '~']);
  });

  it('is that of its kind where nothing is changed', () => {
    const kinds = ['check', 'no-change', 'gate', 'later', 'skipped', 'blocked'] as const;
    expect(planSigns(aPlan(kinds.map((kind) => planLine({ step: kind, host: 'db', kind }))))).toEqual([
      '?',
      '=',
      '!',
      '*',
      ' ',
      'x',
    ]);
  });
});
