import { isOpen } from '../../../actions/partial-params.ts';
import { type Deed, type LintBook, paramOf } from '../book.ts';
import { speaksOf } from '../moves.ts';
import { defineRule } from '../rule.ts';
import { programsOf } from '../shell-commands.ts';
import { maySame } from '../symbols.ts';
import { isAtOrUnder } from './file-not-made.ts';

export default defineRule({
  code: 'FILE_LEFT',
  severity: 'warning',
  why:
    'A dump holds every row, password hashes too, and stays on disk for years. A file counts as one for the way when a later step of ' +
    'the runbook needs it or when it is made under /tmp, /var/tmp or /run; what nobody needs later is what the runbook is for.',
  fix: 'Remove it in the end. What the run itself made need not be kept for a rollback.',
  bad: `
steps:
  - { id: dump, host: db1, uses: postgres.dump, with: { database: app, path: /root/app.dump } }
  - { id: copy, host: vault, uses: file.transfer, with: { from: { host: db1, path: /root/app.dump }, path: /srv/backup/app.dump } }`,
  good: `
steps:
  - { id: dump, host: db1, uses: postgres.dump, with: { database: app, path: /root/app.dump } }
  - { id: copy, host: vault, uses: file.transfer, with: { from: { host: db1, path: /root/app.dump }, path: /srv/backup/app.dump } }
  - { id: tidy, host: db1, uses: file.remove, with: { paths: [/root/app.dump], keep: false } }`,
  check(book) {
    return book.all('make-file').flatMap((made) => {
      const what = isOnTheWay(book, made) ? 'file' : isFolderOnTheWay(book, made) ? 'folder' : null;
      if (!what || isRemoved(book, made)) return [];
      const param = paramOf(made.by.step, 'path') ?? paramOf(made.by.step, 'creates');
      const args = { step: made.by.step.id, path: made.what.path, role: made.what.role, what };
      return [{ args, step: made.by, at: param?.at }];
    });
  },
});

type Made = Deed<'make-file'>;

function isOnTheWay(book: LintBook, { by, what }: Made): boolean {
  if (/^\/(tmp|var\/tmp|run)\//.test(what.path)) return true;
  return book
    .all('need-file')
    .some((need) => need.what.role === what.role && need.what.path === what.path && book.isBefore(by, need.by));
}

/** A folder is one for the way when all the run puts into it is. */
function isFolderOnTheWay(book: LintBook, { by, what }: Made): boolean {
  const inside = book
    .all('make-file')
    .filter((other) => other.by !== by && other.what.role === what.role && other.what.path.startsWith(`${what.path}/`));
  return inside.length > 0 && inside.every((other) => isOnTheWay(book, other) || isRemoved(book, other));
}

function isRemoved(book: LintBook, { by, what }: Made): boolean {
  const isLater = (other: Made['by']) => !book.isBefore(other, by);
  return (
    book
      .all('remove-file')
      .some(
        (remove) =>
          isLater(remove.by) &&
          book.maySameHost(remove.what.role, what.role) &&
          (isAtOrUnder(what.path, remove.what.path) || maySame(what.path, remove.what.path)),
      ) ||
    book
      .all('run-command')
      .some((command) => isLater(command.by) && command.by !== by && removes(command) && speaksOf(command, what.path))
  );
}

/** A command that only names a file, as one that reads it does, leaves it where it is. */
function removes({ what }: Deed<'run-command'>): boolean {
  const removing = ['rm', 'unlink', 'shred', 'mv', 'find', 'xargs'];
  return !what.readOnly && programsOf(what).some(({ program }) => removing.includes(program) || isOpen(program));
}
