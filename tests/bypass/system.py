# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is tried: lsmd, or another system with equivalent profiles.

Two programs are held. `by-rule` may do everything but what is denied to it by name; `by-default` may do nothing but what is allowed
to it by name. Objects called "shut" are closed to both, those called "open" are open to both.
"""
from frame import *

SHUT, OPEN = PORTS["shut"], PORTS["open"]
LOOPBACK = "tcp:127.0.0.1:%d udp:127.0.0.1:%d tcp:[::1]:%d udp:[::1]:%d"


# Who may do anything else with capabilities shows that these are what is refused.
CAPABILITIES = ["sys_time", "sys_nice", "net_bind_service"]
OTHER_CAPABILITIES = [str(n) for n in range(41) if n not in (10, 23, 25)]


def addresses(word):
    port = PORTS[word]
    return (LOOPBACK % (port, port, port, port)).split() + ["unix:%s/%s/*" % (ROOT, word), "unix:%s/sockets/%s.*" % (ROOT, word),
                                                           "unix:@lsmd-%s" % word]


def denials():
    """The rules of by-rule."""
    return [{"deny": FILE_VERBS + ["setattr"], "path": [ROOT + "/shut/", ROOT + "/mid/shut/"]},
            {"deny": "delete", "path": ROOT + "/keep/"},
            {"deny": ["exec", "map"], "path": [ROOT + "/shut/", ROOT + "/code/"]},
            {"allow": "map", "path": "anonymous"},
            {"deny": ["setattr", "link"], "path": ROOT + "/attr/"},
            {"deny": ["connect", "send", "bind", "listen"], "to": addresses("shut")},
            {"deny": "listen", "to": "tcp:*:%d" % LISTEN["shut"]},
            {"deny": "accept", "to": "tcp:*:%d" % ACCEPT["shut"]},
            {"deny": "capability", "name": CAPABILITIES},
            {"deny": "signal", "name": ["kill", "stop", "usr1"]}]


def grants():
    """The rules of by-default."""
    return [{"allow": FILE_VERBS + ["setattr"], "path": ROOT + "/open/"},
            {"allow": ["read", "append"], "path": ROOT + "/append/*"},
            {"allow": ["read", "write"], "path": ROOT + "/devices/named"},
            {"allow": FILE_VERBS, "path": [ROOT + "/code/", ROOT + "/devices/"]},
            {"allow": "read", "path": ["/srv", "/dev/null", ROOT + "/attr/"]},
            {"allow": "write", "path": ["/dev/tty", ERRORS]},
            {"allow": ["exec", "map"], "path": [ROOT + "/open/", ROOT + "/bin/by-default", ROOT + "/bin/tool"]},
            {"allow": ["connect", "send", "bind", "listen"], "to": addresses("open")},
            {"allow": "socket", "name": "inet:stream:sctp"},
            {"allow": "bind", "to": ["tcp:*:%d" % LISTEN["shut"], "tcp:*:%d" % LISTEN["open"]]},
            {"allow": "listen", "to": "tcp:*:%d" % LISTEN["open"]},
            {"allow": "accept", "to": "tcp:*:%d" % ACCEPT["open"]},
            {"allow": "capability", "name": OTHER_CAPABILITIES},
            {"allow": "signal", "name": "winch"},
            {"allow": "ptrace", "name": "read"}]


def policies():
    return policy("by-rule", BY_RULE, "allow", denials()), policy("by-default", BY_DEFAULT, "deny", grants())


class Lsmd:
    name = "lsmd"

    def load(self):
        policies_load(*policies())

    def unload(self):
        policies_load()

    def says(self, case):
        return True

    def errors(self, case):
        """MEANING.md 5; who lacks a capability is told what always was, in some calls EACCES: lsmd-policy(5)."""
        return (EPERM, EACCES) if case.verb == "capability" else (EPERM,)


    def start(self):
        for program in (BY_RULE, BY_DEFAULT):
            program_place(program)
        agent_start()
        self.load()
        self.records = Records()

    def judge(self, case, outcome):
        """What the table says, held against what was seen."""
        why = WAITS.get(case.waits)
        if why is None:
            return ("closed", "") if outcome.state == "closed" else ("surprise", outcome.seen)
        if outcome.state == "closed":
            return "surprise", "closed, and the table says that it waits for: %s" % why
        return "open", "%s (%s)" % (why, outcome.seen)

    def expect(self, name, case, under, outcome):
        if case.recorded:
            policy = None if case.reason == "guarded" else "by-" + under
            self.records.expect(name, outcome.refused, case.verb, case.reason or under, policy)

    def end(self):
        """What no record tells."""
        wait_for(15, lambda: not self.records.missing())
        for name, pid, by, verb, reason in self.records.missing():
            yield "record/" + name, "no record of pid %d with %s, %s, %s: %s" % (pid, by, verb, reason, self.records.of(pid))
        self.records.process.terminate()
        self.records.process.wait()
        self.records.file.close()

    def stop(self):
        pass


PROFILES = "/tmp/lsmd-bypass-profiles"
# What profiles of apparmor_parser 3.0 cannot say: addresses, user namespaces, bpf, lockdown; and who has no agent has none to attack.
UNSAID = ("connect", "send", "bind", "listen", "accept", "userns", "bpf", "lockdown")


def profile(name, rules):
    return "profile %s %s/bin/%s flags=(attach_disconnected) {\n  %s,\n}\n" % (name, ROOT, name, ",\n  ".join(rules))


def profiles():
    rest = ["network", "unix", "dbus", "umount", "pivot_root", "ptrace", "signal", "capability", "deny signal send set=(kill, stop, usr1)"] + [
        "deny capability " + name for name in CAPABILITIES]
    by_rule = ["/{,**} rwlkm", "/{,**} ix", "mount"] + rest + [
        "deny %s/{shut,mid/shut}/{,**} rwlkmx" % ROOT, "deny %s/attr/{,**} wl" % ROOT, "deny %s/code/** mx" % ROOT, "deny %s/sockets/shut.* rw" % ROOT]
    by_default = ["%s/%s/{,**} rwlk" % (ROOT, word) for word in ("open", "code", "devices")] + [
        "%s/append/* ra" % ROOT, "%s/attr/{,**} r" % ROOT, "%s/open/{,**} mix" % ROOT, "%s/bin/{by-default,tool} mrix" % ROOT, "%s/sockets/{open,soft-open,hard-open}* rw" % ROOT,
        "/ r", "/srv/ r", "/dev/null r", "network inet stream", "network inet dgram", "network inet6 stream", "network inet6 dgram", "network unix",
        "unix peer=(addr=@lsmd-open*)", "unix (create, connect, send, receive) type=stream addr=none", "signal receive", "signal send set=(winch)",
        "ptrace (read, readby, tracedby)", "capability", "deny capability sys_module"] + ["deny capability " + name for name in CAPABILITIES]
    return "abi <abi/3.0>,\n" + profile("by-rule", by_rule) + profile("by-default", by_default)


class AppArmor:
    """The nearest that its language comes to the same policies."""
    name = "AppArmor"

    def errors(self, case):
        return EPERM, EACCES

    def load(self):
        must("apparmor_parser", "-r", PROFILES)

    def unload(self):
        must("apparmor_parser", "-R", PROFILES)

    def says(self, case):
        return not case.ours and (case.verb not in UNSAID or case.name.startswith(("unix", "abstract", "pair")))

    def start(self):
        for program in (BY_RULE, BY_DEFAULT):
            program_place(program)
        with open(PROFILES, "w") as file:
            file.write(profiles())
        self.load()

    def judge(self, case, outcome):
        return outcome.state, outcome.seen

    def expect(self, name, case, under, outcome):
        pass

    def end(self):
        return ()

    def stop(self):
        run("apparmor_parser", "-R", PROFILES)


SYSTEMS = {"lsmd": Lsmd, "apparmor": AppArmor}
