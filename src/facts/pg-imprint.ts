import { absent, defineFact, unreadable, value } from './fact.ts';
import { printImprint } from './postgres/imprint.ts';
import { isNoServer, whyNot } from './postgres/psql.ts';

/** The imprint of a database as it is now, to be compared with one that was left; absent where nobody can look inside. */
export const pgImprint = defineFact<[port: number, database: string], string>({
  kind: 'pgImprint',
  class: 'measure',
  script: (port, database) => printImprint(port, database),
  parse(answer) {
    if (isNoServer(answer)) return absent;
    if (answer.code !== 0) return unreadable(whyNot(answer));
    const text = answer.stdout.trim();
    return text === '' ? absent : value(text);
  },
  show: () => 'what it is now',
});
