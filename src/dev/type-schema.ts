import type { JsonSchema } from './action-schema.ts';

interface Token {
  readonly text: string;
  /** The doc comment right before it. */
  readonly doc?: string;
}

const TOKEN =
  /\/\*\*([\s\S]*?)\*\/|\/\/[^\n]*|\/\*[\s\S]*?\*\/|('(?:[^'\\]|\\.)*')|([A-Za-z_$][\w$]*|\d+)|([{}()[\]<>|&;:,?=])|\s+|./g;
const PRIMITIVES: Record<string, JsonSchema> = {
  string: { type: 'string' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  null: { type: 'null' },
  unknown: {},
  Json: {},
};

/**
 * Turns exported types of TypeScript sources into JSON Schema definitions: the named ones and all they refer to. It knows
 * what types of plain data are made of (objects, unions, literals, arrays, tuples, index signatures), and says so when it meets more.
 */
export function typeDefinitions(sources: readonly string[], names: readonly string[]): Record<string, JsonSchema> {
  const definitions: Record<string, JsonSchema> = {};
  const wanted = [...names];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (name in definitions) continue;
    const source = sources.find((text) => new RegExp(`^export (interface|type) ${name}\\b`, 'm').test(text));
    if (source === undefined) throw new Error(`there is no exported type ${name}`);
    const reader = new TypeReader(source, name);
    definitions[name] = reader.read();
    wanted.push(...reader.references);
  }
  return Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
}

class TypeReader {
  readonly references = new Set<string>();
  readonly #tokens: Token[];
  #at = 0;

  constructor(source: string, name: string) {
    const start = new RegExp(`^export (interface|type) ${name}\\b`, 'm').exec(source)?.index ?? 0;
    this.#tokens = tokenize(source.slice(start));
  }

  read(): JsonSchema {
    this.#at = 3;
    this.#take('=');
    return this.#union();
  }

  #union(): JsonSchema {
    this.#take('|');
    const members = [this.#intersection()];
    while (this.#take('|')) members.push(this.#intersection());
    if (members.length === 1) return members[0] ?? {};
    if (members.every((member) => 'const' in member)) return { enum: members.map((member) => member.const) };
    return { anyOf: members };
  }

  #intersection(): JsonSchema {
    this.#take('&');
    const members = [this.#array()];
    while (this.#take('&')) members.push(this.#array());
    return members.length === 1 ? (members[0] ?? {}) : { allOf: members };
  }

  #array(): JsonSchema {
    let schema = this.#single();
    while (this.#peek() === '[' && this.#tokens[this.#at + 1]?.text === ']') {
      this.#at += 2;
      schema = { type: 'array', items: schema };
    }
    return schema;
  }

  #single(): JsonSchema {
    const { text } = this.#next();
    if (text === 'readonly') return this.#array();
    if (text === '(') {
      const inner = this.#union();
      this.#expect(')');
      return inner;
    }
    if (text === '{') return this.#object();
    if (text === '[') return this.#tuple();
    if (text.startsWith("'")) return { const: text.slice(1, -1) };
    if (/^\d+$/.test(text)) return { const: Number(text) };
    if (text in PRIMITIVES) return PRIMITIVES[text] ?? {};
    if (!/^[A-Z]\w*$/.test(text) || this.#peek() === '<') throw new Error(`a schema cannot be made of the type at "${text}"`);
    this.references.add(text);
    return { $ref: `#/definitions/${text}` };
  }

  #object(): JsonSchema {
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    let others: JsonSchema | undefined;
    while (!this.#take('}')) {
      const doc = this.#tokens[this.#at]?.doc;
      this.#take('readonly');
      if (this.#take('[')) {
        while (!this.#take(']')) this.#next();
        this.#expect(':');
        others = this.#union();
      } else {
        const name = this.#next().text;
        if (!this.#take('?')) required.push(name);
        this.#expect(':');
        const schema = this.#union();
        properties[name] = doc ? { description: doc, ...schema } : schema;
      }
      this.#take(';');
    }
    return {
      type: 'object',
      ...(required.length > 0 ? { required } : {}),
      ...(others ? { additionalProperties: others } : { properties }),
    };
  }

  #tuple(): JsonSchema {
    const items: JsonSchema[] = [];
    while (!this.#take(']')) {
      // The name of a member says nothing to a schema.
      if (this.#tokens[this.#at + 1]?.text === ':') this.#at += 2;
      items.push(this.#union());
      this.#take(',');
    }
    return { type: 'array', items, minItems: items.length, maxItems: items.length };
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]?.text;
  }

  #next(): Token {
    const token = this.#tokens[this.#at];
    if (!token) throw new Error('the type ends too early');
    this.#at += 1;
    return token;
  }

  #take(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new Error(`expected ${text} and found ${this.#peek()}`);
  }
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let doc: string | undefined;
  for (const [whole, comment, text, word, mark] of source.matchAll(TOKEN)) {
    if (comment !== undefined) doc = comment.replaceAll(/\s*\n\s*\*?\s*/g, ' ').trim();
    const token = text ?? word ?? mark;
    if (token === undefined) continue;
    tokens.push({ text: whole, ...(doc ? { doc } : {}) });
    doc = undefined;
  }
  return tokens;
}
