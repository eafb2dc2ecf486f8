import type { ASTNode, ParseError } from '@marcbachmann/cel-js';
import { evaluating, ROLE_FIELDS } from './cel.ts';

/** One value an expression names. `path` is what follows, as far as it is written out: it narrows which value is meant. */
export type Reference = { readonly path: readonly string[]; readonly start: number; readonly end: number } & (
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'output'; readonly step: string; readonly output: string }
  | { readonly kind: 'role'; readonly role: string; readonly field: string }
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
  run(context: { inputs: unknown; steps: unknown; roles: unknown }): unknown;
}

/** Where and why an expression cannot be read. Offsets count from its first character. */
export interface SyntaxProblem {
  readonly why: string;
  readonly start: number;
  readonly end: number;
}

const FORMS: Record<string, string> = {
  inputs: 'inputs.name',
  steps: "steps['id'].outputs.name",
  roles: `roles.name.${ROLE_FIELDS.join('|')}`,
};
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
    collect(program.ast, references, vague);
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

function collect(node: unknown, references: Reference[], vague: VagueName[]): void {
  if (Array.isArray(node)) {
    for (const member of node) collect(member, references, vague);
    return;
  }
  if (!isNode(node)) return;
  const chain = chainOf(node);
  if (chain && Object.hasOwn(FORMS, chain.root)) {
    const { start, end } = node.range;
    const reference = referenceOf(chain.root, chain.keys);
    if (reference) references.push({ ...reference, start, end });
    else vague.push({ name: chain.root, form: FORMS[chain.root] ?? '', start, end });
    return;
  }
  collect(node.args, references, vague);
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

type BareReference = Reference extends infer R ? (R extends unknown ? Omit<R, 'start' | 'end'> : never) : never;

function referenceOf(root: string, keys: readonly string[]): BareReference | null {
  const [first, second, third] = keys;
  if (first === undefined) return null;
  if (root === 'inputs') return { kind: 'input', name: first, path: keys.slice(1) };
  if (root === 'roles') return second === undefined ? null : { kind: 'role', role: first, field: second, path: keys.slice(2) };
  return second === 'outputs' && third !== undefined ? { kind: 'output', step: first, output: third, path: keys.slice(3) } : null;
}
