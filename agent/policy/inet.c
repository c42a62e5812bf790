/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network objects: protocol, address or prefix, ports; every mistake with its place and its mend. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "agent/policy/inet.h"

#define FORM "PROTO:ADDRESS[/BITS]:PORT[-PORT], such as tcp:10.0.0.0/8:5432, udp:[fd00::]/8:53 or tcp:*:443"
/* ::ffff:0:0, where IPv4 lies. */
#define MAPPED 0xffff00000000ull

struct part {
	const char *text;
	size_t len;
	size_t off; /* in the whole object */
};

static int refuse(const struct spot *spot, const struct part *part, const char *code, const char *mend,
		  const char *message)
{
	diag_add(spot->diags, DIAG_ERROR, code, spot_place(spot, part->off, part->len), mend, "%s", message);
	return INET_REFUSED;
}

static bool part_is(const struct part *part, const char *word)
{
	return strlen(word) == part->len && !memcmp(part->text, word, part->len);
}

/* Decimal digits only, at most @max. Returns -1: something else. */
static long part_number(const struct part *part, long max)
{
	long value = 0;
	size_t i;

	if (!part->len || part->len > 9)
		return -1;
	for (i = 0; i < part->len; i++) {
		if (part->text[i] < '0' || part->text[i] > '9')
			return -1;
		value = value * 10 + part->text[i] - '0';
	}
	return value <= max ? value : -1;
}

static struct part part_cut(const struct part *part, size_t off, size_t len)
{
	return (struct part){ part->text + off, len, part->off + off };
}

/* PROTO, ADDRESS with its bits, PORTS: the colons of an address stand in brackets. */
static bool parts_split(const struct part *whole, struct part *proto, struct part *address, struct part *ports)
{
	const char *colon = memchr(whole->text, ':', whole->len), *last = memrchr(whole->text, ':', whole->len);
	const char *bracket;
	size_t a, b;

	if (!colon || colon == last)
		return false;
	a = colon - whole->text;
	b = last - whole->text;
	bracket = memrchr(whole->text, ']', whole->len);
	if (bracket && bracket > last)
		return false;
	*proto = part_cut(whole, 0, a);
	*address = part_cut(whole, a + 1, b - a - 1);
	*ports = part_cut(whole, b + 1, whole->len - b - 1);
	return true;
}

static int proto_read(const struct spot *spot, const struct part *part, uint32_t *ret)
{
	static const char *const words[] = { "tcp", "udp", "sctp", "dccp" };
	const char *near = word_nearest(part->text, part->len, words, 4);
	char mend[64];

	*ret = proto_find(part->text, part->len);
	if (*ret)
		return 0;
	snprintf(mend, sizeof(mend), near ? "did you mean '%s'?" : "tcp, udp, sctp, dccp or *", near);
	return refuse(spot, part, "unknown-protocol", mend, "this is no protocol that a rule can name");
}

/* A 128-bit address in two halves. */
struct wide {
	uint64_t hi, lo;
};

static struct wide wide_of(const struct in6_addr *in)
{
	uint64_t halves[2];

	memcpy(halves, in, sizeof(halves));
	return (struct wide){ be64toh(halves[0]), be64toh(halves[1]) };
}

/* The bits that a prefix leaves open. */
static struct wide wide_open(unsigned bits)
{
	return (struct wide){
		.hi = bits >= 64 ? 0 : ~0ull >> bits,
		.lo = bits >= 128  ? 0
		      : bits <= 64 ? ~0ull
				   : ~0ull >> (bits - 64),
	};
}

static void wide_print(struct wide wide, bool v4, char text[INET6_ADDRSTRLEN + 2])
{
	uint64_t halves[2] = { htobe64(wide.hi), htobe64(wide.lo) };

	if (v4) {
		inet_ntop(AF_INET, (char *)halves + 12, text, INET6_ADDRSTRLEN);
		return;
	}
	inet_ntop(AF_INET6, halves, text + 1, INET6_ADDRSTRLEN);
	text[0] = '[';
	strcat(text, "]");
}

struct prefix {
	struct wide first;
	unsigned bits; /* of 128 */
	bool v4;
};

static int address_parse(const struct spot *spot, const struct part *part, struct prefix *prefix)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr in = {};
	bool brackets = part->len >= 2 && part->text[0] == '[' && part->text[part->len - 1] == ']';
	size_t skip = brackets ? 1 : 0, len = part->len - 2 * skip;

	if (len >= sizeof(text) || memchr(part->text, '\0', part->len))
		return refuse(spot, part, "bad-address", FORM, "this is no address");
	memcpy(text, part->text + skip, len);
	text[len] = '\0';
	prefix->v4 = !brackets;
	if (brackets && inet_pton(AF_INET6, text, &in) == 1) {
		prefix->first = wide_of(&in);
		return 0;
	}
	if (!brackets && inet_pton(AF_INET, text, (char *)&in + 12) == 1) {
		prefix->first = wide_of(&in);
		prefix->first.lo |= MAPPED;
		return 0;
	}
	if (!brackets && inet_pton(AF_INET6, text, &in) == 1)
		return refuse(spot, part, "bad-address", "tcp:[fd00::1]:443",
			      "an IPv6 address stands in square brackets");
	return refuse(spot, part, "bad-address",
		      "names of hosts are no addresses: rules hold addresses, prefixes and *",
		      brackets ? "this is no IPv6 address" : "this is no IPv4 address");
}

/*
 * MEANING.md 21, 22: as an aim the kernel takes the unspecified address for loopback, and so do rules; as an address of one's own it is
 * every address.
 */
static int unspecified_check(const struct spot *spot, const struct part *part, struct prefix *prefix)
{
	const char *meant = prefix->v4 ? "127.0.0.1" : "[::1]";
	bool unspecified = !prefix->first.hi && prefix->first.lo == (prefix->v4 ? MAPPED : 0);
	char mend[64];

	if (!unspecified || prefix->bits != 128 || !(spot->access & ~LSMD_ACCESS_LOCAL))
		return 0;
	if (spot->access & LSMD_ACCESS_LOCAL)
		return refuse(spot, part, "bad-address", "write two rules",
			      "the unspecified address is loopback to connect to, and every address to bind");
	prefix->first.lo |= prefix->v4 ? 0x7f000001 : 1;
	snprintf(mend, sizeof(mend), "write %s for loopback, * for any address", meant);
	diag_add(spot->diags, DIAG_WARNING, "unspecified-address", spot_place(spot, part->off, part->len), mend,
		 "to connect to the unspecified address is to connect to %s, and the rule means that", meant);
	return 0;
}

static void host_bits_warn(const struct spot *spot, const struct part *part, struct prefix *prefix)
{
	struct wide open = wide_open(prefix->bits);
	char shown[INET6_ADDRSTRLEN + 2], mend[INET6_ADDRSTRLEN + 32];

	if (!(prefix->first.hi & open.hi) && !(prefix->first.lo & open.lo))
		return;
	prefix->first.hi &= ~open.hi;
	prefix->first.lo &= ~open.lo;
	wide_print(prefix->first, prefix->v4, shown);
	snprintf(mend, sizeof(mend), "write %s/%u", shown, prefix->bits - (prefix->v4 ? 96 : 0));
	diag_add(spot->diags, DIAG_WARNING, "host-bits", spot_place(spot, part->off, part->len), mend,
		 "the address has bits that its prefix leaves open; the rule means the whole prefix");
}

static int prefix_read(const struct spot *spot, const struct part *part, struct prefix *prefix)
{
	const char *slash = memchr(part->text, '/', part->len);
	size_t address_len = slash ? (size_t)(slash - part->text) : part->len;
	struct part address = part_cut(part, 0, address_len), bits;
	long n;
	int r;

	r = address_parse(spot, &address, prefix);
	if (r)
		return r;
	prefix->bits = 128;
	if (slash) {
		bits = part_cut(part, address_len + 1, part->len - address_len - 1);
		n = part_number(&bits, prefix->v4 ? 32 : 128);
		if (n < 0)
			return refuse(spot, &bits, "bad-prefix", NULL,
				      prefix->v4 ? "a prefix of IPv4 has 0 to 32 bits"
						 : "a prefix of IPv6 has 0 to 128 bits");
		prefix->bits = n + (prefix->v4 ? 96 : 0);
	}
	host_bits_warn(spot, part, prefix);
	return unspecified_check(spot, part, prefix);
}

static void range_add(struct object ret[2], size_t *ret_n, struct wide first, struct wide last)
{
	struct object *object = &ret[(*ret_n)++];

	object->first_hi = first.hi;
	object->first_lo = first.lo;
	object->last_hi = last.hi;
	object->last_lo = last.lo;
}

/* A prefix of IPv6 that lies around the mapped addresses leaves them out: they are IPv4. */
static void prefix_ranges(const struct prefix *prefix, struct object ret[2], size_t *ret_n)
{
	struct wide open = wide_open(prefix->bits), first = prefix->first;
	struct wide last = { first.hi | open.hi, first.lo | open.lo };
	struct wide before = { 0, MAPPED - 1 }, after = { 0, MAPPED + (1ull << 32) };

	if (first.hi || first.lo >= MAPPED || (!last.hi && last.lo < MAPPED)) {
		range_add(ret, ret_n, first, last);
		return;
	}
	range_add(ret, ret_n, first, before);
	if (last.hi || last.lo >= after.lo)
		range_add(ret, ret_n, after, last);
}

static int address_read(const struct spot *spot, const struct part *part, struct object ret[2], size_t *ret_n)
{
	struct prefix prefix;
	int r;

	if (part_is(part, "*")) {
		range_add(ret, ret_n, (struct wide){ 0, 0 }, (struct wide){ ~0ull, ~0ull });
		return 0;
	}
	r = prefix_read(spot, part, &prefix);
	if (!r)
		prefix_ranges(&prefix, ret, ret_n);
	return r;
}

static int service_read(const struct spot *spot, const struct part *part, uint32_t protos, uint16_t *first,
			uint16_t *last)
{
	int r = service_find(spot->services, part->text, part->len, protos, first);

	*last = *first;
	if (r <= 0)
		return r;
	if (r == SERVICES_TOO_MANY)
		return refuse(spot, part, "too-many-services", "write the number of the port",
			      "too many different names of services in one policy");
	if (spot->deny)
		return refuse(spot, part, "unknown-service", "write the number of the port",
			      "no such service is known here, so the rule would deny nothing");
	diag_add(spot->diags, DIAG_WARNING, "unknown-service", spot_place(spot, part->off, part->len),
		 "write the number of the port", "no such service is known here; the rule allows nothing by it");
	return INET_NOTHING;
}

static bool part_is_service(const struct part *part)
{
	size_t i;
	bool letter = false;

	for (i = 0; i < part->len; i++) {
		char c = part->text[i];

		if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			letter = true;
		else if (!(c >= '0' && c <= '9') && !memchr("-_.+", c, 4))
			return false;
	}
	return letter;
}

static int ports_read(const struct spot *spot, const struct part *part, uint32_t protos, uint16_t *first,
		      uint16_t *last)
{
	const char *dash = memchr(part->text, '-', part->len);
	size_t first_len = dash ? (size_t)(dash - part->text) : part->len;
	struct part a = part_cut(part, 0, first_len), b = a;
	long low, high;

	*first = 0;
	*last = 65535;
	if (part_is(part, "*"))
		return 0;
	if (part_is_service(part))
		return service_read(spot, part, protos, first, last);
	if (dash)
		b = part_cut(part, first_len + 1, part->len - first_len - 1);
	low = part_number(&a, 65535);
	high = part_number(&b, 65535);
	if (low < 0 || high < 0)
		return refuse(spot, part, "bad-port", "a number, two with '-' between, a service's name, or *",
			      "ports are 0 to 65535");
	if (low > high)
		return refuse(spot, part, "bad-port", "write the lower one first", "this range of ports is empty");
	*first = low;
	*last = high;
	return 0;
}

int inet_read(const struct spot *spot, const char *text, size_t len, struct object ret[2], size_t *ret_n)
{
	struct part whole = { text, len, 0 }, proto, address, ports;
	struct object both = { .kind = OBJECT_INET };
	int r_proto, r_address, r_ports;
	size_t i;

	*ret_n = 0;
	ret[0] = ret[1] = both;
	if (!parts_split(&whole, &proto, &address, &ports))
		return refuse(spot, &whole, "bad-network-object", FORM ", unix:/PATH or unix:@NAME",
			      "this is no network object");
	r_proto = proto_read(spot, &proto, &both.protos);
	r_address = address_read(spot, &address, ret, ret_n);
	r_ports = ports_read(spot, &ports, both.protos, &both.first_port, &both.last_port);
	for (i = 0; i < *ret_n; i++) {
		ret[i].protos = both.protos;
		ret[i].first_port = both.first_port;
		ret[i].last_port = both.last_port;
	}
	if (r_proto || r_address)
		return r_proto ? r_proto : r_address;
	return r_ports;
}
