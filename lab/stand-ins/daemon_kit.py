"""What every stand-in daemon does: tell systemd it is ready, log as its model does, stop on SIGTERM."""
import os
import signal
import socket
import sys
import threading
import time

stopping = threading.Event()


def tell_ready():
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        sender.sendall(b"READY=1")


def stop_on_sigterm():
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())


class Log:
    def __init__(self, path, source):
        self.path, self.source, self.lock = path, source, threading.Lock()

    def __call__(self, level, text):
        line = "%s %s [%s] %s\n" % (time.strftime("%Y-%m-%d %H:%M:%S%z"), level, self.source, text)
        with self.lock:
            with open(self.path, "a", encoding="utf-8") as out:
                out.write(line)
        if level == "ERROR":
            sys.stderr.write(line)
