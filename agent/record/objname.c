// SPDX-License-Identifier: LGPL-2.1-or-later
/* Objects as policies write them. */
#include "agent/record/objname.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "agent/policy/named.h"

static const char *proto_name(uint32_t proto)
{
	static const char *const names[LSMD_N_PROTOS] = {
		[LSMD_PROTO_TCP] = "tcp",   [LSMD_PROTO_UDP] = "udp",	  [LSMD_PROTO_SCTP] = "sctp",
		[LSMD_PROTO_DCCP] = "dccp", [LSMD_PROTO_OTHER] = "other",
	};

	return proto < LSMD_N_PROTOS ? names[proto] : "unknown";
}

void address_add(struct buf *out, const struct lsmd_address *address)
{
	uint64_t words[2] = { htobe64(address->hi), htobe64(address->lo) };
	char text[INET6_ADDRSTRLEN] = "";
	struct in6_addr in6;

	memcpy(&in6, words, sizeof(in6));
	if (IN6_IS_ADDR_V4MAPPED(&in6)) {
		inet_ntop(AF_INET, &in6.s6_addr[12], text, sizeof(text));
		buf_printf(out, "%s:%s:%u", proto_name(address->proto), text, address->port);
	} else {
		inet_ntop(AF_INET6, &in6, text, sizeof(text));
		buf_printf(out, "%s:[%s]:%u", proto_name(address->proto), text, address->port);
	}
}

void object_add(struct buf *out, const struct record *record)
{
	const char *kind = object_kind_name(record);

	switch (record->object_kind) {
	case LSMD_OBJECT_ADDRESS:
		address_add(out, &record->address);
		break;
	case LSMD_OBJECT_ABSTRACT:
		buf_add_string(out, "unix:@");
		buf_add(out, record->object.bytes, record->object.len);
		break;
	case LSMD_OBJECT_PATH:
		if (!strcmp(kind, "unix") && record->object.len)
			buf_add_string(out, "unix:");
		buf_add(out, record->object.bytes, record->object.len);
		break;
	case LSMD_OBJECT_NAME:
		named_text(out, record_deciding(record)->verb, record->object.bytes, record->object.len);
		break;
	case LSMD_OBJECT_NONE:
		break;
	}
}
