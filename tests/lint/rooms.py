# SPDX-License-Identifier: LGPL-2.1-or-later
"""Includes point one way: which room may know which. ARCHITECTURE.md draws it."""
import posixpath
import re

import tree

# A room knows itself and what stands behind it. Longest first: agent/main.c is in "agent".
ROOMS = {
    "lsm/abi": (),
    "lsm/core": ("lsm/abi",),
    "lsm/hook": ("lsm/abi", "lsm/core"),
    "agent/util": (),
    "agent/policy": ("agent/util", "lsm/abi", "lsm/core"),
    "agent/kernel": ("agent/policy", "agent/util", "lsm/abi", "bpf"),
    "agent/record": ("agent/policy", "agent/util", "lsm/abi"),
    "agent/control": ("agent/kernel", "agent/record", "agent/policy", "agent/util", "lsm/abi", "lsm/core"),
    "agent/ctl": ("agent/control", "agent/kernel", "agent/record", "agent/policy", "agent/util", "lsm/abi"),
    "agent": ("agent/control", "agent/kernel", "agent/record", "agent/policy", "agent/util"),
}


def room_of(name):
    return next((room for room in sorted(ROOMS, key=len, reverse=True) if name.startswith(room + "/")), None)


def includes(name):
    """(line, path from the top folder) of each include in quotes."""
    for number, line in enumerate(tree.text(name).splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if found:
            beside = posixpath.normpath(posixpath.join(posixpath.dirname(name), found.group(1)))
            yield number, beside if (tree.TOP / beside).is_file() else found.group(1)


def includes_point_one_way():
    for name in tree.named(r"(lsm|agent)/.*\.[ch]$"):
        own = room_of(name)
        for number, path in includes(name):
            room = room_of(path) or posixpath.dirname(path)
            if room != own and room not in ROOMS[own]:
                yield f"{name}:{number}: {own} may not know {path}"


# Who may call a library: one room each, or two.
LIBRARIES = (
    (r"<bpf/", ("agent/kernel/", "lsm/hook/")),
    (r"<jansson\.h>", ("agent/control/", "agent/ctl/", "agent/record/jsonl.", "agent/record/metrics.", "agent/policy/diag.c")),
    (r"<libaudit\.h>", ("agent/record/audit.c",)),
    (r"<openssl/", ("agent/util/ed25519.c",)),
    (r"<openssl/", ("agent/util/ed25519.",)),
)


def libraries_have_one_room():
    for name in tree.named(r"(lsm|agent)/.*\.[ch]$"):
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            for library, rooms in LIBRARIES:
                if re.match(rf"\s*#\s*include\s+{library}", line) and not name.startswith(rooms):
                    yield f"{name}:{number}: {line.strip()} belongs to {' and '.join(rooms)}"


CHECKS = [includes_point_one_way, libraries_have_one_room]
