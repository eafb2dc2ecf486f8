import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'ROLE_UNUSED',
  severity: 'warning',
  why: 'The inventory must name a host for it, which is connected to and looked at for nothing.',
  fix: 'Use it, or take it out.',
  bad: `
roles:
  db: { description: The database server }
  dwh: { description: The data warehouse }
steps:
  - { id: look, host: db, uses: postgres.read, with: { database: engine } }`,
  good: `
roles:
  db: { description: The database server }
steps:
  - { id: look, host: db, uses: postgres.read, with: { database: engine } }`,
  check: ({ models }) =>
    models.flatMap((model) =>
      model.roles
        .filter((role) => !model.used.roles.has(role.name))
        .map((role) => ({ args: { role: role.name }, at: { at: role.at, length: role.name.length } })),
    ),
});
