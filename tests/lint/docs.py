# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents say what is: their examples pass, their commands exist, and what the code knows they name."""
import json
import os
import pathlib
import re
import subprocess
import tempfile

import tree

MAN = "packaging/man/"
ABSTRACTIONS = tree.TOP / "policies/abstractions"
LSMCTL = tree.BUILD / "lsmctl"


def need_lsmctl():
    if not os.access(LSMCTL, os.X_OK):
        raise tree.Skip("lsmctl is not built")


def markdown():
    """MEANING.md is not among them: it also says what later versions will have."""
    return [name for name in tree.named(r"[^/]*\.md$", r"(tests|docs)/.*\.md$") if name != "MEANING.md"]


def roff_plain(text):
    """What a reader sees of a line of a man page, near enough."""
    for escape, plain in ((r"\-", "-"), (r"\e", "\\"), (r"\(lq", '"'), (r"\(rq", '"'), (r"\(oq", "'"), (r"\(cq", "'"), (r"\&", "")):
        text = text.replace(escape, plain)
    return re.sub(r"\\f[RIBP]", "", text)


def blocks():
    """(file, line, language, text) of each block of code."""
    for name in markdown():
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", tree.text(name), flags=re.M | re.S):
            yield name, tree.line_of(tree.text(name), match.start()), match.group(1), match.group(2)
    for name in tree.named(MAN):
        for match in re.finditer(r"^\.EX\n(.*?)^\.EE$", tree.text(name), flags=re.M | re.S):
            text = roff_plain(match.group(1))
            yield name, tree.line_of(tree.text(name), match.start()), "json" if text.startswith("{") else "", text


HEAD = {"version": 1, "name": "example", "subject": {"exe": "/usr/local/bin/example"}, "default": "allow"}


def lsmctl(*words):
    return subprocess.run([LSMCTL, *words], capture_output=True, text=True, cwd=tree.TOP)


def policy_findings(folder, policy):
    """What lsmctl check finds in a policy, but for what only this machine's files bring about."""
    path = pathlib.Path(folder) / "policy.json"
    path.write_text(policy)
    done = lsmctl("check", "--json", "--abstractions", folder, "--abstractions", str(ABSTRACTIONS), str(path))
    return [found for found in json.loads(done.stdout) if found["code"] != "symbolic-link"]


def example_findings(folder, text):
    """The same for an example: a policy, an abstraction, settings, or rules of a policy."""
    if re.match(r'\{ *"(allow|deny)"', text):
        return policy_findings(folder, json.dumps(HEAD)[:-1] + ', "rules": [\n' + text + "] }")
    value = json.loads(text)
    if "subject" in value:
        return policy_findings(folder, text)
    if "cases" in value:  # which answers come is the golden commands' affair: here it must be readable
        (pathlib.Path(folder) / "example.test.json").write_text(text)
        done = lsmctl("test", "--policies", str(ABSTRACTIONS.parent / "nginx.json"), "--abstractions", str(ABSTRACTIONS), f"{folder}/example.test.json")
        return [{"line": 1, "message": done.stderr}] if done.stderr else []
    if "socket" in value:
        (pathlib.Path(folder) / "settings.json").write_text(text)
        done = lsmctl("--settings", f"{folder}/settings.json", "check", "--quiet", str(ABSTRACTIONS.parent / "nginx.json"))
        return [{"line": 1, "message": done.stderr}] if "settings.json" in done.stderr else []
    (pathlib.Path(folder) / "example.json").write_text(text)
    return policy_findings(folder, json.dumps({**HEAD, "include": "example"}))


def examples_pass_lsmctl_check():
    need_lsmctl()
    n = 0
    for name, line, language, text in blocks():
        if language != "json":
            continue
        n += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                for found in example_findings(folder, text):
                    yield f"{name}:{line}: the example, line {found.get('line')}: {found['message']}"
            except ValueError as error:
                yield f"{name}:{line}: the example is no JSON: {error}"
    yield tree.Note(f"{n} examples")
    if n < 8:
        yield "fewer than 8 examples were found"


def policies_pass_lsmctl_check():
    need_lsmctl()
    for name in tree.named(r"policies/[^/]*(?<!\.test)\.json$"):
        with tempfile.TemporaryDirectory() as folder:
            for found in policy_findings(folder, tree.text(name)):
                yield f"{name}:{found.get('line')}: {found['message']}"


def helps():
    """Options of each command by its --help; "" is lsmctl itself."""
    need_lsmctl()
    top = lsmctl("--help").stdout
    commands = [word for word in re.findall(r"^  ([a-z]+) +\S", top, flags=re.M)]
    texts = {"": top, **{command: lsmctl(command, "--help").stdout for command in commands}}
    return {command: sorted(set(re.findall(r"(?<![\w-])--[a-z-]+", text))) for command, text in texts.items()}


def man_sections(name):
    """Text of each .SH and .SS of a man page by its title's first word."""
    parts = re.split(r"^\.S[HS] +(.*)$", tree.text(MAN + name), flags=re.M)
    return {roff_plain(title).split()[0].strip('"'): roff_plain(text) for title, text in zip(parts[1::2], parts[2::2])}


def every_option_of_lsmctl_is_in_its_man_page():
    sections = man_sections("lsmctl.1")
    for command, options in helps().items():
        section = sections.get(command or "OPTIONS")
        if section is None:
            yield f"{MAN}lsmctl.1: no section '{command}'"
            continue
        written = re.findall(r"^\.BI? (--[a-z-]+)", section, flags=re.M)
        for option in sorted(set(options) ^ set(written)):
            yield f"{MAN}lsmctl.1: {command or 'lsmctl'}: {option} is {'not there' if option in options else 'no option'}"


def every_option_of_lsmd_is_in_its_man_page():
    lsmd = tree.BUILD / "lsmd"
    if not os.access(lsmd, os.X_OK):
        raise tree.Skip("lsmd is not built")
    help_text = subprocess.run([lsmd, "--help"], capture_output=True, text=True).stdout
    options = re.findall(r"^ +(--[a-z-]+)", help_text, flags=re.M)
    written = re.findall(r"^\.BI? (--[a-z-]+)", man_sections("lsmd.8")["OPTIONS"], flags=re.M)
    for option in sorted(set(options) ^ set(written)):
        yield f"{MAN}lsmd.8: {option} is {'not there' if option in options else 'no option'}"
    statuses = re.findall(r"\b(\d) [a-z]", help_text.split("Exit status:")[1])
    said = re.findall(r"^\.B (\d)$", tree.text(MAN + "lsmd.8"), flags=re.M)
    if statuses != said:
        yield f"{MAN}lsmd.8: exit statuses {said}, and lsmd --help says {statuses}"


COMPLETE = """
. packaging/completion/lsmctl.bash
COMP_WORDS=(lsmctl "$@"); COMP_CWORD=$#
_lsmctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words):
    done = tree.command(["bash", "-c", COMPLETE, "bash", *words])
    return done.stdout.split()


def completion_offers_exactly_the_options():
    commands = helps()
    offered = completed("")
    if sorted(offered) != sorted([*filter(None, commands), "help"]):
        yield f"the completion offers the commands {offered}"
    for command, options in commands.items():
        offered = completed(*filter(None, [command]), "--")
        if sorted(offered) != sorted(options):
            yield f"the completion of '{command or 'lsmctl'}' offers {offered}, and there are {options}"


ZSH = r"""sed -n 's/^  \(--[a-z-]*\)\( [A-Z]*\)\{0,1\}  *\(.*\)$/\1:\3/p'"""


def zsh_finds_the_options_in_the_help():
    """It reads them when it is asked; here its own sed command is run over the same texts."""
    text = tree.text("packaging/completion/_lsmctl")
    if ZSH not in text:
        yield "packaging/completion/_lsmctl: its sed command is not the one that is tested"
    for command, options in helps().items():
        if not command:
            continue
        done = subprocess.run(ZSH, shell=True, input=lsmctl(command, "--help").stdout, capture_output=True, text=True)
        found = sorted(line.split(":")[0] for line in done.stdout.splitlines())
        missing = [option for option in options if option not in found]
        if missing:
            yield f"packaging/completion/_lsmctl: does not see {missing} of '{command}'"


def commands_in(text):
    """(command, options) of each lsmctl that is written as code."""
    for match in re.finditer(r"\blsmctl((?: --settings \S+)?) ([a-z]+)([^\n`|;#]*)", text):
        yield match.group(2), re.findall(r"(?<!\S)(--[a-z-]+)", match.group(3))


def code_of(name):
    """What is code in a document: blocks, and what stands between backticks or in bold."""
    text = tree.text(name)
    if name.endswith(".md"):
        yield from re.findall(r"^```\w*\n(.*?)^```$", text, flags=re.M | re.S)
        yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    else:
        yield from map(roff_plain, re.findall(r"^\.EX\n(.*?)^\.EE$", text, flags=re.M | re.S))
        yield from map(roff_plain, re.findall(r"^\.B (.*)$", text, flags=re.M))


def commands_in_documents_exist():
    commands = helps()
    for name in markdown() + tree.named(MAN):
        for code in code_of(name):
            for command, options in commands_in(code):
                if command not in commands and command != "help":
                    yield f"{name}: there is no 'lsmctl {command}'"
                    continue
                for option in options:
                    if option not in commands.get(command, []):
                        yield f"{name}: 'lsmctl {command}' has no {option}"


def make_targets_in_documents_exist():
    rules = "".join(tree.text(name) for name in tree.named(r"Makefile$", r".*\.mk$"))
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", rules, flags=re.M))
    for name in markdown() + tree.named(MAN):
        for code in code_of(name):
            for target in re.findall(r"(?<![\w-])make ([a-z][a-z-]*)", code):
                if target not in targets:
                    yield f"{name}: there is no 'make {target}'"
    for target in re.findall(r"'make ([a-z-]+)", tree.text("Makefile")):
        if target not in targets:
            yield f"make help: there is no 'make {target}'"


def documented(name, title):
    """The words that stand for an entry in a section of a man page."""
    found = man_sections(name)[title]
    return re.findall(r"^\.B ([a-z0-9][a-z0-9-]*)$", found, flags=re.M)


def every_diagnostic_is_explained():
    """The third argument of diag_add() and the code given to refuse()."""
    known = set()
    for name in tree.named(r"agent/policy/.*\.c$", r"agent/control/intake\.c$"):
        code = tree.code(name)
        for match in re.finditer(r'\bdiag_add\((?:[^";]*?),\s*DIAG_\w+,\s*([^;]*?),\s*\w*place', code):
            known.update(re.findall(r'"([a-z0-9-]+)"', match.group(1)))
        for match in re.finditer(r'(?:\bDIAG_(?:ERROR|WARNING),|force \? DIAG_WARNING : DIAG_ERROR,)\s*"([a-z0-9-]+)"', code):
            known.add(match.group(1))
        if name.endswith(("inet.c", "compile.c", "collect.c", "named.c")):
            known.update(re.findall(r'\brefuse\([^;"]*"([a-z0-9-]+)",', code))
    sections = man_sections("lsmd-policy.5")
    written = re.findall(r"^\.B ([a-z0-9-]+)$", sections["Errors"] + sections["Warnings"], flags=re.M)
    for code in sorted(known ^ set(written)):
        yield f"{MAN}lsmd-policy.5: '{code}' is {'not explained' if code in known else 'a code that nothing gives'}"
    yield tree.Note(f"{len(known)} codes")
    if len(known) < 50:
        yield f"only {len(known)} codes were found in the sources"


def every_reason_is_explained():
    kernel = "".join(tree.code(name) for name in tree.named(r"lsm/(hook|core)/"))
    table = dict(re.findall(r'X\((\w+), "([a-z-]+)"', tree.text("lsm/abi/verdict.h")))
    given = {word for constant, word in table.items() if re.search(rf"\bLSMD_REASON_{constant}\b", kernel)}
    given -= {"none", "rule", "default"}
    written = set(documented("lsmd-policy.5", "UNDECIDED")) - {"lsmctl"}
    for reason in sorted(given ^ written):
        yield f"{MAN}lsmd-policy.5: the reason '{reason}' is {'not explained' if reason in given else 'never given'}"


def verbs():
    return {verb: verb_class.lower() for verb, verb_class in re.findall(r'X\(\w+, "(\w+)", (\w+)\)', tree.text("lsm/abi/access.h"))}


def every_verb_is_explained():
    page = man_sections("lsmd-policy.5")["VERBS"]
    for verb, verb_class in verbs().items():
        if not re.search(rf'^\.BR {verb} " \({verb_class}\)?', page.replace("(class ", "("), flags=re.M):
            yield f"{MAN}lsmd-policy.5: {verb} is not explained"


def every_setting_is_explained():
    keys = set(re.findall(r'\[KEY_\w+\] = "([^"]+)"', tree.text("agent/control/settings.c")))
    written = set(re.findall(r"^\.B (\$?[a-z_]+)$", man_sections("lsmd.json.5")["DESCRIPTION"], flags=re.M))
    for key in sorted(keys ^ written):
        yield f"{MAN}lsmd.json.5: '{key}' is {'not explained' if key in keys else 'no setting'}"


def every_field_of_a_record_is_explained():
    sections = man_sections("lsmd-audit.7")
    journal = set(re.findall(r'\(fields, "([A-Z_]+)"', tree.code("agent/record/journal.c")))
    audit = tree.code("agent/record/audit-text.c")
    names = set(re.findall(r'\bfield_\w+\(out, "(\w+)"', audit)) | set(re.findall(r"[\" ]([a-z_]+)=%", audit))
    names |= set(re.findall(r'escape_audit(?:_word)?\(out, "(\w+)"', audit)) | {"default", "rule", "file", "obj", "path"}
    for wanted, title in ((journal, "JOURNAL"), (names, "AUDIT")):
        for name in sorted(wanted):
            if not re.search(rf"(?<![\w]){name}(?![\w])", sections[title]):
                yield f"{MAN}lsmd-audit.7: {title}: {name} is not explained"
    ids = set(re.findall(r'"([0-9a-f]{32})"', tree.text("agent/record/message-id.h")))
    for name in sorted(ids - set(re.findall(r"\b[0-9a-f]{32}\b", sections["JOURNAL"]))):
        yield f"{MAN}lsmd-audit.7: MESSAGE_ID {name} is not explained"
    if len(journal) < 25 or len(names) < 25:
        yield f"only {len(journal)} fields of the journal and {len(names)} of audit were found in the sources"


def the_schema_of_events_has_every_key():
    """What jsonl.c writes, and nothing else."""
    schema = json.loads(tree.text("schema/event.schema.json"))
    known = set(schema["properties"]) | set(schema["$defs"]["layer"]["properties"])
    code = tree.code("agent/record/jsonl.c")
    written = set(re.findall(r'\((?:object|layer), "([a-z_]+)"', code)) | {"rule", "file"}
    for key in sorted(written ^ {key.removesuffix("_hex") for key in known}):
        yield f"schema/event.schema.json: '{key}' is {'not there' if key in written else 'written by nobody'}"
    for key in sorted(written):
        if not re.search(rf"(?<!\w){key}(?!\w)", man_sections("lsmd-audit.7")["JSON"]):
            yield f"{MAN}lsmd-audit.7: JSON: {key} is not explained"


def real_records_are_as_their_schema_says():
    """Written by lsmd on a real kernel; names that no terminal should be shown among them."""
    try:
        import jsonschema
    except ImportError:
        raise tree.Skip("python3-jsonschema is not installed") from None
    validator = jsonschema.Draft202012Validator(json.loads(tree.text("schema/event.schema.json")))
    lines = tree.text("tests/records/events.jsonl").splitlines()
    for number, line in enumerate(lines, 1):
        for error in validator.iter_errors(json.loads(line)):
            yield f"tests/records/events.jsonl:{number}: {error.message}"
    if len(lines) < 20:
        yield f"only {len(lines)} records are there"


def links_in_documents_lead_somewhere():
    for name in markdown():
        for target in re.findall(r"\]\(([^)#:]+)\)", tree.text(name)):
            if not ((tree.TOP / name).parent / target).exists():
                yield f"{name}: there is no {target}"


def the_page_of_detours_is_as_their_table():
    """What is open stands in tests/bypass; the page says for each case whether it was closed, and must not say otherwise."""
    page = "docs/bypasses.md"
    done = subprocess.run([tree.TOP / "tests/bypass/page", "--check", tree.TOP / page], capture_output=True, text=True)
    if done.returncode:
        yield f"{page}: {done.stderr.strip()}"
    for line in done.stdout.split("\n"):
        if line:
            yield f"{page}: {line}; make bypass-page"


CHECKS = [
    examples_pass_lsmctl_check,
    policies_pass_lsmctl_check,
    every_option_of_lsmctl_is_in_its_man_page,
    every_option_of_lsmd_is_in_its_man_page,
    completion_offers_exactly_the_options,
    zsh_finds_the_options_in_the_help,
    commands_in_documents_exist,
    make_targets_in_documents_exist,
    every_diagnostic_is_explained,
    every_reason_is_explained,
    every_verb_is_explained,
    every_setting_is_explained,
    every_field_of_a_record_is_explained,
    the_schema_of_events_has_every_key,
    real_records_are_as_their_schema_says,
    links_in_documents_lead_somewhere,
    the_page_of_detours_is_as_their_table,
]
