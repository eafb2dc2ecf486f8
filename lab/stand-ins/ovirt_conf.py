"""Reads oVirt's KEY=VALUE files as the engine's own readers do: later files win, ${NAME} is expanded at once while loading."""
import glob
import os
import re

LINE = re.compile(r"^\s*(\w+)=(.*)$")


class ConfError(Exception):
    pass


def parse_value(text, values):
    """\\x is x, " toggles quoting, a blank or # outside quotes ends the value, a $ without {NAME} is fatal."""
    out, quoted, at = [], False, 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":
            if at < len(text):
                out.append(text[at])
                at += 1
        elif char == "$":
            end = text.find("}", at)
            if text[at:at + 1] != "{" or end < 0:
                raise ConfError("Malformed variable assignment")
            out.append(values.get(text[at + 1:end], ""))
            at = end + 1
        elif char == '"':
            quoted = not quoted
        elif char in " #" and not quoted:
            break
        else:
            out.append(char)
    return "".join(out)


def load(*paths):
    """The values of all files, in the order given. A path X.conf also brings X.conf.d/*.conf, sorted. Missing files are skipped."""
    values = {}
    for path in paths:
        for name in [path] + sorted(glob.glob(os.path.join(path + ".d", "*.conf"))):
            if os.path.exists(name):
                _load_file(name, values)
    return values


def _load_file(name, values):
    with open(name, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            try:
                match = LINE.match(line)
                if not match:
                    raise ConfError("Malformed variable assignment")
                values[match.group(1)] = parse_value(match.group(2), values)
            except ConfError as error:
                raise ConfError("Cannot parse configuration file '%s' line %d: %s" % (name, number, error))


def jdbc_dsn(values, prefix):
    """What a JDBC data source would connect to: the URL, the user and the password; HOST, PORT and DATABASE are not looked at."""
    url = values.get(prefix + "_DB_URL", "")
    match = re.match(r"^jdbc:postgresql://(\[[^]]+\]|[^:/?]+)(?::(\d+))?/([^?]+)(?:\?(.*))?$", url)
    if not match:
        raise ConfError("%s_DB_URL is not a PostgreSQL JDBC URL: '%s'" % (prefix, url))
    options = match.group(4) or ""
    return {
        "host": match.group(1).strip("[]"),
        "port": match.group(2) or "5432",
        "dbname": match.group(3),
        "user": values.get(prefix + "_DB_USER", ""),
        "password": values.get(prefix + "_DB_PASSWORD", ""),
        "sslmode": "require" if "ssl=true" in options else "prefer",
        "connect_timeout": 5,
        "application_name": "PostgreSQL JDBC Driver",
    }
