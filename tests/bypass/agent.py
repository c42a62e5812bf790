# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent itself, attacked by root inside a held process. Policies say nothing of it, or deny everything: what is lsmd's is guarded all the same."""
from frame import *
from less import on_victim
from names import AT, TO, mount_ready, unmount

PINS = "/sys/fs/bpf"
GROUPS = "/sys/fs/cgroup/system.slice"
PROGRAM = "/usr/sbin/lsmd"
agent = 0
ids = {}


def id_of(kind, word):
    """The first map, program or link whose line has the word; 0: none, and the control says so."""
    for text in run("bpftool", kind, "list")[1].split("\n"):
        if word in text and text.split(":")[0].isdigit():
            return text.split(":")[0]
    return "0"


def prepare():
    global agent
    agent = agent_pid()
    run("bpftool", "map", "create", PINS + "/bypass-map", "type", "array", "key", "4", "value", "4", "entries", "1", "name", "bypass")
    ids.update(map=id_of("map", "name lsmd_control"), other=id_of("map", "name bypass"), prog=id_of("prog", "name lsmd_file_open"), link=id_of("link", ""))


def release():
    for name in ("map", "link", "dir"):
        run("rm", "-rf", PINS + "/bypass-" + name)


def words_of(words, pid):
    pin = next((at + "/" + name for at, _, names in os.walk(PINS + "/lsmd") for name in sorted(names) if name == "lsmd_control"), PINS)
    marks = dict({"{" + key + "}": value for key, value in ids.items()}, **{"{pid}": str(pid), "{pin}": pin})
    for mark, text in marks.items():
        words = [word.replace(mark, text) for word in words]
    return words


def guarded(name, act, verb, own=None, control=None, before=None, after=None, reason="guarded", under=("rule",), waits=None, how=""):
    """@act at what is lsmd's; at the open place, @own: False where there is no such thing; @control where @act would end the run."""
    def tried(program, place):
        if place.word == "open":
            return own(program, place) if callable(own) else probe(program, *place.fill(words_of(own, 0)))
        if program == FREE_PROGRAM and control:
            return control(program, place)
        return probe(program, *words_of(act, agent))
    case(name, tried, verb, before=before, after=after, reason=reason, under=under, waits=waits, twin=None if own else False, ours=True, how=how or " ".join(act))


def scheduled_again(place):
    os.sched_setscheduler(agent, os.SCHED_OTHER, os.sched_param(0))


line("agent", "SIGKILL, SIGSTOP, ptrace and OOM of the agent; unpin; umount of bpffs or a mount over it; `bpf()` on its maps, links, programs, by pin and by id.")
for name, act, sig in (("kill", "kill", "9"), ("stop", "kill", "19"), ("terminate", "kill", "15"), ("hang_up", "kill", "1"), ("tgkill", "tgkill", "9"),
                       ("sigqueue", "sigqueue", "9"), ("pidfd_send_signal", "pidfd-signal", "9")):
    guarded("agent_" + name, [act, "{pid}", sig], "signal", own=on_victim(act, "{pid}", "15"), control=on_victim(act, "{pid}", sig),
            how="%s {pid} %s; the control is at another process" % (act, sig))
for name in ("attach", "seize", "vm-write", "vm-read", "getfd-of", "limit", "scheduler"):
    guarded("agent_" + name.replace("-", "_"), [name, "{pid}"], "ptrace", own=on_victim(name, "{pid}"), after=scheduled_again,
            control=on_victim(name, "{pid}") if name.startswith("vm") else None)
guarded("agent_oom_score", ["open-write", "/proc/{pid}/oom_score_adj"], "write", own=["open-write", "{at}/f"], reason=None, waits="agent")
for name in ("kill", "freeze", "procs"):
    guarded("agent_cgroup_" + name, ["open-write", GROUPS + "/lsmd.service/cgroup." + name], "write",
            own=["open-write", GROUPS + "/systemd-journald.service/cgroup." + name])


def directory(place):
    os.makedirs(PINS + "/bypass-dir", exist_ok=True)
    populate(ROOT + "/open")


def link(place):
    if not os.path.islink(PINS + "/bypass-link"):
        os.symlink("/", PINS + "/bypass-link")


def bpf_mounted(place):
    mount_ready()(place)
    must("mount", "-t", "bpf" if place.word == "shut" else "tmpfs", "none", AT)


guarded("pins_folder_removed", ["rmdir", PINS + "/bypass-dir"], "delete", own=["rmdir", "{at}/empty"], before=directory, how="rmdir on a bpf file system")
guarded("pin_removed", ["unlink", PINS + "/bypass-link"], "delete", own=["unlink", "{at}/f"], before=link, how="unlink on a bpf file system")
guarded("pin_renamed", ["rename", PINS + "/bypass-dir", PINS + "/bypass-dir2"], "rename", own=["rename", "{at}/f", "{at}/new"], before=directory,
        after=lambda place: run("rmdir", PINS + "/bypass-dir2"), how="rename on a bpf file system")
guarded("pins_unmounted", ["umount", AT], "mount", own=["umount", AT], before=bpf_mounted, after=unmount, how="umount of a bpf file system")
guarded("pins_mounted_over", ["mount", AT], "mount", own=["mount", AT], before=bpf_mounted, after=unmount, how="a mount over a bpf file system")
guarded("pin_opened", ["bpf-pin", "{pin}"], "bpf")
guarded("map_by_id", ["bpf-map-by-id", "{map}"], "bpf", own=["bpf-map-by-id", "{other}"])
guarded("program_by_id", ["bpf-prog-by-id", "{prog}"], "bpf")
guarded("link_by_id", ["bpf-link-by-id", "{link}"], "bpf")

line("agent", "Writing /etc/lsmd, replacing its binaries, a forged client on the control socket, a policy swapped for a symlink mid-read.")


def forged(place):
    if os.path.exists(POLICIES + "/forged.json"):
        os.unlink(POLICIES + "/forged.json")


def put_back(place):
    if os.path.exists(PROGRAM + ".moved"):
        os.rename(PROGRAM + ".moved", PROGRAM)


for name, act, verb, own, after in (
        ("policy_written", ["creat", POLICIES + "/forged.json"], "create", ["creat", "{at}/new"], forged),
        ("settings_written", ["open-append", "/etc/lsmd/lsmd.json"], "append", ["open-append", "{at}/f"], None),
        ("unit_written", ["open-append", "/usr/lib/systemd/system/lsmd.service"], "append", ["open-append", "{at}/f"], None),
        ("program_moved_away", ["rename", PROGRAM, PROGRAM + ".moved"], "rename", ["rename", "{at}/f", "{at}/new"], put_back)):
    guarded(name, act, verb, own, after=after, reason=None, waits="agent")
    guarded(name + "_default", act, verb, own, after=after, reason=None, under=("default",))
guarded("control_socket", ["unix", "stream", "/run/lsmd/control.sock"], "connect", own=["unix", "stream", ROOT + "/sockets/open.stream"])
elsewhere("policy_swapped_for_a_symlink", "tests/unit/test-set")

line("agent", "A stalled or confined journald or auditd must stall nothing: enforcement and every other process go on, events are counted.")
elsewhere("stalled_readers", "guest test 62-stalls")

line("agent", "A policy that would lock out PID 1, sshd or lsmd itself: refused unless forced; `reload --confirm SECONDS` rolls back by itself when nobody confirms.")
elsewhere("lock_out", "tests/unit/test-check")
elsewhere("confirm", "guest test 73-trial")

line("agent", "EMFILE, ENOMEM, a full disk, E2BIG maps in mid-reload: the old policy stays, whole.")
elsewhere("failures_in_a_reload", "tests/unit/test-compile, guest tests 62-stalls and 70-upgrade")

line("agent", "Malformed input: depth bombs, duplicate keys, NULs, invalid UTF-8, 1 GiB files, FIFOs and devices as policy files, millions of rules, globs made to explode: an error within bounded time and memory.")
elsewhere("malformed_input", "tests/golden, tests/fuzz")
