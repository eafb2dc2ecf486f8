import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { answerFile, unfitAnswer } from '../../../src/actions/ovirt/answer-file.ts';
import setup from '../../../src/actions/ovirt/setup.ts';
import { setupRefusal } from '../../../src/actions/ovirt/setup-refusal.ts';
import { fileStat, somethingThere } from '../../../src/facts/file-stat.ts';
import { fileTree } from '../../../src/facts/file-tree.ts';
import { unitState } from '../../../src/facts/unit-state.ts';
import { Secret } from '../../../src/hosts/secret.ts';
import { factOf, siteOf } from '../../kit/facts.ts';

const secret = new Secret('s3cr"e$t %(x)s #;=:', 'input:p');
const site = siteOf('dwh');

/** What otopi's parser makes of an answer file: Python's own, in its default dress. */
const READER = `
import configparser, json, sys
p = configparser.ConfigParser(); p.optionxform = str; p.read_string(sys.stdin.read())
def typed(v):
    k, v = v.split(':', 1)
    return {'none': lambda: None, 'bool': lambda: v not in ('f', 'F', 'false', 'False'), 'int': lambda: int(v), 'str': lambda: v, 'multi-str': v.splitlines}[k]()
print(json.dumps({k: typed(v) for k, v in p.items('environment:default')}))`;

describe('an answer file', () => {
  test.runIf(process.platform === 'linux')('is read back by the parser of otopi as it was given, whatever is in it', () => {
    const given = {
      'A/password': secret,
      'A/text': ' leading, %, %% and "quotes" \\ $HOME ü',
      'A/empty': '',
      'A/port': 5432,
      'A/yes': true,
      'A/no': false,
      'A/none': null,
      'A/list': ['one', '100% two', 'th#ree'],
    };
    const read = JSON.parse(execFileSync('python3', ['-c', READER], { input: answerFile(given), encoding: 'utf8' }));
    expect(read).toEqual({ ...given, 'A/password': secret.reveal() });
  });

  test('takes nothing that would be read as something else', () => {
    for (const bad of [
      'two\nlines',
      'ends with a blank ',
      'tab\tin it',
      new Secret('x\r', 'input:p'),
      ['ok', ' bad'],
      [''],
      ['# x'],
    ])
      expect(unfitAnswer(bad)).toBeTypeOf('string');
    for (const good of ['', ' x', 5, null, true, ['a']]) expect(unfitAnswer(good)).toBeUndefined();
  });
});

describe('what engine-setup refuses', () => {
  const said = (stage: string, why: string, ...before: string[]) =>
    [
      '[ INFO  ] Stage: Initializing',
      ...before,
      `[ ERROR ] Failed to execute stage '${stage}': ${why}`,
      '[ INFO  ] Stage: Clean up',
      '          Log file is located at /var/log/ovirt-engine/setup/x.log',
      '[ ERROR ] Execution of setup failed',
    ].join('\n');

  test.each([
    ['Transaction setup', 'dwhd is currently running', /Stop and disable ovirt-engine-dwhd/],
    ['Setup validation', 'An existing DWH found - Setup cancelled by user', /10-setup-uuid\.conf.*disconnectExisting: true/],
    ['Setup validation', 'Hosted Engine setup detected, but Global Maintenance is not set.', /--set-maintenance --mode=global/],
    ['Setup validation', 'connection to server at "e", port 5432 failed: FATAL:  no pg_hba.conf entry for host "1"', /pg_hba/],
    ['Setup validation', 'FATAL:  password authentication failed for user "engine"', /Compare user, password/],
    ['Setup validation', "Please set:  max_connections = 150 in postgresql.conf on 'x'.", /postgres\.settings/],
    ['Setup validation', "Postgresql client version is '13', whereas the version on x is '15'.", /client programs/],
    ['Setup validation', 'Cannot upgrade the DWH database schema due to wrong ownership of some database entities.', /OWNER TO/],
    ['Setup validation', 'uuid-ossp extension is not installed on database', /postgres\.extension/],
    ['Setup validation', 'Minimal supported DWH version on the engine side is 4.4, and is incompatible', /Install the version/],
    ['Initializing', 'Cannot parse configuration file key A/b at section environment:default: x', /right type/],
    ['Misc configuration', 'something nobody knows', /Read its log/],
  ])('in %s: %s', (stage, why, todo) => {
    const refusal = setupRefusal(said(stage, why));
    expect(refusal).toMatchObject({ stage, why: expect.stringContaining(why) });
    expect(refusal.todo).toMatch(todo);
  });

  test('is told with the error that stands before it, and a missing answer with its question', () => {
    const running =
      '[ ERROR ] dwhd is currently running. Its hostname is engine.example.com. Please stop it before running Setup.';
    expect(setupRefusal(said('Transaction setup', 'dwhd is currently running', running)).why).toContain('engine.example.com');
    const question = '          Host fully qualified DNS name of the engine server []: ';
    expect(setupRefusal(said('Environment customization', 'End of file', question)).why).toContain(
      'DNS name of the engine server',
    );
    expect(setupRefusal('Killed')).toMatchObject({ stage: '', why: 'it says no reason' });
  });
});

describe('planning ovirt.setup', () => {
  const plan = (params: object, isThere = true, earlier: object | null = null) => {
    const parsed = setup.params.parse({ answers: { 'OVESETUP_DB/password': secret, 'OVESETUP_DB/port': 5432 }, ...params });
    const facts = {
      program: factOf(fileStat('/usr/bin/engine-setup').on('dwh'), isThere ? somethingThere : undefined),
      trees: parsed.protects.map((path) => factOf(fileTree(path).on('dwh'), { members: ['d 0755 root:root'], keyedHash: null })),
      units: parsed.units.map((unit, index) =>
        factOf(unitState(unit).on('dwh'), { active: index === 0, moving: false, enabled: index === 0 ? 'enabled' : 'disabled' }),
      ),
    };
    return setup.plan(parsed, facts, { ...site, earlier } as never);
  };

  test('shows every answer, secrets masked, and what the units and paths go back to', () => {
    const planned = plan({ protects: ['/etc/x'], units: ['a', 'b'] });
    expect(planned).toMatchObject({
      kind: 'change',
      diff: [
        [' ', 'OVESETUP_DB/password = [secret]'],
        [' ', 'OVESETUP_DB/port = 5432'],
        [' ', 'OVESETUP_DWH_DB/disconnectExistingDwh = false'],
      ],
      undo: {
        paths: ['/etc/x'],
        units: { start: ['a.service'], stop: ['b.service'], enable: ['a.service'], disable: ['b.service'] },
      },
      keep: [{ name: 'tree-0', host: 'dwh', path: '/etc/x' }],
      data: { restoreFirst: false },
    });
    expect(JSON.stringify(planned)).not.toContain('s3cr');
    expect(planned).not.toHaveProperty('irreversible');
    expect(plan({}, true, { undo: {} })).toMatchObject({ data: { restoreFirst: true } });
  });

  test('a password in plain text is masked by its key', () => {
    expect(JSON.stringify(plan({ answers: { 'OVESETUP_DB/password': 'open' } }))).not.toContain('open');
  });

  test('a disconnect is said as that, is for good, and slips in by no answer', () => {
    expect(plan({ disconnectExisting: true })).toMatchObject({ irreversible: expect.stringContaining('for good') });
    expect(plan({ answers: { 'OVESETUP_DWH_DB/disconnectExistingDwh': true } })).toMatchObject({ kind: 'blocked' });
    const effects = (given: unknown) =>
      setup.touches?.({ ...setup.params.parse({ answers: {} }), disconnectExisting: given } as never, 'dwh').effects?.[0];
    expect(effects(true)).toMatchObject({ reversible: false });
    expect(effects('${{ inputs.reissue }}')).toMatchObject({ reversible: true });
  });

  test('is blocked without engine-setup, and by an answer that no file can hold', () => {
    expect(plan({}, false)).toMatchObject({ kind: 'blocked', hint: expect.stringContaining('ovirt-engine-dwh-setup') });
    expect(plan({ answers: { 'A/b': 'x\ny' } })).toMatchObject({ kind: 'blocked' });
    expect(setup.params.safeParse({ answers: { 'no key': 'x' } }).success).toBe(false);
  });
});
