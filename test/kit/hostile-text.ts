/** What a host might print to do something to the terminal of whoever looks: each by name, with what must not get through. */
export const HOSTILE: { readonly [name: string]: string } = {
  'clear the screen': '\x1b[2J\x1b[H',
  'hide what follows': '\x1b[8m',
  'take the other screen': '\x1b[?1049h',
  'name the window': '\x1b]0;owned\x07',
  'name it with a string end': '\x1b]2;owned\x1b\\',
  'name it without an end': '\x1b]0;never ended',
  'make a link': '\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\',
  'fill the clipboard': '\x1b]52;c;cm0gLXJmIC8=\x07',
  'ask the terminal': '\x1b[6n\x1b[c\x05',
  'draw pictures': '\x1bPq#0\x1b\\',
  'reset it': '\x1bc',
  'escape in eight bits': '\x9b2J\x9d0;owned\x9c',
  'write over the line': 'safe\rEVIL',
  'take letters back': 'EVIL\b\b\b\bsafe',
  'turn letters about': 'txt.\u202egpj.exe\u202c \u2066x\u2069 \u061c',
  'stand between letters unseen': 'pass\u200bword\ufeff\u2028x\u{e0041}',
};

/** All of it in one text. */
export const ALL_HOSTILE = Object.values(HOSTILE).join('|');

const ESCAPE = '\x1b';
const OURS = new RegExp(`${ESCAPE}\\[(?:1|2|22|31|32|33|36|39)m`, 'g');
const UNFIT = /(?![\t\n])\p{Cc}|[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;

/** Where in a text stands what a terminal obeys, or what is not seen; Ferry's own colours left out. Empty when nowhere. */
export function unfitIn(text: string): string {
  const plain = text.replace(OURS, '');
  const at = plain.search(UNFIT);
  return at < 0 ? '' : JSON.stringify(plain.slice(Math.max(0, at - 30), at + 30));
}

const KEPT = new Set([
  'type',
  'kind',
  'stamp',
  'phase',
  'outcome',
  'verdict',
  'severity',
  'reason',
  'at',
  'startedAt',
  'endedAt',
  'stands',
  'since',
]);

/** The same value with hostile text behind every text in it, save for those that programs compare and times. */
export function spoiltBy<T>(value: T, hostile: string): T {
  const spoil = (member: unknown): unknown => {
    if (typeof member === 'string') return member + hostile;
    if (member === null || typeof member !== 'object') return member;
    if (Array.isArray(member))
      return member.map((one, index) => (index === 0 && '-+ @~'.includes(one as string) ? one : spoil(one)));
    if (member instanceof Set) return new Set([...member].map(spoil));
    if (member instanceof Map) return new Map([...member].map(([key, one]) => [spoil(key), spoil(one)]));
    return Object.fromEntries(
      Object.entries(member).map(([key, one]) => [key, KEPT.has(key) && typeof one === 'string' ? one : spoil(one)]),
    );
  };
  return spoil(value) as T;
}
