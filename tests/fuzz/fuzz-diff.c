// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two policies from one input, compared: what is told differs when it is asked for, and a name of the input that is answered otherwise
 * was told of, by one that is not longer. Input: lines. The first byte of a rule's line says what it is (bit 0: deny, bits 1-2: the
 * verb, bit 3: not before, bit 4: not after), the rest is its pattern; of a line that begins with '/' all of it is a name to ask for.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/policy/diff.h"
#include "agent/policy/glob.h"
#include "agent/policy/image.h"

#define RULES_MAX 12
#define NAMES_MAX 16
#define PATTERN_MAX 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t verbs[] = { LSMD_ACCESS_READ, LSMD_ACCESS_WRITE, LSMD_ACCESS_EXEC, LSMD_ACCESS_CONNECT };

struct input {
	struct object objects[RULES_MAX];
	struct rule rules[2][RULES_MAX];
	size_t n_objects, n_rules[2];
	struct ask_bytes names[NAMES_MAX];
	size_t n_names;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Only names that a walk could give. */
static void name_read(struct input *input, const char *bytes, size_t len)
{
	size_t from = 1;

	if (input->n_names == NAMES_MAX || memchr(bytes, '\0', len))
		return;
	for (size_t i = 1; i <= len && len > 1; i++) {
		if (i < len && bytes[i] != '/')
			continue;
		if (i == from || i - from > LSMD_NAME_MAX || (bytes[from] == '.' && (i == from + 1 || (i == from + 2 && bytes[from + 1] == '.'))))
			return;
		from = i + 1;
	}
	input->names[input->n_names++] = (struct ask_bytes){ bytes, len };
}

static void rule_read(struct input *input, const char *bytes, size_t len)
{
	uint8_t what = bytes[0];
	struct object *object = &input->objects[input->n_objects];

	if (input->n_objects == RULES_MAX || len - 1 > PATTERN_MAX || glob_check(bytes + 1, len - 1, GLOB_PATH, NULL))
		return;
	*object = (struct object){ .kind = OBJECT_PATH, .bytes = bytes + 1, .len = len - 1 };
	input->n_objects++;
	for (int s = 0; s < 2; s++)
		if (!(what >> (3 + s) & 1))
			input->rules[s][input->n_rules[s]++] = (struct rule){
				.deny = what & 1, .access = verbs[what >> 1 & 3], .objects = object, .n_objects = 1
			};
}

static void input_read(const char *bytes, size_t size, struct input *input)
{
	while (size) {
		const char *end = memchr(bytes, '\n', size);
		size_t len = end ? (size_t)(end - bytes) : size;

		if (len && *bytes == '/')
			name_read(input, bytes, len);
		else if (len > 1)
			rule_read(input, bytes, len);
		bytes += len + (end != NULL);
		size -= len + (end != NULL);
	}
}

static struct lsmd_image_header *image_of(struct input *input, int side)
{
	static struct object exe = { .kind = OBJECT_PATH, .bytes = "/p", .len = 2 };
	struct policy policy = {
		.name = "p",
		.children = true,
		.default_deny = LSMD_ACCESS_READ | LSMD_ACCESS_EXEC,
		.exes = &exe,
		.n_exes = 1,
		.rules = input->rules[side],
		.n_rules = input->n_rules[side],
	};
	struct policy_file file = { .name = "p.json" };
	const struct policy_set set = { .policies = &policy, .n_policies = 1, .files = &file, .n_files = 1 };
	struct lsmd_image_header *image = NULL;
	struct diags diags = {};
	size_t size;

	if (image_build(&set, &diags, &image, &size))
		image = NULL;
	diags_clear(&diags);
	return image;
}

static bool told(const struct diff *diff, uint32_t wanted, size_t len)
{
	for (size_t i = 0; i < diff->changes.n; i++) {
		const struct diff_change *change = &diff->changes.items[i];

		if (change->kind == DIFF_UNDECIDED || (change->ask.wanted == wanted && change->ask.name.len <= len))
			return true;
	}
	return false;
}

static void compare(const struct input *input, struct lsmd_image_header *images[2])
{
	struct diff diff = {};

	check(!image_diff(images[0], images[1], &diff));
	for (size_t i = 0; i < input->n_names && !diff.incomplete; i++)
		for (size_t v = 0; v < sizeof(verbs) / sizeof(*verbs); v++) {
			enum diff_answer answers[2];
			struct ask ask = {
				.programs = { { "/p", 2 } }, .n_programs = 1, .wanted = verbs[v], .object = LSMD_OBJECT_PATH,
				.name = input->names[i]
			};

			if (diff_answer(images[0], &ask, &answers[0]) || diff_answer(images[1], &ask, &answers[1]))
				continue;
			check(answers[0] == answers[1] || told(&diff, verbs[v], ask.name.len));
		}
	for (size_t i = 0; i < diff.changes.n; i++) {
		struct ask ask = diff.changes.items[i].ask;
		enum diff_answer answers[2];

		ask.programs[0] = (struct ask_bytes){ "/p", 2 };
		ask.n_programs = 1;
		if (diff.changes.items[i].kind != DIFF_ACCESS)
			continue;
		check(!diff_answer(images[0], &ask, &answers[0]) && !diff_answer(images[1], &ask, &answers[1]));
		check(answers[0] != answers[1]);
	}
	diff_clear(&diff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lsmd_image_header *images[2];
	struct input input = {};

	if (size > 4096)
		return 0;
	input_read((const char *)data, size, &input);
	for (int s = 0; s < 2; s++)
		images[s] = image_of(&input, s);
	if (images[0] && images[1])
		compare(&input, images);
	free(images[0]);
	free(images[1]);
	return 0;
}
