#!/usr/bin/python3
"""Plays ovirt-engine: see README.md beside this file."""
import http.server
import json
import sys
import threading
import time
import urllib.request

import psycopg2

import ovirt_conf
from daemon_kit import Log, stop_on_sigterm, stopping, tell_ready

CONF = ["/usr/share/ovirt-engine/services/ovirt-engine/ovirt-engine.conf", "/etc/ovirt-engine/engine.conf"]
POOL_SIZE = 5
START_SECONDS = 2
AUDIT_SECONDS = 2
STATS_SECONDS = 1
HEALTH_PATH = "/ovirt-engine/services/health"

log = Log("/var/log/ovirt-engine/engine.log", "org.ovirt.engine.core.bll.Backend")


class Pool:
    """Connections that stay open, as the application server's data source holds them; a broken one is opened again on use."""

    def __init__(self, dsn):
        self.dsn, self.slots = dsn, [None] * POOL_SIZE
        self.locks = [threading.Lock() for _ in self.slots]

    def run(self, slot, statement, values=()):
        with self.locks[slot]:
            try:
                if self.slots[slot] is None:
                    self.slots[slot] = psycopg2.connect(**self.dsn)
                    self.slots[slot].autocommit = True
                with self.slots[slot].cursor() as cursor:
                    cursor.execute(statement, values)
                    return cursor.fetchall() if cursor.description else []
            except psycopg2.Error:
                self._drop(slot)
                raise

    def _drop(self, slot):
        try:
            if self.slots[slot] is not None:
                self.slots[slot].close()
        except psycopg2.Error:
            pass
        self.slots[slot] = None

    def works(self, slot):
        try:
            return self.run(slot, "SELECT 1") == [(1,)]
        except psycopg2.Error:
            return False


class Dashboard:
    """One connection to the data warehouse's database, for the dashboard. Where its conf has no password there is no data warehouse."""

    def __init__(self, values):
        self.dsn = ovirt_conf.jdbc_dsn(values, "DWH") if values.get("DWH_DB_PASSWORD") else None

    def start(self):
        if self.dsn:
            threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        pool, failed = Pool(self.dsn), False
        while not stopping.is_set():
            try:
                pool.run(0, "SELECT max(history_datetime) FROM v4_5_statistics_hosts_resources_usage_samples")
                failed = False
            except psycopg2.Error as error:
                if not failed:
                    log("ERROR", "The dashboard cannot read the data warehouse at %s:%s: %s" % (self.dsn["host"], self.dsn["port"], str(error).strip()))
                failed = True
            stopping.wait(STATS_SECONDS)


class Engine:
    def __init__(self, dsn):
        self.pool, self.initialized, self.beat_at, self.audit_at, self.down = Pool(dsn), False, 0, 0, False

    def health(self):
        if not self.initialized:
            return 500, "Unable to contact Backend!"
        if not self.pool.works(0):
            return 500, "Unable to contact Database!"
        return 200, "DB Up!Welcome to Health Status!"

    def cycle(self):
        """One round of background work. Every connection is used, so that a closed one comes back."""
        for slot in range(POOL_SIZE):
            self.pool.run(slot, "SELECT 1")
        if not self.initialized:
            self.pool.run(1, "SELECT 1 FROM schema_version WHERE current")
            self.initialized = True
            log("INFO", "Running ovirt-engine 4.5.7")
            self.audit(1, "Starting oVirt Engine.")
        now = time.monotonic()
        if now >= self.beat_at:
            every = self.pool.run(1, "SELECT option_value FROM vdc_options WHERE option_name = 'DwhHeartBeatInterval'")
            self.beat_at = now + (int(every[0][0]) if every else 15)
            self.pool.run(1, "UPDATE dwh_history_timekeeping SET var_datetime = now() WHERE var_name = 'heartBeat'")
        if now >= self.audit_at:
            self.audit_at = now + AUDIT_SECONDS
            self.audit(30, "User admin@internal-authz logged in.")
        self.read_hosts()

    def audit(self, kind, message):
        self.pool.run(2, "INSERT INTO audit_log (log_time, log_type_name, log_type, severity, message, processed) "
                         "VALUES (now(), %s, %s, 0, %s, false)", ("ENGINE_EVENT", kind, message))

    def read_hosts(self):
        """Global maintenance is known to the database only as long as an engine runs that asks the hosts."""
        for vds_id, name in self.pool.run(3, "SELECT vds_id, host_name FROM vds_static ORDER BY vds_name"):
            try:
                with urllib.request.urlopen("http://%s:54321/stats" % name, timeout=1) as reply:
                    stats = json.load(reply)
            except (OSError, ValueError):
                continue
            self.pool.run(3, "UPDATE vds_statistics SET ha_global_maintenance = %s, ha_local_maintenance = %s, ha_score = %s "
                             "WHERE vds_id = %s AND (ha_global_maintenance, ha_local_maintenance, ha_score) IS DISTINCT FROM (%s, %s, %s)",
                          (stats["global"], stats["local"], stats["score"], vds_id, stats["global"], stats["local"], stats["score"]))

    def run(self):
        while not stopping.is_set():
            try:
                self.cycle()
                if self.down:
                    log("INFO", "The database is back")
                self.down = False
            except psycopg2.Error as error:
                if not self.down:
                    log("ERROR", "Unable to contact the database: %s" % str(error).strip())
                self.down = True
            stopping.wait(STATS_SECONDS)


def serve(engine):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            code, text = engine.health() if self.path.split("?")[0] == HEALTH_PATH else (404, "Not Found")
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("0.0.0.0", 80), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    stop_on_sigterm()
    try:
        values = ovirt_conf.load(*CONF)
        dsn, dashboard = ovirt_conf.jdbc_dsn(values, "ENGINE"), Dashboard(values)
    except (ovirt_conf.ConfError, OSError) as error:
        log("ERROR", str(error))
        sys.exit(1)
    tell_ready()
    log("INFO", "Start: database %(dbname)s at %(host)s:%(port)s as %(user)s" % dsn)
    if stopping.wait(START_SECONDS):
        return
    engine = Engine(dsn)
    serve(engine)
    dashboard.start()
    engine.run()
    log("INFO", "Stop")


main()
