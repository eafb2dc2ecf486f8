#!/usr/bin/python3
"""Plays dnf 4 with one repository, a folder: install, remove, reinstall, repoquery. See README.md beside this file."""
import glob
import os
import re
import shutil
import sys

from rpm_kit import CACHE, REPOSITORY, installed, load, matches, needing, nevra, put, refuse, save, take

FLAGS = ("-q", "-y", "--refresh", "--cacheonly", "--downloadonly")
VALUES = ("--setopt", "--downloaddir", "--qf")
SETTINGS = {"install_weak_deps": True, "clean_requirements_on_remove": True}
# Which options make sense for which command; another is a mistake of whoever typed it.
COMMANDS = {
    "install": {"-q", "-y", "--refresh", "--cacheonly", "--setopt"},
    "remove": {"-q", "-y", "--setopt"},
    "reinstall": {"-q", "-y", "--downloadonly", "--downloaddir"},
    "repoquery": {"-q", "--cacheonly", "--qf"},
}


class Failed(Exception):
    """`Error: ...` and exit code 1."""


def parsed(words):
    options, names, settings, command = {}, [], dict(SETTINGS), None
    for index, word in enumerate(words):
        name, _, value = word.partition("=")
        if word == "--":
            names += words[index + 1 :]
            break
        if not word.startswith("-"):
            if command is None:
                command = word
            else:
                names.append(word)
        elif name in VALUES and value:
            options[name] = value
            if name == "--setopt":
                key, _, wanted = value.partition("=")
                if key not in SETTINGS or wanted not in ("True", "False"):
                    refuse("dnf", word)
                settings[key] = wanted == "True"
        elif word in FLAGS:
            options[word] = True
        else:
            refuse("dnf", word)
    if command not in COMMANDS:
        refuse("dnf", "dnf %s" % command)
    for option in set(options) - COMMANDS[command]:
        refuse("dnf", "dnf %s with %s" % (command, option))
    return command, names, options, settings


def available(options):
    """What the lists say that the repository has. They are fetched when there are none yet or when that is asked for."""
    lists = load(CACHE)
    if options.get("--cacheonly") and lists is None:
        raise Failed("Cache-only enabled but no cache for 'made-up'")
    if lists is None or options.get("--refresh"):
        lists = [load(path) for path in sorted(glob.glob(REPOSITORY + "/*.rpm"))]
        save(CACHE, lists)
    return lists


def newest(packages):
    return max(packages, key=lambda one: [int(part) if part.isdigit() else 0 for part in re.split(r"[.-]", "%(version)s.%(release)s" % one)])


def fetched(package):
    path = os.path.join(REPOSITORY, nevra(package) + ".rpm")
    if not os.path.exists(path):
        print("[FAILED] %s.rpm: No more mirrors to try - All mirrors were already tried without success" % nevra(package), file=sys.stderr)
        raise Failed("Error downloading packages:\n  Cannot download %s.rpm: All mirrors were tried" % nevra(package))
    return path


def resolve(wanted, offered, settings):
    """What comes along, in the order of installation: (package, why)."""
    there, coming = set(installed()), []

    def add(package, reason):
        if package["name"] in there or any(one["name"] == package["name"] for one, _ in coming):
            return
        for need in package.get("requires", []):
            having = [one for one in offered if one["name"] == need]
            if need in there or any(one["name"] == need for one in wanted):
                continue
            if not having:
                raise Failed("\n Problem: conflicting requests\n  - nothing provides %s needed by %s" % (need, nevra(package)))
            add(newest(having), "dependency")
        coming.append((package, reason))
        for name in package.get("recommends", []) if settings["install_weak_deps"] else []:
            having = [one for one in offered if one["name"] == name]
            if having:
                add(newest(having), "weak-dependency")

    for one in wanted:
        add(one, "user")
    return coming


def agreed(options):
    if not options.get("-y"):
        print("Is this ok [y/N]: Operation aborted.", file=sys.stderr)
        sys.exit(1)


def tell(title, packages):
    """-q leaves out everything but this."""
    print("\n%s:\n%s\n" % (title, "\n".join("  %s" % nevra(one) for one in packages)))


def install(names, options, settings):
    files = [name for name in names if name.endswith(".rpm")]
    for path in files:
        if not os.path.exists(path):
            raise Failed("Could not open: %s" % path)
    offered = available(options)
    wanted, lost = [load(path) for path in files], []
    for name in (name for name in names if name not in files):
        having = [one for one in offered if matches(one, name)]
        if having:
            wanted.append(newest(having))
        elif not any(matches(one, name) for one in installed().values()):
            lost.append(name)
    if lost:
        raise Failed("Unable to find a match: %s" % " ".join(lost))
    coming = resolve(wanted, offered, settings)
    if not coming:
        return
    agreed(options)
    given = [nevra(one) for one in wanted[: len(files)]]
    for one, _ in coming:
        if nevra(one) not in given:
            fetched(one)
    for one, reason in coming:
        put(one, reason)
    tell("Installed", [one for one, _ in coming])


def remove(names, options, settings):
    """Takes along what needs them, and what nothing needs any more unless that is switched off."""
    there = installed()
    going = [one["name"] for one in there.values() if any(matches(one, name) for name in names)]
    if not going:
        print("No packages marked for removal.", file=sys.stderr)
        return
    while needing(going, there):
        going += [by["name"] for _, by in needing(going, there) if by["name"] not in going]
    while settings["clean_requirements_on_remove"]:
        rest = [one for name, one in there.items() if name not in going]
        unneeded = [one["name"] for one in rest if one["reason"] != "user" and not any(one["name"] in by.get("requires", []) for by in rest)]
        if not unneeded:
            break
        going += unneeded
    agreed(options)
    for name in going:
        if not take(there[name]):
            raise Failed("Transaction failed")
    tell("Removed", [there[name] for name in going])


def reinstall(names, options, _settings):
    """From files, or only fetched."""
    if names and all(name.endswith(".rpm") for name in names) and set(options) == {"-q", "-y"}:
        files, there = [load(name) for name in names], [nevra(one) for one in installed().values()]
        if not [one for one in files if nevra(one) in there]:
            raise Failed("No packages marked for reinstall.")
        for one in files:
            if nevra(one) in there:
                put(one, installed()[one["name"]]["reason"])
        return
    if not options.get("--downloadonly") or not options.get("--downloaddir"):
        refuse("dnf", "dnf reinstall without --downloadonly and --downloaddir")
    offered, there, marked = available(options), installed(), []
    for name in names:
        own = [one for one in there.values() if matches(one, name)]
        # The lists have it at this very version, or it cannot be had again; others of the names are fetched all the same.
        marked += [one for one in offered if nevra(one) in [nevra(here) for here in own] and matches(one, name)]
    if not marked:
        raise Failed("No packages marked for reinstall.")
    agreed(options)
    for one in marked:
        shutil.copy(fetched(one), options["--downloaddir"])


def repoquery(names, options, _settings):
    form = options.get("--qf", "%{name}-%{version}-%{release}.%{arch}")
    if set(re.findall(r"%\{(\w+)\}", form)) - {"name", "version", "release", "arch"}:
        refuse("dnf", "--qf=%s" % form)
    found = [one for one in available(options) if any(matches(one, name) for name in names)]
    # dnf 4 ends each with a newline, a \n in the format comes on top.
    for line in sorted({re.sub(r"%\{(\w+)\}", lambda tag: one[tag[1]], form).replace("\\n", "\n") for one in found}):
        print(line)


def main(words):
    command, names, options, settings = parsed(words)
    if os.geteuid() != 0 and command != "repoquery":
        raise Failed("This command has to be run with superuser privileges (under the root user on most systems).")
    if not names:
        refuse("dnf", "dnf %s of nothing" % command)
    {"install": install, "remove": remove, "reinstall": reinstall, "repoquery": repoquery}[command](names, options, settings)


try:
    main(sys.argv[1:])
except Failed as failed:
    print("Error: %s" % failed, file=sys.stderr)
    sys.exit(1)
