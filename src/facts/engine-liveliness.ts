import { sh } from '../hosts/sh.ts';
import { absent, defineFact, value } from './fact.ts';

/** Whether a hosted engine answers this host and has its database, as the agents of its hosts ask; absent where hosted-engine is not. */
export const engineLiveliness = defineFact<[], boolean>({
  kind: 'engineLiveliness',
  class: 'measure',
  script: () =>
    sh`command -v hosted-engine >/dev/null || { echo absent; exit 0; }; LC_ALL=C timeout 20 hosted-engine --check-liveliness`,
  // 1 is "not up", 2 a conf that names no engine; after all of them nobody can say that it answers.
  parse: ({ code, stdout }) => (stdout.trim() === 'absent' ? absent : value(code === 0)),
  show: (published) => (published === true ? 'the engine answers' : 'the engine does not answer'),
});
