import { expect, it } from 'vitest';
import { cutEnd, cutMiddle, headOf, lastLines, printable, tailOf, visible } from '../../src/lib/text.ts';

// What a host prints reaches a terminal: it may neither move the cursor, nor name the window, nor hide what stands there.
it.each([
  ['colours', 'a\x1b[31mred\x1b[0m b', 'ared b'],
  ['cursor moves and erasures', 'kept\x1b[2K\x1b[1A!', 'kept!'],
  ['a window title, ended by a bell or by a string end', '\x1b]0;title\x07a\x1b]2;title\x1b\\b', 'ab'],
  ['the eight-bit form of an escape', 'a\x9b31mb', 'ab'],
  ['bell, backspace and carriage return', 'a\x07b\x08c\rd', 'abcd'],
])('%s are taken out of what is shown', (_, given, shown) => {
  expect(printable(given)).toBe(shown);
});

it.each(['\x1b', 'a\x1b', '\x1b[', '\x1b]0;never ended', '\x1bPq#0', '\x1bc', '\x9d0;title\x9c'])(
  'no control character is left of %j',
  (given) => {
    expect(printable(given)).not.toMatch(/\p{Cc}/u);
  },
);

it('tabs, line ends and letters of any language stay', () => {
  expect(printable('a\tb\nü 日本 🚢')).toBe('a\tb\nü 日本 🚢');
});

it('what is not seen and reorders letters is shown by its number', () => {
  expect(printable('a\u202eb\u200bc\ufeff\u{e0041}')).toBe('a<U+202E>b<U+200B>c<U+FEFF><U+E0041>');
});

it('nothing is taken out of what must be seen whole', () => {
  expect(visible('a\x1b[31mb\r\t\n\x9b\u2066')).toBe('a<U+001B>[31mb<U+000D>\t\n<U+009B><U+2066>');
});

it('a text that is too long keeps its beginning and its end', () => {
  expect(cutMiddle('x'.repeat(4000))).toHaveLength(4000);
  const cut = cutMiddle(`begin${'x'.repeat(1_000_000)}end`);
  expect(cut).toMatch(/^beginx+ \.\.\. \(996008 characters left out\) \.\.\. x+end$/);
});

it('what is left out of a text is told where it stood, and nothing when it is whole', () => {
  expect(cutEnd('abc', 3)).toBe('abc');
  expect(cutEnd('abcdef', 3)).toBe('abc ... (3 characters left out) ...');
  expect(lastLines('a\nb\nc\n', 3)).toBe('a\nb\nc');
  expect(lastLines('a\nb\nc\n', 2)).toBe('... (1 line left out) ...\nb\nc');
  expect(headOf('é', 3)).toBe('é');
  expect(headOf('é', 2)).toBe('é ... (the rest left out) ...');
  expect(tailOf('half\nwhole\n', 12)).toBe('half\nwhole\n');
  expect(tailOf('half\nwhole\n', 11)).toBe('... (the beginning left out) ...\nwhole\n');
  expect(tailOf('all one line\n', 13)).toBe('... (the beginning left out) ...\nall one line\n');
});
