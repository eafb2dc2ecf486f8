// biome-ignore-all lint/suspicious/noTemplateCurlyInString: conf files hold ${NAME}.
import { describe, expect, test } from 'vitest';
import { confFormat } from '../../../src/actions/config/conf-format.ts';
import { configDiff } from '../../../src/actions/config/key-diff.ts';
import read from '../../../src/actions/config/read.ts';
import set from '../../../src/actions/config/set.ts';
import { configFiles } from '../../../src/facts/config-files.ts';
import { contentOf, fileContent } from '../../../src/facts/file-content.ts';
import { fileStat } from '../../../src/facts/file-stat.ts';
import { Secret } from '../../../src/hosts/secret.ts';
import { factOf, siteOf } from '../../kit/facts.ts';

const site = siteOf('engine');
const has = { mode: '0640', owner: 'root', group: 'ovirt' };
const PATH = '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf';
const PATTERN = '/etc/ovirt-engine/engine.conf.d/*.conf';
const OLD =
  'ENGINE_DB_HOST="localhost"\nENGINE_DB_PASSWORD="old-one"\nENGINE_DB_URL="jdbc:postgresql://localhost/engine?password=old-one"\n';

describe('config.set', () => {
  const plan = (given: object, text: string | undefined = OLD, more: object = {}) => {
    const content = text === undefined ? undefined : contentOf(text, has);
    const facts = {
      content: factOf(fileContent(PATH).on('engine'), content),
      stat: factOf(fileStat(PATH).on('engine'), undefined),
      folder: [factOf(configFiles(PATTERN).on('engine'), content ? [{ ...content, path: PATH }] : [])],
    };
    return set.plan(set.params.parse({ path: PATH, set: given, ...more }), facts, site);
  };

  test('the diff shows what changes and masks secrets by key and by value', () => {
    const planned = plan({
      ENGINE_DB_HOST: 'newdb',
      ENGINE_DB_PASSWORD: new Secret('new-one', 'input:password'),
      ENGINE_DB_URL: new Secret('jdbc:new-one', 'input:password'),
      ENGINE_DB_PORT: 5432,
    });
    expect(planned).toMatchObject({
      kind: 'change',
      diff: [
        ['~', 'ENGINE_DB_HOST=', '"localhost"', '"newdb"'],
        ['~', 'ENGINE_DB_PASSWORD=', '"[secret]"', '"[another secret]"'],
        // A key that gets a secret may have held one before.
        ['~', 'ENGINE_DB_URL=', '"[secret]"', '"[another secret]"'],
        ['+', 'ENGINE_DB_PORT="5432"'],
      ],
      undo: { path: PATH, was: has },
      keep: [{ name: 'before', host: 'engine', path: PATH }],
    });
    if (planned.kind !== 'change') throw new Error('no change');
    const { memory: _, predicts: __, ...journaled } = planned;
    expect(JSON.stringify(journaled)).not.toMatch(/old-one|new-one/);
  });

  test('it predicts the bytes of the file and of its drop-in folder', () => {
    const planned = plan({ ENGINE_DB_HOST: 'newdb' });
    if (planned.kind !== 'change') throw new Error('no change');
    const next = contentOf(OLD.replace('"localhost"', '"newdb"'), has);
    expect(planned.predicts.map(({ key, to }) => [key, to?.state === 'value' && to.value])).toEqual([
      [`fileContent(${PATH})`, next],
      [`fileStat(${PATH})`, { type: 'file', ...has, sizeBytes: next.sizeBytes }],
      [`configFiles(${PATTERN})`, [{ ...next, path: PATH }]],
    ]);
  });

  test('values that are there already are no change', () => {
    expect(plan({ ENGINE_DB_HOST: 'localhost' })).toMatchObject({ kind: 'no-change', outputs: { changed: [] } });
  });

  test('a missing file is made only when asked for, and undo removes it', () => {
    expect(plan({ A: '1' }, undefined)).toMatchObject({ kind: 'change' });
    const facts = {
      content: factOf(fileContent('/etc/x').on('engine'), undefined),
      stat: factOf(fileStat('/etc/x').on('engine'), undefined),
      folder: [],
    };
    const planned = (more: object) => set.plan(set.params.parse({ path: '/etc/x', set: { A: '1' }, ...more }), facts, site);
    expect(planned({})).toMatchObject({ kind: 'blocked', hint: expect.stringContaining('create: true') });
    expect(planned({ create: true, mode: '0644' })).toMatchObject({
      undo: { path: '/etc/x', was: null },
      undoSummary: 'remove it',
      data: { mode: '0644', owner: 'root', group: 'root' },
      keep: [],
    });
  });

  test('a line break in a value and a file that is no text are refused', () => {
    expect(plan({ A: 'a\nb' })).toMatchObject({
      kind: 'blocked',
      summary: 'the value of A cannot be written: it holds a line break',
    });
    expect(plan({ A: 'x' }, 'a\0b')).toMatchObject({ kind: 'blocked' });
  });
});

describe('config.set in other formats', () => {
  const path = '/etc/grafana/ds.yaml';
  const yaml = 'datasources:\n- url: "old:5432"\n  secureJsonData:\n    password: "old-one"\n';
  const plan = (given: object, text: string) => {
    const content = contentOf(text, has);
    const facts = {
      content: factOf(fileContent(path).on('engine'), content),
      stat: factOf(fileStat(path).on('engine'), undefined),
      folder: [],
    };
    return set.plan(set.params.parse({ path, ...given }), facts, site);
  };

  test('YAML: the diff names the path, and masks by key and by value', () => {
    const planned = plan(
      {
        format: 'yaml',
        set: {
          'datasources[0].url': new Secret('new:5432', 'input:url'),
          'datasources[0].secureJsonData.password': 'new-one',
        },
      },
      yaml,
    );
    expect(planned).toMatchObject({
      diff: [
        ['~', 'datasources[0].url: ', '"[secret]"', '"[another secret]"'],
        ['~', 'datasources[0].secureJsonData.password: ', '"[secret]"', '"[another secret]"'],
      ],
      undo: { hides: ['datasources[0].url'], format: 'yaml' },
      memory: yaml.replace('old:5432', 'new:5432').replace('old-one', 'new-one'),
    });
    // The way back is told from the texts alone.
    const after = { ...contentOf(yaml.replace('old:5432', 'new:5432').replace('old-one', 'new-one'), has) };
    expect(configDiff(after, contentOf(yaml, has), ['datasources[0].url'], confFormat({ format: 'yaml' }))).toEqual([
      ['~', 'url: ', '"[secret]"', '"[another secret]"'],
      ['~', 'password: ', '"[secret]"', '"[another secret]"'],
    ]);
  });

  test('a file that cannot be set is a blocker, and no byte of it is told', () => {
    expect(plan({ format: 'yaml', set: { 'datasources[3].url': 'x' } }, yaml)).toMatchObject({
      kind: 'blocked',
      summary: '/etc/grafana/ds.yaml on engine cannot be set: datasources[3].url: the list has 1',
    });
    expect(JSON.stringify(plan({ format: 'yaml', set: { a: 'x' } }, 'password: [old-one'))).not.toContain('old-one');
  });

  test('ini: one section, and the type stays with the value', () => {
    const given = { format: 'ini', section: 'environment:default', set: { 'OVESETUP_DWH_CORE/enable': 'bool:False' } };
    expect(plan(given, '[environment:default]\nOVESETUP_DWH_CORE/enable=bool:True\n')).toMatchObject({
      diff: [['~', 'OVESETUP_DWH_CORE/enable=', 'bool:True', 'bool:False']],
    });
  });

  test.each([
    [{ set: { 'a.b': 'x' } }, 'a.b: a key has letters, digits and _ only'],
    [{ format: 'yaml', set: { 'a..b': 'x' } }, 'a..b: write a path such as datasources[0].url'],
    [{ format: 'ini', set: { '[a': 'x' } }, '[a: no line of an ini file can begin with it'],
    [{ section: 'a', set: { A: 'x' } }, 'only an ini file has sections: set format: ini'],
  ])('a key its format cannot have is refused: %j', (given, message) => {
    expect(set.params.safeParse({ path, ...given }).error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});

describe('config.read', () => {
  const plan = (params: object, plain: string | undefined, dropIns: Record<string, string> = {}) => {
    const facts = {
      files: [
        factOf(fileContent('/etc/engine.conf').on('engine'), plain === undefined ? undefined : contentOf(plain, has)),
        factOf(
          configFiles('/etc/engine.conf.d/*.conf').on('engine'),
          Object.entries(dropIns).map(([path, text]) => ({ ...contentOf(text, has), path })),
        ),
      ],
    };
    const parsed = read.params.parse({ files: ['/etc/engine.conf', '/etc/engine.conf.d/*.conf'], ...params });
    return read.plan(parsed, facts as never, site);
  };

  test('the last file wins, and passwords are secrets', () => {
    const { outputs } = plan({ keys: { host: 'H', password: 'P_PASSWORD', url: 'U' } }, 'H=a\nU="${H}/x"\n', {
      '/etc/engine.conf.d/1.conf': 'H=b\nP_PASSWORD="s3"\n',
    });
    expect(outputs).toMatchObject({ host: 'b', url: 'a/x' });
    expect(outputs.password).toBeInstanceOf(Secret);
    expect((outputs.password as Secret).reveal()).toBe('s3');
    expect(JSON.stringify(outputs)).not.toContain('s3');
  });

  test('a missing key is a blocker with the nearest one; an optional one is null', () => {
    expect(plan({ keys: ['ENGINE_DB_HOSTS'] }, 'ENGINE_DB_HOST=x')).toMatchObject({
      kind: 'blocked',
      hint: 'Did you mean ENGINE_DB_HOST?',
    });
    expect(plan({ keys: ['GONE'], optional: ['GONE'] }, 'A=x').outputs).toEqual({ GONE: null });
  });

  // The password in the URL stood in the blocker, and in the journal among the outputs.
  test('a password inside a URL is shown in no expectation, and handed on as a secret', () => {
    const url = 'DATABASE_URL="postgres://app:CANARY@old/app"';
    expect(plan({ expect: { DATABASE_URL: 'postgres://app@new/app' } }, url)).toMatchObject({
      kind: 'blocked',
      summary: 'DATABASE_URL on engine is "postgres://app:[secret]@old/app", expected "postgres://app@new/app"',
    });
    expect(plan({ expect: { DATABASE_URL: 'postgres://app:OTHER@old/app' } }, url)).toMatchObject({
      summary: 'DATABASE_URL on engine is "postgres://app:[secret]@old/app", expected "postgres://app:[another secret]@old/app"',
    });
    expect(JSON.stringify(plan({ keys: ['DATABASE_URL'] }, url).outputs)).not.toContain('CANARY');
  });

  test('an expectation that does not hold blocks, and shows no secret', () => {
    expect(plan({ expect: { A: 'x' } }, 'A=x')).toMatchObject({ kind: 'check' });
    expect(plan({ expect: { A: 'y' } }, 'A=x')).toMatchObject({ kind: 'blocked', summary: 'A on engine is "x", expected "y"' });
    expect(plan({ expect: { A_PASSWORD: 'y' } }, 'A_PASSWORD=x')).toMatchObject({
      summary: 'A_PASSWORD on engine is not what was expected',
    });
  });

  test('YAML: values by their path, one that is missing with the nearest', () => {
    const yaml = 'datasources:\n- url: db:5432\n  editable: false\n  secureJsonData: { password: s3 }\n';
    const { outputs } = plan({ format: 'yaml', keys: { url: 'datasources[0].url', editable: 'datasources[0].editable' } }, yaml);
    expect(outputs).toEqual({ url: 'db:5432', editable: false });
    expect(plan({ format: 'yaml', keys: { p: 'datasources[0].secureJsonData.password' } }, yaml).outputs.p).toBeInstanceOf(
      Secret,
    );
    expect(plan({ format: 'yaml', keys: { url: 'datasources[0].uri' } }, yaml)).toMatchObject({
      kind: 'blocked',
      hint: 'Did you mean datasources[0].url?',
    });
    expect(plan({ format: 'yaml', expect: { 'datasources[0].editable': false } }, yaml)).toMatchObject({ kind: 'check' });
    expect(plan({ format: 'yaml', expect: { 'datasources[0].url': 'x' } }, yaml)).toMatchObject({
      summary: 'datasources[0].url on engine is "db:5432", expected "x"',
    });
  });

  test('what the engine could not read either is told with file, line and its own words', () => {
    expect(plan({ keys: ['A'] }, 'A=x\nP="a$b"\n')).toMatchObject({
      kind: 'blocked',
      summary: '/etc/engine.conf on engine cannot be read at line 2: Malformed variable assignment',
    });
  });

  test('no file at all is a blocker, not an empty answer', () => {
    expect(plan({ keys: ['A'] }, undefined)).toMatchObject({
      kind: 'blocked',
      summary: expect.stringContaining('none of the files'),
    });
  });
});
