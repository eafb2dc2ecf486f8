import type { ASTNode, ParseError } from '@marcbachmann/cel-js';
import { evaluating, ROLE_FIELDS } from './cel.ts';

/** One value an expression names. `path` is what follows, as far as it is written out: it narrows which value is meant. */
export type Reference = { readonly path: readonly string[]; readonly start: number; readonly end: number } & (
  | { readonly kind: 'input'; readonly name: string }
  /** Of a step on many hosts `output` is the name of a host, and `path` begins with that of the output. */
  | { readonly kind: 'output'; readonly step: string; readonly output: string }
  /** One output of a step on many hosts: on the host at hand, `steps.stop.outputs[host.name].stopped`, or on one an expression tells. */
  | { readonly kind: 'output-by-host'; readonly step: string; readonly output: string; readonly isOwn: boolean }
  /** Of a role of many `field` is an index. */
  | { readonly kind: 'role'; readonly role: string; readonly field: string }
  /** The list of the hosts of a role of many. */
  | { readonly kind: 'hosts'; readonly role: string }
  /** The host at hand. */
  | { readonly kind: 'host'; readonly field: string }
);

/** A name that does not say which value is meant: `inputs` alone, `steps[x]`. */
export interface VagueName {
  readonly name: string;
  readonly form: string;
  readonly start: number;
  readonly end: number;
}

export interface Expression {
  readonly source: string;
  readonly references: readonly Reference[];
  readonly vague: readonly VagueName[];
  readonly ast: ASTNode;
  /** @throws the library's EvaluationError */
  run(context: { inputs: unknown; steps: unknown; roles: unknown; host?: unknown }): unknown;
}

/** Where and why an expression cannot be read. Offsets count from its first character. */
export interface SyntaxProblem {
  readonly why: string;
  readonly start: number;
  readonly end: number;
}

/** How a name must go on, by its root. */
export const FORMS = {
  inputs: 'inputs.name',
  steps: "steps['id'].outputs.name",
  roles: `roles.name.${ROLE_FIELDS.join('|')}`,
  host: `host.${ROLE_FIELDS.join('|')}`,
};
/** Calls on a list or map that name each member in turn: the name is theirs, whatever it means elsewhere. */
const NAMING = ['map', 'filter', 'all', 'exists', 'exists_one'];
const compiled = new Map<string, Expression | SyntaxProblem>();

/** Reads an expression once; the same text is not read twice in a process. */
export function compile(source: string): Expression | SyntaxProblem {
  let known = compiled.get(source);
  if (!known) {
    known = read(source);
    compiled.set(source, known);
  }
  return known;
}

/** Tells an expression from the reason why there is none. */
export function isExpression(result: Expression | SyntaxProblem): result is Expression {
  return 'references' in result;
}

function read(source: string): Expression | SyntaxProblem {
  try {
    const program = evaluating.parse(source);
    const references: Reference[] = [];
    const vague: VagueName[] = [];
    collect(program.ast, [], references, vague);
    return { source, references, vague, ast: program.ast, run: (context) => program(context) };
  } catch (thrown) {
    const problem = thrown as ParseError;
    const start = problem.range?.start ?? 0;
    return { why: lowerFirst(problem.summary ?? problem.message), start, end: Math.max(problem.range?.end ?? start, start + 1) };
  }
}

/** The library begins its messages with a capital; ours go on after a colon. */
export function lowerFirst(text: string): string {
  return text.replace(/^Unexpected token: EOF$/, 'it ends too early').replace(/^[A-Z](?![A-Z])/, (first) => first.toLowerCase());
}

function collect(node: unknown, own: readonly string[], references: Reference[], vague: VagueName[]): void {
  if (Array.isArray(node)) {
    for (const member of node) collect(member, own, references, vague);
    return;
  }
  if (!isNode(node)) return;
  if (node.op === 'rcall' && NAMING.includes(node.args[0]) && node.args[2][0]?.op === 'id') {
    collect(node.args[1], own, references, vague);
    collect(node.args[2].slice(1), [...own, node.args[2][0].args], references, vague);
    return;
  }
  const byHost = outputByHost(node);
  if (byHost) {
    const { index, range, ...reference } = byHost;
    const at = own.includes('host') ? null : chainOf(index);
    const isOwn = at?.root === 'host' && at.keys.join() === 'name';
    references.push({ kind: 'output-by-host', isOwn, ...reference, ...range });
    collect(index, own, references, vague);
    return;
  }
  const chain = chainOf(node);
  if (chain && own.includes(chain.root)) return;
  if (chain && Object.hasOwn(FORMS, chain.root)) {
    const { start, end } = node.range;
    const reference = referenceOf(chain.root, chain.keys);
    if (reference) references.push({ ...reference, start, end });
    else vague.push({ name: chain.root, form: FORMS[chain.root as keyof typeof FORMS], start, end });
    return;
  }
  collect(node.args, own, references, vague);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'range' in value;
}

/** A name followed by members that are all written out: `a.b['c'][0]`. */
function chainOf(node: ASTNode): { root: string; keys: string[] } | null {
  if (node.op === 'id') return { root: node.args, keys: [] };
  if (node.op === '.') {
    const inner = chainOf(node.args[0]);
    return inner && { root: inner.root, keys: [...inner.keys, node.args[1]] };
  }
  if (node.op === '[]' && node.args[1].op === 'value' && ['string', 'bigint'].includes(typeof node.args[1].args)) {
    const inner = chainOf(node.args[0]);
    return inner && { root: inner.root, keys: [...inner.keys, String(node.args[1].args)] };
  }
  return null;
}

/** `steps.ID.outputs[EXPRESSION].NAME`, with where its first three words stand. */
function outputByHost(
  node: ASTNode,
  path: readonly string[] = [],
): { step: string; output: string; path: readonly string[]; index: ASTNode; range: { start: number; end: number } } | null {
  if (node.op === '.') return outputByHost(node.args[0], [node.args[1], ...path]);
  if (node.op !== '[]') return null;
  const [of, index] = node.args;
  if (index.op === 'value') return outputByHost(of, [String(index.args), ...path]);
  const chain = chainOf(of);
  const [step, word, ...more] = chain?.root === 'steps' ? chain.keys : [];
  const [output, ...rest] = path;
  if (step === undefined || word !== 'outputs' || more.length > 0 || output === undefined) return null;
  return { step, output, path: rest, index, range: { start: of.range.start, end: of.range.end } };
}

type BareReference = Reference extends infer R ? (R extends unknown ? Omit<R, 'start' | 'end'> : never) : never;

function referenceOf(root: string, keys: readonly string[]): BareReference | null {
  const [first, second, third] = keys;
  if (first === undefined) return null;
  if (root === 'inputs') return { kind: 'input', name: first, path: keys.slice(1) };
  if (root === 'host') return { kind: 'host', field: first, path: keys.slice(1) };
  if (root === 'roles')
    return second === undefined
      ? { kind: 'hosts', role: first, path: [] }
      : { kind: 'role', role: first, field: second, path: keys.slice(2) };
  return second === 'outputs' && third !== undefined ? { kind: 'output', step: first, output: third, path: keys.slice(3) } : null;
}
