# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names of files: every way to reach one, and every way to change one without opening it."""
from frame import *

WORLD = os.open("/", os.O_PATH | os.O_DIRECTORY)


def was_changed(name):
    return lambda at: changed(at + "/" + name)


def is_there(name):
    return lambda at: os.path.lexists(at + "/" + name)


def is_gone(name):
    return lambda at: not os.path.lexists(at + "/" + name)


def write_file(name, text="inside\n"):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w") as file:
        file.write(text)


# ---- deep and long ----

def deep_make(folder, n, component):
    """@n directories, one in the other, each called @component; by and by, for names longer than PATH_MAX."""
    os.chdir(folder)
    for _ in range(n):
        os.mkdir(component)
        os.chdir(component)
    with open("leaf", "w") as file:
        file.write("inside\n")
    os.fchdir(WORLD)


line("names", "Deep and long: 25, 40, 300 nested components; denied paths of 65, 129, 201, 257, 1,025, 4,000 bytes; one component of 255 bytes.")
for n, component in ((25, "d"), (40, "d"), (300, "d"), (1, "a" * 40), (1, "b" * 104), (1, "c" * 176), (1, "w" * 255), (1, "e" * 232),
                     (4, "f" * 247), (16, "g" * 247)):
    pieces = 3 + n * ((len(component) + 39) // 40) + 1
    case("deep_%d_of_%d" % (n, len(component)), ["deep", "{at}", str(n), component, "read", "leaf"], "read",
         before=lambda place, n=n, component=component: deep_make(place.at, n, component),
         reason="path-too-deep" if pieces > 64 else None, waits="deep" if pieces > 64 else None,
         how="a file below %d directories, each with a name of %d bytes" % (n, len(component)))

line("names", "Boundary: denying `/etc/` must leave `/etcfoo` alone.")


def neighbour(program, place):
    """names that only begin like a closed one are open"""
    if place.word == "open" or program == FREE_PROGRAM:
        return probe(program, "read", place.at + "/f")
    for name in (ROOT + "/shutter", ROOT + "/shu", ROOT + "/shut2/f"):
        write_file(name)
        result = probe(program, "read", name)
        if program == BY_RULE and result.status:
            result.said += " at " + name
            result.status = 99
            return result
    return probe(program, "read", place.at + "/f")


case("neighbours_of_a_closed_name", neighbour, "read", under=("rule",))

line("names", "A hard link to a denied file, made before and after the policy; the link made by the confined program itself.")


def hard_link(place):
    """a second name, in an open folder, of the file"""
    populate(ROOT + "/else")
    os.link(place.at + "/f", ROOT + "/else/hard")


case("link_made_by_another", ["read", "{root}/else/hard"], "read", before=hard_link, under=("rule",), waits="identity", twin=False,
     how="a second name of the file in a folder that no rule closes, made by a process that nobody holds")
case("link_made_by_another_default", ["read", "{root}/else/hard"], "read", before=hard_link, under=("default",), twin=False)
case("link_by_itself", ["link", "{at}/f", "{at}/new"], "link", is_there("new"))
case("link_by_itself_of_a_descriptor", ["link-descriptor", "{at}/f", "{at}/new"], "link", is_there("new"))
case("link_out", ["link", "{root}/shut/f", "{root}/open/{word}-new"], "link", lambda at: os.path.exists(ROOT + "/open/shut-new"),
     before=lambda place: (populate(ROOT + "/shut"), populate(ROOT + "/open")), twin=False)
case("link_in", ["link", "{root}/open/f", "{root}/shut/new"], "link", is_there("new"), before=lambda place: populate(ROOT + "/open"),
     twin=False)
case("link_by_proc_fd", ["link-proc", "{at}/f", "{at}/new"], "link", is_there("new"),
     how="linkat(/proc/self/fd/N, AT_SYMLINK_FOLLOW)")
case("link_by_uring", ["uring", "link", "{at}/f", "{at}/new"], "link", is_there("new"))
case("tmpfile_linked_in", ["tmpfile-link", "{root}/open", "{at}/new"], "link", is_there("new"), before=lambda place: populate(ROOT + "/open"),
     reason="rename-widens", twin=None, recorded=False, how="O_TMPFILE in an open folder, then linked to a closed name")

line("names", "Rename: the file out of and into a denied directory, a directory above it, an exchange; then open. And a loop that renames while another opens: no denied read in 10^6 tries.")
for name, act in (("rename", "rename"), ("rename_noreplace", "noreplace")):
    case(name, [act, "{at}/f", "{at}/new"], "rename", is_there("new"))
    case(name + "_out", [act, "{root}/shut/f", "{root}/open/new"], "rename", is_gone("f"), before=lambda place: populate(ROOT + "/open"),
         twin=False)
    case(name + "_in", [act, "{root}/open/f", "{root}/shut/new"], "rename", is_there("new"), before=lambda place: populate(ROOT + "/open"),
         twin=False)
case("rename_over", ["rename", "{at}/f", "{at}/g"], "rename", is_gone("f"))
case("rename_exchange", ["exchange", "{at}/f", "{at}/g"], "rename", was_changed("f"))
case("rename_exchange_between", ["exchange", "{root}/open/f", "{root}/shut/g"], "rename", was_changed("g"),
     before=lambda place: populate(ROOT + "/open"), twin=False)
case("rename_whiteout", ["rename-whiteout", "{at}/f", "{at}/new"], "rename", is_there("new"))
case("rename_directory", ["rename", "{at}/dir", "{at}/new"], "rename", is_there("new"))
case("rename_directory_above", ["rename", "{root}/mid", "{root}/mid-moved"], "rename", lambda at: os.path.exists(ROOT + "/mid-moved"),
     before=lambda place: (tree_remove(ROOT + "/mid-moved"), write_file(ROOT + "/mid/shut/f")), under=("rule",), twin=False,
     reason="rename-widens", how="a directory above a closed one")
case("rename_by_uring", ["uring", "rename", "{at}/f", "{at}/new"], "rename", is_there("new"))


def renaming(program, place):
    """1,000 opens of a closed file while another process exchanges its directory and an open, empty one"""
    populate(ROOT + "/else")
    mover = Background(FREE_PROGRAM, "exchange-storm", place.at + "/dir", ROOT + "/else/empty")
    mover.line()
    result = probe(program, "ever", "1000", place.at + "/dir/h")
    mover.end()
    return result


case("renamed_while_opened", renaming, "read", recorded=False, how=renaming.__doc__)

line("names", "A symlink to a denied file; a policy written with a name that is itself a symlink (`/bin`, `/var/run`): warn and resolve, or refuse; never a rule that silently does not fire.")


def soft(place):
    populate(ROOT + "/else")
    os.symlink(place.at + "/f", ROOT + "/else/soft")
    os.symlink(place.at, ROOT + "/else/soft-dir")


case("symlink", ["read", "{root}/else/soft"], "read", before=soft)
case("symlink_of_a_directory", ["read", "{root}/else/soft-dir/f"], "read", before=soft)
case("symlink_written_through", ["write", "{root}/else/soft"], "write", was_changed("f"), before=soft)
case("symlink_to_nothing_created_through", ["creat", "{root}/else/dangling"], "create", is_there("new"),
     before=lambda place: (populate(ROOT + "/else"), os.symlink(place.at + "/new", ROOT + "/else/dangling")))


def said(rule, words):
    """what `lsmctl check` says of a rule: a warning in the words given, and nothing of the rule's twin"""
    def checked(program, place):
        if program == FREE_PROGRAM or place.word == "open":
            return probe(program, "true")
        write_file("/tmp/checked/said.json", json_text(policy("said", "/usr/bin/true", "allow", [rule])) + "\n")
        status, out, err = run("lsmctl", "check", "/tmp/checked")
        return Result(0, EPERM if words in out + err else 0, out + err)
    return checked


case("rule_with_a_symlink", said({"deny": "read", "path": "/bin/ls"}, "is a symbolic link here"), "read", under=("rule",), recorded=False, ours=True,
     how="a rule for /bin/ls: `lsmctl check` warns, and names /usr/bin/ls")
case("symlink_created_through", ["creat", "{root}/else/soft-dir/new"], "create", is_there("new"), before=soft)

line("names", "Bind mounts, also inside `unshare -Urm`; `chroot`, `pivot_root`; `/proc/self/root`, `/proc/self/cwd`, `/proc/PID/root`, `/proc/self/fd`, `/dev/fd`.")


def unmount(place):
    for name in ("/else/at", "/else/to"):
        while probe(FREE_PROGRAM, "umount", ROOT + name).status == 0:
            pass


def mount_ready(mounted=False):
    def ready(place):
        unmount(place)
        populate(ROOT + "/else")
        os.makedirs(ROOT + "/else/at")
        os.makedirs(ROOT + "/else/to")
        if mounted:
            must("mount", "-t", "tmpfs", "none", ROOT + "/else/at")
            os.mkdir(ROOT + "/else/at/old")
            must("mount", "--make-private", ROOT + "/else/at")
    return ready


AT, TO = ROOT + "/else/at", ROOT + "/else/to"
for name, args, needs in (
        ("mount", ["mount", AT], False), ("mount_bind", ["bind", ROOT + "/open", AT], False), ("remount", ["remount", AT], True),
        ("mount_remount_by_attributes", ["mount-setattr", AT], True), ("umount", ["umount", AT], True), ("mount_move", ["move", AT, TO], True),
        ("mount_propagation", ["propagation", AT], True), ("mount_by_descriptor", ["fsmount", AT], False),
        ("mount_open_tree", ["open-tree", AT, TO], True), ("mount_in_own_namespace", ["mount-namespace", "mount", AT], False),
        ("mount_in_user_namespace", ["user-mount-namespace", "mount", AT], False),
        ("mount_bind_in_user_namespace", ["user-mount-namespace", "bind", ROOT + "/open", AT], False),
        ("pivot_root", ["mount-namespace", "pivot", AT, AT + "/old"], True)):
    case(name, args, "userns" if "user_namespace" in name else "mount", before=mount_ready(needs), after=unmount, under=("default",), twin=BY_RULE)


def bound(place):
    """another's bind mount of the closed folder, at a name that no rule closes"""
    mount_ready()(place)
    must("mount", "--bind", place.at, AT)


case("bind_made_by_another", ["read", AT + "/f"], "read", before=bound, after=unmount, under=("rule",), waits="identity", twin=False,
     how=bound.__doc__)
case("bind_made_by_another_default", ["read", AT + "/f"], "read", before=bound, after=unmount, under=("default",), twin=False)


def bound_in(place):
    populate(ROOT + "/else")
    must("mount", "--bind", ROOT + "/else", place.at + "/empty")


def bound_out(place):
    must("umount", "-l", place.at + "/empty")


case("bind_into_a_closed_folder", ["read", "{at}/empty/f"], "read", before=bound_in, after=bound_out)
case("chroot", ["read-chroot", "{at}", "/f"], "read")
case("chroot_above", ["read-chroot", ROOT, "/{base}/f"], "read")
case("proc_root", ["read-root-link", "{at}/f"], "read")
case("proc_root_of_another", ["read-root-of", "1", "{at}/f"], "read")
case("proc_cwd", ["read-cwd", "{at}", "f"], "read")
case("proc_fd", ["reopen", "{at}/f"], "read")
case("proc_fd_for_writing", ["reopen-write", "{at}/f"], "write", was_changed("f"))
case("dev_fd", ["reopen-dev-fd", "{at}/f"], "read")
for name, act in (("unshared", ["mount-namespace"]), ("unshared_with_user", ["user-mount-namespace"])):
    case("namespace_" + name, act + ["read", "{at}/f"], "read", under=("rule",), reason="foreign-namespace", waits="namespaces")
case("detached_mount", ["read-detached", "{at}", "f"], "read", reason="path-unreachable", twin=False)


def chrooted_twin(program, place):
    """a chroot renames nothing: a folder of the closed name below it is another one"""
    if program == FREE_PROGRAM or place.word == "shut":
        return probe(program, "read-chroot", place.at, "/f")
    write_file(place.at + ROOT + "/shut/f")
    return probe(program, "read-chroot", place.at, ROOT + "/shut/f")


case("chroot_renames_nothing", chrooted_twin, "read")

line("names", "`O_PATH` then reopen; `open_by_handle_at`; `openat2` with every resolve flag; `name_to_handle_at`.")
case("handle", ["by-handle", "{at}/f", "/srv"], "read")
case("handle_of_a_file_below", ["by-handle", "{at}/dir/h", "/srv"], "read")
for how, args in (("in-root", ["{at}", "/f"]), ("beneath", ["{at}", "dir/../f"]), ("no-links", ["{at}", "f"]), ("no-xdev", ["{at}", "f"]),
                  ("cached", ["{at}", "f"])):
    case("openat2_" + how.replace("-", "_"), ["openat2", how] + args, "read")
case("openat", ["openat", "{at}", "f"], "read")
case("open", ["read", "{at}/f"], "read", under=("rule", "default"))
case("open_directory", ["list", "{at}/dir"], "read")
case("open_for_ioctl", ["open-ioctl", "{at}/f"], "read")
case("open_dot_dot", ["read", "{at}/dir/below/../../f"], "read")
case("open_many_slashes", ["read", "/{at}//.//f"], "read")
case("o_path_of_another_process", lambda program, place: foreign(program, place), "read", how="/proc/PID/fd of a process with an O_PATH descriptor")
case("o_path_inherited", lambda program, place: inherited(program, place), "read", how="an O_PATH descriptor that it was started with")


def foreign(program, place):
    """through /proc/PID/fd of a process with an O_PATH descriptor"""
    fd = os.open(place.at + "/f", os.O_PATH)
    try:
        return probe(program, "reopen-foreign", str(os.getpid()), str(fd))
    finally:
        os.close(fd)


def inherited(program, place, deleted=False):
    """through an O_PATH descriptor that it was started with"""
    fd = os.open(place.at + "/f", os.O_PATH)
    if deleted:
        os.unlink(place.at + "/f")
    try:
        return probe(program, "reopen-inherited", "9", fds=[(fd, 9)])
    finally:
        os.close(fd)


line("names", "Deleted and reopened by descriptor; a real file whose name ends in ` (deleted)`.")
case("deleted_and_reopened", lambda program, place: inherited(program, place, True), "read",
     how="an O_PATH descriptor of a file that is deleted meanwhile")

line("names", "Names with newline, quote, control bytes, invalid UTF-8: matched rightly, and unable to forge a record.")
ODD = ["with\nnewline", 'with"quote', "with space", " (deleted)", "f (deleted)", "\udcff\udcfe", "\t\x01\x1b[31m", "*", "?", "a]b[", "{x}",
       "back\\slash", "x" * 40, "x" * 41, "x" * 80, "x" * 81, "é" * 20, "..f", "...", "-", "%s%n",
       "a\ntype=USER_AVC msg=audit(1.1:1): avc:  granted"]
for name in ODD:
    shown = "".join(c if c.isalnum() else "_%x" % (ord(c) & 0xff) for c in name)[:24]
    case("name_%s_%d" % (shown, len(os.fsencode(name))), ["read", "{at}/" + name], "read",
         before=lambda place, name=name: write_file(place.at + "/" + name), how=ascii(name))

# ---- change without open ----

line("names", "Change without open: truncate, unlink, rename, rmdir, mkdir, mknod, link, symlink, chmod, chown, utimes, setxattr, removexattr, setacl, fallocate, ioctl FICLONE, copy_file_range, splice.")
case("open_write", ["write", "{at}/f"], "write", was_changed("f"))
case("open_read_write", ["read-write", "{at}/f"], "read", was_changed("f"))
case("open_truncate", ["open-truncate", "{at}/f"], "write", was_changed("f"))
case("open_truncate_for_reading", ["read-truncate", "{at}/f"], "read", was_changed("f"))
case("truncate", ["truncate", "{at}/f"], "write", was_changed("f"))
case("creat_over", ["creat", "{at}/f"], "write", was_changed("f"))
case("open_append", ["append", "{at}/f"], "append", was_changed("f"))
for name, args in (("creat", ["creat"]), ("create_for_reading", ["create-read"]), ("create_exclusive", ["create-excl"]),
                   ("mknod_file", ["mknod", "file"]), ("mknod_fifo", ["mknod", "fifo"]), ("mknod_socket", ["mknod", "socket"]),
                   ("bind_of_a_socket", ["bind-name"]), ("symlink_made", ["symlink"]), ("mkdir", ["mkdir"]), ("mkdir_by_uring", ["uring", "mkdir"])):
    case(name, args + ["{at}/new"], "create", is_there("new"))
case("tmpfile", ["tmpfile", "{at}"], "write", recorded=False)
for name, args in (("unlink", ["unlink", "{at}/f"]), ("unlinkat", ["unlinkat", "{at}", "f"]), ("unlink_by_uring", ["uring", "unlink", "{at}/f"])):
    case(name, args, "delete", is_gone("f"))
case("rmdir", ["rmdir", "{at}/empty"], "delete", is_gone("empty"))
case("rename_needs_delete_where_it_replaces", ["rename", "{root}/keep/f", "{root}/keep/g"], "delete", lambda at: not os.path.exists(ROOT + "/keep/f"),
     before=lambda place: populate(ROOT + "/keep"), under=("rule",), twin=False)
for name, args, effect in (
        ("chmod", ["chmod", "{at}/f"], lambda at: os.stat(at + "/f").st_mode & 0o777 == 0o777),
        ("fchmod", ["fchmod", "{at}/f"], lambda at: os.stat(at + "/f").st_mode & 0o777 == 0o777),
        ("chown", ["chown", "{at}/f"], lambda at: os.stat(at + "/f").st_uid == 1000),
        ("fchownat_empty_path", ["chown-handle", "{at}/f"], lambda at: os.stat(at + "/f").st_uid == 1000),
        ("utimes", ["utimes", "{at}/f"], lambda at: os.stat(at + "/f").st_mtime == 1),
        ("setxattr", ["setxattr", "{at}/f"], lambda at: "user.lsmd" in os.listxattr(at + "/f")),
        ("removexattr", ["removexattr", "{at}/g"], lambda at: "user.lsmd" not in os.listxattr(at + "/g")),
        ("setacl", ["setacl", "{at}/f"], lambda at: "system.posix_acl_access" in os.listxattr(at + "/f")),
        ("removeacl", ["removeacl", "{at}/g"], lambda at: "system.posix_acl_access" not in os.listxattr(at + "/g")),
        ("file_flags", ["setflags", "{at}/f"], None)):
    case(name, args, "setattr", effect, shut="attr",
         before=lambda place: attributes(place))


def attributes(place):
    os.setxattr(place.at + "/g", "user.lsmd", b"x")
    must("setfacl", "-m", "u:1000:r", place.at + "/g")


BEGINNING = b"begun before\n" * 1000
EXCHANGED = b"exchanged\n" * 1300


def log_make(place):
    populate(ROOT + "/open")
    for name, text in (("/f", BEGINNING), ("/g", EXCHANGED)):
        for folder in (place.at, ROOT + "/open"):
            with open(folder + name, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
    caches_drop()


def caches_drop():
    """What the disk has is what is read next: ext4 exchanges blocks behind the pages of the donor."""
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("1\n")


def beginning_lost(at):
    caches_drop()
    return content(at + "/f")[:len(BEGINNING)] != BEGINNING


line("less known", "`append` widened: F_SETFL, ftruncate, fallocate punch, shared mapping, RWF_NOAPPEND.")
for name, args, absent in (
        ("setfl", ["append-setfl"], None), ("setfl_of_a_duplicate", ["append-setfl-dup"], None), ("ftruncate", ["append-ftruncate"], None),
        ("punch", ["append-punch"], None), ("zero", ["append-zero"], None), ("mapping", ["append-map"], None),
        ("mapping_made_writable", ["append-protect"], None),
        ("noappend", ["append-noappend"], ((6, 9), EINVAL, EOPNOTSUPP)), ("aio_noappend", ["append-aio"], ((6, 9), EINVAL, EOPNOTSUPP)),
        ("uring_noappend", ["uring", "append"], ((6, 9), EINVAL, EOPNOTSUPP)),
        ("uring_worker_noappend", ["uring-worker", "append"], ((6, 9), EINVAL, EOPNOTSUPP))):
    case("append_" + name, args + ["{at}/f"], "write", beginning_lost, before=log_make, shut="append", under=("default",), absent=absent)
case("append_allocate", ["append-allocate", "{at}/f"], "write", before=log_make, shut="append", under=("default",))
case("append_extents_moved", ["append-move-extents", "{at}/f", "{root}/open/g"], "write", beginning_lost, before=log_make, shut="append",
     under=("default",), twin=False, reason="syscall-unknown", how="EXT4_IOC_MOVE_EXT, the append-only file as the donor")
for act in ("write", "open-truncate", "read-truncate", "truncate", "open-ioctl"):
    case("append_then_" + act, [act, "{at}/f"], "write", before=log_make, shut="append", under=("default",))
for act in ("append", "append-vector", "append-pwrite", "append-pwritev2"):
    case("append_itself_" + act, lambda program, place, act=act: appended(program, place, act), "write", before=log_make, shut="append",
         under=("default",), recorded=False, how="%s goes on, and leaves what is there" % act)


def appended(program, place, act):
    """The twin of all of these: what appends works where only append is allowed; what writes does not."""
    if program == BY_DEFAULT and place.word == "append":
        done = probe(program, act, place.at + "/f")
        if done.status or beginning_lost(place.at):
            return done
    return probe(program, "truncate", place.at + "/f")
