/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check.c, lockout.c, overlap.c, links.c: what is said of whole policies and sets. */
#include "agent/policy/pattern.h"
#include "tests/unit/load.h"

static void exe_load(struct load *load, const char *exe, const char *rest, bool good)
{
	char text[1000];

	snprintf(text, sizeof(text),
		 "{ \"version\": 1, \"name\": \"t\", \"default\": \"allow\", \"subject\": { \"exe\": \"%s\"%s } }", exe,
		 rest);
	if (good)
		load_good(load, text);
	else
		load_bad(load, text, "lock-out");
}

static void what_keeps_a_machine_reachable_is_not_held(void **state)
{
	static const char *const held[] = {
		"/usr/lib/systemd/systemd",
		"/sbin/init",
		"/usr/sbin/lsmd",
		"/usr/bin/lsmctl",
		"/usr/sbin/sshd",
		"/usr/bin/login",
		"/**",
		"/",
		"/usr/",
		"/usr/**",
		"/usr/*bin/*",
		"/usr/{sbin/x,lib/systemd/system?}",
		"/usr/sbin/[a-m]smd",
		"/usr/sbin/\\\\x73shd",
		"/**/sshd",
		"/usr/sbin/sshd/",
	};
	static const char *const free[] = {
		"/usr/sbin/nginx", "/usr/sbin/sshd2", "/usr/sbin/sshd/x", "/usr/sbi", "/usr/sbin/ssh",
		"/opt/",	   "/usr/sbin/\\\\*", "/usr/*",		  "/*",
	};
	struct load *load = *state;
	size_t i;

	for (i = 0; i < sizeof(held) / sizeof(*held); i++)
		exe_load(load, held[i], "", false);
	for (i = 0; i < sizeof(free) / sizeof(*free); i++)
		exe_load(load, free[i], "", true);
	exe_load(load, "/usr/sbin/sshd", ", \"children\": false", true);
	exe_load(load, "/usr/sbin/lsmd", ", \"children\": false", false);
	load->options.force = true;
	exe_load(load, "/**", "", true);
	assert_true(load_said(load, "lock-out"));
}

/* pattern_match() against names chosen so that each kind of item decides once. */
static void patterns_match_as_they_say(void **state)
{
	static const struct {
		const char *pattern, *name;
		int matches;
	} cases[] = {
		{ "/a/*", "/a/b", 1 },	     { "/a/*", "/a/b/c", 0 },	    { "/a/*", "/a/", 1 },
		{ "/a/**", "/a/b/c", 1 },    { "/a/**", "/a", 0 },	    { "/a/", "/a", 1 },
		{ "/a/", "/ab", 0 },	     { "/a/", "/a/b", 1 },	    { "/**/b", "/b", 1 },
		{ "/**/b", "/x/y/b", 1 },    { "/**/b", "/xb", 0 },	    { "/a?", "/ab", 1 },
		{ "/a?b", "/a/b", 0 },	     { "/[!a]", "/b", 1 },	    { "/[!a]", "/a", 0 },
		{ "/x[!a]y", "/x/y", 0 },    { "/{a,b{c,d}}e", "/bde", 1 }, { "/{a,b{c,d}}e", "/be", 0 },
		{ "/a*b*c", "/axxbyyc", 1 }, { "/a*b*c", "/axxbyy", 0 },    { "/a**/", "/ax/y/z", 1 },
		{ "/\\*", "/*", 1 },	     { "/\\*", "/a", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int r = pattern_match(cases[i].pattern, strlen(cases[i].pattern), cases[i].name);

		if (r != cases[i].matches)
			print_message("%s %s: %d\n", cases[i].pattern, cases[i].name, r);
		assert_int_equal(r, cases[i].matches);
	}
}

static size_t warnings(struct load *load, const char *rules, const char *code)
{
	char text[4000];
	size_t i, n = 0;

	snprintf(text, sizeof(text), HEAD ALLOW "\"rules\": [ %s ] }", rules);
	load_good(load, text);
	for (i = 0; i < load->diags.n_diags; i++)
		n += !strcmp(load->diags.diags[i].code, code);
	return n;
}

#define DEAD(rules) warnings(*state, rules, "dead-rule")

static void an_allow_is_dead_only_when_all_of_it_is_denied(void **state)
{
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/a\"},{\"allow\":\"read\",\"path\":\"/a\"}"), 1);
	assert_int_equal(DEAD("{\"allow\":\"read\",\"path\":\"/a\"},{\"deny\":\"read\",\"path\":\"/a\"}"), 1);
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/a/\"},{\"allow\":\"read\",\"path\":\"/a/b/c*\"}"), 1);
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/a/\"},{\"allow\":\"read\",\"path\":\"/a/\"}"), 1);
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/\"},{\"allow\":\"read\",\"path\":\"/a\"}"), 1);
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/a/\"},{\"allow\":\"read\",\"path\":\"/ab\"}"), 0);
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/a/b\"},{\"allow\":\"read\",\"path\":\"/a/\"}"), 0);
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/a\"},{\"allow\":[\"read\",\"write\"],\"path\":\"/a\"}"),
			 0);
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/a\"},{\"allow\":\"read\",\"path\":[\"/a\",\"/b\"]}"), 0);
	assert_int_equal(DEAD("{\"deny\":\"connect\",\"to\":\"tcp:*:80\"},{\"allow\":\"connect\",\"to\":\"tcp:*:80\"}"),
			 1);
	assert_int_equal(DEAD("{\"deny\":\"connect\",\"to\":\"tcp:*:80\"},{\"allow\":\"connect\",\"to\":\"udp:*:80\"}"),
			 0);
	assert_int_equal(
		DEAD("{\"deny\":\"connect\",\"to\":\"unix:/a/\"},{\"allow\":\"connect\",\"to\":\"unix:/a/b\"}"), 1);
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/a/\"},{\"allow\":\"connect\",\"to\":\"unix:/a/b\"}"), 0);
	/* A wildcard before the slash: whether it covers is not for this check to say. */
	assert_int_equal(DEAD("{\"deny\":\"read\",\"path\":\"/*/\"},{\"allow\":\"read\",\"path\":\"/a/b\"}"), 0);
}

#define BOTH(rules) warnings(*state, rules, "write-and-exec")

static void what_may_be_written_and_executed_is_said(void **state)
{
	assert_int_equal(BOTH("{\"allow\":[\"write\",\"exec\"],\"path\":\"/a\"}"), 1);
	assert_int_equal(BOTH("{\"allow\":\"write\",\"path\":\"/a\"},{\"allow\":\"exec\",\"path\":\"/a\"}"), 1);
	assert_int_equal(BOTH("{\"allow\":\"write\",\"path\":\"/a/\"},{\"allow\":\"exec\",\"path\":\"/a/b\"}"), 1);
	assert_int_equal(BOTH("{\"allow\":\"exec\",\"path\":\"/a/\"},{\"allow\":\"append\",\"path\":\"/a/b*\"}"), 1);
	assert_int_equal(BOTH("{\"allow\":\"exec\",\"path\":\"/a/\"},{\"allow\":\"read\",\"path\":\"/a/b\"}"), 0);
	assert_int_equal(BOTH("{\"allow\":\"exec\",\"path\":\"/a/\"},{\"allow\":\"write\",\"path\":\"/ab\"}"), 0);
}

static void rules_said_twice_are_said(void **state)
{
	assert_int_equal(warnings(*state,
				  "{\"allow\":\"write\",\"path\":\"/a\"},{\"allow\":\"append\",\"path\":\"/a\"}",
				  "duplicate-rule"),
			 1);
	assert_int_equal(warnings(*state, "{\"deny\":\"read\",\"path\":\"/a\"},{\"allow\":\"read\",\"path\":\"/a\"}",
				  "duplicate-rule"),
			 0);
	assert_int_equal(warnings(*state, "{\"deny\":\"read\",\"path\":\"/a\"},{\"deny\":\"read\",\"path\":\"/a\"}",
				  "duplicate-rule"),
			 1);
	assert_int_equal(warnings(*state, "{\"allow\":\"read\",\"path\":[\"/a\",\"/a\"]}", "duplicate-rule"), 1);
	assert_int_equal(
		warnings(*state,
			 "{\"allow\":\"read\",\"path\":\"/a\"},{\"allow\":\"read\",\"path\":\"/a\",\"log\":true}",
			 "duplicate-rule"),
		0);
}

#define DEPUTY(rules) warnings(*state, rules, "deputy")

static void grants_that_reach_others_are_said_once_a_rule(void **state)
{
	assert_int_equal(DEPUTY("{\"allow\":\"connect\",\"to\":\"unix:/run/docker.sock\"}"), 1);
	assert_int_equal(DEPUTY("{\"allow\":\"connect\",\"to\":\"unix:/run/*.sock\"}"), 1);
	assert_int_equal(DEPUTY("{\"allow\":\"connect\",\"to\":\"unix:*\"}"), 1);
	assert_int_equal(DEPUTY("{\"allow\":\"connect\",\"to\":\"unix:/run/php/*.sock\"}"), 0);
	assert_int_equal(DEPUTY("{\"allow\":\"create\",\"path\":\"/etc/cron.d/\"}"), 1);
	assert_int_equal(DEPUTY("{\"allow\":\"create\",\"path\":\"/etc/cron.daily/\"}"), 0);
	assert_int_equal(DEPUTY("{\"allow\":\"read\",\"path\":\"/etc/\"}"), 0);
	assert_int_equal(DEPUTY("{\"allow\":\"write\",\"path\":\"/\"}"), 1);
	assert_int_equal(
		DEPUTY("{\"allow\":\"write\",\"path\":\"/home/*/\"},{\"deny\":\"write\",\"path\":\"/home/*/.ssh/\"}"),
		0);
	assert_int_equal(
		DEPUTY("{\"allow\":\"write\",\"path\":\"/home/*/\"},{\"deny\":\"create\",\"path\":\"/home/*/.ssh/\"}"),
		1);
}

static void two_policies_have_two_names(void **state)
{
	struct load *load = *state;
	const char *paths[] = { load_path(load, "a.json"), load_path(load, "b.json") };

	load_write(load, "a.json", RULES(""), strlen(RULES("")));
	load_write(load, "b.json", RULES(""), strlen(RULES("")));
	assert_int_equal(load_paths(load, paths, 2), POLICY_SET_REFUSED);
	assert_int_equal(load->diags.n_errors, 1);
	assert_string_equal(load->diags.diags[0].code, "duplicate-name");
	assert_non_null(strstr(load->diags.diags[0].message, "a.json"));
	assert_int_equal(load->diags.diags[0].place.file, 1);
}

/* In audit mode beside an enforcing one of its name: a shadow, with a name of its own. Two of them are one too many. */
static void a_policy_may_have_one_shadow(void **state)
{
	struct load *load = *state;
	const char *paths[3];
	static const char audit[] = HEAD "\"mode\": \"audit\", " ALLOW "\"rules\": [] }";

	load_write(load, "a.json", audit, strlen(audit));
	load_write(load, "b.json", RULES(""), strlen(RULES("")));
	load_write(load, "c.json", audit, strlen(audit));
	paths[0] = load_path(load, "a.json");
	paths[1] = load_path(load, "b.json");
	paths[2] = load_path(load, "c.json");
	assert_int_equal(load_paths(load, paths, 2), 0);
	assert_int_equal(load->set->n_policies, 2);
	assert_string_equal(load->set->policies[0].name, "t");
	assert_null(load->set->policies[0].shadow_of);
	assert_string_equal(load->set->policies[1].name, "t.shadow");
	assert_string_equal(load->set->policies[1].shadow_of, "t");
	assert_int_equal(load->set->policies[1].mode, LSMD_MODE_AUDIT);
	assert_int_equal(load_paths(load, &paths[1], 1), 0);
	assert_int_equal(load_paths(load, paths, 3), POLICY_SET_REFUSED);
	assert_string_equal(load->diags.diags[0].code, "duplicate-name");
	/* Where nobody enforces there is nothing to stand beside. */
	paths[1] = paths[2];
	assert_int_equal(load_paths(load, paths, 2), POLICY_SET_REFUSED);
}

static size_t links_said(struct load *load, const char *verb, const char *path)
{
	char rule[600];

	snprintf(rule, sizeof(rule), "{\"allow\":\"%s\",\"path\":\"%s%s\"}", verb, load->dir, path);
	return warnings(load, rule, "symbolic-link");
}

/* real/ holds file; link -> real, flink -> real/file, gone -> nowhere */
static void links_make(struct load *load)
{
	assert_int_equal(mkdir(load_path(load, "real"), 0700), 0);
	load_write(load, "real/file", "", 0);
	assert_int_equal(symlink("real", load_path(load, "link")), 0);
	assert_int_equal(symlink("real/file", load_path(load, "flink")), 0);
	assert_int_equal(symlink("nowhere", load_path(load, "gone")), 0);
}

static void names_that_are_links_would_never_fire_and_are_said(void **state)
{
	struct load *load = *state;
	char mend[100];

	links_make(load);
	assert_int_equal(links_said(load, "read", "/link/file"), 0);
	load->options.look = true;
	assert_int_equal(links_said(load, "read", "/link/file"), 1);
	snprintf(mend, sizeof(mend), "write %s/real/file", load->dir);
	assert_string_equal(load->diags.diags[0].mend, mend);
	assert_int_equal(links_said(load, "read", "/link/*.conf"), 1);
	snprintf(mend, sizeof(mend), "write %s/real/*.conf", load->dir);
	assert_string_equal(load->diags.diags[0].mend, mend);
	assert_int_equal(links_said(load, "read", "/link/"), 1);
	assert_int_equal(links_said(load, "read", "/flink"), 1);
	assert_int_equal(links_said(load, "read", "/gone"), 1);
	assert_null(load->diags.diags[0].mend);
	assert_int_equal(links_said(load, "read", "/real/file"), 0);
	assert_int_equal(links_said(load, "read", "/absent/file"), 0);
	assert_int_equal(links_said(load, "read", "/lin*"), 0);
}

static void a_link_may_itself_be_removed(void **state)
{
	struct load *load = *state;

	links_make(load);
	load->options.look = true;
	assert_int_equal(links_said(load, "delete", "/flink"), 0);
	assert_int_equal(links_said(load, "delete", "/link/file"), 1);
}

static void a_rule_that_names_link_and_target_is_right(void **state)
{
	struct load *load = *state;
	char rule[600];

	links_make(load);
	load->options.look = true;
	snprintf(rule, sizeof(rule), "{\"allow\":\"read\",\"path\":[\"%s/flink\", \"%s/real/\"]}", load->dir,
		 load->dir);
	assert_int_equal(warnings(load, rule, "symbolic-link"), 0);
}

/* Rules that share a directory and a hash of each other's kind: time grows with their number only. */
static void large_policies_are_checked_in_linear_time(void **state)
{
	struct load *load = *state;
	size_t n = 100000, i;
	_cleanup_free_ char *text = malloc(n * 120 + 1000);
	char *at =
		text +
		sprintf(text, HEAD ALLOW
			"\"rules\": [ {\"deny\":\"read\",\"path\":\"/srv/x/\"}, {\"allow\":\"exec\",\"path\":\"/opt/\"}");

	for (i = 0; i < n; i++)
		at += sprintf(at, ",\n{\"allow\":[\"read\",\"write\"],\"path\":\"/srv/a/b/c/d/e/f/%zu\"}", i);
	strcpy(at, "] }");
	load_good(load, text);
	assert_int_equal(load->set->policies[0].n_rules, n + 2);
	print_message("100,002 rules: %.0f ms\n", load->seconds * 1000);
	assert_true(load->seconds < 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, load_setup, load_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_keeps_a_machine_reachable_is_not_held),
		TEST(patterns_match_as_they_say),
		TEST(an_allow_is_dead_only_when_all_of_it_is_denied),
		TEST(what_may_be_written_and_executed_is_said),
		TEST(rules_said_twice_are_said),
		TEST(grants_that_reach_others_are_said_once_a_rule),
		TEST(two_policies_have_two_names),
		TEST(a_policy_may_have_one_shadow),
		TEST(names_that_are_links_would_never_fire_and_are_said),
		TEST(a_link_may_itself_be_removed),
		TEST(a_rule_that_names_link_and_target_is_right),
		TEST(large_policies_are_checked_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
