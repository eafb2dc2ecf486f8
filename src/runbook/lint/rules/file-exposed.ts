import { paramOf } from '../book.ts';
import { dumpBehind } from '../moves.ts';
import { defineRule } from '../rule.ts';
import { secretIn } from '../secrets.ts';

export default defineRule({
  code: 'FILE_EXPOSED',
  severity: 'warning',
  why: 'A mode such as 0644 lets every user of the machine read it: password hashes, keys, the rows of all customers.',
  fix: 'Leave out the mode, which is 0600 then, or let only its owner and group read it.',
  bad: `
inputs:
  password: { type: secret }
steps:
  - id: pgpass
    host: app
    uses: file.put
    with: { path: /etc/app/pgpass, content: "db:5432:app:app:\${{ inputs.password }}", mode: "0644" }`,
  good: `
inputs:
  password: { type: secret }
steps:
  - id: pgpass
    host: app
    uses: file.put
    with: { path: /etc/app/pgpass, content: "db:5432:app:app:\${{ inputs.password }}", mode: "0640", group: app }`,
  check(book) {
    return book.all('make-file').flatMap(({ by, what }) => {
      if (what.mode === undefined || !/^[0-7]{3,4}$/.test(what.mode) || (Number.parseInt(what.mode, 8) & 4) === 0) return [];
      const content = what.content === undefined ? undefined : paramOf(by.step, what.content);
      const secret = content && secretIn(book, content, by.step.scope);
      const held = secret ? `the secret ${secret}` : dumpBehind(book, what) ? 'a whole database' : null;
      if (!held) return [];
      const at = paramOf(by.step, 'mode')?.at;
      return [{ args: { step: by.step.id, path: what.path, mode: what.mode, what: held }, step: by, at }];
    });
  },
});
