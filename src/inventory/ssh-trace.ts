import type { Place } from '../errors/finding.ts';
import type { SourceText } from './inventory.ts';

/**
 * Finds the line of a directive that ssh applied, from the trace of `ssh -vvv -G`: the files it read, in order, and the Host and
 * Match lines it found to apply. It serves messages only; a trace of another form gives undefined.
 */
export async function findDirective(
  trace: string,
  directive: string,
  read: (path: string) => Promise<SourceText | undefined>,
): Promise<{ readonly place: Place; readonly source: SourceText } | undefined> {
  const files: string[] = [];
  const applied = new Set<string>();
  const ignored = new Set<string>();
  let match: string | undefined;
  for (const line of trace.split('\n')) {
    // What an Include in a block that does not apply names is read, but sets nothing.
    const [, idle] = /^debug3: .+ line \d+: Including file (.+) depth \d+ \(parse only\)/.exec(line) ?? [];
    if (idle) ignored.add(idle);
    const [, file] = /^debug1: Reading configuration data (.+?)\r?$/.exec(line) ?? [];
    const [, block] = /^debug1: (.+ line \d+): Applying options for /.exec(line) ?? [];
    const [, tried] = /^debug3: (.+ line \d+): (?:not )?matched '/.exec(line) ?? [];
    if (file && !files.includes(file) && !ignored.delete(file)) files.push(file);
    if (block) applied.add(block);
    if (tried) match = tried;
    if (/^debug2: match found/.test(line) && match) applied.add(match);
  }
  for (const file of files) {
    const source = await read(file);
    const place = source && lineOf(source, directive.toLowerCase(), applied);
    if (source && place) return { place, source };
  }
  return undefined;
}

function lineOf({ path, text }: SourceText, directive: string, applied: ReadonlySet<string>): Place | undefined {
  let applies = true;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const keyword = /^\s*([A-Za-z][A-Za-z0-9]*)/.exec(line)?.[1]?.toLowerCase();
    if (keyword === 'host' || keyword === 'match')
      applies = applied.has(`${path} line ${index + 1}`) || /^\s*match[\s=]+all\s*$/i.test(line);
    else if (keyword === directive && applies)
      return { at: { file: path, line: index + 1, column: line.search(/\S/) + 1 }, length: line.trim().length };
  }
  return undefined;
}
