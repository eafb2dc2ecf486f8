import { sh } from '../hosts/sh.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';
import { printImprint } from './postgres/imprint.ts';

/**
 * Whether a database is as it was when an imprint of it was left in a file; absent without that file. False too where nobody can
 * tell, because the counters of the server began anew, are switched off or cannot be read.
 */
export const pgUntouched = defineFact<[port: number, database: string, file: string], boolean>({
  kind: 'pgUntouched',
  class: 'measure',
  script: (port, database, file) => sh`[ -s ${file} ] || { echo none; exit 0; }
i=$(${printImprint(port, database)} 2>/dev/null); case "$i" in *' on') ;; *) i=;; esac
[ -n "$i" ] && [ "$i" = "$(cat ${file})" ] && echo same || echo other`,
  parse({ code, stdout, stderr }) {
    const word = stdout.trim();
    if (code !== 0) return unreadable(stderr.trim() || `ended with exit code ${code}`);
    return word === 'none' ? absent : value(word === 'same');
  },
  show: (published) =>
    published === true ? 'nothing was written into it since' : 'something may have been written into it since',
});
