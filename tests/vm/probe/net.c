// SPDX-License-Identifier: LGPL-2.1-or-later
/* Acts that connect, by every call and every form of address. */
#include "tests/vm/probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Where to: any of the three, by its family. */
union aim {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un name;
};

/* args: address, port. A colon in the address makes it version 6. */
static socklen_t aim_inet(union aim *aim, char **args)
{
	memset(aim, 0, sizeof(*aim));
	if (strchr(args[0], ':')) {
		aim->v6.sin6_family = AF_INET6;
		aim->v6.sin6_port = htons(atoi(args[1]));
		before(inet_pton(AF_INET6, args[0], &aim->v6.sin6_addr) - 1, args[0]);
		return sizeof(aim->v6);
	}
	aim->v4.sin_family = AF_INET;
	aim->v4.sin_port = htons(atoi(args[1]));
	before(inet_pton(AF_INET, args[0], &aim->v4.sin_addr) - 1, args[0]);
	return sizeof(aim->v4);
}

/* A socket of the protocol: "tcp", "udp", "mptcp" */
static int socket_for(int family, const char *proto)
{
	int type = strcmp(proto, "udp") ? SOCK_STREAM : SOCK_DGRAM;

	return before(socket(family, type | SOCK_CLOEXEC, strcmp(proto, "mptcp") ? 0 : IPPROTO_MPTCP), proto);
}

/* args: protocol, address, port */
static int act_connect(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args + 1);

	return result_of(connect(socket_for(aim.any.sa_family, args[0]), &aim.any, len));
}

/* Without the scope that later kernels added to the address of version 6. */
static int act_connect_short(char **args)
{
	union aim aim;

	aim_inet(&aim, args + 1);
	return result_of(connect(socket_for(aim.any.sa_family, args[0]), &aim.any,
				 offsetof(struct sockaddr_in6, sin6_scope_id)));
}

/* More bytes than the address has. */
static int act_connect_long(char **args)
{
	union aim aim;

	aim_inet(&aim, args + 1);
	return result_of(
		connect(socket_for(aim.any.sa_family, args[0]), &aim.any, sizeof(struct sockaddr_storage) / 2));
}

/* The scope and the flow are no part of what is aimed at. */
static int act_connect_scope(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args + 1);

	aim.v6.sin6_scope_id = 1;
	return result_of(connect(socket_for(aim.any.sa_family, args[0]), &aim.any, len));
}

static int act_connect_flow(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args + 1);

	aim.v6.sin6_flowinfo = htonl(0x12345);
	return result_of(connect(socket_for(aim.any.sa_family, args[0]), &aim.any, len));
}

/* An address of version 4 on a datagram socket of version 6. */
static int act_connect_v4_on_v6(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args);

	return result_of(connect(socket_for(AF_INET6, "udp"), &aim.any, len));
}

static int act_connect_nonblocking(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args + 1);
	int fd = socket(aim.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (!connect(fd, &aim.any, len) || errno == EINPROGRESS)
		return 0;
	return -errno;
}

static int act_fastopen(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args + 1);

	return result_of(sendto(socket_for(aim.any.sa_family, args[0]), "x", 1, MSG_FASTOPEN, &aim.any, len));
}

static int act_fastopen_message(char **args)
{
	union aim aim;
	struct iovec vector = { "x", 1 };
	struct msghdr message = {
		.msg_name = &aim, .msg_namelen = aim_inet(&aim, args + 1), .msg_iov = &vector, .msg_iovlen = 1
	};

	return result_of(sendmsg(socket_for(aim.any.sa_family, args[0]), &message, MSG_FASTOPEN));
}

/* sendto() later connects by itself: TCP_FASTOPEN_CONNECT. */
static int act_fastopen_connect(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args + 1);
	int fd = socket_for(aim.any.sa_family, args[0]), on = 1;

	before(setsockopt(fd, IPPROTO_TCP, 30, &on, sizeof(on)), "TCP_FASTOPEN_CONNECT");
	return result_of(connect(fd, &aim.any, len));
}

/* A connected datagram socket that is let go: nothing is aimed at. args: address and port it may connect to */
static int act_dissolve(char **args)
{
	union aim aim, nowhere = { .any.sa_family = AF_UNSPEC };
	socklen_t len = aim_inet(&aim, args);
	int fd = socket_for(aim.any.sa_family, "udp");

	before(connect(fd, &aim.any, len), "connect");
	return result_of(connect(fd, &nowhere.any, sizeof(nowhere.any)));
}

/* First to an allowed address, then let go, then to the other: args: address, port, address, port */
static int act_connect_again(char **args)
{
	union aim aim, nowhere = { .any.sa_family = AF_UNSPEC };
	socklen_t len = aim_inet(&aim, args);
	int fd = socket_for(aim.any.sa_family, "udp");

	before(connect(fd, &aim.any, len), "connect");
	before(connect(fd, &nowhere.any, sizeof(nowhere.any)), "AF_UNSPEC");
	len = aim_inet(&aim, args + 2);
	return result_of(connect(fd, &aim.any, len));
}

/* ---- unix ---- */

static int type_of(const char *name)
{
	if (!strcmp(name, "stream"))
		return SOCK_STREAM;
	return strcmp(name, "datagram") ? SOCK_SEQPACKET : SOCK_DGRAM;
}

static int unix_socket(const char *type)
{
	return before(socket(AF_UNIX, type_of(type) | SOCK_CLOEXEC, 0), "socket");
}

/* args: type, name */
static socklen_t aim_path(union aim *aim, const char *name)
{
	memset(aim, 0, sizeof(*aim));
	aim->name.sun_family = AF_UNIX;
	strncpy(aim->name.sun_path, name, sizeof(aim->name.sun_path) - 1);
	return sizeof(aim->name);
}

static int act_unix(char **args)
{
	union aim aim;
	socklen_t len = aim_path(&aim, args[1]);

	return result_of(connect(unix_socket(args[0]), &aim.any, len));
}

/* Relative to a directory. args: type, directory, name */
static int act_unix_relative(char **args)
{
	union aim aim;
	socklen_t len = aim_path(&aim, args[2]);

	before(chdir(args[1]), args[1]);
	return result_of(connect(unix_socket(args[0]), &aim.any, len));
}

/* args: type, the name's bytes behind the leading NUL, in hexadecimal */
static socklen_t aim_abstract(union aim *aim, const char *hex)
{
	size_t n = strlen(hex) / 2;

	memset(aim, 0, sizeof(*aim));
	aim->name.sun_family = AF_UNIX;
	for (size_t i = 0; i < n && i + 1 < sizeof(aim->name.sun_path); i++) {
		char digits[3] = { hex[2 * i], hex[2 * i + 1] };

		aim->name.sun_path[i + 1] = strtoul(digits, NULL, 16);
	}
	return offsetof(struct sockaddr_un, sun_path) + 1 + n;
}

static int act_abstract(char **args)
{
	union aim aim;
	socklen_t len = aim_abstract(&aim, args[1]);

	return result_of(connect(unix_socket(args[0]), &aim.any, len));
}

/* Two datagram sockets in one process: connecting one must not be taken for sending on the other. args: path */
static int act_connect_after_send(char **args)
{
	union aim aim;
	socklen_t len = aim_path(&aim, args[0]);
	int pair[2];

	before(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	before(write(pair[0], "x", 1), "write");
	return result_of(connect(unix_socket("datagram"), &aim.any, len));
}

static int act_pair(char **args)
{
	int pair[2];

	if (socketpair(AF_UNIX, type_of(args[0]) | SOCK_CLOEXEC, 0, pair))
		return -errno;
	return result_of(write(pair[0], "x", 1));
}

/* ---- sending without connecting ---- */

static int act_sendto(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args);

	return result_of(sendto(socket_for(aim.any.sa_family, "udp"), "x", 1, 0, &aim.any, len));
}

static int act_sendmsg(char **args)
{
	union aim aim;
	struct iovec vector = { "x", 1 };
	struct msghdr message = { .msg_name = &aim, .msg_namelen = aim_inet(&aim, args), .msg_iov = &vector, .msg_iovlen = 1 };

	return result_of(sendmsg(socket_for(aim.any.sa_family, "udp"), &message, 0));
}

static int act_sendmmsg(char **args)
{
	union aim aim;
	struct iovec vector = { "x", 1 };
	struct mmsghdr message = {
		.msg_hdr = { .msg_name = &aim, .msg_namelen = aim_inet(&aim, args), .msg_iov = &vector, .msg_iovlen = 1 }
	};

	return result_of(sendmmsg(socket_for(aim.any.sa_family, "udp"), &message, 1, 0));
}

/* Several in one call, the first of them to where it may send. args: address and port that are open, address, port */
static int act_sendmmsg_second(char **args)
{
	union aim first, second;
	struct iovec vector = { "x", 1 };
	struct mmsghdr messages[2] = {
		{ .msg_hdr = { .msg_name = &first, .msg_namelen = aim_inet(&first, args), .msg_iov = &vector, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_name = &second, .msg_namelen = aim_inet(&second, args + 2), .msg_iov = &vector, .msg_iovlen = 1 } },
	};
	int n = sendmmsg(socket_for(first.any.sa_family, "udp"), messages, 2, 0);

	if (n < 0)
		return -errno;
	return n == 2 ? 0 : -EPERM; /* the kernel says how many went out, and why not the next only if it is asked again */
}

/* Connected to one, sent to another. args: address and port it may connect to, address, port */
static int act_sendto_connected(char **args)
{
	union aim first, second;
	socklen_t len = aim_inet(&first, args);
	int fd = socket_for(first.any.sa_family, "udp");

	before(connect(fd, &first.any, len), "connect");
	len = aim_inet(&second, args + 2);
	return result_of(sendto(fd, "x", 1, 0, &second.any, len));
}

/* The family is not said; the kernel takes it for version 4. */
static int act_sendto_unspec(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args);

	aim.any.sa_family = AF_UNSPEC;
	return result_of(sendto(socket_for(AF_INET, "udp"), "x", 1, 0, &aim.any, len));
}

static int act_connect_unspec_tcp(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args);
	int fd = socket_for(AF_INET, "tcp");

	before(connect(fd, &aim.any, len), "connect");
	aim.any.sa_family = AF_UNSPEC;
	return result_of(connect(fd, &aim.any, len));
}

static int act_sendto_v4_on_v6(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args);

	return result_of(sendto(socket_for(AF_INET6, "udp"), "x", 1, 0, &aim.any, len));
}

/* Datagrams without connecting. args: name */
static int act_unix_sendto(char **args)
{
	union aim aim;
	socklen_t len = aim_path(&aim, args[0]);

	return result_of(sendto(unix_socket("datagram"), "x", 1, 0, &aim.any, len));
}

/* args: the abstract name's bytes in hexadecimal */
static int act_abstract_sendto(char **args)
{
	union aim aim;
	socklen_t len = aim_abstract(&aim, args[0]);

	return result_of(sendto(unix_socket("datagram"), "x", 1, 0, &aim.any, len));
}

/* include/uapi/linux/sctp.h: SCTP_SOCKOPT_CONNECTX takes addresses, and connects. */
static int act_connectx(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args);
	int fd = before(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 132), "SCTP");

	return result_of(setsockopt(fd, 132, 110, &aim, len));
}

/* ---- the local side ---- */

/* args: protocol, address, port */
static int act_bind(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args + 1);
	int fd = socket_for(aim.any.sa_family, args[0]), on = 1;

	before(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), "SO_REUSEPORT");
	return result_of(bind(fd, &aim.any, len));
}

static int act_listen(char **args)
{
	union aim aim;
	socklen_t len = aim_inet(&aim, args + 1);
	int fd = socket_for(aim.any.sa_family, args[0]), on = 1;

	before(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), "SO_REUSEPORT");
	before(bind(fd, &aim.any, len), "bind");
	return result_of(listen(fd, 1));
}

/* The kernel chooses the port. */
static int act_listen_unbound(char **args)
{
	return result_of(listen(socket_for(AF_INET, "tcp"), 1));
}

/* A listening socket that it was started with. args: its descriptor */
static int act_accept(char **args)
{
	return result_of(accept4(atoi(args[0]), NULL, NULL, SOCK_CLOEXEC));
}

/* args: family, type, protocol, all as numbers */
static int act_socket(char **args)
{
	return result_of(socket(atoi(args[0]), atoi(args[1]) | SOCK_CLOEXEC, atoi(args[2])));
}

const struct act net_acts[] = {
	{ "sendto", 2, act_sendto },
	{ "sendmsg", 2, act_sendmsg },
	{ "sendmmsg", 2, act_sendmmsg },
	{ "sendmmsg-second", 4, act_sendmmsg_second },
	{ "sendto-connected", 4, act_sendto_connected },
	{ "sendto-unspec", 2, act_sendto_unspec },
	{ "connectx", 2, act_connectx },
	{ "connect-unspec-tcp", 2, act_connect_unspec_tcp },
	{ "sendto-v4-on-v6", 2, act_sendto_v4_on_v6 },
	{ "unix-sendto", 1, act_unix_sendto },
	{ "abstract-sendto", 1, act_abstract_sendto },
	{ "bind-inet", 3, act_bind },
	{ "listen-inet", 3, act_listen },
	{ "listen-unbound", 0, act_listen_unbound },
	{ "accept", 1, act_accept },
	{ "socket", 3, act_socket },
	{ "connect", 3, act_connect },
	{ "connect-short", 3, act_connect_short },
	{ "connect-long", 3, act_connect_long },
	{ "connect-scope", 3, act_connect_scope },
	{ "connect-flow", 3, act_connect_flow },
	{ "connect-v4-on-v6", 2, act_connect_v4_on_v6 },
	{ "connect-nonblocking", 3, act_connect_nonblocking },
	{ "fastopen", 3, act_fastopen },
	{ "fastopen-message", 3, act_fastopen_message },
	{ "fastopen-connect", 3, act_fastopen_connect },
	{ "dissolve", 2, act_dissolve },
	{ "connect-again", 4, act_connect_again },
	{ "unix", 2, act_unix },
	{ "unix-relative", 3, act_unix_relative },
	{ "abstract", 2, act_abstract },
	{ "connect-after-send", 1, act_connect_after_send },
	{ "pair", 1, act_pair },
	{},
};
