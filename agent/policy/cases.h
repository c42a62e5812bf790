/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cases: one access each, and the answer that is wanted. Two forms are read: tables, tests/cases/NAME.cases, one case a line,
 * six columns and a text that begins with the statements of MEANING.md that it shows (tests/cases/README.md is the form); and
 * JSON, for those who write policies (lsmd-policy(5), TESTS). Tables are read by every engine and by the live runner, which links nothing
 * else of this room.
 */
#ifndef LSMD_POLICY_CASES_H
#define LSMD_POLICY_CASES_H

#include <stdio.h>
#include <sys/socket.h>

#include "agent/policy/ask.h"

enum case_verdict {
	CASE_ALLOW,
	CASE_DENY,
	CASE_AUDIT, /* allowed, and an audit layer would have refused */
};

enum case_node {
	CASE_FILE,
	CASE_DIRECTORY, /* the object was written with a trailing slash */
	CASE_CHAR,
	CASE_BLOCK,
	CASE_SCRIPT, /* exec of a script: two questions, the second one for its interpreter */
};

/* Numbers in one name. */
#define CASE_NUMBERS_MAX 3

struct test_case {
	const char *table; /* name of the file, as given */
	unsigned int line;
	char *policies; /* names of policy files, by ',' */
	char *subject;  /* names of the program, script first, by ',' */
	char *access;   /* as written */
	char *object;   /* as written */
	enum case_verdict verdict;
	char *by;   /* as written, joined by ','; JSON: NULL where it is not asked for */
	char *text; /* statements, marks, words; JSON: NULL or the description */
	bool no_core; /* marked [live]: only a kernel answers it */
	bool no_live; /* marked [core]: cannot be made on a live kernel */

	enum case_node node;
	struct ask ask;
	struct ask_bytes interpreter; /* SCRIPT: asked with deny_only when the script may be executed */
	unsigned int numbers[CASE_NUMBERS_MAX]; /* of a "name:" */
	size_t n_numbers;
	struct sockaddr_storage address; /* of a connect: as written, before it was normalised; len 0: it has no room */
	socklen_t address_len;
	char *memory[8]; /* what ask points into */
};

struct case_table {
	char *name;
	struct test_case *cases;
	size_t n_cases;
};

/**
 * case_fill() - a case from its columns
 * @c: its columns are filled in; on an error too the caller's to free, with the table's
 * Return: 0, -EINVAL: subject, access or object is not spelled right, -ENOMEM
 */
int case_fill(struct test_case *c);

/**
 * case_table_read() - read a whole table
 * @complaints: each line that is not a case is told here with its place
 * @ret: owned by the caller, case_table_free()
 * Return: 0, -EINVAL when there was a complaint, or the error of reading.
 */
int case_table_read(const char *path, FILE *complaints, struct case_table *ret);

/**
 * case_json_read() - the cases of a JSON file: one a verb and object
 * @file:  as source_read() takes it
 * @files: receives the file, for what is wrong with it
 * @diags: what is wrong
 * @ret:   on 0 case_table_free(). `policies` of its cases is empty where the file names none
 * Return: 0, SOURCE_REFUSED, -ENOMEM
 */
struct files;
struct diags;
int case_json_read(struct files *files, const char *path, struct diags *diags, struct case_table *ret);

void case_table_free(struct case_table *table);

/** case_verdict_name() - as in the table */
const char *case_verdict_name(enum case_verdict verdict);

#endif
