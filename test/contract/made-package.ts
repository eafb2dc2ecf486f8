/**
 * A script that has a package of our own in the host's repository, with a conf file, a folder it makes itself and a service that
 * its scripts enable and start; and installs it, changed by an administrator and stopped.
 */
export const MADE_PACKAGE = `set -e
if [ ! -e /srv/lab-repo/ferry-test.deb ]; then d=$(mktemp -d); mkdir -p $d/DEBIAN $d/etc $d/lib/systemd/system
printf 'Package: ferry-test\\nVersion: 1.0-1\\nArchitecture: all\\nMaintainer: Ferry <ferry@lab.example>\\nDescription: for a test\\n' >$d/DEBIAN/control
echo /etc/ferry-test.conf >$d/DEBIAN/conffiles; echo 'A=stock' >$d/etc/ferry-test.conf
printf '[Service]\\nExecStart=/bin/sh -c "echo >>/srv/ferry-test-started; exec sleep 9999"\\n[Install]\\nWantedBy=multi-user.target\\n' >$d/lib/systemd/system/ferry-test.service
printf '#!/bin/sh\\nmkdir -p /etc/ferry-test.d; echo id >/etc/ferry-test.d/id; systemctl daemon-reload; systemctl enable -q ferry-test; systemctl start ferry-test || :\\n' >$d/DEBIAN/postinst
printf '#!/bin/sh\\nsystemctl stop ferry-test || :\\nsystemctl disable -q ferry-test || :\\n' >$d/DEBIAN/prerm
printf '#!/bin/sh\\nrm -rf /etc/ferry-test.d; systemctl daemon-reload || :\\n' >$d/DEBIAN/postrm
chmod 755 $d $d/DEBIAN/p*; dpkg-deb --build --root-owner-group $d /srv/lab-repo/ferry-test.deb >/dev/null; cd /srv/lab-repo
{ echo; dpkg-deb -f ferry-test.deb; printf 'Filename: ./ferry-test.deb\\nSize: %s\\nSHA256: %s\\n\\n' "$(stat -c %s ferry-test.deb)" "$(sha256sum ferry-test.deb | cut -d' ' -f1)"; } >>Packages
apt-get update -q >/dev/null; fi
export DEBIAN_FRONTEND=noninteractive; apt-get install -y -q ferry-test pv >/dev/null; apt-mark auto pv >/dev/null; systemctl stop ferry-test; systemctl enable -q ferry-test
rm -f /srv/ferry-test-started; echo 'A=mine' >/etc/ferry-test.conf; echo mine >/etc/ferry-test.d/id`;

/** Takes it all away again. */
export const UNMADE_PACKAGE =
  'DEBIAN_FRONTEND=noninteractive apt-get purge -y -q ferry-test pv >/dev/null; rm -rf /etc/ferry-test.d /srv/ferry-test-started';
