// SPDX-License-Identifier: LGPL-2.1-or-later
/* Rules, notes and strings of an image; equal notes and strings are kept once. */
#include "agent/policy/rulebook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/vec.h"

#define RULES_MAX (LSMD_IMAGE_BYTES_MAX / (sizeof(struct lsmd_rule) + sizeof(lsmd_u64)))

static uint32_t string_hash(const void *owner, uint32_t id)
{
	const struct rulebook *rulebook = owner;
	uint32_t h = 0x811c9dc5; /* FNV-1a, 32 bits */

	for (const char *at = &rulebook->strings.items[id]; *at; at++)
		h = (h ^ (uint8_t)*at) * 0x01000193;
	return h;
}

static bool string_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct rulebook *rulebook = owner;

	return !strcmp(&rulebook->strings.items[a], &rulebook->strings.items[b]);
}

static uint32_t note_hash(const void *owner, uint32_t id)
{
	const struct rulebook *rulebook = owner;
	const struct lsmd_note *note = &rulebook->notes.items[id];
	const uint32_t words[] = { note->file, note->id, note->reason };

	return hash_words(words, 3, 0);
}

static bool note_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct rulebook *rulebook = owner;

	return !memcmp(&rulebook->notes.items[a], &rulebook->notes.items[b], sizeof(struct lsmd_note));
}

static const struct dedupe_ops string_ops = { string_hash, string_equal };
static const struct dedupe_ops note_ops = { note_hash, note_equal };

int rulebook_string(struct rulebook *rulebook, const char *string, uint32_t *ret)
{
	uint32_t off = (uint32_t)rulebook->strings.n;
	size_t size = string ? strlen(string) + 1 : 0;
	void *items = rulebook->strings.items;
	int r;

	*ret = 0;
	if (size <= 1)
		return 0;
	if (off + size > LSMD_IMAGE_BYTES_MAX)
		return RULEBOOK_TOO_LARGE;
	r = vec_room(&items, &rulebook->strings.capacity, off + size, 1);
	rulebook->strings.items = items;
	if (r)
		return r;
	memcpy(&rulebook->strings.items[off], string, size);
	r = dedupe_find(&rulebook->known_strings, &string_ops, rulebook, off, ret);
	if (!r && *ret == off)
		rulebook->strings.n += size;
	return r;
}

int rulebook_init(struct rulebook *rulebook, const struct policy_set *set)
{
	struct lsmd_rule *rule = vec_add(&rulebook->rules);
	struct lsmd_note *note = vec_add(&rulebook->notes);
	char *empty = vec_add(&rulebook->strings);

	rulebook->files = calloc(set->n_files + 1, sizeof(*rulebook->files));
	if (!rule || !note || !empty || !rulebook->files)
		return -ENOMEM;
	*rule = (struct lsmd_rule){};
	*note = (struct lsmd_note){};
	*empty = '\0';
	for (size_t i = 0; i < set->n_files; i++) {
		int r = rulebook_string(rulebook, set->files[i].name, &rulebook->files[i]);

		if (r)
			return r;
	}
	return 0;
}

void rulebook_clear(struct rulebook *rulebook)
{
	free(rulebook->rules.items);
	free(rulebook->notes.items);
	free(rulebook->strings.items);
	free(rulebook->files);
	dedupe_clear(&rulebook->known_notes);
	dedupe_clear(&rulebook->known_strings);
	*rulebook = (struct rulebook){};
}

static int note_intern(struct rulebook *rulebook, uint32_t file, const char *id, const char *reason, uint32_t *ret)
{
	struct lsmd_note made = { .file = rulebook->files[file] }, *note;
	uint32_t at;
	int r = rulebook_string(rulebook, id, &made.id);

	if (!r)
		r = rulebook_string(rulebook, reason, &made.reason);
	if (r)
		return r;
	note = vec_add(&rulebook->notes);
	if (!note)
		return -ENOMEM;
	*note = made;
	at = (uint32_t)rulebook->notes.n - 1;
	r = dedupe_find(&rulebook->known_notes, &note_ops, rulebook, at, ret);
	if (!r && *ret != at)
		rulebook->notes.n--;
	return r;
}

static int rule_add(struct rulebook *rulebook, const struct place *place, unsigned int flags, const char *id,
		    const char *reason)
{
	struct lsmd_rule made = {
		.line = place->line,
		.column = place->column < UINT16_MAX ? (uint16_t)place->column : UINT16_MAX,
		.flags = (uint16_t)flags,
	}, *rule;
	int r = note_intern(rulebook, place->file, id, reason, &made.note);

	if (r)
		return r;
	if (rulebook->rules.n >= RULES_MAX)
		return RULEBOOK_TOO_LARGE;
	rule = vec_add(&rulebook->rules);
	if (!rule)
		return -ENOMEM;
	*rule = made;
	return 0;
}

static unsigned int rule_flags(const struct rule *rule)
{
	if (!rule->deny)
		return rule->log ? LSMD_RULE_LOG : 0;
	return LSMD_RULE_DENY | (rule->silent ? LSMD_RULE_SILENT : 0) | (rule->kill ? LSMD_RULE_KILL : 0);
}

static bool place_same(const struct place *a, const struct place *b)
{
	return a->line == b->line && a->column == b->column;
}

/* The pseudo rule of a verb's default: that of another verb with the same place, or a new one. */
static int default_add(struct rulebook *rulebook, const struct policy *policy, unsigned int verb, uint32_t by_verb[32])
{
	const struct place *places = policy->default_places;

	if (!places[verb].line || place_same(&places[verb], &policy->default_place))
		return 0;
	for (unsigned int other = 0; other < verb; other++)
		if (place_same(&places[other], &places[verb])) {
			by_verb[verb] = by_verb[other];
			return 0;
		}
	by_verb[verb] = (uint32_t)rulebook->rules.n;
	return rule_add(rulebook, &places[verb], LSMD_RULE_DEFAULT, NULL, NULL);
}

static int defaults_add(struct rulebook *rulebook, const struct policy *policy, uint32_t first, uint32_t by_verb[32])
{
	int r = 0;

	for (unsigned int bit = 0; bit < 32; bit++)
		by_verb[bit] = first;
	for (unsigned int verb = 0; verb < LSMD_N_VERBS && !r; verb++)
		r = default_add(rulebook, policy, verb, by_verb);
	return r;
}

int rulebook_add(struct rulebook *rulebook, const struct policy *policy, uint32_t *first, uint32_t by_verb[32])
{
	int r;

	*first = (uint32_t)rulebook->rules.n;
	r = rule_add(rulebook, &policy->default_place, LSMD_RULE_DEFAULT, NULL, NULL);
	for (size_t i = 0; !r && i < policy->n_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		r = rule_add(rulebook, &rule->place, rule_flags(rule), rule->id, rule->reason);
	}
	return r ? r : defaults_add(rulebook, policy, *first, by_verb);
}
