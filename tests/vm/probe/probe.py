# SPDX-License-Identifier: LGPL-2.1-or-later
"""What guest tests in Python share: policies, probes, their results, and the records of what was refused.

A copy of the probe (probe.h) lies at each name that a policy holds; the one at FREE_PROGRAM is held by none. A case is
one act, tried three times: by FREE_PROGRAM at the object that the policy closes, where it must work (the control); by the
held program there, where it must be refused with EPERM, must not have happened, and must be recorded; and by the held
program at an object that the policy leaves open, where it must work (the twin).
"""
import os
import signal
import subprocess
import sys
import time

PROBE = "/usr/lib/lsmd-test/lsmd-probe"
ROOT = "/srv/probe"
FREE_PROGRAM = ROOT + "/bin/free"
POLICIES = "/etc/lsmd/policies.d"
KEPT = "/run/lsmd-test-kept"
EPERM = 1
ERRORS = "/tmp/probe.err"
KERNEL = tuple(int(n) for n in os.uname().release.split("-")[0].split("+")[0].split(".")[:2])

n_failed = 0
n_passed = 0


def passed(name):
    global n_passed
    n_passed += 1
    print("ok " + name, flush=True)


def failed(name, seen):
    global n_failed
    n_failed += 1
    print("not ok %s - %s" % (name, seen), flush=True)


def check(name, condition, seen=""):
    if condition:
        passed(name)
    else:
        failed(name, seen() if callable(seen) else seen)
    return condition


def skip(reason):
    print(reason)
    sys.exit(77)


def finish():
    """The last line, and the status."""
    print("%d passed, %d failed" % (n_passed, n_failed))
    sys.exit(1 if n_failed or not n_passed else 0)


def wait_for(seconds, condition, *args):
    end = time.monotonic() + seconds
    while not condition(*args):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def json_read(text):
    """JSON as lsmctl writes it: this image's Python has no json module, and Python's own literals are the same but for three words."""
    return eval(text, {"__builtins__": {}, "true": True, "false": False, "null": None})


def json_text(value):
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (json_text(k), json_text(v)) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(json_text(v) for v in value)
    if isinstance(value, str):
        return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return str(value)


# ---- commands ----

def run(*command, timeout=600):
    """(status, standard output, standard error)"""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def must(*command):
    status, out, err = run(*command)
    if status:
        print("%s: status %d: %s" % (" ".join(command), status, (err or out).strip()))
        sys.exit(1)
    return out


def status_json():
    return json_read(run("lsmctl", "status", "--json")[1])


def agent_pid():
    return int(must("systemctl", "show", "-P", "MainPID", "lsmd"))


def tree_remove(folder):
    """Whatever is in it; paths may be longer than PATH_MAX."""
    must("rm", "-rf", folder)


# ---- policies ----

def program_copy(name, program=PROBE):
    """A copy of @program at @name, without a process for it; a program that runs is replaced, not written over."""
    if os.path.exists(name):
        os.unlink(name)
    with open(program, "rb") as old, open(name, "wb") as new:
        while os.sendfile(new.fileno(), old.fileno(), None, 1 << 24):
            pass
        os.fchmod(new.fileno(), 0o755)


def program_place(name):
    """A copy of the probe at @name."""
    os.makedirs(os.path.dirname(name), exist_ok=True)
    program_copy(name)
    return name


def policy(name, exe, default, rules, **more):
    """A policy as a dictionary. @default: one word, or by class and verb; what this build does not mediate stays allowed."""
    if isinstance(default, dict):
        default = dict({"file": "allow", "exec": "allow", "network": "allow", "capability": "allow", "process": "allow",
                        "system": "allow"}, **default)
    return dict({"version": 1, "name": name, "subject": {"exe": exe}, "mode": "enforce", "default": default,
                 "rules": rules}, **more)


DENY_FILE = {"file": "deny"}
DENY_EXEC = {"exec": "deny", "map": "allow"}
DENY_CONNECT = {"connect": "deny"}
DENY_MOUNT = {"mount": "deny"}
# Everything that can be done to a name.
FILE_VERBS = ["read", "write", "rename", "link"]


def json_lines(document):
    """A policy with each of its rules on a line of its own, so that the line of a record tells which."""
    head = {key: value for key, value in document.items() if key != "rules"}
    return "%s, \"rules\": [\n%s\n]}\n" % (json_text(head)[:-1], ",\n".join(json_text(rule) for rule in document["rules"]))


written = {}  # what policy_write() wrote, by name of the file: records are looked at later than policies come and go


def policy_write(document):
    name = "%s/%s.json" % (POLICIES, document["name"])
    written[name] = json_lines(document)
    with open(name, "w") as file:
        file.write(written[name])


def policies_write(*documents):
    for name in os.listdir(POLICIES):
        os.unlink(POLICIES + "/" + name)
    for document in documents:
        policy_write(document)


def policies_load(*documents):
    """Exactly these are in force."""
    policies_write(*documents)
    must("lsmctl", "reload")


def agent_start():
    """Loading the programs takes long where the processor is emulated and shared."""
    os.makedirs("/run/systemd/system/lsmd.service.d", exist_ok=True)
    with open("/run/systemd/system/lsmd.service.d/slow.conf", "w") as file:
        file.write("[Service]\nTimeoutStartSec=600\n")
    must("systemctl", "daemon-reload")
    if run("systemctl", "is-active", "--quiet", "lsmd")[0]:
        must("systemctl", "start", "lsmd")


def begin():
    """The machine's own policies are put aside, and the probe is there; end() takes it back."""
    if run("sh", "-c", "command -v lsmctl")[0]:
        skip("lsmd is not installed here")
    if not os.path.exists(PROBE):
        print("%s is not there: make probe-stage" % PROBE)
        sys.exit(1)
    os.makedirs(POLICIES, exist_ok=True)
    tree_remove(KEPT)
    must("cp", "-a", POLICIES, KEPT)
    policies_write()
    tree_remove(ROOT)
    program_place(FREE_PROGRAM)


def end():
    policies_write()
    must("cp", "-a", KEPT + "/.", POLICIES)
    tree_remove(KEPT)
    run("lsmctl", "reload")
    tree_remove(ROOT)


def test(function):
    """The whole of a test: whatever happens, the machine is left as it was."""
    begin()
    try:
        agent_start()
        function()
    finally:
        end()
    finish()


# ---- probes ----

class Result:
    def __init__(self, pid, status, said):
        self.pid = pid
        self.status = status  # exit status, or -signal
        self.said = said

    def __str__(self):
        text = {0: "it happened", EPERM: "EPERM"}.get(self.status, "status %d" % self.status)
        return "%s (%s)" % (text, self.said) if self.said else text


def probe(program, *args, fds=(), cwd=None):
    """Run an act and wait for it."""
    actions = [(os.POSIX_SPAWN_OPEN, 2, ERRORS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    actions += [(os.POSIX_SPAWN_DUP2, fd, number) for fd, number in fds]
    pid = os.posix_spawn(program, [program] + [os.fsencode(a) for a in args], {}, file_actions=actions)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with open(ERRORS, errors="replace") as file:
        return Result(pid, status, file.read().strip())


class Background:
    """A probe that runs on: its words, and what it is told."""

    def __init__(self, program, *args):
        self.process = subprocess.Popen([program] + list(args), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={})
        self.pid = self.process.pid

    def line(self):
        return self.process.stdout.readline().decode().strip()

    def ask(self):
        """For `wait`: the act once more. Its errno."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return int(self.line() or -1)

    def end(self, sig=signal.SIGTERM):
        """(status, the rest of standard output, standard error)"""
        self.process.send_signal(sig)
        return self.finish()

    def finish(self):
        self.process.stdin.close()
        self.process.stdin = None
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out.decode(), err.decode()


# ---- records ----

class Records:
    """
    What the agent records from now on, as it comes. Refusals alike within a second share a record, so they are counted by
    policy, verb, reason and object, and a record counts as often as it says it was repeated.
    """

    def __init__(self):
        self.path = "/tmp/lsmd-test-events"
        self.file = open(self.path, "wb")
        self.process = subprocess.Popen(["lsmctl", "events", "--follow", "--last", "256", "--json"],
                                        stdin=subprocess.DEVNULL, stdout=self.file, stderr=subprocess.STDOUT)
        self.expected = []
        self.records = []

    def expect(self, name, result, verb, reason, policy):
        self.expected.append((name, result.pid, policy, verb, reason))

    def read(self):
        with open(self.path) as file:
            self.records = [json_read(line) for line in file if line.endswith("\n") and line.startswith("{")]

    def of(self, pid):
        self.read()
        return [r for r in self.records if r["pid"] == pid]

    @staticmethod
    def complete(record):
        """Does it name what it must: the line of a rule that denies the verb, or of the default?"""
        if record["answer"] != "denied" or record["mode"] != "enforce" or record["reason"] not in ("rule", "default"):
            return record["answer"] == "denied"
        name, at = record.get("rule", ":1").split(":")[:2]
        text = (written.get(name, "").split("\n") + [""] * int(at))[int(at) - 1]
        if record["reason"] == "default":
            return '"default"' in text
        verbs = (record["verb"],) + (("write",) if record["verb"] in ("append", "create", "delete") else ())
        return '"deny"' in text and any('"%s"' % verb in text for verb in verbs)

    def missing(self):
        """Refusals that no record stands for."""
        self.read()
        left = {}
        for record in self.records:
            if self.complete(record):
                key = (record.get("policy"), record["verb"], record["reason"])
                left[key] = left.get(key, 0) + record["repeats"]
        missing = []
        own = lambda e: [r for r in self.records if r["pid"] == e[1] and (r.get("policy"), r["verb"], r["reason"]) == e[2:]]
        for expected in self.expected:
            key = expected[2:]
            if not own(expected) and left.get(key, 0) <= 0:
                missing.append(expected)
            left[key] = left.get(key, 0) - 1
            if not own(expected) and any(r["pid"] == expected[1] for r in self.records):
                missing.append(expected)
        return missing

    def end(self):
        """Every refusal that was expected has its record."""
        wait_for(15, lambda: not self.missing())
        missing = self.missing()
        for name, pid, policy, verb, reason in missing:
            seen = ["%s %s %s %s" % (r.get("policy"), r["verb"], r["reason"], r.get("object")) for r in self.records
                    if r["pid"] == pid]
            failed("record/" + name, "no record of pid %d with %s, %s, %s; there are %s" % (pid, policy, verb, reason, seen))
        if self.expected and not missing:
            passed("records/%d-refusals-have-theirs" % len(self.expected))
        self.process.terminate()
        self.process.wait()
        self.file.close()


# ---- objects ----

def folder_empty(folder):
    """Faster than a process of its own for what is there as a rule."""
    for _ in range(2):
        try:
            for at, folders, files in os.walk(folder, topdown=False):
                for name in files:
                    os.unlink(at + "/" + name)
                for name in folders:
                    if os.path.islink(at + "/" + name):
                        os.unlink(at + "/" + name)
                    else:
                        os.rmdir(at + "/" + name)
            return
        except OSError:
            tree_remove(folder)


def populate(folder):
    """The same objects in a folder, whatever was there."""
    folder_empty(folder)
    os.makedirs(folder + "/dir/below", exist_ok=True)
    os.makedirs(folder + "/empty", exist_ok=True)
    for name in ("f", "g", "dir/h"):
        with open(folder + "/" + name, "w") as file:
            file.write("inside %s\n" % name)


def content(name):
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError:
        return None


def changed(name, before=None):
    """Is the content of @name not what populate() wrote?"""
    return content(name) != (before or ("inside %s\n" % "/".join(name.split("/")[4:])).encode())
