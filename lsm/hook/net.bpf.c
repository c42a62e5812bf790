// SPDX-License-Identifier: GPL-2.0-only
/* Connections, whatever call makes them (MEANING.md 21): connect, a name given to send on a stream, SCTP, unix sockets. */
#include "emit.h"

#include <bpf/bpf_endian.h>

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

static __always_inline u32 proto_of(u32 family, u32 protocol)
{
	if (family != AF_INET && family != AF_INET6)
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

/* inet_read() - the address at @name, of @len bytes, as the kernel will understand it */
static __always_inline enum inet inet_read(struct lsmd_scratch *s, u32 family, const void *name, int len)
{
	int inet_socket = family == AF_INET || family == AF_INET6;
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
		return INET_NO_AIM;
	if (inet->family == AF_INET && len >= INET_NAME_LEN)
		address_v4(&s->req.address, inet->v4);
	else if (inet->family == AF_INET6 && len >= INET6_NAME_MIN)
		address_v6(&s->req.address, inet->v6);
	else
		return INET_UNKNOWN;
	address_normal(&s->req.address);
	return INET_DECIDED;
}

/* inet_decide() - `connect` to the address at @name */
static __always_inline int inet_decide(u32 hook, u32 family, u32 protocol, const void *name, int len)
{
	struct lsmd_scratch *s;
	enum inet inet;
	int ret;

	s = hook_enter(hook, LSMD_ACCESS_CONNECT, &ret);
	if (!s)
		return ret;
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

/* Between here and unix_may_send, a datagram socket is being connected; sending clears it again. */
static __always_inline void label_connecting(int connecting)
{
	struct lsmd_label *label = label_current();

	if (!label)
		return;
	if (connecting)
		label->flags |= LSMD_LABEL_CONNECTING;
	else
		label->flags &= ~LSMD_LABEL_CONNECTING;
}

SEC("lsm/socket_connect")
int BPF_PROG(lsmd_socket_connect, struct socket *sock, struct sockaddr *address, int addrlen, int ret)
{
	struct sock *sk = sock->sk;
	u32 family;

	if (ret)
		return ret;
	if (!sk)
		return -EPERM; /* closed: nothing can be connected, and nothing can be decided */
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX) {
		label_connecting(1); /* decided where the peer is known */
		return 0;
	}
	if (family == AF_NETLINK)
		return 0; /* the kernel's own; verb `socket` */
	return inet_decide(LSMD_HOOK_SOCKET_CONNECT, family, sk->sk_protocol, address, addrlen);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(lsmd_socket_sendmsg, struct socket *sock, struct msghdr *msg, int size, int ret)
{
	struct sock *sk = sock->sk;
	u32 family, protocol;

	if (ret)
		return ret;
	if (!sk)
		return -EPERM;
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX) {
		label_connecting(0);
		return 0;
	}
	if (!msg->msg_name || msg->msg_namelen <= 0 || (family != AF_INET && family != AF_INET6))
		return 0;
	protocol = sk->sk_protocol;
	if (sock->type != SOCK_STREAM && protocol != IPPROTO_SCTP)
		return 0; /* a datagram with a destination is `send` */
	return inet_decide(LSMD_HOOK_SOCKET_SENDMSG, family, protocol, msg->msg_name, msg->msg_namelen);
}

/* include/net/sctp and include/uapi/linux/sctp.h: calls that aim at addresses of a peer */
#define SCTP_SOCKOPT_CONNECTX_OLD 107
#define SCTP_SOCKOPT_CONNECTX 110
#define SCTP_SOCKOPT_CONNECTX3 111
#define SCTP_SENDMSG_CONNECT 104
#define SCTP_ADDRESSES_MAX 8

/* sctp_decide_one() - one of the addresses, given as a number; verified once */
__noinline int sctp_decide_one(u64 name, u32 len)
{
	return inet_decide(LSMD_HOOK_SCTP_BIND_CONNECT, AF_INET6, IPPROTO_SCTP, (const void *)name, len);
}

/* sctp_decide() - every one of the packed addresses; more than can be looked at are undecided */
static __always_inline int sctp_decide(u64 address, int len)
{
	int i, ret = 0;
	u16 family;

	LSMD_OPAQUE(address);
	for (i = 0; i < SCTP_ADDRESSES_MAX && len > 0 && !ret; i++) {
		int size;

		family = 0;
		bpf_probe_read_kernel(&family, sizeof(family), (const void *)address);
		size = family == AF_INET6 ? (int)sizeof(struct inet_name) : INET_NAME_LEN;
		ret = sctp_decide_one(address, size);
		address += size;
		len -= size;
	}
	if (!ret && len > 0)
		ret = sctp_decide_one(0, sizeof(struct inet_name));
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
	if (optname != SCTP_SOCKOPT_CONNECTX && optname != SCTP_SOCKOPT_CONNECTX_OLD && optname != SCTP_SOCKOPT_CONNECTX3 &&
	    optname != SCTP_SENDMSG_CONNECT)
		return 0;
	return sctp_decide(address_number(address), addrlen);
}

/* abstract_name() - the name of an abstract unix socket into s->name. Return: 0; 1 when the socket has none. */
static __always_inline int abstract_name(struct lsmd_scratch *s, struct unix_sock *peer)
{
	struct unix_address *address = peer->addr;
	u64 bytes = pointer_number(s, address) + sizeof(u32) * 2 + sizeof(u16) + 1; /* behind refcnt, len, family, NUL */
	int len;

	if (!address)
		return 1;
	len = address->len - (int)sizeof(u16) - 1; /* behind the family and the leading NUL */
	s->name.tree = LSMD_TREE_ABSTRACT;
	s->name.first = LSMD_PIECES_MAX;
	s->req.object = LSMD_OBJECT_ABSTRACT;
	if (len <= 0)
		return len < 0;
	if (!pieces_long(&s->name, bytes, len))
		s->name.reason = LSMD_REASON_HELPER_FAILED;
	return 0;
}

/*
 * unix_decide() - `connect` to the socket of a peer. Its own name decides, not the words that the caller used: no symlink, bind mount
 * or hard link changes it.
 */
static __always_inline int unix_decide(u32 hook, struct sock *other)
{
	struct unix_sock *peer = bpf_skc_to_unix_sock(other);
	struct lsmd_scratch *s;
	struct dentry *dentry;
	int ret;

	s = hook_enter(hook, LSMD_ACCESS_CONNECT, &ret);
	if (!s)
		return ret;
	if (!peer) {
		s->name.reason = LSMD_REASON_HELPER_FAILED;
		return hook_leave(s);
	}
	dentry = peer->path.dentry;
	if (dentry) {
		path_walk_peer(s, &s->name, dentry, peer->path.mnt);
	} else if (abstract_name(s, peer)) {
		scratch_release(s);
		return 0; /* an unnamed peer: a pair that was made together */
	}
	return hook_leave(s);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(lsmd_unix_stream_connect, struct sock *sock, struct sock *other, struct sock *newsk, int ret)
{
	return ret ?: unix_decide(LSMD_HOOK_UNIX_STREAM_CONNECT, other);
}

SEC("lsm/unix_may_send")
int BPF_PROG(lsmd_unix_may_send, struct socket *sock, struct socket *other, int ret)
{
	struct lsmd_label *label;
	struct sock *peer;

	if (ret)
		return ret;
	label = label_current();
	if (label && !(label->flags & LSMD_LABEL_CONNECTING))
		return 0; /* `send` */
	label_connecting(0);
	peer = other->sk;
	return peer ? unix_decide(LSMD_HOOK_UNIX_MAY_SEND, peer) : -EPERM;
}
