import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  parseAllDocuments,
  type Scalar,
  stringify,
  type YAMLMap,
} from 'yaml';
import { type Json, sameJson } from '../../lib/json.ts';
import type { ConfFormat, ConfValue, ValueEdit } from './conf-format.ts';
import { formatYamlPath, parseYamlPath, type Segment } from './yaml-path.ts';

/**
 * YAML files, values by their path. A value is put in the place of the old one in the text itself, so comments, blank lines,
 * order and quotes of everything else stay; a path that is not there can be added to a map that is.
 */
export const yamlFormat: ConfFormat = {
  title: 'YAML',
  sign: ': ',
  line: /^[\s-]*(?<key>"[^"]*"|[^\s#:[\]{},"']+)\s*:\s+(?<value>.*?)\s*$/,
  wrongKey: (key) => (parseYamlPath(key) ? null : 'write a path such as datasources[0].url'),
  wrongValue: () => null,
  read(sources) {
    const values = new Map<string, ConfValue>();
    for (const { path, text } of sources) {
      const read = parse(text);
      if ('problem' in read) return { values, problem: { path, line: read.line, why: read.problem } };
      for (const [key, value] of leaves(read.json)) values.set(key, value);
    }
    return { values, problem: null };
  },
  set(text, wanted) {
    const edits: ValueEdit[] = [];
    let now = text;
    for (const [key, value] of wanted) {
      const read = parse(now);
      if ('problem' in read) return { refused: `line ${read.line} cannot be read: ${read.problem}` };
      const path = parseYamlPath(key) ?? [];
      const set = setOne(now, read.document, path, value);
      if ('refused' in set) return { refused: `${key}: ${set.refused}` };
      if (set.text === now) continue;
      const after = parse(set.text);
      // What an anchor, a tag or an odd layout makes of it, the reader alone knows for sure.
      if ('problem' in after || !sameJson(after.json, withValue(read.json, path, value)))
        return { refused: `${key}: it cannot be set without changing something else in the file` };
      edits.push({ key, before: set.before, after: set.after });
      now = set.text;
    }
    return { text: now, edits };
  },
};

type Parsed = { readonly document: Document.Parsed | null; readonly json: Json };

function parse(text: string): Parsed | { readonly problem: string; readonly line: number } {
  const documents = parseAllDocuments(text, { prettyErrors: true });
  const [document = null, second] = Array.isArray(documents) ? documents : [];
  if (second) return { problem: 'there is more than one document in it', line: 1 };
  const [error] = document?.errors ?? [];
  if (error) return { problem: error.message.split(' at line ')[0] ?? error.code, line: error.linePos?.[0].line ?? 1 };
  try {
    return { document, json: (document?.toJS({ maxAliasCount: 100 }) ?? null) as Json };
  } catch {
    return { problem: 'it has more aliases than can be followed', line: 1 };
  }
}

/** Every single value in a document by its path; what is null is not there. */
function leaves(json: Json, path: readonly Segment[] = []): [string, ConfValue][] {
  if (json === null) return [];
  if (Array.isArray(json)) return json.flatMap((member, index) => leaves(member, [...path, index]));
  if (typeof json === 'object') return Object.entries(json).flatMap(([key, member]) => leaves(member, [...path, key]));
  return path.length === 0 ? [] : [[formatYamlPath(path), json]];
}

/** The document's value as it should be with one member set. */
function withValue(json: Json, [first, ...rest]: readonly Segment[], value: ConfValue): Json {
  if (first === undefined) return value;
  if (Array.isArray(json)) return json.map((member, index) => (index === first ? withValue(member, rest, value) : member));
  const map = (json ?? {}) as { [key: string]: Json };
  return { ...map, [first]: withValue(map[first] ?? null, rest, value) };
}

type Edited = { text: string; before: string | undefined; after: string } | { refused: string };

function setOne(text: string, document: Document.Parsed | null, path: readonly Segment[], value: ConfValue): Edited {
  let node: unknown = document?.contents ?? null;
  if (node === null && path.length === 1) return added(text, text.length, path[0], value, 0);
  let inFlow = false;
  for (const [index, segment] of path.entries()) {
    const isLast = index === path.length - 1;
    inFlow ||= (isMap(node) || isSeq(node)) && node.flow === true;
    if (isAlias(node)) return { refused: `*${node.source} stands there; set it where &${node.source} is` };
    if (isSeq(node) && typeof segment === 'number') {
      if (node.items[segment] === undefined) return { refused: `the list has ${node.items.length}` };
      node = node.items[segment];
    } else if (isMap(node) && typeof segment === 'string') {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : key) === segment);
      if (!pair && isLast) return addedToMap(text, node, segment, value);
      if (!pair) return { refused: `there is no ${segment}` };
      node = pair.value;
    } else return { refused: `there is no ${typeof segment === 'number' ? `list, but [${segment}] is asked of it` : segment}` };
  }
  if (isAlias(node)) return { refused: `*${node.source} stands there; set it where &${node.source} is` };
  if (!isScalar(node) || !node.range) return { refused: 'a map or a list stands there' };
  const [start, end] = node.range;
  if (node.value === value) return { text, before: '', after: '' };
  const before = text.slice(start, end);
  const after = written(value, node, inFlow);
  const isBlock = before.endsWith('\n');
  // A value of nothing ends right behind the colon.
  const gap = before === '' && !/\s/.test(text[start - 1] ?? ' ') ? ' ' : '';
  return {
    text: `${text.slice(0, start)}${gap}${after}${isBlock ? '\n' : ''}${text.slice(end)}`,
    before: before === '' ? undefined : before.trim(),
    after,
  };
}

function addedToMap(text: string, map: YAMLMap, key: string, value: ConfValue): Edited {
  const last = map.items.at(-1);
  const first = map.items[0]?.key as Node | undefined;
  if (map.flow) {
    const at = last ? endOf((last.value ?? last.key) as Node) : (map.range?.[1] ?? 1) - 1;
    const after = written(value, null, true);
    return {
      text: `${text.slice(0, at)}${last ? ',' : ''} ${written(key, null, true)}: ${after}${last ? '' : ' '}${text.slice(at)}`,
      before: undefined,
      after,
    };
  }
  const start = first?.range?.[0] ?? 0;
  const end = last ? endOf((last.value ?? last.key) as Node) : 0;
  // A block value ends with its line; after any other a comment may follow in the line.
  const lineEnd = text.indexOf('\n', end);
  const at = text[end - 1] === '\n' ? end : lineEnd < 0 ? text.length : lineEnd + 1;
  return added(text, at, key, value, start - (text.lastIndexOf('\n', start - 1) + 1));
}

function added(text: string, at: number, key: Segment | undefined, value: ConfValue, indent: number): Edited {
  if (typeof key !== 'string') return { refused: 'there is no list' };
  const after = written(value, null, false);
  const lead = at > 0 && text[at - 1] !== '\n' ? '\n' : '';
  const line = `${lead}${' '.repeat(indent)}${written(key, null, false)}: ${after}\n`;
  return { text: text.slice(0, at) + line + text.slice(at), before: undefined, after };
}

/** Where the last value in a node ends, without comments behind it. */
function endOf(node: Node): number {
  if (isMap(node) && !node.flow) {
    const last = node.items.at(-1);
    return last ? endOf((last.value ?? last.key) as Node) : (node.range?.[1] ?? 0);
  }
  if (isSeq(node) && !node.flow) return node.items.length > 0 ? endOf(node.items.at(-1) as Node) : (node.range?.[1] ?? 0);
  return node.range?.[1] ?? 0;
}

/** A value as YAML, in one line and in the quotes of the old one; bare only where YAML 1.1 and 1.2 both read it as it is. */
function written(value: ConfValue, old: Scalar | null, inFlow: boolean): string {
  if (typeof value !== 'string') return String(value);
  if (old?.type === 'QUOTE_SINGLE' && /^[^\p{Cc}]*$/u.test(value)) return `'${value.replaceAll("'", "''")}'`;
  const isBare =
    old?.type !== 'QUOTE_DOUBLE' &&
    !/[\n\r]/.test(value) &&
    (!inFlow || /^[\w./:@-]*\w$/.test(value)) &&
    (['1.1', '1.2'] as const).every((version) => stringify(value, { lineWidth: 0, version }).trimEnd() === value);
  return isBare ? value : JSON.stringify(value);
}
