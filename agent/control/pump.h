/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the rings to the recorder. A lone event is taken at once; under load the rings are emptied every PUMP_INTERVAL, so
 * that one wake-up serves many events.
 */
#ifndef LSMD_CONTROL_PUMP_H
#define LSMD_CONTROL_PUMP_H

#include <systemd/sd-event.h>

#include "agent/kernel/kernel.h"
#include "agent/record/recorder.h"

#define PUMP_INTERVAL_US 10000

struct pump;

/** pump_new() - @kernel and @recorder are borrowed. Return: 0, -errno */
int pump_new(sd_event *event, struct kernel *kernel, struct recorder *recorder, struct pump **ret);
void pump_free(struct pump *pump);

/** pump_drain() - all that is in the rings now. Return: number of events, -errno */
int pump_drain(struct pump *pump);

#endif
