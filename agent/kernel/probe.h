/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The doctor's words, for the agent's log and for lsmctl doctor. The questions themselves: kernel_probe() in kernel.h. */
#ifndef LSMD_KERNEL_PROBE_H
#define LSMD_KERNEL_PROBE_H

#include "agent/kernel/kernel.h"

/** probe_log() - what is wrong, with its mend, one message each, to the log */
void probe_log(const struct probe *probe);

#endif
