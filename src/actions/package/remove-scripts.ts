import { APT_ALONE, APT_SIMULATION, RPM_SIMULATION } from '../../facts/package-removal.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
import { QUIET_APT } from './scripts.ts';

/** The exit code of a removal that would have taken more than was planned. Nothing was changed then. */
export const TAKES_MORE = 81;

/** What rpm calls a conf file that was changed, when its package goes. */
const RPM_SAVED = '.rpmsave';

/** Removes with apt-get, conf files stay; looks once more, right before, that nothing else would go or come. */
export function aptRemove(packages: readonly string[], lockWaitS: number): Sh {
  return sh`${QUIET_APT}
set -- ${packages}
more=$(${APT_SIMULATION} | while read -r what name rest; do for p; do case $what:$name in Remv:"$p" | Remv:"$p":*) continue 2;; esac; done; echo "$name $rest"; done)
[ -z "$more" ] || { echo "$more"; exit ${TAKES_MORE}; }
apt-get -q -y -o ${`DPkg::Lock::Timeout=${lockWaitS}`} ${APT_ALONE} remove -- "$@"`;
}

/**
 * The same with dnf, which would otherwise remove what nothing needs any more. Beside the kept packages it leaves a mark: rpm
 * forgets a package last, so that one it was killed over is still installed, by its word, and has lost files.
 */
export function dnfRemove(packages: readonly string[], kept: string): Sh {
  return sh`set -- ${packages}
more=$(${RPM_SIMULATION}) || { echo "$more"; exit ${TAKES_MORE}; }
k=${kept}; [ ! -e "$k" ] || : >"$k.begun"
dnf -q -y --setopt=clean_requirements_on_remove=False remove -- "$@"`;
}

export function removeScript(packages: readonly string[], lockWaitS: number, kept: string): Sh {
  return ofFamily(aptRemove(packages, lockWaitS), dnfRemove(packages, kept));
}

export interface Versioned {
  readonly name: string;
  readonly version: string;
  readonly auto: boolean;
}

/** Fetches packages at their versions into the current folder, with apt. */
export function aptFetch(packages: readonly Versioned[]): Sh {
  return sh`apt-get -q download -- ${packages.map(({ name, version }) => `${name}=${version}`)}`;
}

/** The same with dnf. */
export function dnfFetch(packages: readonly Versioned[]): Sh {
  return sh`dnf -q -y reinstall --downloadonly --downloaddir=. -- ${packages.map(({ name, version }) => `${name}-${version}`)}`;
}

/** Prints an archive of the packages' own files, as the repository has them. */
export function fetchScript(packages: readonly Versioned[]): Sh {
  return sh`set -eu; d=$(mktemp -d); trap 'cd /; rm -rf -- "$d"' EXIT; chmod 755 "$d"; cd -- "$d"
{ ${ofFamily(aptFetch(packages), dnfFetch(packages))}; } >&2
set -- ./*; [ $# -eq ${packages.length} ] && [ -s "$1" ] || { echo "the repository gave $# of ${packages.length} packages" >&2; exit 1; }
tar -chf - -- "$@"`;
}

/** Prints an archive of the paths that are there. What rpm once saved of a conf file goes in too: it would save over it. */
export function archiveScript(paths: readonly string[]): Sh {
  const saved = paths.map((path) => `${path}${RPM_SAVED}`);
  return sh`set -eu; set --; for f in ${[...paths, ...saved]}; do if [ -e "$f" ] || [ -L "$f" ]; then set -- "$@" ".$f"; fi; done
if [ $# -gt 0 ]; then tar -C / -cpf - -- "$@"; fi`;
}

/** Installs the files of packages in the current folder with apt, at whatever version they are; conf files that are there stay. */
export function aptRestore(packages: readonly Versioned[], lockWaitS: number): Sh {
  const auto = packages.filter((one) => one.auto).map(({ name }) => name);
  return sh`${QUIET_APT}
dpkg --configure -a; apt-get -q -y -o ${`DPkg::Lock::Timeout=${lockWaitS}`} -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends --allow-downgrades --no-remove install ./*.deb
${auto.length === 0 ? sh`:` : sh`apt-mark auto -- ${auto} >/dev/null`}`;
}

/** The same with dnf, which knows no mark to set back. What is installed and has lost files it installs only when told again. */
export function dnfRestore(): Sh {
  return sh`dnf -q -y --setopt=install_weak_deps=False install ./*.rpm
! gone || dnf -q -y reinstall ./*.rpm`;
}

/**
 * Brings packages back from their kept files, and conf files from theirs. None of their units is started: masked while the
 * packages come, and afterwards enabled or not as before. Where nothing was removed, only conf files that are missing come back.
 * What rpm saved of a conf file goes again.
 */
export function restoreScript(
  undo: {
    readonly packages: readonly Versioned[];
    readonly units: readonly { name: string; enabled: string }[];
    lockWaitS: number;
  },
  kept: { readonly packages: string; readonly conf: string },
): Sh {
  const units = (is: (enabled: string) => boolean) => undo.units.filter(({ enabled }) => is(enabled)).map(({ name }) => name);
  const [mask, on, off] = [
    units((one) => !one.startsWith('masked')),
    units((one) => one === 'enabled'),
    units((one) => one === 'disabled'),
  ];
  const each = (verb: Sh, names: readonly string[]) => (names.length === 0 ? sh`` : sh`systemctl -q ${verb} -- ${names}\n`);
  const names = undo.packages.map(({ name }) => name);
  return sh`set -eu; k=${kept.packages}; c=${kept.conf}
[ -e "$k" ] || exit 0
gone() { for p in ${names}; do if command -v dpkg-query >/dev/null; then [ "$(dpkg-query -W -f='\${db:Status-Status}' -- "$p" 2>/dev/null)" = installed ] || return 0; else rpm -q -- "$p" >/dev/null 2>&1 || return 0; [ ! -e "$k.begun" ] || ! rpm -V --nodeps --noscripts --nofiledigest -- "$p" | grep -q ^missing || return 0; fi; done; return 1; }
if gone; then : >"$k.again"; ${each(sh`mask --runtime`, mask)}d=$(mktemp -d); trap 'cd /; rm -rf -- "$d"' EXIT; chmod 755 "$d"; cd -- "$d"; tar -xf "$k"
${ofFamily(aptRestore(undo.packages, undo.lockWaitS), dnfRestore())}
fi
${each(sh`unmask --runtime`, mask)}systemctl daemon-reload
[ ! -s "$c" ] || if [ -e "$k.again" ]; then tar -C / -xpf "$c"; else tar -C / --skip-old-files -xpf "$c"; fi
[ ! -s "$c" ] || tar -tf "$c" | while read -r f; do f=/\${f#./}; s=$f${RPM_SAVED}
[ ! -f "$s" ] || ! cmp -s -- "$f" "$s" || tar -tf "$c" ".$s" >/dev/null 2>&1 || rm -f -- "$s"; done
if [ -e "$k.again" ]; then :
${each(sh`enable`, on)}${each(sh`disable`, off)}fi
! gone || { echo 'some of them are not installed'; exit 1; }
rm -f -- "$k.again" "$k.begun"`;
}

function ofFamily(apt: Sh, dnf: Sh): Sh {
  return sh`if command -v apt-get >/dev/null; then
${apt}
elif command -v dnf >/dev/null; then
${dnf}
else echo 'neither apt-get nor dnf is there'; exit 127; fi`;
}
