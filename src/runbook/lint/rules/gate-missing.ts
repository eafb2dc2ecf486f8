import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'GATE_MISSING',
  severity: 'warning',
  why:
    'Ferry asks before it does what cannot be taken back, but it cannot know what is at stake, and with --yes nobody is asked. A question ' +
    'of your own says it, and stands in the plan.',
  fix: 'Ask in your own words.',
  bad: `
steps:
  - { id: wipe, host: db, uses: command.run, with: { argv: [wipefs, -a, /dev/vdb], irreversible: the disk is empty then } }`,
  good: `
steps:
  - id: wipe
    host: db
    confirm: /dev/vdb is wiped now. Is its backup tested?
    uses: command.run
    with: { argv: [wipefs, -a, /dev/vdb], irreversible: the disk is empty then }`,
  check(book) {
    const gates = book.steps.filter(
      ({ step, effects }) => step.confirm !== undefined || effects.some(({ does }) => does === 'ask'),
    );
    return book.all('run-command', 'remove-package').flatMap(({ by, what }) => {
      if (what.does === 'remove-package' ? !what.forGood : what.readOnly || what.reversible || what.checked) return [];
      const isAsked = gates.some((gate) => gate === by || book.isBefore(gate, by));
      const does =
        what.does === 'remove-package'
          ? 'removes packages also when they cannot come back'
          : 'runs a command that cannot be taken back and cannot tell whether it is done';
      return isAsked ? [] : [{ args: { step: by.step.id, does }, step: by }];
    });
  },
});
