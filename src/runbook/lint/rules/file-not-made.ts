import { isOpen } from '../../../actions/partial-params.ts';
import { type Deed, type LintBook, paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'FILE_NOT_MADE',
  severity: 'error',
  why:
    'The run would stop there, with services down. A file that may have been there before the run is none of this rule; one the ' +
    'runbook itself makes on another host, later, or removes before, is. It is a warning where a command of your own, which nobody ' +
    'can see into, may have made the file, and where the inventory may give both roles one host.',
  fix: 'Bring the file to where it is needed first.',
  bad: `
steps:
  - { id: dump, host: old_db, uses: postgres.dump, with: { database: app, path: /root/app.dump } }
  - { id: restore, host: new_db, uses: postgres.restore, with: { database: app, owner: app, path: /root/app.dump } }
  - id: compare
    host: new_db
    uses: postgres.compare
    with: { database: app, with: { host: old_db, database: app } }`,
  good: `
steps:
  - { id: dump, host: old_db, uses: postgres.dump, with: { database: app, path: /root/app.dump } }
  - { id: copy, host: new_db, uses: file.transfer, with: { from: { host: old_db, path: /root/app.dump }, path: /root/app.dump } }
  - { id: restore, host: new_db, uses: postgres.restore, with: { database: app, owner: app, path: /root/app.dump } }
  - id: compare
    host: new_db
    uses: postgres.compare
    with: { database: app, with: { host: old_db, database: app } }
  - { id: tidy-old, host: old_db, uses: file.remove, with: { paths: [/root/app.dump], keep: false } }
  - { id: tidy-new, host: new_db, uses: file.remove, with: { paths: [/root/app.dump], keep: false } }`,
  check(book) {
    return book.all('need-file').flatMap((need) => {
      const missing = whyMissing(book, need);
      if (!missing) return [];
      const { by, what } = need;
      const param = paramOf(by.step, 'from', 'path') ?? paramOf(by.step, 'path');
      return [
        {
          args: { step: by.step.id, path: what.path, role: what.role, why: missing.why },
          step: by,
          at: param?.at,
          severity: missing.certain && !mayBeMadeUnseen(book, need) ? ('error' as const) : ('warning' as const),
        },
      ];
    });
  },
});

type Need = Deed<'need-file'>;

/** Why the file cannot be there; undefined when it can, for all the runbook tells. */
function whyMissing(book: LintBook, { by, what }: Need): { why: string; certain: boolean } | undefined {
  const makers = book.makersOf(what.path).filter((maker) => maker.by !== by);
  const here = makers.filter((maker) => book.maySameHost(maker.what.role, what.role));
  const before = here.filter((maker) => book.isBefore(maker.by, by));
  const gone = book
    .all('remove-file')
    .find(
      (remove) =>
        remove.what.role === what.role &&
        isAtOrUnder(what.path, remove.what.path) &&
        book.isBefore(remove.by, by) &&
        !before.some((maker) => !book.isBefore(maker.by, remove.by)),
    );
  if (gone) return { why: `step "${gone.by.step.id}" has removed it before`, certain: true };
  if (before.length > 0) return undefined;
  // A path may be there on many hosts by nature; only what the run brings into being tells that it is not.
  const proof = makers.find(({ by: maker, what: made }) => {
    if (made.path !== what.path || isOpen(made.role) || isOpen(what.role)) return false;
    const source = maker.effects.find((effect) => effect.does === 'need-file');
    return !(made.how === 'copy' && source?.does === 'need-file' && source.path === what.path);
  });
  if (!proof) return undefined;
  const certain = proof.what.how !== 'given';
  if (!book.maySameHost(proof.what.role, what.role))
    return here.length > 0
      ? undefined
      : {
          why: `step "${proof.by.step.id}" makes it on ${proof.what.role} only`,
          certain: certain && book.needsTwoHosts(proof.what.role, what.role),
        };
  if (!certain || proof.what.role !== what.role) return undefined;
  return book.isBefore(by, proof.by)
    ? { why: `step "${proof.by.step.id}" makes it only later`, certain }
    : { why: `step "${proof.by.step.id}", which makes it, may come later`, certain };
}

/** Whether a command nobody can see into may have made the file before. */
function mayBeMadeUnseen(book: LintBook, { by, what }: Need): boolean {
  return book
    .all('run-command')
    .some(
      (command) => !command.what.readOnly && book.maySameHost(command.what.role, what.role) && !book.isBefore(by, command.by),
    );
}

/** Whether a path is another one or lies in it; by its text alone. */
export function isAtOrUnder(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
