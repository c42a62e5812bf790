# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checkers that others wrote, where they are installed."""
import os
import re
import shutil

import tree

CPPCHECK = [
    "cppcheck",
    "--quiet",
    "--std=c11",
    "--enable=warning,portability",
    "--inline-suppr",
    "--error-exitcode=1",
    # It does not know __attribute__((cleanup)), which frees what it misses.
    "--suppress=memleak",
    "--suppress=resourceLeak",
    # number[] of an earlier column is read, which was written before: same[c] < c.
    "--suppress=uninitvar:agent/policy/dfa-minimise.c",
    # Where arrays of several numbers an item are made room for by vec_reserve(), it takes the array for its pointer.
    "--suppress=objectIndex:agent/policy/differ-names.c",
    "--suppress=objectIndex:agent/policy/walk.c",
    "--suppress=missingInclude",
    "--suppress=missingIncludeSystem",
    "--template={file}:{line}: {severity}: {message} [{id}]",
    "-D_GNU_SOURCE",
    "-DLIBBPF_OPTS(type,name,...)=struct type name = { __VA_ARGS__ }",
    '-DLSMD_VERSION="0"',
    "-I.",
]


def cppcheck_finds_nothing():
    if not shutil.which("cppcheck"):
        raise tree.Skip("cppcheck is not installed")
    jobs = [f"-j{os.cpu_count() or 1}"]
    done = tree.command(CPPCHECK + jobs + tree.named(r"agent/.*\.c$"))
    if done.returncode:
        yield from [line for line in done.stdout.splitlines() if line.strip()] or [f"status {done.returncode}"]


def scripts():
    return [name for name in tree.NAMES if re.match(r"#! ?(/usr)?/bin/(env )?(ba)?sh\b", tree.text(name))]


def shellcheck_finds_nothing():
    if not shutil.which("shellcheck"):
        raise tree.Skip("shellcheck is not installed")
    # SC2154: variables of a file that is sourced by a computed name.
    done = tree.command(["shellcheck", "-S", "warning", "-e", "SC2154", "-x", "-f", "gcc"] + scripts())
    if done.returncode:
        yield from done.stdout.splitlines()


def man_pages_are_well_formed():
    if not shutil.which("groff"):
        raise tree.Skip("groff is not installed")
    for name in tree.named(r"packaging/man/.*\.[1-8]$"):
        done = tree.command(["groff", "-man", "-Tutf8", "-ww", "-K", "utf8", "-z", name])
        yield from [line for line in done.stdout.splitlines() if line.strip()]


CHECKS = [cppcheck_finds_nothing, shellcheck_finds_nothing, man_pages_are_well_formed]
