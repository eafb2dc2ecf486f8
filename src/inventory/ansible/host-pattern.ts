const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const MOST = 10_000;

/** The hosts that `db[01:03].example.com:2222` stands for, and their port; a text says what is wrong with it. */
export function expandHostPattern(pattern: string): { readonly names: string[]; readonly port: number | null } | string {
  const address = /^\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\](?::(\d+))?$/.exec(pattern);
  // One or two colons between brackets are a range, as in [1:3]; an IPv6 address has two side by side, or more.
  if (address?.[1] && (address[1].includes('::') || address[1].split(':').length > 3))
    return { names: [address[1]], port: address[2] ? Number(address[2]) : null };
  const outside = pattern.replaceAll(/\[[^\]]*\]/g, '');
  const [, name = pattern, port] = outside.split(':').length === 2 ? (/^(.*):(\d+)$/.exec(pattern) ?? []) : [];
  const names = expandRanges(name);
  return typeof names === 'string' ? names : { names, port: port ? Number(port) : null };
}

function expandRanges(pattern: string): string[] | string {
  const [whole, before = '', range = '', after = ''] = /^([^[]*)\[([^\]]*)\](.*)$/.exec(pattern) ?? [];
  if (whole === undefined) return /[[\]]/.test(pattern) ? `"${pattern}" has a bracket too few` : [pattern];
  const members = expandRange(range);
  if (typeof members === 'string') return members;
  const rest = expandRanges(after);
  if (typeof rest === 'string') return rest;
  if (members.length * rest.length > MOST) return `"${pattern}" stands for more than ${MOST} hosts`;
  return members.flatMap((member) => rest.map((tail) => `${before}${member}${tail}`));
}

function expandRange(range: string): string[] | string {
  const [, from = '', to = '', by = '1'] = /^([0-9]*|[A-Za-z]):([0-9]+|[A-Za-z])(?::([0-9]+))?$/.exec(range) ?? [];
  const letters = /[A-Za-z]/.test(to);
  const position = (text: string) => (letters ? LETTERS.indexOf(text) : Number(text || 0));
  const [first, last, step] = [position(from), position(to), Number(by)];
  if (to === '' || step < 1 || first < 0 || letters !== /[A-Za-z]/.test(from))
    return `"[${range}]" is no range such as [1:3] or [a:c]`;
  if (first > last) return `"[${range}]" ends before it begins`;
  if ((last - first) / step > MOST) return `"[${range}]" stands for more than ${MOST} hosts`;
  const padded = from.startsWith('0') && from.length > 1;
  if (padded && from.length !== to.length) return `the ends of "[${range}]" differ in length`;
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => {
    const number = first + index * step;
    return letters ? (LETTERS[number] ?? '') : String(number).padStart(padded ? from.length : 0, '0');
  });
}
