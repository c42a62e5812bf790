/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rule.c, object.c, inet.c: what rules, defaults and objects become. What is refused, and with which words: tests/golden. */
#include "agent/policy/names.h"
#include "lsm/abi/access.h"
#include "tests/unit/load.h"

#define MAPPED(a, b, c, d) (0xffff00000000ull | (uint64_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const struct rule *rule_good(struct load *load, const char *rule)
{
	char text[4096];

	snprintf(text, sizeof(text), HEAD ALLOW "\"variables\": { \"STAR\": \"*\" }, \"rules\": [%s] }", rule);
	return &load_good(load, text)->rules[0];
}

static void write_is_a_group_and_the_narrower_verbs_are_not(void **state)
{
	const struct rule *rule = rule_good(*state, "{\"allow\": \"write\", \"path\": \"/a\"}");

	assert_int_equal(rule->access,
			 LSMD_ACCESS_WRITE | LSMD_ACCESS_APPEND | LSMD_ACCESS_CREATE | LSMD_ACCESS_DELETE);
	rule = rule_good(*state, "{\"deny\": [\"append\", \"read\"], \"path\": \"/a\"}");
	assert_int_equal(rule->access, LSMD_ACCESS_APPEND | LSMD_ACCESS_READ);
	assert_true(rule->deny);
	rule = rule_good(*state, "{\"allow\": [\"rename\", \"link\", \"exec\"], \"path\": \"/a\"}");
	assert_int_equal(rule->access, LSMD_ACCESS_RENAME | LSMD_ACCESS_LINK | LSMD_ACCESS_EXEC);
}

static void flags_mean_what_they_say(void **state)
{
	const struct rule *rule = rule_good(*state, "{\"allow\": \"read\", \"path\": \"/a\", \"log\": true}");

	assert_true(rule->log && !rule->silent && !rule->kill && !rule->deny);
	rule = rule_good(*state, "{\"deny\": \"read\", \"path\": \"/a\", \"log\": false, \"kill\": true}");
	assert_true(!rule->log && rule->silent && rule->kill && rule->deny);
	rule = rule_good(*state, "{\"allow\": \"read\", \"path\": \"/a\", \"log\": false}");
	assert_true(!rule->log && !rule->silent);
	rule = rule_good(*state, "{\"deny\": \"read\", \"path\": \"/a\", \"log\": true, \"kill\": false}");
	assert_true(!rule->log && !rule->silent && !rule->kill);
	rule = rule_good(*state,
			 "{\"deny\": \"read\", \"path\": \"/a\", \"id\": \"x-1\", \"reason\": \"it's\\u00e9\"}");
	assert_string_equal(rule->id, "x-1");
	assert_string_equal(rule->reason, "it's\xc3\xa9");
}

static void places_point_at_the_rule_and_at_each_object(void **state)
{
	const struct policy *policy = load_good(*state, HEAD ALLOW "\"rules\": [\n"
								   "  { \"allow\": \"read\",\n"
								   "    \"path\": [\"/a\", \"/b\"] } ] }");

	assert_int_equal(policy->rules[0].place.line, 2);
	assert_int_equal(policy->rules[0].place.column, 3);
	assert_int_equal(policy->rules[0].objects[1].place.line, 3);
	assert_int_equal(policy->rules[0].objects[1].place.column, 20);
	assert_int_equal(policy->rules[0].objects[1].place.len, 4);
}

static void any_byte_of_a_name_can_be_written(void **state)
{
	const struct object *object =
		rule_good(*state, "{\"allow\": \"read\", \"path\": \"/\\\\xff\\\\x0a\\u00e9\\\"\"}")->objects;

	assert_int_equal(object->kind, OBJECT_PATH);
	assert_int_equal(object->len, 12);
	assert_memory_equal(object->bytes, "/\\xff\\x0a\xc3\xa9\"", 12);
}

struct range {
	const char *to;
	uint32_t protos;
	uint64_t first_hi, first_lo, last_hi, last_lo;
	uint16_t first_port, last_port;
};

static const struct range ranges[] = {
	{ "tcp:10.0.0.0/8:5432", 1, 0, MAPPED(10, 0, 0, 0), 0, MAPPED(10, 255, 255, 255), 5432, 5432 },
	{ "udp:10.1.2.3:53-60", 2, 0, MAPPED(10, 1, 2, 3), 0, MAPPED(10, 1, 2, 3), 53, 60 },
	{ "sctp:0.0.0.0/0:*", 4, 0, MAPPED(0, 0, 0, 0), 0, MAPPED(255, 255, 255, 255), 0, 65535 },
	{ "dccp:[fd00::]/8:443", 8, 0xfd00000000000000, 0, 0xfdffffffffffffff, ~0ull, 443, 443 },
	{ "tcp:[2001:db8::1]:80", 1, 0x20010db800000000, 1, 0x20010db800000000, 1, 80, 80 },
	{ "tcp:[2001:db8::]/64:80", 1, 0x20010db800000000, 0, 0x20010db800000000, ~0ull, 80, 80 },
	{ "tcp:[2001:db8::]/65:80", 1, 0x20010db800000000, 0, 0x20010db800000000, ~0ull >> 1, 80, 80 },
	{ "*:*:*", 31, 0, 0, ~0ull, ~0ull, 0, 65535 },
	{ "tcp:*:0", 1, 0, 0, ~0ull, ~0ull, 0, 0 },
	{ "tcp:[::ffff:10.0.0.1]:80", 1, 0, MAPPED(10, 0, 0, 1), 0, MAPPED(10, 0, 0, 1), 80, 80 },
	{ "tcp:[::ffff:0:0]/96:80", 1, 0, MAPPED(0, 0, 0, 0), 0, MAPPED(255, 255, 255, 255), 80, 80 },
	{ "tcp:0.0.0.0:80", 1, 0, MAPPED(127, 0, 0, 1), 0, MAPPED(127, 0, 0, 1), 80, 80 },
	{ "tcp:0.0.0.0/32:80", 1, 0, MAPPED(127, 0, 0, 1), 0, MAPPED(127, 0, 0, 1), 80, 80 },
	{ "tcp:[::]:80", 1, 0, 1, 0, 1, 80, 80 },
	{ "tcp:10.1.2.3/8:80", 1, 0, MAPPED(10, 0, 0, 0), 0, MAPPED(10, 255, 255, 255), 80, 80 },
	{ "tcp:127.0.0.1:https", 1, 0, MAPPED(127, 0, 0, 1), 0, MAPPED(127, 0, 0, 1), 443, 443 },
};

static void range_check(const struct object *object, const struct range *range)
{
	assert_int_equal(object->kind, OBJECT_INET);
	assert_int_equal(object->protos, range->protos);
	assert_true(object->first_hi == range->first_hi && object->first_lo == range->first_lo);
	assert_true(object->last_hi == range->last_hi && object->last_lo == range->last_lo);
	assert_int_equal(object->first_port, range->first_port);
	assert_int_equal(object->last_port, range->last_port);
}

static void addresses_are_ranges_of_mapped_addresses(void **state)
{
	char text[200];
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		const struct rule *rule;

		snprintf(text, sizeof(text), "{\"allow\": \"connect\", \"to\": \"%s\"}", ranges[i].to);
		rule = rule_good(*state, text);
		assert_int_equal(rule->n_objects, 1);
		range_check(rule->objects, &ranges[i]);
	}
}

static void a_prefix_around_the_mapped_addresses_leaves_them_out(void **state)
{
	static const struct range all[] = {
		{ "", 1, 0, 0, 0, 0xfffeffffffff, 80, 80 },
		{ "", 1, 0, 0x1000000000000, ~0ull, ~0ull, 80, 80 },
	};
	static const struct range below[] = {
		{ "", 1, 0, 0, 0, 0xfffeffffffff, 80, 80 },
	};
	const struct rule *rule = rule_good(*state, "{\"allow\": \"connect\", \"to\": \"tcp:[::]/0:80\"}");

	assert_int_equal(rule->n_objects, 2);
	range_check(&rule->objects[0], &all[0]);
	range_check(&rule->objects[1], &all[1]);
	/* ::/80 ends with the mapped addresses. */
	rule = rule_good(*state, "{\"allow\": \"connect\", \"to\": \"tcp:[::]/80:80\"}");
	assert_int_equal(rule->n_objects, 1);
	range_check(&rule->objects[0], &below[0]);
}

static void unix_names_are_patterns_of_their_kind(void **state)
{
	const struct rule *rule =
		rule_good(*state, "{\"allow\": \"connect\", \"to\": [\"unix:/run/*.sock\", \"unix:@/tmp/x\"]}");

	assert_int_equal(rule->n_objects, 2);
	assert_int_equal(rule->objects[0].kind, OBJECT_UNIX);
	assert_string_equal(rule->objects[0].bytes, "/run/*.sock");
	assert_int_equal(rule->objects[1].kind, OBJECT_ABSTRACT);
	assert_string_equal(rule->objects[1].bytes, "/tmp/x");
}

static void a_star_names_everything(void **state)
{
	const struct rule *rule = rule_good(*state, "{\"deny\": \"connect\", \"to\": \"*\"}");

	assert_int_equal(rule->n_objects, 3);
	assert_int_equal(rule->objects[0].kind, OBJECT_UNIX);
	assert_int_equal(rule->objects[1].kind, OBJECT_ABSTRACT);
	range_check(&rule->objects[2], &(struct range){ "", 31, 0, 0, ~0ull, ~0ull, 0, 65535 });
	rule = rule_good(*state, "{\"deny\": \"mount\", \"name\": \"*\"}");
	assert_int_equal(rule->objects[0].kind, OBJECT_ALL);
	load_bad(*state, RULES("{\"deny\": \"mount\", \"name\": \"@{STAR}\"}"), "bad-name");
}

/* What cannot be resolved grants nothing; a deny of it would deny nothing, and is refused. */
static void a_service_that_is_unknown_never_widens(void **state)
{
	const struct rule *rule = rule_good(*state, "{\"allow\": \"connect\", \"to\": \"tcp:*:no-such-service\"}");

	assert_int_equal(rule->n_objects, 0);
	assert_true(load_said(*state, "unknown-service"));
	load_bad(*state, RULES("{\"deny\": \"connect\", \"to\": \"tcp:*:no-such-service\"}"), "unknown-service");
}

#define CLASSES(file, exec, network, system) \
	"\"file\": \"" file "\", \"exec\": \"" exec "\", \"network\": \"" network \
	"\", \"capability\": \"allow\", \"process\": \"allow\", \"system\": \"" system "\""

static uint32_t default_of(struct load *load, const char *defaults)
{
	char text[2000];

	snprintf(text, sizeof(text), HEAD "\"default\": { %s } }", defaults);
	return load_good(load, text)->default_deny;
}

static void a_verb_beats_its_group_which_beats_its_class(void **state)
{
	uint32_t names = LSMD_ACCESS_READ | LSMD_ACCESS_RENAME | LSMD_ACCESS_LINK;

	assert_int_equal(default_of(*state, CLASSES("allow", "allow", "allow", "allow")), 0);
	assert_int_equal(default_of(*state, CLASSES("deny", "allow", "allow", "allow")), LSMD_ACCESS_FILES);
	assert_int_equal(default_of(*state, CLASSES("deny", "allow", "allow", "allow") ", \"setattr\": \"allow\""),
			 names | LSMD_ACCESS_WRITE_GROUP);
	assert_int_equal(
		default_of(*state,
			   CLASSES("deny", "allow", "allow",
				   "allow") ", \"setattr\": \"allow\", \"write\": \"allow\", \"delete\": \"deny\""),
		names | LSMD_ACCESS_DELETE);
	assert_int_equal(default_of(*state, CLASSES("allow", "allow", "allow",
						    "allow") ", \"write\": \"deny\", \"append\": \"allow\""),
			 LSMD_ACCESS_WRITE_GROUP & ~LSMD_ACCESS_APPEND);
	assert_int_equal(default_of(*state, CLASSES("allow", "deny", "allow", "allow") ", \"map\": \"allow\""),
			 LSMD_ACCESS_EXEC);
	assert_int_equal(default_of(*state, CLASSES("allow", "allow", "allow",
						    "allow") ", \"connect\": \"deny\", \"mount\": \"deny\""),
			 LSMD_ACCESS_CONNECT | LSMD_ACCESS_MOUNT);
}

static void every_verb_can_be_denied_by_default(void **state)
{
	for (size_t i = 0; i < LSMD_N_VERBS; i++) {
		char text[400];

		if (!strcmp(verbs[i].name, "exec") || !strcmp(verbs[i].name, "capability"))
			continue; /* classes of the same name */
		snprintf(text, sizeof(text), CLASSES("allow", "allow", "allow", "allow") ", \"%s\": \"deny\"", verbs[i].name);
		assert_true(default_of(*state, text) & 1u << i);
	}
	assert_int_equal(default_of(*state, "\"file\": \"deny\", \"exec\": \"deny\", \"network\": \"deny\", \"capability\": \"deny\", "
					    "\"process\": \"deny\", \"system\": \"deny\""),
			 (1u << LSMD_N_VERBS) - 1);
}

static void subjects_are_patterns_and_children_stay_by_default(void **state)
{
	const struct policy *policy = load_good(*state, "{ \"version\": 1, \"name\": \"t\", \"default\": \"allow\","
							" \"subject\": { \"exe\": [\"/usr/bin/a\", \"/opt/*/b\"] } }");

	assert_int_equal(policy->n_exes, 2);
	assert_int_equal(policy->exes[1].kind, OBJECT_PATH);
	assert_string_equal(policy->exes[1].bytes, "/opt/*/b");
	assert_true(policy->children);
	assert_int_equal(policy->mode, LSMD_MODE_ENFORCE);
	policy = load_good(*state, "{ \"version\": 1, \"name\": \"t\", \"default\": \"allow\", \"mode\": \"audit\","
				   " \"subject\": { \"exe\": \"/usr/bin/a\", \"children\": false } }");
	assert_false(policy->children);
	assert_int_equal(policy->mode, LSMD_MODE_AUDIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, load_setup, load_teardown)
	const struct CMUnitTest tests[] = {
		TEST(write_is_a_group_and_the_narrower_verbs_are_not),
		TEST(flags_mean_what_they_say),
		TEST(places_point_at_the_rule_and_at_each_object),
		TEST(any_byte_of_a_name_can_be_written),
		TEST(addresses_are_ranges_of_mapped_addresses),
		TEST(a_prefix_around_the_mapped_addresses_leaves_them_out),
		TEST(unix_names_are_patterns_of_their_kind),
		TEST(a_star_names_everything),
		TEST(a_service_that_is_unknown_never_widens),
		TEST(a_verb_beats_its_group_which_beats_its_class),
		TEST(every_verb_can_be_denied_by_default),
		TEST(subjects_are_patterns_and_children_stay_by_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
