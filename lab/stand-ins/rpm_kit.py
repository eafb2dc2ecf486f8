"""What the stand-ins of dnf and rpm share: made-up packages as JSON, what is installed of them, and their files on the host.

A package is a file NAME-VERSION-RELEASE.ARCH.rpm that holds JSON: name, version, release, arch; and, where it has them, requires and
recommends (names), files (path -> {text, config: true or "noreplace"}), folders, post, preun, postun (shell).
"""
import json
import os
import subprocess
import sys

#: Everything of the stand-ins on a host: repository/, cache.json (its lists as they were last fetched), installed.json.
HOME = os.environ.get("EL_LIKE_HOME", "/srv/el-like")
REPOSITORY, CACHE, INSTALLED, REFUSED = (os.path.join(HOME, name) for name in ("repository", "cache.json", "installed.json", "refused"))


def refuse(program, what):
    """A form that is not played here is never passed over: also where nobody looks at stderr, it stands in the file of what was refused."""
    text = "stand-in of %s: %s is not played here (see lab/stand-ins/README.md)" % (program, what)
    print(text, file=sys.stderr)
    with open(REFUSED, "a", encoding="utf-8") as file:
        file.write(text + "\n")
    sys.exit(99)


def load(path, default=None):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return default


def save(path, what):
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(what, file, indent=1)
    os.replace(path + ".new", path)


def installed():
    """By name: what is installed, each with `reason`, user or dependency."""
    return load(INSTALLED, {})


def nevra(package):
    return "%(name)s-%(version)s-%(release)s.%(arch)s" % package


def size(package):
    return sum(len(file["text"]) for file in package.get("files", {}).values())


def matches(package, spec):
    forms = ("%(name)s", "%(name)s.%(arch)s", "%(name)s-%(version)s", "%(name)s-%(version)s-%(release)s", "%(name)s-%(version)s-%(release)s.%(arch)s")
    return spec in [form % package for form in forms]


def needing(names, among):
    """(what is needed, by which package) for each need that the rest would have left when these names go."""
    rest = [one for one in among.values() if one["name"] not in names]
    return [(need, one) for one in rest for need in one.get("requires", []) if need in names]


def script(package, which, argument):
    text = package.get(which)
    ran = subprocess.run(["/bin/sh", "-c", text, "sh", argument], stdin=subprocess.DEVNULL) if text else None
    if ran is None or ran.returncode == 0:
        return True
    print("error: %%%s(%s) scriptlet failed, exit status %d" % (which, nevra(package), ran.returncode), file=sys.stderr)
    return False


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def put(package, reason):
    """
    Files, then %post, whose failure is a warning only; a conf file that is there and another is set aside or left. Over the same
    package only what is missing comes, and the scripts of both hear that one stays.
    """
    again = nevra(package) in [nevra(one) for one in installed().values()]
    for folder in package.get("folders", []):
        os.makedirs(folder, exist_ok=True)
    for path, file in package.get("files", {}).items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        target = path
        if file.get("config") and os.path.exists(path) and text_of(path) != file["text"]:
            if again:
                continue
            if file["config"] == "noreplace":
                target = path + ".rpmnew"
                print("warning: %s created as %s" % (path, target), file=sys.stderr)
            else:
                os.replace(path, path + ".rpmorig")
                print("warning: %s saved as %s.rpmorig" % (path, path), file=sys.stderr)
        with open(target, "w", encoding="utf-8") as out:
            out.write(file["text"])
    save(INSTALLED, {**installed(), package["name"]: {**package, "reason": reason}})
    script(package, "post", "2" if again else "1")
    if again:
        script(package, "preun", "1")
        script(package, "postun", "1")


def take(package):
    """%preun, whose failure keeps the package; files, of which changed conf files stay as .rpmsave; empty folders; %postun. It is forgotten last."""
    if not script(package, "preun", "0"):
        return False
    for path, file in package.get("files", {}).items():
        if file.get("config") and os.path.exists(path) and text_of(path) != file["text"]:
            os.replace(path, path + ".rpmsave")
            print("warning: %s saved as %s.rpmsave" % (path, path), file=sys.stderr)
        elif os.path.exists(path):
            os.remove(path)
    for folder in reversed(package.get("folders", [])):
        if os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)
    script(package, "postun", "0")
    save(INSTALLED, {name: one for name, one in installed().items() if name != package["name"]})
    return True
