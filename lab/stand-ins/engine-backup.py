#!/usr/bin/env python3
"""Plays engine-backup: its options, archive, texts and exit codes, and the defects that a runbook must know. See README.md."""
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

PACKAGE_VERSION = "4.5.7"
MODES = ("backup", "restore", "verify")
SCOPES = ("all", "files", "db", "dwhdb", "cinderlibdb", "managedblockdb", "keycloakdb", "grafanadb")
COMPRESSORS = {"gzip": ("z", "gzip"), "bzip2": ("j", "bzip2"), "xz": ("J", "xz"), "None": ("", "")}
PAIRS = (("4.3", "4.5"), ("4.4", "4.5"))
# Of each database: scope, prefix of its options, of its settings, of its words in config, dump, title, key that has it saved.
DATABASES = (
    ("db", "db", "ENGINE_DB", "DB", "engine_backup.db", "Engine", "OVESETUP_ENGINE_CORE/enable"),
    ("dwhdb", "dwh-db", "DWH_DB", "DWH_DB", "dwh_backup.db", "DWH", "OVESETUP_DWH_CORE/enable"),
    ("keycloakdb", "keycloak-db", "KEYCLOAK_DB", "KEYCLOAK_DB", "keycloak_backup.db", "Keycloak", "OVESETUP_KEYCLOAK_CORE/enable"),
)
ENGINE_ETC, DWH_ETC = "/etc/ovirt-engine", "/etc/ovirt-engine-dwh"
PATHS = """/etc/ovirt-engine /etc/ovirt-engine-dwh /etc/ovirt-provider-ovn/conf.d /etc/ovirt-vmconsole /etc/pki/ovirt-engine
/etc/pki/ovirt-vmconsole /etc/ovirt-engine-setup.conf.d /etc/httpd/conf.d/ssl.conf /etc/httpd/conf.d/z-ovirt-engine-proxy.conf
/etc/firewalld/services/ovirt-https.xml /etc/firewalld/services/ovirt-http.xml /etc/firewalld/services/ovirt-postgres.xml
/var/lib/openvswitch /etc/grafana""".split()
NOT_SAVED = ("backups", "jboss_runtime", "ansible-runner-service-project", "ansible-runner", ".ansible")
NOT_RESTORED = ("etc/ovirt-engine/engine-config/engine-config.properties", "etc/ovirt-engine-setup.conf.d/*packaging*",
                "etc/pki/ovirt-engine/cacert.template", "etc/pki/ovirt-engine/cert.template", "etc/pki/ovirt-engine/openssl.conf")
IGNORED = re.compile("|".join((
    'language "plpgsql" already exists', "must be owner of (language|extension) plpgsql", "must be owner of extension uuid-ossp",
    'schema "public" already exists', "must be owner of schema public", 'must be member of role "postgres"',
    "permission denied to change default privileges", r"function public\.uuid_.* does not exist", "permission denied to create extension",
    "extension .* does not exist")))
GRAFANA_DB = "/var/lib/grafana/grafana.db"
LINE = "-" * 78

opt = {"mode": "backup", "scopes": [], "file": "", "log": "", "tmpdir": os.environ.get("TMPDIR", "/tmp"), "archive": "z", "files": "J",
       "permissions": None, "keep": False, "db": {d[0]: {"format": "custom", "compressor": "", "jobs": "2", "change": False} for d in DATABASES}}
tmp, notified = None, {"failed": False, "on": False}


def die(message):
    sys.stderr.write("FATAL: %s\n" % message)
    sys.exit(1)


def log(message):
    with open(opt["log"], "a", encoding="utf-8") as out:
        out.write("%s %d: %s\n" % (time.strftime("%Y-%m-%d %H:%M:%S"), os.getpid(), message))


def output(message):
    log("OUTPUT: " + message)
    print(message, flush=True)


def logdie(message):
    log("FATAL: " + message)
    if notified["on"] and not notified["failed"]:
        notified["failed"] = True
        notify(-1, message)
    die(message)


def parse(args):
    for word in args:
        name, _, value = word.partition("=")
        if name == "--mode":
            opt["mode"] = value if value in MODES else die("invalid mode '%s'" % value)
        elif name == "--scope":
            opt["scopes"].append(value if value in SCOPES else die("invalid scope '%s'" % value))
        elif name in ("--file", "--log", "--tmpdir"):
            opt[name[2:]] = value
        elif name in ("--archive-compressor", "--files-compressor"):
            opt[name[2:].split("-")[0]] = COMPRESSORS[value][0] if value in COMPRESSORS else die("invalid compressor '%s'" % value)
        elif word == "--keep-temporary-data":
            opt["keep"] = True
        elif word in ("--restore-permissions", "--no-restore-permissions"):
            opt["permissions"] = word == "--restore-permissions"
        elif word in ("--fast-backup", "--fast-restore", "--small-size"):
            small = word == "--small-size"
            opt["archive"] = "J" if small else "z"
            for one in opt["db"].values():
                one.update(format="plain" if small else "custom", compressor="xz" if small else "")
        elif not database_option(name, value, word):
            die("Unknown option '%s'" % word)
    opt["scopes"] = opt["scopes"] or ["all"]


def database_option(name, value, word):
    for scope, prefix, *_ in DATABASES:
        one = opt["db"][scope]
        if word == "--change-%s-credentials" % prefix:
            one["change"] = True
        elif name == "--%s-compressor" % prefix:
            one["compressor"] = COMPRESSORS[value][1] if value in COMPRESSORS else die("invalid compressor '%s'" % value)
        elif name == "--%s-dump-format" % prefix:
            one["format"] = value if value in ("plain", "custom") else die("invalid dump format '%s'" % value)
        elif name == "--%s-restore-jobs" % prefix:
            one["jobs"] = value if value.isdigit() else die("invalid number of jobs")
        elif word == "--%s-secured" % prefix:
            one["secured"] = True
        elif word == "--%s-sec-validation" % prefix:
            one["validation"] = True
        elif name == "--%s-passfile" % prefix:
            if not os.access(value, os.R_OK):
                die("Can not read password file %s" % value)
            with open(value, encoding="utf-8") as passfile:
                one["password"] = passfile.readline().strip()
        elif name in ["--%s-%s" % (prefix, what) for what in ("host", "port", "user", "name", "password")]:
            one[name.rsplit("-", 1)[1]] = value
        else:
            continue
        return True
    return False


def verify_args():
    for directory, key, end in (("/var/lib/ovirt-engine-backup", "file", "backup"), ("/var/log/ovirt-engine-backup", "log", "log")):
        if not opt[key] and (key == "log" or opt["mode"] == "backup"):
            os.makedirs(directory, exist_ok=True)
            middle = "ovirt-engine-backup-" if key == "file" else "ovirt-engine-%s-" % opt["mode"]
            opt[key] = "%s/%s%s.%s" % (directory, middle, time.strftime("%Y%m%d%H%M%S"), end)
    if not opt["file"]:
        die("--file is missing")
    if opt["mode"] == "restore" and not os.path.exists(opt["file"]):
        die("%s does not exist" % opt["file"])
    if os.path.realpath(opt["file"]) == os.path.realpath(opt["log"]):
        die("backup file and log file cannot be the same")
    for scope, prefix, *_ in DATABASES:
        one = opt["db"][scope]
        if one["change"]:
            for key, words in (("host", "--%s-host"), ("user", "--%s-user"), ("password", "--%s-passfile or --" + prefix + "-password"), ("name", "--%s-name")):
                if not one.get(key):
                    die((words % prefix) + " is missing")
        elif any(one.get(key) for key in ("host", "user", "password", "name")):
            die("Please use --change-%s-credentials to change %s credentials" % (prefix, prefix.replace("-", " ")))


def shell_conf():
    """The values as a shell that sources the files has them: the data warehouse's own come last and win."""
    names = ["/usr/share/ovirt-engine/services/ovirt-engine/ovirt-engine.conf", ENGINE_ETC + "/engine.conf"]
    names += conf_d(ENGINE_ETC + "/engine.conf.d") + [DWH_ETC + "/ovirt-engine-dwhd.conf"] + conf_d(DWH_ETC + "/ovirt-engine-dwhd.conf.d")
    script = "".join("[ -r %s ] && . %s\n" % (shlex.quote(n), shlex.quote(n)) for n in names) + "set -o posix; set"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    values = {}
    for line in done.stdout.splitlines():
        name, eq, value = line.partition("=")
        if eq and re.match(r"^(ENGINE|DWH|KEYCLOAK)_\w+$", name):
            values[name] = (shlex.split(value) or [""])[0]
    return values


def conf_d(folder):
    return sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".conf")) if os.path.isdir(folder) else []


def enabled(key):
    for name in ["/etc/ovirt-engine-setup.conf"] + conf_d("/etc/ovirt-engine-setup.conf.d"):
        if os.path.exists(name) and re.search(r"^%s=bool:True$" % re.escape(key), open(name, encoding="utf-8").read(), re.M):
            return True
    return False


class Access:
    def __init__(self, values, prefix):
        self.host, self.port, self.user, self.name, self.password = (
            values.get("%s_%s" % (prefix, key), "") for key in ("HOST", "PORT", "USER", "DATABASE", "PASSWORD"))

    def run(self, program, *args, **more):
        passfile = os.path.join(tmp, ".pgpass")
        with open(os.open(passfile, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.write(":".join([self.host, self.port, self.name, self.user, re.sub(r"([\\:])", r"\\\1", self.password)]) + "\n")
        target = ["-d", self.name] if program == "pg_restore" else [self.name]
        words = [program, "-w", "-U", self.user, "-h", self.host, "-p", self.port] + target + list(args)
        more.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(words, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"], "PGPASSFILE": passfile}, **more)

    def sql(self, text, failed):
        done = self.run("psql", "-t", "-c", text)
        log((done.stdout + done.stderr).decode("utf-8", "replace"))
        return done.stdout.decode() if done.returncode == 0 else logdie(failed)


def notify(status, message):
    values = shell_conf()
    if not values.get("ENGINE_DB_USER"):
        return
    output("Notifying engine")
    scopes = [s for s in SCOPES[1:]] if "all" in opt["scopes"] else opt["scopes"]
    for scope in scopes:
        name = "cinderlib" if scope == "cinderlibdb" else "managedblock" if scope == "managedblockdb" else "keycloak" if scope == "keycloakdb" else scope
        words = (name, status, message.replace("'", "''"), values.get("ENGINE_FQDN", ""), os.path.realpath(opt["log"]))
        Access(values, "ENGINE_DB").sql("SELECT LogEngineBackupEvent('%s', now(), %d, '%s', '%s', '%s');" % words, "Failed notifying engine")


def wants(scope):
    return "all" in opt["scopes"] or scope in opt["scopes"]


def backup():
    output("Backing up:")
    values = shell_conf()
    notified["on"] = bool(values.get("ENGINE_DB_USER"))
    notify(0, "Started")
    tar = os.path.join(tmp, "tar")
    os.makedirs(tar + "/db")
    if wants("files"):
        output("- Files")
        ours = ["/var/lib/ovirt-engine/" + n for n in sorted(os.listdir("/var/lib/ovirt-engine")) if n not in NOT_SAVED]
        grafana = ["/var/lib/grafana/" + n for n in sorted(os.listdir("/var/lib/grafana")) if n != "grafana.db"] if os.path.isdir("/var/lib/grafana") else []
        there = [p[1:] for p in PATHS + ours + grafana if os.path.exists(p)]
        done = subprocess.run(["tar", "-C", "/", "--files-from", "-", "-cpS%sf" % opt["files"], tar + "/files"], input="\n".join(there), text=True, stderr=subprocess.DEVNULL)
        if done.returncode:
            logdie("Failed backing up " + "\n".join(PATHS))
    for scope, _, prefix, _, member, title, key in DATABASES:
        if wants(scope) and enabled(key) and values.get(prefix + "_USER"):
            access = Access(values, prefix)
            output("- %s database '%s'" % (title, access.name))
            dump(access, opt["db"][scope], tar + "/db/" + member)
    if wants("grafanadb") and enabled("OVESETUP_GRAFANA_CORE/enable") and os.path.exists(GRAFANA_DB):
        output("- Grafana database '%s'" % GRAFANA_DB)
        subprocess.run(["cp", "-a", GRAFANA_DB, tar + "/db/grafana.db"], check=True)
    write(tar + "/version", PACKAGE_VERSION + "\n")
    write(tar + "/os_version", os_version() + "\n")
    write(tar + "/config", "".join("%s_DUMP_COMPRESSOR=%s\n%s_DUMP_FORMAT=%s\n" % (d[3], opt["db"][d[0]]["compressor"], d[3], opt["db"][d[0]]["format"]) for d in DATABASES))
    subprocess.run(["sh", "-c", "find . -type f -printf '%P\\n' | while read -r f; do sha256sum \"$f\" || exit 1; done >../sums && mv ../sums sha256sum"], cwd=tar, check=True)
    output("Packing into file '%s'" % opt["file"])
    if subprocess.run(["tar", "-C", tar, "-cpS%sf" % opt["archive"], opt["file"], "."]).returncode:
        logdie("Cannot create '%s'" % opt["file"])
    notify(1, "Finished")


def dump(access, one, path):
    bare = ["--no-owner", "--no-privileges"] if one["format"] == "plain" else []
    with open(path, "wb") as out:
        done = access.run("pg_dump", "-E", "UTF8", "--disable-dollar-quoting", "--disable-triggers", "--format=" + one["format"], *bare, stdout=out)
    if done.returncode or done.stderr:
        log(done.stderr.decode("utf-8", "replace"))
        logdie("Database %s backup failed" % access.name)
    if one["compressor"]:
        subprocess.run([one["compressor"], path], check=True)
        os.rename(path + {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz"}[one["compressor"]], path)


def os_version():
    release = dict(line.rstrip("\n").partition("=")[::2] for line in open("/etc/os-release", encoding="utf-8"))
    return release["ID"].strip('"') + release["VERSION_ID"].strip('"').split(".")[0]


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def unpack():
    output("- Unpacking file '%s'" % opt["file"])
    if subprocess.run(["tar", "-C", tmp, "-pSsxf", opt["file"]], stderr=subprocess.DEVNULL).returncode:
        logdie("cannot open %s" % tmp)
    for program in ("sha256sum", "md5sum"):
        if os.path.exists(os.path.join(tmp, program)):
            if subprocess.run([program, "-c", program, "--status"], cwd=tmp).returncode:
                logdie("Checksum verification failed")
            break
    else:
        logdie("Checksum verification failed")
    made, here = open(tmp + "/version", encoding="utf-8").read().strip(), PACKAGE_VERSION
    number = lambda text: [int(n) for n in re.findall(r"\d+", text)]
    short = lambda text: ".".join(text.split(".")[:2])
    allowed = (short(made) == short(here) and number(made) <= number(here)) or (short(made), short(here)) in PAIRS
    if not allowed or (short(made) == "4.3" and number(made) < [4, 3, 10]):
        logdie("Backup was created by version '%s' and can not be restored using the installed version %s" % (made, here))
    # As root, and without a look at it: what this file says is done.
    done = subprocess.run(["bash", "-c", '. "$1"; set -o posix; set', "sh", tmp + "/config"], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        match = re.match(r"^(\w+)_DUMP_(FORMAT|COMPRESSOR)=(.*)$", line)
        for entry in DATABASES if match else ():
            if entry[3] == match.group(1):
                opt["db"][entry[0]][match.group(2).lower()] = (shlex.split(match.group(3)) or [""])[0]


def has(member):
    path = os.path.join(tmp, member)
    return os.path.exists(path) and os.path.getsize(path) > 0


def verify():
    output("Preparing to verify:")
    unpack()
    if has("db/engine_backup.db"):
        one = opt["db"]["db"]
        # The log it looks for is written for custom dumps alone.
        done = subprocess.run("%s <%s/db/engine_backup.db | pg_restore -f - -t vdc_options" % (one["compressor"] + " -d" if one["compressor"] else "cat", tmp), shell=True, capture_output=True)
        if one["format"] == "plain" or b"error: " in done.stderr:
            logdie("Errors while running pg_restore")


def restore():
    output("Preparing to restore:")
    if subprocess.run(["systemctl", "is-active", "-q", "ovirt-engine"]).returncode == 0:
        logdie("Engine service is active - can not restore backup")
    changed = {}
    for scope, _, prefix, _, _, title, _ in DATABASES:
        one = opt["db"][scope]
        if one["change"]:
            output("- Setting credentials for %s database '%s'" % (title, one["name"]))
            keys = {"HOST": one["host"], "PORT": one.get("port", "5432"), "USER": one["user"], "PASSWORD": one["password"], "DATABASE": one["name"],
                    "SECURED": str(bool(one.get("secured"))), "SECURED_VALIDATION": str(bool(one.get("validation")))}
            changed.update({"%s_%s" % (prefix, key): value for key, value in keys.items()})
            verify_connection(Access(changed, prefix))
    unpack()
    output("Restoring:")
    if wants("files") and has("files"):
        output("- Files")
        words = [w for pattern in NOT_RESTORED for w in ("--exclude", pattern)]
        if open(tmp + "/os_version", encoding="utf-8").read().strip() != os_version():
            words += ["--exclude", "etc/httpd/conf.d/ssl.conf", "--exclude", "etc/httpd/conf.d/ovirt-engine-root-redirect.conf"]
        if subprocess.run(["tar", "-C", "/", "-pSsx"] + words + ["-f", tmp + "/files"]).returncode:
            logdie("Failed restoring files")
    if opt["permissions"] is None and any(opt["db"][d[0]]["format"] == "custom" for d in DATABASES):
        die("Please pass one of --restore-permissions or --no-restore-permissions when restoring a backup with a custom dump format")
    values = {**shell_conf(), **changed}
    todo = [d for d in DATABASES if wants(d[0]) and has("db/" + d[4]) and values.get(d[2] + "_USER")]
    for entry in todo:
        verify_connection(Access(values, entry[2]))
    for scope, _, prefix, _, member, title, _ in todo:
        access = Access(values, prefix)
        output("- %s database '%s'" % (title, access.name))
        restore_database(access, opt["db"][scope], os.path.join(tmp, "db", member))
        if scope == "db":
            if not opt["keep"]:
                clean(access)
            print("%s\nPlease note:\n\nThe engine database was backed up at %s .\n%s" % (LINE, time.ctime(os.path.getmtime(tmp + "/db/" + member)), LINE))
    if wants("grafanadb") and has("db/grafana.db"):
        output("- Grafana database '%s'" % GRAFANA_DB)
        os.makedirs(os.path.dirname(GRAFANA_DB), exist_ok=True)
        subprocess.run(["cp", "-a", tmp + "/db/grafana.db", GRAFANA_DB], check=True)
    rewrite(values)
    output("You should now run engine-setup.")


def verify_connection(access):
    if access.run("psql", "-c", "select 1").returncode:
        logdie("Can't connect to database '%s'. Please see '%s --help'." % (access.name, sys.argv[0]))
    if access.sql("show lc_messages", "Failed").strip() != "en_US.UTF-8":
        logdie("lc_messages is set to an unsupported value in postgresql.conf. Please set it to en_US.UTF-8 and restart postgresql.")
    schema = access.run("pg_dump", "-s").stdout.decode("utf-8", "replace")
    if re.search(r"^create (?!extension|procedural language)", schema, re.M | re.I):
        logdie("Database '%s' is not empty" % access.name)


def restore_database(access, one, path):
    source = subprocess.run([one["compressor"], "-dc"] if one["compressor"] else ["cat"], stdin=open(path, "rb"), stdout=subprocess.PIPE).stdout
    if one["format"] == "plain":
        done = access.run("psql", input=source)
    else:
        bare = [] if opt["permissions"] else ["--no-owner", "--no-privileges"]
        jobs = ["-j", one["jobs"], path] if not one["compressor"] else []
        done = access.run("pg_restore", *bare, *jobs, input=None if jobs else source)
    log(done.stderr.decode("utf-8", "replace"))
    if [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "ERROR: " in line and not IGNORED.search(line)]:
        logdie("Errors while restoring database %s" % access.name)


def clean(access):
    output("  - Cleaning up temporary tables in engine database '%s'" % access.name)
    output("  - Updating DbJustRestored VdcOption in engine database")
    access.sql("UPDATE vdc_options SET option_value='1' WHERE option_name='DbJustRestored' and version='general'", "Failed updating DbJustRestored")
    for table in ("async_tasks", "async_tasks_entities", "business_entity_snapshot", "command_entities", "job", "step"):
        access.sql("TRUNCATE TABLE %s cascade" % table, "Failed cleaning up %s" % table)
    if "1" in access.sql("SELECT var_value FROM dwh_history_timekeeping WHERE var_name='DwhCurrentlyRunning'", "Failed checking DwhCurrentlyRunning"):
        output("  - Resetting DwhCurrentlyRunning in dwh_history_timekeeping in engine database")
        access.sql("UPDATE dwh_history_timekeeping SET var_value='0' WHERE var_name='DwhCurrentlyRunning'", "Failed resetting DwhCurrentlyRunning")
    output("  - Resetting HA VM status")
    access.sql("UPDATE vm_dynamic SET status=0, exit_status=2, exit_reason=-1, migrating_to_vds=NULL, run_on_vds=NULL WHERE vm_guid IN"
               " (SELECT vm_guid FROM vm_static WHERE auto_startup='t' AND lease_sd_id is NULL)", "Failed resetting HA VM status")


def rewrite(values):
    """What --change-*-credentials rewrites: the engine's file and both blocks of dwhd's, then two that may not be there."""
    change = {d[0] for d in DATABASES if opt["db"][d[0]]["change"]}
    if not change:
        return
    files = [(ENGINE_ETC + "/engine.conf.d/10-setup-database.conf", ["ENGINE_DB"])] if "db" in change else []
    files.append((DWH_ETC + "/ovirt-engine-dwhd.conf.d/10-setup-database.conf", ["ENGINE_DB", "DWH_DB"]))
    for path, prefixes in files:
        if not os.path.isfile(path):
            logdie("Can not find " + path)
        subprocess.run(["cp", "-a", path, path + time.strftime(".%Y%m%d%H%M%S")], check=True)
        output("Rewriting " + path)
        write(path, "".join(block(values, prefix) for prefix in prefixes))
    if "db" in change:
        for path in (ENGINE_ETC + "/engine.conf.d/10-setup-cinderlib-database.conf", ENGINE_ETC + "/engine.conf.d/12-setup-keycloak.conf"):
            if not os.path.isfile(path):
                logdie("Can not find " + path)


def block(values, prefix):
    secured = values.get(prefix + "_SECURED") == "True"
    options = (["ssl=true"] if secured else []) + ([] if values.get(prefix + "_SECURED_VALIDATION") == "True" else ["sslfactory=org.postgresql.ssl.NonValidatingFactory"])
    lines = ["%s_%s=\"%s\"\n" % (prefix, key, re.sub(r'(["\\$])', r"\\\1", values.get("%s_%s" % (prefix, key), ""))) for key in
             ("HOST", "PORT", "USER", "PASSWORD", "DATABASE", "SECURED", "SECURED_VALIDATION")]
    url = "jdbc:postgresql://${%s_HOST}:${%s_PORT}/${%s_DATABASE}?%s" % (prefix, prefix, prefix, "&".join(options))
    return "".join(lines) + '%s_DRIVER="org.postgresql.Driver"\n%s_URL="%s"\n' % (prefix, prefix, url)


parse(sys.argv[1:])
verify_args()
for target in (opt["file"], opt["log"]):
    try:
        open(target, "a", encoding="utf-8").close()
        os.chmod(target, 0o600)
    except OSError:
        die("Can not write %s" % target)
with tempfile.TemporaryDirectory(prefix="engine-backup.", dir=opt["tmpdir"]) as tmp:
    log("Start of engine-backup mode %s scope %s file %s" % (opt["mode"], ",".join(opt["scopes"]), opt["file"]))
    output("Start of engine-backup with mode '%s'" % opt["mode"])
    {"backup": backup, "restore": restore, "verify": verify}[opt["mode"]]()
    output("Done.")
