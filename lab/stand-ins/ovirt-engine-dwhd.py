#!/usr/bin/python3
"""Plays ovirt-engine-dwhd: samples the engine's database into the data warehouse's. See README.md beside this file."""
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
# The real one samples every DWH_SAMPLING (60) seconds, which is too long for a test to wait.
SAMPLE_SECONDS = 2
# The engine beats every DwhHeartBeatInterval (15 s); twice that without a beat is stale.
STALE_SECONDS = 30

log = Log("/var/log/ovirt-engine-dwh/ovirt-engine-dwhd.log", "ETL")


class Fatal(Exception):
    pass


def run(db, statement, values=()):
    with db.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def connect(dsn, whose):
    try:
        db = psycopg2.connect(**dsn)
    except psycopg2.Error as error:
        raise psycopg2.OperationalError("Cannot reach the %s's database at %s:%s: %s" % (whose, dsn["host"], dsn["port"], str(error).strip()))
    db.autocommit = True
    return db


class Dwhd:
    def __init__(self, values):
        self.engine_dsn, self.dwh_dsn = ovirt_conf.jdbc_dsn(values, "ENGINE"), ovirt_conf.jdbc_dsn(values, "DWH")
        self.uuid, self.version = values.get("DWH_UUID", ""), values.get("DWH_VERSION", "")
        self.engine, self.dwh, self.running, self.sample_at, self.stale = None, None, False, 0, False

    def read(self, name):
        rows = run(self.engine, "SELECT var_value, extract(epoch FROM now() - var_datetime) FROM dwh_history_timekeeping WHERE var_name = %s", (name,))
        return rows[0] if rows else (None, None)

    def write(self, name, value):
        run(self.engine, "UPDATE dwh_history_timekeeping SET var_value = %s WHERE var_name = %s", (value, name))

    def attach(self):
        if self.engine is None:
            self.engine = connect(self.engine_dsn, "engine")
        if not self.uuid or self.read("dwhUuid")[0] != self.uuid:
            raise Fatal("This installation is invalid. There might be a more recent DWH instance on host %s" % self.read("dwhHostname")[0])
        wanted = run(self.engine, "SELECT option_value FROM vdc_options WHERE option_name = 'MinimalETLVersion'")
        if not wanted or wanted[0][0].split(".")[:2] != self.version.split(".")[:2]:
            raise Fatal("Minimal supported DWH version on the engine side is %s, and is incompatible with installed DWH version %s"
                        % (wanted[0][0] if wanted else "unknown", self.version))
        self.dwh = connect(self.dwh_dsn, "data warehouse")
        if not self.running:
            self.write("dwhHostname", socket.getfqdn())
            self.write("DwhCurrentlyRunning", "1")
            self.running = True
            log("INFO", "ETL Service Started")

    def cycle(self):
        if self.engine is None or self.dwh is None:
            self.attach()
        if run(self.engine, "SELECT 1 FROM vdc_options WHERE option_name = 'DisconnectDwh' AND option_value = '1'"):
            log("INFO", "ETL Service was told to disconnect by the engine's setup")
            stopping.set()
            return
        age = self.read("heartBeat")[1]
        stale = age is None or age > STALE_SECONDS
        if stale and not self.stale:
            log("ERROR", "Can not sample data, oVirt Engine is not updating the statistics. Please check your oVirt Engine status.")
        self.stale = stale
        if not stale and time.monotonic() >= self.sample_at:
            self.sample()
            self.sample_at = time.monotonic() + SAMPLE_SECONDS

    def sample(self):
        """A row a host, under the newest version of its configuration, and the time of it in both databases."""
        for host, idle, load in run(self.engine, "SELECT vds_id::text, cpu_idle, cpu_load FROM vds_statistics ORDER BY vds_id"):
            run(self.dwh, "INSERT INTO host_samples_history (history_datetime, host_id, host_status, seconds_in_status, cpu_usage_percent, host_configuration_version) "
                          "VALUES (now(), %s, 1, 60, %s, (SELECT max(history_id) FROM host_configuration WHERE host_id = %s))", (host, load or 100 - (idle or 0), host))
        run(self.dwh, "UPDATE history_configuration SET var_value = 'false' WHERE var_name = 'firstSync' AND var_value <> 'false'")
        run(self.engine, "UPDATE dwh_history_timekeeping SET var_datetime = now() WHERE var_name = 'lastSync'")

    def lose(self):
        """Forgets both connections: which of them broke is not asked."""
        for db in (self.engine, self.dwh):
            try:
                if db is not None:
                    db.close()
            except psycopg2.Error:
                pass
        self.engine = self.dwh = None

    def detach(self):
        if self.running:
            try:
                if self.engine is None:
                    self.engine = connect(self.engine_dsn, "engine")
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
                log("ERROR", str(error).strip())
            failed = True
            dwhd.lose()
        stopping.wait(CYCLE_SECONDS)
    dwhd.detach()


main()
