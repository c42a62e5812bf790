# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every file says, and what no file says."""
import pathlib
import re
import subprocess

import tree

SOURCE = (r".*\.(c|h|mk|py|sh|service|catalog|test|bash)$", r"(.*/)?Makefile$", r"packaging/man/.*\.[1-8]$")
FOLDERS = (
    (r"lsm/(abi|core)/|tests/.*/bpf/.*\.h$", "(GPL-2.0-only OR LGPL-2.1-or-later)"),
    (r"lsm/hook/|.*\.bpf\.c$", "GPL-2.0-only"),
    (r"", "LGPL-2.1-or-later"),
)


def license_wanted(name):
    return next(license for folder, license in FOLDERS if re.match(folder, name))


def every_source_file_names_its_license():
    sources = set(tree.named(*SOURCE)) | {name for name in tree.NAMES if tree.is_script(name)}
    for name in sorted(sources):
        head = "\n".join(tree.text(name).splitlines()[:3])
        found = re.search(r"SPDX-License-Identifier: (.*?)( \*/| -->)?$", head, flags=re.M)
        if not found:
            yield f"{name}: no SPDX-License-Identifier in its first three lines"
        elif found.group(1) != license_wanted(name):
            yield f"{name}: {found.group(1)}, and its folder is under {license_wanted(name)}"


# In two halves, so that this file does not say them.
UNFINISHED = r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "st" + "ub(?!-resolv)", "st" + "ubs")) + r")\b"


def nothing_is_left_for_later():
    for name in tree.NAMES:
        if name.startswith("LICENSES/"):
            continue
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            found = re.search(UNFINISHED, line)
            if found:
                yield f"{name}:{number}: '{found.group(0)}'"


def no_path_of_this_checkout_is_named():
    """A checkout may lie anywhere: a file that names where this one lies works here only."""
    if len(tree.TOP.parts) < 3:
        raise tree.Skip(f"{tree.TOP} is too short a name to look for")
    for name in tree.NAMES:
        if re.search(re.escape(str(tree.TOP)) + r"\b", tree.text(name)):
            yield f"{name}: names {tree.TOP}"


def registry_hosts():
    """Hosts of this machine's package sources and of the proxies to them."""
    sources = [pathlib.Path("/etc/apt/sources.list"), *pathlib.Path("/etc/apt/sources.list.d").glob("*")]
    said = "".join(path.read_text(errors="replace") for path in sources if path.is_file())
    try:
        said += subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        pass
    return {host for host in re.findall(r"\b(?:https?|ftp|tor\+https?)://(?:[^@/\s]*@)?([\w.-]+)", said) if "." in host}


def no_package_registry_is_named():
    """Where packages come from is the affair of the machine that builds."""
    hosts = registry_hosts()
    if not hosts:
        raise tree.Skip("this machine has no package sources")
    for name in tree.NAMES:
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            if any(host in line for host in hosts):
                yield f"{name}:{number}: names a host of this machine's package sources"


def lines_end_cleanly():
    for name in tree.named(*SOURCE, r".*\.(md|json)$"):
        if re.match(r"tests/(golden|cases|fuzz)/", name):
            continue
        for number, line in enumerate(tree.text(name).split("\n"), 1):
            if line != line.rstrip():
                yield f"{name}:{number}: blanks at the end"
        if not tree.text(name).endswith("\n"):
            yield f"{name}: no newline at the end"


CHECKS = [
    every_source_file_names_its_license,
    nothing_is_left_for_later,
    no_path_of_this_checkout_is_named,
    no_package_registry_is_named,
    lines_end_cleanly,
]
