import { describe, expect, test } from 'vitest';
import { iniFormat } from '../../../src/actions/config/ini-text.ts';

const SECTION = 'environment:default';
const POST = `# action=setup
[environment:default]
OVESETUP_DWH_CORE/enable=bool:True
OVESETUP_CONFIG/fqdn=str:engine.example.com
OVESETUP_CONFIG/notes=multi-str:one
 two
OVESETUP_GRAFANA_CORE/enable = bool:True

[environment:override]
OVESETUP_DWH_CORE/enable=bool:None
`;

const format = iniFormat(SECTION);

const rows: [about: string, wanted: [string, string | number][], before: string, after: string][] = [
  [
    'a value, in its section alone',
    [['OVESETUP_DWH_CORE/enable', 'bool:False']],
    'OVESETUP_DWH_CORE/enable=bool:True',
    'OVESETUP_DWH_CORE/enable=bool:False',
  ],
  [
    'the blanks round the sign stay',
    [['OVESETUP_GRAFANA_CORE/enable', 'bool:False']],
    'enable = bool:True',
    'enable = bool:False',
  ],
  ['a value that goes on in the next line', [['OVESETUP_CONFIG/notes', 'str:x']], 'multi-str:one\n two\n', 'str:x\n'],
  [
    'a new key, behind the last of its section',
    [['OVESETUP_DB/port', 'int:5432']],
    'bool:True\n\n',
    'bool:True\nOVESETUP_DB/port=int:5432\n\n',
  ],
];

describe('an ini file', () => {
  test.each(rows)('set: %s', (_, wanted, before, after) => {
    expect(POST).toContain(before);
    const done = format.set(POST, wanted);
    expect(done).toMatchObject({ text: POST.replace(before, after) });
    if ('refused' in done) return;
    expect(format.set(done.text, wanted)).toEqual({ text: done.text, edits: [] });
  });

  test('its values are those of the section, as they stand', () => {
    const { values } = format.read([{ path: '/x', text: POST }]);
    expect([...values]).toEqual([
      ['OVESETUP_DWH_CORE/enable', 'bool:True'],
      ['OVESETUP_CONFIG/fqdn', 'str:engine.example.com'],
      ['OVESETUP_CONFIG/notes', 'multi-str:one\ntwo'],
      ['OVESETUP_GRAFANA_CORE/enable', 'bool:True'],
    ]);
  });

  test('a later file wins, and of two lines with one key the last', () => {
    const text = `[${SECTION}]\nA=1\nA=2\n`;
    expect(
      format
        .read([
          { path: '/x', text: POST },
          { path: '/y', text },
        ])
        .values.get('A'),
    ).toBe('2');
    expect(format.set(text, [['A', '3']])).toMatchObject({
      text: `[${SECTION}]\nA=1\nA=3\n`,
      edits: [{ before: '2', after: '3' }],
    });
  });

  test('a section that is not there is added, also to an empty file', () => {
    expect(iniFormat('new').set('[a]\nx=1', [['k', 'v']])).toMatchObject({ text: '[a]\nx=1\n[new]\nk=v\n' });
    expect(iniFormat('new').set('', [['k', 'v']])).toMatchObject({ text: '[new]\nk=v\n' });
    expect(
      iniFormat('new').set('', [
        ['k', 'v'],
        ['l', 2],
      ]),
    ).toMatchObject({ text: '[new]\nk=v\nl=2\n' });
  });

  test('what stands before any section can be set, and stays before it', () => {
    expect(iniFormat(undefined).set('# head\n[a]\nx=1\n', [['y', '2']])).toMatchObject({ text: '# head\ny=2\n[a]\nx=1\n' });
  });

  test('carriage returns stay', () => {
    expect(
      iniFormat('a').set('[a]\r\nx=1\r\n', [
        ['x', '2'],
        ['y', '3'],
      ]),
    ).toMatchObject({ text: '[a]\r\nx=2\r\ny=3\r\n' });
  });

  test('what readers would not give back is refused', () => {
    expect(['a\nb', ' a', 'a ', true].map((value) => format.wrongValue(value) !== null)).toEqual([true, true, true, true]);
    expect(['a b', 'bool:True', 5, '#x', 'a=b'].map((value) => format.wrongValue(value))).toEqual([null, null, null, null, null]);
    expect(['#a', '[a', 'a:b', 'a/b', 'A'].map((key) => format.wrongKey(key) === null)).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
  });
});
