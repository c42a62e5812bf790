# SPDX-License-Identifier: LGPL-2.1-or-later
"""The network: every call that connects or sends, and every form of an address."""
import socket
from frame import *

listeners = []


def listen(family, kind, address):
    at = socket.socket(family, kind)
    if family == socket.AF_INET6:
        at.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    at.bind(address)
    if kind != socket.SOCK_DGRAM:
        at.listen(512)
    listeners.append(at)


KINDS = (("stream", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM), ("packets", socket.SOCK_SEQPACKET))
SOCKETS = ROOT + "/sockets"


def prepare():
    setting("net/ipv4/tcp_fastopen", "3")
    os.makedirs(SOCKETS, exist_ok=True)
    for word, port in PORTS.items():
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            listen(socket.AF_INET, kind, ("0.0.0.0", port))
            listen(socket.AF_INET6, kind, ("::", port))
        try:
            at = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
            at.bind(("127.0.0.1", port))
            at.listen(8)
            listeners.append(at)
        except OSError:
            pass  # this kernel has no SCTP, and the control will say so
        for name, kind in KINDS:
            listen(socket.AF_UNIX, kind, "%s/%s.%s" % (SOCKETS, word, name))
            listen(socket.AF_UNIX, kind, "\0lsmd-%s" % word if name == "stream" else "\0lsmd-%s-%s" % (word, name))
        listen(socket.AF_UNIX, socket.SOCK_STREAM, b"\0lsmd-" + word.encode() + b"\0more")
        os.symlink("%s/%s.stream" % (SOCKETS, word), "%s/soft-%s" % (SOCKETS, word))


def release():
    for at in listeners:
        at.close()


line("network", "connect: v4, v6, v4-mapped v6 (`::ffff:a.b.c.d`), `0.0.0.0` and `::` as loopback, scope ids, short and long addrlen, AF_UNSPEC.")
V4, V6, MAPPED = ["127.0.0.1", "{port}"], ["::1", "{port}"], ["::ffff:127.0.0.1", "{port}"]
for name, args in (
        ("tcp4", ["connect", "tcp"] + V4), ("tcp6", ["connect", "tcp"] + V6), ("tcp_mapped", ["connect", "tcp"] + MAPPED),
        ("tcp_any4_is_loopback", ["connect", "tcp", "0.0.0.0", "{port}"]), ("tcp_any6_is_loopback", ["connect", "tcp", "::", "{port}"]),
        ("tcp_any_mapped_is_loopback", ["connect", "tcp", "::ffff:0.0.0.0", "{port}"]),
        ("tcp6_short_address", ["connect-short", "tcp"] + V6), ("tcp4_long_address", ["connect-long", "tcp"] + V4),
        ("tcp6_long_address", ["connect-long", "tcp"] + V6), ("tcp_nonblocking", ["connect-nonblocking", "tcp"] + V4),
        ("tcp6_scope", ["connect-scope", "tcp"] + V6), ("tcp6_flow", ["connect-flow", "tcp"] + V6),
        ("udp4", ["connect", "udp"] + V4), ("udp6", ["connect", "udp"] + V6), ("udp_mapped", ["connect", "udp"] + MAPPED),
        ("udp_v4_address_on_v6_socket", ["connect-v4-on-v6"] + V4),
        ("udp_again_after_unspec", ["connect-again", "127.0.0.1", str(PORTS["open"])] + V4),
        ("tcp_from_a_thread", ["thread", "connect", "tcp"] + V4), ("tcp_in_a_user_namespace", ["user-namespace", "connect", "tcp"] + V4)):
    case(name, args, "connect", under=("rule",) if "namespace" in name else None)


def dissolved(program, place):
    """connect(AF_UNSPEC) lets go, and aims at nothing: allowed"""
    if place.word == "shut":
        return probe(program, "connect", "udp", "127.0.0.1", str(place.port))
    return probe(program, "dissolve", "127.0.0.1", str(place.port))


case("udp_unspec_lets_go", dissolved, "connect")

line("network", "TCP and MPTCP Fast Open (sendto with MSG_FASTOPEN, no connect); UDP sendto, sendmsg, sendmmsg; a connected UDP socket with another destination.")
for name, args in (
        ("fast_open", ["fastopen", "tcp"] + V4), ("fast_open_v6", ["fastopen", "tcp"] + V6), ("fast_open_mapped", ["fastopen", "tcp"] + MAPPED),
        ("fast_open_by_message", ["fastopen-message", "tcp"] + V4), ("fast_open_connect", ["fastopen-connect", "tcp"] + V4),
        ("mptcp", ["connect", "mptcp"] + V4), ("mptcp_v6", ["connect", "mptcp"] + V6), ("mptcp_fast_open", ["fastopen", "mptcp"] + V4)):
    case(name, args, "connect", absent=((6, 12), EOPNOTSUPP, EPROTONOSUPPORT) if "mptcp" in name else None)
for name, args in (
        ("udp_sendto", ["sendto"] + V4), ("udp_sendto_v6", ["sendto"] + V6), ("udp_sendto_mapped", ["sendto"] + MAPPED),
        ("udp_sendto_any_is_loopback", ["sendto", "0.0.0.0", "{port}"]), ("udp_sendmsg", ["sendmsg"] + V4), ("udp_sendmmsg", ["sendmmsg"] + V4),
        ("udp_sendmmsg_second", ["sendmmsg-second", "127.0.0.1", str(PORTS["open"])] + V4),
        ("udp_connected_to_another", ["sendto-connected", "127.0.0.1", str(PORTS["open"])] + V4),
        ("udp_sendto_unspec", ["sendto-unspec"] + V4), ("udp_sendto_v4_on_v6", ["sendto-v4-on-v6"] + V4)):
    case(name, args, "send")

line("network", "SCTP, DCCP, raw, packet, vsock, netlink, AF_ALG: a policy that denies `network` by default denies their creation.")
for name, family, kind, proto in (("raw", 2, 3, 1), ("raw6", 10, 3, 58), ("packet", 17, 3, 3), ("packet_datagram", 17, 2, 3), ("netlink_audit", 16, 3, 9),
                                  ("netlink_route", 16, 3, 0), ("netlink_kobject", 16, 3, 15), ("netlink_diagnosis", 16, 3, 4),
                                  ("key", 15, 3, 2)):
    case("socket_" + name, ["socket", str(family), str(kind), str(proto)], "socket", under=("default",), twin=BY_RULE,
         absent=((99, 0), 97, EPROTONOSUPPORT, 94))
for name, family, kind, proto in (("sctp", 2, 5, 132), ("dccp", 2, 6, 33), ("vsock", 40, 1, 0), ("alg", 38, 5, 0), ("can", 29, 3, 1), ("tipc", 30, 1, 0),
                                  ("rds", 21, 5, 0), ("bluetooth", 31, 3, 1), ("xdp", 44, 3, 0), ("smc", 43, 1, 0), ("qrtr", 42, 2, 0)):
    case("socket_" + name, ["socket", str(family), str(kind), str(proto)], "socket", under=("default",), twin=BY_RULE,
         absent=((99, 0), 97, EPROTONOSUPPORT, 94, 93, 22))

case("sctp_connectx", ["connectx", "127.0.0.1", "{port}"], "connect", under=("default",), twin=BY_RULE,
     absent=((99, 0), EPROTONOSUPPORT, 94), how="SCTP_SOCKOPT_CONNECTX, without connect()")

line("network", "unix: path (also via symlink, bind, after rename), abstract names with NULs, datagrams without connect, socketpair allowed.")
for kind in ("stream", "datagram", "packets"):
    case("unix_" + kind, ["unix", kind, SOCKETS + "/{word}." + kind], "connect")
case("unix_by_symlink", ["unix", "stream", SOCKETS + "/soft-{word}"], "connect")
case("unix_relative", ["unix-relative", "stream", SOCKETS, "{word}.stream"], "connect")
case("unix_datagram_after_a_send", ["connect-after-send", SOCKETS + "/{word}.datagram"], "connect")
case("unix_datagram_sent", ["unix-sendto", SOCKETS + "/{word}.datagram"], "send")


def hard_name(place):
    if not os.path.exists(SOCKETS + "/hard-" + place.word):
        os.link("%s/%s.stream" % (SOCKETS, place.word), SOCKETS + "/hard-" + place.word)


case("unix_by_hard_link", ["unix", "stream", SOCKETS + "/hard-{word}"], "connect", before=hard_name,
     how="another name of the same socket: the name that it was bound to decides")


def by_bind(place):
    os.makedirs(ROOT + "/else/at", exist_ok=True)
    must("mount", "--bind", SOCKETS, ROOT + "/else/at")


case("unix_by_bind_mount", ["unix", "stream", ROOT + "/else/at/{word}.stream"], "connect", before=by_bind,
     after=lambda place: must("umount", "-l", ROOT + "/else/at"))


def after_rename(program, place):
    """renamed by somebody else to a name that is open, or closed"""
    other = "open" if place.word == "shut" else "shut"
    name, new = "%s/%s.stream" % (SOCKETS, other), "%s/%s.moved" % (SOCKETS, place.word)
    os.rename(name, new)
    try:
        return probe(program, "unix", "stream", new)
    finally:
        os.rename(new, name)


case("unix_after_a_rename", after_rename, "connect")
for word, name in (("abstract", "lsmd-{word}"),):
    case(word, lambda program, place: probe(program, "abstract", "stream", ("lsmd-" + place.word).encode().hex()), "connect",
         how="an abstract name")


def abstract_more(program, place):
    """an abstract name that goes on behind a NUL is another one"""
    if program == BY_DEFAULT and place.word == "shut":
        return probe(program, "abstract", "stream", b"lsmd-open\0more".hex())
    if program == BY_RULE and place.word == "open":
        return probe(program, "abstract", "stream", b"lsmd-shut\0more".hex())
    return probe(program, "abstract", "stream", ("lsmd-" + place.word).encode().hex())


case("abstract_with_a_nul", abstract_more, "connect", under=("rule", "default"), how=abstract_more.__doc__)
case("abstract_datagram", lambda program, place: probe(program, "abstract", "datagram", ("lsmd-%s-datagram" % place.word).encode().hex()), "connect",
     under=("default",), twin=BY_RULE, how="an abstract name, of datagrams")
case("abstract_datagram_sent", lambda program, place: probe(program, "abstract-sendto", ("lsmd-%s-datagram" % place.word).encode().hex()), "send",
     under=("default",), twin=BY_RULE, how="sendto an abstract name")


def pair(program, place):
    """a pair of sockets is nobody's name: allowed"""
    if place.word == "shut":
        return probe(program, "unix", "stream", SOCKETS + "/shut.stream")
    for kind in ("stream", "datagram", "packets"):
        result = probe(program, "pair", kind)
        if result.status:
            break
    return result


case("pair_is_allowed", pair, "connect", how=pair.__doc__)

line("network", "A connected or listening socket passed in by SCM_RIGHTS.")


def pass_over(program, passed, *act):
    """@passed goes to the program over a socket that it was started with"""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(ours, [b"x"], [passed.fileno() if hasattr(passed, "fileno") else passed])
        return probe(program, *act, "9", fds=[(theirs.fileno(), 9)])


def connected_passed(program, place):
    """a socket connected by another process to where it may not connect"""
    with socket.create_connection(("127.0.0.1", place.port)) as made:
        return pass_over(program, made, "receive-send")


def connected_inherited(program, place):
    """the same, which it was started with"""
    with socket.create_connection(("127.0.0.1", place.port)) as made:
        return probe(program, "send-inherited", "9", fds=[(made.fileno(), 9)])


def accepted_inherited(program, place):
    """a connection that another process accepted where it may not, and which it was started with"""
    with socket.create_server(("127.0.0.1", ACCEPT[place.word])) as server, socket.create_connection(("127.0.0.1", ACCEPT[place.word])):
        made, _ = server.accept()
        with made:
            return probe(program, "send-inherited", "9", fds=[(made.fileno(), 9)])


case("socket_inherited", connected_inherited, "connect", how=connected_inherited.__doc__)
case("socket_accepted_by_another", accepted_inherited, "connect", under=("default",), how=accepted_inherited.__doc__)
case("socket_passed", connected_passed, "connect", how=connected_passed.__doc__)

line("network", "bind, listen and accept: the local side.")
for name, args in (("bind_tcp", ["bind-inet", "tcp", "127.0.0.1", "{port}"]), ("bind_udp", ["bind-inet", "udp", "127.0.0.1", "{port}"])):
    case(name, args, "bind", before=lambda place: listeners_local(False), after=lambda place: listeners_local(True))
case("listen", lambda program, place: probe(program, "listen-inet", "tcp", "127.0.0.1", str(LISTEN[place.word])), "listen",
     how="a port that it may bind")
case("listen_unbound", ["listen-unbound"], "listen", under=("default",), twin=BY_RULE)


def accepted(program, place):
    """a connection that waits at a listening socket which it was started with"""
    with socket.create_server(("127.0.0.1", ACCEPT[place.word])) as server, socket.create_connection(("127.0.0.1", ACCEPT[place.word])):
        return probe(program, "accept", "9", fds=[(server.fileno(), 9)])


case("accept_at_an_inherited_socket", accepted, "accept")


def listeners_local(again):
    """The ports are free while somebody else tries to take them."""
    global listeners
    if again:
        return prepare_inet()
    for at in [at for at in listeners if at.family != socket.AF_UNIX]:
        at.close()
        listeners.remove(at)


def prepare_inet():
    for port in PORTS.values():
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            listen(socket.AF_INET, kind, ("0.0.0.0", port))
            listen(socket.AF_INET6, kind, ("::", port))
