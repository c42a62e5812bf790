/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records as JSON lines in a file that is rotated by its size, or on standard output. */
#ifndef LSMD_RECORD_FILE_H
#define LSMD_RECORD_FILE_H

#include <stdint.h>

#include "agent/record/sink.h"

struct file_settings {
	const char *path; /* borrowed for good; "-": standard output */
	uint64_t bytes_max; /* of one file */
	unsigned int keep; /* files before the one that is written: PATH.1 is the youngest */
};

/** file_sink() - the sink; there is one */
const struct sink_type *file_sink(const struct file_settings *settings);

#endif
