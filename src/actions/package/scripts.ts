import { type Sh, sh } from '../../hosts/sh.ts';

export type Refresh = 'auto' | 'always' | 'never';

/** What keeps apt and the scripts of packages from asking. */
export const QUIET_APT: Sh = sh`export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none`;

/**
 * Installs with apt: no questions, conf files of the administrator stay, another apt is waited for. `auto` fetches the lists
 * only when a package cannot be had from those that are there.
 */
export function aptScript(packages: readonly string[], refresh: Refresh, lockWaitS: number): Sh {
  const lock = `DPkg::Lock::Timeout=${lockWaitS}`;
  const update = sh`apt-get -q -o ${lock} update`;
  const first = {
    always: sh`${update} || exit 1`,
    auto: sh`apt-get -q -s install -- ${packages} >/dev/null 2>&1 || ${update} || exit 1`,
    never: sh`:`,
  };
  return sh`${QUIET_APT}
${first[refresh]}
apt-get -q -y -o ${lock} -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends install -- ${packages}`;
}

/** Installs with dnf, which waits for another dnf by itself. `auto` fetches the lists again when they have no such package. */
export function dnfScript(packages: readonly string[], refresh: Refresh): Sh {
  const install = (how: Sh) => sh`dnf -q -y${how} --setopt=install_weak_deps=False install -- ${packages}`;
  if (refresh !== 'auto') return install(refresh === 'always' ? sh` --refresh` : sh` --cacheonly`);
  return sh`r=0; out=$(${install(sh``)} 2>&1) || r=$?
case $r:$out in 0:*) ;; *'Unable to find a match'*) ${install(sh` --refresh`)}; exit;; esac
[ -z "$out" ] || printf '%s\\n' "$out"; exit $r`;
}

/** Installs with whichever of the two is there. */
export function installScript(packages: readonly string[], refresh: Refresh, lockWaitS: number): Sh {
  return sh`if command -v apt-get >/dev/null; then
${aptScript(packages, refresh, lockWaitS)}
elif command -v dnf >/dev/null; then
${dnfScript(packages, refresh)}
else echo 'neither apt-get nor dnf is there'; exit 127; fi`;
}
