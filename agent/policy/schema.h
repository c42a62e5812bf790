/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of a policy file: which there are, what type each takes, which must stand. What the values mean is rule.h's.
 * schema/policy.schema.json says the same to editors; a test holds both to one verdict.
 */
#ifndef LSMD_POLICY_SCHEMA_H
#define LSMD_POLICY_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/policy/json.h"

enum policy_key {
	POLICY_SCHEMA,
	POLICY_VERSION,
	POLICY_NAME,
	POLICY_DESCRIPTION,
	POLICY_SUBJECT,
	POLICY_MODE,
	POLICY_DEFAULT,
	POLICY_INCLUDE,
	POLICY_VARIABLES,
	POLICY_RULES,
	N_POLICY_KEYS,
};

enum subject_key {
	SUBJECT_EXE,
	SUBJECT_UNIT,
	SUBJECT_CGROUP,
	SUBJECT_UID,
	SUBJECT_GID,
	SUBJECT_CHILDREN,
	N_SUBJECT_KEYS,
};

enum rule_key {
	RULE_ALLOW,
	RULE_DENY,
	RULE_PATH,
	RULE_TO,
	RULE_NAME,
	RULE_LOG,
	RULE_KILL,
	RULE_REASON,
	RULE_ID,
	N_RULE_KEYS,
};

/* Of a file of test cases; the first two are those of a policy. */
enum test_key {
	TEST_SCHEMA,
	TEST_VERSION,
	TEST_DESCRIPTION,
	TEST_POLICIES,
	TEST_EXE,
	TEST_CASES,
	N_TEST_KEYS,
};

enum case_key {
	CASE_KEY_ALLOW,
	CASE_KEY_DENY,
	CASE_KEY_AUDIT,
	CASE_KEY_EXE,
	CASE_KEY_PATH,
	CASE_KEY_NEW,
	CASE_KEY_INTERPRETER,
	CASE_KEY_DEVICE,
	CASE_KEY_TO,
	CASE_KEY_NAME,
	CASE_KEY_BY,
	CASE_KEY_DESCRIPTION,
	N_CASE_KEYS,
};

/* What a file is for, and so which keys it may have. */
enum file_kind {
	FILE_POLICY,
	FILE_ABSTRACTION, /* rules and variables that policies include */
	FILE_DROP_IN, /* the same, added to one policy by standing in its NAME.json.d */
	FILE_TEST, /* cases: its keys are those of enum test_key */
};

/**
 * schema_policy(), schema_subject(), schema_rule(), schema_case() - find the values of the keys of one object
 * @keys: number of the value of each key, 0: it does not stand there
 * Return: true when the object may be read on. Else an error was added for each unknown key, for each of a later version of
 * the language, each value of a wrong type, each key that is missing; values of a wrong type are 0 in @keys.
 */
bool schema_policy(struct doc *doc, enum file_kind kind, struct diags *diags, uint32_t keys[N_POLICY_KEYS]);
bool schema_subject(struct doc *doc, uint32_t value, struct diags *diags, uint32_t keys[N_SUBJECT_KEYS]);
bool schema_rule(struct doc *doc, uint32_t value, struct diags *diags, uint32_t keys[N_RULE_KEYS]);
bool schema_case(struct doc *doc, uint32_t value, struct diags *diags, uint32_t keys[N_CASE_KEYS]);

/**
 * strings_next() - goes through a string, or a list of strings
 * @at: 0 before the first
 * Return: the next string's number, 0: no more
 */
uint32_t strings_next(const struct doc *doc, uint32_t value, uint32_t at);

#endif
