#!/usr/bin/python3
"""Plays engine-setup with the data warehouse's plugins: by an answer file or by asking. See README.md beside this file."""
import argparse
import configparser
import datetime
import getpass
import glob
import os
import pwd
import secrets
import socket
import subprocess
import sys
import tempfile
import uuid

import psycopg2

import ovirt_conf

VERSION = "@VERSION@"
ETC, DWH_CONF, ENGINE_CONF = "/etc/ovirt-engine-setup.conf", "/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf", "/etc/ovirt-engine/engine.conf"
POST, EXAMPLE = ETC + ".d/20-setup-ovirt-post.conf", "/etc/ovirt-engine-dwh/examples/10-setup-dwh-database.conf"
ON_ENGINE = ENGINE_CONF + ".d/10-setup-dwh-database.conf"
BACKUPS, ANSWERS, LOGS = "/var/lib/ovirt-engine-dwh/backups", "/var/lib/ovirt-engine/setup/answers", "/var/log/ovirt-engine/setup"
DWHD = "ovirt-engine-dwhd.service"
SCALES = {"1": ("Basic", (24, 720, 0)), "2": ("Full", (24, 1440, 43800))}
STYLES = {"1": ("auto_ssh", "Access remote engine server using ssh as root"), "2": ("manual_files", "Perform each action manually, use files to copy content around"),
          "3": ("manual_inline", "Perform each action manually, show content to copy on the screen")}
PARTS = ("host", "port", "secured", "securedHostValidation", "database", "user", "password")
# What a server must have: how its value is read, the demand in words, and whether a value meets it.
DEMANDS = {
    "autovacuum_vacuum_scale_factor": ("0.01", lambda has: float(has) <= 0.01), "autovacuum_analyze_scale_factor": ("0.075", lambda has: float(has) <= 0.075),
    "autovacuum_max_workers": ("6", lambda has: int(has) >= 6), "maintenance_work_mem": ("65536", lambda has: int(has) >= 65536), "work_mem": ("8192", lambda has: int(has) >= 8192),
    "max_connections": ("150", lambda has: int(has) >= 150), "lc_messages": ("en_US.UTF-8", lambda has: has.lower().replace("-", "") == "en_us.utf8"),
    "password_encryption": ("scram-sha-256", lambda has: has == "scram-sha-256"), "server_encoding": ("UTF8", lambda has: has.lower() == "utf8"),
}


class SetupError(Exception):
    pass


def typed(text):
    kind, found, value = text.partition(":")
    if not found:
        raise ValueError("Missing variable type")
    if kind == "none":
        return None
    if kind == "bool":
        return value not in ("f", "F", "false", "False")
    if kind == "int":
        return int(value)
    if kind == "str":
        return value
    if kind == "multi-str":
        return value.splitlines()
    raise KeyError("Invalid variable type %s" % kind)


def written(value):
    kind = "none" if value is None else "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "str"
    return "%s:%s" % (kind, str(value).replace("%", "%%"))


class Setup:
    def __init__(self, args):
        self.args, self.env, self.files, self.backup, self.stage_name = args, {}, [], None, ""
        stamp = datetime.datetime.now().strftime("%Y%m%d%H%M%S")
        os.makedirs(LOGS, mode=0o755, exist_ok=True)
        os.makedirs(ANSWERS, mode=0o755, exist_ok=True)
        self.log_path = args.log or "%s/ovirt-engine-setup-%s-%s.log" % (LOGS, stamp, secrets.token_hex(3))
        self.answer_path = args.generate_answer or "%s/%s-setup.conf" % (ANSWERS, stamp)
        self.log_file = os.fdopen(os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")
        self.has_engine = os.path.exists("/usr/share/ovirt-engine/services/ovirt-engine/ovirt-engine.conf")

    # What is printed and asked, in the form of otopi's dialog for people.
    def write(self, text):
        sys.stdout.write(text)
        sys.stdout.flush()
        for key in ("OVESETUP_DB/password", "OVESETUP_DWH_DB/password", "OVESETUP_CONFIG/remoteEngineHostRootPassword"):
            text = text.replace(self.env.get(key) or "\0", "**FILTERED**")
        self.log_file.write(text)
        self.log_file.flush()

    def note(self, text, end="\n"):
        self.write("\n".join("         " + (" " + line if line else "") for line in text.split("\n")) + end)

    def log(self, level, text):
        self.write("[%s] %s\n" % (level.center(7), text.replace("\n", " ")))

    def stage(self, name):
        self.stage_name = name
        self.log("INFO", "Stage: %s" % name)

    def ask(self, key, text, default=None, valid=None, hidden=False, test=None):
        """The answer that was given, or the default where defaults are accepted, or what somebody types."""
        if self.env.get(key) is not None:
            return self.env[key]
        values = "(%s) " % ", ".join(valid) if valid else ""
        text += "%s%s: " % (values, "" if default is None else "[%s]" % default)
        while True:
            if self.args.accept_defaults and default:
                self.note(text + str(default))
                return default
            self.note(text, end="")
            if hidden and sys.stdin.isatty():
                typed_in = getpass.getpass("")
            else:
                line = sys.stdin.readline()
                if not line:
                    self.write("\n")
                    raise SetupError("End of file")
                typed_in = line.rstrip("\r\n")
            answer = typed_in or (default or "")
            found = [one for one in valid or [answer] if one.lower() == answer.lower()]
            if not answer:
                self.log("ERROR", "Please specify value")
            elif not found:
                self.log("ERROR", "Invalid value")
            elif test and test(answer):
                self.log("ERROR", test(answer))
            else:
                return found[0]

    def decide(self, key, text, default, yes="Yes", no="No"):
        if self.env.get(key) is None:
            self.env[key] = self.ask(key, text, yes if default else no, (yes, no)) == yes
        return self.env[key]

    def title(self, name):
        self.note("\n--== %s ==--\n" % name)

    # Stages.
    def read_answers(self):
        parser = configparser.ConfigParser()
        parser.optionxform = str
        read = []
        for name in [ETC] + (self.args.config_append or "").split(":"):
            paths = [path for path in [name] + sorted(glob.glob(name + ".d/*.conf")) if name and os.path.isfile(path)]
            if name and name != ETC and not paths:
                self.log("WARNING", "The following configuration files are missing: %s." % name)
            read += parser.read(paths)
        for section in ("environment:default", "environment:init", "environment:override", "environment:enforce"):
            for key, value in parser.items(section) if parser.has_section(section) else ():
                try:
                    self.env[key] = typed(value)
                except Exception as error:
                    raise SetupError("Cannot parse configuration file key %s at section %s: %s" % (key, section, error))
        return read

    def read_former(self):
        """What an earlier setup left: an identity, and the databases where no answer names them."""
        values = ovirt_conf.load(DWH_CONF)
        self.uuid = values.get("DWH_UUID") or str(uuid.uuid4())
        sources = [("OVESETUP_DWH_DB", "DWH", values), ("OVESETUP_DB", "ENGINE", ovirt_conf.load(ENGINE_CONF) if self.has_engine else values)]
        for prefix, name, has in sources:
            for part, field in zip(PARTS, ("HOST", "PORT", "SECURED", "SECURED_VALIDATION", "DATABASE", "USER", "PASSWORD")):
                if has.get(name + "_DB_PASSWORD") and self.env.get("%s/%s" % (prefix, part)) is None:
                    value = has.get("%s_DB_%s" % (name, field))
                    self.env["%s/%s" % (prefix, part)] = value == "True" if value in ("True", "False") else value

    def customize(self):
        self.title("PRODUCT OPTIONS")
        self.env.setdefault("OVESETUP_ENGINE_CORE/enable", self.has_engine)
        if self.env["OVESETUP_ENGINE_CORE/enable"] and not self.has_engine:
            raise SetupError("ovirt-engine is not installed")
        if not self.decide("OVESETUP_DWH_CORE/enable", "Set up Data Warehouse on this host ", True):
            return
        self.decide("OVESETUP_GRAFANA_CORE/enable", "Set up Grafana on this host ", os.path.exists("/usr/share/grafana"))
        self.title("PACKAGES")
        if not self.args.offline:
            self.log("INFO", "Checking for product updates...")
            self.log("INFO", "No product updates found")
        self.title("NETWORK CONFIGURATION")
        self.network()
        self.title("DATABASE CONFIGURATION")
        self.databases()
        for name in ("OVIRT ENGINE", "STORAGE", "PKI", "APACHE", "SYSTEM", "MISC"):
            self.title(name + " CONFIGURATION")
        self.is_new = not self.tables("OVESETUP_DWH_DB")
        if self.is_new or self.args.reconfigure_dwh_scale:
            lines = "\n".join("(%s) %s" % (index, name) for index, (name, _) in SCALES.items())
            self.env["OVESETUP_DWH_CONFIG/scale"] = self.ask("OVESETUP_DWH_CONFIG/scale", "Please choose Data Warehouse sampling scale:\n%s\n" % lines, "1" if self.has_engine else "2", tuple(SCALES))
        self.title("END OF CONFIGURATION")

    def resolves(self, name):
        try:
            socket.getaddrinfo(name, None)
        except OSError as error:
            return "Host name is not valid: %s did not resolve into an IP address (%s)" % (name, error.strerror)

    def network(self):
        fqdn = self.ask("OVESETUP_CONFIG/fqdn", "Host fully qualified DNS name of this server ", socket.getfqdn(), test=self.resolves)
        if self.resolves(fqdn):
            raise SetupError(self.resolves(fqdn))
        self.env["OVESETUP_CONFIG/fqdn"] = fqdn
        note = "Setup can automatically configure the firewall on this system.\nNote: automatic configuration of the firewall may overwrite current settings.\n"
        if self.decide("OVESETUP_CONFIG/updateFirewall", note + "Do you want Setup to configure the firewall? ", True):
            running = subprocess.run(["systemctl", "is-active", "--quiet", "firewalld"], check=False).returncode == 0
            if not running and self.env.get("OVESETUP_CONFIG/firewallManager") == "firewalld":
                raise SetupError("Firewall manager firewalld is not available")
            self.env["OVESETUP_CONFIG/firewallManager"] = "firewalld" if running else None
        self.is_remote_new = not self.has_engine and not self.env.get("OVESETUP_DWH_CONFIG/remoteEngineConfigured")
        if not self.is_remote_new:
            return
        engine = self.ask("OVESETUP_ENGINE_CONFIG/fqdn", "Host fully qualified DNS name of the engine server ", "", test=self.resolves)
        if self.resolves(engine):
            raise SetupError(self.resolves(engine))
        self.env["OVESETUP_ENGINE_CONFIG/fqdn"] = engine
        key = "OVESETUP_CONFIG/remoteEngineSetupStyle"
        if self.env.get(key) is None:
            asked = "".join("%s - %s\n" % (index, text) for index, (name, text) in STYLES.items() if name != "manual_inline")
            intro = ("Setup will need to do some actions on the remote engine server. Either automatically, using ssh as root to access it, or you will be prompted to "
                     "manually perform each such action.\nPlease choose one of the following:\n")
            self.env[key] = STYLES[self.ask(key, intro + asked, "1", ("1", "2"))][0]
        if self.env[key] not in [name for name, _ in STYLES.values()]:
            raise SetupError("Unknown style %s" % self.env[key])
        if self.env[key] == "auto_ssh":
            port, word = "OVESETUP_CONFIG/remoteEngineHostSshPort", "OVESETUP_CONFIG/remoteEngineHostRootPassword"
            self.env[port] = int(self.ask(port, "ssh port on remote engine server ", "22"))
            self.env[word] = self.ask(word, "root password on remote engine server %s" % engine, hidden=True)

    def databases(self):
        where = "OVESETUP_DWH_PROVISIONING/postgresProvisioningEnabled"
        if self.env.get(where) is None and self.env.get("OVESETUP_DWH_DB/host") is None:
            local = self.ask("", "Where is the DWH database located? ", "Local", ("Local", "Remote")) == "Local"
            text = ("Setup can configure the local postgresql server automatically for the DWH to run. This may conflict with existing applications.\n"
                    "Would you like Setup to automatically configure postgresql and create DWH database, or prefer to perform that manually? ")
            self.env[where] = local and self.decide(where, text, True, "Automatic", "Manual")
            if local:
                self.env.update({"OVESETUP_DWH_DB/host": "localhost", "OVESETUP_DWH_DB/port": 5432})
        if self.env.get(where) and self.env.get("OVESETUP_DWH_DB/password") is None:
            raise SetupError("This stand-in provisions no database: create it, or answer Remote")
        self.credentials("OVESETUP_DWH_DB", "DWH", "localhost", "ovirt_engine_history")
        note = "\nPlease provide the following credentials for the Engine database.\nThey should be found on the Engine server in '%s.d/10-setup-database.conf'.\n" % ENGINE_CONF
        self.credentials("OVESETUP_DB", "Engine", "", "engine", note)

    def credentials(self, prefix, name, host, owner, note=None):
        given = {part: self.env.get("%s/%s" % (prefix, part)) for part in PARTS}
        # With all of them in the answers nothing is tried here: what is wrong with them comes out later.
        asks = None in [given[part] for part in ("host", "port", "database", "user", "password")]
        if asks and note:
            self.note(note)
        while True:
            put = lambda part, value: self.env.__setitem__("%s/%s" % (prefix, part), value)
            put("host", self.ask(prefix + "/host", "%s database host " % name, host, test=self.resolves))
            put("port", int(self.ask(prefix + "/port", "%s database port " % name, "5432", test=lambda text: None if text.isdigit() else "Invalid port")))
            secured = self.decide(prefix + "/secured", "%s database secured connection " % name, False)
            if secured:
                self.decide(prefix + "/securedHostValidation", "%s database host name validation in secured connection " % name, True)
            put("securedHostValidation", bool(secured and self.env.get(prefix + "/securedHostValidation")))
            put("database", self.ask(prefix + "/database", "%s database name " % name, owner))
            put("user", self.ask(prefix + "/user", "%s database user " % name, owner))
            put("password", self.ask(prefix + "/password", "%s database password" % name, hidden=True))
            if not asks:
                return
            try:
                wrong = self.unmet(prefix)
                if not wrong:
                    return
                self.log("ERROR", wrong)
            except psycopg2.Error as error:
                self.log("ERROR", "Cannot connect to %s database: %s" % (name, error))
            for part in PARTS:
                self.env["%s/%s" % (prefix, part)] = given[part]

    def connect(self, prefix):
        has = {part: self.env["%s/%s" % (prefix, part)] for part in PARTS}
        mode = "verify-full" if has["securedHostValidation"] else "require" if has["secured"] else "allow"
        return psycopg2.connect(host=has["host"], port=str(has["port"]), dbname=has["database"], user=has["user"], password=has["password"], sslmode=mode, connect_timeout=10)

    def query(self, prefix, statement, values=()):
        db = self.connect(prefix)
        try:
            with db.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()
        finally:
            db.close()

    def tables(self, prefix):
        try:
            return self.query(prefix, "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'public'")[0][0]
        except psycopg2.Error:
            return None

    def unmet(self, prefix):
        """What a server lacks of what setup demands, in setup's words; None when it lacks nothing."""
        host = self.env[prefix + "/host"]
        has = dict(self.query(prefix, "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (list(DEMANDS),)))
        bad = [" %s = %s" % (key, wanted) for key, (wanted, meets) in DEMANDS.items() if not meets(has[key])]
        if bad:
            return "Please set:\n%s\nin postgresql.conf on '%s'. Its location is usually /var/lib/pgsql/data , or somewhere under /etc/postgresql* ." % ("\n".join(bad), host)
        server = self.query(prefix, "SHOW server_version")[0][0].split()[0]
        client = subprocess.run(["psql", "-V"], check=True, capture_output=True, text=True).stdout.split()[2]
        if int(client.split(".")[0]) < int(server.split(".")[0]):
            return "Postgresql client version is '%s', whereas the version on %s is '%s'. Please use a Postgresql server of version '%s'." % (client, host, server, client)
        return None

    def kept(self, name):
        return (self.query("OVESETUP_DB", "SELECT var_value FROM dwh_history_timekeeping WHERE var_name = %s", (name,)) or [(None,)])[0][0]

    def validate(self):
        for prefix in ("OVESETUP_DB", "OVESETUP_DWH_DB"):
            wrong = self.unmet(prefix)
            if wrong and not self.env.get("OVESETUP_CONFIG/forceInvalidPGConf"):
                raise SetupError(wrong)
        self.check_versions()
        self.check_maintenance()
        self.check_owners("OVESETUP_DWH_DB", "DWH")
        if self.has_engine:
            self.check_owners("OVESETUP_DB", "Engine")
            if not self.query("OVESETUP_DB", "SELECT 1 FROM pg_extension WHERE extname = 'uuid-ossp'"):
                raise SetupError("uuid-ossp extension is not installed on database")
        self.check_single()
        self.title("CONFIGURATION PREVIEW")
        shown = {"Host FQDN": self.env["OVESETUP_CONFIG/fqdn"], "Engine database host": self.env["OVESETUP_DB/host"], "DWH installation": True, "DWH database host": self.env["OVESETUP_DWH_DB/host"]}
        self.note("\n".join("%s: %s" % (key.ljust(40), value) for key, value in shown.items()) + "\n")
        if not self.decide("OVESETUP_DIALOG/confirmSettings", "Please confirm installation settings ", True, "OK", "Cancel"):
            raise SetupError("Aborted by user")
        if not self.is_new:
            size = self.query("OVESETUP_DWH_DB", "SELECT pg_database_size(current_database()) / 1048576")[0][0]
            text = ("The detected DWH database size is %s MB.\nSetup can backup the existing database. The time and space required for the database backup depend on its size.\n"
                    "Would you like to backup the existing database before upgrading it? ") % size
            self.decide("OVESETUP_DWH_DB/performBackup", text, True)

    def check_versions(self):
        minimal = self.query("OVESETUP_DB", "SELECT option_value FROM vdc_options WHERE option_name = 'MinimalETLVersion'")[0][0]
        if minimal.split(".")[:2] != VERSION.split(".")[:2]:
            raise SetupError("Minimal supported DWH version on the engine side is %s, and is incompatible with installed DWH package version %s. "
                             "Please upgrade or downgrade engine or DWH as applicable." % (minimal, VERSION))

    def check_maintenance(self):
        if not self.has_engine or self.env.get("OVESETUP_CONFIG/continueSetupOnHEVM"):
            return
        hosts = self.query("OVESETUP_DB", "SELECT bool_or(ha_configured), bool_and(ha_global_maintenance) FROM vds_statistics WHERE ha_configured")
        if hosts[0][0] and not hosts[0][1]:
            self.log("ERROR", "It seems that you are running your engine inside of the hosted-engine VM and are not in \"Global Maintenance\" mode.\nIn that case you should put the system into the "
                              "\"Global Maintenance\" mode before running engine-setup, or the hosted-engine HA agent might kill the machine, which might corrupt your data.\n")
            raise SetupError("Hosted Engine setup detected, but Global Maintenance is not set.")

    def check_owners(self, prefix, name):
        others = self.query(prefix, "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner JOIN pg_namespace n ON n.oid = c.relnamespace "
                                    "WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%%' AND r.rolname <> %s", (self.env[prefix + "/user"],))
        if others:
            raise SetupError("Cannot upgrade the %s database schema due to wrong ownership of some database entities." % name)

    def check_single(self):
        self.former = self.kept("dwhHostname")
        known = self.kept("dwhUuid")
        if not known or known == self.uuid:
            return
        text = ("An existing DWH is configured to work with this engine.\nIts hostname is %s.\nA positive answer to the following question will cause the existing DWH to be permanently "
                "disconnected from the engine.\nA negative answer will stop Setup.\nDo you want to permanently disconnect this DWH from the engine? ") % self.former
        if not self.decide("OVESETUP_DWH_DB/disconnectExistingDwh", text, False):
            raise SetupError("An existing DWH found - Setup cancelled by user")

    def begin(self):
        self.log("INFO", "Stopping dwh service")
        subprocess.run(["systemctl", "stop", DWHD], check=False)
        if self.kept("DwhCurrentlyRunning") == "1":
            self.log("ERROR", "dwhd is currently running.\nIts hostname is %s.\nPlease stop it before running Setup." % self.former)
            raise SetupError("dwhd is currently running")

    def block(self, prefix, name):
        has = {part: self.env["%s/%s" % (prefix, part)] for part in PARTS}
        options = "&".join(text for text in ("ssl=true" if has["secured"] else "", "" if has["securedHostValidation"] else "sslfactory=org.postgresql.ssl.NonValidatingFactory") if text)
        password = "".join("\\" + char if char in "\\\"$`" else char for char in has["password"])
        pairs = [("HOST", has["host"]), ("PORT", has["port"]), ("USER", has["user"]), ("PASSWORD", password), ("DATABASE", has["database"]), ("SECURED", has["secured"]),
                 ("SECURED_VALIDATION", has["securedHostValidation"]), ("DRIVER", "org.postgresql.Driver"),
                 ("URL", "jdbc:postgresql://%s:%s/%s?%s" % (has["host"], has["port"], has["database"], options))]
        return "".join('%s_DB_%s="%s"\n' % (name, key, value) for key, value in pairs)

    def misc(self):
        if not self.is_new and self.env["OVESETUP_DWH_DB/performBackup"]:
            self.dump()
        self.log("INFO", "Creating/refreshing DWH database schema")
        if self.is_new:
            raise SetupError("This stand-in makes no schema: restore the data warehouse's database first")
        folder = DWH_CONF + ".d/"
        self.files += [(folder + "10-setup-database.conf", self.block("OVESETUP_DB", "ENGINE") + self.block("OVESETUP_DWH_DB", "DWH"), "ovirt", 0o600),
                       (folder + "10-setup-uuid.conf", "DWH_UUID=%s\n" % self.uuid, "ovirt", 0o600), (EXAMPLE, self.block("OVESETUP_DWH_DB", "DWH"), "ovirt", 0o600)]
        if self.args.reconfigure_dwh_scale:
            keeps = zip(("SAMPLES", "HOURLY", "DAILY"), SCALES[self.env["OVESETUP_DWH_CONFIG/scale"]][1])
            self.files.append((folder + "10-setup-scale.conf", "".join("DWH_TABLES_KEEP_%s=%d\n" % pair for pair in keeps), "ovirt", 0o600))
        if self.has_engine:
            self.files.append((ON_ENGINE, self.block("OVESETUP_DWH_DB", "DWH"), "ovirt", 0o600))
        self.env["OVESETUP_DWH_CONFIG/remoteEngineConfigured"] = not self.has_engine
        keys = ("OVESETUP_DWH_CORE/enable", "OVESETUP_ENGINE_CORE/enable", "OVESETUP_GRAFANA_CORE/enable", "OVESETUP_CONFIG/fqdn", "OVESETUP_ENGINE_CONFIG/fqdn",
                "OVESETUP_DWH_CONFIG/remoteEngineConfigured", "OVESETUP_DWH_PROVISIONING/postgresProvisioningEnabled")
        post = "".join("%s=%s\n" % (key, written(self.env.get(key))) for key in keys)
        self.log("INFO", "Generating post install configuration file '%s'" % POST)
        self.files.append((POST, "# action=setup\n[environment:default]\n" + post, "root", 0o644))

    def dump(self):
        has = {part: str(self.env["OVESETUP_DWH_DB/" + part]) for part in PARTS}
        os.makedirs(BACKUPS, exist_ok=True)
        self.backup = "%s/dwh-%s.%s.dump" % (BACKUPS, datetime.datetime.now().strftime("%Y%m%d%H%M%S"), secrets.token_hex(3))
        self.log("INFO", "Backing up database %s:%s to '%s'." % (has["host"], has["database"], self.backup))
        with tempfile.NamedTemporaryFile("w", prefix="pgpass") as passwords:
            passwords.write("*:*:*:*:%s\n" % has["password"].replace("\\", "\\\\").replace(":", "\\:"))
            passwords.flush()
            words = ["pg_dump", "-E", "UTF8", "--disable-dollar-quoting", "--disable-triggers", "-F", "c", "-w", "-U", has["user"], "-h", has["host"], "-p", has["port"], "-f", self.backup, has["database"]]
            done = subprocess.run(words, env=dict(os.environ, PGPASSFILE=passwords.name), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SetupError("Failed to backup the database: %s" % done.stderr.strip())
        os.chmod(self.backup, 0o600)

    def commit(self):
        for path, text, owner, mode in self.files:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            new = path + ".otopi-new"
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as out:
                out.write(text)
            user = pwd.getpwnam(owner)
            os.chown(new, user.pw_uid, user.pw_gid)
            os.chmod(new, mode)
            os.rename(new, path)
        db = self.connect("OVESETUP_DB")
        with db, db.cursor() as cursor:
            for name, value in (("dwhHostname", self.env["OVESETUP_CONFIG/fqdn"]), ("dwhUuid", self.uuid)):
                cursor.execute("UPDATE dwh_history_timekeeping SET var_value = %s WHERE var_name = %s", (value, name))
        db.close()

    def close(self):
        self.title("SUMMARY")
        self.log("INFO", "Starting dwh service")
        for words in (["enable", DWHD], ["start", DWHD]):
            done = subprocess.run(["systemctl"] + words, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise SetupError("Failed to start service 'ovirt-engine-dwhd'")
        if self.is_remote_new:
            with open(EXAMPLE, encoding="utf-8") as example:
                self.tell_engine(example.read())
            self.note("Please restart the engine by running the following on %s :\n# service ovirt-engine restart\nThis is required for the dashboard to work.\n" % self.env["OVESETUP_ENGINE_CONFIG/fqdn"])
        self.title("END OF SUMMARY")

    def tell_engine(self, content):
        engine, style = self.env["OVESETUP_ENGINE_CONFIG/fqdn"], self.env["OVESETUP_CONFIG/remoteEngineSetupStyle"]
        ovirt = pwd.getpwnam("ovirt")
        if style == "auto_ssh":
            words = ["sshpass", "-e", "ssh", "-o", "StrictHostKeyChecking=accept-new", "-p", str(self.env["OVESETUP_CONFIG/remoteEngineHostSshPort"]), "root@" + engine,
                     "umask 077; cat >%s.new && chown ovirt:ovirt %s.new && mv %s.new %s" % ((ON_ENGINE,) * 4)]
            env = dict(os.environ, SSHPASS=self.env["OVESETUP_CONFIG/remoteEngineHostRootPassword"])
            try:
                done = subprocess.run(words, input=content, env=env, capture_output=True, text=True, check=False)
            except FileNotFoundError:
                raise SetupError("This stand-in has no sshpass to use the root password with")
            if done.returncode != 0:
                raise SetupError("Error: Failed to copy data to remote host %s: %s" % (engine, done.stderr.strip()))
            return
        if style == "manual_inline":
            self.note("Please create %s on the engine server with this content:\n\n%s" % (ON_ENGINE, content))
            where = "it"
        else:
            with tempfile.NamedTemporaryFile("w", delete=False) as copy:
                copy.write(content)
            where = copy.name
            self.note("Please copy %s from here to %s on the engine server." % (where, ON_ENGINE))
        self.note("Please make {0} on the engine server owned by uid:gid {1}:{2}.\nYou can do this by running there:\n# chown {1}:{2} {0}".format(ON_ENGINE, ovirt.pw_uid, ovirt.pw_gid))
        self.note("Please set the mode bits of {0} on the engine server to 0o600.\nYou can do this by running there:\n# chmod 0o600 {0}".format(ON_ENGINE))
        self.ask("", "Please press Enter to continue", "y") if self.args.accept_defaults else self.wait_for_enter()
        if where != "it":
            os.unlink(where)

    def wait_for_enter(self):
        self.note("Please press Enter to continue: ", end="")
        if not sys.stdin.readline():
            raise SetupError("End of file")

    def leave_answers(self):
        keys = sorted(key for key in self.env if key.startswith(("OVESETUP_", "OTOPI_")))
        with os.fdopen(os.open(self.answer_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write("# action=setup\n[environment:default]\n" + "".join("%s=%s\n" % (key, written(self.env[key])) for key in keys))

    def run(self):
        try:
            self.stage("Initializing")
            read = self.read_answers()
            self.stage("Environment setup")
            self.note("Configuration files: %s\nLog file: %s\nVersion: otopi-1.10.4 (otopi-1.10.4-1)" % (", ".join(read), self.log_path))
            self.read_former()
            self.stage("Environment customization")
            self.customize()
            if not self.env["OVESETUP_DWH_CORE/enable"]:
                raise SetupError("This stand-in sets up the data warehouse and nothing else")
            for name, work in (("Setup validation", self.validate), ("Transaction setup", self.begin), ("Misc configuration", self.misc), ("Transaction commit", self.commit), ("Closing up", self.close)):
                self.stage(name)
                work()
            code = 0
        except (SetupError, psycopg2.Error, OSError) as error:
            self.log("ERROR", "Failed to execute stage '%s': %s" % (self.stage_name, str(error).strip()))
            code = 1
        self.stage("Clean up")
        self.note("Log file is located at %s" % self.log_path)
        self.log("INFO", "Generating answer file '%s'" % self.answer_path)
        self.leave_answers()
        self.stage("Pre-termination")
        self.stage("Termination")
        self.log(*(("INFO", "Execution of setup completed successfully") if code == 0 else ("ERROR", "Execution of setup failed")))
        return code


def main():
    parser = argparse.ArgumentParser(prog="engine-setup")
    for name in ("--log", "--config", "--config-append", "--generate-answer"):
        parser.add_argument(name)
    for name in ("--offline", "--accept-defaults", "--reconfigure-optional-components", "--reconfigure-dwh-scale"):
        parser.add_argument(name, action="store_true")
    args = parser.parse_args()
    args.config_append = args.config_append or args.config
    if os.geteuid() != 0:
        sys.exit("***L:FATAL Error: Must run as root")
    return Setup(args).run()


sys.exit(main())
