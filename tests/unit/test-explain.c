// SPDX-License-Identifier: LGPL-2.1-or-later
/* explain.c, holders.c: questions answered with the rule's place; questions and labels of any bytes survived. */
#include "agent/control/explain.h"
#include "agent/policy/image.h"
#include "tests/unit/load.h"

static const char policy[] =
	HEAD "\"default\": \"allow\", \"rules\": [\n"
	     "{ \"deny\": \"read\", \"path\": \"/srv/secret\", \"reason\": \"why\", \"id\": \"s\" },\n"
	     "{ \"deny\": \"connect\", \"to\": [\"tcp:127.0.0.1:80\", \"unix:@x*\", \"unix:/run/d\"] } ] }";

static struct lsmd_image_header *image;

static int setup(void **state)
{
	struct load *load;
	size_t size;
	int r = load_setup(state);

	load = *state;
	if (!r)
		load_good(load, policy);
	return r ? r : image_build(load->set, &load->diags, &image, &size);
}

static int teardown(void **state)
{
	free(image);
	return load_teardown(state);
}

static json_t *ask(const char *question)
{
	json_t *json = json_loads(question, 0, NULL), *answer = NULL;
	struct explain_why why = {};
	int r;

	assert_non_null(json);
	r = explain_answer(image, NULL, json, &why, &answer);
	json_decref(json);
	if (!r)
		return answer;
	assert_int_equal(r, EXPLAIN_REFUSED);
	assert_true(why.text[0]);
	return NULL;
}

#define WHO "\"programs\": [{\"name\": \"/usr/bin/t\"}], "

static void check(const char *what, bool refused, int line)
{
	char question[512];
	json_t *answer, *layer;

	snprintf(question, sizeof(question), "{ " WHO "%s }", what);
	answer = ask(question);
	if (!answer)
		fail_msg("no answer to %s", question);
	layer = json_array_get(json_object_get(answer, "layers"),
			       json_integer_value(json_object_get(answer, "deciding")));
	assert_int_equal(json_is_true(json_object_get(answer, "refused")), refused);
	assert_string_equal(json_string_value(json_object_get(layer, "policy")), "t");
	assert_int_equal(json_integer_value(json_object_get(layer, "line")), line);
	json_decref(answer);
}

static void answers_name_the_rule(void **state)
{
	check("\"open\": \"/srv/secret\", \"access\": [\"read\"]", true, 2);
	check("\"open\": \"/srv/secret\", \"access\": [\"write\"]", false, 1);
	check("\"open_hex\": \"2F7372762F736563726574\", \"access\": [\"write\", \"read\"]", true, 2);
	check("\"exec\": \"/bin/sh\"", false, 1);
	check("\"connect\": \"tcp:127.0.0.1:80\"", true, 3);
	check("\"connect\": \"tcp:[::ffff:127.0.0.1]:80\"", true, 3);
	check("\"connect\": \"tcp:0.0.0.0:80\"", true, 3);
	check("\"connect\": \"tcp:127.0.0.1:81\"", false, 1);
	check("\"connect\": \"udp:127.0.0.1:80\"", false, 1);
	check("\"connect\": \"unix:@xyz\"", true, 3);
	check("\"connect\": \"unix:/run/d\"", true, 3);
	check("\"connect\": \"unix:/run/e\"", false, 1);
}

static void programs_that_no_policy_holds_are_free(void **state)
{
	json_t *answer = ask("{ \"programs\": [{\"name\": \"/usr/bin/other\"}], \"exec\": \"/bin/sh\" }");

	assert_non_null(answer);
	assert_true(json_is_false(json_object_get(answer, "held")));
	assert_true(json_is_false(json_object_get(answer, "refused")));
	json_decref(answer);
}

static void questions_without_an_answer_say_why(void **state)
{
	static const char *const questions[] = {
		"{}",
		"{ \"exec\": \"/x\" }",
		"{ " WHO "\"open\": \"/x\" }",
		"{ " WHO "\"open\": \"x\", \"access\": [\"read\"] }",
		"{ " WHO "\"open\": \"/x\", \"access\": [\"bind\"] }",
		"{ " WHO "\"open\": \"/x\", \"access\": [\"socket\"] }",
		"{ " WHO "\"open\": \"/x\", \"access\": [7] }",
		"{ " WHO "\"open_hex\": \"2F7\", \"access\": [\"read\"] }",
		"{ " WHO "\"open_hex\": \"zz\", \"access\": [\"read\"] }",
		"{ " WHO "\"connect\": \"tcp\" }",
		"{ " WHO "\"connect\": \"tcp:1.2.3.4\" }",
		"{ " WHO "\"connect\": \"*:1.2.3.4:80\" }",
		"{ " WHO "\"connect\": \"tcp:1.2.3:80\" }",
		"{ " WHO "\"connect\": \"tcp:1.2.3.4:99999\" }",
		"{ " WHO "\"connect\": \"tcp:1.2.3.4:\" }",
		"{ " WHO "\"connect\": \"\" }",
		"{ \"programs\": [{\"name\": \"t\"}], \"exec\": \"/x\" }",
		"{ \"programs\": [], \"exec\": \"/x\" }",
		"{ \"programs\": [1,2,3], \"exec\": \"/x\" }",
		"{ \"programs\": [{},{},{},{},{},{},{}], \"exec\": \"/x\" }",
		"{ \"pid\": 1, \"exec\": \"/x\" }",
	};

	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++)
		if (ask(questions[i]))
			fail_msg("an answer to %s", questions[i]);
}

static void label_make(struct lsmd_label *label, const char *bytes, size_t len, uint16_t n)
{
	*label = (struct lsmd_label){ .programs = { .n = n, .len = len } };
	memcpy(label->programs.bytes, bytes, len);
}

static void labels_give_their_names(void **state)
{
	static const char bytes[] = "\2\3usr\3bin\3\1a\50bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\202cc";
	struct label_names names;
	struct lsmd_label label;

	label_make(&label, bytes, sizeof(bytes) - 1, 2);
	assert_int_equal(label_names_read(&label, &names), 0);
	assert_int_equal(names.n, 2);
	assert_string_equal(names.names[0].bytes, "/usr/bin");
	assert_string_equal(names.names[1].bytes, "/a/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbcc");
	label_names_clear(&names);
}

static void labels_of_any_bytes_are_survived(void **state)
{
	struct label_names names;
	struct lsmd_label label;
	int good = 0;

	srand(11);
	for (int i = 0; i < 100000; i++) {
		char bytes[LSMD_LABEL_NAMES_MAX];
		size_t len = rand() % 64;

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = rand() % 4 ? rand() % 5 : rand();
		label_make(&label, bytes, sizeof(bytes), rand() % 9);
		label.programs.len = rand() % 50 ? len : (size_t)rand();
		good += !label_names_read(&label, &names);
		label_names_clear(&names);
	}
	assert_true(good > 100 && good < 99900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_name_the_rule),
		cmocka_unit_test(programs_that_no_policy_holds_are_free),
		cmocka_unit_test(questions_without_an_answer_say_why),
		cmocka_unit_test(labels_give_their_names),
		cmocka_unit_test(labels_of_any_bytes_are_survived),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
