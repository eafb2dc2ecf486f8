#!/usr/bin/python3
"""Plays ovirt-engine-notifier: it idles."""
from daemon_kit import stop_on_sigterm, stopping, tell_ready

stop_on_sigterm()
tell_ready()
stopping.wait()
