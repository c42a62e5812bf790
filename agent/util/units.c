// SPDX-License-Identifier: LGPL-2.1-or-later
/* Numbers with units, for people. */
#include "agent/util/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct units_text units_time(uint64_t ns)
{
	struct units_text ret;

	if (ns < 1000)
		snprintf(ret.text, sizeof(ret.text), "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		snprintf(ret.text, sizeof(ret.text), "%.1f us", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(ret.text, sizeof(ret.text), "%.2f ms", ns / 1e6);
	else
		snprintf(ret.text, sizeof(ret.text), "%.2f s", ns / 1e9);
	return ret;
}

struct units_text units_bytes(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	struct units_text ret;
	double value = bytes / 1024.0;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(ret.text, sizeof(ret.text), "%" PRIu64 " B", bytes);
		return ret;
	}
	for (; value >= 1024 && i + 1 < sizeof(units) / sizeof(*units); i++)
		value /= 1024;
	snprintf(ret.text, sizeof(ret.text), "%.1f %s", value, units[i]);
	return ret;
}

struct units_text units_ago(uint64_t then_us, uint64_t now_us)
{
	uint64_t seconds = now_us > then_us ? (now_us - then_us) / 1000000 : 0;
	struct units_text ret;

	if (seconds < 120)
		snprintf(ret.text, sizeof(ret.text), "%" PRIu64 " s ago", seconds);
	else if (seconds < 120 * 60)
		snprintf(ret.text, sizeof(ret.text), "%" PRIu64 " min ago", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(ret.text, sizeof(ret.text), "%" PRIu64 " h ago", seconds / 3600);
	else
		snprintf(ret.text, sizeof(ret.text), "%" PRIu64 " d ago", seconds / 86400);
	return ret;
}

unsigned int units_seconds(const char *text)
{
	static const struct {
		char unit;
		unsigned int seconds;
	} units[] = { { '\0', 1 }, { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return 0;
	n = strtoul(text, &end, 10);
	if (n > 86400 || (*end && end[1]))
		return 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (units[i].unit == *end)
			return n * units[i].seconds <= 86400 ? n * units[i].seconds : 0;
	return 0;
}
