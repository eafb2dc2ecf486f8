import type { YAMLError } from 'yaml';
import type { Diagnostic, Position } from '../errors/diagnostic.ts';
import { finding, type Place } from '../errors/finding.ts';

interface Cause {
  readonly why: string;
  readonly fix?: string;
  /** Where the mistake is, as an offset; where the parser noticed it unless given. */
  readonly from?: number;
  readonly length?: number;
}

/**
 * What a syntax error of the parser means to the person who made it. The parser tells where it gave up and in its own words;
 * the mistake is often before that: a quote or a bracket that nothing closes.
 */
export function explainSyntax(
  text: string,
  error: YAMLError,
  place: Place,
  positionOf: (offset: number) => Position,
): Diagnostic {
  const { why, fix = '', from, length } = causeOf(text, error);
  const where = from === undefined ? place : { at: positionOf(from), length: length ?? 1 };
  return finding('YAML_SYNTAX_WRONG', { why, fix }, where);
}

function causeOf(text: string, error: YAMLError): Cause {
  const start = text.lastIndexOf('\n', error.pos[0] - 1) + 1;
  const line = text.slice(start).split('\n', 1)[0] ?? '';
  const conflict = /^(<{7}|>{7}|={7}|\|{7})( .*)?$/m.exec(text);
  if (conflict)
    return {
      why: 'this is the mark of a merge conflict',
      fix: 'Keep one of the two versions, and take out the lines <<<<<<<, ======= and >>>>>>>.',
      from: conflict.index,
      length: conflict[0].length,
    };
  const expression = line.indexOf('${{');
  if (expression !== -1 && (line.slice(0, expression).match(/["']/g)?.length ?? 0) % 2 === 0)
    return {
      why: 'the value that begins here must be quoted',
      fix: 'Put a value that holds ${{ }} between double quotes: field: "${{ ... }}"',
      from: start + expression,
      length: 3,
    };
  const said = error.message.replace(/"quote$/, 'quote').replace(/^[A-Z]/, (first) => first.toLowerCase());
  if (said.includes('closing'))
    // It is noticed at the end of the file; it is missing where the text began.
    return { why: said, ...at(openQuote(text.slice(0, error.pos[0]))) };
  const bracket = /end with an? ([\]}])/.exec(said)?.[1];
  if (bracket) {
    const open = bracket === ']' ? '[' : '{';
    return { why: `this ${open} has no closing ${bracket}`, ...at(openBracket(text.slice(0, error.pos[0]), open)) };
  }
  if (/nested mappings are not allowed/.test(said)) {
    const value = /^\s*(?:- )?[\w-]+:\s+([^"'\s[{&*!|>#][^#]*?: .*)$/.exec(line)?.[1];
    return value === undefined
      ? {
          why: 'the line after it begins in another column than it should',
          fix: 'The fields of one map begin in the same column.',
        }
      : {
          why: 'a text with ": " in it is taken for a field',
          fix: `Put it between double quotes: ${JSON.stringify(value.trim())}`,
        };
  }
  if (/implicit keys need to be on a single line|implicit map keys need to be followed/.test(said))
    return {
      why: 'this is taken for the name of a field, and no ":" comes after it',
      fix: 'Write  name: value   , or quote a text of several lines.',
    };
  if (/reserved character|anchor cannot be an empty|block scalars? header|block scalar header/i.test(said))
    return {
      why: `a value cannot begin with ${text[error.pos[0]] ?? 'this'} unless it is quoted`,
      fix: 'Put it between double quotes.',
    };
  if (/unexpected scalar at node end/.test(said))
    return {
      why: 'there is more after the closing quote',
      fix: 'A quote inside \'...\' is written twice, one inside "..." as \\".',
    };
  if (/invalid escape sequence/.test(said))
    return { why: said, fix: 'Between double quotes a backslash begins an escape: write \\\\ or use single quotes.' };
  return { why: said };
}

function at(offset: number): Pick<Cause, 'from'> {
  return offset === -1 ? {} : { from: offset };
}

/** Texts in quotes and comments: what stands in them opens and closes nothing. */
const CLOSED = /(?<=^|[\s[{,:-])#[^\n]*|(?<=^|[\s[{,:(-])"(?:[^"\\]|\\[\s\S])*("|$)|(?<=^|[\s[{,:(-])'(?:[^']|'')*('|$)/g;

/** Where a quoted text begins that no quote ends; -1 when there is none. Quotes inside words and comments do not count. */
function openQuote(text: string): number {
  let open = -1;
  for (const found of text.matchAll(CLOSED)) if (!found[0].startsWith('#') && !found[1] && !found[2]) open = found.index;
  return open;
}

/** The last bracket of a kind that is still open at the end of a text; -1 when there is none. */
function openBracket(text: string, kind: string): number {
  const bare = text.replace(CLOSED, (found) => ' '.repeat(found.length)).replace(/\$\{\{|\}\}/g, '  ');
  const open: number[] = [];
  for (const { 0: bracket, index } of bare.matchAll(/[[\]{}]/g)) {
    if (bracket === '[' || bracket === '{') open.push(index);
    else if (bare[open.at(-1) ?? -1] === (bracket === ']' ? '[' : '{')) open.pop();
  }
  return open.findLast((offset) => bare[offset] === kind) ?? -1;
}
