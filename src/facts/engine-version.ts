import { sh } from '../hosts/sh.ts';
import { absent, defineFact, unreadable, value } from './fact.ts';

/** The version of the engine that is installed, as its own engine-backup has it: `4.5.7`. Absent where there is none. */
export const engineVersion = defineFact<[], string>({
  kind: 'engineVersion',
  class: 'state',
  script: () =>
    sh`p=$(command -v engine-backup) || exit 90; sed -n 's/^PACKAGE_VERSION *= *"\\{0,1\\}\\([0-9][^"]*\\)"\\{0,1\\}$/\\1/p' -- "$p" | head -n 1`,
  parse(answer) {
    if (answer.code === 90) return absent;
    const version = answer.stdout.trim();
    return /^\d+\.\d+/.test(version) ? value(version) : unreadable('engine-backup does not say its version');
  },
  show: (published) => `engine ${String(published)}`,
});
