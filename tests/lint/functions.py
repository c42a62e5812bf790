# SPDX-License-Identifier: LGPL-2.1-or-later
"""Functions as they stand in C files formatted like the kernel's, and their lengths."""
import re
import statistics

import tree

LONG = 75
# A function's head begins in column 0 and its body is between "{" and "}" there; @1 its name, @2 its body.
FUNCTION = re.compile(
    r"^(?!#|struct\b[^()]*$|enum\b[^()]*$|union\b[^()]*$|static const\b[^()]*=)"
    r"(?P<head>[A-Za-z_][^;{}=]*?\b(?P<name>\w+)\([^;{}]*?\)[^;{}()]*)\n\{\n(?P<body>.*?)^\}",
    flags=re.M | re.S,
)


class Function:
    def __init__(self, file, match, content):
        self.file = file
        self.name = match.group("name")
        self.head = match.group("head")
        self.body = match.group("body")
        self.line = tree.line_of(content, match.start())
        self.body_line = tree.line_of(content, match.start("body"))
        self.n_lines = self.body.count("\n")
        program = re.search(r"BPF_PROG\((\w+)", self.head)
        if program:
            self.name = program.group(1)


def functions_of(name):
    content = tree.code(name)
    return [Function(name, match, content) for match in FUNCTION.finditer(content)]


def functions_are_small():
    """Half of them within 17 lines, nine of ten within 75; the longer ones are listed."""
    found = [f for name in tree.named(r"(lsm|agent)/.*\.[ch]$") for f in functions_of(name)]
    lengths = [f.n_lines for f in found]
    long = sorted((f for f in found if f.n_lines > LONG), key=lambda f: -f.n_lines)
    median = statistics.median(lengths)
    yield tree.Note(f"{len(found)} functions, median {median:g} lines, longest {max(lengths)}, {len(long)} above {LONG}")
    for f in long:
        yield tree.Note(f"{f.file}:{f.line}: {f.name}: {f.n_lines} lines")
    if median > 17:
        yield f"the median function has {median:g} lines, more than 17"
    if len(long) * 10 > len(found):
        yield f"{len(long)} of {len(found)} functions are longer than {LONG} lines: more than one of ten"


CHECKS = [functions_are_small]
