// biome-ignore-all lint/suspicious/noTemplateCurlyInString: conf files hold ${NAME}.
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteValue, readConfig, setConfig } from '../../src/facts/config-text.ts';

const read = (text: string) => readConfig([{ path: 'a.conf', text }]);
const valueIn = (text: string) => read(text).values.get('K');

describe('reading conf files as oVirt does', () => {
  test.each([
    ['K=plain', 'plain'],
    ['  K=indented', 'indented'],
    ['K="two words"', 'two words'],
    ['K=cut here', 'cut'],
    ['K=cut#here', 'cut'],
    ['K="kept # here"', 'kept # here'],
    ['K=a" b "c', 'a b c'],
    ['K=tab\tstays', 'tab\tstays'],
    ['K="a\\"b"', 'a"b'],
    ['K="a\\\\b"', 'a\\b'],
    ['K="a\\$b"', 'a$b'],
    ["K='single'", "'single'"],
    ['K=`x`', '`x`'],
    ['K=', ''],
    ['K="open', 'open'],
    ['K=end\\', 'end'],
    ['K=1\nK=2', '2'],
    ['K=1\r\n', '1'],
    ['A=x\nK="${A}/y"', 'x/y'],
    ['K="${LATER}"\nLATER=x', ''],
    ['A=x\nK=\\${A}', '${A}'],
  ])('%j gives %j', (text, expected) => {
    expect(read(text).problem).toBeNull();
    expect(valueIn(text)).toBe(expected);
  });

  test.each([
    ['# c\n\nK=$x', 3, 'Malformed variable assignment'],
    ['K="a$"', 1, 'Malformed variable assignment'],
    ['K=a$', 1, 'Malformed variable assignment'],
    ['K=${OPEN', 1, 'Malformed variable assignment'],
    ['export K=1', 1, 'Invalid syntax'],
    ['K = 1', 1, 'Invalid syntax'],
  ])('%j is refused at line %i as the engine refuses it', (text, line, why) => {
    expect(read(text).problem).toEqual({ path: 'a.conf', line, why });
  });

  test('later files win and see the values of earlier ones, eagerly', () => {
    const { values } = readConfig([
      { path: 'default.conf', text: 'ENGINE_DB_HOST=localhost\nENGINE_DB_URL="jdbc:postgresql://${ENGINE_DB_HOST}/engine"\n' },
      { path: '10-setup-database.conf', text: 'ENGINE_DB_HOST="newdb"\n' },
    ]);
    expect(values.get('ENGINE_DB_HOST')).toBe('newdb');
    expect(values.get('ENGINE_DB_URL')).toBe('jdbc:postgresql://localhost/engine');
  });
});

describe('writing values', () => {
  const passwords = ['simple', `' " $ \\ : % x`, '#', '!', '@/', '`id`', '$(id)', '${HOME}', '\\', '""', 'ä€', ' ', '', '\t'];

  test.each(passwords)('the password %j is read back by oVirt and by a shell', (password) => {
    const text = setConfig('', [['K', password]]).text;
    expect(read(text).problem).toBeNull();
    expect(valueIn(text)).toBe(password);
    const shell = spawnSync('sh', ['-c', `${text}\nprintf %s "$K"`], { encoding: 'utf8' });
    expect(shell.stdout).toBe(password);
  });

  test('any text without line breaks survives', () => {
    const oneLine = fc.string({ unit: 'binary' }).filter((text) => quoteValue(text) !== null);
    fc.assert(fc.property(oneLine, (text) => valueIn(setConfig('K=old\nOTHER=x', [['K', text]]).text) === text));
  });

  test('a line break cannot be written', () => {
    for (const bad of ['a\nb', 'a\rb', 'a\0b']) expect(quoteValue(bad)).toBeNull();
  });
});

describe('editing conf files', () => {
  test('untouched lines, comments and the missing last newline stay as they are', () => {
    const before = '# by hand\nA=1\n\n  B="2"   # note\nC=3';
    const { text, edits } = setConfig(before, [['B', 'two']]);
    expect(text).toBe('# by hand\nA=1\n\nB="two"\nC=3');
    expect(edits).toEqual([{ key: 'B', before: '"2"   # note', after: '"two"' }]);
  });

  test('a key that has the value already is left alone, however it is written', () => {
    const before = 'A=x\nB=\'q\'\nURL="h:${A}"\n';
    expect(
      setConfig(before, [
        ['A', 'x'],
        ['B', "'q'"],
        ['URL', 'h:x'],
      ]),
    ).toEqual({ text: before, edits: [] });
  });

  test('of two lines with one key the last is changed, because it counts', () => {
    expect(setConfig('A=1\nA=2\n', [['A', '3']]).text).toBe('A=1\nA="3"\n');
    expect(setConfig('A=3\nA=2\n', [['A', '3']]).text).toBe('A=3\nA="3"\n');
  });

  test('new keys go to the end in the order given', () => {
    expect(
      setConfig('A=1\n', [
        ['B', '2'],
        ['C', '3'],
      ]).text,
    ).toBe('A=1\nB="2"\nC="3"\n');
    expect(setConfig('A=1', [['B', '2']]).text).toBe('A=1\nB="2"\n');
    expect(setConfig('', [['B', '2']]).text).toBe('B="2"\n');
  });

  test('a file with DOS line ends keeps them', () => {
    expect(setConfig('A=1\r\nB=2\r\n', [['A', 'x']]).text).toBe('A="x"\r\nB=2\r\n');
  });

  test('a commented key is no key', () => {
    expect(setConfig('#A=1\n', [['A', '2']]).text).toBe('#A=1\nA="2"\n');
  });

  test('a line the engine could not read is mended when its key is set', () => {
    expect(setConfig('P="a$b"\n', [['P', 'a$b']]).text).toBe('P="a\\$b"\n');
  });
});
