import type { ASTNode } from '@marcbachmann/cel-js';
import { compile, type Expression, isExpression, type Reference } from '../expression.ts';
import type { Model } from '../model.ts';
import type { Condition, InputSpec, Scope, Step } from '../runbook.ts';
import { symbolic } from './symbols.ts';

/** Expressions of nothing but these can be judged by trying the values they compare with, and one beside each. */
const JUDGED = ['&&', '||', '!_', '-_', '==', '!=', '<', '<=', '>', '>=', '?:', 'in'];
const COMPARED = ['==', '!=', '<', '<=', '>', '>='];
const MAX_TRIES = 4096;

type Value = string | bigint | number | boolean | null;
interface Variable {
  readonly key: string;
  readonly reference: Reference;
  readonly values: readonly Value[];
}
interface Judged {
  readonly expression: Expression;
  readonly variables: readonly Variable[];
}

/** The value a condition has whatever the inputs of its file are; null when it can be both, or nobody can tell. */
export function constantValue(source: string, model: Model): boolean | null {
  const judged = judge(source, model.inputs, (reference) => ({ key: source.slice(reference.start, reference.end) }));
  const found = judged && outcomes([judged]);
  return found?.size === 1 ? [...found][0] === true : null;
}

/** Whether two steps may both be done in one run. False only when their conditions certainly exclude each other. */
export function mayBothRun(a: Step, b: Step): boolean {
  const conditions = [...(a.when ?? []), ...(b.when ?? [])];
  const judged = conditions.map(judgeInRun);
  if (judged.every((one) => one !== null)) return conditions.length === 0 || outcomes(judged as Judged[])?.has(true) !== false;
  // Of conditions nobody can judge, different ones may exclude each other.
  const texts = (step: Step) => (step.when ?? []).map(({ source, at }) => `${source} ${at.file}`).join('\n');
  return !a.when || !b.when || texts(a) === texts(b);
}

function judgeInRun({ source, scope }: Condition): Judged | null {
  const inputs = [...scope.inputs.values()].map(({ spec }) => spec);
  return judge(source, inputs, (reference) => inRun(source.slice(reference.start, reference.end), reference, scope));
}

/** A name as the whole runbook knows it: two files may mean one input, and an include may have given it its value. */
function inRun(text: string, { kind }: Reference, scope: Scope): { key: string; given?: Value } {
  const value = symbolic({ kind: 'expression', source: text, at: { file: '', line: 1, column: 1 } }, scope);
  if (kind === 'input' && !(typeof value === 'string' && value.includes('${{'))) {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return { key: text, given: value };
    if (typeof value === 'number') return { key: text, given: Number.isSafeInteger(value) ? BigInt(value) : value };
  }
  return { key: String(value) };
}

function judge(
  source: string,
  inputs: readonly InputSpec[],
  name: (reference: Reference) => { key: string; given?: Value },
): Judged | null {
  const expression = compile(source);
  if (!isExpression(expression)) return null;
  const literals: Value[] = [];
  if (!isJudged(expression.ast, literals)) return null;
  const variables = expression.references.map((reference): Variable => {
    const { key, given } = name(reference);
    const spec = reference.kind === 'input' ? inputs.find((one) => one.name === reference.name) : undefined;
    return { key, reference, values: given === undefined ? valuesFor(spec, literals) : [given] };
  });
  const isOpen = ({ kind, path }: Reference) => path.length > 0 || ['hosts', 'host', 'output-by-host'].includes(kind);
  return expression.references.some(isOpen) ? null : { expression, variables };
}

function isJudged(node: ASTNode, literals: Value[]): boolean {
  const { op } = node;
  const args = (Array.isArray(node.args) ? node.args : [node.args]) as ASTNode[];
  if (op === 'value') return literals.push(node.args as Value) > 0;
  if (op === '.' || op === '[]' || op === 'id') return true;
  if (op === 'in' && args[1]?.op !== 'list') return false;
  if (op === 'list') return args.every((item) => item.op === 'value' && isJudged(item, literals));
  if (COMPARED.includes(op) && args.some((side) => side.op === 'list')) return false;
  return JUDGED.includes(op) && args.every((part) => isJudged(part, literals));
}

/** Values worth trying: what the expression compares with, something just below and above it, and something else altogether. */
function valuesFor(spec: InputSpec | undefined, literals: readonly Value[]): Value[] {
  const texts = literals.filter((one) => typeof one === 'string').flatMap((text) => [text, `${text}\uffff`]);
  const numbers = literals.flatMap((one) => (typeof one === 'bigint' ? [one - 1n, one, one + 1n, -one] : []));
  const byType: Record<string, Value[]> = {
    boolean: [true, false],
    integer: [...numbers, 0n, 1n, -(2n ** 52n), 2n ** 52n],
    text: [...texts, '', 'another'],
  };
  const typed = spec ? (byType[spec.type] ?? byType.text ?? []) : [...Object.values(byType).flat(), ...literals, null];
  return [...new Set(spec?.optional ? [...typed, null] : typed)];
}

/** What all of several conditions together can come to, over all values; null when there are too many to try. */
function outcomes(judged: readonly Judged[]): ReadonlySet<boolean> | null {
  const pools = new Map<string, Value[]>();
  for (const { key, values } of judged.flatMap(({ variables }) => variables)) {
    const known = pools.get(key);
    pools.set(key, [...new Set([...(known ?? []), ...values])]);
  }
  const keys = [...pools.keys()];
  if (keys.reduce((product, key) => product * (pools.get(key)?.length ?? 1), 1) > MAX_TRIES) return null;
  const found = new Set<boolean>();
  const chosen = new Map<string, Value>();
  const choose = (index: number): void => {
    const key = keys[index];
    if (key === undefined) {
      const results = judged.map((one) => resultOf(one, chosen));
      if (results.every((result) => typeof result === 'boolean')) found.add(results.every(Boolean));
      return;
    }
    for (const value of pools.get(key) ?? []) {
      chosen.set(key, value);
      choose(index + 1);
    }
  };
  choose(0);
  return found;
}

function resultOf({ expression, variables }: Judged, chosen: ReadonlyMap<string, Value>): unknown {
  const context = { inputs: {}, steps: {}, roles: {} } as Record<string, Record<string, unknown>>;
  for (const { key, reference } of variables) {
    const value = chosen.get(key);
    const { inputs = {}, steps = {}, roles = {} } = context;
    if (reference.kind === 'input') inputs[reference.name] = value;
    else if (reference.kind === 'role')
      roles[reference.role] = { ...(roles[reference.role] as object), [reference.field]: value };
    else if (reference.kind === 'output') {
      const before = (steps[reference.step] as { outputs: object } | undefined)?.outputs;
      steps[reference.step] = { outputs: { ...before, [reference.output]: value } };
    }
  }
  try {
    return expression.run(context as never);
  } catch {
    // Values whose types do not fit: such a run ends with an error, so they say nothing.
    return undefined;
  }
}
