// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rules as one line of text. */
#include "agent/control/rule-text.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "agent/policy/named.h"
#include "agent/policy/names.h"
#include "agent/policy/pattern.h"
#include "agent/record/escape.h"
#include "lsm/abi/access.h"

void verbs_add(struct buf *out, uint32_t access)
{
	const char *comma = "";

	for (int verb = 0; verb < LSMD_N_VERBS; verb++) {
		if (!(access >> verb & 1))
			continue;
		buf_printf(out, "%s%s", comma, verbs[verb].name);
		comma = ", ";
	}
}

static void address_text(struct buf *out, uint64_t hi, uint64_t lo)
{
	uint64_t words[2] = { htobe64(hi), htobe64(lo) };
	char text[INET6_ADDRSTRLEN];
	struct in6_addr in6;

	memcpy(&in6, words, sizeof(in6));
	if (IN6_IS_ADDR_V4MAPPED(&in6))
		buf_add_string(out, inet_ntop(AF_INET, &in6.s6_addr[12], text, sizeof(text)));
	else
		buf_printf(out, "[%s]", inet_ntop(AF_INET6, &in6, text, sizeof(text)));
}

static bool range_is_all(const struct object *object)
{
	return !object->first_hi && !object->first_lo && object->last_hi == ~0ull && object->last_lo == ~0ull;
}

static void protos_text(struct buf *out, uint32_t protos)
{
	static const char *const names[LSMD_N_PROTOS] = {
		[LSMD_PROTO_TCP] = "tcp",   [LSMD_PROTO_UDP] = "udp",	  [LSMD_PROTO_SCTP] = "sctp",
		[LSMD_PROTO_DCCP] = "dccp", [LSMD_PROTO_OTHER] = "other",
	};
	const char *bar = "";

	if (protos == (1u << LSMD_N_PROTOS) - 1) {
		buf_add_byte(out, '*');
		return;
	}
	for (int proto = 0; proto < LSMD_N_PROTOS; proto++) {
		if (!(protos >> proto & 1))
			continue;
		buf_printf(out, "%s%s", bar, names[proto]);
		bar = "|";
	}
}

static void inet_text(struct buf *out, const struct object *object)
{
	protos_text(out, object->protos);
	buf_add_byte(out, ':');
	if (range_is_all(object)) {
		buf_add_byte(out, '*');
	} else {
		address_text(out, object->first_hi, object->first_lo);
		if (object->first_hi != object->last_hi || object->first_lo != object->last_lo) {
			buf_add_byte(out, '-');
			address_text(out, object->last_hi, object->last_lo);
		}
	}
	if (object->first_port == 0 && object->last_port == 65535)
		buf_add_string(out, ":*");
	else if (object->first_port == object->last_port)
		buf_printf(out, ":%u", object->first_port);
	else
		buf_printf(out, ":%u-%u", object->first_port, object->last_port);
}

void object_text_add(struct buf *out, const struct object *object)
{
	switch (object->kind) {
	case OBJECT_PATH:
	case OBJECT_UNIT:
		escape_text(out, object->bytes, object->len);
		break;
	case OBJECT_UNIX:
		buf_add_string(out, "unix:");
		escape_text(out, object->bytes, object->len);
		break;
	case OBJECT_ABSTRACT:
		buf_add_string(out, "unix:@");
		escape_text(out, object->bytes, object->len);
		break;
	case OBJECT_INET:
		inet_text(out, object);
		break;
	case OBJECT_NAME:
		named_text(out, object->verb, object->bytes, object->len);
		break;
	case OBJECT_ALL:
		buf_add_byte(out, '*');
		break;
	case OBJECT_ANONYMOUS:
		buf_add_string(out, "anonymous");
		break;
	}
}

static int pattern_texts(const struct object *object, const struct glob *glob, int (*each)(void *data, const char *text),
			 void *data)
{
	int r = 0;

	for (size_t i = 0; i < glob->n_names && !r; i++) {
		_cleanup_buf_ struct buf pattern = {}, text = {};
		struct object one = *object;

		pattern_spell(glob, &glob->names[i], &pattern);
		one.bytes = pattern.bytes;
		one.len = pattern.len;
		object_text_add(&text, &one);
		r = pattern.failed || text.failed ? -ENOMEM : each(data, text.bytes ? text.bytes : "");
	}
	return r;
}

int object_texts(const struct object *object, int (*each)(void *data, const char *text), void *data)
{
	_cleanup_buf_ struct buf text = {};
	struct glob glob = {};
	int r;

	if (object->kind == OBJECT_PATH || object->kind == OBJECT_UNIX || object->kind == OBJECT_ABSTRACT) {
		r = glob_read(&glob, object->bytes, object->len,
			      object->kind == OBJECT_ABSTRACT ? GLOB_ABSTRACT : GLOB_PATH, NULL);
		if (!r)
			r = pattern_texts(object, &glob, each, data);
		glob_clear(&glob);
		return r;
	}
	object_text_add(&text, object);
	return text.failed ? -ENOMEM : each(data, text.bytes ? text.bytes : "");
}

void rule_text_add(struct buf *out, const struct rule *rule, const struct object *object)
{
	buf_add_string(out, rule->deny ? "deny " : "allow ");
	verbs_add(out, rule->access);
	buf_add_byte(out, ' ');
	object_text_add(out, object);
	if (rule->kill)
		buf_add_string(out, " (kill)");
	if (rule->log)
		buf_add_string(out, " (log)");
	if (rule->silent)
		buf_add_string(out, " (silent)");
}
