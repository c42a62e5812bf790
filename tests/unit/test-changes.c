// SPDX-License-Identifier: LGPL-2.1-or-later
/* changes.c: what a reload says it changes is what differs, no less and no more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/changes.h"
#include "agent/control/rule-text.h"

static struct object paths[] = {
	{ .kind = OBJECT_PATH, .bytes = "/a", .len = 2 },
	{ .kind = OBJECT_PATH, .bytes = "/b", .len = 2 },
	{ .kind = OBJECT_PATH, .bytes = "/c", .len = 2 },
};

static struct rule rule_make(size_t path, uint32_t access, bool deny, uint32_t line)
{
	return (struct rule){
		.place.line = line, .access = access, .deny = deny, .objects = &paths[path], .n_objects = 1
	};
}

static struct summary *summary_of(struct policy *policies, size_t n)
{
	const struct policy_set set = { .policies = policies, .n_policies = n };
	struct summary *summary;

	assert_int_equal(summary_new(&set, &summary), 0);
	return summary;
}

static json_t *compare(struct policy *before, size_t n_before, struct policy *after, size_t n_after)
{
	struct summary *a = summary_of(before, n_before), *b = summary_of(after, n_after);
	json_t *json = changes_json(a, b);

	assert_non_null(json);
	summary_free(a);
	summary_free(b);
	return json;
}

static const char *rule_at(json_t *changes, const char *side, size_t i)
{
	json_t *policy = json_array_get(json_object_get(changes, "policies"), 0);

	return json_string_value(json_object_get(json_array_get(json_object_get(policy, side), i), "rule"));
}

static void moved_rules_are_no_change(void **state)
{
	struct rule before[] = { rule_make(0, LSMD_ACCESS_READ, false, 3), rule_make(1, LSMD_ACCESS_READ, true, 4) };
	struct rule after[] = { rule_make(1, LSMD_ACCESS_READ, true, 9), rule_make(0, LSMD_ACCESS_READ, false, 10) };
	struct policy a = { .name = "web", .rules = before, .n_rules = 2 };
	struct policy b = { .name = "web", .rules = after, .n_rules = 2 };
	json_t *changes = compare(&a, 1, &b, 1);

	assert_int_equal(json_array_size(json_object_get(changes, "policies")), 0);
	json_decref(changes);
}

static void rules_that_come_and_go_are_told(void **state)
{
	struct rule before[] = { rule_make(0, LSMD_ACCESS_READ, false, 3), rule_make(1, LSMD_ACCESS_READ, true, 4) };
	struct rule after[] = { rule_make(0, LSMD_ACCESS_READ, false, 3),
				rule_make(2, LSMD_ACCESS_READ | LSMD_ACCESS_EXEC, false, 4) };
	struct policy a = { .name = "web", .rules = before, .n_rules = 2 };
	struct policy b = { .name = "web", .rules = after, .n_rules = 2, .mode = LSMD_MODE_AUDIT };
	json_t *changes = compare(&a, 1, &b, 1), *policy;

	assert_string_equal(rule_at(changes, "removed", 0), "deny read /b");
	assert_string_equal(rule_at(changes, "added", 0), "allow read, exec /c");
	assert_null(rule_at(changes, "added", 1));
	policy = json_array_get(json_object_get(changes, "policies"), 0);
	assert_string_equal(json_string_value(json_array_get(json_object_get(policy, "changed"), 0)),
			    "mode: enforce -> audit");
	json_decref(changes);
}

static void a_rule_given_twice_and_then_once_is_a_change(void **state)
{
	struct rule before[] = { rule_make(0, LSMD_ACCESS_READ, false, 3), rule_make(0, LSMD_ACCESS_READ, false, 4) };
	struct policy a = { .name = "web", .rules = before, .n_rules = 2 };
	struct policy b = { .name = "web", .rules = before, .n_rules = 1 };
	json_t *changes = compare(&a, 1, &b, 1);

	assert_string_equal(rule_at(changes, "removed", 0), "allow read /a");
	json_decref(changes);
}

static void policies_that_come_and_go_are_told(void **state)
{
	struct policy before[] = { { .name = "a" }, { .name = "c" } }, after[] = { { .name = "b" }, { .name = "c" } };
	json_t *changes = compare(before, 2, after, 2);

	assert_string_equal(json_string_value(json_array_get(json_object_get(changes, "policies_removed"), 0)), "a");
	assert_string_equal(json_string_value(json_array_get(json_object_get(changes, "policies_added"), 0)), "b");
	json_decref(changes);
}

static void what_is_not_known_says_so(void **state)
{
	struct policy policy = { .name = "a" };
	struct summary *after = summary_of(&policy, 1);
	json_t *changes = changes_json(NULL, after);

	assert_true(json_is_true(json_object_get(changes, "unknown")));
	json_decref(changes);
	summary_free(after);
}

static void check_object(struct object object, const char *wanted)
{
	_cleanup_buf_ struct buf out = {};

	object_text_add(&out, &object);
	assert_string_equal(out.bytes, wanted);
}

static void objects_read_as_written(void **state)
{
	check_object((struct object){ .kind = OBJECT_ALL }, "*");
	check_object((struct object){ .kind = OBJECT_UNIX, .bytes = "/run/x", .len = 6 }, "unix:/run/x");
	check_object((struct object){ .kind = OBJECT_ABSTRACT, .bytes = "a\0b", .len = 3 }, "unix:@a\\x00b");
	check_object((struct object){ .kind = OBJECT_INET,
				      .protos = 1,
				      .first_lo = 0xffff0a000001ull,
				      .last_lo = 0xffff0a000001ull,
				      .first_port = 80,
				      .last_port = 80 },
		     "tcp:10.0.0.1:80");
	check_object(
		(struct object){
			.kind = OBJECT_INET, .protos = 3, .last_hi = ~0ull, .last_lo = ~0ull, .last_port = 65535 },
		"tcp|udp:*:*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved_rules_are_no_change),
		cmocka_unit_test(rules_that_come_and_go_are_told),
		cmocka_unit_test(a_rule_given_twice_and_then_once_is_a_change),
		cmocka_unit_test(policies_that_come_and_go_are_told),
		cmocka_unit_test(what_is_not_known_says_so),
		cmocka_unit_test(objects_read_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
