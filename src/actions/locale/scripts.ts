import { type OsLocale, supportedLine } from '../../facts/os-locale.ts';
import { joinSh, type Sh, sh } from '../../hosts/sh.ts';

/** Debian: names the locale in locale.gen with the encoding the system knows for it, and makes those that are not there. */
function localeGen(names: readonly string[]): Sh {
  const lines = names.map(
    (name) => sh`l=$(${supportedLine(name)}); [ -n "$l" ] || { echo ${`${name} is not supported`}; exit 1; }
grep -qxF -- "$l" /etc/locale.gen 2>/dev/null || printf '%s\\n' "$l" >>/etc/locale.gen`,
  );
  return sh`${joinSh(lines)}
locale-gen --keep-existing`;
}

/** Enterprise Linux: the packages of the languages: glibc-langpack-en for en_US.UTF-8. */
export function langpacks(names: readonly string[]): Sh {
  const packages = [...new Set(names.map((name) => `glibc-langpack-${name.split(/[_.@]/)[0]}`))];
  return sh`dnf -q -y --setopt=install_weak_deps=False install -- ${packages}`;
}

/** Elsewhere: from the sources of glibc that are there. */
function localedef(names: readonly string[]): Sh {
  return joinSh(
    names.map((name) => {
      const [, base = name, charset = 'UTF-8', modifier = ''] = /^([^.@]+)(?:\.([^@]+))?(@.+)?$/.exec(name) ?? [];
      const map = /^utf-?8$/i.test(charset) ? 'UTF-8' : charset;
      return sh`localedef -i ${base + modifier} -f ${map} ${name} || exit 1`;
    }),
  );
}

/** Makes locales that are not there. */
export function generateScript(by: OsLocale['by'], names: readonly string[]): Sh {
  if (names.length === 0) return sh`:`;
  return by === 'langpack' ? langpacks(names) : by === 'localedef' ? localedef(names) : localeGen(names);
}
