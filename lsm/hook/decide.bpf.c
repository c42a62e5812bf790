// SPDX-License-Identifier: GPL-2.0-only
/* The decision itself and its record: lsm/core asked for every layer that holds the task. Global functions, verified once. */
#include "emit.h"

__noinline u32 scratch_search(u32 start)
{
	int i;

	for (i = 1; i < LSMD_SCRATCH_TRIES; i++) {
		u32 slot = (start + i) & (LSMD_SCRATCH_SLOTS - 1);

		if (scratch_try(scratch_slot(slot)))
			return slot;
	}
	return ~0u;
}

/* rule_count() - count a decision for its rule. Return: LSMD_RULE_* */
static __always_inline u32 rule_count(const struct lsmd_view *view, u32 rule)
{
	if (!rule)
		return 0;
	__sync_fetch_and_add(view_counter(view, rule), 1);
	return view_record(view, rules, struct lsmd_rule, rule)->flags;
}

static __always_inline void record_raise(struct lsmd_scratch *s, u32 record)
{
	if (s->record < record)
		s->record = record;
}

/* answer_refusal() - what follows from one layer's refusal */
static __always_inline void answer_refusal(const struct lsmd_view *view, struct lsmd_scratch *s, struct lsmd_answer *answer)
{
	u32 flags = rule_count(view, answer->rule);

	count_add(LSMD_COUNT_REASON + (answer->reason & 31), 1);
	s->n_answers++;
	if (answer->mode == LSMD_MODE_ENFORCE) {
		s->refused = 1;
		if (flags & LSMD_RULE_KILL)
			s->kill = 1;
		if (!(flags & LSMD_RULE_SILENT))
			record_raise(s, RECORD_DENIAL);
	} else {
		count_add(LSMD_COUNT_WOULD_DENY, 1);
		if (!(flags & LSMD_RULE_SILENT))
			record_raise(s, RECORD_NOTE);
	}
}

/* answer_allowance() - an allow matters only where its rule wants a record */
static __always_inline void answer_allowance(const struct lsmd_view *view, struct lsmd_scratch *s, struct lsmd_answer *answer)
{
	if (answer->reason != LSMD_REASON_RULE || !(view_record(view, rules, struct lsmd_rule, answer->rule)->flags & LSMD_RULE_LOG))
		return;
	rule_count(view, answer->rule);
	count_add(LSMD_COUNT_ALLOWED_LOGGED, 1);
	s->n_answers++;
	record_raise(s, RECORD_NOTE);
}

/* names_decide() - layer_decide_two() of the scratch, verified alone. Return: 0. */
__noinline int names_decide(struct lsmd_scratch *s, u32 id, u32 how, struct lsmd_answer *answer)
{
	struct lsmd_view opened, *view = &opened;

	if (!s || !answer || !view_open(view, s->req.image))
		return 0;
	layer_decide_two(view, &s->req, id, view_record(view, layers, struct lsmd_layer, id), &s->name, &s->other, &s->found[0],
			 &s->found[1], s->said, how, answer);
	return 0;
}

/* layer_decide() - the answer of layer @id, and what follows from it. Return: 1; 0: there is no image. */
__noinline int layer_decide(struct lsmd_scratch *s, u32 id, u32 reason)
{
	struct lsmd_view opened, *view = &opened;
	const struct lsmd_layer *layer;
	struct lsmd_answer *answer;
	u32 how;

	if (!s || !view_open(view, s->req.image))
		return 0;
	layer = view_record(view, layers, struct lsmd_layer, id);
	answer = &s->answers[s->n_answers & (LSMD_LAYERS_MAX - 1)];
	how = layer->flags & LSMD_LAYER_LOGS_ALLOW ? LSMD_ANSWER_ALLOW_RULE : 0;
	how |= s->req.deny_only ? LSMD_ANSWER_DENY_ONLY : 0;
	if (layer->mode == LSMD_MODE_OFF)
		return 1;
	answer->layer = id;
	answer->mode = layer->mode;
	if (reason != LSMD_REASON_NONE)
		layer_unnamed(view, s->req.image, id, layer, request_verbs(&s->req), reason, s->said, how, answer);
	else if (s->req.two)
		names_decide(s, id, how, answer);
	else
		layer_decide_one(view, &s->req, id, layer, &s->name, &s->found[0], s->said, how, answer);
	if (answer->verdict == LSMD_VERDICT_DENY)
		answer_refusal(view, s, answer);
	else if (how & LSMD_ANSWER_ALLOW_RULE)
		answer_allowance(view, s, answer);
	return 1;
}

/* scratch_refuse() - refuse without asking any layer: @reason is all there is to say. Return: -EPERM. */
static __always_inline int scratch_refuse(struct lsmd_scratch *s, u32 wanted, u32 reason)
{
	u32 verb = 0;

	if (wanted)
		verb_bit(wanted, &verb);
	s->answers[0] = (struct lsmd_answer){
		.layer = ~0u,
		.verdict = LSMD_VERDICT_DENY,
		.reason = reason,
		.verb = verb,
		.mode = LSMD_MODE_ENFORCE,
	};
	s->n_answers = 1;
	s->refused = 1;
	s->record = RECORD_DENIAL;
	s->kill = 0;
	count_add(LSMD_COUNT_REASON + (reason & 31), 1);
	count_add(LSMD_COUNT_DENIED, 1);
	return -EPERM;
}

/* decide_layers() - every layer is asked, so that the record has the answer of each. Return: 0: there is no image. */
static __always_inline int decide_layers(struct lsmd_scratch *s)
{
	u32 reason = request_reason(&s->req, &s->name, &s->other), n = s->req.n_layers;
	u64 i;

	if (reason == LSMD_REASON_NONE && !s->looked && !found_all(&s->req, &s->name, &s->other, &s->found[0], &s->found[1]))
		return 0;
	for (i = LSMD_UNKNOWN(s->zero); i < LSMD_LAYERS_MAX && i < n; i++)
		if (!layer_decide(s, s->req.layers[lsmd_hidden(i) & (LSMD_LAYERS_MAX - 1)], reason))
			return 0;
	return 1;
}

static __always_inline int scratch_decide(struct lsmd_scratch *s)
{
	s->n_answers = 0;
	s->refused = 0;
	s->record = RECORD_NONE;
	s->kill = 0;
	if (!decide_layers(s) && s->req.wanted)
		return scratch_refuse(s, s->req.wanted, LSMD_REASON_NO_IMAGE);
	if (s->refused)
		count_add(LSMD_COUNT_DENIED, 1);
	return s->refused ? -EPERM : 0;
}

/* A name on its way into s->bytes. */
struct bytes_state {
	struct lsmd_scratch *s;
	const struct lsmd_name *name;
	u32 at;
};

/* bytes_piece() - one piece, for bpf_loop(): a record is written seldom, and a callback is verified once */
static long bytes_piece(u32 round, struct bytes_state *state)
{
	const struct lsmd_piece *piece = name_piece(state->name, state->name->first + round);
	u32 at = state->at;
	u64 *to;

	if (!(piece->meta & LSMD_PIECE_CONTINUED) && state->name->tree != LSMD_TREE_ABSTRACT) {
		state->s->bytes[at & (2 * LSMD_PATH_MAX - 1)] = '/';
		at++;
	}
	LSMD_OPAQUE(at);
	at &= 2 * LSMD_PATH_MAX - 1;
	to = (u64 *)&state->s->bytes[at];
	to[0] = piece->w[0];
	to[1] = piece->w[1];
	to[2] = piece->w[2];
	to[3] = piece->w[3];
	to[4] = piece->w[4];
	state->at = at + (piece->meta & 0x3f);
	return 0;
}

/* bytes_add() - "/a/b" (or an abstract name's bytes) behind what is in s->bytes already. Return: bytes in all */
__noinline u32 bytes_add(struct lsmd_scratch *s, const struct lsmd_name *name, u32 at)
{
	struct bytes_state state = { .s = s, .name = name, .at = at };

	if (!s || !name)
		return at;
	if (name->first >= LSMD_PIECES_MAX && name->tree != LSMD_TREE_ABSTRACT) {
		s->bytes[at & (2 * LSMD_PATH_MAX - 1)] = '/';
		return at + 1;
	}
	bpf_loop((LSMD_PIECES_MAX - name->first) & (2 * LSMD_PIECES_MAX - 1), bytes_piece, &state, 0);
	return state.at;
}

static __always_inline void event_subject(struct lsmd_event *event)
{
	struct task_struct *task = bpf_get_current_task_btf();

	event->time_ns = bpf_ktime_get_boot_ns();
	event->cgroup_id = bpf_get_current_cgroup_id();
	event->pid = task->pid;
	event->tgid = task->tgid;
	event->ppid = task->real_parent->tgid;
	event->uid = task->cred->uid.val;
	event->euid = task->cred->euid.val;
	event->loginuid = bpf_core_field_exists(task->loginuid) ? task->loginuid.val : ~0u;
	event->session = bpf_core_field_exists(task->sessionid) ? task->sessionid : ~0u;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

static __always_inline void event_object(struct lsmd_scratch *s)
{
	struct lsmd_event *event = &s->event;
	u32 at = 0;

	event->object_len = 0;
	event->other_len = 0;
	event->program_len = 0;
	if (object_named(event->object)) {
		if (s->name.reason == LSMD_REASON_NONE || s->name.reason == LSMD_REASON_FOREIGN_NAMESPACE)
			at = bytes_add(s, &s->name, 0);
		event->object_len = at;
		if (s->req.two && s->other.reason == LSMD_REASON_NONE) {
			at = bytes_add(s, &s->other, at);
			event->other_len = at - event->object_len;
		}
	}
	event->path_reason = s->name.reason;
}

static __always_inline void event_program(struct lsmd_scratch *s, struct lsmd_label *label)
{
	u32 at = s->event.object_len + s->event.other_len, end;

	if (!label || !program_name(s, &label->programs, 0))
		return;
	end = bytes_add(s, &s->program, at);
	s->event.program_len = end - at;
}

/* event_send() - to the ring it belongs to; what is not sent is counted by reason */
static __always_inline void event_send(struct lsmd_scratch *s, u32 len)
{
	LSMD_OPAQUE(len);
	if (len > LSMD_EVENT_MAX)
		len = LSMD_EVENT_MAX;
	if (s->record == RECORD_DENIAL) {
		if (bpf_ringbuf_output(&lsmd_denials, &s->event, len, 0))
			count_add(LSMD_COUNT_RING_FULL, 1);
		else
			count_add(LSMD_COUNT_SENT, 1);
	} else {
		count_add(LSMD_COUNT_NOTED, 1);
		if (bpf_ringbuf_output(&lsmd_notes, &s->event, len, 0))
			count_add(LSMD_COUNT_RING_FULL_NOTES, 1);
		else
			count_add(LSMD_COUNT_SENT_NOTES, 1);
	}
}

/* scratch_report() - send s as an event. Return: 0. */
__noinline int scratch_report(struct lsmd_scratch *s)
{
	struct lsmd_event *event;
	u64 i;

	if (!s)
		return 0;
	event = &s->event;
	event->generation = s->req.image;
	event->wanted = s->req.wanted;
	event->hook = s->req.hook;
	event->object = s->req.object;
	event->n_answers = s->n_answers;
	event->refused = s->refused;
	event->address = s->req.address;
	event_subject(event);
	for (i = 0; i < LSMD_LAYERS_MAX; i++)
		event->answers[i] = s->answers[i];
	event_object(s);
	event_program(s, bpf_task_storage_get(&lsmd_labels, bpf_get_current_task_btf(), 0, 0));
	event_send(s, sizeof(*event) + event->object_len + event->other_len + event->program_len);
	return 0;
}

LSMD_SHARED(scratch_verdict, -EPERM, struct lsmd_scratch *s, u32 wanted, u32 reason)
{
	int ret;

	if (!s)
		return -EPERM;
	ret = reason == LSMD_REASON_NONE ? scratch_decide(s) : scratch_refuse(s, wanted, reason);
	if (s->req.quiet) {
		s->record = RECORD_NONE;
		s->kill = 0;
	}
	/* A refusal that its rule silences may go with the note of an audit-mode layer. */
	if (ret && s->record != RECORD_DENIAL)
		count_add(LSMD_COUNT_SILENCED, 1);
	if (s->record != RECORD_NONE)
		scratch_report(s);
	if (s->kill) {
		count_add(LSMD_COUNT_KILLED, 1);
		bpf_send_signal(SIGKILL);
	}
	return ret;
}

__noinline int scratch_allowed_alone(struct lsmd_scratch *s)
{
	return s && request_allowed(&s->req, &s->name, &s->found[0]);
}

LSMD_SHARED(scratch_allowed, 0, struct lsmd_scratch *s)
{
	return s && request_allowed(&s->req, &s->name, &s->found[0]);
}
