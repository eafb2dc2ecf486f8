import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument as parseYaml,
  type YAMLError,
} from 'yaml';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding, type Place } from '../errors/finding.ts';
import { formatBytes } from '../lib/bytes.ts';
import type { Json } from '../lib/json.ts';
import { positionOf, SourceDocument } from './document.ts';
import { explainSyntax } from './explain-syntax.ts';

/** 3.9 MB of YAML cost 764 MB of memory, so the size is refused before anything is parsed. */
const MAX_BYTES = 1_000_000;
const MAX_ALIASES = 100;
const MAX_DEPTH = 100;
/** Nesting that would take all of the stack before a position is known. */
const DEEP = /(?:[[{]\s*(?:\w+:\s*)?){300}|(?:- ){300}/;

/** Tags of Ansible; what they mark is read as plain text. */
const ANSIBLE_TAGS = ['!vault', '!vault-encrypted', '!unsafe'].map((tag) => ({ tag, resolve: (text: string) => text }));

/**
 * Reads one YAML file into a document with positions, or says everything that is wrong with its bytes and its syntax.
 * A byte order mark and CRLF line ends are accepted. In a file written for Ansible, merge keys, double keys, its tags and
 * numbers of any size pass, as they do there.
 */
export function parseDocument(
  file: string,
  content: string | Uint8Array,
  dialect: 'ferry' | 'ansible' = 'ferry',
): { document: SourceDocument } | { diagnostics: Diagnostic[] } {
  const size = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
  if (size > MAX_BYTES)
    return refuse(finding('FILE_TOO_LARGE', { file, size: formatBytes(size), limit: formatBytes(MAX_BYTES) }, start(file)));
  const decoded = decode(content);
  if ('badLine' in decoded)
    return refuse(
      finding(
        'FILE_ENCODING_INVALID',
        { file, encoding: decoded.encoding },
        { at: { file, line: decoded.badLine, column: 1 }, length: 1 },
      ),
    );
  const text = decoded.text;
  if (DEEP.test(text)) return refuse(finding('YAML_NESTING_DEEP', { limit: MAX_DEPTH }, deepPlace(file, text)));
  const lines = new LineCounter();
  const yaml = parseYaml(text, {
    lineCounter: lines,
    prettyErrors: false,
    version: '1.2',
    logLevel: 'error',
    ...(dialect === 'ansible' ? { merge: true, uniqueKeys: false, customTags: ANSIBLE_TAGS } : {}),
  }) as Document<ParsedNode>;
  const syntax = syntaxFindings(file, text, lines, [...yaml.errors, ...yaml.warnings]);
  if (syntax.length > 0) return { diagnostics: syntax };
  // Under %YAML 1.1 "yes" is true and 010 is eight; a runbook means one thing only.
  if (yaml.directives?.yaml.version !== '1.2') return refuse(finding('YAML_VERSION_OLD', {}, start(file)));
  if (yaml.contents === null || (isScalar(yaml.contents) && yaml.contents.value === null && yaml.contents.source === ''))
    return refuse(finding('FILE_EMPTY', { file }, start(file)));
  const structure = structureFindings(file, text, lines, yaml, dialect);
  if (structure.length > 0) return { diagnostics: structure };
  try {
    const value = yaml.toJS({ maxAliasCount: MAX_ALIASES }) as Json;
    return { document: new SourceDocument({ file, text, value, yaml, lines }) };
  } catch {
    // What is left to go wrong after the checks above is the count of aliases.
    return refuse(finding('ALIAS_EXCESSIVE', {}, firstAlias(file, text, lines)));
  }
}

function refuse(diagnostic: Diagnostic): { diagnostics: Diagnostic[] } {
  return { diagnostics: [diagnostic] };
}

function deepPlace(file: string, text: string): Place {
  const before = text.slice(0, DEEP.exec(text)?.index ?? 0).split('\n');
  return { at: { file, line: before.length, column: (before.at(-1) ?? '').length + 1 }, length: 1 };
}

function start(file: string): Place {
  return { at: { file, line: 1, column: 1 }, length: 1 };
}

function decode(content: string | Uint8Array): { text: string } | { badLine: number; encoding: string } {
  if (typeof content === 'string') return { text: content.startsWith('\uFEFF') ? content.slice(1) : content };
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return { text: decoder.decode(content) };
  } catch {
    const [first, second] = content;
    const encoding = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) ? 'UTF-16' : 'LATIN1';
    // Line by line, to say where: a line feed byte is never part of another character in UTF-8.
    let line = 1;
    for (let from = 0; from <= content.length; line += 1) {
      const feed = content.indexOf(10, from);
      const to = feed === -1 ? content.length : feed;
      try {
        decoder.decode(content.subarray(from, to));
      } catch {
        return { badLine: line, encoding };
      }
      from = to + 1;
    }
    return { badLine: 1, encoding };
  }
}

function syntaxFindings(file: string, text: string, lines: LineCounter, errors: readonly YAMLError[]): Diagnostic[] {
  const findings: Diagnostic[] = [];
  let broken = false;
  for (const error of errors) {
    const [from, to] = error.pos;
    const place: Place = {
      at: positionOf(file, lines, from),
      length: Math.max(1, (text.slice(from, to).split('\n', 1)[0] ?? '').length),
    };
    if (error.code === 'DUPLICATE_KEY') {
      const key = (/^("[^"\n]*"|'[^'\n]*'|[^:\n]*)/.exec(text.slice(from))?.[0] ?? '').trim().replaceAll(/^["']|["']$/g, '');
      findings.push(
        finding('KEY_DUPLICATE', { key, line: firstLineOfKey(text, key, place) }, { ...place, length: Math.max(1, key.length) }),
      );
    } else if (error.code === 'TAG_RESOLVE_FAILED') {
      findings.push(finding('YAML_TAG_UNKNOWN', { tag: text.slice(from, to) }, place));
    } else if (error.code === 'MULTIPLE_DOCS') {
      findings.push(finding('YAML_DOCUMENT_SECOND', { file }, { ...place, length: 3 }));
    } else if (error.code === 'TAB_AS_INDENT') {
      // A file indented with tabs has one in every line; the first says it.
      if (!broken) findings.push(finding('YAML_TAB_FOUND', {}, { ...place, length: 1 }));
      broken = true;
    } else if (!broken) {
      // One syntax error mostly causes those that follow it.
      findings.push(explainSyntax(text, error, place, (offset) => positionOf(file, lines, offset)));
      broken = true;
    }
  }
  return findings;
}

function firstLineOfKey(text: string, key: string, second: Place): number {
  const indent = ' '.repeat(second.at.column - 1);
  const before = text.split('\n').slice(0, second.at.line - 1);
  for (let index = before.length - 1; index >= 0; index -= 1) {
    const line = (before[index] ?? '').replace(/^(\s*)- /, '$1  ');
    if (line.startsWith(`${indent}${key}:`) || line.startsWith(`${indent}"${key}":`) || line.startsWith(`${indent}'${key}':`))
      return index + 1;
  }
  return second.at.line;
}

function structureFindings(
  file: string,
  text: string,
  lines: LineCounter,
  yaml: Document<ParsedNode>,
  dialect: 'ferry' | 'ansible',
): Diagnostic[] {
  const findings: Diagnostic[] = [];
  const placeOf = (node: Node): Place => {
    const [from, to] = node.range ?? [0, 0];
    return { at: positionOf(file, lines, from), length: Math.max(1, (text.slice(from, to).split('\n', 1)[0] ?? '').length) };
  };
  const walk = (node: Node | null | undefined, parents: readonly Node[]): void => {
    if (node && parents.length > MAX_DEPTH) {
      if (findings.length === 0) findings.push(finding('YAML_NESTING_DEEP', { limit: MAX_DEPTH }, placeOf(node)));
    } else if (isAlias(node)) {
      const target = node.resolve(yaml);
      if (!target) findings.push(finding('ALIAS_UNKNOWN', { name: node.source }, placeOf(node)));
      else if (parents.includes(target as Node)) findings.push(finding('ALIAS_RECURSIVE', { name: node.source }, placeOf(node)));
    } else if (isScalar(node) && typeof node.value === 'number' && dialect === 'ferry') {
      const written = text.slice(...((node.range?.slice(0, 2) ?? [0, 0]) as [number, number]));
      if (!Number.isFinite(node.value) || (Number.isInteger(node.value) && !Number.isSafeInteger(node.value))) {
        findings.push(finding('NUMBER_TOO_LARGE', { number: written }, placeOf(node)));
      }
    } else if (isSeq(node)) {
      for (const item of node.items) walk(item as Node, [...parents, node]);
    } else if (isMap(node)) {
      for (const pair of node.items) {
        const key = pair.key as Node;
        const merge = isScalar(key) && key.value === '<<';
        if (merge && dialect === 'ferry') findings.push(finding('YAML_MERGE_KEY_FOUND', {}, placeOf(key)));
        else if (!isScalar(key))
          findings.push(
            finding('KEY_NOT_TEXT', { key: isSeq(key) ? 'a list' : isMap(key) ? 'a map' : 'an alias' }, placeOf(key)),
          );
        walk(pair.value as Node | null, [...parents, node]);
      }
    }
  };
  walk(yaml.contents, []);
  return findings;
}

function firstAlias(file: string, text: string, lines: LineCounter): Place {
  const found = /(?<=[\s[{,:-])\*[^\s,\]}]+/.exec(text);
  return found ? { at: positionOf(file, lines, found.index), length: found[0].length } : start(file);
}
