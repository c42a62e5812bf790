#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The account of LSM hooks: table.txt says what lsmd makes of each, KERNEL.txt which there are.

    hooks.py list BTF       the hooks that answer, from a kernel's BTF (needs bpftool)
    hooks.py known BTF      status 1, and their names, where the table does not know some of them
    hooks.py page           docs/hooks.md
"""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
STATES = ("mediated", "open", "irrelevant")


def kernels():
    """{name: hooks} in the order of versions."""
    lists = {path.stem: path.read_text().split("\n")[1:-1] for path in HERE.glob("[0-9]*.txt")}
    return dict(sorted(lists.items(), key=lambda item: [int(part) for part in item[0].split(".")]))


def table():
    """{hook: (state, verbs, reason)}; ValueError where it is malformed or says a hook twice."""
    found, section = {}, None
    for number, line in enumerate((HERE / "table.txt").read_text().split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        head = re.fullmatch(r"\[(\w+)(?:: ([a-z, ]+))?\] (.+)", line)
        if head and head.group(1) in STATES:
            section = head.groups()
            continue
        if head or not section:
            raise ValueError(f"table.txt:{number}: not a section: {line}")
        for hook in line.split():
            if hook in found:
                raise ValueError(f"table.txt:{number}: {hook} stands twice")
            found[hook] = section
    return found


def of_btf(path):
    """Hooks are called by functions bpf_lsm_NAME; those that answer give an int."""
    dump = subprocess.run(["bpftool", "btf", "dump", "file", path, "format", "raw"], capture_output=True, text=True, check=True).stdout
    returns = dict(re.findall(r"^\[(\d+)\] FUNC_PROTO '\(anon\)' ret_type_id=(\d+)", dump, flags=re.M))
    ints = set(re.findall(r"^\[(\d+)\] INT 'int' ", dump, flags=re.M))
    functions = re.findall(r"^\[\d+\] FUNC 'bpf_lsm_(\w+)' type_id=(\d+)", dump, flags=re.M)
    return sorted(name for name, proto in functions if returns.get(proto) in ints)


def page():
    """The table for people, by state and reason."""
    known, lists = table(), kernels()
    counts = {state: sum(entry[0] == state for entry in known.values()) for state in STATES}
    lines = ["<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->",
             "<!-- Made by `tests/hooks/hooks.py page`; the source is tests/hooks/table.txt. -->",
             "# Every hook, accounted for", "",
             f"Of the {len(known)} LSM hooks that answer on Linux {', '.join(lists)}, {counts['mediated']} are mediated, {counts['open']} are open and "
             f"{counts['irrelevant']} irrelevant. *Open* means that something happens there which no verb of this version holds. A hook that a",
             "kernel has and this table does not know fails the tests.", ""]
    for state in STATES:
        lines += [f"## {state.capitalize()}", "", f"| hook | {' | '.join(lists)} | verbs | |", f"| --- |{' --- |' * len(lists)} --- | --- |"]
        for hook, (of, verbs, reason) in known.items():
            if of == state:
                marks = " | ".join("yes" if hook in hooks else "−" for hooks in lists.values())
                lines.append(f"| `{hook}` | {marks} | {verbs or ''} | {reason} |")
        lines.append("")
    return "\n".join(lines)


def main(words):
    if words == ["page"]:
        print(page(), end="")
    elif len(words) == 2 and words[0] == "list":
        print("# SPDX-License-Identifier: LGPL-2.1-or-later", *of_btf(words[1]), sep="\n")
    elif len(words) == 2 and words[0] == "known":
        hooks = of_btf(words[1])
        unknown = [hook for hook in hooks if hook not in table()]
        print(f"{len(hooks)} hooks, unknown: {' '.join(unknown) or 'none'}")
        return 1 if unknown or len(hooks) < 100 else 0
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
