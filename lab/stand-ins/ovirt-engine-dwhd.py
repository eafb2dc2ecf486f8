#!/usr/bin/python3
"""Plays ovirt-engine-dwhd's side of the engine database: see README.md beside this file."""
import socket
import sys
import time

import psycopg2

import ovirt_conf
from daemon_kit import Log, stop_on_sigterm, stopping, tell_ready

CONF = [
    "/usr/share/ovirt-engine-dwh/services/ovirt-engine-dwhd/ovirt-engine-dwhd.conf",
    "/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf",
]
CYCLE_SECONDS = 1
# The engine beats every DwhHeartBeatInterval (15 s); twice that without a beat is stale.
STALE_SECONDS = 30

log = Log("/var/log/ovirt-engine-dwh/ovirt-engine-dwhd.log", "ETL")


class Fatal(Exception):
    pass


class Dwhd:
    def __init__(self, values):
        self.dsn, self.uuid, self.db, self.synced_at, self.stale = ovirt_conf.jdbc_dsn(values, "ENGINE"), values.get("DWH_UUID", ""), None, 0, False

    def run(self, statement, values=()):
        with self.db.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def read(self, name):
        rows = self.run("SELECT var_value, extract(epoch FROM now() - var_datetime) FROM dwh_history_timekeeping WHERE var_name = %s", (name,))
        return rows[0] if rows else (None, None)

    def write(self, name, value):
        self.run("UPDATE dwh_history_timekeeping SET var_value = %s WHERE var_name = %s", (value, name))

    def attach(self):
        self.db = psycopg2.connect(**self.dsn)
        self.db.autocommit = True
        if not self.uuid or self.read("dwhUuid")[0] != self.uuid:
            raise Fatal("This installation is invalid. There might be a more recent DWH instance on host %s" % self.read("dwhHostname")[0])
        self.write("dwhHostname", socket.getfqdn())
        self.write("DwhCurrentlyRunning", "1")
        log("INFO", "ETL Service Started")

    def cycle(self):
        if self.db is None:
            self.attach()
        if self.run("SELECT 1 FROM vdc_options WHERE option_name = 'DisconnectDwh' AND option_value = '1'"):
            log("INFO", "ETL Service was told to disconnect by the engine's setup")
            stopping.set()
            return
        age = self.read("heartBeat")[1]
        stale = age is None or age > STALE_SECONDS
        if stale and not self.stale:
            log("ERROR", "Can not sample data, oVirt Engine is not updating the statistics. Please check your oVirt Engine status.")
        self.stale = stale
        if not stale and time.monotonic() >= self.synced_at:
            self.synced_at = time.monotonic() + 5
            self.run("UPDATE dwh_history_timekeeping SET var_datetime = now() WHERE var_name = 'lastSync'")

    def detach(self):
        if self.db is not None:
            try:
                self.write("DwhCurrentlyRunning", "0")
            except psycopg2.Error as error:
                log("ERROR", str(error).strip())
        log("INFO", "ETL Service Stopped")


def main():
    stop_on_sigterm()
    try:
        dwhd = Dwhd(ovirt_conf.load(*CONF))
    except (ovirt_conf.ConfError, OSError) as error:
        log("ERROR", str(error))
        sys.exit(1)
    tell_ready()
    failed = False
    while not stopping.is_set():
        try:
            dwhd.cycle()
            failed = False
        except Fatal as error:
            log("ERROR", str(error))
            sys.exit(1)
        except psycopg2.Error as error:
            if not failed:
                log("ERROR", "Cannot reach the engine's database: %s" % str(error).strip())
            failed, dwhd.db = True, None
        stopping.wait(CYCLE_SECONDS)
    dwhd.detach()


main()
