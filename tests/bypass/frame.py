# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a case is, and how it is tried.

A table is a module that calls line() with a line of the list of known detours, and then case() for each way to take one.
A case is tried by a probe (tests/vm/probe) that nobody holds, at the closed object: the control, which must work, or the case shows
nothing. Then by the held probe there: it must be refused, must not have happened, and a record must name the policy and the rule.
Then by the held probe at the open object, the twin: it must work.
"""
import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "vm", "probe"))
from probe import *

EIO, EACCES, EINVAL, ENOSYS, EOPNOTSUPP, EPROTONOSUPPORT = 5, 13, 22, 38, 95, 93
BY_RULE, BY_DEFAULT = ROOT + "/bin/by-rule", ROOT + "/bin/by-default"
PROGRAMS = {"rule": BY_RULE, "default": BY_DEFAULT}
HELD_BY = {BY_RULE: "by-rule", BY_DEFAULT: "by-default"}
PORTS = {"shut": 20100, "open": 20200}
LISTEN = {"shut": 20150, "open": 20250}  # both may be bound
ACCEPT = {"shut": 20160, "open": 20260}  # somebody else listens

# What this version does not do: a word that cases wait for, and the line of README.md, "What this version does not do", that says so. A case
# that waits and is closed all the same fails, and so does one that does not wait and is open: then the table is changed.
WAITS = {
    "identity": "**Identity**: a deny on a name does not close hard links, bind mounts and overlays that somebody else made",
    "namespaces": "**Mount namespaces**: in another one everything is refused as undecided, what is open too",
    "deep": "**Mount namespaces**: names of more than 64 pieces of 40 bytes are refused as undecided, what is open too",
    "agent": "**The agent**: its configuration, binaries and `oom_score_adj` are closed only as far as policies deny them",
}


settings_before = {}


def setting(name, text):
    """Something of /proc/sys that settings_back() takes back."""
    with open("/proc/sys/" + name) as file:
        settings_before.setdefault(name, file.read())
    with open("/proc/sys/" + name, "w") as file:
        file.write(text + "\n")


def settings_back():
    for name, text in settings_before.items():
        with open("/proc/sys/" + name, "w") as file:
            file.write(text)


class Place:
    """The object of one try: `shut` is closed to the held program, `open` is open to it."""

    def __init__(self, word):
        self.word = word
        self.at = ROOT + "/" + word
        self.port = PORTS.get(word, PORTS["shut"])

    def fill(self, words):
        marks = {"{at}": self.at, "{base}": os.path.basename(self.at), "{port}": str(self.port), "{word}": self.word,
                 "{root}": ROOT}
        for mark, text in marks.items():
            words = [w.replace(mark, text) for w in words]
        return words


# A detour goes around names and hooks, not around one kind of refusal: where nothing is said, cases take turns.
turns = itertools.cycle(("rule", "default"))


class Case:
    def __init__(self, name, act, verb, effect=None, under=None, reason=None, before=None, after=None,
                 waits=None, shut="shut", twin=None, absent=None, recorded=True, how="", ours=False, elsewhere=None):
        self.name = name
        self.act = act          # words for the probe; or a function of program and place that gives a Result
        self.verb = verb        # what the record calls it
        self.effect = effect    # function of the place's folder: did it happen? None: its status tells
        self.under = under or (next(turns),)  # refused by a rule, or by a default
        self.reason = reason    # of the record, where it is neither "rule" nor "default"
        self.before = before    # function of the place: what must be there
        self.after = after      # function of the place: what must go
        self.waits = waits      # a word of WAITS
        self.shut = shut        # the closed place
        self.twin = twin        # another program for the twin, or False: what has no open object
        self.absent = absent    # (kernel, errno...): before that kernel, the control may end so: it is not there, or is refused to everyone
        self.recorded = recorded
        self.how = how or (" ".join(act) if isinstance(act, list) else (act.__doc__ or "").strip() if act else "")
        self.ours = ours        # it is about what is lsmd's: other systems have no such thing
        self.elsewhere = elsewhere  # no act: which other test it is, or why it is not tried


class Line:
    def __init__(self, group, text):
        self.group = group
        self.text = text
        self.cases = []


lines = []
holder = None  # the system that is tried: load(), unload()


def line(group, text):
    lines.append(Line(group, text))


def case(name, act, verb, effect=None, **more):
    lines[-1].cases.append(Case(name, act, verb, effect, **more))


def elsewhere(name, test):
    """A case that another test is."""
    lines[-1].cases.append(Case(name, None, "", under=("rule",), elsewhere=test))


def untried(name, why):
    """A case that nothing tries yet: said, and counted as such."""
    lines[-1].cases.append(Case(name, None, "", under=("rule",), elsewhere="untried: " + why))


def cases():
    return [(at, one) for at in lines for one in at.cases]


# ---- one try ----

class Tried:
    def __init__(self, result, happened):
        self.result = result
        self.happened = happened

    def __str__(self):
        return "%s%s" % (self.result, "" if self.happened == (self.result.status == 0) else
                         ", and it happened" if self.happened else ", and it did not happen")

    def works(self):
        return self.result.status == 0 and self.happened


def attempt(one, program, place):
    populate(place.at)
    if one.before:
        one.before(place)
    try:
        result = one.act(program, place) if callable(one.act) else probe(program, *place.fill(one.act))
        happened = one.effect(place.at) if one.effect else result.status == 0
    finally:
        if one.after:
            one.after(place)
    return Tried(result, happened)


class Outcome:
    """closed, open, absent or broken (the control does not work), and what was seen."""

    def __init__(self, state, seen, refused=None):
        self.state = state
        self.seen = seen
        self.refused = refused


def control_of(one):
    """None where the control works, else what that means."""
    control = attempt(one, FREE_PROGRAM, Place(one.shut))
    if control.works():
        return None
    if one.absent and KERNEL < one.absent[0] and control.result.status in one.absent[1:]:
        return Outcome("absent", "this kernel does no such thing")
    return Outcome("broken", "without a policy: %s" % control)


def outcome_of(one, program, errors):
    """Refused and harmless at the closed place, and nothing else than that?"""
    refused = attempt(one, program, Place(one.shut))
    seen = "closed %s" % refused
    closed = refused.result.status in errors and not refused.happened
    if one.twin is not False:
        twin = attempt(one, one.twin or program, Place("open"))
        seen += "; open %s" % twin
        closed = closed and twin.works()
    return Outcome("closed" if closed else "open", seen, refused.result)
