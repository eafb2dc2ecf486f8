#!/usr/bin/python3
"""Plays ovirt-ha-agent and ovirt-ha-broker of one hosted-engine host: see README.md beside this file."""
import fcntl
import http.server
import json
import os
import socketserver
import threading
import time
import urllib.request
import zlib

from daemon_kit import stop_on_sigterm, stopping, tell_ready

SHARED = "/rhev/data-center/mnt/lab_hosted_storage"
SOCKET = "/run/ovirt-hosted-engine-ha/broker.socket"
CYCLE_SECONDS = 1
STALE_SECONDS = 5


def read_conf():
    with open("/etc/ovirt-hosted-engine/hosted-engine.conf", encoding="utf-8") as lines:
        return dict(line.rstrip("\n").split("=", 1) for line in lines if "=" in line)


def health_page(fqdn):
    try:
        with urllib.request.urlopen("http://%s/ovirt-engine/services/health" % fqdn, timeout=2) as reply:
            return b"DB Up" in reply.read()
    except OSError:
        return False


class SharedStorage:
    """Files in the folder that all hosts share, changed under one lock and replaced whole."""

    def update(self, name, change):
        with open(os.path.join(SHARED, ".lock"), "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            value = change(self.read(name))
            path = os.path.join(SHARED, name + ".json")
            with open(path + ".new", "w", encoding="utf-8") as out:
                json.dump(value, out)
            os.rename(path + ".new", path)

    def read(self, name):
        try:
            with open(os.path.join(SHARED, name + ".json"), encoding="utf-8") as text:
                return json.load(text)
        except (FileNotFoundError, ValueError):
            return {}

    def host_ids(self):
        return sorted(int(name[5:-5]) for name in os.listdir(SHARED) if name.startswith("host-") and name.endswith(".json"))


class Agent:
    def __init__(self, conf):
        self.conf, self.id, self.storage, self.lock = conf, int(conf["host_id"]), SharedStorage(), threading.Lock()
        self.local, self.healthy, self.seen, self.view, self.stopped = False, False, {}, {}, False

    def mine(self):
        """This host's own block, in the order the real one prints it."""
        here = int(self.conf["vm_host_id"]) == self.id
        if not here:
            status = {"vm": "down", "health": "bad", "detail": "unknown", "reason": "vm not running on this host"}
        elif self.healthy:
            status = {"vm": "up", "health": "good", "detail": "Up"}
        else:
            status = {"vm": "up", "health": "bad", "detail": "Up", "reason": "failed liveliness check"}
        now = int(time.time())
        score = 0 if self.local or self.stopped else 3400
        state = "AgentStopped" if self.stopped else "LocalMaintenance" if self.local else self.state_name(here)
        lines = ["metadata_parse_version=1", "metadata_feature_version=1", "timestamp=%d (%s)" % (now, time.ctime(now)), "host-id=%d" % self.id,
                 "score=%d" % score, "vm_conf_refresh_time=%d (%s)" % (now, time.ctime(now)), "conf_on_shared_storage=True",
                 "maintenance=%s" % self.local, "state=%s" % state, "stopped=%s" % self.stopped]
        extra = "\n".join(lines) + "\n"
        return {"host-id": self.id, "host-ts": now, "score": score, "engine-status": status, "hostname": self.conf["hostname"],
                "maintenance": self.local, "stopped": self.stopped, "crc32": "%08x" % zlib.crc32(extra.encode()),
                "conf_on_shared_storage": True, "local_conf_timestamp": now, "extra": extra}

    def state_name(self, here):
        if self.storage.read("cluster").get("global_maintenance"):
            return "GlobalMaintenance"
        return ("EngineUp" if self.healthy else "EngineStarting") if here else "EngineDown"

    def cycle(self):
        self.healthy = health_page(self.conf["fqdn"])
        self.refresh()

    def refresh(self):
        """Publishes this host's block and takes a new view of the others; what others changed is seen only here."""
        with self.lock:
            self.storage.update("host-%d" % self.id, lambda _: self.mine())
            hosts = {}
            for host_id in self.storage.host_ids():
                stats = self.storage.read("host-%d" % host_id)
                stamp, at = self.seen.get(host_id, (None, 0))
                if stamp != stats.get("host-ts"):
                    self.seen[host_id] = (stats.get("host-ts"), time.monotonic())
                    at = time.monotonic()
                hosts[str(host_id)] = dict(stats, **{"live-data": time.monotonic() - at < STALE_SECONDS and not stats.get("stopped", False)})
            self.view = {"hosts": hosts, "global": bool(self.storage.read("cluster").get("global_maintenance"))}

    def set_maintenance(self, mode):
        with self.lock:
            self.local = mode == "local"
            self.remember()
            self.storage.update("cluster", lambda state: dict(state, global_maintenance=mode == "global"))
        self.refresh()

    def remember(self):
        with open("/var/lib/ovirt-hosted-engine-ha/local_maintenance", "w", encoding="utf-8") as out:
            out.write("1" if self.local else "0")

    def recall(self):
        try:
            with open("/var/lib/ovirt-hosted-engine-ha/local_maintenance", encoding="utf-8") as text:
                self.local = text.read() == "1"
        except FileNotFoundError:
            pass


def serve(agent):
    class Broker(socketserver.StreamRequestHandler):
        def handle(self):
            request = json.loads(self.rfile.readline())
            if "set" in request:
                agent.set_maintenance(request["set"])
            self.wfile.write(json.dumps(agent.view).encode())

    class Stats(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            score = agent.view["hosts"].get(str(agent.id), {}).get("score", 0)
            body = json.dumps({"global": agent.view["global"], "local": agent.local, "score": score}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    os.makedirs(os.path.dirname(SOCKET), exist_ok=True)
    if os.path.exists(SOCKET):
        os.unlink(SOCKET)
    for server in (socketserver.ThreadingUnixStreamServer(SOCKET, Broker), http.server.ThreadingHTTPServer(("0.0.0.0", 54321), Stats)):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    stop_on_sigterm()
    agent = Agent(read_conf())
    agent.recall()
    agent.refresh()
    serve(agent)
    tell_ready()
    while not stopping.is_set():
        agent.cycle()
        stopping.wait(CYCLE_SECONDS)
    agent.stopped = True
    agent.refresh()
    os.unlink(SOCKET)


main()
