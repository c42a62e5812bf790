/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* addr.c: the intervals say of every address and port what the rules say one by one, and many of them are made in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/policy/addr.h"

typedef unsigned __int128 address;

struct plan {
	struct addr addr;
	struct class_table table;
	uint32_t net, costliest;
	struct range ranges[64]; /* of the last layer */
	size_t n;
};

static void plan_open(struct plan *plan)
{
	*plan = (struct plan){};
	assert_int_equal(addr_init(&plan->addr), 0);
	assert_int_equal(class_table_init(&plan->table), 0);
}

static void plan_add(struct plan *plan, struct range range)
{
	plan->ranges[plan->n++] = range;
	assert_int_equal(addr_add(&plan->addr, &range), 0);
}

static void plan_close(struct plan *plan)
{
	assert_int_equal(addr_close(&plan->addr, &plan->table, &plan->costliest, &plan->net), 0);
}

static void plan_free(struct plan *plan)
{
	addr_clear(&plan->addr);
	class_table_clear(&plan->table);
}

/* The record for an address and port, looked for from the front; NULL where no rule speaks. */
static const struct lsmd_port *plan_find(const struct plan *plan, unsigned int proto, address at, uint32_t port)
{
	const struct lsmd_net_table *net = &plan->addr.nets.items[plan->net];
	const struct lsmd_interval *intervals = plan->addr.intervals.items + net->proto[proto].first;
	const struct lsmd_portset *set;
	uint32_t i = 0;

	if (!plan->net || !net->proto[proto].n)
		return NULL;
	assert_true(!intervals[0].hi && !intervals[0].lo);
	while (i + 1 < net->proto[proto].n && ((address)intervals[i + 1].hi << 64 | intervals[i + 1].lo) <= at)
		i++;
	set = &plan->addr.portsets.items[intervals[i].portset];
	for (uint32_t p = 0; intervals[i].portset && p < set->n; p++) {
		const struct lsmd_port *found = &plan->addr.ports.items[set->first + p];

		if (found->first <= port && port <= found->last)
			return found;
	}
	return NULL;
}

static uint32_t port_rule(const struct plan *plan, const struct lsmd_port *port, int v)
{
	if (!(port->rule & LSMD_RULE_ROW))
		return (port->allow | port->deny) >> v & 1 ? port->rule : 0;
	return plan->table.rows.items[port->rule & ~LSMD_RULE_ROW].rule[v];
}

static void expect_address(const struct plan *plan, unsigned int proto, address at, uint32_t port)
{
	const struct lsmd_port *found = plan_find(plan, proto, at, port);
	struct sum sum = {};

	for (size_t i = 0; i < plan->n; i++) {
		const struct range *r = &plan->ranges[i];

		if (r->protos >> proto & 1 && r->first <= at && at <= r->last && r->first_port <= port &&
		    port <= r->last_port)
			sum_add(&sum, r->allow, r->deny, r->rule);
	}
	assert_int_equal(found ? found->allow : 0, sum.allow);
	assert_int_equal(found ? found->deny : 0, sum.deny);
	for (int v = 0; found && v < 32; v++)
		assert_int_equal(port_rule(plan, found, v), (sum.allow | sum.deny) >> v & 1 ? sum.rule[v] : 0);
}

static size_t random_below(size_t n)
{
	return (size_t)random() % n;
}

/* Few different sides, the first and the last address among them, so that many ranges touch. */
static address random_side(void)
{
	static const uint64_t words[] = { 0, 1, 2, 0xffff0a000000, 0xffff0a0000ff, ~0ull - 1, ~0ull };

	return (address)words[random_below(7)] << 64 | words[random_below(7)];
}

static struct range random_range(uint32_t rule)
{
	static const uint16_t ports[] = { 0, 1, 79, 80, 81, 443, 65534, 65535 };
	struct range r = { .rule = rule, .protos = 1 + (uint32_t)random_below(31) };
	uint32_t access = 1u << (10 + random_below(3)) | 1u << (10 + random_below(3));

	do {
		r.first = random_side();
		r.last = random_side();
	} while (r.last < r.first);
	do {
		r.first_port = ports[random_below(8)];
		r.last_port = ports[random_below(8)];
	} while (r.last_port < r.first_port);
	if (random_below(3))
		r.allow = access;
	else
		r.deny = access;
	return r;
}

static void intervals_say_what_the_rules_say(void **state)
{
	static const uint32_t ports[] = { 0, 1, 2, 78, 79, 80, 81, 82, 442, 443, 444, 65533, 65534, 65535 };

	srandom(5);
	for (int round = 0; round < 300; round++) {
		struct plan plan;

		plan_open(&plan);
		for (int layer = 0; layer < 2; layer++) {
			plan.n = 0;
			for (size_t n = random_below(10); n--;)
				plan_add(&plan, random_range((uint32_t)plan.n + 1));
			plan_close(&plan);
			for (int i = 0; i < 60; i++) {
				address at = random_side() + random_below(3) - 1;

				for (size_t p = 0; p < sizeof(ports) / sizeof(*ports); p++)
					expect_address(&plan, (unsigned int)random_below(5), at, ports[p]);
			}
		}
		plan_free(&plan);
	}
}

static void nothing_is_kept_twice(void **state)
{
	struct range all = { .last = ~(address)0, .protos = 31, .last_port = 65535, .allow = 1, .rule = 1 };
	struct plan plan;

	plan_open(&plan);
	plan_close(&plan);
	assert_int_equal(plan.net, 0);
	plan_add(&plan, all);
	plan_add(&plan, all);
	plan_close(&plan);
	/* One interval for all protocols, one set, one range of ports. */
	assert_int_equal(plan.addr.intervals.n, 1);
	assert_int_equal(plan.addr.portsets.n, 2);
	assert_int_equal(plan.addr.ports.n, 1);
	for (unsigned int p = 0; p < LSMD_N_PROTOS; p++)
		assert_int_equal(plan.addr.nets.items[plan.net].proto[p].n, 1);
	/* Neighbours with the same ports are one: 0..9, 10..19. */
	all.last = 9;
	plan_add(&plan, all);
	all.first = 10;
	all.last = 19;
	plan_add(&plan, all);
	plan_close(&plan);
	assert_int_equal(plan.addr.intervals.n, 3);
	assert_int_equal(plan.addr.portsets.n, 2);
	assert_int_equal(plan.addr.ports.n, 1);
	plan_free(&plan);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void a_hundred_thousand_networks_are_quick(void **state)
{
	struct plan plan;
	double start = seconds();

	plan_open(&plan);
	for (uint32_t i = 0; i < 100000; i++) {
		const struct range range = {
			.first = (address)i << 32,
			.last = ((address)i << 32) + (i % 2 ? 0xff : 0xffffffff),
			.protos = 3,
			.first_port = 443,
			.last_port = 443,
			.allow = 1,
			.rule = i + 2,
		};

		assert_int_equal(addr_add(&plan.addr, &range), 0);
	}
	/* One that lies over all of them. */
	assert_int_equal(addr_add(&plan.addr, &(struct range){ .last = ~(address)0,
							       .protos = 31,
							       .first_port = 53,
							       .last_port = 53,
							       .allow = 1,
							       .rule = 1 }),
			 0);
	plan_close(&plan);
	assert_true(plan.addr.intervals.n >= 100000 && plan.addr.intervals.n <= 150003);
	assert_int_equal(plan_find(&plan, 1, (address)77 << 32, 443)->rule, 79);
	assert_int_equal(plan_find(&plan, 1, (address)77 << 32, 53)->rule, 1);
	assert_null(plan_find(&plan, 2, (address)77 << 32, 443));
	assert_true(seconds() - start < 10);
	plan_free(&plan);
}

/* Each range inside the one before, with a port of its own: as many answers as there are pairs of them. */
static void an_explosion_of_overlaps_names_its_rule_in_time(void **state)
{
	struct plan plan;
	double start = seconds();

	plan_open(&plan);
	for (uint32_t i = 0; i < 30000; i++) {
		const struct range range = {
			.first = i,
			.last = 1000000 - i,
			.protos = 1,
			.first_port = (uint16_t)i,
			.last_port = (uint16_t)i,
			.allow = 1,
			.rule = i + 7,
		};

		assert_int_equal(addr_add(&plan.addr, &range), 0);
	}
	assert_int_equal(addr_close(&plan.addr, &plan.table, &plan.costliest, &plan.net), ADDR_TOO_LARGE);
	assert_int_equal(plan.costliest, 7);
	assert_true(seconds() - start < 30);
	plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_say_what_the_rules_say),
		cmocka_unit_test(nothing_is_kept_twice),
		cmocka_unit_test(a_hundred_thousand_networks_are_quick),
		cmocka_unit_test(an_explosion_of_overlaps_names_its_rule_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
