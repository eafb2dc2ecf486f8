import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type ParsedNode } from 'yaml';
import type { Position } from '../errors/diagnostic.ts';
import type { Place } from '../errors/finding.ts';
import type { Json } from '../lib/json.ts';

/** Where a value stands in a document: keys and indexes from the root. */
export type Path = readonly (string | number)[];

/** A YAML file that was read: its value as JSON, and for each part of the value its place in the text. */
export class SourceDocument {
  readonly file: string;
  readonly text: string;
  readonly value: Json;
  readonly #yaml: Document<ParsedNode>;
  readonly #lines: LineCounter;

  constructor(parts: { file: string; text: string; value: Json; yaml: Document<ParsedNode>; lines: LineCounter }) {
    this.file = parts.file;
    this.text = parts.text;
    this.value = parts.value;
    this.#yaml = parts.yaml;
    this.#lines = parts.lines;
  }

  /** The line and column of an offset into `text`. */
  position(offset: number): Position {
    return positionOf(this.file, this.#lines, offset);
  }

  /** The place of the value at `path`; of its nearest existing parent when there is none. */
  place(path: Path): Place {
    const { node, keys } = this.#find(path);
    // A map or list begins with its first member; the name before it is what a person looks for.
    if (path.length > 0 && (isMap(node) || isSeq(node)) && keys.at(-1)) return this.#cover(keys.at(-1) as Node);
    return this.#cover(node ?? this.#yaml.contents);
  }

  /** The place of the name of the field at `path`, or of the value where it is a list member. */
  keyPlace(path: Path): Place {
    const { node, keys } = this.#find(path);
    const last = path.at(-1);
    return this.#cover((typeof last === 'string' ? keys.at(-1) : undefined) ?? node ?? this.#yaml.contents);
  }

  /** The place where the map at `path` begins: its first field. */
  startPlace(path: Path): Place {
    const { node } = this.#find(path);
    const first = isMap(node) ? (node.items[0]?.key as Node | undefined) : undefined;
    return first ? this.#cover(first) : this.place(path);
  }

  /** The text of the scalar at `path` as it stands in the file, quotes included, and where it begins. */
  raw(path: Path): { text: string; offset: number } {
    const { node } = this.#find(path);
    const [start, end] = node?.range ?? [0, 0];
    return { text: this.text.slice(start, end), offset: start };
  }

  #find(path: Path): { node: Node | undefined; keys: (Node | undefined)[] } {
    let node: Node | undefined = this.#yaml.contents ?? undefined;
    const keys: (Node | undefined)[] = [];
    for (const member of path) {
      const container = this.#resolve(node);
      if (isMap(container)) {
        const pair = container.items.find((item) => isScalar(item.key) && String(item.key.value) === String(member));
        if (!pair) return { node, keys };
        keys.push(pair.key as Node);
        node = (pair.value ?? pair.key) as Node;
      } else if (isSeq(container)) {
        const item = container.items[Number(member)] as Node | undefined;
        if (!item) return { node, keys };
        keys.push(undefined);
        node = item;
      } else return { node, keys };
    }
    return { node: this.#resolve(node), keys };
  }

  #resolve(node: Node | undefined): Node | undefined {
    return isAlias(node) ? ((node as Alias).resolve(this.#yaml) as Node | undefined) : node;
  }

  #cover(node: Node | null | undefined): Place {
    const [start, end] = node?.range ?? [0, 0];
    const firstLine = this.text.slice(start, end).split(/\r?\n/, 1)[0] ?? '';
    return { at: this.position(start), length: Math.max(1, firstLine.trimEnd().length) };
  }
}

/** Line and column of an offset, both from 1. */
export function positionOf(file: string, lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(1, line), column: Math.max(1, col) };
}
