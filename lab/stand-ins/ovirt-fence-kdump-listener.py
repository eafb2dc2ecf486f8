#!/usr/bin/python3
"""Plays ovirt-fence-kdump-listener: one connection to the engine database, found by HOST and PORT as the python tools do."""
import sys

import psycopg2

import ovirt_conf
from daemon_kit import Log, stop_on_sigterm, stopping, tell_ready

log = Log("/var/log/ovirt-engine/ovirt-fence-kdump-listener.log", "ovirt-fence-kdump-listener")


def main():
    stop_on_sigterm()
    try:
        values = ovirt_conf.load("/usr/share/ovirt-engine/services/ovirt-engine/ovirt-engine.conf", "/etc/ovirt-engine/engine.conf")
    except (ovirt_conf.ConfError, OSError) as error:
        log("ERROR", str(error))
        sys.exit(1)
    tell_ready()
    db, failed = None, False
    while not stopping.is_set():
        try:
            if db is None:
                db = psycopg2.connect(
                    host=values.get("ENGINE_DB_HOST"), port=values.get("ENGINE_DB_PORT"), dbname=values.get("ENGINE_DB_DATABASE"),
                    user=values.get("ENGINE_DB_USER"), password=values.get("ENGINE_DB_PASSWORD"), connect_timeout=5)
                db.autocommit = True
            with db.cursor() as cursor:
                cursor.execute("SELECT 1")
            failed = False
        except psycopg2.Error as error:
            if not failed:
                log("ERROR", str(error).strip())
            db, failed = None, True
        stopping.wait(2)


main()
