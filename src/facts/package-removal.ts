import { type Sh, sh } from '../hosts/sh.ts';
import { absent, defineFact, type Observed, unreadable, value } from './fact.ts';

/** A unit a package brings, or an instance of a template it brings. */
export interface OwnedUnit {
  readonly name: string;
  readonly active: boolean;
  /** As systemctl says it: enabled, disabled, static, masked, ... */
  readonly enabled: string;
}

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Whether a configured repository has exactly this version, so that it can come back. */
  readonly inRepository: boolean;
  /** Installed only because something else needed it. */
  readonly auto: boolean;
  /** What it takes on disk. */
  readonly bytes: number;
  /** Its conf files. */
  readonly conf: readonly string[];
  readonly units: readonly OwnedUnit[];
}

export interface PackageRemoval {
  readonly packages: readonly InstalledPackage[];
  /** Other packages that would be removed along. */
  readonly takes: readonly string[];
  /** Packages that would be installed instead. */
  readonly brings: readonly string[];
  /** Why it would be refused, in the package manager's words; null when it would not. */
  readonly refused: string | null;
}

/** Nothing beside what is named goes, whatever the configuration of the host says. */
export const APT_ALONE: Sh = sh`-o APT::Get::AutomaticRemove=false -o APT::Get::Purge=false`;

/** What apt-get would do if it removed the packages in `$@`; of its words only those that count. */
export const APT_SIMULATION: Sh = sh`apt-get -q -s ${APT_ALONE} remove -- "$@" 2>&1 | grep -E '^(Remv|Purg|Inst|E:) '`;

/** What rpm says of their removal: nothing but which packages still need them. Unlike dnf's it needs no lists of repositories. */
export const RPM_SIMULATION: Sh = sh`rpm -e --test -- "$@" 2>&1`;

// Of each package in `$p`: version, size in bytes (dpkg: KiB), the versions repositories have, how it came, its conf files.
// `dnf list` would break lines that are about as wide as a terminal; dnf 5 ends a line only where the format does.
const APT_FACTS: Sh = sh`dpkg-query -W -f='package \${Package} \${Version}\\nKiB \${Installed-Size}\\n\${Conffiles}\\n' -- "$p" | sed 's,^ /,conf /,'
apt-cache -q madison -- "$p" 2>/dev/null | sed 's/^/repo /'
apt-mark showauto -- "$p" 2>/dev/null | sed 's/.*/auto/'`;

const RPM_FACTS: Sh = sh`rpm -q --qf 'package %{NAME} %{VERSION}-%{RELEASE}\\nbytes %{SIZE}\\n' -- "$p"
dnf -q --cacheonly repoquery --qf='repo %{name} %{version}-%{release}\\n' -- "$p" 2>/dev/null
rpm -qc -- "$p" | sed -n 's,^/,conf /,p'`;

// The files of a package come in; an instance of a template counts where it is loaded.
const UNITS: Sh = sh`sed -n 's#^\\(/usr\\)\\{0,1\\}/lib/systemd/system/\\([^/]*\\.\\(service\\|socket\\|timer\\|path\\)\\)$#\\2#p' | while read -r u; do
case $u in *@.*) systemctl list-units --all --plain --no-legend -- "\${u%%@*}@*.\${u##*.}" 2>/dev/null | cut -d' ' -f1;; *) echo "$u";; esac; done | while read -r u; do
echo "unit $u $(systemctl show -p ActiveState --value -- "$u") $(systemctl show -p UnitFileState --value -- "$u")"; done`;

/**
 * What would come of removing packages, as the host's package manager tells it, and what would be needed to have them back.
 * Nothing is fetched. Absent when none of them is installed.
 */
export const packageRemoval = defineFact<[packages: string[]], PackageRemoval>({
  kind: 'packageRemoval',
  class: 'measure',
  script: (packages) => sh`set --
if command -v dpkg-query >/dev/null; then
for p in ${packages}; do [ "$(dpkg-query -W -f='\${db:Status-Status}' -- "$p" 2>/dev/null)" != installed ] || set -- "$@" "$p"; done
[ $# -gt 0 ] || { echo none; exit 0; }
${APT_SIMULATION}
for p; do ${APT_FACTS}
dpkg-query -L -- "$p" | ${UNITS}; done
elif command -v rpm >/dev/null; then
for p in ${packages}; do ! rpm -q -- "$p" >/dev/null 2>&1 || set -- "$@" "$p"; done
[ $# -gt 0 ] || { echo none; exit 0; }
${RPM_SIMULATION}
for p; do ${RPM_FACTS}
rpm -ql -- "$p" | ${UNITS}; done
else echo 'neither dpkg nor rpm is there to ask' >&2; exit 1; fi`,
  parse: ({ code, stdout, stderr }) =>
    stdout.trim() === 'none'
      ? absent
      : code === 0 && stdout.includes('package ')
        ? parseRemoval(stdout)
        : unreadable(stderr.trim() || `it ended with exit code ${code}`),
  show: (published) =>
    (published as unknown as PackageRemoval).packages.map(({ name, version }) => `${name} ${version}`).join(', '),
});

type Draft = { -readonly [K in keyof InstalledPackage]: InstalledPackage[K] } & { conf: string[]; units: OwnedUnit[] };

/** Reads what the script prints, of either family. */
export function parseRemoval(stdout: string): Observed<PackageRemoval> {
  const packages: Draft[] = [];
  const [goes, brings, refused, needing]: [string[], string[], string[], string[]] = [[], [], [], []];
  for (const line of stdout.split('\n')) {
    const [word = '', first = '', second = '', third = ''] = line.trim().split(/\s+/);
    const last = packages.at(-1);
    if (word === 'Remv' || word === 'Purg') goes.push(bare(first));
    else if (word === 'Inst') brings.push(bare(first));
    else if (word === 'E:' || word === 'error:') refused.push(line.replace(/^(E|error):\s*/, '').trim());
    else if (word === 'package') {
      // A package of several architectures is told once for each.
      if (packages.some(({ name }) => name === first)) continue;
      packages.push({ name: first, version: second, inRepository: false, auto: false, bytes: 0, conf: [], units: [] });
    } else if (!last) needing.push(...(/ is needed by (?:\(installed\) )?(\S+)/.exec(line)?.slice(1) ?? []));
    else if (word === 'KiB' || word === 'bytes') last.bytes = Number(first) * (word === 'KiB' ? 1024 : 1) || 0;
    else if (word === 'auto') last.auto = true;
    else if (word === 'repo') last.inRepository ||= repositoryVersions(line, last.name).includes(last.version);
    else if (word === 'conf')
      last.conf.push(/^conf (\/.*?)(?: (?:[0-9a-f]{32}|newconffile)(?: [a-z-]+)*)?$/.exec(line)?.[1] ?? '');
    else if (word === 'unit') last.units.push({ name: first, active: RUNS.has(second), enabled: third || 'static' });
  }
  const names = packages.map(({ name }) => name);
  const takes = [...goes.filter((name) => !names.includes(name)), ...needing];
  // rpm's own word for what stands behind it is an error of its own; the packages are told by name.
  const why = refused.filter((one) => one !== 'Failed dependencies:' && one !== '');
  return value({ packages, takes: [...new Set(takes)], brings, refused: why.length === 0 ? null : why.join('; ') });
}

const RUNS = new Set(['active', 'reloading', 'refreshing', 'activating', 'deactivating']);

/** The name without its architecture. */
function bare(name: string): string {
  return name.replace(/:[a-z0-9]+$/, '');
}

/** The version in a line of `apt-cache madison` (`tree | 2.1-1 | file:/srv ./ Packages`) or of dnf's (`tree 2.1-1`). */
function repositoryVersions(line: string, name: string): string[] {
  const madison = /^repo\s+(\S+)\s+\|\s+(\S+)\s+\|/.exec(line);
  if (madison) return madison[1] === name ? [madison[2] ?? ''] : [];
  const [, found = '', version = ''] = /^repo (\S+) (\S+)$/.exec(line) ?? [];
  return found === name ? [version] : [];
}
