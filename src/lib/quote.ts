/** Quotes one value as one POSIX shell word. NUL cannot be in an argument of any program, so it is refused. */
export function quote(value: string | number): string {
  const text = String(value);
  if (text.includes('\0')) throw new TypeError('a shell word cannot hold a NUL character');
  if (/^[A-Za-z0-9_@%+:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
