// SPDX-License-Identifier: LGPL-2.1-or-later
/* The running agent. */
#include "agent/control/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "agent/control/pump.h"
#include "agent/control/reload.h"
#include "agent/control/requests.h"
#include "agent/control/status.h"
#include "agent/control/trial.h"
#include "agent/kernel/probe.h"
#include "agent/record/file.h"
#include "agent/record/jsonl.h"
#include "agent/record/metrics.h"
#include "agent/util/buf.h"
#include "agent/util/cleanup.h"
#include "agent/util/log.h"

/* How long each sink may take at the end for what it has queued. */
#define SINK_TIMEOUT_MS 2000
/* How often the metrics file is written, where there is one. */
#define METRICS_INTERVAL_US 15000000

static uint64_t realtime_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

/* Beside the socket: "control.sock.lock". The file stays; only the lock on it counts. */
static int lock_take(const char *socket_path)
{
	_cleanup_buf_ struct buf path = {};
	_cleanup_close_ int fd = -1;
	char *slash;

	buf_printf(&path, "%s", socket_path);
	if (path.failed)
		return -ENOMEM;
	slash = strrchr(path.bytes, '/');
	*slash = '\0';
	if (mkdir(slash == path.bytes ? "/" : path.bytes, 0755) && errno != EEXIST)
		return -errno;
	*slash = '/';
	buf_add_string(&path, ".lock");
	if (path.failed)
		return -ENOMEM;
	fd = open(path.bytes, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return -errno;
	return TAKE_FD(fd);
}

int agent_new(const struct settings *settings, sd_event *event, struct agent **ret)
{
	_cleanup_(agent_freep) struct agent *agent = calloc(1, sizeof(*agent));

	if (!agent)
		return -ENOMEM;
	agent->settings = settings;
	agent->event = sd_event_ref(event);
	agent->serial.file = settings->serial_file;
	agent->started_us = realtime_us();
	agent->lock_fd = lock_take(settings->socket);
	if (agent->lock_fd == -EWOULDBLOCK) {
		log_error(0, "Another lsmd runs already; it holds %s.lock", settings->socket);
		return AGENT_REFUSED;
	}
	if (agent->lock_fd < 0)
		return log_error(agent->lock_fd, "Cannot take the lock %s.lock", settings->socket);
	*ret = TAKE_PTR(agent);
	return 0;
}

static void diagnostics_log(const struct intake *intake)
{
	_cleanup_free_ char *text = intake_text(intake, false);

	if (text)
		log_message(intake->diags.n_errors ? LOG_ERR : LOG_WARNING, 0, "%s", text);
}

static void unable_log(const struct kernel_why *why)
{
	struct probe probe;

	log_error(0, "This kernel cannot enforce: %s", why->text);
	if (!kernel_probe(&probe)) {
		log_error(0, "%s: %s", probe.lines[0].what, probe.lines[0].found);
		probe_log(&probe);
	}
	log_error(0, "lsmd does not run without enforcing. 'lsmctl doctor' shows all that it looked at");
}

/* @image may be NULL: nothing is put in force then, but what an earlier agent left is taken over. */
static int kernel_open_say(struct agent *agent, const struct lsmd_image_header *image, size_t size)
{
	struct kernel_why why = {};
	int r = kernel_open(agent->settings->pins, image, size, &why, &agent->kernel);

	if (r == KERNEL_UNABLE) {
		unable_log(&why);
		return AGENT_UNABLE;
	}
	if (r == KERNEL_FOREIGN_PINS) {
		log_error(0, "The kernel goes on enforcing what another version of lsmd left in force, which this one cannot take over: %s. "
			     "Start that version again, or end its enforcement with 'lsmctl unload'", why.text);
		return AGENT_REFUSED;
	}
	if (r)
		return r > 0 ? r : log_error(r, "Cannot load into the kernel: %s", why.text);
	if (*kernel_found(agent->kernel))
		log_warning(0, "Found at the start: %s", kernel_found(agent->kernel));
	return 0;
}

/* Refuse to start, or go on with what is in force: a broken set must not end the enforcement of the one before. */
static int broken_start(struct agent *agent, int r)
{
	int opened = kernel_open_say(agent, NULL, 0);

	if (opened == KERNEL_NOTHING_LOADED) {
		log_error(r < 0 ? r : 0, "The policies are refused, nothing is in force and nothing was changed. "
					 "Mend them, try them with 'lsmctl check', and start lsmd again");
		return r < 0 ? r : AGENT_REFUSED;
	}
	if (opened)
		return opened;
	agent->refused_us = realtime_us();
	log_error(r < 0 ? r : 0,
		  "The policies on disk are refused: what an earlier lsmd left in force goes on, as generation %" PRIu64 ". "
		  "Mend them and run 'lsmctl reload'",
		  kernel_generation(agent->kernel));
	return 0;
}

static void record_tell(struct agent *agent, struct record *record, bool learners)
{
	json_t *event;

	if (!agent->server || !server_has_followers(agent->server, learners))
		return;
	event = record_json(record);
	if (event)
		server_broadcast(agent->server, json_pack("{s:b, s:o}", "ok", 1, "event", event), learners);
}

static void record_heard(void *data, struct record *record)
{
	record_tell(data, record, false);
}

static bool learning(void *data)
{
	const struct agent *agent = data;

	return agent->server && server_has_followers(agent->server, true);
}

static void record_learned(void *data, struct record *record)
{
	record_tell(data, record, true);
}

/*
 * Verbs that these programs do not mediate on this kernel are known only once they are loaded. A set that needs one is
 * taken back where this agent put it in force; the caller has the diagnostics.
 */
static int unmediated_refuse(struct agent *agent, struct intake *intake)
{
	uint32_t unmediated = kernel_unmediated(agent->kernel);

	if (!intake->set || !unmediated || !unmediated_check(intake->set, unmediated, &intake->diags))
		return 0;
	diagnostics_log(intake);
	if (kernel_taken_over(agent->kernel)) {
		agent->refused_us = realtime_us();
		log_error(0, "The policies on disk are refused; what an earlier lsmd left in force goes on");
		policy_set_free(intake->set);
		intake->set = NULL;
		return 0;
	}
	kernel_free(agent->kernel);
	agent->kernel = NULL;
	kernel_unload(agent->settings->pins);
	log_error(0, "This kernel does not mediate what the policies need: nothing is in force");
	return AGENT_REFUSED;
}

static bool image_is_in_force(struct agent *agent, const struct intake *intake)
{
	const struct lsmd_image_header *image = kernel_image(agent->kernel);

	return image && image->checksum == intake->image->checksum && image->size == intake->image->size;
}

/*
 * After a takeover the set on disk takes the place of the earlier one. Where it cannot, that one goes on, as it would for a
 * reload.
 */
static void takeover_finish(struct agent *agent)
{
	struct kernel_times times;
	struct kernel_why why = {};
	int r;

	log_notice("Took over what an earlier lsmd left in force, generation %" PRIu64,
		   kernel_generation(agent->kernel));
	r = trial_resume(agent);
	if (!agent->intake.set || image_is_in_force(agent, &agent->intake))
		return;
	if (r || kernel_rejected(agent->kernel) == agent->intake.image->checksum) {
		if (!r)
			log_error(0, "The policies on disk are those of a reload that nobody confirmed: they are left out of force. "
				     "'lsmctl reload' puts them in force");
		if (!r)
			agent_refused(agent);
		policy_set_free(agent->intake.set);
		agent->intake.set = NULL;
		return;
	}
	r = agent_swap(agent, agent->intake.image, agent->intake.image_size, NULL, &why, &times);
	if (!r)
		return;
	log_error(r < 0 ? r : 0, "The policies on disk cannot be put in force, the earlier ones go on: %s", why.text);
	policy_set_free(agent->intake.set);
	agent->intake.set = NULL;
	agent_refused(agent);
}

void agent_policies(struct agent *agent, struct seal_want *want, struct policy_options *ret)
{
	settings_policies(agent->settings, ret);
	ret->look = true;
	if (!settings_want(agent->settings, want))
		return;
	want->last = agent->serial.last;
	ret->want = want;
}

int agent_remember(struct agent *agent, const struct seal_stamp *stamp, struct kernel_why *why)
{
	if (!agent->settings->n_signed_by)
		return 0;
	if (stamp && stamp->serial)
		return serial_advance(&agent->serial, stamp, why->text, sizeof(why->text));
	snprintf(why->text, sizeof(why->text), "who signed it is not known to this lsmd: run 'lsmctl reload' again");
	return SERIAL_REFUSED;
}

void agent_forget(struct agent *agent)
{
	int r = serial_undo(&agent->serial);

	if (r)
		log_error(r, "Cannot take back the serial number in %s: what is in force can be loaded again only when it is signed with a higher one",
			  agent->settings->serial_file);
}

/* Read, checked, signed where that is asked for, and remembered. Return: 0, positive: refused and why was logged, -errno */
static int policies_read(struct agent *agent)
{
	struct policy_options options;
	struct kernel_why why = {};
	struct seal_want want;
	int r = agent->settings->n_signed_by ? serial_open(&agent->serial, agent->settings->serial_file, why.text, sizeof(why.text)) : 0;

	if (!r && agent->settings->n_signed_by && !agent->serial.last.serial)
		log_warning(0, "No serial number is remembered in %s: any signed set is taken this once", agent->settings->serial_file);
	agent_policies(agent, &want, &options);
	if (!r) {
		r = intake_run(&options, 0, &agent->intake);
		diagnostics_log(&agent->intake);
		if (r)
			return r;
		r = agent_remember(agent, &agent->intake.set->stamp, &why);
	}
	if (r)
		log_error(0, "%s", why.text);
	return r;
}

int agent_enforce(struct agent *agent)
{
	struct intake *intake = &agent->intake;
	int r = policies_read(agent);

	if (r) {
		r = broken_start(agent, r);
		if (intake->set)
			policy_set_free(intake->set);
		intake->set = NULL;
		return r;
	}
	r = kernel_open_say(agent, intake->image, intake->image_size);
	if (!r)
		r = unmediated_refuse(agent, intake);
	if (r)
		agent_forget(agent);
	return r;
}

static int file_sink_add(struct agent *agent)
{
	const struct settings *settings = agent->settings;
	const struct file_settings file = {
		.path = settings->events_file,
		.bytes_max = settings->events_file_mib << 20,
		.keep = settings->events_file_keep,
	};

	return settings->events_file ? recorder_add_sink(agent->recorder, file_sink(&file)) : 0;
}

static int records_begin(struct agent *agent, recorder_fn listener)
{
	const struct lsmd_image_header *image = kernel_image(agent->kernel);
	int r = recorder_new(listener, agent, kernel_tally(agent->kernel), &agent->recorder);

	if (!r)
		recorder_set_learner(agent->recorder, learning, record_learned);
	if (!r && image)
		r = recorder_set_image(agent->recorder, image);
	if (!r)
		r = recorder_add_sink(agent->recorder, &sink_audit);
	if (!r)
		r = recorder_add_sink(agent->recorder, &sink_journal);
	if (!r)
		r = file_sink_add(agent);
	if (!r)
		r = pump_new(agent->event, agent->kernel, agent->recorder, &agent->pump);
	return r ? log_error(r, "Cannot prepare records") : 0;
}

/* The set on disk is in force for good, or its serial number is not that of what is. */
static void serial_finish(struct agent *agent)
{
	struct kernel_trial trial;

	if (agent->intake.set && !kernel_trial(agent->kernel, &trial))
		serial_keep(&agent->serial);
	else
		agent_forget(agent);
}

/* The set in force is settled: what the rings held before it is recorded, then what is on disk takes its place. */
static int start_finish(struct agent *agent)
{
	pump_drain(agent->pump);
	if (kernel_taken_over(agent->kernel))
		takeover_finish(agent);
	serial_finish(agent);
	if (agent->intake.set)
		agent_adopt(agent, &agent->intake, false);
	/* Compiling and loading took memory that running does not need. */
	intake_clear(&agent->intake);
	malloc_trim(0);
	if (!kernel_image(agent->kernel)) {
		log_error(0, "No policies could be put in force");
		return AGENT_REFUSED;
	}
	return 0;
}

static int metrics_due(sd_event_source *source, uint64_t usec, void *data)
{
	struct agent *agent = data;
	json_t *status = NULL;
	int r = agent_status(agent, true, &status);

	if (!r)
		r = metrics_write(agent->settings->metrics_file, status);
	json_decref(status);
	if (r)
		log_limited(&agent->refusals, r, "Cannot write the metrics to %s", agent->settings->metrics_file);
	sd_event_source_set_time(source, usec + METRICS_INTERVAL_US);
	return 0;
}

/* Only where somebody wants the file does the agent wake up for it. */
static int metrics_begin(struct agent *agent)
{
	uint64_t now_us;
	int r;

	if (!agent->settings->metrics_file)
		return 0;
	r = sd_event_now(agent->event, CLOCK_MONOTONIC, &now_us);
	if (r >= 0)
		r = sd_event_add_time(agent->event, &agent->metrics, CLOCK_MONOTONIC, now_us, 1000000, metrics_due, agent);
	return r < 0 ? r : sd_event_source_set_enabled(agent->metrics, SD_EVENT_ON);
}

/* The path of the unit's control group below the mount of cgroup2; empty: none of our own */
static void own_cgroup(char *path, size_t size)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/cgroup", "re");
	char line[4096];

	*path = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::/", 4) && strstr(line, ".service"))
			snprintf(path, size, "/sys/fs/cgroup%s", line + 3);
	}
}

/* own_start() - field 22 of our /proc/PID/stat; the second is a name in parentheses, which can hold anything. 0: it cannot be read */
static uint64_t own_start(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/stat", "re");
	char line[1024] = "", *at;

	if (!file || !fgets(line, sizeof(line), file) || !(at = strrchr(line, ')')))
		return 0;
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

/* Inode numbers of control groups are what BPF calls their ids. The root has nothing that stops anybody. */
static void guard_begin(struct agent *agent)
{
	struct kernel_agent self = { .tgid = getpid(), .start = own_start(), .protect = agent->settings->protect };
	char path[4200];
	struct stat st;

	own_cgroup(path, sizeof(path));
	for (int i = 0; i <= LSMD_GUARD_ABOVE_MAX && strlen(path) > strlen("/sys/fs/cgroup"); i++) {
		if (stat(path, &st))
			break;
		self.groups[i] = st.st_ino;
		*strrchr(path, '/') = '\0';
	}
	if (!self.start)
		log_warning(0, "/proc/self/stat does not say when lsmd began: the guard will not know its process");
	if (self.protect && !self.groups[0])
		log_warning(0, "\"protect\" is set, and lsmd has no unit: its next start by hand will not get at its pins");
	kernel_guard(agent->kernel, &self);
}

/* Stopped on purpose: the next start need not be in the same unit, and whoever is root may end enforcement. */
static void guard_end(struct agent *agent)
{
	const struct kernel_agent nobody = {};

	if (agent->kernel)
		kernel_guard(agent->kernel, &nobody);
}

int agent_serve(struct agent *agent)
{
	int r = records_begin(agent, record_heard);

	if (!r)
		r = start_finish(agent);
	if (r)
		return r;
	r = reloads_new(agent, &agent->reloads);
	if (r)
		return log_error(r, "Cannot prepare reloads");
	r = metrics_begin(agent);
	if (r < 0)
		return log_error(r, "Cannot prepare the metrics file");
	guard_begin(agent);
	r = server_open(agent->event, agent->settings->socket, request_handle, agent, &agent->server);
	return r ? log_error(r, "Cannot listen at %s", agent->settings->socket) : 0;
}

/* The grace period is over: what the image before had to say is in the rings. */
static void swap_finish(struct agent *agent)
{
	int r = recorder_set_image(agent->recorder, kernel_image(agent->kernel));

	if (r)
		log_error(r, "Records of the new policies will lack their names");
	pump_drain(agent->pump);
	recorder_settle(agent->recorder);
	agent->loaded_us = realtime_us();
}

int agent_swap(struct agent *agent, const struct lsmd_image_header *image, size_t size, const struct kernel_trial *trial,
	       struct kernel_why *why, struct kernel_times *times)
{
	int r;

	pump_drain(agent->pump);
	r = trial ? kernel_swap_trial(agent->kernel, image, size, trial, why, times) :
		    kernel_swap(agent->kernel, image, size, why, times);
	if (!r)
		swap_finish(agent);
	return r;
}

int agent_settle(struct agent *agent, bool keep)
{
	int r;

	pump_drain(agent->pump);
	r = kernel_settle(agent->kernel, keep);
	if (!r)
		swap_finish(agent);
	return r;
}

void agent_adopt(struct agent *agent, struct intake *intake, bool trial)
{
	loaded_free(agent->before);
	agent->before = agent->loaded;
	if (!trial) {
		loaded_free(agent->before);
		agent->before = NULL;
	}
	agent->refused_us = 0;
	agent->loaded = TAKE_PTR(intake->loaded);
	if (!agent->loaded_us)
		agent->loaded_us = realtime_us();
}

void agent_refused(struct agent *agent)
{
	agent->refused_us = realtime_us();
}

/* Who signed what is in force; null: nobody needs to. */
static json_t *signature_json(const struct agent *agent)
{
	const struct seal_stamp *stamp = agent->loaded ? loaded_stamp(agent->loaded) : NULL;
	const struct settings *settings = agent->settings;
	const char *file = NULL;

	if (!settings->n_signed_by)
		return json_null();
	for (size_t i = 0; stamp && i < settings->n_keys; i++)
		if (!strcmp(settings->keys[i].id, stamp->key))
			file = settings->keys[i].file;
	if (!stamp || !stamp->serial)
		return json_pack("{s:n, s:n, s:n, s:s}", "serial", "key", "key_file", "file", settings->signature);
	return json_pack("{s:I, s:s, s:s?, s:s}", "serial", (json_int_t)stamp->serial, "key", stamp->key, "key_file", file, "file",
			 settings->signature);
}

static int status_add_agent(struct agent *agent, json_t *status)
{
	json_t *running = json_pack("{s:s, s:i, s:I, s:I, s:I}", "version", LSMD_VERSION, "pid", (int)getpid(),
				    "started_us", (json_int_t)agent->started_us, "loaded_us",
				    (json_int_t)agent->loaded_us, "refused_us", (json_int_t)agent->refused_us);

	if (json_object_set_new(status, "agent", running) || json_object_set_new(status, "trial", trial_json(agent)) ||
	    json_object_set_new(status, "signature", signature_json(agent)) || json_object_set_new(status, "ok", json_true()))
		return -ENOMEM;
	if (!agent->loaded)
		return json_object_set_new(status, "files", json_null()) ? -ENOMEM : 0;
	return json_object_set_new(status, "files", loaded_changes(agent->loaded)) ? -ENOMEM : 0;
}

int agent_status(struct agent *agent, bool rules, json_t **ret)
{
	json_t *status;
	int r;

	pump_drain(agent->pump);
	r = status_kernel(agent->kernel, agent->recorder, &status);
	if (r)
		return r;
	r = status_sinks(status, agent->recorder);
	if (!r && rules)
		r = status_rules(status, agent->kernel);
	if (!r && agent->reloads_told)
		r = json_object_set(status, "reloads", agent->reloads_told) ? -ENOMEM : 0;
	if (!r)
		r = status_add_agent(agent, status);
	if (r) {
		json_decref(status);
		return r;
	}
	*ret = status;
	return 0;
}

void agent_reloaded(struct agent *agent, const char *outcome, const struct intake *intake, const struct kernel_times *times)
{
	json_t *outcomes, *last;

	if (!agent->reloads_told)
		agent->reloads_told = json_pack("{s:{}}", "outcomes");
	outcomes = json_object_get(agent->reloads_told, "outcomes");
	last = json_pack("{s:I, s:I, s:I, s:I, s:I}", "check", (json_int_t)intake->check_ns, "compile",
			 (json_int_t)intake->compile_ns, "load", (json_int_t)times->load_ns, "swap",
			 (json_int_t)times->swap_ns, "grace", (json_int_t)times->grace_ns);
	if (json_object_set_new(outcomes, outcome,
				json_integer(json_integer_value(json_object_get(outcomes, outcome)) + 1)) ||
	    json_object_set_new(agent->reloads_told, "last_ns", last))
		log_error(-ENOMEM, "Cannot count a reload");
}

void agent_say_status(struct agent *agent)
{
	const struct lsmd_image_header *image = kernel_image(agent->kernel);

	if (image)
		sd_notifyf(0, "STATUS=Enforcing %u %s, generation %" PRIu64 ", set %016" PRIx64 "%s", image->layers.n,
			   image->layers.n == 1 ? "policy" : "policies", kernel_generation(agent->kernel),
			   (uint64_t)image->set_hash, agent->refused_us ? "; the policies on disk are refused" : "");
}

void agent_free(struct agent *agent)
{
	uint64_t left;

	if (!agent)
		return;
	reloads_free(agent->reloads);
	sd_event_source_disable_unref(agent->metrics);
	if (agent->pump)
		pump_drain(agent->pump);
	server_close(agent->server);
	agent->server = NULL;
	left = recorder_free(agent->recorder, SINK_TIMEOUT_MS);
	if (left)
		log_warning(0, "%" PRIu64 " decisions could not be delivered to audit or journal before the end", left);
	pump_free(agent->pump);
	guard_end(agent);
	kernel_free(agent->kernel);
	intake_clear(&agent->intake);
	sd_event_source_disable_unref(agent->trial);
	loaded_free(agent->before);
	loaded_free(agent->loaded);
	json_decref(agent->reloads_told);
	if (agent->lock_fd > 0)
		close(agent->lock_fd);
	sd_event_unref(agent->event);
	free(agent);
}
