import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type OutputValue, unknown } from '../../src/actions/outputs.ts';
import { isFerryError } from '../../src/errors/ferry-error.ts';
import { Secret } from '../../src/hosts/secret.ts';
import type { Json } from '../../src/lib/json.ts';
import { type Evaluated, evaluate, evaluateWhen, type Names } from '../../src/runbook/evaluate.ts';
import { makeNames } from '../../src/runbook/names.ts';
import type { Condition, InputSpec, Scope, Template } from '../../src/runbook/runbook.ts';
import { splitText } from '../../src/runbook/template.ts';

const at = { file: 'x.yaml', line: 3, column: 5 };
const scope: Scope = { prefix: '', inputs: new Map(), roles: new Map([['db', 'new_db']]) };

function template(value: Json): Template {
  if (Array.isArray(value)) return { kind: 'list', at, items: value.map(template) };
  if (value !== null && typeof value === 'object')
    return { kind: 'map', at, entries: Object.entries(value).map(([key, member]) => [key, template(member)]) };
  const split = typeof value === 'string' ? splitText(value) : { parts: [] };
  if (!('parts' in split) || split.parts.every((part) => typeof part === 'string')) return { kind: 'literal', value, at };
  const parts = split.parts.map((part) => (typeof part === 'string' ? part : { source: part.source, at }));
  const [only] = parts;
  return parts.length === 1 && typeof only === 'object' ? { kind: 'expression', ...only } : { kind: 'text', parts, at };
}

const outputs: Record<string, Record<string, OutputValue>> = {
  stop: { stopped: ['a.service', 'b.service'], count: 2, later: unknown('what apply finds') },
  conf: {
    values: { HOST: 'db1', PORT: '5432', PASSWORD: new Secret('s3cret', 'step:conf.PASSWORD') },
    half: { known: 'x', unknown: unknown('later') },
  },
};
const names: Names = makeNames({
  inputs: new Map<string, Json | Secret>([
    ['database', 'engine'],
    ['port', 5432],
    ['ratio', 1.5],
    ['none', null],
    ['password', new Secret('pa\'ss"word', 'input:password')],
  ]),
  output: (step, name): Evaluated => {
    const value = outputs[step]?.[name];
    return value === undefined || value === outputs.stop?.later
      ? { known: false, after: [step], what: [name] }
      : { known: true, value };
  },
  role: (role) => ({ name: `host-of-${role}`, address: '192.0.2.7', user: 'root', port: 2222 }),
});
const valueFor = (value: Json) => {
  const result = evaluate(template(value), scope, names);
  if (!result.known) throw new Error(`not known before ${result.after.join(', ')}`);
  return result.value;
};

describe('values of steps on many hosts', () => {
  const each: Record<string, Record<string, OutputValue>> = {
    'stop@w1': { stopped: ['a.service'], size: unknown('its size'), token: new Secret('s3cret', 'step:stop.token') },
    'stop@w2': { stopped: [], size: 7, token: 'plain' },
  };
  const over = makeNames({
    inputs: new Map(),
    output: (step, name): Evaluated => {
      const value = each[step]?.[name];
      return value === undefined ? { known: false, after: [step], what: [name] } : { known: true, value };
    },
    role: (role) => ({ name: role.split('@')[1] ?? role, address: `${role}.example`, user: 'root', port: 22 }),
    spread: { roles: new Map([['workers', ['w1', 'w2']]]), steps: new Map([['stop', ['w1', 'w2']]]) },
  });
  const here: Scope = { ...scope, roles: new Map([['nodes', 'workers']]), host: 'workers@w2' };
  const take = (source: string) => evaluate({ kind: 'expression', source, at }, here, over);

  test.each<[string, Json]>([
    ['host.name', 'w2'],
    ['host.port + 1', 23],
    ['roles.nodes.map(h, h.address)', ['workers@w1.example', 'workers@w2.example']],
    ['roles.nodes.map(host, host.name)', ['w1', 'w2']],
    ['roles.nodes[0].name', 'w1'],
    ['size(roles.nodes)', 2],
    ["steps.stop.outputs['w1'].stopped", ['a.service']],
    ['steps.stop.outputs[host.name].stopped', []],
    ['steps.stop.outputs[roles.nodes[0].name].stopped[0]', 'a.service'],
    ['roles.nodes.map(h, size(steps.stop.outputs[h.name].stopped))', [1, 0]],
    ['roles.nodes.exists(h, "a.service" in steps.stop.outputs[h.name].stopped)', true],
    ["steps.stop.outputs['w2'].size", 7],
  ])('%s', (source, expected) => {
    expect(take(source)).toEqual({ known: true, value: expected });
  });

  test('are waited for where the host is not known before, and told to be of that host', () => {
    expect(take('steps.stop.outputs[host.name].size')).toEqual({ known: true, value: 7 });
    expect(take('roles.nodes.map(host, steps.stop.outputs[host.name].size)')).toEqual({
      known: false,
      after: ['stop@w1'],
      what: ['its size'],
    });
    expect(take("steps.stop.outputs['w1'].more")).toEqual({ known: false, after: ['stop@w1'], what: ['more'] });
  });

  test('are secret where one of them may be meant that is', () => {
    const result = take('steps.stop.outputs[string(host.name)].token');
    expect(result.known && result.value).toBeInstanceOf(Secret);
    expect(take('steps.stop.outputs[host.name].token')).toEqual({ known: true, value: 'plain' });
  });

  test('are refused for a host the step is not done on', () => {
    expect(() => take("steps.stop.outputs['w9'].stopped")).toThrow(/step "stop" is done on w1, w2, and not on "w9"/);
  });
});

describe('values', () => {
  test.each<[Json, Json]>([
    ['plain', 'plain'],
    [7, 7],
    ['${{ inputs.database }}', 'engine'],
    ['db ${{ inputs.database }} at ${{ inputs.port }}', 'db engine at 5432'],
    ['${{ inputs.port + 1 }}', 5433],
    ['${{ inputs.ratio * 2.0 }}', 3],
    ['${{ inputs.port / 1000 }}', 5],
    ['${{ inputs.port > 1024 && inputs.none == null }}', true],
    ["${{ steps['stop'].outputs.stopped }}", ['a.service', 'b.service']],
    ['${{ steps.stop.outputs.stopped.map(unit, unit.replace(".service", "")) }}', ['a', 'b']],
    ["${{ steps['stop'].outputs.stopped.join(', ') }}", 'a.service, b.service'],
    ["${{ size(steps['stop'].outputs.stopped) }}", 2],
    ["${{ steps['stop'].outputs.stopped[1] }}", 'b.service'],
    ["${{ steps['conf'].outputs.values.HOST }}:${{ int(steps['conf'].outputs.values['PORT']) + 1 }}", 'db1:5433'],
    ["${{ 'a=b'.split('=')[1].upperAscii() + string(inputs.port) }}", 'B5432'],
    ["${{ inputs.database.startsWith('eng') && inputs.database.contains('gin') }}", true],
    ['${{ roles.db.name }} ${{ roles.db.address }} ${{ roles.db.port }}', 'host-of-new_db 192.0.2.7 2222'],
    [
      "${{ jdbcUrl('jdbc:postgresql://a:1/b?c=d', roles.db.address, 5432, inputs.database) }}",
      'jdbc:postgresql://192.0.2.7:5432/engine?c=d',
    ],
    ["${{ jdbcPart('jdbc:postgresql://a:1/b', 'port') }}", '1'],
    ["${{ 'a.b.c'.replace('.', '$&') }}", 'a$&b$&c'],
    ["${{ {'a': [1, 2.5], 'b': {'c': true}} }}", { a: [1, 2.5], b: { c: true } }],
    [{ list: ['${{ inputs.port }}', { deep: 'x${{ inputs.database }}' }] }, { list: [5432, { deep: 'xengine' }] }],
    [
      { kept: '', gone: '${{ inputs.none }}', text: null },
      { kept: '', text: null },
    ],
    ["${{ '${{' }}", '${{'],
  ])('%j becomes %j', (written, expected) => {
    expect(valueFor(written)).toEqual(expected);
  });
});

describe('what is not known yet', () => {
  test('one unknown value makes the whole unknown, and all steps waited for are named', () => {
    const result = evaluate(
      template({ a: "${{ steps['stop'].outputs.later }}", b: ['x', "y ${{ steps['other'].outputs.z }}"], c: 1 }),
      scope,
      names,
    );
    expect(result).toEqual({ known: false, after: ['stop', 'other'], what: ['later', 'z'] });
  });

  test('an unknown part of an output leaves its other parts known', () => {
    expect(valueFor("${{ steps['conf'].outputs.half.known }}")).toBe('x');
    expect(evaluate(template("${{ steps['conf'].outputs.half.unknown }}"), scope, names)).toEqual({
      known: false,
      after: ['conf'],
      what: ['later'],
    });
  });

  test('ids in an included file get the prefix of its include', () => {
    const inside: Scope = { ...scope, prefix: 'prepare.' };
    expect(evaluate(template("${{ steps['role'].outputs.x }}"), inside, names)).toEqual({
      known: false,
      after: ['prepare.role'],
      what: ['x'],
    });
  });
});

describe('secrets', () => {
  const reveal = (value: OutputValue) => (value instanceof Secret ? [value.reveal(), value.source] : value);

  test.each<[string, unknown]>([
    ['${{ inputs.password }}', ['pa\'ss"word', 'input:password']],
    ['host=x password=${{ inputs.password }}', ['host=x password=pa\'ss"word', 'input:password']],
    [
      "${{ inputs.password + steps['conf'].outputs.values.PASSWORD }}",
      ['pa\'ss"words3cret', 'input:password + step:conf.PASSWORD'],
    ],
    ['${{ size(inputs.password) }}', ['10', 'input:password']],
  ])('%s is secret', (written, expected) => {
    expect(reveal(valueFor(written))).toEqual(expected);
  });

  test('a secret beside a value does not make it secret, the whole map around both is', () => {
    expect(valueFor("${{ steps['conf'].outputs.values.HOST }}")).toBe('db1');
    const all = valueFor("${{ steps['conf'].outputs.values }}") as Record<string, OutputValue>;
    expect(all.PASSWORD).toBeInstanceOf(Secret);
    expect(JSON.stringify(all)).not.toContain('s3cret');
  });

  test('a list made of a secret holds secrets only, and none of it can be printed', () => {
    const list = valueFor("${{ [inputs.password, 'x'] }}") as unknown as Secret[];
    expect(list.map(reveal)).toEqual([
      ['pa\'ss"word', 'input:password'],
      ['x', 'input:password'],
    ]);
    expect(inspect(list) + JSON.stringify(list) + String(list)).not.toContain('pa\'ss"word');
  });

  test('an expression that fails on a secret does not quote it', () => {
    const failing = () => valueFor('${{ int(inputs.password) }}');
    expect(failing).toThrow('it fails on a secret value');
    expect(failing).not.toThrow('ss"word');
  });
});

describe('expressions without a value', () => {
  test.each([
    ["${{ steps['stop'].outputs.stopped[9] }}", 'has no value: '],
    ['${{ inputs.database + 1 }}', 'has no value: no such overload'],
    ['x ${{ inputs.none }}', 'stands inside a text and is nothing'],
    ["x ${{ steps['stop'].outputs.stopped }}", 'stands inside a text and is a list'],
    ['${{ 9007199254740993 }}', 'too large to be exact'],
    ['${{ 1.0 / 0.0 }}', 'Infinity'],
    ["${{ duration('5m') }}", 'neither text, number'],
    ["${{ jdbcUrl('mysql://x', 'a', 1, 'b') }}", 'not a JDBC URL'],
  ])('%s fails with its place and a reason', (written, why) => {
    try {
      valueFor(written);
      expect.fail('it has a value');
    } catch (thrown) {
      if (!isFerryError(thrown, 'EXPRESSION_FAILED')) throw thrown;
      expect(thrown.message).toContain(why);
      expect(thrown.at).toBe('x.yaml:3:5');
    }
  });
});

describe('conditions', () => {
  const when = (...sources: string[]): Condition[] => sources.map((source) => ({ source, at, scope }));

  test.each([
    [when(), { known: true, value: true }],
    [when('inputs.port == 5432', 'true'), { known: true, value: true }],
    [when('inputs.port == 1'), { known: true, value: false }],
    [when("steps['stop'].outputs.later == 1"), { known: false, after: ['stop'], what: ['later'] }],
    [when("steps['stop'].outputs.later == 1", 'false'), { known: true, value: false }],
    [when("inputs.password != ''"), { known: true, value: true }],
  ])('%j is %j', (conditions, expected) => {
    expect(evaluateWhen(conditions, names)).toEqual(expected);
  });

  test('no condition at all holds', () => {
    expect(evaluateWhen(undefined, names)).toEqual({ known: true, value: true });
  });

  test('a condition that is no truth value is an error, and a secret one is not shown', () => {
    expect(() => evaluateWhen(when('inputs.database'), names)).toThrow('is the text "engine"');
    expect(() => evaluateWhen(when('inputs.password'), names)).toThrow('is a secret');
  });
});

describe('inputs of an included runbook', () => {
  const spec = (name: string, type: InputSpec['type'], preset?: Json): InputSpec => ({
    name,
    type,
    optional: false,
    at,
    ...(preset === undefined ? {} : { default: template(preset) }),
  });
  const inside: Scope = {
    prefix: 'prep.',
    roles: new Map(),
    inputs: new Map([
      ['given', { spec: spec('given', 'integer'), given: { template: template('${{ inputs.port }}'), scope } }],
      ['text', { spec: spec('text', 'integer'), given: { template: template('${{ inputs.database }}'), scope } }],
      ['preset', { spec: spec('preset', 'string', '${{ string(inputs.given) }}!') }],
      ['null', { spec: spec('null', 'string', 'by default'), given: { template: template('${{ inputs.none }}'), scope } }],
      ['waits', { spec: spec('waits', 'string'), given: { template: template("${{ steps['stop'].outputs.later }}"), scope } }],
      ['key', { spec: spec('key', 'secret'), given: { template: template('${{ inputs.database }}'), scope } }],
    ]),
  };
  test.each([
    ['given', 5432],
    ['preset', '5432!'],
    ['null', 'by default'],
  ])('%s is evaluated where it is written: %j', (name, value) => {
    expect(names.input(name, inside)).toEqual({ known: true, value });
  });

  test('what a step will tell is unknown inside too', () => {
    expect(names.input('waits', inside)).toEqual({ known: false, after: ['stop'], what: ['later'] });
  });

  test('a value given to a secret input becomes secret', () => {
    const result = names.input('key', inside);
    expect(result.known && result.value).toBeInstanceOf(Secret);
  });

  test('a value of the wrong type is refused with the place where it is given', () => {
    expect(() => names.input('text', inside)).toThrow('must be a whole number, got the text "engine"');
  });
});
