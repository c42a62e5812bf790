# SPDX-License-Identifier: LGPL-2.1-or-later
"""Descriptors, file systems, other processes, privilege, and what is less known."""
import frame
from frame import *
from names import said, write_file, was_changed
from network import pass_over

victims = []


def prepare():
    pass


def release():
    for one in victims:
        one.process.kill()
        one.finish()


# ---- descriptors ----

line("descriptors", "Descriptors: opened before the policy, inherited over exec, received by SCM_RIGHTS, taken by pidfd_getfd.")


def opened_before(program, place):
    """opened by the program before any policy held it"""
    frame.holder.unload()
    running = Background(program, "hold-read", place.at + "/f")
    running.line()
    frame.holder.load()
    result = Result(running.pid, running.ask(), "")
    running.finish()
    return result


def inherited(act, flags):
    def started(program, place):
        fd = os.open(place.at + "/f", flags)
        try:
            return probe(program, act, "9", fds=[(fd, 9)])
        finally:
            os.close(fd)
    return started


def received(program, place):
    fd = os.open(place.at + "/f", os.O_RDONLY)
    try:
        return pass_over(program, fd, "receive-read")
    finally:
        os.close(fd)


def taken(program, place):
    fd = os.open(place.at + "/f", os.O_RDONLY)
    try:
        return probe(program, "getfd", str(os.getpid()), str(fd))
    finally:
        os.close(fd)


def handed_over(program, place):
    """a file that is registered with an io_uring which it was started with, and open nowhere else"""
    return probe(FREE_PROGRAM, "ring-hand-over", place.at + "/f", program, "ring-handed")


def listed(program, place):
    """a directory that its parent, whom nobody holds, opened"""
    fd = os.open(place.at, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return probe(program, "list-inherited", "9", fds=[(fd, 9)])
    finally:
        os.close(fd)


def on_its_terminal(program, place):
    """the terminal that controls it is /dev/tty, which it may write; another's is not"""
    ours, theirs = os.openpty()
    try:
        return probe(program, "write-terminal", "9", "own" if place.word == "open" else "-", fds=[(theirs, 9)])
    finally:
        os.close(ours)
        os.close(theirs)


def from_another_namespace(program, place):
    """a descriptor that was opened in another mount namespace, as systemd opens those of services with private folders"""
    fd = os.open(place.at + "/f", os.O_RDONLY)
    try:
        return probe(FREE_PROGRAM, "mount-namespace", "exec", program, "read-inherited", "9", fds=[(fd, 9)])
    finally:
        os.close(fd)


case("opened_before_the_policy", opened_before, "read", under=("rule",))
case("inherited_for_reading", inherited("read-inherited", os.O_RDONLY), "read", how="a descriptor that its parent, whom nobody holds, opened")
case("inherited_for_writing", inherited("write-inherited", os.O_RDWR), "write", was_changed("f"), how="the same, for writing")
case("inherited_and_mapped", inherited("map-inherited", os.O_RDONLY), "read", how="the same, mapped")
case("inherited_and_listed", listed, "read", how=listed.__doc__)
case("inherited_from_another_namespace", from_another_namespace, "read", under=("rule", "default"), how=from_another_namespace.__doc__)
case("registered_with_io_uring", handed_over, "read", how=handed_over.__doc__)
case("terminal", on_its_terminal, "write", under=("default",), how=on_its_terminal.__doc__)
case("received", received, "read", how="SCM_RIGHTS from a process that nobody holds")
case("received_by_pidfd_getfd", taken, "read", under=("rule",), how="pidfd_getfd from a process that nobody holds")
case("taken_by_pidfd_getfd", taken, "ptrace", under=("default",), twin=BY_RULE, how="pidfd_getfd from a process that nobody holds")

line("descriptors", "Change without open, by descriptors: copy_file_range, sendfile, splice, FICLONE, fallocate.")


def source(place):
    populate(ROOT + "/open")
    write_file(ROOT + "/open/source", "X" * 100)


for act in ("copy-range", "sendfile", "splice"):
    case(act.replace("-", "_"), [act, "{at}/f", "{root}/open/source"], "write", was_changed("f"), before=source)
case("ficlone", ["clone", "{at}/f", "{root}/open/source"], "write", before=source, how="FICLONE: this file system has none; the open for it is judged")
case("fallocate", ["fallocate", "{at}/f"], "write")

# ---- file systems ----

line("file systems", "tmpfs, overlayfs (upper, lower, merged), FUSE, procfs, sysfs, cgroupfs, an automounted file system, a mount that came after the policy.")
AT = ROOT + "/else/at"


def mounted(*command):
    def before(place):
        os.makedirs(place.at + "/m", exist_ok=True)
        if command[0] == "overlay":
            must("modprobe", "overlay")
            for name in ("lower", "upper", "work"):
                tree_remove(ROOT + "/layers/" + name)
                os.makedirs(ROOT + "/layers/" + name)
            write_file(ROOT + "/layers/lower/f")
            must("mount", "-t", "overlay", "overlay", "-o", "lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work".format(ROOT + "/layers"),
                 place.at + "/m")
        else:
            must("mount", "-t", command[0], "none", place.at + "/m")
        if command[0] == "tmpfs":
            write_file(place.at + "/m/f")
    return before


def unmounted(place):
    must("umount", "-l", place.at + "/m")


for name, kind, file in (("tmpfs", "tmpfs", "f"), ("overlay_merged", "overlay", "f"), ("procfs", "proc", "version"), ("sysfs", "sysfs", "kernel/uevent_seqnum"),
                         ("cgroupfs", "cgroup2", "cgroup.procs")):
    case("mounted_later_" + name, ["read", "{at}/m/" + file], "read", before=mounted(kind), after=unmounted)
case("overlay_merged_write", ["write", "{at}/m/f"], "write", before=mounted("overlay"), after=unmounted)
case("overlay_merged_unlink", ["unlink", "{at}/m/f"], "delete", before=mounted("overlay"), after=unmounted)
case("tmpfs_rename", ["rename", "{at}/m/f", "{at}/m/new"], "rename", before=mounted("tmpfs"), after=unmounted)


untried("fuse", "a file system in user space needs a server that this machine has not")
untried("automount", "needs a daemon that this machine has not")


def overlay_over(place):
    """the closed folder as the lower layer of an overlay at an open name"""
    must("modprobe", "overlay")
    tree_remove(ROOT + "/layers")
    for name in ("upper", "work", "m"):
        os.makedirs(ROOT + "/layers/" + name)
    must("mount", "-t", "overlay", "overlay", "-o", "lowerdir={1},upperdir={0}/upper,workdir={0}/work".format(ROOT + "/layers", place.at),
         ROOT + "/layers/m")


case("overlay_over_a_closed_folder", ["read", ROOT + "/layers/m/f"], "read", before=overlay_over,
     after=lambda place: must("umount", "-l", ROOT + "/layers/m"), under=("rule",), waits="identity", twin=False, how=overlay_over.__doc__)
case("overlay_over_a_closed_folder_default", ["read", ROOT + "/layers/m/f"], "read", before=overlay_over,
     after=lambda place: must("umount", "-l", ROOT + "/layers/m"), under=("default",), twin=False, how=overlay_over.__doc__)

# ---- other processes ----

line("processes", "ptrace, process_vm_writev, /proc/PID/mem, pidfd_send_signal toward a process with more rights.")


def victim():
    """A process that nobody holds; a new one each time, since the last may have been killed."""
    one = Background(FREE_PROGRAM, "sleep")
    one.line()
    victims.append(one)
    return one


def on_victim(*act, own=()):
    """At somebody whom nobody holds. What is open to it is @own, or the same where another program does it."""
    def tried(program, place):
        one = victim()
        words = own if own and place.word == "open" else act
        result = probe(program, *[w.replace("{pid}", str(one.pid)) for w in words])
        if words[0] == "owner-signal" and result.status == 0:
            result.status = 0 if wait_for(2, lambda: one.process.poll() is not None) else EPERM
        one.process.kill()
        one.finish()
        victims.remove(one)
        return result
    tried.__doc__ = " ".join(act)
    return tried


for name, act, sig in (("kill", "kill", "9"), ("tgkill", "tgkill", "9"), ("sigqueue", "sigqueue", "10"), ("pidfd_send_signal", "pidfd-signal", "9"), ("stop", "kill", "19")):
    case(name, on_victim(act, "{pid}", sig, own=(act, "{pid}", "28")), "signal")
for name, act in (("attach", "attach"), ("seize", "seize"), ("vm_write", "vm-write"), ("vm_read", "vm-read"), ("limits_set", "limit"), ("scheduler_set", "scheduler")):
    case(name, on_victim(act, "{pid}"), "ptrace", under=("default",), twin=BY_RULE)
case("proc_mem", on_victim("proc-mem", "{pid}"), "read", under=("default",), twin=BY_RULE)
case("proc_environ", on_victim("environ", "{pid}"), "read", under=("default",), twin=BY_RULE)
elsewhere("ptrace_of_a_descendant", "guest test 46-system")

line("less known", "F_SETOWN + F_SETSIG(SIGKILL) + O_ASYNC toward a foreign process; TIOCSTI and TIOCLINUX into the parent's terminal.")
case("owner_signal", on_victim("owner-signal", "{pid}", "9", own=("setown-self",)), "signal", reason="signal-later")
elsewhere("owner_set_before", "guest test 46-system")


def terminal(program, place):
    """TIOCSTI at a terminal that it was started with"""
    if KERNEL >= (6, 2):
        setting("dev/tty/legacy_tiocsti", "1")
    ours, theirs = os.openpty()
    try:
        return probe(program, "terminal-type", "9", fds=[(theirs, 9)])
    finally:
        os.close(ours)
        os.close(theirs)


case("terminal_injection", terminal, "lockdown", under=("default",), twin=BY_RULE)

line("less known", "own /proc/self/mem and READ_IMPLIES_EXEC against a policy that denies writable code; mmap judged by `prot`, not `reqprot`.")
case("own_code_written_over", ["code-over"], "read", under=("default",), twin=BY_RULE, absent=((99, 0), EIO))

line("less known", "mknod of disk or memory nodes in an allowed folder; raw reads of disks and loop devices.")


def nodes(place):
    populate(ROOT + "/devices")
    for name, kind, number in (("memory", "c", ("1", "3")), ("disk", "b", ("7", "200"))):
        must("mknod", "%s/%s" % (ROOT + "/devices", name), kind, *number)


for kind in ("char", "block"):
    case("mknod_" + kind, ["mknod", kind, "{root}/devices/new"], "create", lambda at: os.path.exists(ROOT + "/devices/new"), before=nodes,
         under=("default",), twin=BY_RULE)
for act, verb in (("open-read", "read"), ("open-write", "write"), ("open-append", "append")):
    case("node_in_an_allowed_folder_" + verb, [act, "{root}/devices/memory"], verb, before=nodes, under=("default",), twin=BY_RULE)
case("node_renamed_to_an_allowed_name", ["rename", "{root}/devices/memory", "{root}/devices/named"], "rename", before=nodes, under=("default",), twin=BY_RULE,
     reason="rename-widens")

line("less known", "file systems that fold case; `open_tree(OPEN_TREE_NAMESPACE)`, `setns`, CLONE_EMPTY_MNTNS on 7.2.")
untried("folded_names", "this machine's kernel modules and tools make no file system that folds case")
for name, act, since in (("unshared", ["mountns"], None), ("cloned", ["mountns-clone"], None), ("cloned_by_clone3", ["mountns-clone3"], None),
                         ("entered_again", ["mountns-enter"], None), ("of_a_tree", ["open-tree-namespace", "/srv"], (7, 0)),
                         ("of_a_new_file_system", ["fsmount-namespace"], (7, 1)), ("empty", ["mountns-empty"], (7, 1)),
                         ("empty_cloned", ["mountns-empty-clone"], (7, 1))):
    case("mount_namespace_" + name, act, "mount", under=("default",), twin=BY_RULE, absent=since and (since, EINVAL))


def entered(*act):
    def tried(program, place):
        other = Background(FREE_PROGRAM, "mount-namespace", "wait", "true")
        other.line()
        try:
            return probe(program, "enter", str(other.pid), *place.fill(list(act)))
        finally:
            other.finish()
    return tried


case("mount_namespace_of_another", entered("true"), "mount", under=("default",), twin=BY_RULE, how="another's mount namespace, entered")
case("name_in_another_namespace", entered("read", "{at}/f"), "read", under=("rule",), reason="foreign-namespace", waits="namespaces",
     how="another's mount namespace, entered, and a name there")

line("less known", "overlay mounted in a user namespace over a denied tree; SCTP connectx, MPTCP subflows.")
case("overlay_in_a_user_namespace", ["user-mount-namespace", "overlay", "{at}", AT], "userns", before=lambda place: os.makedirs(AT, exist_ok=True),
     under=("default",), twin=BY_RULE)

line("less known", "deputies: a policy that grants /run/systemd/private, D-Bus, docker.sock, cron.d, ld.so.preload, authorized_keys: `lsmctl check` says so.")
for name in ("/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private"):
    case("deputy_" + os.path.basename(name), said({"allow": "connect", "to": "unix:" + name}, "what the policy refuses"), "connect", under=("rule",),
         recorded=False, ours=True, how="a rule that grants %s: `lsmctl check` warns" % name)
for name in ("/etc/cron.d/x", "/etc/ld.so.preload", "/root/.ssh/authorized_keys"):
    case("deputy_" + name.split("/")[2 if "cron" in name else -1], said({"allow": "write", "path": name}, "what the policy refuses"), "write", under=("rule",),
         recorded=False, ours=True, how="a rule that grants writing %s: `lsmctl check` warns" % name)

line("less known", "starving the scratch pool with many idle-priority threads preempted inside a hook: other policies go on.")
untried("scratch_pool", "no load that gets enough threads preempted there has been made")

line("less known", "what the kernel writes in a process's name: core dumps, accounting")
case("core_dump", ["core", "{at}"], "create", lambda at: any(name.startswith("core") for name in os.listdir(at)), under=("rule",),
     before=lambda place: setting("kernel/core_pattern", "core"))
case("accounting", ["account", "{at}/f"], "append", under=("rule",), after=lambda place: probe(FREE_PROGRAM, "account-off"))


# ---- privilege ----

line("privilege", "modules, bpf, user namespaces, capabilities")
for name, act, verb in (("module", ["module-load"], "module"), ("module_from_memory", ["module-init"], "module"), ("module_removed", ["module-delete"], "module"),
                        ("bpf_map", ["bpf-map"], "bpf"), ("bpf_listed", ["bpf-next"], "bpf"), ("userns", ["userns"], "userns"),
                        ("userns_by_clone", ["userns-clone"], "userns")):
    case(name, act, verb, under=("default",), twin=BY_RULE)
for name, act in (("clock", ["clock"]), ("priority", ["cap-nice"])):
    case(name, act, "capability", under=("rule", "default"), twin=FREE_PROGRAM)
case("port", ["cap-port", "81"], "capability", under=("rule",), twin=FREE_PROGRAM)
