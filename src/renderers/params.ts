/** A JSON Schema of params, or of one of them. */
export interface ParamSchema {
  readonly [keyword: string]: unknown;
}

export interface ParamRow {
  /** `timeout`; a field of a map is `from.host`, one of the maps in a list `rules[].role`. */
  readonly name: string;
  /** `list of systemd units` */
  readonly type: string;
  readonly required: boolean;
  /** As it would be written in YAML; undefined when there is none. */
  readonly preset: string | undefined;
  readonly description: string;
}

// The kinds of text that actions/params.ts knows, one and many.
const TEXTS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  duration: ['duration such as 30s or 5m', 'durations'],
  unit: ['systemd unit', 'systemd units'],
  path: ['absolute path', 'absolute paths'],
  role: ['role of the runbook', 'roles of the runbook'],
  secret: ['text, may be a secret', 'texts'],
  mode: ['octal digits such as "0600"', 'modes'],
  address: ['host name or address', 'host names or addresses'],
};
const TYPES: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ['text', 'texts'],
  integer: ['whole number', 'whole numbers'],
  number: ['number', 'numbers'],
  boolean: ['true or false', 'true or false'],
  object: ['map', 'maps'],
};

/** Every param with the fields of maps below it, in the order of the schema. */
export function paramRows(schema: ParamSchema, prefix = ''): ParamRow[] {
  const required = new Set((schema.required ?? []) as string[]);
  return Object.entries((schema.properties ?? {}) as Record<string, ParamSchema>).flatMap(([key, param]) => {
    const name = `${prefix}${key}`;
    const inner = alternatives(param).find((one) => one.properties || (one.items as ParamSchema | undefined)?.properties);
    const row: ParamRow = {
      name,
      type: typeInWords(param),
      required: required.has(key),
      preset: 'default' in param ? JSON.stringify(param.default) : undefined,
      description: String(param.description ?? ''),
    };
    if (!inner) return [row];
    return [row, ...(inner.properties ? paramRows(inner, `${name}.`) : paramRows(inner.items as ParamSchema, `${name}[].`))];
  });
}

/** The type of a param in a few words. That any param may be an expression instead is not repeated with each. */
export function typeInWords(schema: ParamSchema, many = false): string {
  const branches = alternatives(schema);
  if (branches.length > 1) return [...new Set(branches.map((one) => typeInWords(one, many)))].join(' or ');
  const only = branches[0] ?? schema;
  if (only !== schema) return typeInWords(only, many);
  const number = many ? 1 : 0;
  if (typeof schema.ferry === 'string' && TEXTS[schema.ferry]) return TEXTS[schema.ferry]?.[number] ?? '';
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.type === 'array') return `${many ? 'lists' : 'list'} of ${typeInWords((schema.items ?? {}) as ParamSchema, true)}`;
  const values = schema.additionalProperties;
  if (schema.type === 'object' && !schema.properties && typeof values === 'object' && values !== null)
    return `${many ? 'maps' : 'map'} of ${typeInWords(values as ParamSchema, true)}`;
  return TYPES[String(schema.type)]?.[number] ?? (many ? 'values of any kind' : 'any value');
}

/** What a value may be: the members of a union, or the schema itself. The member that allows an expression is left out. */
function alternatives(schema: ParamSchema): ParamSchema[] {
  const members = (schema.anyOf ?? schema.oneOf) as ParamSchema[] | undefined;
  if (!members) return [schema];
  return members.filter((member) => !String(member.$ref ?? '').includes('expression'));
}
