/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What rules, defaults and subjects mean: from values with places to struct rule and the fields of struct policy. */
#ifndef LSMD_POLICY_RULE_H
#define LSMD_POLICY_RULE_H

#include "agent/policy/object.h"

enum {
	RULE_REFUSED = 1, /* why is in the diags */
};

/**
 * rule_read() - one rule
 * @reader: its variables are sealed
 * @ret:    points into reader->memory; n_objects may be 0, when nothing that it allows could be resolved
 * Return: 0, RULE_REFUSED, -ENOMEM
 */
int rule_read(struct reader *reader, struct doc *doc, uint32_t value, struct rule *ret);

/**
 * default_read() - the verbs that are refused when no rule speaks
 * @value: of "default": a string or an object
 * Return: as rule_read()
 */
int default_read(struct doc *doc, uint32_t value, struct diags *diags, struct policy *policy);

/** subject_read() - the selectors and children of @policy. Return: as rule_read() */
int subject_read(struct reader *reader, struct doc *doc, uint32_t value, struct policy *policy);

/** mode_read() - Return: 0, RULE_REFUSED */
int mode_read(struct doc *doc, uint32_t value, struct diags *diags, enum lsmd_mode *ret);

/**
 * word_read() - a string of letters, digits, '.', '_' and '-' that begins with a letter or digit, at most 64 bytes
 * @what: for messages, such as "a policy's name"
 * @ret:  in @memory
 * Return: 0, RULE_REFUSED, -ENOMEM
 */
int word_read(struct doc *doc, uint32_t value, const char *what, struct arena *memory, struct diags *diags,
	      const char **ret);

/** sentence_read() - text for people: any characters but control characters, at most @max of them. Return: the same */
int sentence_read(struct doc *doc, uint32_t value, const char *what, size_t max, struct arena *memory,
		  struct diags *diags, const char **ret);

#endif
