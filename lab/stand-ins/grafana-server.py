#!/usr/bin/python3
"""Plays grafana-server: one PostgreSQL data source, read when it starts. See README.md beside this file."""
import glob
import http.server
import json
import re
import sys
import threading

import psycopg2

from daemon_kit import Log, stop_on_sigterm, stopping, tell_ready

SOURCES = "/etc/grafana/conf/provisioning/datasources/*.yaml"
LINE = re.compile(r"^( *)(- )?([A-Za-z]\w*):(?: +(.+?))? *$")
# Read through a view, so that a grant that was lost is seen.
QUERY = "SELECT count(*) FROM v4_5_latest_configuration_hosts"
LOOK_SECONDS = 2

log = Log("/var/log/grafana/grafana.log", "grafana")


class Unreadable(Exception):
    pass


def plain(text):
    if text[:1] == '"':
        return json.loads(text)
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    if re.search(r": | #|:$", text) or text[:1] in "{[&*!|>%@`":
        raise Unreadable("did not find expected plain scalar: %s" % text)
    return text


def load(path):
    """The data sources of a file: as much of YAML as the one that engine-setup writes, and anything else is refused."""
    sources, outer = [], None
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines.read().split("\n"), 1):
            if not line.strip() or line.lstrip().startswith("#") or line == "---":
                continue
            match = LINE.match(line)
            if not match:
                raise Unreadable("%s: line %d: could not find expected ':'" % (path, number))
            indent, item, key, value = len(match.group(1)) + len(match.group(2) or ""), match.group(2), match.group(3), match.group(4)
            if item:
                sources.append({})
            if indent == 0:
                continue
            if not sources:
                raise Unreadable("%s: line %d: no data source begins before it" % (path, number))
            if indent == 2:
                outer = sources[-1].setdefault(key, {} if value is None else plain(value))
            elif isinstance(outer, dict) and value is not None:
                outer[key] = plain(value)
            else:
                raise Unreadable("%s: line %d: a value that belongs to nothing" % (path, number))
    return sources


class Source:
    """A connection that stays open, as Grafana's pool keeps one; a broken one is opened again on use."""

    def __init__(self, settings):
        self.settings, self.db, self.lock = settings, None, threading.Lock()
        host, _, port = settings["url"].rpartition(":")
        self.dsn = {
            "host": host, "port": port, "user": settings["user"], "dbname": settings["database"],
            "password": settings["secureJsonData"]["password"], "sslmode": settings["jsonData"]["sslmode"], "connect_timeout": 5}

    def health(self):
        with self.lock:
            try:
                if self.db is None:
                    self.db = psycopg2.connect(**self.dsn)
                    self.db.autocommit = True
                with self.db.cursor() as cursor:
                    cursor.execute(QUERY)
                return 200, {"message": "Database Connection OK", "status": "OK"}
            except psycopg2.Error as error:
                self.db = None
                return 400, {"message": "pq: %s" % str(error).strip().split("\n")[0], "status": "ERROR"}

    def about(self):
        return {key: self.settings.get(key) for key in ("uid", "name", "type", "url", "user", "database")}


def serve(sources):
    def answer(path):
        if path == "/api/health":
            return 200, {"commit": "lab", "database": "ok", "version": "9.2.10"}
        if path == "/api/datasources":
            return 200, [source.about() for source in sources.values()]
        match = re.match(r"^/api/datasources/uid/([^/]+)(/health)?$", path)
        if match and match.group(1) in sources:
            source = sources[match.group(1)]
            return source.health() if match.group(2) else (200, source.about())
        return 404, {"message": "Data source not found" if match else "Not found"}

    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            code, value = answer(self.path.split("?")[0])
            body = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("0.0.0.0", 3000), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    stop_on_sigterm()
    try:
        found = [source for path in sorted(glob.glob(SOURCES)) for source in load(path)]
        sources = {source["uid"]: Source(source) for source in found}
    except (Unreadable, OSError, KeyError, ValueError) as error:
        log("ERROR", "Datasource provisioning error: %s" % error)
        sys.exit(1)
    serve(sources)
    tell_ready()
    log("INFO", "HTTP Server Listen, %d data sources" % len(sources))
    healthy = {}
    while not stopping.is_set():
        for uid, source in sources.items():
            code, answer = source.health()
            if healthy.get(uid) != code:
                log("INFO" if code == 200 else "ERROR", "%s: %s" % (uid, answer["message"]))
            healthy[uid] = code
        stopping.wait(LOOK_SECONDS)


main()
