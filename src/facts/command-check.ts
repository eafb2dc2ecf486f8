import { asUser } from '../hosts/as-user.ts';
import { Sh } from '../hosts/sh.ts';
import { defineFact, unreadable, value } from './fact.ts';

/** Whether a read-only script, run as a user, ends with exit code 0. Its output is not kept. */
export const commandCheck = defineFact<[script: string, as: string], { readonly holds: boolean }>({
  kind: 'commandCheck',
  class: 'state',
  // The script is the author's own shell text, written as such in the runbook.
  script: (script, as) => asUser(as, new Sh(`( ${script}\n) >/dev/null`)),
  parse(answer) {
    // 126 and 127 say that the check itself could not be run, which is no answer.
    if (answer.code === 126 || answer.code === 127)
      return unreadable(answer.stderr.trim() || `it ended with exit code ${answer.code}`);
    return value({ holds: answer.code === 0 });
  },
  show: (published) => ((published as { holds: boolean }).holds ? 'holds' : 'does not hold'),
});
