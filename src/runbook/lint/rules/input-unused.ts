import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'INPUT_UNUSED',
  severity: 'warning',
  why: 'A person is asked for a value that changes nothing, and believes it does.',
  fix: 'Use it, or take it out.',
  bad: `
inputs:
  port: { type: integer, default: 5432 }
steps:
  - { id: look, host: db, uses: postgres.read, with: { database: engine } }`,
  good: `
inputs:
  port: { type: integer, default: 5432 }
steps:
  - { id: look, host: db, uses: postgres.read, with: { database: engine, port: "\${{ inputs.port }}" } }`,
  check: ({ models }) =>
    models.flatMap((model) =>
      model.inputs
        .filter((spec) => !model.used.inputs.has(spec.name))
        .map((spec) => ({ args: { input: spec.name }, at: { at: spec.at, length: spec.name.length } })),
    ),
});
