#!/usr/bin/python3
"""Plays postgresql-setup of Enterprise Linux: `--initdb --unit NAME` with the real initdb. See README.md beside this file."""
import os
import pwd
import shlex
import subprocess
import sys

from rpm_kit import refuse

HOME = "/var/lib/pgsql"


def data_of(unit):
    """Where the service's unit says that its data is."""
    said = subprocess.run(["systemctl", "show", "-q", "-p", "Environment", "%s.service" % unit], capture_output=True, text=True, check=False).stdout
    for word in shlex.split(said.partition("=")[2]):
        if word.startswith("PGDATA="):
            return word[len("PGDATA=") :]
    sys.exit("FATAL: no db datadir (PGDATA) configured for '%s.service' unit" % unit)


def main(words):
    if len(words) != 3 or words[:2] != ["--initdb", "--unit"]:
        refuse("postgresql-setup", "postgresql-setup %s" % " ".join(words))
    unit, postgres = words[2], pwd.getpwnam("postgres")
    data, log = data_of(unit), "%s/initdb_%s.log" % (HOME, unit)
    print(" * Initializing database in '%s'" % data)
    if os.path.isdir(data) and os.listdir(data):
        print("ERROR: Data directory %s is not empty!\nERROR: Initializing database failed, possibly see %s" % (data, log), file=sys.stderr)
        return 1
    os.makedirs(data, exist_ok=True)
    for folder in (HOME, data):
        os.chown(folder, postgres.pw_uid, postgres.pw_gid)
        os.chmod(folder, 0o700)
    given = os.environ.get("PGSETUP_INITDB_OPTIONS", "").split()
    with open(log, "a", encoding="utf-8") as out:
        command = ["runuser", "-u", "postgres", "--", "initdb", "--pgdata=%s" % data, "--auth=ident", *given]
        code = subprocess.run(command, stdout=out, stderr=out, cwd="/", check=False).returncode
    if code != 0:
        print("ERROR: Initializing database failed, possibly see %s" % log, file=sys.stderr)
        return 1
    print(" * Initialized, logs are in %s" % log)
    return 0


sys.exit(main(sys.argv[1:]))
