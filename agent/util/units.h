/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers with units, for people. */
#ifndef LSMD_UTIL_UNITS_H
#define LSMD_UTIL_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the longest text, its NUL included. */
#define UNITS_TEXT 32

struct units_text {
	char text[UNITS_TEXT];
};

/** units_time() - "850 ns", "12.4 us", "3.21 ms", "2.10 s" */
struct units_text units_time(uint64_t ns);

/** units_bytes() - "512 B", "1.5 KiB", "17.0 MiB" */
struct units_text units_bytes(uint64_t bytes);

/** units_seconds() - "90", "90s", "10m", "2h", "1d": seconds, 1 to a day's; 0: it is no such time */
unsigned int units_seconds(const char *text);

/** units_ago() - "12 s ago", "5 min ago", "3 h ago", "2 d ago" */
struct units_text units_ago(uint64_t then_us, uint64_t now_us);

#endif
