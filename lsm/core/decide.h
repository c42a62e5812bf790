/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/*
 * Layers to one verdict (MEANING.md 1, 2, 4, 15): deny beats allow beats default in each layer, and every layer must
 * allow. Reads the image and the request, calls nothing, allocates nothing.
 */
#ifndef LSMD_CORE_DECIDE_H
#define LSMD_CORE_DECIDE_H

#include "lsm/abi/access.h"
#include "lsm/abi/verdict.h"
#include "net.h"
#include "path.h"

/* What is asked. The names stand beside it: they are large. */
struct lsmd_request {
	lsmd_image_id image;
	lsmd_u32 wanted;    /* access */
	lsmd_u16 hook;      /* enum lsmd_hook */
	lsmd_u8 object;     /* enum lsmd_object */
	lsmd_u8 directory;  /* of two names: the object is a directory, with all that lies below it */
	lsmd_u8 two;        /* `other` is a second name; both need `wanted`, and it may not widen */
	lsmd_u8 exchange;   /* the names change places: neither may widen */
	lsmd_u8 deny_only;  /* only a deny rule refuses: the interpreter of a script that was allowed */
	lsmd_u8 quiet;      /* nobody asked to be told: no record, and nothing is killed */
	lsmd_u8 replaces;   /* the second name exists and is deleted by this */
	lsmd_u32 n_layers;
	lsmd_u32 layers[LSMD_LAYERS_MAX];
	struct lsmd_address address;
};

/* What one layer's rules say of one object, from both sources: [0] literal or address, [1] automaton. In the caller's memory: stacks are short. */
struct lsmd_said {
	struct lsmd_cell cell[2];
	lsmd_u32 state; /* of the automaton after the name */
};

/* cells_find() - binary search among cells; @span: index of the first << 32 | how many. @zero: 0. Return: 1 when @cell was filled. */
LSMD_GLOBAL int cells_find(lsmd_image_id image, lsmd_u64 span, lsmd_u32 layer, struct lsmd_cell *cell, lsmd_u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	lsmd_u32 first = span >> 32, n = span;
	const struct lsmd_cell *at;
	lsmd_u64 i;

	if (!cell || !view_open(view, image))
		return 0;
	/* The last cell whose layer is not above @layer; one comparison a step. */
	for (i = zero; i < LSMD_LAYER_STEPS && n > 1; i++) {
		lsmd_u32 half = n / 2;

		if (view_record(view, cells, struct lsmd_cell, (lsmd_u64)first + half)->layer <= layer)
			first += half;
		n -= half;
	}
	at = view_record(view, cells, struct lsmd_cell, first);
	if (!n || at->layer != layer)
		return 0;
	cell->allow = at->allow;
	cell->deny = at->deny;
	cell->rule = at->rule;
	return 1;
}

/*
 * class_find() - fill @cell with what a class and those it inherits from say for @layer; else it stays as it is.
 * @zero: 0. Return: 0.
 */
LSMD_GLOBAL int class_find(lsmd_image_id image, lsmd_u32 id, lsmd_u32 layer, struct lsmd_cell *cell, lsmd_u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	lsmd_u64 i;

	if (!cell || !view_open(view, image))
		return 0;
	for (i = zero; i <= LSMD_INHERIT_MAX && id; i++) {
		const struct lsmd_class *class = view_record(view, classes, struct lsmd_class, id);

		if (class->layer == layer) {
			cell->allow = class->allow;
			cell->deny = class->deny;
			cell->rule = class->rule;
			return 0;
		}
		if (class->layer == LSMD_CLASS_MANY &&
		    cells_find(image, (lsmd_u64)class->allow << 32 | class->deny, layer, cell, 0))
			return 0;
		id = class->inherits;
	}
	return 0;
}

/* said_name() - both sources for a name that path_find() has been asked about */
LSMD_INLINE void said_name(lsmd_image_id image, const struct lsmd_view *view, lsmd_u32 id, const struct lsmd_layer *layer,
			   const struct lsmd_name *name, lsmd_u32 class, struct lsmd_said *said)
{
	lsmd_u32 start = layer->dfa;

	class_find(image, class, id, &said->cell[0], 0);
	if (!start)
		return;
	said->state = dfa_run(image, start, layer->bytemap, name);
	if (said->state) {
		lsmd_u32 accepts = view_record(view, states, struct lsmd_state, said->state)->class;

		class_find(image, accepts, id, &said->cell[1], 0);
	}
}

/* bit_lowest() - number of the lowest bit of a number that is not 0; BPF has no instruction for it */
LSMD_INLINE lsmd_u32 bit_lowest(lsmd_u32 x)
{
	x &= -x;
	return (x & 0xaaaaaaaa ? 1 : 0) | (x & 0xcccccccc ? 2 : 0) | (x & 0xf0f0f0f0 ? 4 : 0) | (x & 0xff00ff00 ? 8 : 0) |
	       (x & 0xffff0000 ? 16 : 0);
}

/* verb_bit() - the first verb of an access as people see it, and the bit that stands for it there */
LSMD_INLINE lsmd_u32 verb_bit(lsmd_u32 access, lsmd_u32 *verb)
{
	lsmd_u32 v = bit_lowest(access_plain(access));

	*verb = v;
	return access >> v & 1 ? v : (v + LSMD_ACCESS_DEVICE_SHIFT_READ) & 31;
}

/* cell_rule() - the rule of a cell that decides the verb of @bit */
LSMD_INLINE lsmd_u32 cell_rule(const struct lsmd_view *view, lsmd_u32 rule, lsmd_u32 bit)
{
	const struct lsmd_row *row;

	if (!(rule & LSMD_RULE_ROW))
		return rule;
	row = view_record(view, rows, struct lsmd_row, rule & ~LSMD_RULE_ROW);
	return row->rule[bit & 31];
}

LSMD_INLINE lsmd_u32 rule_first(lsmd_u32 a, lsmd_u32 b)
{
	if (!a)
		return b;
	return !b || a < b ? a : b;
}

/* said_rule() - the lowest-numbered rule that denies (or allows) the verb of @bit */
LSMD_INLINE lsmd_u32 said_rule(const struct lsmd_view *view, const struct lsmd_said *said, lsmd_u32 bit, int deny)
{
	lsmd_u32 rule0 = 0, rule1 = 0;

	if ((deny ? said->cell[0].deny : said->cell[0].allow) >> bit & 1)
		rule0 = cell_rule(view, said->cell[0].rule, bit);
	if ((deny ? said->cell[1].deny : said->cell[1].allow) >> bit & 1)
		rule1 = cell_rule(view, said->cell[1].rule, bit);
	return rule_first(rule0, rule1);
}

/* How layer_answer() is asked. */
#define LSMD_ANSWER_DENY_ONLY 1  /* the default refuses nothing */
#define LSMD_ANSWER_ALLOW_RULE 2 /* the rule of an allow is wanted too; else it may be left out */

/* layer_answer() - the answer of layer @id from what its rules say. Return: 0. */
LSMD_GLOBAL int layer_answer(lsmd_image_id image, lsmd_u64 id_how, lsmd_u32 wanted, const struct lsmd_said *said,
			     struct lsmd_answer *answer)
{
	lsmd_u32 denied, refused, verb = 0, bit, how = id_how;
	struct lsmd_view opened, *view = &opened;
	const struct lsmd_layer *layer;

	if (!said || !answer || !view_open(view, image))
		return 0;
	layer = view_record(view, layers, struct lsmd_layer, id_how >> 32);
	denied = wanted & (said->cell[0].deny | said->cell[1].deny);
	refused = wanted & ~(said->cell[0].allow | said->cell[1].allow) & layer->default_deny;

	if (denied) {
		bit = verb_bit(denied, &verb);
		answer->verdict = LSMD_VERDICT_DENY;
		answer->reason = LSMD_REASON_RULE;
		answer->rule = said_rule(view, said, bit, 1);
	} else if (refused && !(how & LSMD_ANSWER_DENY_ONLY)) {
		verb_bit(refused, &verb);
		answer->verdict = LSMD_VERDICT_DENY;
		answer->reason = LSMD_REASON_DEFAULT;
		answer->rule = cell_rule(view, layer->default_rule, verb);
	} else {
		answer->verdict = LSMD_VERDICT_ALLOW;
		answer->reason = LSMD_REASON_DEFAULT;
		answer->rule = layer->first_rule;
		if (how & LSMD_ANSWER_ALLOW_RULE && wanted) {
			lsmd_u32 rule;

			bit = verb_bit(wanted, &verb);
			rule = said_rule(view, said, bit, 0);
			answer->rule = rule ? rule : cell_rule(view, layer->default_rule, verb);
			if (rule)
				answer->reason = LSMD_REASON_RULE;
		}
	}
	answer->verb = verb;
	return 0;
}

/* layer_undecided() - the same where nothing could be decided (MEANING.md 4) */
LSMD_INLINE void layer_undecided(const struct lsmd_layer *layer, lsmd_u32 wanted, lsmd_u32 reason, struct lsmd_answer *answer)
{
	lsmd_u32 refused = wanted & layer->undecided, verb = 0;

	if (refused || wanted)
		verb_bit(refused ? refused : wanted, &verb);
	answer->verdict = refused ? LSMD_VERDICT_DENY : LSMD_VERDICT_ALLOW;
	answer->reason = reason;
	answer->rule = 0;
	answer->verb = verb;
}

/*
 * layer_unnamed() - the answer for an object that has no certain name. Code without a name is what rules for "anonymous" speak of, in
 * the class of what takes no object (MEANING.md 11); whatever they leave open is undecided.
 */
LSMD_INLINE void layer_unnamed(const struct lsmd_view *view, lsmd_image_id image, lsmd_u32 id, const struct lsmd_layer *layer,
			       lsmd_u32 wanted, lsmd_u32 reason, struct lsmd_said *said, lsmd_u32 how, struct lsmd_answer *answer)
{
	__builtin_memset(said, 0, sizeof(*said));
	if (reason == LSMD_REASON_PATH_ANONYMOUS && wanted & LSMD_ACCESS_CODE)
		class_find(image, view->image->root[LSMD_TREE_NONE].exact, id, &said->cell[0], 0);
	if (wanted & said->cell[0].deny || !(wanted & ~said->cell[0].allow))
		layer_answer(image, (lsmd_u64)id << 32 | how, wanted, said, answer);
	else
		layer_undecided(layer, wanted, reason, answer);
}

/* said_effective() - the verbs that a layer allows in the end */
LSMD_INLINE lsmd_u32 said_effective(const struct lsmd_layer *layer, const struct lsmd_said *said)
{
	return (said->cell[0].allow | said->cell[1].allow | ~layer->default_deny) &
	       ~(said->cell[0].deny | said->cell[1].deny);
}

/*
 * said_widens() - does the second name allow what the first does not? Device twins count only when one is asked for: for an
 * ordinary file they say nothing.
 */
LSMD_INLINE int said_widens(const struct lsmd_layer *layer, const struct lsmd_said *from, const struct lsmd_said *to,
			    lsmd_u32 devices)
{
	lsmd_u32 mask = devices ? ~0u : ~LSMD_ACCESS_DEVICES;

	return (said_effective(layer, to) & ~said_effective(layer, from) & mask) != 0;
}

/*
 * tree_keeps() - do all names below two directories have the same answers in this layer? Certain when no literal name goes on
 * below either, what holds below is the same, and the (minimal) automaton is in the same state after both.
 */
LSMD_INLINE int tree_keeps(lsmd_image_id image, lsmd_u32 id, const struct lsmd_found *from,
			   const struct lsmd_found *to, const struct lsmd_said *said_from, const struct lsmd_said *said_to)
{
	struct lsmd_cell a = {}, b = {};

	if (!from->leaf || !to->leaf || said_from->state != said_to->state)
		return 0;
	class_find(image, from->below, id, &a, 0);
	class_find(image, to->below, id, &b, 0);
	return a.allow == b.allow && a.deny == b.deny;
}

/* answer_widens() - turn an allow into the refusal of MEANING.md 15 */
LSMD_INLINE void answer_widens(struct lsmd_answer *answer, lsmd_u32 wanted)
{
	lsmd_u32 verb = 0;

	if (answer->verdict == LSMD_VERDICT_DENY || !wanted)
		return;
	verb_bit(wanted, &verb);
	answer->verdict = LSMD_VERDICT_DENY;
	answer->reason = LSMD_REASON_RENAME_WIDENS;
	answer->rule = 0;
	answer->verb = verb;
}

/*
 * layer_decide_two() - rename and link: the verb at both names (and `delete` where the second is replaced), and what is
 * allowed at the new name must be allowed at the old one.
 */
LSMD_INLINE void layer_decide_two(const struct lsmd_view *view, const struct lsmd_request *req, lsmd_u32 id,
				  const struct lsmd_layer *layer, const struct lsmd_name *name,
				  const struct lsmd_name *other, const struct lsmd_found *found,
				  const struct lsmd_found *found_other, struct lsmd_said said[2], lsmd_u32 how,
				  struct lsmd_answer *answer)
{
	lsmd_u32 verbs = req->wanted & ~LSMD_ACCESS_DEVICES, devices = req->wanted & LSMD_ACCESS_DEVICES;
	struct lsmd_said *from = &said[0], *to = &said[1];

	__builtin_memset(said, 0, 2 * sizeof(*said));
	said_name(req->image, view, id, layer, name, found->class, from);
	said_name(req->image, view, id, layer, other, found_other->class, to);
	layer_answer(req->image, (lsmd_u64)id << 32 | how, verbs, from, answer);
	if (answer->verdict == LSMD_VERDICT_ALLOW)
		layer_answer(req->image, (lsmd_u64)id << 32 | how, req->replaces ? verbs | LSMD_ACCESS_DELETE : verbs, to,
			     answer);
	if (said_widens(layer, from, to, devices) ||
	    (req->exchange && said_widens(layer, to, from, devices)) ||
	    (req->directory && !tree_keeps(req->image, id, found, found_other, from, to)))
		answer_widens(answer, verbs);
}

/* said_of() - what a layer's rules say of the object of a request with one name, or none */
LSMD_INLINE void said_of(const struct lsmd_view *view, const struct lsmd_request *req, lsmd_u32 id, const struct lsmd_layer *layer,
			 const struct lsmd_name *name, const struct lsmd_found *found, struct lsmd_said *said)
{
	__builtin_memset(said, 0, sizeof(*said));
	if (req->object == LSMD_OBJECT_ADDRESS)
		net_find(req->image, view, layer->net, &req->address, &said->cell[0]);
	else if (req->object == LSMD_OBJECT_NONE)
		class_find(req->image, view->image->root[LSMD_TREE_NAME].exact, id, &said->cell[0], 0);
	else if (req->object == LSMD_OBJECT_NAME)
		class_find(req->image, found->class, id, &said->cell[0], 0); /* no automaton has such names */
	else
		said_name(req->image, view, id, layer, name, found->class, said);
}

/* layer_decide_one() - any other access */
LSMD_INLINE void layer_decide_one(const struct lsmd_view *view, const struct lsmd_request *req, lsmd_u32 id,
				  const struct lsmd_layer *layer, const struct lsmd_name *name,
				  const struct lsmd_found *found, struct lsmd_said *said, lsmd_u32 how,
				  struct lsmd_answer *answer)
{
	said_of(view, req, id, layer, name, found, said);
	layer_answer(req->image, (lsmd_u64)id << 32 | how, req->wanted, said, answer);
}

/* request_named() - is its object a name? */
LSMD_INLINE int request_named(const struct lsmd_request *req)
{
	return object_named(req->object);
}

/* layer_refuses() - what a layer refuses in the end; a literal name that it alone has rules about is answered by its class */
LSMD_INLINE lsmd_u32 layer_refuses(const struct lsmd_view *view, const struct lsmd_request *req, lsmd_u32 id,
				   const struct lsmd_layer *layer, const struct lsmd_name *name, const struct lsmd_found *found)
{
	struct lsmd_said said;

	if (request_named(req) && !layer->dfa) {
		const struct lsmd_class *class = view_record(view, classes, struct lsmd_class, found->class);

		if (class->layer == id)
			return class->deny | (layer->default_deny & ~class->allow);
	}
	said_of(view, req, id, layer, name, found, &said);
	return ~said_effective(layer, &said);
}

/* request_simple() - may request_allowed() be asked, once the name is known? */
LSMD_INLINE int request_simple(const struct lsmd_request *req)
{
	return !req->two && !req->deny_only;
}

/*
 * request_allowed() - the usual answer, in one go: every layer allows, and no rule wants a record.
 * A function that returns costs some 6 ns where the kernel guards its returns, as much as a piece of a name; the whole way through
 * scratch_decide() takes five more.
 * @found: of the name, filled for who has to ask each layer then.
 * Return: 1; 0: it may be otherwise.
 */
LSMD_INLINE int request_allowed(const struct lsmd_request *req, const struct lsmd_name *name, struct lsmd_found *found)
{
	struct lsmd_view opened, *view = &opened;
	lsmd_u64 i, n;

	if (!req || !name || !found || !view_open(view, req->image))
		return 0;
	if (request_named(req) && !path_find(req->image, name, found))
		return 0;
	n = req->n_layers;
	for (i = LSMD_UNKNOWN(name->zero); i < LSMD_LAYERS_MAX && i < n;) {
		lsmd_u32 id = req->layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)];
		const struct lsmd_layer *layer = view_record(view, layers, struct lsmd_layer, id);

		if (layer->flags & LSMD_LAYER_LOGS_ALLOW || layer_refuses(view, req, id, layer, name, found) & req->wanted)
			return 0;
		i++;
		LSMD_ROUND(i);
	}
	return 1;
}

/* found_all() - ask the tree once for all layers. Return: 0 when there is no image. */
LSMD_INLINE int found_all(const struct lsmd_request *req, const struct lsmd_name *name, const struct lsmd_name *other,
			  struct lsmd_found *found, struct lsmd_found *found_other)
{
	if (!request_named(req))
		return 1;
	return path_find(req->image, name, found) && (!req->two || path_find(req->image, other, found_other));
}

/* request_verbs() - the verbs asked for; of two names the device twins only say what the object is */
LSMD_INLINE lsmd_u32 request_verbs(const struct lsmd_request *req)
{
	return req->two ? req->wanted & ~LSMD_ACCESS_DEVICES : req->wanted;
}

/* request_reason() - why the request cannot be decided, or LSMD_REASON_NONE */
LSMD_INLINE lsmd_u32 request_reason(const struct lsmd_request *req, const struct lsmd_name *name,
				    const struct lsmd_name *other)
{
	if (name->reason != LSMD_REASON_NONE)
		return name->reason;
	return req->two ? other->reason : LSMD_REASON_NONE;
}

#endif
