// SPDX-License-Identifier: LGPL-2.1-or-later
/* Words and numbers of named objects. */
#include "agent/policy/named.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/policy/names.h"

#define SHOWN(len) ((int)((len) < 64 ? (len) : 64))

/* The words of one part of a name: words[n] is number n; "" or NULL: that number has none. */
struct part {
	const char *what;
	const char *const *words;
	size_t n_words;
	const char *prefix; /* of the same word in C, which may stand before it */
	uint32_t max;
};

#define PART(is, list, c_prefix, largest) \
	{ \
		.what = is, .words = list, .n_words = sizeof(list) / sizeof(*(list)), .prefix = c_prefix, .max = largest \
	}

/* include/linux/socket.h */
static const char *const families[] = {
	[1] = "unix",	    "inet",	 "ax25",   "ipx",    "appletalk", "netrom", "bridge", "atmpvc",	    "x25",
	[10] = "inet6",	    "rose",	 "decnet", "netbeui", "security", "key",    "netlink", "packet",    "ash",
	[19] = "econet",    "atmsvc",	 "rds",	   "sna",    "irda",	  "pppox",  "wanpipe", "llc",	    "ib",
	[28] = "mpls",	    "can",	 "tipc",   "bluetooth", "iucv",	  "rxrpc",  "isdn",    "phonet",    "ieee802154",
	[37] = "caif",	    "alg",	 "nfc",	   "vsock",  "kcm",	  "qipcrtr", "smc",    "xdp",	    "mctp",
};

static const char *const types[] = {
	[1] = "stream", "dgram", "raw", "rdm", "seqpacket", "dccp", [10] = "packet",
};

static const char *const ip_protocols[263] = {
	[0] = "ip",	  [1] = "icmp",	   [2] = "igmp",  [4] = "ipip",	     [6] = "tcp",	[17] = "udp",
	[33] = "dccp",	  [41] = "ipv6",   [46] = "rsvp", [47] = "gre",	     [50] = "esp",	[51] = "ah",
	[58] = "icmpv6",  [103] = "pim",   [115] = "l2tp", [132] = "sctp",   [136] = "udplite", [137] = "mpls",
	[143] = "ethernet", [255] = "raw", [262] = "mptcp",
};

static const char *const netlink_protocols[] = {
	[0] = "route",	   [2] = "usersock",  "firewall",	"sock_diag", "nflog",	   "xfrm",    "selinux",
	[8] = "iscsi",	   "audit",	      "fib_lookup",	"connector", "netfilter",  "ip6_fw",  "dnrtmsg",
	[15] = "kobject_uevent", "generic",   [18] = "scsitransport", "ecryptfs", "rdma",  "crypto",  "smc",
};

/* include/uapi/linux/capability.h */
static const char *const capabilities[] = {
	"chown",	    "dac_override",  "dac_read_search", "fowner",     "fsetid",	      "kill",
	"setgid",	    "setuid",	     "setpcap",		"linux_immutable", "net_bind_service", "net_broadcast",
	"net_admin",	    "net_raw",	     "ipc_lock",	"ipc_owner",  "sys_module",   "sys_rawio",
	"sys_chroot",	    "sys_ptrace",    "sys_pacct",	"sys_admin",  "sys_boot",     "sys_nice",
	"sys_resource",	    "sys_time",	     "sys_tty_config",	"mknod",      "lease",	      "audit_write",
	"audit_control",    "setfcap",	     "mac_override",	"mac_admin",  "syslog",	      "wake_alarm",
	"block_suspend",    "audit_read",    "perfmon",		"bpf",	      "checkpoint_restore",
};

/* The numbers that x86 and arm64 share; the real-time signals have numbers only. */
static const char *const signals[] = {
	[1] = "hup", "int",  "quit", "ill",    "trap", "abrt", "bus",  "fpe",  "kill", "usr1", "segv",
	"usr2",	     "pipe", "alrm", "term",   "stkflt", "chld", "cont", "stop", "tstp", "ttin", "ttou",
	"urg",	     "xcpu", "xfsz", "vtalrm", "prof", "winch", "io",  "pwr",  "sys",
};

static const char *const traces[] = { [LSMD_PTRACE_READ] = "read", [LSMD_PTRACE_TRACE] = "trace", [LSMD_PTRACE_ADJUST] = "adjust" };

static const char *const modules[] = { [LSMD_MODULE_LOAD] = "load", [LSMD_MODULE_REQUEST] = "request" };

static const char *const lockdowns[] = {
	[LSMD_LOCKDOWN_KERNEL] = "kernel", [LSMD_LOCKDOWN_KEXEC] = "kexec", [LSMD_LOCKDOWN_PERF] = "perf",
	[LSMD_LOCKDOWN_TERMINAL] = "terminal",
};

/* enum bpf_cmd of include/uapi/linux/bpf.h */
static const char *const bpf_commands[] = {
	"map_create",	      "map_lookup_elem",     "map_update_elem",	 "map_delete_elem",	"map_get_next_key",
	"prog_load",	      "obj_pin",	     "obj_get",		 "prog_attach",		"prog_detach",
	"prog_test_run",      "prog_get_next_id",    "map_get_next_id",	 "prog_get_fd_by_id",	"map_get_fd_by_id",
	"obj_get_info_by_fd", "prog_query",	     "raw_tracepoint_open", "btf_load",		"btf_get_fd_by_id",
	"task_fd_query",      "map_lookup_and_delete_elem", "map_freeze", "btf_get_next_id",	"map_lookup_batch",
	"map_lookup_and_delete_batch", "map_update_batch", "map_delete_batch", "link_create",	"link_update",
	"link_get_fd_by_id",  "link_get_next_id",    "enable_stats",	 "iter_create",		"link_detach",
	"prog_bind_map",      "token_create",	     "prog_stream_read_by_fd",
};

#define AF_INET_NUMBER 2
#define AF_INET6_NUMBER 10
#define AF_NETLINK_NUMBER 16

static const struct part part_family = PART("family of sockets", families, "AF_", 65535);
static const struct part part_type = PART("type of socket", types, "SOCK_", 65535);
static const struct part part_ip = PART("internet protocol", ip_protocols, "IPPROTO_", 65535);
static const struct part part_netlink = PART("netlink protocol", netlink_protocols, "NETLINK_", 65535);
static const struct part part_capability = PART("capability", capabilities, "CAP_", 63);
static const struct part part_signal = PART("signal", signals, "SIG", 64);
static const struct part part_trace = PART("way of tracing", traces, NULL, 0);
static const struct part part_module = PART("use of modules", modules, NULL, 0);
static const struct part part_lockdown = PART("way around the kernel", lockdowns, NULL, 0);
static const struct part part_bpf = PART("command of bpf(2)", bpf_commands, "BPF_", 65535);

/* Part @i of a name of @verb; @first: the number of its first part. NULL: there is no such part. */
static const struct part *part_of(unsigned int verb, size_t i, uint32_t first)
{
	if (verb == LSMD_VERB_SOCKET && i) {
		if (first == AF_NETLINK_NUMBER)
			return i == 1 ? &part_netlink : NULL;
		if (i == 1)
			return &part_type;
		return i == 2 && (first == AF_INET_NUMBER || first == AF_INET6_NUMBER) ? &part_ip : NULL;
	}
	if (i)
		return NULL;
	switch (verb) {
	case LSMD_VERB_SOCKET:
		return &part_family;
	case LSMD_VERB_CAPABILITY:
		return &part_capability;
	case LSMD_VERB_SIGNAL:
		return &part_signal;
	case LSMD_VERB_PTRACE:
		return &part_trace;
	case LSMD_VERB_MODULE:
		return &part_module;
	case LSMD_VERB_BPF:
		return &part_bpf;
	case LSMD_VERB_LOCKDOWN:
		return &part_lockdown;
	default:
		return NULL;
	}
}

static bool word_is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !strncasecmp(text, word, len);
}

static bool number_read(const char *text, size_t len, uint32_t max, uint32_t *ret)
{
	uint64_t number = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text[i] - '0');
		if (number > max)
			return false;
	}
	*ret = (uint32_t)number;
	return len > 0 && max > 0;
}

static bool part_read(const struct part *part, const char *text, size_t len, uint32_t *ret)
{
	size_t skip = part->prefix ? strlen(part->prefix) : 0;

	if (number_read(text, len, part->max, ret))
		return true;
	if (skip && len > skip && !strncmp(text, part->prefix, skip)) {
		text += skip;
		len -= skip;
	}
	for (size_t i = 0; i < part->n_words; i++) {
		if (part->words[i] && word_is(text, len, part->words[i])) {
			*ret = (uint32_t)i;
			return true;
		}
	}
	return false;
}

static int refuse(const struct spot *spot, size_t off, size_t len, const char *code, const char *mend, const char *message)
{
	if (spot)
		diag_add(spot->diags, DIAG_ERROR, code, spot_place(spot, off, len), mend, "%s", message);
	return NAMED_REFUSED;
}

static int part_refuse(const struct spot *spot, const struct part *part, const char *text, size_t off, size_t len)
{
	size_t skip = part->prefix ? strlen(part->prefix) : 0;
	const char *words[512] = {}, *near;
	char mend[96], message[160];
	size_t n = 0;

	for (size_t i = 0; i < part->n_words; i++) {
		if (part->words[i])
			words[n++] = part->words[i];
	}
	if (skip && len > skip && !strncmp(text + off, part->prefix, skip))
		near = word_nearest(text + off + skip, len - skip, words, n);
	else
		near = word_nearest(text + off, len, words, n);
	if (near)
		snprintf(mend, sizeof(mend), "did you mean '%s'?", near);
	else
		snprintf(mend, sizeof(mend), "a word of lsmd-policy(5)%s, or *", part->max ? ", a number" : "");
	snprintf(message, sizeof(message), "there is no %s '%.*s'", part->what, SHOWN(len), text + off);
	return refuse(spot, off, len, "unknown-name", mend, message);
}

/* A verb whose objects have names, and no other beside it: what else would the name be of? */
static int verb_single(const struct spot *spot, uint32_t access, size_t len, unsigned int *verb)
{
	char message[128];

	*verb = (unsigned int)__builtin_ctz(access);
	if (access & (access - 1))
		return refuse(spot, 0, len, "bad-name", "write a rule for each verb", "names belong to one verb each");
	if (part_of(*verb, 0, 0))
		return 0;
	snprintf(message, sizeof(message), "'%s' takes the name '*' only", verbs[*verb].name);
	return refuse(spot, 0, len, "bad-name", "write \"name\": \"*\"", message);
}

int named_read(const struct spot *spot, uint32_t access, const char *text, size_t len, char ret[NAMED_LEN_MAX],
	       size_t *ret_len)
{
	uint32_t numbers[NAMED_PARTS_MAX] = {};
	size_t off = 0, n = 0;
	unsigned int verb;
	int r = verb_single(spot, access, len, &verb);

	if (r)
		return r;
	while (off <= len) {
		const char *colon = memchr(text + off, ':', len - off);
		size_t part_len = colon ? (size_t)(colon - text) - off : len - off;
		const struct part *part = part_of(verb, n, numbers[0]);

		if (!part)
			return refuse(spot, off, len - off, "bad-name", "leave the rest away", "the name has too many parts");
		if (n && part_len == 1 && text[off] == '*' && off + 1 == len)
			break;
		if (part_len == 1 && text[off] == '*')
			return refuse(spot, off, 1, "bad-name", "leave away what follows it",
				      "'*' stands alone or at the end of a name");
		if (!part_read(part, text + off, part_len, &numbers[n]))
			return part_refuse(spot, part, text, off, part_len);
		n++;
		off += part_len + 1;
	}
	*ret_len = 0;
	for (size_t i = 0; i < n; i++) {
		char digits[LSMD_NAME_DIGITS + 2];

		snprintf(digits, sizeof(digits), "/%08x", numbers[i]);
		memcpy(ret + *ret_len, digits, LSMD_NAME_DIGITS + 1);
		*ret_len += LSMD_NAME_DIGITS + 1;
	}
	return 0;
}

void named_text(struct buf *out, unsigned int verb, const char *path, size_t len)
{
	uint32_t first = 0;

	if (len < LSMD_NAME_DIGITS + 1)
		buf_add_byte(out, '*');
	for (size_t i = 0; (i + 1) * (LSMD_NAME_DIGITS + 1) <= len; i++) {
		const struct part *part = part_of(verb, i, first);
		unsigned int number = 0;

		sscanf(path + i * (LSMD_NAME_DIGITS + 1), "/%8x", &number);
		if (i)
			buf_add_byte(out, ':');
		else
			first = number;
		if (part && number < part->n_words && part->words[number])
			buf_add_string(out, part->words[number]);
		else
			buf_printf(out, "%u", number);
	}
}
