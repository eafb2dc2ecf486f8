#!/usr/bin/python3
"""Plays the `hosted-engine` command: see README.md beside this file."""
import json
import os
import socket
import sys
import urllib.request

CONF = "/etc/ovirt-hosted-engine/hosted-engine.conf"
SOCKET = "/run/ovirt-hosted-engine-ha/broker.socket"
NO_DAEMON = "Cannot connect to the HA daemon, please check the logs.\n"
GLOBAL = "\n\n!! Cluster is in GLOBAL MAINTENANCE mode !!\n"
LABELS = [
    ("host-id", "Host ID"), ("host-ts", "Host timestamp"), ("score", "Score"), ("engine-status", "Engine status"), ("hostname", "Hostname"),
    ("maintenance", "Local maintenance"), ("stopped", "stopped"), ("crc32", "crc32"), ("conf_on_shared_storage", "conf_on_shared_storage"),
    ("local_conf_timestamp", "local_conf_timestamp"), ("live-data", "Status up-to-date"),
]


def conf():
    values = {}
    if os.access(CONF, os.R_OK):
        with open(CONF, encoding="utf-8") as lines:
            values = dict(line.rstrip("\n").split("=", 1) for line in lines if "=" in line)
    return values


def ask(request):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(10)
        client.connect(SOCKET)
        client.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(client.makefile().read())


def require_deployed():
    if not conf().get("vmid"):
        if os.path.exists("/var/lib/ovirt-hosted-engine-setup/deploying"):
            print("It seems like a previous attempt to deploy hosted-engine failed or it's still in progress. Please clean it up before trying again")
            return 2
        print("You must run deploy first")
        return 1
    return 0


def set_maintenance(args):
    if not args or not args[0].startswith("--mode="):
        print("You must specify a maintenance mode with --mode")
        return 1
    mode = args[0][len("--mode="):]
    if mode not in ("global", "local", "none"):
        print("Invalid value '%s' for --mode" % mode)
        return 1
    refused = require_deployed()
    if refused:
        return refused
    if mode == "local" and conf()["host_id"] == conf()["vm_host_id"]:
        sys.stderr.write("Unable to enter local maintenance mode: the engine VM is running on the current host, "
                         "please migrate it before entering local maintenance mode.\n")
        return 1
    try:
        ask({"set": mode})
    except OSError:
        sys.stderr.write(NO_DAEMON)
        return 1
    return 0


def vm_status(args):
    refused = require_deployed()
    if refused:
        return refused
    as_json = "--json" in args
    try:
        view = ask({})
    except OSError as error:
        # The real one prints a python dict here, not JSON.
        if as_json:
            print({"exception": "%s\n%s" % (error, NO_DAEMON.strip())})
        else:
            sys.stderr.write("%s\n%s" % (error, NO_DAEMON))
        sys.stderr.write("An error occured while retrieving vm status, please make sure the HA daemon is ready and reachable.\n"
                         "Unable to connect the HA Broker \n")
        return 1
    if as_json:
        print(json.dumps(dict(view["hosts"], global_maintenance=view["global"])))
        return 0 if view["hosts"] else 1
    if view["global"]:
        print(GLOBAL)
    for host_id, stats in view["hosts"].items():
        print("\n\n--== Host %s (id: %s) status ==--\n" % (stats["hostname"], host_id))
        for key, label in LABELS:
            value = stats[key]
            if key == "engine-status":
                value = json.dumps(value) if stats["live-data"] else "unknown stale-data"
            print("%-35s: %s" % (label, value))
        print("%-35s:" % "Extra metadata (valid at timestamp)")
        for line in stats["extra"].splitlines():
            print("\t" + line)
    if view["global"]:
        print(GLOBAL)
    return 0 if view["hosts"] else 1


def check_deployed(_):
    deployed = bool(conf().get("vmid"))
    print("The hosted engine has %sbeen deployed" % ("" if deployed else "not "))
    return 0 if deployed else 1


def check_liveliness(_):
    if not os.access(CONF, os.R_OK):
        sys.stderr.write("Error reading the configuration file\n")
        return 2
    fqdn = conf().get("fqdn")
    if not fqdn:
        sys.stderr.write("Incomplete configuration, missing FQDN of the hosted engine VM\n")
        return 2
    try:
        with urllib.request.urlopen("http://%s/ovirt-engine/services/health" % fqdn, timeout=20) as reply:
            up = "DB Up" in reply.read().decode()
    except OSError:
        up = False
    print("Hosted Engine is up!" if up else "Hosted Engine is not up!")
    return 0 if up else 1


COMMANDS = {"--set-maintenance": set_maintenance, "--vm-status": vm_status, "--check-deployed": check_deployed, "--check-liveliness": check_liveliness}


def main():
    command = COMMANDS.get(sys.argv[1]) if len(sys.argv) > 1 else None
    if command is None:
        print("Usage: %s [--help] <command> [<command-args>]\nThe stand-in knows: %s" % (sys.argv[0], " ".join(COMMANDS)))
        return 1
    return command(sys.argv[2:])


sys.exit(main())
