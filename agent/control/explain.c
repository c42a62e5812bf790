// SPDX-License-Identifier: LGPL-2.1-or-later
/* Questions to an image, as JSON. */
#include "agent/control/explain.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "agent/policy/image.h"
#include "agent/policy/names.h"
#include "agent/record/jsonl.h"
#include "agent/record/legend.h"
#include "agent/record/record.h"
#include "agent/util/cleanup.h"

/* A question read: the bytes that ask points into live here. */
struct question {
	struct ask ask;
	uint32_t layers[LSMD_LAYERS_MAX];
	struct label_names names;
	struct buf object;
};

static void question_clear(struct question *question)
{
	label_names_clear(&question->names);
	buf_free(&question->object);
}

static int refuse(struct explain_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct explain_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return EXPLAIN_REFUSED;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int hex_read(const char *text, size_t len, struct buf *ret)
{
	if (len % 2)
		return -EINVAL;
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		buf_add_byte(ret, high << 4 | low);
	}
	return ret->failed ? -ENOMEM : 0;
}

static int bytes_of(const json_t *plain, const json_t *hex, struct buf *ret)
{
	if (json_is_string(hex))
		return hex_read(json_string_value(hex), json_string_length(hex), ret);
	if (!json_is_string(plain))
		return -ENOENT;
	buf_add(ret, json_string_value(plain), json_string_length(plain));
	return ret->failed ? -ENOMEM : 0;
}

int explain_bytes(const json_t *object, const char *key, struct buf *ret)
{
	char hex[64];

	snprintf(hex, sizeof(hex), "%s_hex", key);
	return bytes_of(json_object_get(object, key), json_object_get(object, hex), ret);
}

static int programs_read(const json_t *list, struct question *question, struct explain_why *why)
{
	size_t n = json_array_size(list);

	if (!n || n > LSMD_LABEL_PROGRAMS_MAX)
		return refuse(why, "a process has one to %d programs", LSMD_LABEL_PROGRAMS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct buf *name = &question->names.names[question->names.n++];
		int r = explain_bytes(json_array_get(list, i), "name", name);

		if (r)
			return r == -ENOMEM ? r : refuse(why, "a program's name is missing");
		if (!name->len || name->bytes[0] != '/')
			return refuse(why, "a program is named by its absolute path");
		question->ask.programs[i] = (struct ask_bytes){ .bytes = name->bytes, .len = name->len };
	}
	question->ask.n_programs = n;
	return 0;
}

/* Beside the program: "uid", "gid", "cgroup" (its whole path) or "unit" (one name). What is not said is not known. */
static int who_read(const json_t *json, struct question *question, struct explain_why *why)
{
	const json_t *uid = json_object_get(json, "uid"), *gid = json_object_get(json, "gid");
	struct buf *cgroup = &question->names.cgroup;
	struct ask *ask = &question->ask;
	int r = explain_bytes(json, "cgroup", cgroup);

	ask->known = (uid ? LSMD_SELECT_UID : 0) | (gid ? LSMD_SELECT_GID : 0) | (!r ? LSMD_SELECT_GROUPS : 0);
	ask->uid = json_integer_value(uid);
	ask->gid = json_integer_value(gid);
	if (r == -ENOENT) {
		buf_add_byte(cgroup, '/');
		r = explain_bytes(json, "unit", cgroup);
		ask->known |= !r ? LSMD_SELECT_UNIT : 0;
	}
	if (r && r != -ENOENT)
		return r == -ENOMEM ? r : refuse(why, "the name of the cgroup or unit cannot be read");
	if (!r && cgroup->bytes[0] != '/')
		return refuse(why, "a cgroup is named by its path from the root of the hierarchy, '/system.slice/nginx.service'");
	ask->cgroup = (struct ask_bytes){ .bytes = cgroup->bytes, .len = cgroup->len };
	return 0;
}

static int access_read(const json_t *list, bool device, uint32_t *ret, struct explain_why *why)
{
	uint32_t access = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		int verb = word ? verb_find(word, strlen(word)) : -1;

		if (verb < 0 || !(1u << verb & LSMD_ACCESS_FILES))
			return refuse(why, "'%.64s' is no verb for files", word ? word : "");
		access |= 1u << verb;
	}
	if (!access)
		return refuse(why, "no verb is asked for");
	*ret = device ? access_device(access) : access;
	return 0;
}

/* The normal form of MEANING.md 21: IPv4 is mapped; "any" addresses reach loopback, but as one's own they are every address (22). */
static int address_normalise(const char *text, bool own, struct lsmd_address *address)
{
	struct in6_addr in6 = {};
	uint64_t words[2];

	address->family = AF_INET6;
	if (inet_pton(AF_INET, text, &in6.s6_addr[12]) == 1) {
		in6.s6_addr[10] = in6.s6_addr[11] = 0xff;
		address->family = AF_INET;
	} else if (inet_pton(AF_INET6, text, &in6) != 1) {
		return -EINVAL;
	}
	memcpy(words, &in6, sizeof(words));
	address->hi = be64toh(words[0]);
	address->lo = be64toh(words[1]);
	if (own)
		return 0;
	if (!address->hi && !address->lo)
		address->lo = 1;
	else if (!address->hi && address->lo == 0xffff00000000ull)
		address->lo = 0xffff7f000001ull;
	return 0;
}

int explain_address(const char *text, uint32_t access, struct lsmd_address *ret, struct explain_why *why)
{
	const char *colon = strchr(text, ':'), *last = strrchr(text, ':');
	char address[64], *end;
	uint32_t protos;
	unsigned long port;
	size_t len;

	if (!colon || colon == last)
		return refuse(why, "an address is PROTO:ADDRESS:PORT, unix:/path or unix:@name");
	protos = proto_find(text, colon - text);
	if (!protos || protos & (protos - 1))
		return refuse(why, "'%.*s' is no one protocol", (int)(colon - text), text);
	len = last - colon - 1;
	if (len >= 2 && colon[1] == '[' && last[-1] == ']') {
		colon++;
		len -= 2;
	}
	snprintf(address, sizeof(address), "%.*s", (int)len, colon + 1);
	port = strtoul(last + 1, &end, 10);
	if (end == last + 1 || *end || port > 65535)
		return refuse(why, "'%.32s' is no port", last + 1);
	if (len >= sizeof(address) || address_normalise(address, access & LSMD_ACCESS_LOCAL, ret))
		return refuse(why, "'%.64s' is no address", address);
	ret->proto = __builtin_ctz(protos);
	ret->port = port;
	return 0;
}

static int connect_read(struct question *question, struct explain_why *why)
{
	struct ask *ask = &question->ask;
	const char *text = question->object.bytes;
	size_t len = question->object.len;

	ask->wanted = LSMD_ACCESS_CONNECT;
	if (len > 6 && !memcmp(text, "unix:@", 6)) {
		ask->object = LSMD_OBJECT_ABSTRACT;
		ask->name = (struct ask_bytes){ .bytes = text + 6, .len = len - 6 };
		return 0;
	}
	if (len > 5 && !memcmp(text, "unix:/", 6)) {
		ask->object = LSMD_OBJECT_PATH;
		ask->name = (struct ask_bytes){ .bytes = text + 5, .len = len - 5 };
		return 0;
	}
	ask->object = LSMD_OBJECT_ADDRESS;
	return explain_address(text, ask->wanted, &ask->address, why);
}

static int object_read(const json_t *json, struct question *question, struct explain_why *why)
{
	struct ask *ask = &question->ask;
	int r = explain_bytes(json, "connect", &question->object);

	if (!r)
		return connect_read(question, why);
	ask->object = LSMD_OBJECT_PATH;
	ask->wanted = LSMD_ACCESS_EXEC;
	if (r == -ENOENT)
		r = explain_bytes(json, "exec", &question->object);
	if (r == -ENOENT) {
		r = access_read(json_object_get(json, "access"), json_is_true(json_object_get(json, "device")),
				&ask->wanted, why);
		if (!r)
			r = explain_bytes(json, "open", &question->object);
	}
	if (r == -ENOENT || r == -EINVAL)
		return refuse(why, "nothing is asked for");
	if (r)
		return r;
	if (!question->object.len || question->object.bytes[0] != '/')
		return refuse(why, "a file is named by its absolute path");
	ask->name = (struct ask_bytes){ .bytes = question->object.bytes, .len = question->object.len };
	return 0;
}

static int layer_fill(json_t *item, const struct legend *legend, const struct lsmd_answer *answer)
{
	const struct lsmd_layer *layer = legend_layer(legend, answer->layer);
	const struct lsmd_rule *rule = legend_rule(legend, answer->rule);
	const struct lsmd_note *note = rule ? legend_note(legend, rule->note) : NULL;
	const char *policy = layer ? legend_string(legend, layer->name) : NULL;
	const char *file = note && note->file ? legend_string(legend, note->file)
			   : layer	      ? legend_string(legend, layer->file)
					      : NULL;
	const char *id = note ? legend_string(legend, note->id) : NULL;
	const char *text = note ? legend_string(legend, note->reason) : NULL;
	int r = file ? json_bytes(item, "file", file, strlen(file)) : 0;

	if (r || json_object_set_new(item, "policy", json_string(policy ? policy : "?")))
		return -ENOMEM;
	if (rule && json_object_set_new(item, "line", json_integer(rule->line)))
		return -ENOMEM;
	if (rule && layer &&
	    json_object_set_new(item, "rule",
				json_integer(rule->flags & LSMD_RULE_DEFAULT ? 0 : answer->rule - layer->first_rule)))
		return -ENOMEM;
	if (rule && json_object_set_new(item, "default", json_boolean(rule->flags & LSMD_RULE_DEFAULT)))
		return -ENOMEM;
	if (id && json_object_set_new(item, "rule_id", json_string(id)))
		return -ENOMEM;
	return text && json_object_set_new(item, "note", json_string(text)) ? -ENOMEM : 0;
}

json_t *explain_layer(const struct legend *legend, const struct lsmd_answer *answer)
{
	json_t *item =
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "mode", mode_name(answer->mode), "verdict",
			  answer->verdict == LSMD_VERDICT_DENY ? "deny" : "allow", "verb", verb_name(answer->verb),
			  "reason", reason_name(answer->reason), "reason_text", reason_text(answer->reason));

	if (item && layer_fill(item, legend, answer)) {
		json_decref(item);
		return NULL;
	}
	return item;
}

int asked_deciding(const struct asked *asked)
{
	int audit = -1;

	for (size_t i = 0; i < asked->n_layers; i++) {
		if (asked->answers[i].verdict != LSMD_VERDICT_DENY)
			continue;
		if (asked->answers[i].mode == LSMD_MODE_ENFORCE)
			return i;
		if (audit < 0)
			audit = i;
	}
	return audit >= 0 ? audit : asked->n_layers ? 0 : -1;
}

static int answer_make(const struct lsmd_image_header *image, const struct asked *asked, json_t **ret)
{
	_cleanup_(legend_freep) struct legend *legend = NULL;
	json_t *layers = json_array();
	json_t *answer = json_pack("{s:b, s:b, s:b, s:i, s:I, s:o, s:o}", "ok", 1, "refused", asked->refused, "held",
				   asked->n_layers > 0, "deciding", asked_deciding(asked), "generation",
				   (json_int_t)image->generation, "set",
				   json_sprintf("%016" PRIx64, (uint64_t)image->set_hash), "layers", layers);
	int r = answer ? legend_new(image, &legend) : -ENOMEM;

	for (size_t i = 0; i < asked->n_layers && !r; i++)
		r = json_array_append_new(layers, explain_layer(legend, &asked->answers[i])) ? -ENOMEM : 0;
	if (r) {
		json_decref(answer);
		return r;
	}
	*ret = answer;
	return 0;
}

/* A process is asked for by the policies that its label lists, handed down or not. */
static int pid_read(const struct lsmd_image_header *image, struct kernel *kernel, uint32_t pid,
		    struct question *question, struct explain_why *why)
{
	struct kernel_task task;
	struct holders holders;
	int r;

	if (!kernel)
		return refuse(why, "a process can be asked for only where the kernel enforces");
	r = holders_of(kernel, image, pid, &task, &holders);
	if (r)
		return r < 0 ? r : refuse(why, "no process %u", pid);
	if (holders.unknown || holders.overflow)
		return refuse(why, "the label of process %u is not known, so what cannot be decided is refused it",
			      pid);
	memcpy(question->layers, holders.layers, sizeof(question->layers));
	question->ask.layers = question->layers;
	question->ask.n_layers = holders.n;
	return 0;
}

static int question_ask(const struct lsmd_image_header *image, const struct ask *ask, struct explain_why *why, json_t **ret)
{
	struct asked asked;
	int r = image_ask(image, ask, &asked);

	if (r == ASK_TOO_MANY_LAYERS)
		return refuse(why, "more than %d policies would hold this program, so its exec is refused",
			      LSMD_LAYERS_MAX);
	if (r == -EINVAL)
		return refuse(why, "the name is not one that a process can ask for");
	return r ? r : answer_make(image, &asked, ret);
}

/* What the kernel loads for a script is asked for too, and only a deny refuses it (MEANING.md 20). */
static int interpreter_add(const struct lsmd_image_header *image, const json_t *name, struct question *question,
			   struct explain_why *why, json_t *answer)
{
	json_t *list = json_object_get(answer, "interpreters"), *one = NULL, *copy = json_deep_copy(name);
	_cleanup_buf_ struct buf bytes = {};
	struct ask ask = question->ask;
	int r = copy ? explain_bytes(name, "name", &bytes) : -ENOMEM;

	ask.name = (struct ask_bytes){ .bytes = bytes.bytes, .len = bytes.len };
	ask.deny_only = true;
	if (!r)
		r = question_ask(image, &ask, why, &one);
	if (!r && (json_object_update(copy, one) || json_array_append(list, copy)))
		r = -ENOMEM;
	if (!r && json_is_true(json_object_get(one, "refused")))
		r = json_object_set_new(answer, "refused", json_true());
	json_decref(one);
	json_decref(copy);
	return r;
}

static int interpreters_add(const struct lsmd_image_header *image, const json_t *question_json, struct question *question,
			    struct explain_why *why, json_t *answer)
{
	const json_t *names = json_object_get(question_json, "interpreters");
	int r = 0;

	if (!json_array_size(names) || question->ask.wanted != LSMD_ACCESS_EXEC)
		return 0;
	if (json_object_set_new(answer, "interpreters", json_array()))
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(names) && i < LSMD_LABEL_PROGRAMS_MAX && !r; i++)
		r = interpreter_add(image, json_array_get(names, i), question, why, answer);
	return r;
}

int explain_answer(const struct lsmd_image_header *image, struct kernel *kernel, const json_t *question_json,
		   struct explain_why *why, json_t **ret)
{
	_cleanup_(question_clear) struct question question = {};
	const json_t *pid = json_object_get(question_json, "pid");
	json_t *answer = NULL;
	int r;

	if (json_is_integer(pid))
		r = pid_read(image, kernel, json_integer_value(pid), &question, why);
	else
		r = programs_read(json_object_get(question_json, "programs"), &question, why);
	if (!r && !json_is_integer(pid))
		r = who_read(question_json, &question, why);
	if (!r)
		r = object_read(question_json, &question, why);
	if (r)
		return r;
	r = question_ask(image, &question.ask, why, &answer);
	if (!r)
		r = interpreters_add(image, question_json, &question, why, answer);
	if (r)
		json_decref(answer);
	else
		*ret = answer;
	return r;
}

/* The set of the layer's policy alone, without one rule: what it answers then is what the next rule says. */
static int runner_up_find(const struct policy_set *set, const struct policy *policy, size_t rule, const struct ask *ask,
			  json_t **ret)
{
	static const uint32_t only = 0;
	_cleanup_free_ struct rule *rules = calloc(policy->n_rules + 1, sizeof(*rules));
	_cleanup_free_ struct lsmd_image_header *image = NULL;
	struct policy without = *policy;
	struct policy_set alone = *set;
	struct explain_why why = {};
	struct diags diags = {};
	struct ask asks = *ask;
	size_t size;
	int r;

	if (!rules)
		return -ENOMEM;
	memcpy(rules, policy->rules, rule * sizeof(*rules));
	memcpy(rules + rule, policy->rules + rule + 1, (policy->n_rules - rule - 1) * sizeof(*rules));
	without.rules = rules;
	without.n_rules--;
	alone.policies = &without;
	alone.n_policies = 1;
	r = image_build(&alone, &diags, &image, &size);
	diags_clear(&diags);
	if (r)
		return r < 0 ? r : -EINVAL;
	asks.layers = &only;
	asks.n_layers = 1;
	return question_ask(image, &asks, &why, ret);
}

static int runner_up_add(const struct policy_set *set, const struct ask *ask, json_t *layer)
{
	const char *name = json_string_value(json_object_get(layer, "policy"));
	json_int_t rule = json_integer_value(json_object_get(layer, "rule"));
	json_t *answer = NULL;
	int r;

	for (size_t i = 0; i < set->n_policies && rule > 0; i++) {
		const struct policy *policy = &set->policies[i];

		if (strcmp(policy->name, name) || (size_t)rule > policy->n_rules)
			continue;
		r = runner_up_find(set, policy, rule - 1, ask, &answer);
		if (!r && json_object_set(layer, "runner_up", json_array_get(json_object_get(answer, "layers"), 0)))
			r = -ENOMEM;
		json_decref(answer);
		return r;
	}
	return 0;
}

int explain_runners_up(const struct policy_set *set, const json_t *question_json, json_t *answer)
{
	_cleanup_(question_clear) struct question question = {};
	const json_t *layers = json_object_get(answer, "layers");
	struct explain_why why = {};
	int r = object_read(question_json, &question, &why);

	for (size_t i = 0; i < json_array_size(layers) && !r; i++)
		r = runner_up_add(set, &question.ask, json_array_get(layers, i));
	return r;
}

static int label_programs_add(json_t *list, const struct lsmd_label *label)
{
	struct label_names names;
	int r = label_names_read(label, &names);

	for (size_t i = 0; i < names.n && !r; i++) {
		json_t *item = json_object();

		r = item ? json_bytes(item, "name", names.names[i].bytes, names.names[i].len) : -ENOMEM;
		if (json_array_append_new(list, item))
			r = -ENOMEM;
	}
	label_names_clear(&names);
	return r;
}

static int label_policies_add(json_t *list, const struct lsmd_image_header *image, const struct holders *holders)
{
	_cleanup_(legend_freep) struct legend *legend = NULL;
	int r = legend_new(image, &legend);

	for (size_t i = 0; i < holders->n && !r; i++) {
		const struct lsmd_layer *layer = legend_layer(legend, holders->layers[i]);
		const char *name = layer ? legend_string(legend, layer->name) : NULL;

		r = json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "policy", name ? name : "?", "mode",
							  mode_name(layer ? layer->mode : ~0u), "handed_down",
							  holders->handed_down[i]))
			    ? -ENOMEM
			    : 0;
	}
	return r;
}

int explain_label(const struct lsmd_image_header *image, struct kernel *kernel, uint32_t pid, struct explain_why *why,
		  json_t **ret)
{
	json_t *programs, *policies, *answer;
	struct kernel_task task;
	struct holders holders;
	int r = holders_of(kernel, image, pid, &task, &holders);

	if (r)
		return r < 0 ? r : refuse(why, "no process %u", pid);
	programs = json_array();
	policies = json_array();
	answer = json_pack("{s:b, s:I, s:b, s:b, s:b, s:o, s:o}", "ok", 1, "pid", (json_int_t)pid, "current",
			   task.labelled && task.label.generation == image->generation, "unknown", holders.unknown,
			   "overflow", holders.overflow, "programs", programs, "policies", policies);
	r = answer ? 0 : -ENOMEM;
	if (!r && task.labelled)
		r = label_programs_add(programs, &task.label);
	if (!r)
		r = label_policies_add(policies, image, &holders);
	if (r) {
		json_decref(answer);
		return r;
	}
	*ret = answer;
	return 0;
}
