import { type Sh, sh } from '../hosts/sh.ts';
import { defineFact, unreadable, value } from './fact.ts';
import { normalLocale } from './pg-locale.ts';

export interface OsLocale {
  readonly installed: boolean;
  /** What can bring it: Debian's locale-gen, a language pack of Enterprise Linux, or localedef alone; null when nothing there can. */
  readonly by: 'locale-gen' | 'langpack' | 'localedef' | null;
}

/** Prints Debian's own line for a locale, `en_US.UTF-8 UTF-8` for en_US.utf8 too; nothing where it knows none. */
export function supportedLine(name: string): Sh {
  return sh`awk -v n=${normalLocale(name)} '{ l = tolower($1); gsub(/-/, "", l); if (l == n) { print; exit } }' /usr/share/i18n/SUPPORTED`;
}

/** Whether the operating system has a locale, and what could make it. */
export const osLocale = defineFact<[name: string], OsLocale>({
  kind: 'osLocale',
  class: 'state',
  script: (name) => sh`locale -a || exit 1
if command -v locale-gen >/dev/null && [ -f /usr/share/i18n/SUPPORTED ]; then [ -z "$(${supportedLine(name)})" ] || echo =locale-gen
elif command -v dnf >/dev/null; then echo =langpack; elif command -v localedef >/dev/null && [ -d /usr/share/i18n/locales ]; then echo =localedef; fi`,
  parse(answer, name) {
    if (answer.code !== 0) return unreadable(answer.stderr.trim() || `locale -a ended with exit code ${answer.code}`);
    const lines = answer.stdout.split('\n');
    const by = (['locale-gen', 'langpack', 'localedef'] as const).find((one) => lines.includes(`=${one}`)) ?? null;
    return value({ installed: lines.some((line) => line !== '' && normalLocale(line) === normalLocale(name)), by });
  },
  publish: ({ installed }) => ({ installed }),
  meets: (read, predicted) => read.installed === predicted.installed,
  show: (published) => ((published as { installed: boolean }).installed ? 'installed' : 'not installed'),
});
