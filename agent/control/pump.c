// SPDX-License-Identifier: LGPL-2.1-or-later
/* From the rings to the recorder. */
#include "agent/control/pump.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "agent/util/cleanup.h"
#include "agent/util/log.h"

struct pump {
	struct kernel *kernel;
	struct recorder *recorder;
	sd_event_source *ring; /* off while the timer runs */
	sd_event_source *timer; /* the next emptying under load */
	sd_event_source *fold; /* when held repeats are due */
	uint64_t last_us; /* monotonic, of the last emptying */
};

static uint64_t monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static void event_take(void *data, const struct lsmd_event *event, size_t size, bool denial)
{
	recorder_event(data, event, size, denial);
}

static void fold_arm(struct pump *pump)
{
	uint64_t next_ns = recorder_expire(pump->recorder);

	if (!next_ns)
		return;
	sd_event_source_set_time(pump->fold, next_ns / 1000 + 1);
	sd_event_source_set_enabled(pump->fold, SD_EVENT_ONESHOT);
}

int pump_drain(struct pump *pump)
{
	int n = kernel_events_read(pump->kernel, event_take, pump->recorder);

	pump->last_us = monotonic_us();
	if (n < 0)
		log_error(n, "Cannot read events from the kernel");
	fold_arm(pump);
	return n;
}

static int ring_ready(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct pump *pump = data;
	uint64_t now_us = monotonic_us();

	if (now_us - pump->last_us >= PUMP_INTERVAL_US)
		return pump_drain(pump) < 0 ? -EIO : 0;
	sd_event_source_set_enabled(pump->ring, SD_EVENT_OFF);
	sd_event_source_set_time(pump->timer, pump->last_us + PUMP_INTERVAL_US);
	sd_event_source_set_enabled(pump->timer, SD_EVENT_ONESHOT);
	return 0;
}

static int timer_due(sd_event_source *source, uint64_t usec, void *data)
{
	struct pump *pump = data;

	sd_event_source_set_enabled(pump->ring, SD_EVENT_ON);
	return pump_drain(pump) < 0 ? -EIO : 0;
}

static int fold_due(sd_event_source *source, uint64_t usec, void *data)
{
	fold_arm(data);
	return 0;
}

int pump_new(sd_event *event, struct kernel *kernel, struct recorder *recorder, struct pump **ret)
{
	struct pump *pump = calloc(1, sizeof(*pump));
	int r;

	if (!pump)
		return -ENOMEM;
	pump->kernel = kernel;
	pump->recorder = recorder;
	r = sd_event_add_io(event, &pump->ring, kernel_events_fd(kernel), EPOLLIN, ring_ready, pump);
	if (r >= 0)
		r = sd_event_add_time(event, &pump->timer, CLOCK_MONOTONIC, 0, 1000, timer_due, pump);
	if (r >= 0)
		r = sd_event_add_time(event, &pump->fold, CLOCK_BOOTTIME, 0, 50000, fold_due, pump);
	if (r < 0) {
		pump_free(pump);
		return r;
	}
	sd_event_source_set_enabled(pump->timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(pump->fold, SD_EVENT_OFF);
	*ret = pump;
	return 0;
}

void pump_free(struct pump *pump)
{
	if (!pump)
		return;
	sd_event_source_disable_unref(pump->ring);
	sd_event_source_disable_unref(pump->timer);
	sd_event_source_disable_unref(pump->fold);
	free(pump);
}
