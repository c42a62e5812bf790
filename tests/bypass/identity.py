# SPDX-License-Identifier: LGPL-2.1-or-later
"""Execution: what may be run or mapped as code, and who a process is."""
import frame
from frame import *
from names import write_file

TOOL = ROOT + "/bin/tool"
LOADER = "/lib64/ld-linux-x86-64.so.2"
PRELOAD = "/usr/lib/lsmd-test/lsmd-preload.so"


def prepare():
    program_place(TOOL)


def release():
    pass


def tool(place):
    """a copy of the probe there"""
    program_copy(place.at + "/tool")


def copy_of(what):
    return lambda place: program_copy(place.at + "/tool", what)


def script_of(interpreter, *args):
    def make(place):
        tool(place)
        write_file(place.at + "/script", "#!%s %s\n" % (interpreter.replace("{at}", place.at), " ".join(args)))
        os.chmod(place.at + "/script", 0o755)
    return make


# ---- code that is mapped ----

line("execution", "`ld.so /denied/program`; a shared object mapped as code; LD_PRELOAD, LD_AUDIT.")


def told(*args):
    """A program that is no probe: what it says tells that it was refused, whatever its status."""
    def act(program, place):
        result = probe(program, *place.fill(list(args)))
        if result.status and ("failed to map" in result.said or "not permitted" in result.said or "ermission denied" in result.said):
            result.status = EPERM
        return result
    return act


case("loader", told("exec", LOADER, "{at}/tool"), "map", before=copy_of("/usr/bin/true"), shut="code", under=("rule",),
     how="ld.so /denied/program")
case("library_preloaded", told("exec-with", "LD_PRELOAD={at}/tool", "/usr/bin/false"), "map", before=copy_of(PRELOAD), shut="code",
     under=("rule",), how="LD_PRELOAD=library")
case("library_as_auditor", told("exec-with", "LD_AUDIT={at}/tool", "/usr/bin/false"), "map", before=copy_of(PRELOAD), shut="code",
     under=("rule",), how="LD_AUDIT=library")
for name, act in (("mapped", "map-code"), ("mapped_shared", "map-code-shared"), ("mapped_then_made_code", "map-code-later"),
                  ("mapped_by_personality", "map-code-implied")):
    case("code_" + name, [act, "{at}/tool"], "map", before=tool, shut="code")

line("execution", "memfd + fexecve; execveat(AT_EMPTY_PATH); a deleted binary; O_TMPFILE.")
case("memfd", ["exec-memory", "{root}/bin/free", "true"], "exec", reason="path-anonymous", twin=False, under=("rule",))
case("memfd_default", ["exec-memory", "{root}/open/tool", "true"], "exec", reason="path-anonymous", twin=False, under=("default",),
     before=lambda place: (populate(ROOT + "/open"), tool(Place("open"))))
case("execve", ["exec", "{at}/tool", "true"], "exec", before=tool)
case("execveat_empty_path", ["exec-descriptor", "{at}/tool", "true"], "exec", before=tool)
case("exec_by_proc_fd", ["exec-proc", "{at}/tool", "true"], "exec", before=tool)
case("exec_by_vfork", ["vfork", "{at}/tool", "true"], "exec", before=tool)
case("exec_from_a_thread", ["thread", "exec", "{at}/tool", "true"], "exec", before=tool)
case("exec_by_symlink", ["exec", "{root}/else/soft", "true"], "exec",
     before=lambda place: (tool(place), populate(ROOT + "/else"), os.symlink(place.at + "/tool", ROOT + "/else/soft")))
case("exec_with_another_argv0", ["exec-named", "{root}/bin/tool", "{at}/tool", "true"], "exec", before=tool)
case("tmpfile_executed", ["exec-tmpfile", "{at}", "{root}/open/tool", "true"], "exec", before=lambda place: (populate(ROOT + "/open"), tool(Place("open"))),
     shut="code", under=("default",), recorded=False, how="O_TMPFILE filled with a program")


def deleted(program, place):
    """an O_PATH descriptor of a program that is deleted meanwhile"""
    fd = os.open(place.at + "/tool", os.O_PATH)
    os.unlink(place.at + "/tool")
    try:
        return probe(program, "exec-inherited", "9", "true", fds=[(fd, 9)])
    finally:
        os.close(fd)


case("deleted_program", deleted, "exec", before=tool)

line("execution", "mmap W then X, mprotect W→X, shared mappings, anonymous executable memory (where the policy denies `map`).")
for act in ("code-anonymous", "code-written", "code-written-shared", "code-heap", "code-stack", "code-memfd", "code-memfd-twice", "code-implied"):
    case(act.replace("-", "_"), [act], "map", under=("default",), twin=BY_RULE, reason="path-anonymous")

line("execution", "Scripts: shebang chains; `python script`, `python -c`, `sh < script`; the rule on the script and the rule on the interpreter.")
case("script", ["exec", "{at}/script"], "exec", before=script_of(TOOL, "true"), under=("rule",))
case("interpreter", ["exec", "{root}/else/script"], "exec", before=lambda place: (tool(place), populate(ROOT + "/else"), chain(place)),
     under=("rule",), how="a script whose interpreter is denied")
case("script_of_a_script", ["exec", "{root}/else/outer"], "exec", before=lambda place: (tool(place), populate(ROOT + "/else"), chain(place)),
     under=("rule",), how="a script of a script whose interpreter is denied")
case("interpreter_by_a_relative_name", ["exec-from", "{at}", "{root}/else/relative"], "exec",
     before=lambda place: (tool(place), populate(ROOT + "/else"), write_file(ROOT + "/else/relative", "#!./tool true\n"),
                           os.chmod(ROOT + "/else/relative", 0o755)), under=("rule",), how="a script with #!./tool, from the denied folder")
case("script_not_allowed", ["exec", "{at}/script"], "exec", before=script_of(TOOL, "true"), under=("default",))
case("script_given_to_sh", told("exec", "/bin/sh", "{at}/script"), "read", before=script_of("/bin/sh", "-e"), under=("rule",), how="sh script: a read")
case("script_as_standard_input", ["exec-stdin", "{at}/script", "/bin/sh"], "read", before=script_of("/bin/sh", "-e"), under=("rule",))
case("code_as_argument", told("exec", "/bin/sh", "-c", "read line < {at}/f"), "read", under=("rule",), how="sh -c, held as its parent is")


def chain(place):
    for name, interpreter in (("script", place.at + "/tool true"), ("outer", ROOT + "/else/script")):
        write_file(ROOT + "/else/" + name, "#!%s\n" % interpreter)
        os.chmod(ROOT + "/else/" + name, 0o755)


# ---- who it is ----

line("execution", "A copy, a rename, a hard link of a denied or of the confined program.")
case("copy_not_allowed", ["exec", "{root}/else/copy", "true"], "exec",
     before=lambda place: (populate(ROOT + "/else"), program_copy(ROOT + "/else/copy")), under=("default",), twin=BY_RULE)
case("program_linked_by_itself", ["link", "{root}/open/tool", "{root}/else/tool"], "link", lambda at: os.path.exists(ROOT + "/else/tool"),
     before=lambda place: (populate(ROOT + "/open"), populate(ROOT + "/else"), tool(Place("open"))), under=("default",), twin=BY_RULE)
case("program_linked_by_another", ["exec", "{root}/else/tool", "true"], "exec",
     before=lambda place: (tool(place), populate(ROOT + "/else"), os.link(place.at + "/tool", ROOT + "/else/tool")),
     under=("rule",), waits="identity", twin=False)


def renamed(program, place):
    """the held program is renamed while it runs, and another one takes its name"""
    running = Background(program, "wait", "read", place.at + "/f")
    running.line()
    os.rename(program, program + "-renamed")
    program_copy(program)
    result = Result(running.pid, running.ask(), "")
    running.finish()
    os.unlink(program + "-renamed")
    return result


case("program_renamed_while_it_runs", renamed, "read")

line("execution", "set-uid and file-capability programs under a confined task; no_new_privs.")


def setuid_program(place):
    program_place(ROOT + "/else/tool")
    os.chmod(ROOT + "/else/tool", 0o4755)


def capable_program(place):
    program_place(ROOT + "/else/tool")
    must("setcap", "cap_dac_override+ep", ROOT + "/else/tool")


for name, before in (("set_uid_program", setuid_program), ("file_capabilities", capable_program)):
    case(name, ["setuid", "1000", "exec", "{root}/else/tool", "read", "{at}/f"], "read", before=before, under=("rule",))
case("no_new_privs", ["no-new-privs", "read", "{at}/f"], "read")
case("no_new_privs_exec", ["no-new-privs", "exec", "{root}/bin/tool", "read", "{at}/f"], "read", before=tool)
case("setuid", ["setuid", "1000", "read", "{at}/f"], "read")

line("execution", "prctl(PR_SET_NAME), argv[0], /proc/self/exe swap by PR_SET_MM_MAP: identity is latched at exec, never read from what a process can write.")
case("comm", ["comm", "free", "read", "{at}/f"], "read")
case("argv0", ["exec-named", "{root}/bin/free", "{root}/bin/tool", "read", "{at}/f"], "read", before=tool)


def exe_swapped(program, place):
    """PR_SET_MM_EXE_FILE after every mapping of the program was replaced"""
    return probe(program, "change-exe", str(os.stat(program).st_ino), ROOT + "/open/tool", "read", place.at + "/f")


case("exe_link", exe_swapped, "read", under=("rule",), before=lambda place: (populate(ROOT + "/open"), tool(Place("open")), tool(place)))

line("execution", "Double fork, orphaning, vfork, clone(CLONE_PARENT), exec from a thread, a process older than the agent, a process older than the policy.")
for name, way in (("fork", ["fork"]), ("orphan", ["orphan"]), ("thread", ["thread"]), ("setsid", ["setsid"]),
                  ("clone_parent", ["fork", "clone-parent"]), ("exec", ["exec", TOOL]), ("orphan_exec", ["orphan", "exec", TOOL]),
                  ("thread_exec", ["thread", "exec", TOOL]), ("vfork_exec", ["vfork", TOOL]), ("descriptor_exec", ["exec-descriptor", TOOL]),
                  ("exec_exec_exec", ["exec", TOOL, "exec", TOOL, "exec", TOOL])):
    case("child_" + name, way + ["read", "{at}/f"], "read", before=tool, under=("rule",) if name == "descriptor_exec" else None)


def older(program, place):
    """a process that ran before any policy held it"""
    frame.holder.unload()
    running = Background(program, "wait", "read", place.at + "/f")
    running.line()
    frame.holder.load()
    result = Result(running.pid, running.ask(), "")
    running.finish()
    return result


case("older_than_the_policy", older, "read", under=("rule",))

elsewhere("older_than_the_agent", "guest test 10-lifecycle")

line("execution", "New pid, mount, user, cgroup namespaces; moving to another cgroup.")
for way in ("pid-namespace", "user-namespace", "cgroup-namespace"):
    case(way.replace("-", "_"), [way, "read", "{at}/f"], "read", under=("rule",))


def moved(program, place):
    """moved to another control group before it acts"""
    group = "/sys/fs/cgroup/lsmd-bypass"
    os.makedirs(group, exist_ok=True)
    running = Background(program, "wait", "read", place.at + "/f")
    running.line()
    with open(group + "/cgroup.procs", "w") as file:
        file.write(str(running.pid))
    result = Result(running.pid, running.ask(), "")
    running.finish()
    wait_for(5, lambda: not run("rmdir", group)[0])
    return result


case("another_cgroup", moved, "read")

line("execution", "io_uring OPENAT, CONNECT, SENDMSG, UNLINK, RENAME, by worker and by SQPOLL thread.")
for how, act in (("", "uring"), ("_worker", "uring-worker"), ("_poller", "uring-poll")):
    case("uring_open" + how, [act, "read", "{at}/f"], "read")
    case("uring_unlink" + how, [act, "unlink", "{at}/f"], "delete", lambda at: not os.path.exists(at + "/f"))
    case("uring_rename" + how, [act, "rename", "{at}/f", "{at}/new"], "rename", lambda at: os.path.exists(at + "/new"))
    case("uring_connect" + how, [act, "connect", "127.0.0.1", "{port}"], "connect")
    case("uring_send" + how, [act, "send", "127.0.0.1", "{port}"], "send")
