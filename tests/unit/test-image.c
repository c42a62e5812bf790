/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image.c, compile.c, rulebook.c, image-verify.c, image-sum.c: a set becomes an image that answers for it, always the same bytes;
 * what cannot be compiled is refused with its place; what is not an image is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/policy/ask.h"
#include "agent/policy/image.h"
#include "tests/unit/good-set.h"

static struct lsmd_image_header *image_of(const struct policy_set *set, size_t *size)
{
	struct lsmd_image_header *image;
	struct diags diags = {};

	if (image_build(set, &diags, &image, size))
		fail_msg("%s", diags.n_diags ? diags.diags[0].message : "refused without a word");
	assert_int_equal(diags.n_diags, 0);
	assert_int_equal((uintptr_t)image % 64, 0);
	assert_int_equal(image->size, *size);
	assert_int_equal(image_verify(image, *size), 0);
	return image;
}

struct expectation {
	uint32_t wanted;
	enum lsmd_object object;
	const char *name;
	struct lsmd_address address;
	int verdict; /* of policy "first" */
	uint32_t rule;
};

static void expect(const struct lsmd_image_header *image, const struct expectation *e)
{
	struct ask ask = {
		.programs = { { "/bin/one", 8 } },
		.n_programs = 1,
		.wanted = e->wanted,
		.object = e->object,
		.address = e->address,
	};
	struct asked asked;

	if (e->name)
		ask.name = (struct ask_bytes){ e->name, strlen(e->name) };
	assert_int_equal(image_ask(image, &ask, &asked), 0);
	assert_int_equal(asked.n_layers, 2);
	for (size_t i = 0; i < 2; i++) {
		if (asked.answers[i].layer != 0)
			continue;
		if (asked.answers[i].verdict != e->verdict || asked.answers[i].rule != e->rule)
			fail_msg("%s %#x: verdict %u by rule %u", e->name ? e->name : "address", e->wanted,
				 asked.answers[i].verdict, asked.answers[i].rule);
	}
}

#define DENY LSMD_VERDICT_DENY
#define ALLOW LSMD_VERDICT_ALLOW
#define NAMED LSMD_OBJECT_PATH
#define DEVICE_READ LSMD_ACCESS_DEVICE_READ

static void an_image_answers_for_its_set(void **state)
{
	static const struct expectation expectations[] = {
		{ READ, NAMED, "/etc", {}, ALLOW, 2 },
		{ READ, NAMED, "/etc/x/y", {}, ALLOW, 2 },
		{ READ, NAMED, "/etcx", {}, DENY, 1 },
		{ READ, NAMED, "/srv/a/pub/x", {}, ALLOW, 2 },
		{ READ, NAMED, "/etc/shadow", {}, DENY, 4 },
		{ READ, NAMED, "/srv/a/pub/.git", {}, DENY, 4 },
		{ LSMD_ACCESS_WRITE, NAMED, "/var/log/a.log", {}, ALLOW, 3 },
		{ READ, NAMED, "/dev/null", {}, ALLOW, 5 },
		{ DEVICE_READ, NAMED, "/dev/null", {}, ALLOW, 5 },
		{ READ, NAMED, "/dev/tty1", {}, ALLOW, 5 },
		{ DEVICE_READ, NAMED, "/dev/tty1", {}, DENY, 1 },
		{ READ, NAMED, "/dev/pts/1", {}, ALLOW, 5 },
		{ DEVICE_READ, NAMED, "/dev/pts/1", {}, DENY, 1 },
		{ DEVICE_READ, NAMED, "/etc/.git/x", {}, DENY, 4 },
		{ LSMD_ACCESS_CONNECT, NAMED, "/run/x.sock", {}, ALLOW, 6 },
		{ LSMD_ACCESS_CONNECT, LSMD_OBJECT_ABSTRACT, "bus", {}, ALLOW, 6 },
		{ LSMD_ACCESS_CONNECT, LSMD_OBJECT_ABSTRACT, "x-1", {}, ALLOW, 6 },
		{ LSMD_ACCESS_CONNECT, LSMD_OBJECT_ABSTRACT, "bus2", {}, DENY, 1 },
		{ LSMD_ACCESS_CONNECT, LSMD_OBJECT_ADDRESS, NULL, { .lo = MAPPED(10, 1, 2, 3), .port = 90 }, ALLOW, 6 },
		{ LSMD_ACCESS_CONNECT, LSMD_OBJECT_ADDRESS, NULL, { .lo = MAPPED(10, 1, 2, 3), .port = 91 }, DENY, 1 },
		{ LSMD_ACCESS_CONNECT, LSMD_OBJECT_ADDRESS, NULL, { .lo = MAPPED(11, 0, 0, 0), .port = 90 }, DENY, 1 },
		{ LSMD_ACCESS_EXEC, NAMED, "/bin/sh", {}, ALLOW, 1 },
	};
	size_t size;
	struct lsmd_image_header *image = image_of(&good, &size);

	for (size_t i = 0; i < sizeof(expectations) / sizeof(*expectations); i++)
		expect(image, &expectations[i]);
	free(image);
}

static const void *section(const struct lsmd_image_header *image, struct lsmd_section part)
{
	return (const char *)image + part.off;
}

static void layers_and_rules_are_described(void **state)
{
	size_t size;
	struct lsmd_image_header *image = image_of(&good, &size);
	const struct lsmd_layer *layers = section(image, image->layers);
	const struct lsmd_rule *rules = section(image, image->rules);
	const struct lsmd_note *notes = section(image, image->notes);
	const uint32_t file = LSMD_ACCESS_FILES | LSMD_ACCESS_DEVICES;

	assert_int_equal(image->layers.n, 3);
	assert_string_equal(image_string(image, layers[0].name), "first");
	assert_string_equal(image_string(image, layers[0].file), "a.json");
	assert_string_equal(image_string(image, ~0u), "");
	assert_int_equal(layers[0].flags, LSMD_LAYER_CHILDREN | LSMD_LAYER_LOGS_ALLOW);
	assert_int_equal(layers[0].default_deny, file | LSMD_ACCESS_CONNECT);
	assert_int_equal(layers[0].undecided & (file | LSMD_ACCESS_EXEC | LSMD_ACCESS_SEND | LSMD_ACCESS_MOUNT),
			 file | LSMD_ACCESS_SEND);
	assert_int_equal(layers[2].flags, LSMD_LAYER_APPEND_ONLY);
	assert_int_equal(layers[2].default_deny, 0);
	assert_int_equal(layers[2].undecided & (LSMD_ACCESS_MOUNT | LSMD_ACCESS_BPF | READ),
			 LSMD_ACCESS_MOUNT | LSMD_ACCESS_BPF);
	/* Only what is enforced refuses a task whose label cannot be read. */
	assert_int_equal(image->undecided, layers[0].undecided);
	assert_int_equal(rules[1].flags, LSMD_RULE_DEFAULT);
	assert_int_equal(rules[1].line, 2);
	assert_int_equal(rules[1].column, UINT16_MAX);
	assert_int_equal(rules[3].flags, LSMD_RULE_LOG);
	assert_string_equal(image_string(image, notes[rules[3].note].id), "logs");
	assert_int_equal(rules[4].flags, LSMD_RULE_DENY | LSMD_RULE_KILL);
	assert_string_equal(image_string(image, notes[rules[4].note].reason), "secret");
	assert_string_equal(image_string(image, notes[rules[4].note].file), "b.json");
	assert_int_equal(rules[layers[2].first_rule + 1].flags, LSMD_RULE_DENY | LSMD_RULE_SILENT);
	assert_int_equal(image_rule_layer(image, 0), ~0u);
	assert_int_equal(image_rule_layer(image, 1), 0);
	assert_int_equal(image_rule_layer(image, layers[2].first_rule - 1), 1);
	assert_int_equal(image_rule_layer(image, image->rules.n - 1), 2);
	free(image);
}

/* Verbs without object, and every object of those that have one. */
static void everything_is_everything(void **state)
{
	struct policy everything = policies[0];
	struct policy_set set = { .policies = &everything, .n_policies = 1, .files = files, .n_files = 2 };
	struct rule rule = { .access = READ | LSMD_ACCESS_CONNECT | LSMD_ACCESS_MOUNT, OBJECTS(ALL) };
	struct ask ask = { .programs = { { "/bin/one", 8 } }, .n_programs = 1 };
	struct asked asked;
	size_t size;
	struct lsmd_image_header *image;
	static const struct {
		uint32_t wanted;
		enum lsmd_object object;
		const char *name;
		uint32_t rule;
	} asks[] = {
		{ READ, NAMED, "/", 2 },
		{ READ, NAMED, "/a/b", 2 },
		{ DEVICE_READ, NAMED, "/a/b", 1 },
		{ LSMD_ACCESS_CONNECT, NAMED, "/a", 2 },
		{ LSMD_ACCESS_CONNECT, LSMD_OBJECT_ABSTRACT, "x/y", 2 },
		{ LSMD_ACCESS_CONNECT, LSMD_OBJECT_ADDRESS, "", 2 },
		{ LSMD_ACCESS_MOUNT, LSMD_OBJECT_NONE, "", 2 },
		{ LSMD_ACCESS_LINK, NAMED, "/a", 1 },
	};

	everything.default_deny = ~0u >> 4;
	everything.rules = &rule;
	everything.n_rules = 1;
	image = image_of(&set, &size);
	for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
		ask.wanted = asks[i].wanted;
		ask.object = asks[i].object;
		ask.name = (struct ask_bytes){ asks[i].name, strlen(asks[i].name) };
		assert_int_equal(image_ask(image, &ask, &asked), 0);
		assert_int_equal(asked.answers[0].rule, asks[i].rule);
		assert_int_equal(asked.refused, asks[i].rule == 1);
	}
	free(image);
}

static void the_same_set_gives_the_same_bytes(void **state)
{
	size_t size_a, size_b;
	struct lsmd_image_header *a = image_of(&good, &size_a), *b = image_of(&good, &size_b);

	assert_int_equal(size_a, size_b);
	assert_memory_equal(a, b, size_a);
	free(b);
	policies[0].rules[0].place.line++;
	b = image_of(&good, &size_b);
	policies[0].rules[0].place.line--;
	assert_int_not_equal(a->set_hash, b->set_hash);
	free(a);
	free(b);
}

static void a_set_of_none_holds_nobody(void **state)
{
	const struct policy_set none = {};
	struct ask ask = {
		.programs = { { "/bin/one", 8 } }, .n_programs = 1, .wanted = READ, .object = NAMED, .name = { "/", 1 }
	};
	struct asked asked;
	size_t size;
	struct lsmd_image_header *image = image_of(&none, &size);

	assert_int_equal(image_ask(image, &ask, &asked), 0);
	assert_int_equal(asked.n_layers, 0);
	assert_false(asked.refused);
	free(image);
}

/* What cannot be compiled: one policy with one rule. */
static void expect_refused(struct object object, const char *code, uint32_t line)
{
	struct rule rule = { .place = { 0, 7, 1, 1 }, .access = READ, .objects = &object, .n_objects = 1 };
	struct policy policy = { .name = "p", .rules = &rule, .n_rules = 1 };
	const struct policy_set set = { .policies = &policy, .n_policies = 1, .files = files, .n_files = 1 };
	struct lsmd_image_header *image;
	struct diags diags = {};
	size_t size;

	assert_int_equal(image_build(&set, &diags, &image, &size), IMAGE_REFUSED);
	assert_int_equal(diags.n_errors, 1);
	assert_string_equal(diags.diags[0].code, code);
	assert_int_equal(diags.diags[0].place.line, line);
	assert_non_null(diags.diags[0].mend);
	diags_clear(&diags);
}

static void what_cannot_be_compiled_is_refused_with_its_place(void **state)
{
	expect_refused((struct object)PATH("/a//b"), "pattern", 5);
	expect_refused((struct object)PATH("a"), "pattern", 5);
	expect_refused((struct object)PATH("/a/**a?????????????????????????"), "pattern-too-costly", 5);
}

/* A policy that is off does not count among those that may hold a program. */
static void policies_that_are_off_hold_nobody(void **state)
{
	struct object exe = PATH("/bin/x");
	struct policy many[LSMD_LAYERS_MAX + 2] = {};
	char names[LSMD_LAYERS_MAX + 2][8];
	const struct policy_set set = {
		.policies = many, .n_policies = LSMD_LAYERS_MAX + 2, .files = files, .n_files = 1
	};
	struct ask ask = {
		.programs = { { "/bin/x", 6 } }, .n_programs = 1, .wanted = READ, .object = NAMED, .name = { "/", 1 }
	};
	struct asked asked;
	struct lsmd_image_header *image;
	size_t size;

	for (int i = 0; i < LSMD_LAYERS_MAX + 2; i++) {
		sprintf(names[i], "p%02d", i);
		many[i] = (struct policy){
			.name = names[i], .exes = &exe, .n_exes = 1, .mode = i < 2 ? LSMD_MODE_OFF : 0
		};
	}
	image = image_of(&set, &size);
	assert_int_equal(image_ask(image, &ask, &asked), 0);
	assert_int_equal(asked.n_layers, LSMD_LAYERS_MAX);
	free(image);
	many[1].mode = LSMD_MODE_AUDIT;
	image = image_of(&set, &size);
	assert_int_equal(image_ask(image, &ask, &asked), ASK_TOO_MANY_LAYERS);
	free(image);
}

/* Bounds of the whole: more policies than are numbered, more bytes than an image has. */
static void what_is_too_large_is_refused(void **state)
{
	struct policy *many = calloc(LSMD_POLICIES_MAX + 1, sizeof(*many));
	struct policy_set set = { .policies = many, .n_policies = LSMD_POLICIES_MAX + 1, .files = files, .n_files = 1 };
	struct rule rule = {};
	char *reason = malloc(LSMD_IMAGE_BYTES_MAX + 1);
	struct lsmd_image_header *image;
	struct diags diags = {};
	size_t size;

	assert_int_equal(image_build(&set, &diags, &image, &size), IMAGE_REFUSED);
	assert_string_equal(diags.diags[0].code, "policies-too-many");
	diags_clear(&diags);
	memset(reason, 'x', LSMD_IMAGE_BYTES_MAX);
	reason[LSMD_IMAGE_BYTES_MAX] = '\0';
	rule.reason = reason;
	many[0] = (struct policy){ .name = "p", .rules = &rule, .n_rules = 1, .place = { 0, 3, 1, 1 } };
	set.n_policies = 1;
	assert_int_equal(image_build(&set, &diags, &image, &size), IMAGE_REFUSED);
	assert_string_equal(diags.diags[0].code, "image-too-large");
	assert_int_equal(diags.diags[0].place.line, 3);
	diags_clear(&diags);
	/* Just short of it, so that only the whole is too large. */
	reason[LSMD_IMAGE_BYTES_MAX - 64] = '\0';
	assert_int_equal(image_build(&set, &diags, &image, &size), IMAGE_REFUSED);
	assert_string_equal(diags.diags[0].code, "image-too-large");
	diags_clear(&diags);
	free(reason);
	free(many);
}

/* Every policy explodes: some are said, none is waited for behind them, and nothing is compiled. */
static void many_explosions_end_in_time(void **state)
{
	struct object object = PATH("/**a?????????????????????????");
	struct rule rule = { .access = READ, .objects = &object, .n_objects = 1 };
	struct policy many[20];
	char names[20][8];
	const struct policy_set set = { .policies = many, .n_policies = 20, .files = files, .n_files = 1 };
	struct lsmd_image_header *image;
	struct diags diags = {};
	size_t size;

	for (int i = 0; i < 20; i++) {
		sprintf(names[i], "p%02d", i);
		many[i] = (struct policy){ .name = names[i], .rules = &rule, .n_rules = 1 };
	}
	assert_int_equal(image_build(&set, &diags, &image, &size), IMAGE_REFUSED);
	assert_in_range(diags.n_errors, 1, 4);
	diags_clear(&diags);
}

/* Two names with one FNV-1a of 64 bits, found by others. */
static void two_names_with_one_key_are_refused(void **state)
{
	struct policy two[] = { { .name = "8yn0iYCKYHlIj4-BwPqk" }, { .name = "GReLUrM4wMqfg9yzV3KQ" } };
	const struct policy_set set = { .policies = two, .n_policies = 2, .files = files, .n_files = 1 };
	struct lsmd_image_header *image;
	struct diags diags = {};
	size_t size;

	assert_int_equal(lsmd_policy_key(two[0].name), lsmd_policy_key(two[1].name));
	assert_int_equal(image_build(&set, &diags, &image, &size), IMAGE_REFUSED);
	assert_string_equal(diags.diags[0].code, "key-collision");
	diags_clear(&diags);
}

static struct lsmd_image_header *copy_of(const struct lsmd_image_header *image, size_t size)
{
	struct lsmd_image_header *copy = malloc(size);

	memcpy(copy, image, size);
	return copy;
}

static void any_changed_byte_is_found(void **state)
{
	size_t size;
	struct lsmd_image_header *image = image_of(&good, &size);
	struct lsmd_image_header *copy = copy_of(image, size);

	for (size_t i = 0; i < size; i++) {
		bool counted = i >= image->counters.off;
		bool generation = i >= offsetof(struct lsmd_image_header, generation) &&
				  i < offsetof(struct lsmd_image_header, generation) + sizeof(image->generation);

		((uint8_t *)copy)[i] ^= 1 << i % 8;
		if (!image_verify(copy, size) != (counted || generation))
			fail_msg("byte %zu of %zu", i, size);
		((uint8_t *)copy)[i] ^= 1 << i % 8;
	}
	free(copy);
	free(image);
}

static void what_is_no_image_is_refused(void **state)
{
	size_t size;
	struct lsmd_image_header *image = image_of(&good, &size);
	struct lsmd_image_header *copy;

	assert_int_equal(image_verify(image, sizeof(*image) - 1), IMAGE_BAD_SIZE);
	assert_int_equal(image_verify(image, size - 64), IMAGE_BAD_SIZE);
	for (size_t n = 0; n < size; n += 8) {
		copy = copy_of(image, n + 1);
		assert_int_not_equal(image_verify(copy, n), 0);
		free(copy);
	}
	copy = copy_of(image, size);
	copy->magic++;
	assert_int_equal(image_verify(copy, size), IMAGE_BAD_MAGIC);
	copy->magic--;
	copy->version++;
	assert_int_equal(image_verify(copy, size), IMAGE_BAD_VERSION);
	copy->version--;
	copy->checksum++;
	assert_int_equal(image_verify(copy, size), IMAGE_BAD_CHECKSUM);
	free(copy);
	free(image);
}

#define AT(copy, part, type, i) (&((type *)((char *)(copy) + (copy)->part.off))[i])

#define FORGERY(number, statement) \
	case number: \
		statement; \
		break

/* Every kind of record made wrong in turn, the checksum made right again. */
static void forge(struct lsmd_image_header *c, int kind)
{
	switch (kind) {
		FORGERY(0, c->root[LSMD_TREE_OBJECT].below = c->classes.n);
		FORGERY(1, c->subject_dfa = c->states.n);
		FORGERY(2, c->subject_map = c->bytemaps.n);
		FORGERY(3, c->nodes.off += 8);
		FORGERY(4, c->strings.n += 4096);
		FORGERY(5, c->classes.n = 0xffffffff);
		FORGERY(6, c->cells.off = c->classes.off);
		FORGERY(7, c->counters.n--);
		FORGERY(8, c->steps.n = 255);
		FORGERY(9, AT(c, classes, struct lsmd_class, 2)->inherits = 2);
		FORGERY(10, AT(c, classes, struct lsmd_class, 2)->layer = 3);
		FORGERY(11, AT(c, classes, struct lsmd_class, 2)->rule = c->rules.n);
		FORGERY(12, AT(c, classes, struct lsmd_class, 2)->rule = LSMD_RULE_ROW | c->rows.n);
		FORGERY(13, AT(c, rows, struct lsmd_row, 0)->rule[31] = c->rules.n);
		FORGERY(14, AT(c, layers, struct lsmd_layer, 0)->first_rule++);
		FORGERY(15, AT(c, layers, struct lsmd_layer, 0)->n_rules++);
		FORGERY(16, AT(c, layers, struct lsmd_layer, 0)->dfa = c->states.n);
		FORGERY(17, AT(c, layers, struct lsmd_layer, 0)->bytemap = c->bytemaps.n);
		FORGERY(18, AT(c, layers, struct lsmd_layer, 0)->net = c->nets.n);
		FORGERY(19, AT(c, layers, struct lsmd_layer, 0)->name = c->strings.n);
		FORGERY(20, AT(c, layers, struct lsmd_layer, 0)->mode = 3);
		FORGERY(21, AT(c, layer_keys, struct lsmd_layer_key, 0)->layer = 3);
		FORGERY(22, AT(c, layer_keys, struct lsmd_layer_key, 2)->key = 0);
		FORGERY(23, AT(c, states, struct lsmd_state, 1)->base = c->steps.n - 255);
		FORGERY(24, AT(c, states, struct lsmd_state, 1)->other = c->states.n);
		FORGERY(25, AT(c, states, struct lsmd_state, 1)->class = c->classes.n);
		FORGERY(26, AT(c, states, struct lsmd_state, 0)->other = 1);
		FORGERY(27, AT(c, steps, struct lsmd_step, 300)->next = c->states.n);
		FORGERY(28, AT(c, steps, struct lsmd_step, c->steps.n - 1)->next = 1);
		FORGERY(29, AT(c, nets, struct lsmd_net_table, 1)->proto[0].n++);
		FORGERY(30, AT(c, intervals, struct lsmd_interval, 0)->lo = 1);
		FORGERY(31, AT(c, intervals, struct lsmd_interval, 1)->portset = c->portsets.n);
		FORGERY(32,
			AT(c, intervals, struct lsmd_interval, 2)->lo = AT(c, intervals, struct lsmd_interval, 1)->lo);
		FORGERY(33, AT(c, portsets, struct lsmd_portset, 1)->n++);
		FORGERY(34, AT(c, ports, struct lsmd_port, 0)->first = 91);
		FORGERY(35, AT(c, ports, struct lsmd_port, 0)->rule = c->rules.n);
		FORGERY(36, AT(c, rules, struct lsmd_rule, 1)->note = c->notes.n);
		FORGERY(37, AT(c, notes, struct lsmd_note, 1)->reason = c->strings.n);
		FORGERY(38, *AT(c, strings, char, c->strings.n - 1) = 'x');
		FORGERY(39, AT(c, rules, struct lsmd_rule, 1)->flags = 0);
		FORGERY(40, c->displace.n = 0);
		FORGERY(41, *AT(c, displace, lsmd_u32, 0) ^= 0x55555554);
		FORGERY(42, c->hash_key[0] += 2);
		FORGERY(43, AT(c, layers, struct lsmd_layer, 2)->file = c->strings.n);
		FORGERY(44, AT(c, classes, struct lsmd_class, 0)->inherits = 1);
		FORGERY(45, AT(c, layers, struct lsmd_layer, 0)->default_rule++);
		FORGERY(46, AT(c, layers, struct lsmd_layer, 1)->default_rule = LSMD_RULE_ROW | c->rows.n);
		FORGERY(47, AT(c, layers, struct lsmd_layer, 1)->default_rule = LSMD_RULE_ROW);
	}
}

/* The same for whichever slots are taken. */
static void forge_node(struct lsmd_node *node, int kind, uint32_t n_classes)
{
	switch (kind) {
		FORGERY(0, node->id = LSMD_N_TREES);
		FORGERY(1, node->id += 1000);
		FORGERY(2, node->parent = node->id);
		FORGERY(3, node->parent = 0);
		FORGERY(4, node->meta = 41);
		FORGERY(5, node->meta = 0);
		FORGERY(6, node->exact = n_classes);
		FORGERY(7, node->below = n_classes);
		FORGERY(8, node->flags ^= LSMD_NODE_HAS_CHILDREN);
		FORGERY(9, ((char *)node->name)[39]++);
		FORGERY(10, node->meta |= 0x200);
	}
}

static void forged_records_are_refused(void **state)
{
	size_t size;
	struct lsmd_image_header *image = image_of(&good, &size), *copy;

	for (int kind = 0; kind <= 47; kind++) {
		copy = copy_of(image, size);
		forge(copy, kind);
		assert_memory_not_equal(copy, image, size);
		if (kind != 3 && kind != 4 && kind != 5 && kind != 6)
			copy->checksum = image_checksum(copy);
		if (image_verify(copy, size) != IMAGE_BAD_LAYOUT)
			fail_msg("forgery %d: %d", kind, image_verify(copy, size));
		free(copy);
	}
	for (lsmd_u32 slot = 0; slot < image->nodes.n; slot++) {
		for (int kind = 0; AT(image, nodes, struct lsmd_node, slot)->id > LSMD_N_TREES && kind <= 10; kind++) {
			copy = copy_of(image, size);
			forge_node(AT(copy, nodes, struct lsmd_node, slot), kind, copy->classes.n);
			copy->checksum = image_checksum(copy);
			if (image_verify(copy, size) != IMAGE_BAD_LAYOUT)
				fail_msg("slot %u, forgery %d", slot, kind);
			free(copy);
		}
	}
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_answers_for_its_set),
		cmocka_unit_test(layers_and_rules_are_described),
		cmocka_unit_test(everything_is_everything),
		cmocka_unit_test(the_same_set_gives_the_same_bytes),
		cmocka_unit_test(a_set_of_none_holds_nobody),
		cmocka_unit_test(what_cannot_be_compiled_is_refused_with_its_place),
		cmocka_unit_test(policies_that_are_off_hold_nobody),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(many_explosions_end_in_time),
		cmocka_unit_test(two_names_with_one_key_are_refused),
		cmocka_unit_test(any_changed_byte_is_found),
		cmocka_unit_test(what_is_no_image_is_refused),
		cmocka_unit_test(forged_records_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
