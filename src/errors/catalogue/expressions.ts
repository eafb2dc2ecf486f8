import { entry } from '../entry.ts';

const suggest = (nearest: string, known: string) =>
  nearest ? `Did you mean "${nearest}"?` : known ? `Known here: ${known}.` : '';

/** Errors of what stands between `${{` and `}}`. */
export const expressionErrors = {
  EXPRESSION_UNCLOSED: entry<Record<string, never>>({
    title: 'An expression is not closed',
    message: () => `The expression that begins here with \${{ has no closing }}.`,
    exit: 65,
    example: {},
  }),
  EXPRESSION_MISPLACED: entry<{ field: string }>({
    title: 'An expression stands where none is read',
    message: (a) => `"${a.field}" is taken as it is written; it cannot hold \${{ }}.`,
    hint: () => 'Expressions may stand in "with", in "when" and in the "default" of an input.',
    exit: 65,
    example: { field: 'title' },
  }),
  EXPRESSION_SYNTAX_WRONG: entry<{ why: string }>({
    title: 'The syntax of an expression is wrong',
    message: (a) => `The expression cannot be read: ${a.why}.`,
    hint: () =>
      'Expressions are CEL: inputs.name, steps[\'id\'].outputs.name, roles.name.address, + == ? : and methods such as .split(",").',
    exit: 65,
    example: { why: 'unexpected token: EOF' },
  }),
  EXPRESSION_TYPE_WRONG: entry<{ why: string }>({
    title: 'The types in an expression do not fit',
    message: (a) => `The expression cannot work: ${a.why}.`,
    hint: (a) =>
      a.why.includes('matching overload')
        ? 'Texts have contains, startsWith, endsWith, matches, replace, split, trim, substring, indexOf, upperAscii, lowerAscii; size(x) counts.'
        : a.why.startsWith('no such key')
          ? 'A host has address, name, user and port.'
          : 'Convert with string(x), int(x) or double(x).',
    exit: 65,
    example: { why: 'no such overload: string + int' },
  }),
  EXPRESSION_NAME_UNKNOWN: entry<{ name: string; nearest: string; known: string }>({
    title: 'An expression uses an unknown name',
    message: (a) => `"${a.name}" is not known in expressions.`,
    hint: (a) => suggest(a.nearest, a.known),
    exit: 65,
    example: { name: 'input', nearest: 'inputs', known: 'inputs, steps, roles' },
  }),
  EXPRESSION_NAME_VAGUE: entry<{ name: string; form: string }>({
    title: 'An expression does not name one value',
    message: (a) => `"${a.name}" must be followed by a name written out: ${a.form}.`,
    exit: 65,
    example: { name: 'steps', form: "steps['id'].outputs.name" },
  }),
  EXPRESSION_FAILED: entry<{ expression: string; why: string }>({
    title: 'An expression has no value',
    message: (a) => `The expression \${{ ${a.expression} }} has no value: ${a.why}.`,
    exit: 65,
    example: { expression: "inputs.url.split('/')[9]", why: 'no such key: 9' },
  }),
  CONDITION_NOT_BOOLEAN: entry<{ expression: string; got: string }>({
    title: 'A condition is neither true nor false',
    message: (a) => `"when" must be true or false; ${a.expression} is ${a.got}.`,
    hint: () => "Compare it: inputs.name == 'value'",
    exit: 65,
    example: { expression: 'inputs.database', got: 'a text' },
  }),
  INPUT_UNKNOWN: entry<{ input: string; nearest: string; known: string }>({
    title: 'An expression uses an input that is not declared',
    message: (a) => `The runbook declares no input "${a.input}".`,
    hint: (a) => suggest(a.nearest, a.known) || 'Declare it under "inputs".',
    exit: 65,
    example: { input: 'databse', nearest: 'database', known: 'database, password' },
  }),
  INPUT_LATER: entry<{ input: string }>({
    title: 'A default uses an input declared after it',
    message: (a) => `A default may use only inputs declared before it; "${a.input}" is not.`,
    exit: 65,
    example: { input: 'database' },
  }),
  DEFAULT_USES_STEP: entry<{ step: string }>({
    title: 'A default uses the output of a step',
    message: (a) => `A default is known before any step is done; it cannot use the outputs of "${a.step}".`,
    hint: () => 'Use the output in the step that needs it; or make the input optional, and choose there.',
    exit: 65,
    example: { step: 'read-conf' },
  }),
  STEP_UNKNOWN: entry<{ step: string; nearest: string; known: string }>({
    title: 'A step is not known',
    message: (a) => `There is no step "${a.step}".`,
    hint: (a) => suggest(a.nearest, a.known),
    exit: 65,
    example: { step: 'stop-service', nearest: 'stop-services', known: 'maintenance, stop-services' },
  }),
  STEP_NOT_BEFORE: entry<{ step: string }>({
    title: 'An output is used that is not there yet',
    message: (a) => `Step "${a.step}" is not certain to be done here, so its outputs cannot be used.`,
    hint: (a) => `Move this after it, or name it under needs: [${a.step}]`,
    exit: 65,
    example: { step: 'stop-services' },
  }),
  OUTPUT_UNKNOWN: entry<{ step: string; action: string; output: string; nearest: string; known: string }>({
    title: 'A step has no such output',
    message: (a) => `Step "${a.step}" (${a.action}) has no output "${a.output}".`,
    hint: (a) => suggest(a.nearest, a.known) || 'It has no outputs at all.',
    exit: 65,
    example: { step: 'stop-services', action: 'service.stop', output: 'stoped', nearest: 'stopped', known: 'stopped' },
  }),
};
