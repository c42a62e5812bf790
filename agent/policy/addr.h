/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Internet addresses of a layer's rules: from overlapping ranges of addresses and ports to disjoint ones that each hold the whole
 * answer. A sweep over the boundaries, n log n in their number while few ranges overlap in one place.
 */
#ifndef LSMD_POLICY_ADDR_H
#define LSMD_POLICY_ADDR_H

#include <stddef.h>
#include <stdint.h>

#include "agent/policy/class.h"
#include "agent/policy/dedupe.h"
#include "agent/policy/policy.h"
#include "lsm/abi/image.h"

/* Of one layer: what bounds the time when many ranges overlap in many places. Ranges looked at, all boundaries together. */
#define ADDR_WORK_MAX (1ull << 31)
/* Ranges of all distinct overlaps together. */
#define ADDR_MEMBERS_MAX (1u << 24)

/* What one rule says of a range of addresses and ports. */
struct range {
	unsigned __int128 first, last;
	uint32_t protos; /* bit set of enum lsmd_proto */
	uint16_t first_port, last_port;
	uint32_t allow, deny;
	uint32_t rule;
};

/* The address sections of an image while it is put together. Zero-initialise, addr_init(), addr_clear(). */
struct addr {
	struct {
		struct lsmd_net_table *items;
		size_t n, capacity;
	} nets;
	struct {
		struct lsmd_interval *items;
		size_t n, capacity;
	} intervals;
	struct {
		struct lsmd_portset *items;
		size_t n, capacity;
	} portsets;
	struct {
		struct lsmd_port *items;
		size_t n, capacity;
	} ports;
	struct dedupe known_portsets;
	struct {
		struct range *items; /* of the layer being read */
		size_t n, capacity;
	} ranges;
};

enum {
	ADDR_TOO_LARGE = 1, /* too many overlaps, or more intervals than a search takes */
};

int addr_init(struct addr *addr);
void addr_clear(struct addr *addr);

/** addr_add() - a range of the layer being read; copied. Return: 0, -ENOMEM */
int addr_add(struct addr *addr, const struct range *range);

/**
 * addr_close() - the table of the ranges added since the last call
 * @costliest: on ADDR_TOO_LARGE the rule whose range stands in most overlaps
 * @net:       index of the table, 0 when there were no ranges
 * Return: 0, ADDR_TOO_LARGE, -ENOMEM
 */
int addr_close(struct addr *addr, struct class_table *table, uint32_t *costliest, uint32_t *net);

#endif
