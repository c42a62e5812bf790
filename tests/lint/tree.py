# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files that are checked, and what checks share."""
import os
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = TOP / os.environ.get("B", "build")


class Skip(Exception):
    """Why a check cannot be asked here."""


class Note(str):
    """Something to tell that is not wrong."""


def _names():
    """Names of all files: what git knows or would take, else what lies there."""
    git = subprocess.run(
        ["git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True
    )
    if git.returncode == 0:
        return [name for name in git.stdout.decode().split("\0") if name and (TOP / name).is_file()]
    return [
        str(path.relative_to(TOP))
        for path in TOP.rglob("*")
        if path.is_file() and not {"build", ".git"} & set(path.relative_to(TOP).parts)
    ]


NAMES = sorted(_names())
_texts = {}


def text(name):
    """Text of a file, undecodable bytes kept as escapes."""
    if name not in _texts:
        _texts[name] = (TOP / name).read_bytes().decode("utf-8", "backslashreplace")
    return _texts[name]


def named(*patterns):
    """Names that match one of the regular expressions, from their start."""
    return [name for name in NAMES if any(re.match(pattern, name) for pattern in patterns)]


def is_script(name):
    return text(name).startswith("#!")


# Strings come first: they may hold what begins a comment.
_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', flags=re.S)


def _blank(match):
    """A comment becomes blanks of its length; its lines stay."""
    token = match.group(0)
    return re.sub(r"[^\n]", " ", token) if token[0] == "/" else token


def code(name):
    """C text without comments, places kept."""
    return _TOKEN.sub(_blank, text(name))


def line_of(content, offset):
    return content.count("\n", 0, offset) + 1


def command(words, **more):
    """Run a command in the top folder. Return: its completed process, output as text."""
    return subprocess.run(words, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
