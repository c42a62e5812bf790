// SPDX-License-Identifier: LGPL-2.1-or-later
/* record.c and what writes records out: names of rules, fields, and that no name forges one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/policy/image.h"
#include "agent/policy/set.h"
#include "agent/record/audit-text.h"
#include "agent/record/jsonl.h"
#include "agent/record/mend.h"
#include "agent/record/objname.h"
#include "agent/record/record.h"
#include "agent/record/sentence.h"
#include "agent/record/unit.h"
#include "lsm/abi/access.h"

static const char policy[] =
	"{ \"version\": 1, \"name\": \"web\", \"subject\": { \"exe\": \"/usr/sbin/nginx\" }, \"mode\": \"enforce\",\n"
	"  \"default\": { \"file\": \"deny\", \"setattr\": \"allow\", \"exec\": \"allow\", \"network\": \"allow\",\n"
	"    \"capability\": \"allow\", \"process\": \"allow\", \"system\": \"allow\" },\n"
	"  \"rules\": [\n"
	"    { \"allow\": \"read\", \"path\": \"/srv/\" },\n"
	"    { \"deny\": \"read\", \"path\": \"/srv/secret\", \"reason\": \"it is secret\", \"id\": \"s1\" }\n"
	"  ] }\n";

static char dir[] = "/tmp/lsmd-test-record-XXXXXX", file[64];
static struct legend *names;

/* The rules' numbers in this image: 1 is the default, 2 and 3 the rules, in their order. */
static int setup(void **state)
{
	const char *paths[] = { file };
	const struct policy_options options = { .paths = paths, .n_paths = 1 };
	struct lsmd_image_header *image = NULL;
	struct policy_set *set = NULL;
	struct diags diags = {};
	size_t size;
	FILE *out;

	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/web.json", dir);
	out = fopen(file, "w");
	if (!out || fputs(policy, out) < 0 || fclose(out))
		return -1;
	if (policy_set_load(&options, &diags, &set) || image_build(set, &diags, &image, &size))
		return -1;
	image->generation = 5;
	if (legend_new(image, &names))
		return -1;
	free(image);
	policy_set_free(set);
	diags_clear(&diags);
	return 0;
}

static int teardown(void **state)
{
	legend_free(names);
	unlink(file);
	rmdir(dir);
	return 0;
}

struct sample {
	struct lsmd_event event;
	char bytes[3 * LSMD_PATH_MAX];
};

static struct sample sample;

static size_t sample_make(uint32_t rule, uint8_t reason, const char *object, size_t object_len, const char *program)
{
	sample = (struct sample){
		.event = {
			.generation = 5, .time_ns = 1000000, .wanted = LSMD_ACCESS_READ, .pid = 12, .tgid = 11, .ppid = 10,
			.uid = 33, .euid = 34, .loginuid = ~0u, .session = 7, .hook = LSMD_HOOK_FILE_OPEN,
			.object = LSMD_OBJECT_PATH, .n_answers = 1, .refused = 1, .comm = "nginx",
		},
	};
	sample.event.answers[0] = (struct lsmd_answer){ .rule = rule, .verdict = LSMD_VERDICT_DENY, .reason = reason };
	sample.event.object_len = object_len;
	sample.event.program_len = strlen(program);
	memcpy(sample.event.bytes, object, object_len);
	memcpy(sample.event.bytes + object_len, program, strlen(program));
	return sizeof(sample.event) + object_len + strlen(program);
}

static struct record *record_of(size_t size)
{
	struct record *record = NULL;

	assert_int_equal(record_new(&sample.event, size, names, 1, 0, "/system.slice/nginx.service", &record), 0);
	return record;
}

static void rules_get_their_names(void **state)
{
	struct record *record = record_of(sample_make(3, LSMD_REASON_RULE, "/srv/secret", 11, "/usr/sbin/nginx"));
	const struct record_layer *layer = record_deciding(record);

	assert_string_equal(layer->policy, "web");
	assert_string_equal(layer->file, file);
	assert_int_equal(layer->line, 6);
	assert_string_equal(layer->id, "s1");
	assert_string_equal(layer->note, "it is secret");
	assert_false(layer->is_default);
	assert_int_equal(record->answer, RECORD_DENIED);
	assert_int_equal(record->pid, 11);
	assert_int_equal(record->tid, 12);
	assert_string_equal(record->unit.bytes, "nginx.service");
	record_unref(record);
}

static void defaults_get_their_place(void **state)
{
	struct record *record = record_of(sample_make(1, LSMD_REASON_DEFAULT, "/etc/shadow", 11, "/usr/sbin/nginx"));
	_cleanup_buf_ struct buf out = {}, wanted = {};

	assert_true(record_deciding(record)->is_default);
	assert_int_equal(record_deciding(record)->line, 2);
	record_sentence(&out, record);
	buf_printf(
		&wanted,
		"denied read of \"/etc/shadow\" to \"/usr/sbin/nginx\" (pid 11, uid 33): policy web, default at %s:2",
		file);
	assert_string_equal(out.bytes, wanted.bytes);
	record_unref(record);
}

static void unknown_generations_say_so(void **state)
{
	size_t size = sample_make(3, LSMD_REASON_RULE, "/srv/secret", 11, "/usr/sbin/nginx");
	_cleanup_buf_ struct buf out = {};
	struct record *record;

	assert_int_equal(record_new(&sample.event, size, NULL, 1, 0, NULL, &record), 0);
	assert_false(record->known);
	assert_null(record_deciding(record)->policy);
	record_sentence(&out, record);
	assert_non_null(strstr(out.bytes, "a rule of generation 5, whose policies are no longer known"));
	record_unref(record);
}

static void numbers_beyond_the_image_are_survived(void **state)
{
	size_t size = sample_make(4000000000u, LSMD_REASON_RULE, "/x", 2, "/p");
	struct record *record;

	sample.event.answers[0].layer = 4000000000u;
	record = record_of(size);
	assert_null(record_deciding(record)->policy);
	record_unref(record);
}

static void audit_layers_are_no_denial(void **state)
{
	size_t size = sample_make(3, LSMD_REASON_RULE, "/srv/secret", 11, "/usr/sbin/nginx");
	_cleanup_buf_ struct buf text = {};
	struct record *record;

	sample.event.refused = 0;
	sample.event.answers[0].mode = LSMD_MODE_AUDIT;
	record = record_of(size);
	assert_int_equal(record->answer, RECORD_ALLOWED_AUDIT);
	assert_string_equal(answer_name(record->answer), "allowed (audit)");
	audit_text_add(&text, record);
	assert_non_null(strstr(text.bytes, "avc:  denied  { read } for "));
	assert_non_null(strstr(text.bytes, " policy_mode=audit"));
	assert_non_null(strstr(text.bytes, " permissive=1"));
	record_unref(record);
}

static void the_refusing_layer_names_the_record(void **state)
{
	size_t size = sample_make(3, LSMD_REASON_RULE, "/srv/secret", 11, "/usr/sbin/nginx");
	struct record *record;

	sample.event.n_answers = 2;
	sample.event.answers[1] = sample.event.answers[0];
	sample.event.answers[0].mode = LSMD_MODE_AUDIT;
	record = record_of(size);
	assert_int_equal(record->answer, RECORD_DENIED);
	assert_int_equal(record->deciding, 1);
	record_unref(record);
}

static void malformed_events_are_refused(void **state)
{
	size_t size = sample_make(3, LSMD_REASON_RULE, "/srv/secret", 11, "/usr/sbin/nginx");
	const struct lsmd_event good = sample.event;
	struct record *record;

	assert_true(event_sound(&sample.event, size));
	assert_false(event_sound(&sample.event, size - 1));
	assert_false(event_sound(&sample.event, sizeof(good) - 1));
	sample.event.n_answers = 0;
	assert_false(event_sound(&sample.event, size));
	sample.event.n_answers = LSMD_LAYERS_MAX + 1;
	assert_false(event_sound(&sample.event, size));
	sample.event = good;
	sample.event.hook = LSMD_N_HOOKS;
	assert_int_equal(record_new(&sample.event, size, names, 1, 0, NULL, &record), RECORD_MALFORMED);
	sample.event = good;
	sample.event.answers[0].verb = LSMD_N_VERBS;
	assert_false(event_sound(&sample.event, size));
	sample.event = good;
	sample.event.object_len = 65535;
	assert_false(event_sound(&sample.event, size));
}

static void audit_has_the_fields_that_its_tools_read(void **state)
{
	struct record *record = record_of(sample_make(3, LSMD_REASON_RULE, "/srv/secret", 11, "/usr/sbin/nginx"));
	_cleanup_buf_ struct buf text = {}, wanted = {};

	record->set_hash = 0x1234;
	audit_text_add(&text, record);
	buf_printf(
		&wanted,
		"avc:  denied  { read } for  scontext=web tcontext=/srv/secret tclass=file comm=\"nginx\" "
		"exe=\"/usr/sbin/nginx\" path=\"/srv/secret\" opid=11 otid=12 oppid=10 ouid=33 oeuid=34 "
		"oauid=4294967295 oses=7 policy=\"web\" rule=\"%s:6\" rule_id=\"s1\" reason=rule info=6974206973207365637265"
		"74 policy_mode=enforce unit=\"nginx.service\" lsm_hook=file_open event_time=0.001 gen=5 set=0000000000001234 repeats=1 permissive=0",
		file);
	assert_string_equal(text.bytes, wanted.bytes);
	record_unref(record);
}

/* Each field stands once, whatever the names: nothing in a name becomes a field, a quote or a line. */
static void names_forge_no_field(void **state)
{
	static const char *const evil[] = {
		"/x\" policy=\"other\" rule=\"none:1",
		"/x' exe=\"/bin/true\"",
		"/x\ntype=USER_AVC msg=audit(1.1:1): pid=1",
		"/x }  denied  { write } for ",
		"/x pid=1 uid=0 res=success",
	};

	for (size_t i = 0; i < sizeof(evil) / sizeof(*evil); i++) {
		struct record *record = record_of(sample_make(3, LSMD_REASON_RULE, evil[i], strlen(evil[i]), evil[i]));
		_cleanup_buf_ struct buf text = {}, sentence = {};
		const char *at;

		audit_text_add(&text, record);
		record_sentence(&sentence, record);
		at = strstr(text.bytes, " policy=\"web\"");
		assert_non_null(at);
		assert_null(strstr(at + 1, " policy="));
		assert_ptr_equal(strstr(text.bytes, " policy="), at);
		assert_ptr_equal(strchr(text.bytes, '{'), strrchr(text.bytes, '{'));
		assert_null(strchr(text.bytes, '\n'));
		assert_null(strchr(text.bytes, '\''));
		assert_null(strchr(sentence.bytes, '\n'));
		record_unref(record);
	}
}

static void the_longest_names_fit_the_audit_log(void **state)
{
	static char longest[LSMD_PATH_MAX];
	_cleanup_buf_ struct buf text = {};
	struct record *record;
	size_t size;

	memset(longest, '\n', sizeof(longest));
	longest[0] = '/';
	size = sample_make(3, LSMD_REASON_RULE, longest, sizeof(longest), "");
	sample.event.other_len = sample.event.program_len = sizeof(longest);
	memcpy(sample.event.bytes + sizeof(longest), longest, sizeof(longest));
	memcpy(sample.event.bytes + 2 * sizeof(longest), longest, sizeof(longest));
	size += 2 * sizeof(longest);
	sample.event.n_answers = LSMD_LAYERS_MAX;
	for (size_t i = 1; i < LSMD_LAYERS_MAX; i++)
		sample.event.answers[i] = sample.event.answers[0];
	record = record_of(size);
	audit_text_add(&text, record);
	assert_in_range(text.len, 1, AUDIT_TEXT_MAX);
	assert_non_null(strstr(text.bytes, " path_len=4096"));
	assert_non_null(strstr(text.bytes, " permissive=0"));
	record_unref(record);
}

static void json_keeps_the_bytes(void **state)
{
	static const char name[] = "/a\0\xff\n";
	struct record *record = record_of(sample_make(3, LSMD_REASON_RULE, name, 5, "/usr/sbin/nginx"));
	json_t *json = record_json(record);

	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "object_hex")), "2F6100FF0A");
	assert_string_equal(json_string_value(json_object_get(json, "object")), "/a\\x00\\xff\\x0a");
	assert_string_equal(json_string_value(json_object_get(json, "policy")), "web");
	assert_string_equal(json_string_value(json_object_get(json, "time")), "1970-01-01T00:00:00.001000Z");
	assert_true(json_is_null(json_object_get(json, "loginuid")));
	assert_null(json_object_get(json, "program_hex"));
	json_decref(json);
	record_unref(record);
}

static void check_mend(struct record *record, const char *wanted)
{
	_cleanup_buf_ struct buf out = {}, text = {};

	for (; *wanted; wanted++)
		if (*wanted == '@')
			buf_add_string(&text, file);
		else
			buf_add_byte(&text, *wanted);
	mend_add(&out, record);
	assert_string_equal(out.bytes, text.bytes);
	record_unref(record);
}

static void mends_are_lines_of_a_policy(void **state)
{
	size_t size;

	check_mend(record_of(sample_make(1, LSMD_REASON_DEFAULT, "/etc/shadow", 11, "/p")),
		   "add to @: { \"allow\": \"read\", \"path\": \"/etc/shadow\" }");
	check_mend(record_of(sample_make(1, LSMD_REASON_DEFAULT, "/a*\xff\"\n\\{", 8, "/p")),
		   "add to @: { \"allow\": \"read\", \"path\": \"/a\\\\*?\\\"\\u000a\\\\\\\\\\\\{\" }");
	check_mend(record_of(sample_make(3, LSMD_REASON_RULE, "/srv/secret", 11, "/p")),
		   "remove or narrow the deny at @:6; no allow beats it");
	size = sample_make(0, LSMD_REASON_PATH_TOO_DEEP, "", 0, "/p");
	check_mend(record_of(size), "no rule can allow it: the name has more pieces than a walk takes (lsmd-policy(5), UNDECIDED)");
	size = sample_make(1, LSMD_REASON_DEFAULT, "/a/b", 4, "");
	sample.event.object_len = sample.event.other_len = 2;
	sample.event.answers[0].verb = LSMD_VERB_RENAME;
	check_mend(record_of(size), "add to @: { \"allow\": \"rename\", \"path\": [\"/a\", \"/b\"] }");
	size = sample_make(1, LSMD_REASON_DEFAULT, "", 0, "/p");
	sample.event.object = LSMD_OBJECT_NONE;
	sample.event.answers[0].verb = LSMD_VERB_MOUNT;
	check_mend(record_of(size), "add to @: { \"allow\": \"mount\", \"name\": \"*\" }");
}

static void objects_without_a_name_are_told(void **state)
{
	size_t size = sample_make(0, LSMD_REASON_PATH_ANONYMOUS, "", 0, "/p");
	_cleanup_buf_ struct buf out = {}, audit = {};
	struct record *record;

	sample.event.path_reason = LSMD_REASON_PATH_ANONYMOUS;
	record = record_of(size);
	record_sentence(&out, record);
	assert_non_null(strstr(out.bytes, "denied read of an object without a name to \"/p\""));
	audit_text_add(&audit, record);
	assert_non_null(strstr(audit.bytes, " tcontext=? tclass=file "));
	assert_null(strstr(audit.bytes, "path="));
	record_unref(record);
}

static void examples_say_that_they_are_examples(void **state)
{
	struct record *record = record_of(sample_make(3, LSMD_REASON_RULE, "/srv/secret", 11, "/p"));
	_cleanup_buf_ struct buf out = {};

	record->repeats = 8;
	record->mixed = true;
	record_sentence(&out, record);
	assert_non_null(strstr(out.bytes, "(it is secret), and 7 more like this"));
	record_unref(record);
}

static void check_object(struct lsmd_address address, const char *wanted)
{
	_cleanup_buf_ struct buf out = {};

	address_add(&out, &address);
	assert_string_equal(out.bytes, wanted);
}

static void addresses_read_as_policies_write_them(void **state)
{
	check_object((struct lsmd_address){ .lo = 0xffff0a000001ull, .port = 5432 }, "tcp:10.0.0.1:5432");
	check_object((struct lsmd_address){ .hi = 0xfd00000000000000ull, .lo = 1, .port = 53, .proto = LSMD_PROTO_UDP },
		     "udp:[fd00::1]:53");
	check_object((struct lsmd_address){ .lo = 1, .port = 80 }, "tcp:[::1]:80");
}

static void check_unit(const char *path, const char *wanted)
{
	_cleanup_free_ char *unit = NULL;
	size_t len;
	int r = unit_of_cgroup(path, &unit, &len);

	assert_int_equal(r, wanted ? 0 : UNIT_NONE);
	if (wanted)
		assert_string_equal(unit, wanted);
}

static void units_are_the_innermost(void **state)
{
	check_unit("/", NULL);
	check_unit("/system.slice/nginx.service", "nginx.service");
	check_unit("/system.slice/nginx.service/worker/1", "nginx.service");
	check_unit("/user.slice/user-1000.slice/session-3.scope", "session-3.scope");
	check_unit("/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "x.service");
	check_unit("/system.slice/_cpu.service", "cpu.service");
	check_unit("/machine.slice", "machine.slice");
	check_unit("/docker/abc", NULL);
	check_unit("/.service", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_get_their_names),
		cmocka_unit_test(defaults_get_their_place),
		cmocka_unit_test(unknown_generations_say_so),
		cmocka_unit_test(numbers_beyond_the_image_are_survived),
		cmocka_unit_test(audit_layers_are_no_denial),
		cmocka_unit_test(the_refusing_layer_names_the_record),
		cmocka_unit_test(malformed_events_are_refused),
		cmocka_unit_test(audit_has_the_fields_that_its_tools_read),
		cmocka_unit_test(names_forge_no_field),
		cmocka_unit_test(the_longest_names_fit_the_audit_log),
		cmocka_unit_test(json_keeps_the_bytes),
		cmocka_unit_test(mends_are_lines_of_a_policy),
		cmocka_unit_test(objects_without_a_name_are_told),
		cmocka_unit_test(examples_say_that_they_are_examples),
		cmocka_unit_test(addresses_read_as_policies_write_them),
		cmocka_unit_test(units_are_the_innermost),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
