#!/bin/sh
# Turns a fresh root ($1) into the base of every lab host. Runs once, as mmdebstrap's customize hook, while apt still has a mirror.
set -eu
root=$1
in_root() { chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }

echo 'en_US.UTF-8 UTF-8' >"$root/etc/locale.gen"
in_root locale-gen >/dev/null
echo 'LANG=en_US.UTF-8' >"$root/etc/default/locale"

# The cluster is made in the stock Debian way, under C.UTF-8: what a minimal installation has.
in_root pg_dropcluster 15 main 2>/dev/null || true
in_root pg_createcluster --locale=C.UTF-8 15 main >/dev/null
rm -f "$root/etc/systemd/system/multi-user.target.wants/postgresql.service"

# A small local repository, so that packages can really be installed without a network.
mkdir -p "$root/srv/lab-repo"
in_root apt-get clean
in_root apt-get install -y -q --download-only --no-install-recommends tree pv jq firewalld >/dev/null
mv "$root"/var/cache/apt/archives/*.deb "$root/srv/lab-repo/"
in_root sh -eu -c 'cd /srv/lab-repo; for f in *.deb; do dpkg-deb -f "$f"
  printf "Filename: ./%s\nSize: %s\nSHA256: %s\n\n" "$f" "$(stat -c %s "$f")" "$(sha256sum "$f" | cut -d" " -f1)"; done >Packages'
rm -rf "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/* "$root/etc/apt/apt.conf.d/99mmdebstrap"
echo 'deb [trusted=yes] file:/srv/lab-repo ./' >"$root/etc/apt/sources.list"
in_root apt-get update -q >/dev/null

in_root useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/admin"
chmod 0440 "$root/etc/sudoers.d/admin"
in_root groupadd --system ovirt
in_root useradd --system --gid ovirt --home-dir /var/lib/ovirt-engine --shell /usr/sbin/nologin ovirt
install -d -m 0700 "$root/root/.ssh"
in_root install -d -m 0700 -o admin -g admin /home/admin/.ssh

rm -f "$root"/etc/ssh/ssh_host_*
printf 'PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n' >"$root/etc/ssh/sshd_config.d/lab.conf"

# Nothing here that the hosts do not need at boot: it makes them slow and busy.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  systemd-pstore.service getty@tty1.service console-getty.service systemd-networkd-wait-online.service systemd-firstboot.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service pg_receivewal@.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
ln -sf /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
: >"$root/etc/machine-id"
: >"$root/etc/resolv.conf"
rm -f "$root/var/lib/dbus/machine-id"
touch "$root/etc/.updated" "$root/var/.updated"
