// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as an image: refused, or read in bounds and in bounded time whatever is asked. A first byte of 0 takes the input as
 * it is; otherwise it is a list of changes to a good image, six bytes each (place, value), whose sum is then made right,
 * so that the search gets behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/policy/ask.h"
#include "agent/policy/image.h"

#define CHANGES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct lsmd_image_header *good;
static size_t good_size;

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct object path(const char *pattern)
{
	return (struct object){ .kind = OBJECT_PATH, .bytes = pattern, .len = strlen(pattern) };
}

/* Every section has something in it: several layers in one class, rows, chains of pieces, wildcards, addresses. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct policy_file file = { .name = "p.json" };
	struct object exes[] = { path("/bin/"), path("/opt/*/x") };
	struct object read[] = { path("/etc/"), path("/srv/*/pub/"), path("/a/b/c"),
				 path("/l/012345678901234567890123456789012345678901234567890/x") };
	struct object deny[] = { path("/etc/shadow"), path("/**/.git/") };
	struct object net[] = {
		{ .kind = OBJECT_INET, .protos = 3, .first_lo = 16, .last_lo = 255, .first_port = 80, .last_port = 90 },
		{ .kind = OBJECT_ABSTRACT, .bytes = "bus-*", .len = 5 },
		{ .kind = OBJECT_ABSTRACT, .bytes = "bus", .len = 3 },
	};
	struct object all[] = { { .kind = OBJECT_ALL } };
	struct rule rules[] = {
		{ .access = LSMD_ACCESS_READ, .log = true, .objects = read, .n_objects = 4 },
		{ .access = LSMD_ACCESS_READ | LSMD_ACCESS_WRITE,
		  .deny = true,
		  .objects = deny,
		  .n_objects = 2,
		  .reason = "x" },
		{ .access = LSMD_ACCESS_CONNECT, .objects = net, .n_objects = 3, .id = "net" },
		{ .access = LSMD_ACCESS_MOUNT | LSMD_ACCESS_WRITE, .objects = all, .n_objects = 1 },
	};
	struct policy policies[3] = {};
	const struct policy_set set = { .policies = policies, .n_policies = 3, .files = &file, .n_files = 1 };
	struct diags diags = {};

	for (int i = 0; i < 3; i++)
		policies[i] = (struct policy){ .name = i ? i > 1 ? "c" : "b" : "a",
					       .mode = i ? LSMD_MODE_AUDIT : LSMD_MODE_ENFORCE,
					       .default_deny = LSMD_ACCESS_FILES,
					       .exes = exes,
					       .n_exes = 2,
					       .rules = rules,
					       .n_rules = 4 };
	check(!image_build(&set, &diags, &good, &good_size) && !image_verify(good, good_size));
	return 0;
}

static void ask_all(const struct lsmd_image_header *image, uint32_t wanted, const char *bytes, size_t len)
{
	static const char *const names[] = { "/",
					     "/etc/shadow",
					     "/a/b/c/d",
					     "/srv/x/pub/.git/y",
					     "/l/012345678901234567890123456789012345678901234567890/x",
					     "/bin/x" };
	struct ask ask = { .programs = { { "/bin/x", 6 }, { "/opt/a/x", 8 } }, .n_programs = 2, .wanted = wanted };
	struct asked asked;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ask.object = LSMD_OBJECT_PATH;
		ask.name = (struct ask_bytes){ names[i], strlen(names[i]) };
		image_ask(image, &ask, &asked);
		ask.other = (struct ask_bytes){ names[wanted % 6], strlen(names[wanted % 6]) };
		ask.directory = wanted & 1;
		image_ask(image, &ask, &asked);
		ask.other = (struct ask_bytes){};
		ask.object = LSMD_OBJECT_ABSTRACT;
		image_ask(image, &ask, &asked);
		ask.object = LSMD_OBJECT_ADDRESS;
		ask.address = (struct lsmd_address){ .lo = i * 50,
						     .port = (lsmd_u16)(80 + i),
						     .proto = (lsmd_u16)(wanted % 6) };
		image_ask(image, &ask, &asked);
		ask.object = LSMD_OBJECT_NONE;
		image_ask(image, &ask, &asked);
	}
	ask.object = LSMD_OBJECT_ABSTRACT;
	ask.name = (struct ask_bytes){ bytes, len < LSMD_ABSTRACT_MAX ? len : LSMD_ABSTRACT_MAX };
	image_ask(image, &ask, &asked);
}

static void read_all(const struct lsmd_image_header *image)
{
	const struct lsmd_layer *layers = (const void *)((const char *)image + image->layers.off);

	for (lsmd_u32 i = 0; i < image->layers.n; i++)
		check(strlen(image_string(image, layers[i].name)) < image->strings.n);
	for (lsmd_u32 i = 0; i < image->rules.n; i++)
		check(!i || image_rule_layer(image, i) < image->layers.n);
}

static void judge(const void *bytes, size_t size, const uint8_t *data, size_t data_size)
{
	uint32_t wanted = data_size ? 1u << data[0] % 32 : 1;

	if (image_verify(bytes, size))
		return;
	read_all(bytes);
	ask_all(bytes, wanted, (const char *)data, data_size);
	ask_all(bytes, ~0u, (const char *)data, data_size);
}

/* The sum can only be made where the header says where the counters are. */
static void sum_mend(struct lsmd_image_header *image)
{
	if (image->counters.off >= sizeof(*image) && image->counters.off <= good_size && image->counters.off % 8 == 0)
		image->checksum = image_checksum(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool raw = size && !data[0];
	size_t bytes_size = raw ? size - 1 : good_size;
	uint8_t *bytes = malloc(bytes_size + 1); /* its end is watched: nothing may be read behind */

	memcpy(bytes, raw ? data + 1 : (const uint8_t *)good, bytes_size);
	for (size_t i = 1; !raw && i + 6 <= size && i / 6 < CHANGES_MAX; i += 6) {
		uint32_t place;

		memcpy(&place, data + i, sizeof(place));
		place = place % (uint32_t)good_size;
		bytes[place] = data[i + 4];
		if (place + 1 < good_size && data[i + 5])
			bytes[place + 1] = data[i + 5];
	}
	if (!raw)
		sum_mend((struct lsmd_image_header *)bytes);
	judge(bytes, bytes_size, data, size);
	free(bytes);
	return 0;
}
