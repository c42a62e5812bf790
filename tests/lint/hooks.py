# SPDX-License-Identifier: LGPL-2.1-or-later
"""Of the programs that the kernel runs: what they may return, and loops that end."""
import importlib.util
import re

import functions
import tree

HOOK_FILES = r"lsm/hook/.*\.[ch]$"


def split(expression, *separators):
    """The expression's parts around the first separator outside parentheses; None when there is none."""
    depth = 0
    for i, c in enumerate(expression):
        depth += c in "([" and 1 or c in ")]" and -1 or 0
        for separator in separators:
            if not depth and expression.startswith(separator, i):
                return expression[:i].strip(), separator, expression[i + len(separator):].strip()
    return None


def statement_end(text, at):
    """Where the expression ends that begins at @at: a ';' or ',' outside parentheses."""
    depth = 0
    while at < len(text) and (depth or text[at] not in ";,"):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


class Returns:
    """Follows what a hook returns down to 0, -EPERM, ret and hook_errno(): through the functions that it calls, and through those that
    write to its ret by a pointer.
    """

    def __init__(self):
        found = [f for name in tree.named(HOOK_FILES) for f in functions.functions_of(name)]
        self.functions = {f.name: f for f in found}
        self.programs = [f for f in found if "BPF_PROG(" in f.head]
        self.seen = set()

    def expression(self, f, line, expression):
        """Lines about what is wrong with an expression that becomes a hook's errno."""
        expression = expression.strip()
        if expression in ("0", "-EPERM", "ret"):
            return
        elvis = split(expression, "?:")
        ternary = None if elvis else split(expression, "?")
        call = re.fullmatch(r"(\w+)\(.*\)", expression, flags=re.S)
        if elvis:
            parts = (elvis[0], elvis[2])
        elif ternary:
            parts = split(ternary[2], ":")[::2]
        elif call and call.group(1) == "hook_errno":
            return
        elif call and call.group(1) in self.functions:
            yield from self.function(self.functions[call.group(1)])
            return
        else:
            yield f"{f.file}:{line}: {f.name} gives '{' '.join(expression.split())}', which may be anything"
            return
        for part in parts:
            yield from self.expression(f, line, part)

    def values(self, f, pattern):
        """All expressions that stand behind the pattern."""
        for match in re.finditer(pattern, f.body):
            line = f.body_line + f.body.count("\n", 0, match.start())
            yield from self.expression(f, line, f.body[match.end():statement_end(f.body, match.end())])

    def writers(self, f, argument):
        """Functions that get the address of ret as an argument."""
        for match in re.finditer(rf"\b(\w+)\([^;]*?{argument}\b[^;]*?\)", f.body):
            writer = self.functions.get(match.group(1))
            if writer and "*ret" in writer.head and ("*", writer.name) not in self.seen:
                self.seen.add(("*", writer.name))
                yield from self.values(writer, r"\*ret = ")
                yield from self.writers(writer, r"(?<!&)\bret")

    def function(self, f):
        """All that the function returns, or gives to its ret."""
        if f.name in self.seen:
            return
        self.seen.add(f.name)
        yield from self.values(f, r"\breturn\b")
        yield from self.values(f, r"(?<![\w>.*-])ret = ")
        yield from self.writers(f, "&ret")


def hooks_return_nothing_but_0_and_EPERM():
    """6.1 does not check the range of what an LSM program returns: any other number would leave the kernel's rails."""
    returns = Returns()
    if len(returns.programs) < 20:
        yield f"only {len(returns.programs)} programs were found in lsm/hook"
    for program in returns.programs:
        yield from returns.function(program)
    yield tree.Note(f"{len(returns.programs)} programs, {len(returns.seen)} functions followed")


NUMBER = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:MAX|FAST|STEPS|TRIES|PIECES|SLOTS|LEN|WORDS)\b"
BOUND = re.compile(rf"< {NUMBER}|<= {NUMBER}")
EXIT = re.compile(rf"if \(\w+ >=? {NUMBER}\)\s*(break|return)\b")


def loops(content):
    """(offset, whole head, body) of each loop; the body's first lines."""
    for match in re.finditer(r"\b(for|while)\s*\(", content):
        depth, end = 1, match.end()
        while depth and end < len(content):
            depth += {"(": 1, ")": -1}.get(content[end], 0)
            end += 1
        yield match.start(), content[match.start():end], "\n".join(content[end:].split("\n")[:6])


def loops_in_the_kernel_have_a_bound():
    """A named bound stands in the loop's condition, or an exit at one in its first lines."""
    n = 0
    for name in tree.named(r"lsm/(core|hook)/.*\.[ch]$"):
        content = tree.code(name)
        for offset, head, body in loops(content):
            n += 1
            if not BOUND.search(head) and not EXIT.search(body):
                yield f"{name}:{tree.line_of(content, offset)}: '{' '.join(head.split())}' names no bound"
        for match in re.finditer(r"^\s*(do \{|goto \w+;)", content, flags=re.M):
            yield f"{name}:{tree.line_of(content, match.start(1))}: '{match.group(1)}'"
    yield tree.Note(f"{n} loops")


def account():
    """tests/hooks/hooks.py, whose name is this file's own."""
    spec = importlib.util.spec_from_file_location("account", tree.TOP / "tests/hooks/hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def every_hook_is_accounted_for():
    """Each hook of the kernels' lists is in the table, the table says what the programs are, and the page is made from it."""
    table, lists = account().table(), account().kernels()
    there = set().union(*lists.values())
    ours = set(re.findall(r'\bX\([A-Z_]+, "(\w+)"\)', tree.text("lsm/abi/event.h").split("enum lsmd_hook")[0]))
    verbs = set(re.findall(r'\bX\([A-Z]+, "(\w+)", [A-Z]+\)', tree.text("lsm/abi/access.h")))
    for hook in sorted(there ^ set(table)):
        yield f"tests/hooks/table.txt: {hook} is {'not accounted for' if hook in there else 'a hook of no kernel'}"
    for hook in sorted((ours & there) ^ {hook for hook, entry in table.items() if entry[0] == "mediated"}):
        yield f"tests/hooks/table.txt: {hook} is {'' if hook in ours else 'not '}mediated"
    for hook, (state, named, _) in table.items():
        for verb in named.split(", ") if named else ():
            if verb not in verbs or state != "mediated":
                yield f"tests/hooks/table.txt: {hook} is {state}, and '{verb}' {'is a verb' if verb in verbs else 'is none'}"
    if tree.text("docs/hooks.md") != account().page():
        yield "docs/hooks.md: not what `tests/hooks/hooks.py page` prints"
    yield tree.Note(f"{len(there)} hooks of {len(lists)} kernels, {len(ours)} programs")


def the_bench_loads_every_hook():
    """`make bench` says what the verifier takes for all programs: each needs a body in tests/bench/load.bpf.c."""
    listed = tree.code("lsm/abi/event.h").split("LSMD_HOOKS(X)", 1)[1].split("enum lsmd_hook", 1)[0]
    hooks = re.findall(r'\bX\([A-Z_0-9]+, "(\w+)"\)', listed)
    loaded = set(re.findall(r"^LOAD(?:_SOCKET)?\((\w+),", tree.code("tests/bench/load.bpf.c"), flags=re.M))
    for hook in hooks:
        if hook not in loaded:
            yield f"tests/bench/load.bpf.c: no body for {hook}"
    if len(hooks) < 20:
        yield f"only {len(hooks)} hooks were found in lsm/abi/event.h"
    yield tree.Note(f"{len(hooks)} hooks")


CHECKS = [every_hook_is_accounted_for, hooks_return_nothing_but_0_and_EPERM, loops_in_the_kernel_have_a_bound, the_bench_loads_every_hook]
