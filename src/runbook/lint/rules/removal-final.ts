import { paramOf } from '../book.ts';
import { speaksOf } from '../moves.ts';
import { defineRule } from '../rule.ts';
import { maySame } from '../symbols.ts';
import { isAtOrUnder } from './file-not-made.ts';

export default defineRule({
  code: 'REMOVAL_FINAL',
  severity: 'warning',
  why:
    'keep: false is for what the run made itself. Anything else is gone for good: the only copy of a configuration, of a key. A folder that ' +
    'a step only put a file in may hold what is of others.',
  fix: 'Let it be kept; of a folder, name the file, and the folder in `emptyFolders`.',
  bad: `
steps:
  - { id: purge, host: app, uses: file.remove, with: { paths: [/etc/app], recursive: true, keep: false } }`,
  good: `
steps:
  - { id: purge, host: app, uses: file.remove, with: { paths: [/etc/app], recursive: true } }`,
  check(book) {
    return book.all('remove-file').flatMap(({ by, what }) => {
      if (what.kept !== false) return [];
      const isMade = book
        .all('make-file')
        .some(
          (made) =>
            book.maySameHost(made.what.role, what.role) &&
            maySame(made.what.path, what.path) &&
            !isStrictlyUnder(made.what.path, what.path) &&
            !book.isBefore(by, made.by),
        );
      const isSpokenOf = book.all('run-command').some((command) => !command.what.readOnly && speaksOf(command, what.path));
      if (isMade || isSpokenOf) return [];
      const at = paramOf(by.step, 'keep')?.at;
      return [{ args: { step: by.step.id, path: what.path, role: what.role }, step: by, at }];
    });
  },
});

/** Whether a path lies in another one, whatever the expressions in both come to; by its text alone. */
function isStrictlyUnder(path: string, folder: string): boolean {
  return path !== folder && isAtOrUnder(path, folder);
}
