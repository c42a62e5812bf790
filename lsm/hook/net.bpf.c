// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets: connections, whatever call makes them (MEANING.md 21), destinations of datagrams, own addresses, and sockets of those families
 * that no address rule can name (22). A socket that came from somebody else is decided when it is used.
 */
#include "files.h"
#include "guard.h"
#include "named.h"

/* Addresses as user space wrote them: include/uapi/linux/in.h, in6.h. */
struct inet_name {
	u16 family;
	u16 port; /* network order */
	union {
		u32 v4;
		struct {
			u32 flowinfo;
			u32 v6[4];
		};
	};
	u32 scope;
};

#define INET_NAME_LEN 16
#define INET6_NAME_MIN 24

static __always_inline int family_is_inet(u32 family)
{
	return family == AF_INET || family == AF_INET6;
}

/* family_addressed() - do rules name the peers and own addresses of such sockets? */
static __always_inline int family_addressed(u32 family)
{
	return family_is_inet(family) || family == AF_SMC || family == AF_UNIX;
}

/* socket_needs_name() - is the socket as such decided by the verb `socket`? Not where addresses say all there is to say. */
static __always_inline int socket_needs_name(u32 family, u32 type, u32 protocol)
{
	if (family == AF_UNIX)
		return 0;
	if (!family_is_inet(family))
		return 1;
	if (type == SOCK_STREAM)
		return protocol != 0 && protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP;
	if (type == SOCK_DGRAM)
		return protocol != 0 && protocol != IPPROTO_UDP && protocol != IPPROTO_UDPLITE;
	return 1;
}

/* socket_ask() - for socket_decide(), verified once: it is seldom asked */
__noinline int socket_ask(u32 hook, u32 family, u32 type, u32 protocol)
{
	struct numbers numbers = { .n = 2, .a = family, .b = type, .c = protocol };

	if (family == AF_NETLINK)
		numbers.b = protocol;
	else if (family_is_inet(family))
		numbers.n = 3;
	if (family_is_inet(family) && type == SOCK_SEQPACKET && !protocol)
		numbers.c = IPPROTO_SCTP;
	return named_decide(hook, LSMD_ACCESS_SOCKET, &numbers);
}

/*
 * socket_decide() - `socket` by family and type; by protocol where every socket of the family remembers it: internet sockets, and netlink's,
 * whose types mean nothing
 */
static __always_inline int socket_decide(u32 hook, u32 family, u32 type, u32 protocol)
{
	return hook_errno(socket_ask(hook, family, type, protocol));
}

/* socket_used() - the same of a socket that is there */
static __always_inline int socket_used(u32 hook, const struct socket *sock, const struct sock *sk)
{
	u32 family = sk->__sk_common.skc_family, type = (u16)sock->type, protocol = sk->sk_protocol;

	return socket_needs_name(family, type, protocol) ? socket_decide(hook, family, type, protocol) : 0;
}

static __always_inline u32 proto_of(u32 family, u32 protocol)
{
	if (!family_is_inet(family))
		return LSMD_PROTO_TCP; /* SMC carries TCP */
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return LSMD_PROTO_TCP;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		return LSMD_PROTO_UDP;
	case IPPROTO_SCTP:
		return LSMD_PROTO_SCTP;
	case IPPROTO_DCCP:
		return LSMD_PROTO_DCCP;
	default:
		return LSMD_PROTO_OTHER;
	}
}

/* address_normal() - v4 as mapped v6; "any" as an aim is loopback (MEANING.md 21) */
static __always_inline void address_normal(struct lsmd_address *address)
{
	u64 mapped = 0xffff00000000ull;

	if (address->hi)
		return;
	if (address->lo == 0)
		address->lo = 1;
	else if (address->lo == mapped)
		address->lo = mapped | 0x7f000001;
}

static __always_inline void address_v4(struct lsmd_address *address, u32 v4)
{
	address->hi = 0;
	address->lo = 0xffff00000000ull | bpf_ntohl(v4);
}

static __always_inline void address_v6(struct lsmd_address *address, const u32 *v6)
{
	address->hi = (u64)bpf_ntohl(v6[0]) << 32 | bpf_ntohl(v6[1]);
	address->lo = (u64)bpf_ntohl(v6[2]) << 32 | bpf_ntohl(v6[3]);
}

enum inet {
	INET_DECIDED,  /* the address stands in the request */
	INET_NO_AIM,   /* nothing is aimed at: AF_UNSPEC dissolves a connection, or the call will fail */
	INET_UNKNOWN,  /* a form that no rule can name */
};

/*
 * inet_unspec() - what AF_UNSPEC is taken for. A connection is dissolved by it; datagrams are sent to what stands behind it, and
 * binding takes it for IPv4 (net/ipv4/{udp,raw,af_inet}.c, net/ipv6/raw.c).
 */
static __always_inline u32 inet_unspec(u32 family, u32 wanted)
{
	return wanted & LSMD_ACCESS_CONNECT ? AF_UNSPEC : family;
}

/* inet_read() - the address at @name, of @len bytes, as the kernel will understand it */
static __always_inline enum inet inet_read(struct lsmd_scratch *s, u32 family, const void *name, int len)
{
	int inet_socket = family_is_inet(family);
	u32 wanted = s->req.wanted;
	struct inet_name *inet = (struct inet_name *)s->raw;
	u32 size = len;

	if (len < (int)sizeof(inet->family))
		return inet_socket ? INET_NO_AIM : INET_UNKNOWN;
	if (size > sizeof(*inet))
		size = sizeof(*inet);
	__builtin_memset(inet, 0, sizeof(*inet));
	LSMD_OPAQUE(size);
	if (size > sizeof(*inet) || bpf_probe_read_kernel(inet, size, name))
		return INET_UNKNOWN;
	s->req.address.family = inet->family;
	s->req.address.port = bpf_ntohs(inet->port);
	if (inet->family == AF_UNSPEC && inet_socket)
		inet->family = inet_unspec(family, wanted);
	if (inet->family == AF_UNSPEC && inet_socket)
		return INET_NO_AIM;
	if (inet->family == AF_INET && len >= INET_NAME_LEN)
		address_v4(&s->req.address, inet->v4);
	else if (inet->family == AF_INET6 && len >= INET6_NAME_MIN)
		address_v6(&s->req.address, inet->v6);
	else
		return INET_UNKNOWN;
	if (!(wanted & LSMD_ACCESS_LOCAL))
		address_normal(&s->req.address);
	return INET_DECIDED;
}

/* inet_answer() - the rest of inet_decide(), with what hook_enter() gave. Return: 0, -EPERM */
static __always_inline int inet_answer(struct lsmd_scratch *s, u32 family, u32 protocol, const void *name, int len)
{
	enum inet inet;

	s->req.object = LSMD_OBJECT_ADDRESS;
	s->req.address.proto = proto_of(family, protocol);
	inet = inet_read(s, family, name, len);
	if (inet == INET_NO_AIM) {
		scratch_release(s);
		return 0;
	}
	if (inet == INET_UNKNOWN)
		s->name.reason = LSMD_REASON_ADDRESS_UNKNOWN;
	return hook_leave(s);
}

/* inet_decide() - one verb on the address at @name */
static __always_inline int inet_decide(u32 hook, u32 wanted, u32 family, u32 protocol, const void *name, int len)
{
	struct lsmd_scratch *s;
	int ret;

	s = hook_enter(hook, wanted, &ret);
	return s ? inet_answer(s, family, protocol, name, len) : ret;
}

/* own_decide() - one verb on the address that a socket has itself; port 0 is one that it does not have yet */
static __always_inline int own_decide(u32 hook, u32 wanted, const struct sock *sk)
{
	u32 family = sk->__sk_common.skc_family;
	struct lsmd_scratch *s;
	u32 v6[4];
	int ret;

	s = hook_enter(hook, wanted, &ret);
	if (!s)
		return ret;
	s->req.object = LSMD_OBJECT_ADDRESS;
	s->req.address.proto = proto_of(family, sk->sk_protocol);
	s->req.address.family = family;
	s->req.address.port = sk->__sk_common.skc_num;
	if (family == AF_INET6) {
		v6[0] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0];
		v6[1] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[1];
		v6[2] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[2];
		v6[3] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[3];
		address_v6(&s->req.address, v6);
	} else {
		address_v4(&s->req.address, sk->__sk_common.skc_rcv_saddr);
	}
	return hook_leave(s);
}

/* SOCK_BYTES() - a member of a socket (struct sock *, as a number) that all kinds of them have */
#define SOCK_BYTES(to, sk, member) \
	bpf_probe_read_kernel((to), sizeof(*(to)), (const void *)((sk) + bpf_core_field_offset(struct sock, __sk_common.member)))

/* connection_address() - of the peer, or of its own side */
static __always_inline void connection_address(struct lsmd_scratch *s, u64 sk, u32 family, int peer)
{
	struct in6_addr v6 = {};
	u32 v4 = 0;

	if (family == AF_INET6 && peer)
		SOCK_BYTES(&v6, sk, skc_v6_daddr);
	else if (family == AF_INET6)
		SOCK_BYTES(&v6, sk, skc_v6_rcv_saddr);
	else if (peer)
		SOCK_BYTES(&v4, sk, skc_daddr);
	else
		SOCK_BYTES(&v4, sk, skc_rcv_saddr);
	if (family == AF_INET6)
		address_v6(&s->req.address, v6.in6_u.u6_addr32);
	else
		address_v4(&s->req.address, v4);
}

__noinline int connection_set(struct lsmd_scratch *s, u64 sk, u32 wanted)
{
	u16 family = 0, theirs = 0, own = 0, protocol = 0;
	int peer = wanted & LSMD_ACCESS_CONNECT;

	if (!s)
		return 0;
	SOCK_BYTES(&family, sk, skc_family);
	SOCK_BYTES(&theirs, sk, skc_dport);
	SOCK_BYTES(&own, sk, skc_num);
	bpf_probe_read_kernel(&protocol, sizeof(protocol), (const void *)(sk + bpf_core_field_offset(struct sock, sk_protocol)));
	if (!theirs || !family_is_inet(family))
		return 0;
	s->req.object = LSMD_OBJECT_ADDRESS;
	s->req.wanted = wanted;
	s->req.address.family = family;
	s->req.address.proto = proto_of(family, protocol);
	s->req.address.port = peer ? bpf_ntohs(theirs) : own;
	connection_address(s, sk, family, peer);
	return 1;
}

/* Between here and unix_may_send, a datagram is being sent to a name that was given with it; without one it goes where the socket is
 * connected to.
 */
static __always_inline void label_sending(int sending)
{
	struct lsmd_label *label = label_current();

	if (!label)
		return;
	if (sending)
		label->flags |= LSMD_LABEL_SENDING;
	else
		label->flags &= ~LSMD_LABEL_SENDING;
}

SEC("lsm/socket_create")
int BPF_PROG(lsmd_socket_create, int family, int type, int protocol, int kern, int ret)
{
	if (ret)
		return ret;
	if (kern || !socket_needs_name(family, type, protocol))
		return 0;
	return socket_decide(LSMD_HOOK_SOCKET_CREATE, family, type, protocol);
}

SEC("lsm/socket_connect")
int BPF_PROG(lsmd_socket_connect, struct socket *sock, struct sockaddr *address, int addrlen, int ret)
{
	u64 active = control_active();
	struct lsmd_label *label;
	struct lsmd_scratch *s;
	struct sock *sk;
	u32 family;

	if (ret || !active)
		return ret;
	label = label_current();
	if (label_idle(label, active))
		return 0;
	sk = sock->sk;
	if (!sk)
		return -EPERM; /* closed: nothing can be connected, and nothing can be decided */
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX) {
		label_sending(0); /* decided where the peer is known */
		return 0;
	}
	if (!family_addressed(family))
		return socket_used(LSMD_HOOK_SOCKET_CONNECT, sock, sk);
	s = hook_held(label, active, LSMD_HOOK_SOCKET_CONNECT, LSMD_ACCESS_CONNECT, 0, &ret);
	return s ? inet_answer(s, family, sk->sk_protocol, address, addrlen) : ret;
}

/* send_wanted() - a name given with what is sent: on what has connections it makes one (Fast Open, MPTCP's too; SCTP), else it is `send` */
static __always_inline u32 send_wanted(const struct socket *sock, u32 protocol)
{
	return sock->type == SOCK_STREAM || protocol == IPPROTO_SCTP ? LSMD_ACCESS_CONNECT : LSMD_ACCESS_SEND;
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(lsmd_socket_sendmsg, struct socket *sock, struct msghdr *msg, int size, int ret)
{
	struct sock *sk = sock->sk;
	u32 family, protocol;
	int named;

	if (ret)
		return ret;
	if (!sk)
		return -EPERM;
	family = sk->__sk_common.skc_family;
	protocol = sk->sk_protocol;
	named = msg->msg_name && msg->msg_namelen > 0;
	if (family == AF_UNIX) {
		label_sending(named);
		return 0;
	}
	ret = socket_used(LSMD_HOOK_SOCKET_SENDMSG, sock, sk);
	if (!ret && files_asked())
		ret = connection_decide(LSMD_HOOK_SOCKET_SENDMSG, sk, 0);
	if (ret || !named || !family_addressed(family))
		return hook_errno(ret);
	return inet_decide(LSMD_HOOK_SOCKET_SENDMSG, send_wanted(sock, protocol), family, protocol, msg->msg_name,
			   msg->msg_namelen);
}

/* What arrives on a socket with addresses was let in by `connect`, `bind` or `accept`. */
SEC("lsm/socket_recvmsg")
int BPF_PROG(lsmd_socket_recvmsg, struct socket *sock, struct msghdr *msg, int size, int flags, int ret)
{
	struct sock *sk = sock->sk;

	if (ret)
		return ret;
	if (!sk)
		return -EPERM;
	ret = socket_used(LSMD_HOOK_SOCKET_RECVMSG, sock, sk);
	if (!ret && files_asked())
		ret = connection_decide(LSMD_HOOK_SOCKET_RECVMSG, sk, 0);
	return hook_errno(ret);
}

/* include/net/sctp and include/uapi/linux/sctp.h: calls that aim at addresses of a peer */
#define SCTP_SOCKOPT_BINDX_ADD 100
#define SCTP_SOCKOPT_CONNECTX_OLD 107
#define SCTP_SOCKOPT_CONNECTX 110
#define SCTP_SOCKOPT_CONNECTX3 111
#define SCTP_SENDMSG_CONNECT 104
#define SCTP_ADDRESSES_MAX 8

/* sctp_decide_one() - one of the addresses, given as a number; verified once */
__noinline int sctp_decide_one(u64 name, u32 len, u32 wanted)
{
	return inet_decide(LSMD_HOOK_SCTP_BIND_CONNECT, wanted, AF_INET6, IPPROTO_SCTP, (const void *)name, len);
}

/* sctp_decide() - every one of the packed addresses; more than can be looked at are undecided */
static __always_inline int sctp_decide(u64 address, int len, u32 wanted)
{
	int i, ret = 0;
	u16 family;

	LSMD_OPAQUE(address);
	for (i = 0; i < SCTP_ADDRESSES_MAX && len > 0 && !ret; i++) {
		int size;

		family = 0;
		bpf_probe_read_kernel(&family, sizeof(family), (const void *)address);
		size = family == AF_INET6 ? (int)sizeof(struct inet_name) : INET_NAME_LEN;
		ret = sctp_decide_one(address, size, wanted);
		address += size;
		len -= size;
	}
	if (!ret && len > 0)
		ret = sctp_decide_one(0, sizeof(struct inet_name), wanted);
	return hook_errno(ret);
}

/* address_number() - a pointer as a number, through memory: a global function takes numbers only */
static __always_inline u64 address_number(const void *address)
{
	u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &address);
	return number;
}

SEC("lsm/sctp_bind_connect")
int BPF_PROG(lsmd_sctp_bind_connect, struct sock *sk, int optname, struct sockaddr *address, int addrlen, int ret)
{
	if (ret)
		return ret;
	if (optname == SCTP_SOCKOPT_BINDX_ADD)
		return sctp_decide(address_number(address), addrlen, LSMD_ACCESS_BIND);
	if (optname != SCTP_SOCKOPT_CONNECTX && optname != SCTP_SOCKOPT_CONNECTX_OLD && optname != SCTP_SOCKOPT_CONNECTX3 &&
	    optname != SCTP_SENDMSG_CONNECT)
		return 0;
	return sctp_decide(address_number(address), addrlen, LSMD_ACCESS_CONNECT);
}

/* abstract_bytes() - s->name := the abstract name of @len bytes at @bytes, which stands behind a family and a NUL */
static __always_inline void abstract_bytes(struct lsmd_scratch *s, u64 bytes, int len)
{
	s->name.tree = LSMD_TREE_ABSTRACT;
	s->name.first = LSMD_PIECES_MAX;
	s->req.object = LSMD_OBJECT_ABSTRACT;
	if (len > 0 && !pieces_long(&s->name, bytes, len))
		s->name.reason = LSMD_REASON_HELPER_FAILED;
}

/* abstract_name() - the name of an abstract unix socket into s->name. Return: 0; 1 when the socket has none. */
static __always_inline int abstract_name(struct lsmd_scratch *s, struct unix_sock *unix_sock)
{
	struct unix_address *address = unix_sock->addr;
	u64 bytes = pointer_number(s, address) + sizeof(u32) * 2 + sizeof(u16) + 1; /* behind refcnt, len, family, NUL */
	int len;

	if (!address)
		return 1;
	len = address->len - (int)sizeof(u16) - 1; /* behind the family and the leading NUL */
	if (len < 0)
		return 1;
	abstract_bytes(s, bytes, len);
	return 0;
}

/*
 * unix_decide() - one verb on a bound socket: that of a peer, or the one that listens. Its own name decides, not the words that the caller
 * used: no symlink, bind mount or hard link changes it.
 */
static __always_inline int unix_decide(u32 hook, u32 wanted, struct sock *sk)
{
	struct unix_sock *unix_sock = bpf_skc_to_unix_sock(sk);
	struct lsmd_scratch *s;
	struct dentry *dentry;
	int ret;

	s = hook_enter(hook, wanted, &ret);
	if (!s)
		return ret;
	if (!unix_sock) {
		s->name.reason = LSMD_REASON_HELPER_FAILED;
		return hook_leave(s);
	}
	dentry = unix_sock->path.dentry;
	if (dentry) {
		path_walk_peer(s, &s->name, dentry, unix_sock->path.mnt);
	} else if (abstract_name(s, unix_sock)) {
		scratch_release(s);
		return 0; /* without a name: a pair that was made together */
	}
	return hook_leave(s);
}

/*
 * guard_socket() - the control socket, which takes orders from root: who is held gives none. A socket that listens carries the process that made it
 * listen. With "protect" it stays open to everyone else.
 */
static __always_inline int guard_socket(struct sock *other)
{
	struct lsmd_control *control = control_get();
	struct pid *pid = other->sk_peer_pid;

	if (!pid || !guard_number(control, pid->numbers[0].nr))
		return 0;
	return guard_decide(LSMD_HOOK_UNIX_STREAM_CONNECT, LSMD_ACCESS_CONNECT);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(lsmd_unix_stream_connect, struct sock *sock, struct sock *other, struct sock *newsk, int ret)
{
	if (ret)
		return ret;
	return guard_socket(other) ?: unix_decide(LSMD_HOOK_UNIX_STREAM_CONNECT, LSMD_ACCESS_CONNECT, other);
}

/* On the way from connect, and from each send: to the name that was given, or to the peer that the socket is connected to. */
SEC("lsm/unix_may_send")
int BPF_PROG(lsmd_unix_may_send, struct socket *sock, struct socket *other, int ret)
{
	struct lsmd_label *label;
	struct sock *peer;
	int sending;

	if (ret)
		return ret;
	label = label_current();
	sending = label && label->flags & LSMD_LABEL_SENDING;
	label_sending(0);
	peer = other->sk;
	if (!peer)
		return -EPERM;
	return unix_decide(LSMD_HOOK_UNIX_MAY_SEND, sending ? LSMD_ACCESS_SEND : LSMD_ACCESS_CONNECT, peer);
}

/* abstract_bind() - `bind` of an abstract name; a name with a path is asked for where its node is made, path_mknod */
static __always_inline int abstract_bind(struct sockaddr *address, int len)
{
	struct lsmd_scratch *s;
	u8 head[4] = {};
	int ret;

	if (len <= (int)sizeof(u16) || bpf_probe_read_kernel(head, 3, address) || head[2])
		return 0; /* the kernel chooses a name, or the path will be looked at */
	s = hook_enter(LSMD_HOOK_SOCKET_BIND, LSMD_ACCESS_BIND, &ret);
	if (!s)
		return ret;
	abstract_bytes(s, pointer_number(s, address) + sizeof(u16) + 1, len - (int)sizeof(u16) - 1);
	return hook_leave(s);
}

SEC("lsm/socket_bind")
int BPF_PROG(lsmd_socket_bind, struct socket *sock, struct sockaddr *address, int addrlen, int ret)
{
	struct sock *sk = sock->sk;
	u32 family;

	if (ret)
		return ret;
	if (!sk)
		return -EPERM;
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX)
		return abstract_bind(address, addrlen);
	if (!family_addressed(family))
		return socket_used(LSMD_HOOK_SOCKET_BIND, sock, sk);
	return inet_decide(LSMD_HOOK_SOCKET_BIND, LSMD_ACCESS_BIND, family, sk->sk_protocol, address, addrlen);
}

/* listener_decide() - one verb on a socket that listens, or is about to */
static __always_inline int listener_decide(u32 hook, u32 wanted, struct socket *sock)
{
	struct sock *sk = sock->sk;
	u32 family;

	if (!sk)
		return -EPERM;
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX)
		return unix_decide(hook, wanted, sk);
	if (!family_addressed(family))
		return socket_used(hook, sock, sk);
	return own_decide(hook, wanted, sk);
}

SEC("lsm/socket_listen")
int BPF_PROG(lsmd_socket_listen, struct socket *sock, int backlog, int ret)
{
	return ret ?: listener_decide(LSMD_HOOK_SOCKET_LISTEN, LSMD_ACCESS_LISTEN, sock);
}

SEC("lsm/socket_accept")
int BPF_PROG(lsmd_socket_accept, struct socket *sock, struct socket *newsock, int ret)
{
	return ret ?: listener_decide(LSMD_HOOK_SOCKET_ACCEPT, LSMD_ACCESS_ACCEPT, sock);
}
