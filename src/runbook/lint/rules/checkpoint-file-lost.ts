import { paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';
import { isAtOrUnder } from './file-not-made.ts';

export default defineRule({
  code: 'CHECKPOINT_FILE_LOST',
  severity: 'warning',
  why:
    'A rollback to a checkpoint takes back the steps after it, and a resume does them again. Steps before it are not done again: a file ' +
    'they made and a later step removed for good is missing.',
  fix: 'Put the checkpoint before the step that makes the file.',
  bad: `
steps:
  - { id: dump, host: db1, uses: postgres.dump, with: { database: app, path: /root/app.dump } }
  - checkpoint: dumped
  - { id: copy, host: vault, uses: file.transfer, with: { from: { host: db1, path: /root/app.dump }, path: /srv/backup/app.dump } }
  - { id: tidy, host: db1, uses: file.remove, with: { paths: [/root/app.dump], keep: false } }`,
  good: `
steps:
  - checkpoint: begun
  - { id: dump, host: db1, uses: postgres.dump, with: { database: app, path: /root/app.dump } }
  - { id: copy, host: vault, uses: file.transfer, with: { from: { host: db1, path: /root/app.dump }, path: /srv/backup/app.dump } }
  - { id: tidy, host: db1, uses: file.remove, with: { paths: [/root/app.dump], keep: false } }`,
  check(book) {
    const at = (step: Parameters<typeof book.indexOf>[0]) => book.indexOf(step);
    return book.all('remove-file').flatMap((remove) => {
      if (remove.what.kept !== false) return [];
      const isHere = (role: string, path: string) => role === remove.what.role && isAtOrUnder(path, remove.what.path);
      for (const { name, afterStep } of book.runbook.checkpoints.toReversed()) {
        if (afterStep > at(remove.by)) continue;
        const made = book.all('make-file').filter(({ by, what }) => at(by) < afterStep && isHere(what.role, what.path));
        const need = book
          .all('need-file')
          .find(
            ({ by, what }) =>
              at(by) >= afterStep &&
              at(by) < at(remove.by) &&
              made.some((one) => one.what.path === what.path && one.what.role === what.role),
          );
        if (!need) continue;
        const place = paramOf(remove.by.step, 'keep')?.at;
        const args = { step: remove.by.step.id, path: need.what.path, checkpoint: name, need: need.by.step.id };
        return [{ args, step: remove.by, at: place }];
      }
      return [];
    });
  },
});
