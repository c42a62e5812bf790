// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reading of case tables: lines to columns, columns to a question. See tests/cases/README.md. */
#include "agent/policy/cases.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "agent/util/cleanup.h"

#define NAME_LEN_MAX 8192 /* bytes of a name that a table can spell */
#define COLUMNS 6

static const char *const verdict_names[] = { [CASE_ALLOW] = "allow", [CASE_DENY] = "deny", [CASE_AUDIT] = "audit" };

const char *case_verdict_name(enum case_verdict verdict)
{
	return verdict_names[verdict];
}

/* ---- names ---- */

static int hex_byte(const char *text, unsigned int *ret)
{
	int len = 0;

	return sscanf(text, "%2x%n", ret, &len) == 1 && len == 2 ? 0 : -EINVAL;
}

/* One byte, `\xHH` and `\\` understood. Bytes of text used, or -EINVAL. */
static int byte_spelled(const char *text, size_t len, char *ret)
{
	unsigned int byte;

	if (text[0] != '\\') {
		*ret = text[0];
		return 1;
	}
	if (len >= 2 && text[1] == '\\') {
		*ret = '\\';
		return 2;
	}
	if (len < 4 || text[1] != 'x' || hex_byte(text + 2, &byte))
		return -EINVAL;
	*ret = (char)byte;
	return 4;
}

static int name_spelled(const char *text, size_t len, char *out, size_t *n);

/* The '>' that belongs to the '<' at the start; NULL: none. */
static const char *repeat_end(const char *text, size_t len)
{
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '<')
			depth++;
		if (text[i] == '>' && --depth == 0)
			return text + i;
	}
	return NULL;
}

/* "<N*TEXT>": TEXT, N times. Bytes of text used, or -EINVAL. */
static int repeat_spelled(const char *text, size_t len, char *out, size_t *n)
{
	const char *end = repeat_end(text, len);
	char *star;
	unsigned long times = strtoul(text + 1, &star, 10);

	if (!end || *star != '*' || star > end)
		return -EINVAL;
	for (unsigned long i = 0; i < times; i++) {
		int r = name_spelled(star + 1, end - star - 1, out, n);

		if (r)
			return r;
	}
	return end - text + 1;
}

static int name_spelled(const char *text, size_t len, char *out, size_t *n)
{
	for (size_t i = 0; i < len;) {
		int used;

		if (*n >= NAME_LEN_MAX)
			return -EINVAL;
		if (text[i] == '<')
			used = repeat_spelled(text + i, len - i, out, n);
		else
			used = byte_spelled(text + i, len - i, &out[(*n)++]);
		if (used < 0)
			return used;
		i += used;
	}
	return 0;
}

/* A name of its own for the case, NUL-terminated behind its length. */
static int name_read(struct test_case *c, const char *text, size_t len, struct ask_bytes *ret)
{
	char *out = calloc(1, NAME_LEN_MAX + 1);
	size_t slot = 0, n = 0;
	int r;

	if (!out)
		return -ENOMEM;
	while (c->memory[slot])
		slot++;
	c->memory[slot] = out;
	r = name_spelled(text, len, out, &n);
	if (r)
		return r;
	ret->bytes = out;
	ret->len = n;
	return 0;
}

/* ---- objects ---- */

static const char *const proto_names[LSMD_N_PROTOS] = {
	[LSMD_PROTO_TCP] = "tcp",   [LSMD_PROTO_UDP] = "udp",     [LSMD_PROTO_SCTP] = "sctp",
	[LSMD_PROTO_DCCP] = "dccp", [LSMD_PROTO_OTHER] = "other",
};

static int proto_read(const char *text, size_t len)
{
	for (int i = 0; i < LSMD_N_PROTOS; i++)
		if (strlen(proto_names[i]) == len && memcmp(proto_names[i], text, len) == 0)
			return i;
	return -EINVAL;
}

static uint64_t big_endian(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* MEANING.md 21: IPv4 is mapped, the unspecified addresses are loopback. */
static void address_normalise(struct test_case *c)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&c->address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&c->address;
	struct lsmd_address *address = &c->ask.address;

	if (c->address.ss_family == AF_INET) {
		address->lo = 0xffff00000000 | ntohl(v4->sin_addr.s_addr);
	} else {
		address->hi = big_endian(v6->sin6_addr.s6_addr);
		address->lo = big_endian(v6->sin6_addr.s6_addr + 8);
	}
	if (c->ask.wanted & LSMD_ACCESS_LOCAL)
		return; /* 22: of a process's own it is every address */
	if (address->hi == 0 && address->lo == 0)
		address->lo = 1;
	if (address->hi == 0 && address->lo == 0xffff00000000)
		address->lo |= INADDR_LOOPBACK;
}

/* "PROTO:1.2.3.4:PORT" or "PROTO:[::1]:PORT" */
static int address_read(struct test_case *c, const char *text)
{
	const char *host = strchr(text, ':') + 1, *port = strrchr(text, ':');
	struct sockaddr_in *v4 = (struct sockaddr_in *)&c->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&c->address;
	int proto = proto_read(text, host - 1 - text);
	bool six = *host == '[';
	char number[64] = { 0 };
	char *end;
	unsigned long value = strtoul(port + 1, &end, 10);

	if (proto < 0 || port < host || port - host >= (long)sizeof(number) || end == port + 1 || *end || value > 65535)
		return -EINVAL;
	memcpy(number, host + six, port - host - 2 * six);
	c->address.ss_family = six ? AF_INET6 : AF_INET;
	c->address_len = six ? sizeof(*v6) : sizeof(*v4);
	*(six ? &v6->sin6_port : &v4->sin_port) = htons(value);
	if (inet_pton(c->address.ss_family, number, six ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) != 1)
		return -EINVAL;
	c->ask.object = LSMD_OBJECT_ADDRESS;
	c->ask.address.port = value;
	c->ask.address.proto = proto;
	c->ask.address.family = c->address.ss_family;
	address_normalise(c);
	return 0;
}

static const char *prefix_skip(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* "/name/" is a directory: its name has no slash at the end. */
static void directory_read(struct test_case *c, struct ask_bytes *name)
{
	if (name->len < 2 || name->bytes[name->len - 1] != '/')
		return;
	name->len--;
	((char *)name->bytes)[name->len] = '\0';
	c->node = CASE_DIRECTORY;
}

static int path_read(struct test_case *c, const char *text)
{
	const char *arrow = strstr(text, "->");
	const char *end = arrow ? arrow : text + strlen(text);
	int r;

	c->ask.object = LSMD_OBJECT_PATH;
	r = name_read(c, text, end - text, &c->ask.name);
	if (r)
		return r;
	directory_read(c, &c->ask.name);
	if (!arrow)
		return c->node == CASE_SCRIPT ? -EINVAL : 0;
	if (c->node == CASE_SCRIPT)
		return name_read(c, arrow + 2, strlen(arrow + 2), &c->interpreter);
	r = name_read(c, arrow + 2, strlen(arrow + 2), &c->ask.other);
	if (r)
		return r;
	directory_read(c, &c->ask.other);
	return 0;
}

/* "16:0": numbers, as a hook gives them */
static int numbers_read(struct test_case *c, const char *text)
{
	char path[CASE_NUMBERS_MAX * sizeof("/00000000")], *at = path;

	do {
		char *end;
		unsigned long number = strtoul(text, &end, 10);

		if (end == text || (*end && *end != ':') || c->n_numbers == CASE_NUMBERS_MAX)
			return -EINVAL;
		c->numbers[c->n_numbers++] = (unsigned int)number;
		at += sprintf(at, "/%08x", (unsigned int)number);
		text = *end ? end + 1 : end;
	} while (*text);
	c->ask.object = LSMD_OBJECT_NAME;
	return name_read(c, path, at - path, &c->ask.name);
}

static int object_read(struct test_case *c)
{
	const char *rest;

	if (strcmp(c->object, "-") == 0) {
		c->ask.object = LSMD_OBJECT_NONE;
		return 0;
	}
	if ((rest = prefix_skip(c->object, "name:")))
		return numbers_read(c, rest);
	if ((rest = prefix_skip(c->object, "unix:@"))) {
		c->ask.object = LSMD_OBJECT_ABSTRACT;
		return name_read(c, rest, strlen(rest), &c->ask.name);
	}
	if ((rest = prefix_skip(c->object, "unix:")))
		return path_read(c, rest);
	if ((rest = prefix_skip(c->object, "char:"))) {
		c->node = CASE_CHAR;
		return path_read(c, rest);
	}
	if ((rest = prefix_skip(c->object, "block:"))) {
		c->node = CASE_BLOCK;
		return path_read(c, rest);
	}
	if ((rest = prefix_skip(c->object, "script:"))) {
		c->node = CASE_SCRIPT;
		return path_read(c, rest);
	}
	if (c->object[0] == '/')
		return path_read(c, c->object);
	return strchr(c->object, ':') ? address_read(c, c->object) : -EINVAL;
}

/* ---- accesses ---- */

static int verb_read(const char *text, size_t len, uint32_t *wanted)
{
#define VERB_NAME(constant, name, class) name,
	static const char *const names[] = { LSMD_VERBS(VERB_NAME) };
#undef VERB_NAME

	for (size_t i = 0; i < LSMD_N_VERBS; i++)
		if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0) {
			*wanted |= 1u << i;
			return 0;
		}
	return -EINVAL;
}

/* Verbs joined by '+', or one of the words for what struct ask says beside them. */
static int access_read(struct test_case *c)
{
	const char *at = c->access;

	if (strcmp(at, "rename-over") == 0) {
		c->ask.replaces = true;
		at = "rename";
	} else if (strcmp(at, "exchange") == 0) {
		c->ask.exchange = true;
		at = "rename";
	} else if (strcmp(at, "interpret") == 0) {
		c->ask.deny_only = true;
		at = "exec";
	}
	while (*at) {
		size_t len = strcspn(at, "+");
		int r = verb_read(at, len, &c->ask.wanted);

		if (r)
			return r;
		at += len + (at[len] == '+');
	}
	return 0;
}

/* A socket's name as an address. One that is too long can be asked about and not be used. */
static void unix_address(struct test_case *c)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&c->address;
	size_t abstract = c->ask.object == LSMD_OBJECT_ABSTRACT;

	if (!(c->ask.wanted & LSMD_ACCESS_ADDRESSED) || c->ask.object == LSMD_OBJECT_ADDRESS ||
	    c->ask.name.len + 1 > sizeof(un->sun_path))
		return;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path + abstract, c->ask.name.bytes, c->ask.name.len);
	/* Abstract: a NUL before the name; else one behind it. */
	c->address_len = offsetof(struct sockaddr_un, sun_path) + c->ask.name.len + 1;
}

/* What the object is changes what is asked: a device's twins, a directory's contents. */
static void access_of_node(struct test_case *c)
{
	bool two = c->ask.other.len > 0;

	if (c->node == CASE_DIRECTORY)
		c->ask.directory = two;
	if (c->node == CASE_CHAR || c->node == CASE_BLOCK)
		c->ask.wanted = two ? c->ask.wanted | LSMD_ACCESS_DEVICES : access_device(c->ask.wanted);
}

/* ";uid=33;gid=33;cgroup=/system.slice/x.service" behind the programs: who else the process is. */
static int who_read(struct test_case *c, const char *at)
{
	while (*at == ';') {
		size_t len = strcspn(++at, ";");
		int r = 0, n = 0;

		if (sscanf(at, "uid=%u%n", &c->ask.uid, &n) == 1 && (size_t)n == len) {
			c->ask.known |= LSMD_SELECT_UID;
		} else if (sscanf(at, "gid=%u%n", &c->ask.gid, &n) == 1 && (size_t)n == len) {
			c->ask.known |= LSMD_SELECT_GID;
		} else if (strncmp(at, "cgroup=/", 8) == 0) {
			c->ask.known |= LSMD_SELECT_GROUPS;
			r = name_read(c, at + 7, len - 7, &c->ask.cgroup);
		} else {
			r = -EINVAL;
		}
		if (r)
			return r;
		at += len;
	}
	return 0;
}

static int subject_read(struct test_case *c)
{
	const char *at = c->subject;

	for (; *at && *at != ';'; c->ask.n_programs++) {
		size_t len = strcspn(at, ",;");
		int r;

		if (c->ask.n_programs == 3)
			return -EINVAL;
		r = name_read(c, at, len, &c->ask.programs[c->ask.n_programs]);
		if (r)
			return r;
		at += len + (at[len] == ',');
	}
	return who_read(c, at);
}

/* ---- lines ---- */

static int verdict_read(const char *text, enum case_verdict *ret)
{
	for (size_t i = 0; i < sizeof(verdict_names) / sizeof(verdict_names[0]); i++)
		if (strcmp(verdict_names[i], text) == 0) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

static int columns_read(struct test_case *c, char *line)
{
	static const char space[] = " \t\n";
	char *columns[COLUMNS];
	char *hash = strstr(line, " #");
	char *rest = line;

	if (!hash)
		return -EINVAL;
	*hash = '\0';
	for (size_t i = 0; i < COLUMNS; i++)
		do {
			columns[i] = strsep(&rest, space);
			if (!columns[i])
				return -EINVAL;
		} while (!*columns[i]);
	if (rest && rest[strspn(rest, space)])
		return -EINVAL;
	c->policies = strdup(columns[0]);
	c->subject = strdup(columns[1]);
	c->access = strdup(columns[2]);
	c->object = strdup(columns[3]);
	c->by = strdup(columns[5]);
	hash += 2 + strspn(hash + 2, " ");
	c->text = strndup(hash, strcspn(hash, "\n"));
	if (!c->policies || !c->subject || !c->access || !c->object || !c->by || !c->text)
		return -ENOMEM;
	return verdict_read(columns[4], &c->verdict);
}

int case_fill(struct test_case *c)
{
	int r = subject_read(c);

	if (!r)
		r = access_read(c);
	if (!r)
		r = object_read(c);
	if (r)
		return r;
	access_of_node(c);
	unix_address(c);
	return 0;
}

/* @line is written into. */
static int case_read(struct test_case *c, char *line)
{
	int r;

	r = columns_read(c, line);
	if (r)
		return r;
	if (c->text[0] < '0' || c->text[0] > '9')
		return -EINVAL;
	c->no_core = strstr(c->text, "[live]");
	c->no_live = strstr(c->text, "[core]");
	return case_fill(c);
}

static int table_add(struct case_table *table, char *line, unsigned int number)
{
	struct test_case *more = reallocarray(table->cases, table->n_cases + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	table->cases = more;
	more += table->n_cases++;
	memset(more, 0, sizeof(*more));
	more->table = table->name;
	more->line = number;
	return case_read(more, line);
}

int case_table_read(const char *path, FILE *complaints, struct case_table *ret)
{
	struct case_table table = { .name = strdup(path) };
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	unsigned int number = 0;
	int worst = 0;

	if (!file || !table.name)
		worst = file ? -ENOMEM : -errno;
	while (!worst || worst == -EINVAL) {
		int r;

		if (getline(&line, &size, file) < 0)
			break;
		number++;
		if (line[0] == '#' || line[0] == '\n')
			continue;
		r = table_add(&table, line, number);
		if (r == -EINVAL)
			fprintf(complaints, "%s:%u: not a case\n", path, number);
		worst = r ? r : worst;
	}
	if (worst) {
		case_table_free(&table);
		return worst;
	}
	*ret = table;
	return 0;
}

void case_table_free(struct case_table *table)
{
	for (size_t i = 0; i < table->n_cases; i++) {
		struct test_case *c = &table->cases[i];

		free(c->policies);
		free(c->subject);
		free(c->access);
		free(c->object);
		free(c->by);
		free(c->text);
		for (size_t j = 0; j < sizeof(c->memory) / sizeof(c->memory[0]); j++)
			free(c->memory[j]);
	}
	free(table->cases);
	free(table->name);
}
