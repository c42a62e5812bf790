// SPDX-License-Identifier: LGPL-2.1-or-later
/* Repeats of events folded together; the rules are in coalesce.h. */
#include "agent/record/coalesce.h"

#include <stdbool.h>
#include <string.h>

/* Slots tried for one kind; a table of which so many neighbours are taken is full enough. */
#define PROBES 16

/* What is counted together: events of a kind, or of a rule. */
struct kind {
	uint64_t hash; /* 0: free */
	uint64_t start_ns;
	uint32_t passed; /* in this window */
	bool flooded; /* the window before overflowed */
	uint64_t held;
	struct lsmd_event *event; /* the last one held */
	size_t size;
};

struct coalesce {
	struct siphash_key key;
	uint64_t held;
	size_t bytes;
	struct kind kinds[COALESCE_KINDS];
	struct kind rules[COALESCE_KINDS];
};

_Static_assert((COALESCE_KINDS & (COALESCE_KINDS - 1)) == 0, "kind_find() masks with COALESCE_KINDS - 1");

int coalesce_new(const struct siphash_key *key, struct coalesce **ret)
{
	struct coalesce *coalesce = calloc(1, sizeof(*coalesce));

	if (!coalesce)
		return -ENOMEM;
	coalesce->key = *key;
	*ret = coalesce;
	return 0;
}

void coalesce_free(struct coalesce *coalesce)
{
	if (!coalesce)
		return;
	for (size_t i = 0; i < COALESCE_KINDS; i++) {
		free(coalesce->kinds[i].event);
		free(coalesce->rules[i].event);
	}
	free(coalesce);
}

static uint64_t kind_hash(const struct coalesce *coalesce, const struct lsmd_event *event)
{
	struct siphash hash;
	uint64_t value;

	siphash_start(&hash, &coalesce->key);
	siphash_add(&hash, &event->generation, sizeof(event->generation));
	siphash_add(&hash, &event->n_answers, sizeof(event->n_answers));
	siphash_add(&hash, event->answers, event->n_answers * sizeof(event->answers[0]));
	siphash_add(&hash, &event->refused, sizeof(event->refused));
	siphash_add(&hash, &event->object, sizeof(event->object));
	siphash_add(&hash, &event->path_reason, sizeof(event->path_reason));
	siphash_add(&hash, &event->address, sizeof(event->address));
	siphash_add(&hash, &event->object_len, sizeof(event->object_len));
	siphash_add(&hash, &event->other_len, sizeof(event->other_len));
	siphash_add(&hash, event->bytes, (size_t)event->object_len + event->other_len + event->program_len);
	value = siphash_end(&hash);
	return value ? value : 1;
}

/* Every layer's answer and its rule, so that an example says of all it stands for who refused them. */
static uint64_t rule_hash(const struct coalesce *coalesce, const struct lsmd_event *event)
{
	struct siphash hash;
	uint64_t value;

	siphash_start(&hash, &coalesce->key);
	siphash_add(&hash, &event->generation, sizeof(event->generation));
	for (size_t i = 0; i < event->n_answers; i++) {
		const struct lsmd_answer *answer = &event->answers[i];

		siphash_add(&hash, &answer->layer, sizeof(answer->layer));
		siphash_add(&hash, &answer->rule, sizeof(answer->rule));
		siphash_add(&hash, &answer->verdict, sizeof(answer->verdict));
	}
	siphash_add(&hash, &event->refused, sizeof(event->refused));
	value = siphash_end(&hash);
	return value ? value : 1;
}

static void kind_forget(struct coalesce *coalesce, struct kind *kind)
{
	coalesce->bytes -= kind->size;
	free(kind->event);
	*kind = (struct kind){};
}

/*
 * A slot may be taken over when its kind's last window has ended and nothing is held. Slots are not moved, so a search
 * looks at all PROBES.
 */
static struct kind *kind_find(struct coalesce *coalesce, struct kind *table, uint64_t hash, uint64_t now_ns)
{
	struct kind *room = NULL;

	for (size_t i = 0; i < PROBES; i++) {
		struct kind *kind = &table[(hash + i) & (COALESCE_KINDS - 1)];

		if (kind->hash == hash)
			return kind;
		if (!room && !kind->held && (!kind->hash || now_ns - kind->start_ns >= 2 * COALESCE_WINDOW_NS))
			room = kind;
	}
	if (!room)
		return NULL;
	kind_forget(coalesce, room);
	room->hash = hash;
	room->start_ns = now_ns;
	return room;
}

/* A new window where the last has ended. What is held stays for coalesce_expire(). */
static void kind_turn(struct kind *kind, uint64_t now_ns)
{
	uint64_t age_ns = now_ns - kind->start_ns;

	if (age_ns < COALESCE_WINDOW_NS || kind->held)
		return;
	kind->flooded = age_ns < 2 * COALESCE_WINDOW_NS && kind->flooded;
	kind->start_ns = now_ns;
	kind->passed = 0;
}

static bool kind_hold(struct coalesce *coalesce, struct kind *kind, const struct lsmd_event *event, size_t size)
{
	struct lsmd_event *copy;

	if (coalesce->bytes - kind->size + size > COALESCE_BYTES_MAX)
		return false;
	copy = realloc(kind->event, size);
	if (!copy)
		return false;
	memcpy(copy, event, size);
	coalesce->bytes += size - kind->size;
	kind->event = copy;
	kind->size = size;
	kind->held++;
	coalesce->held++;
	return true;
}

/* share_take() - may one more of this rule pass in this window? */
static int share_take(struct coalesce *coalesce, const struct lsmd_event *event, size_t size, uint64_t now_ns)
{
	struct kind *rule = kind_find(coalesce, coalesce->rules, rule_hash(coalesce, event), now_ns);

	if (!rule)
		return COALESCE_LIMITED;
	kind_turn(rule, now_ns);
	if (rule->passed < COALESCE_RULE_MAX) {
		rule->passed++;
		return COALESCE_PASS;
	}
	return kind_hold(coalesce, rule, event, size) ? COALESCE_HELD_MIXED : COALESCE_LIMITED;
}

int coalesce_event(struct coalesce *coalesce, const struct lsmd_event *event, size_t size, uint64_t now_ns)
{
	struct kind *kind = kind_find(coalesce, coalesce->kinds, kind_hash(coalesce, event), now_ns);

	if (kind) {
		kind_turn(kind, now_ns);
		if ((kind->flooded || kind->passed >= COALESCE_BURST) && kind_hold(coalesce, kind, event, size))
			return COALESCE_HELD;
		kind->passed++;
	}
	return share_take(coalesce, event, size, now_ns);
}

/* A kind's next window starts flooded when this one held more than a burst's worth; a rule's always lets its share pass. */
static void kind_hand_over(struct coalesce *coalesce, struct kind *kind, uint64_t now_ns, bool mixed, coalesce_fn fn,
			   void *data)
{
	uint64_t held = kind->held;

	kind->flooded = !mixed && kind->passed + held > COALESCE_BURST;
	kind->held = 0;
	kind->passed = 0;
	kind->start_ns = now_ns;
	coalesce->held -= held;
	fn(data, kind->event, kind->size, held, mixed);
	coalesce->bytes -= kind->size;
	free(kind->event);
	kind->event = NULL;
	kind->size = 0;
}

/* Return: when the next window of this table with something held ends; UINT64_MAX: nothing is held */
static uint64_t table_expire(struct coalesce *coalesce, struct kind *table, uint64_t now_ns, coalesce_fn fn, void *data)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < COALESCE_KINDS; i++) {
		struct kind *kind = &table[i];
		uint64_t end = kind->start_ns + COALESCE_WINDOW_NS;

		if (!kind->held)
			continue;
		if (end <= now_ns)
			kind_hand_over(coalesce, kind, now_ns == UINT64_MAX ? kind->start_ns : now_ns,
				       table == coalesce->rules, fn, data);
		else if (end < next)
			next = end;
	}
	return next;
}

uint64_t coalesce_expire(struct coalesce *coalesce, uint64_t now_ns, coalesce_fn fn, void *data)
{
	uint64_t kinds, rules;

	if (!coalesce->held)
		return 0;
	kinds = table_expire(coalesce, coalesce->kinds, now_ns, fn, data);
	rules = table_expire(coalesce, coalesce->rules, now_ns, fn, data);
	if (rules < kinds)
		kinds = rules;
	return kinds == UINT64_MAX ? 0 : kinds;
}

uint64_t coalesce_held(const struct coalesce *coalesce)
{
	return coalesce->held;
}
