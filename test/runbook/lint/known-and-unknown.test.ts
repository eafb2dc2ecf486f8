import { describe, expect, test } from 'vitest';
import { found } from '../../kit/lint.ts';

const DUMP = (path: string, host = 'old', more = '') =>
  `  - { id: dump-${host}, host: ${host}, uses: postgres.dump, with: { database: app, path: "${path}" }${more} }\n`;
const NEED = (path: string, host: string, more = '') =>
  `  - { id: need, host: vault, uses: file.transfer, with: { from: { host: ${host}, path: "${path}" }, path: /srv/keep.dump }${more} }\n`;
const TIDY = (path: string, host = 'old') =>
  `  - { id: tidy-${host}, host: ${host}, uses: file.remove, with: { paths: ["${path}"], keep: false } }\n`;
const COMPARE = (host: string, other: string, more = '') =>
  `  - { id: compare, host: ${host}, uses: postgres.compare, with: { database: app, with: { host: ${other}, database: app }${more} } }\n`;
const FOLDER = 'inputs:\n  folder: { type: path }\n';
const IN = '${{ inputs.folder }}';

/** What is expected, for files. */
const files: readonly (readonly [title: string, example: string, expected: readonly string[]])[] = [
  ['is made here before: nothing', `steps:\n${DUMP('/d')}${NEED('/d', 'old')}${TIDY('/d')}`, []],
  [
    // It was an error, which refused an upgrade on one host.
    'is made on a role that may have another host',
    `roles: { old: , other: , vault: }\nsteps:\n${DUMP('/d')}${NEED('/d', 'other')}`,
    ['warning FILE_NOT_MADE'],
  ],
  [
    'is made on another host, as one database of both is compared',
    `roles: { old: , other: , vault: }\nsteps:\n${DUMP('/d')}${NEED('/d', 'other')}${COMPARE('other', 'old')}`,
    ['error FILE_NOT_MADE'],
  ],
  [
    'is made on what may be one host with two clusters',
    `roles: { old: , other: , vault: }\nsteps:\n${DUMP('/d')}${NEED('/d', 'other')}${COMPARE('other', 'old', ', port: 5433')}`,
    ['warning FILE_NOT_MADE'],
  ],
  ['is made only later', `steps:\n${NEED('/d', 'old')}${DUMP('/d')}`, ['error FILE_NOT_MADE']],
  [
    'may be made later, side by side',
    `steps:\n${DUMP('/d')}${NEED('/d', 'old', ', needs: []')}${TIDY('/d')}`,
    ['error FILE_NOT_MADE', 'error STEPS_CONFLICT', 'error STEPS_CONFLICT'],
  ],
  ['is removed before', `steps:\n${DUMP('/d')}${TIDY('/d')}${NEED('/d', 'old')}`, ['error FILE_NOT_MADE']],
  [
    'is in a folder that is removed before',
    `steps:\n${DUMP('/f/d')}  - { id: rm, host: old, uses: file.remove, with: { paths: [/f], recursive: true } }\n${NEED('/f/d', 'old')}`,
    ['error FILE_NOT_MADE'],
  ],
  ['is made by nobody in the runbook', `steps:\n${NEED('/d', 'old')}`, []],
  [
    'has the path of an input, as its maker has',
    `${FOLDER}steps:\n${DUMP(`${IN}/d`)}${NEED(`${IN}/d`, 'old')}${TIDY(`${IN}/d`)}`,
    [],
  ],
  [
    'is removed with its whole folder, which may have been there before',
    `${FOLDER}steps:\n${DUMP(`${IN}/d`)}${NEED(`${IN}/d`, 'old')}${TIDY(IN)}`,
    ['warning REMOVAL_FINAL'],
  ],
  [
    'has the path of an input, and is made elsewhere',
    `${FOLDER}roles: { old: , other: , vault: }\nsteps:\n${DUMP(`${IN}/d`)}${NEED(`${IN}/d`, 'other')}`,
    ['warning FILE_NOT_MADE'],
  ],
  [
    'has a path that may be the one made here',
    `${FOLDER}roles: { old: , other: , vault: }\nsteps:\n${DUMP('/x/d', 'other')}${DUMP(`${IN}/d`)}${NEED('/x/d', 'old')}${TIDY('/x/d')}${TIDY('/x/d', 'other')}`,
    [],
  ],
  [
    'is made on a role that takes this host by default',
    `roles: { old: { default: other }, other: , vault: }\nsteps:\n${DUMP('/d')}${NEED('/d', 'other')}${TIDY('/d')}`,
    [],
  ],
  [
    'may be made by a command of one’s own',
    `roles: { old: , other: , vault: }\nsteps:\n${DUMP('/d')}  - { id: own, host: other, uses: command.run, with: { argv: [/opt/fetch], undo: "true" } }\n${NEED('/d', 'other')}`,
    ['warning FILE_NOT_MADE'],
  ],
  [
    'is a configuration, of which other hosts have their own',
    `roles: { old: , vault: }\nsteps:\n${NEED('/etc/app.conf', 'old')}  - { id: put, host: old, uses: file.put, with: { path: /etc/app.conf, content: x } }\n`,
    [],
  ],
  [
    'is handed from host to host under one path',
    `roles: { a: , b: , c: }\nsteps:\n  - { id: one, host: b, uses: file.transfer, with: { from: { host: a, path: /p }, path: /p } }\n  - { id: two, host: c, uses: file.transfer, with: { from: { host: b, path: /p }, path: /p } }\n${TIDY('/p', 'b')}`,
    [],
  ],
];

describe('a file that is needed', () => {
  test.each(files)('%s', async (_, example, expected) => {
    expect((await found(example)).sort()).toEqual(expected);
  });
});

const STOP = (more = '') => `  - { id: stop, host: app, uses: service.stop, with: { units: [a, b]${more} } }\n`;
const START = (units: string, host = 'app') =>
  `  - { id: start, host: ${host}, uses: service.start, with: { units: ${units} } }\n`;

describe('services and maintenance', () => {
  test.each([
    ['some of them are started again', `steps:\n${STOP()}${START('[b]')}`, ['warning SERVICE_LEFT_STOPPED']],
    ['all are started, one without its suffix', `steps:\n${STOP()}${START('[b.service, a]')}`, []],
    ['they are started on another host', `steps:\n${STOP()}${START('[a, b]', 'new')}`, ['warning SERVICE_LEFT_STOPPED']],
    ['they are stopped for good', `steps:\n${STOP(', disable: true')}`, []],
    [
      'nobody knows whether it is for good',
      `inputs:\n  off: { type: boolean }\nsteps:\n${STOP(', disable: "${{ inputs.off }}"')}`,
      [],
    ],
    [
      'what is started hangs on an input',
      `inputs:\n  unit: { type: string }\nsteps:\n${STOP()}${START('["${{ inputs.unit }}"]')}`,
      [],
    ],
    [
      'a command of one’s own speaks of them',
      `steps:\n${STOP()}  - { id: own, host: app, uses: command.run, with: { argv: [app-ctl, up, a, b], undo: app-ctl down } }\n`,
      [],
    ],
  ])('stopped: %s', async (_, example, expected) => {
    expect(await found(example)).toEqual(expected);
  });

  const SET = '  - { id: set, host: he, uses: ovirt.maintenance, with: { mode: global } }\n';
  const LIFT = '  - { id: lift, host: he, uses: ovirt.maintenance, with: { mode: none } }\n';
  test.each([
    ['lifted before it is set', `steps:\n${LIFT}${SET}`, ['warning MAINTENANCE_LEFT_SET']],
    ['lifted when no service was started', `steps:\n${SET}${LIFT}`, []],
    [
      'to a mode that hangs on an input',
      `inputs:\n  mode: { type: string }\nsteps:\n${SET}${LIFT.replace('none', '"${{ inputs.mode }}"')}`,
      [],
    ],
    [
      'lifted after a check that looked before the start',
      `steps:\n${SET}  - { id: look, host: app, uses: http.check, with: { url: "http://x" } }\n${START('[a]')}${LIFT}`,
      ['warning MAINTENANCE_LIFTED_EARLY'],
    ],
  ])('maintenance: %s', async (_, example, expected) => {
    expect(await found(example)).toEqual(expected);
  });
});

describe('secrets', () => {
  const run = (param: string) =>
    `inputs:\n  pw: { type: secret }\nsteps:\n  - { id: run, host: a, uses: command.run, with: { ${param}, readOnly: true } }\n`;
  test.each([
    ['in argv', run('argv: [x, "${{ inputs.pw }}"]'), ['error SECRET_EXPOSED']],
    ['inside shell text', run('shell: "x ${{ inputs.pw }}"'), ['error SECRET_EXPOSED']],
    ['in the environment', run('argv: [x], env: { PW: "${{ inputs.pw }}" }'), ['error SECRET_EXPOSED']],
    ['by stdin', run('argv: [x], stdin: "${{ inputs.pw }}"'), []],
    ['whether there is one is none', run('argv: [x, "${{ inputs.pw != \'\' }}"]'), []],
    [
      'in a param that takes none',
      'inputs:\n  pw: { type: secret }\nsteps:\n  - { id: a, host: a, uses: http.check, with: { url: "http://x/${{ inputs.pw }}" } }\n',
      ['error SECRET_EXPOSED'],
    ],
    [
      'that a step has read from a file',
      'steps:\n  - { id: conf, host: a, uses: config.read, with: { files: [/etc/x], keys: { word: X_PASSWORD, host: X_HOST } } }\n  - { id: run, host: a, uses: command.run, with: { argv: [x, "${{ steps.conf.outputs.word }}", "${{ steps.conf.outputs.host }}"], readOnly: true } }\n',
      ['error SECRET_EXPOSED'],
    ],
  ])('%s', async (_, example, expected) => {
    expect(await found(example)).toEqual(expected);
  });

  test('are followed into an included runbook, and the place is the one in its file', async () => {
    const included =
      'ferry: 1\nname: inner\ninputs:\n  word: { type: string }\nroles: { a: }\nsteps:\n  - { id: run, host: a, uses: command.run, with: { argv: [x, "${{ inputs.word }}"], readOnly: true } }\n';
    const example =
      'inputs:\n  pw: { type: secret }\nroles: { a: }\nsteps:\n  - { runbook: inner.yaml, with: { word: "${{ inputs.pw }}" } }\n';
    expect(await found(example, { 'inner.yaml': included })).toEqual(['error SECRET_EXPOSED']);
  });
});

describe('steps side by side', () => {
  const conf = (id: string, more: string) =>
    `  - { id: ${id}, host: app, uses: config.set, with: { path: /etc/app.conf, set: { K: 1 } }${more} }\n`;
  const MODE = 'inputs:\n  mode: { type: string }\n  fast: { type: boolean, default: false }\n';
  test.each([
    ['one after the other', `steps:\n${conf('a', '')}${conf('b', '')}`, []],
    ['at once', `steps:\n${conf('a', '')}${conf('b', ', needs: []')}`, ['error STEPS_CONFLICT']],
    [
      'at once, and one only reads',
      `steps:\n${conf('a', '')}  - { id: b, host: app, needs: [], uses: config.read, with: { files: [/etc/app.conf] } }\n`,
      ['error STEPS_CONFLICT'],
    ],
    [
      'at once, and both only read',
      'steps:\n  - { id: a, host: app, uses: config.read, with: { files: [/etc/app.conf] } }\n  - { id: b, host: app, needs: [], uses: config.read, with: { files: [/etc/app.conf] } }\n',
      [],
    ],
    [
      'at once, on two roles of which one takes the host of the other',
      `roles: { app: , other: { default: app } }\nsteps:\n${conf('a', '')}${conf('b', ', needs: []').replace('host: app', 'host: other')}`,
      ['error STEPS_CONFLICT'],
    ],
    ['at once, on two hosts', `steps:\n${conf('a', '')}${conf('b', ', needs: []').replace('host: app', 'host: other')}`, []],
    [
      'either the one or the other',
      `${MODE}steps:\n${conf('a', ', when: inputs.fast')}${conf('b', ', needs: [], when: "!inputs.fast"')}`,
      [],
    ],
    [
      'either the one or the other, by a text',
      `${MODE}steps:\n${conf('a', ', when: "inputs.mode == \'x\' && inputs.fast"')}${conf('b', ', needs: [], when: "inputs.mode == \'y\'"')}`,
      [],
    ],
    [
      'both for some inputs',
      `${MODE}steps:\n${conf('a', ', when: inputs.fast')}${conf('b', ', needs: [], when: "inputs.mode == \'y\'"')}`,
      ['error STEPS_CONFLICT'],
    ],
    [
      'when nobody can tell',
      `${MODE}steps:\n${conf('a', ', when: "inputs.mode.startsWith(\'x\')"')}${conf('b', ', needs: [], when: "inputs.mode.startsWith(\'y\')"')}`,
      [],
    ],
  ])('%s', async (_, example, expected) => {
    const known = (await found(example)).filter((each) => !each.endsWith('INPUT_UNUSED'));
    expect(known).toEqual(expected);
  });
});

describe('a command', () => {
  const own = (params: string) =>
    found(`steps:\n  - { id: own, host: app, confirm: Go?, uses: command.run, with: { ${params}, undo: "true" } }\n`);
  test.each([
    ['argv: [apt-get, remove, jq]', true],
    ['argv: [apt-get, -q, remove, jq]', true],
    ['argv: [dnf, -qq, remove, jq]', true],
    ['argv: [apt-get, --assume-yes, remove, jq]', false],
    ['argv: [apt-get, -qq, remove, jq]', false],
    ['argv: [apt, -q=2, remove, jq]', false],
    ['argv: [dnf, --assumeyes, remove, jq]', false],
  ])('{ %s } asks: %s', async (params, asks) => {
    expect((await own(params)).includes('warning COMMAND_ASKS')).toBe(asks);
  });

  test.each([
    ['shell: "PGPASSWORD=hunter2 psql -X"', true],
    [`shell: "export PGPASSWORD='hunter2'; psql -X"`, true],
    ['argv: [app, --password=hunter2]', true],
    ['argv: [curl, -u, "admin:hunter2", "http://x/"]', true],
    ['shell: "curl -su admin:hunter2 http://x/"', true],
    ['argv: [psql, "postgres://app:hunter2@db/app"]', true],
    ['argv: [psql, -X], env: { PGPASSWORD: hunter2 }', true],
    ['shell: "PGPASSWORD=$(cat /root/pw) psql -X"', false],
    ['shell: "PGPASSWORD= psql -X"', false],
    ['shell: "grep -q password= /etc/app.conf"', false],
    ['argv: [app, --password-file=/root/pw, --max-token=5]', false],
    ['argv: [curl, -u, "admin:", "http://app@x:8080/y"]', false],
    ['argv: [psql, -X], env: { PGPASSFILE: /root/.pgpass }', false],
  ])('{ %s } holds a password: %s', async (params, holds) => {
    expect((await own(params)).includes('warning SECRET_LITERAL')).toBe(holds);
  });

  const PASSWORD = '  - { id: put, host: app, uses: file.put, with: { path: /tmp/answers.conf, content: x } }\n';
  test.each([
    ['argv: [engine-setup, --config-append=/tmp/answers.conf]', true],
    ['shell: "cat /tmp/answers.conf | app"', true],
    ['shell: "app </tmp/answers.conf && rm /tmp/answers.conf"', false],
    ['argv: [rm, -f, /tmp/answers.conf]', false],
  ])('{ %s } leaves the file it names: %s', async (params, leaves) => {
    const text = `steps:\n${PASSWORD}  - { id: own, host: app, confirm: Go?, uses: command.run, with: { ${params}, undo: "true" } }\n`;
    expect((await found(text)).includes('warning FILE_LEFT')).toBe(leaves);
  });
});

describe('a restart after a file', () => {
  test.each([
    ['uses: file.put, with: { path: /etc/motd, content: x }', 'cron.service', false],
    ['uses: file.put, with: { path: /etc/ssh/sshd_config, content: x }', 'ssh.service', true],
    ['uses: file.put, with: { path: /etc/chrony.conf, content: x }', 'chronyd.service', true],
    ['uses: config.set, with: { path: /etc/default/locale, set: { K: 1 } }', 'cron.service', true],
  ])('%s, of %s, is not undone: %s', async (file, unit, is) => {
    const text = `steps:\n  - { id: put, host: app, ${file} }\n  - { id: again, host: app, uses: service.restart, with: { units: [${unit}] } }\n`;
    expect((await found(text)).includes('warning RESTART_NOT_UNDONE')).toBe(is);
  });
});

describe('conditions', () => {
  const when = (condition: string, type = 'string') =>
    found(
      `inputs:\n  x: { type: ${type} }\nsteps:\n  - { id: a, host: a, uses: service.read, when: "${condition}", with: { units: ["u\${{ inputs.x == inputs.x }}"] } }\n`,
    );
  test.each([
    ["inputs.x == 'a'", 'string'],
    ["inputs.x in ['a', 'b'] && inputs.x != 'a'", 'string'],
    ['inputs.x > 5 && inputs.x < 7', 'integer'],
    ['inputs.x', 'boolean'],
    ["inputs.x.matches('^a+$')", 'string'],
    ["size(inputs.x) > 3 && inputs.x != ''", 'string'],
  ])('that can be both is left alone: %s', async (condition, type) => {
    expect(await when(condition, type)).toEqual([]);
  });
  test.each([
    ['false', 'string'],
    ['1 == 2', 'string'],
    ["inputs.x == 'a' && inputs.x == 'b'", 'string'],
    ["inputs.x != 'a' || inputs.x != 'b'", 'string'],
    ['inputs.x > 5 && inputs.x < 6', 'integer'],
    ['inputs.x || !inputs.x', 'boolean'],
    ["!(inputs.x in ['a']) && inputs.x == 'a'", 'string'],
  ])('that is always the same is told: %s', async (condition, type) => {
    expect(await when(condition, type)).toEqual(['warning CONDITION_CONSTANT']);
  });
});

describe('packages that are removed', () => {
  const step = (more: string) => `steps:\n  - { id: gone, host: app, uses: package.remove, with: { packages: [app]${more} } }\n`;

  test('are asked about when they may not come back, and need no question when they do', async () => {
    expect(await found(step(''))).toEqual([]);
    expect(await found(step(', requireUndo: false'))).toEqual(['warning GATE_MISSING']);
    expect(await found(step(', requireUndo: false').replace(' } }', ' }, confirm: For good? }'))).toEqual([]);
  });

  test('by a command have an action', async () => {
    const yum = `steps:\n  - { id: gone, host: app, uses: command.run, with: { argv: [yum, -y, remove, app], irreversible: it goes }, confirm: Sure? }\n`;
    expect(await found(yum)).toEqual(['warning COMMAND_HAS_ACTION']);
  });
});
