#!/usr/bin/python3
"""Plays rpm: its questions about packages that are installed, and whether they could go. See README.md beside this file."""
import os
import re
import sys

from rpm_kit import installed, matches, needing, nevra, refuse, size

TAG = re.compile(r"%\{(\w+)\}|%|\\(.)")


def formatted(form, package):
    tags = {"NAME": package["name"], "VERSION": package["version"], "RELEASE": package["release"], "ARCH": package["arch"], "SIZE": str(size(package))}

    def one(found):
        if found[1]:
            return tags[found[1]] if found[1] in tags else refuse("rpm", "the tag %s" % found[1])
        return {"n": "\n", "t": "\t"}[found[2]] if found[2] in ("n", "t") else refuse("rpm", "the format %s" % form)

    return TAG.sub(one, form)


def tell(package, what, form):
    if form is not None:
        sys.stdout.write(formatted(form, package))
    elif what == "-q":
        print(nevra(package))
    else:
        paths = [path for path, file in package.get("files", {}).items() if what == "-ql" or file.get("config")]
        paths += package.get("folders", []) if what == "-ql" else []
        if paths or what == "-ql":
            print("\n".join(sorted(paths)) or "(contains no files)")


def query(what, form, names):
    """Exit code: how many of them are not installed. That is said on stdout."""
    absent = 0
    for name in names:
        found = [one for one in installed().values() if matches(one, name)]
        if not found:
            print("package %s is not installed" % name)
            absent += 1
        for one in found:
            tell(one, what, form)
    return absent


def verify(names):
    """What is missing of the files; what was changed of the others it says too. Exit code 1 when there is anything to say."""
    said = []
    for name in names:
        found = [one for one in installed().values() if matches(one, name)]
        if not found:
            said.append("package %s is not installed" % name)
        for path, file in [entry for one in found for entry in one.get("files", {}).items()]:
            mark = "c" if file.get("config") else " "
            if not os.path.exists(path):
                said.append("missing   %s %s" % (mark, path))
            elif os.path.getsize(path) != len(file["text"]):
                said.append("S......T.  %s %s" % (mark, path))
    print("\n".join(said), end="\n" if said else "")
    return 1 if said else 0


def erase_test(names):
    there = {name: [one for one in installed().values() if matches(one, name)] for name in names}
    absent = [name for name, found in there.items() if not found]
    for name in absent:
        print("error: package %s is not installed" % name, file=sys.stderr)
    if absent:
        return len(absent)
    going = {one["name"] for found in there.values() for one in found}
    left = needing(going, installed())
    if left:
        print("error: Failed dependencies:", file=sys.stderr)
        for need, by in left:
            print("\t%s is needed by (installed) %s" % (need, nevra(by)), file=sys.stderr)
    return 1 if left else 0


def main(words):
    if "--" not in words:
        refuse("rpm", "names without -- before them")
    options, names = words[: words.index("--")], words[words.index("--") + 1 :]
    if not names:
        print("rpm: no arguments given for %s" % ("erase" if options[:1] == ["-e"] else "query"), file=sys.stderr)
        return 1
    if options == ["-e", "--test"]:
        return erase_test(names)
    if options == ["-V", "--nodeps", "--noscripts", "--nofiledigest"]:
        return verify(names)
    if options in (["-q"], ["-ql"], ["-qc"]):
        return query(options[0], None, names)
    if len(options) == 3 and options[:2] == ["-q", "--qf"]:
        return query("-q", options[2], names)
    return refuse("rpm", "rpm %s" % " ".join(options))


sys.exit(main(sys.argv[1:]))
