import { sh } from '../hosts/sh.ts';
import { formatBytes } from '../lib/bytes.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

/** Size and time of change of a file: what tells cheaply whether a copy is still one, as rsync does it. */
export const fileTime = defineFact<[path: string], { readonly sizeBytes: number; readonly changedAtS: number }>({
  kind: 'fileTime',
  class: 'measure',
  script: (path) => sh`if [ -f ${path} ]; then stat -L -c '%s %Y' -- ${path}; else echo absent; fi`,
  parse(answer) {
    const [, size, seconds] = /^(\d+) (-?\d+)$/.exec(answer.stdout.trim()) ?? [];
    if (answer.stdout.trim() === 'absent') return absent;
    if (size === undefined || seconds === undefined)
      return unreadable(answer.stderr.trim() || 'stat printed nothing that can be read');
    return value({ sizeBytes: Number(size), changedAtS: Number(seconds) });
  },
  show: (published) => formatBytes((published as { sizeBytes: number }).sizeBytes),
});
