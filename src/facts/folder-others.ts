import { sh } from '../hosts/sh.ts';
import { defineFact, unreadable, value } from './fact.ts';

/** Whether a folder has anything in it beside some names; false where there is no folder. */
export const folderOthers = defineFact<[path: string, names: string[]], boolean>({
  kind: 'folderOthers',
  class: 'measure',
  script: (path, names) => sh`d=${path}; [ -d "$d" ] && [ ! -L "$d" ] || { echo none; exit 0; }
first=$(find "$d/." ! -name . -prune ${names.flatMap((name) => ['!', '-name', literal(name)])} -print | head -n 1) && echo "\${first:-none}"`,
  parse: ({ code, stdout, stderr }) =>
    code === 0 ? value(stdout.trim() !== 'none') : unreadable(stderr.trim() || `find ended with exit code ${code}`),
  show: (published) => (published === true ? 'other things are in it' : 'nothing else is in it'),
});

/** A name as a pattern that only it matches. */
function literal(name: string): string {
  return name.replace(/[*?[\\]/g, '\\$&');
}
