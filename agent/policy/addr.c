// SPDX-License-Identifier: LGPL-2.1-or-later
/* Ranges to disjoint intervals: one sweep over addresses, and one over ports for every distinct overlap that it meets. */
#include "agent/policy/addr.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

#define PORTS_MAX (LSMD_IMAGE_BYTES_MAX / sizeof(struct lsmd_port))

/* A side of an address range: the ports of range @ports come in or go out at @at. */
struct side {
	unsigned __int128 at;
	uint32_t ports; /* index into sweep.ports */
	bool in;
};

/* The ranges that cover one address, as sorted indices into sweep.ports, and what was made of them. */
struct overlap {
	uint32_t first; /* in sweep.members */
	uint32_t n;
	uint32_t hash;
	uint32_t portset;
};

struct sweep {
	struct addr *addr;
	struct class_table *table;
	struct range *ports; /* all different in ports, rule and access; sorted by first port */
	size_t n_ports;
	uint32_t *ports_of; /* of each range of the layer */
	uint32_t *covers; /* how many ranges with these ports cover the address reached */
	uint32_t *seen_in; /* overlaps */
	uint32_t *active; /* sorted indices whose `covers` is not 0 */
	uint32_t n_active;
	uint32_t hash; /* of the active ones, in any order */
	struct {
		struct side *items;
		size_t n, capacity;
	} sides;
	struct {
		uint32_t *items;
		size_t n, capacity;
	} members;
	struct {
		struct overlap *items;
		size_t n, capacity;
	} overlaps;
	struct dedupe known;
	uint64_t work;
};

static uint32_t portset_hash(const void *owner, uint32_t id)
{
	const struct addr *addr = owner;
	const struct lsmd_portset *set = &addr->portsets.items[id];
	uint32_t h = 0;

	for (uint32_t i = 0; i < set->n; i++) {
		const struct lsmd_port *port = &addr->ports.items[set->first + i];
		const uint32_t words[] = { port->first | (uint32_t)port->last << 16, port->allow, port->deny,
					   port->rule };

		h = hash_words(words, 4, h);
	}
	return h;
}

static bool portset_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct addr *addr = owner;
	const struct lsmd_portset *x = &addr->portsets.items[a], *y = &addr->portsets.items[b];

	return x->n == y->n &&
	       !memcmp(&addr->ports.items[x->first], &addr->ports.items[y->first], x->n * sizeof(struct lsmd_port));
}

static const struct dedupe_ops portset_ops = { portset_hash, portset_equal };

static uint32_t overlap_hash(const void *owner, uint32_t id)
{
	const struct sweep *sweep = owner;

	return sweep->overlaps.items[id].hash;
}

static bool overlap_equal(const void *owner, uint32_t a, uint32_t b)
{
	const struct sweep *sweep = owner;
	const struct overlap *x = &sweep->overlaps.items[a], *y = &sweep->overlaps.items[b];

	return x->n == y->n &&
	       !memcmp(&sweep->members.items[x->first], &sweep->members.items[y->first], x->n * sizeof(uint32_t));
}

static const struct dedupe_ops overlap_ops = { overlap_hash, overlap_equal };

int addr_init(struct addr *addr)
{
	if (!vec_add(&addr->nets) || !vec_add(&addr->portsets))
		return -ENOMEM;
	addr->nets.items[0] = (struct lsmd_net_table){};
	addr->portsets.items[0] = (struct lsmd_portset){};
	return 0;
}

void addr_clear(struct addr *addr)
{
	free(addr->nets.items);
	free(addr->intervals.items);
	free(addr->portsets.items);
	free(addr->ports.items);
	free(addr->ranges.items);
	dedupe_clear(&addr->known_portsets);
	*addr = (struct addr){};
}

int addr_add(struct addr *addr, const struct range *range)
{
	struct range *to = vec_add(&addr->ranges);

	if (!to)
		return -ENOMEM;
	*to = *range;
	return 0;
}

static int compare_ports(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->first_port != y->first_port)
		return x->first_port < y->first_port ? -1 : 1;
	if (x->last_port != y->last_port)
		return x->last_port < y->last_port ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	if (x->allow != y->allow)
		return x->allow < y->allow ? -1 : 1;
	return x->deny < y->deny ? -1 : x->deny > y->deny;
}

/* The different combinations of ports and rule, and which of them each range has. */
static void ports_collect(struct sweep *sweep, const struct range *ranges, size_t n)
{
	size_t kept = 0;

	memcpy(sweep->ports, ranges, n * sizeof(*ranges));
	qsort(sweep->ports, n, sizeof(*ranges), compare_ports);
	for (size_t i = 0; i < n; i++)
		if (!kept || compare_ports(&sweep->ports[kept - 1], &sweep->ports[i]))
			sweep->ports[kept++] = sweep->ports[i];
	sweep->n_ports = kept;
	for (size_t i = 0; i < n; i++) {
		const struct range *at = bsearch(&ranges[i], sweep->ports, kept, sizeof(*ranges), compare_ports);

		sweep->ports_of[i] = (uint32_t)(at - sweep->ports);
	}
}

static int compare_sides(const void *a, const void *b)
{
	const struct side *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static int side_add(struct sweep *sweep, unsigned __int128 at, uint32_t ports, bool in)
{
	struct side *side = vec_add(&sweep->sides);

	if (!side)
		return -ENOMEM;
	*side = (struct side){ at, ports, in };
	return 0;
}

/* Both sides of all ranges of a protocol, sorted. What goes out behind the last address does not. */
static int sides_collect(struct sweep *sweep, unsigned int proto)
{
	const struct addr *addr = sweep->addr;

	sweep->sides.n = 0;
	for (size_t i = 0; i < addr->ranges.n; i++) {
		const struct range *range = &addr->ranges.items[i];
		int r;

		if (!(range->protos >> proto & 1))
			continue;
		r = side_add(sweep, range->first, sweep->ports_of[i], true);
		if (!r && range->last != ~(unsigned __int128)0)
			r = side_add(sweep, range->last + 1, sweep->ports_of[i], false);
		if (r)
			return r;
	}
	if (sweep->sides.n)
		qsort(sweep->sides.items, sweep->sides.n, sizeof(struct side), compare_sides);
	return 0;
}

static uint32_t active_find(const struct sweep *sweep, uint32_t ports)
{
	uint32_t low = 0, high = sweep->n_active;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (sweep->active[middle] < ports)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void side_cross(struct sweep *sweep, const struct side *side)
{
	uint32_t *covers = &sweep->covers[side->ports], at;

	if (side->in ? (*covers)++ : --*covers)
		return;
	at = active_find(sweep, side->ports);
	sweep->work += sweep->n_active - at;
	sweep->hash ^= hash_words(&side->ports, 1, 1);
	if (side->in) {
		memmove(&sweep->active[at + 1], &sweep->active[at], (sweep->n_active - at) * sizeof(*sweep->active));
		sweep->active[at] = side->ports;
		sweep->n_active++;
	} else {
		sweep->n_active--;
		memmove(&sweep->active[at], &sweep->active[at + 1], (sweep->n_active - at) * sizeof(*sweep->active));
	}
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* What holds for the ports from @first to @last, behind what the set has already. */
static int port_add(struct sweep *sweep, uint32_t set_first, uint32_t first, uint32_t last, const struct sum *sum)
{
	struct addr *addr = sweep->addr;
	struct lsmd_port *port = addr->ports.n > set_first ? &addr->ports.items[addr->ports.n - 1] : NULL;
	uint32_t rule;
	int r;

	if (!(sum->allow | sum->deny))
		return 0;
	r = sum_rule(sweep->table, sum, &rule);
	if (r)
		return r;
	if (port && port->last + 1u == first && port->allow == sum->allow && port->deny == sum->deny &&
	    port->rule == rule) {
		port->last = (uint16_t)last;
		return 0;
	}
	if (addr->ports.n >= PORTS_MAX)
		return ADDR_TOO_LARGE;
	port = vec_add(&addr->ports);
	if (!port)
		return -ENOMEM;
	*port = (struct lsmd_port){ (uint16_t)first, (uint16_t)last, sum->allow, sum->deny, rule };
	return 0;
}

/* The sum of the @n ranges that @at reaches; those that end before it are dropped from @open. */
static void ports_sum(struct sweep *sweep, uint32_t *open, uint32_t *n, uint32_t at, struct sum *sum)
{
	uint32_t kept = 0;

	sweep->work += *n;
	for (uint32_t i = 0; i < *n; i++) {
		const struct range *range = &sweep->ports[open[i]];

		if (range->last_port < at)
			continue;
		sum_add(sum, range->allow, range->deny, range->rule);
		open[kept++] = open[i];
	}
	*n = kept;
}

/* Between two neighbouring boundaries of the active ranges the answer is one. @cuts holds all of them, sorted. */
static int ports_sweep(struct sweep *sweep, const uint32_t *cuts, size_t n_cuts, uint32_t *open)
{
	uint32_t set_first = (uint32_t)sweep->addr->ports.n, n_open = 0, taken = 0;

	for (size_t c = 0; c + 1 < n_cuts; c++) {
		struct sum sum = {};
		int r;

		if (cuts[c] == cuts[c + 1])
			continue;
		while (taken < sweep->n_active && sweep->ports[sweep->active[taken]].first_port <= cuts[c])
			open[n_open++] = sweep->active[taken++];
		ports_sum(sweep, open, &n_open, cuts[c], &sum);
		r = port_add(sweep, set_first, cuts[c], cuts[c + 1] - 1, &sum);
		if (r)
			return r;
		if (sweep->work > ADDR_WORK_MAX)
			return ADDR_TOO_LARGE;
	}
	return 0;
}

static int portset_intern(struct addr *addr, uint32_t first, uint32_t *ret)
{
	struct lsmd_portset *set = vec_add(&addr->portsets);
	uint32_t id = (uint32_t)addr->portsets.n - 1;
	int r;

	if (!set)
		return -ENOMEM;
	*set = (struct lsmd_portset){ first, (uint32_t)addr->ports.n - first };
	r = dedupe_find(&addr->known_portsets, &portset_ops, addr, id, ret);
	if (!r && *ret != id) {
		addr->portsets.n--;
		addr->ports.n = first;
	}
	return r;
}

/* The set of ports of the active ranges. */
static int portset_make(struct sweep *sweep, uint32_t *ret)
{
	uint32_t n = sweep->n_active, first = (uint32_t)sweep->addr->ports.n;
	_cleanup_free_ uint32_t *cuts = malloc(3 * n * sizeof(*cuts));
	int r;

	if (!cuts)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		cuts[2 * i] = sweep->ports[sweep->active[i]].first_port;
		cuts[2 * i + 1] = sweep->ports[sweep->active[i]].last_port + 1u;
	}
	qsort(cuts, 2 * n, sizeof(*cuts), compare_numbers);
	r = ports_sweep(sweep, cuts, 2 * n, cuts + 2 * n);
	return r ? r : portset_intern(sweep->addr, first, ret);
}

static int members_add(struct sweep *sweep)
{
	void *items = sweep->members.items;
	int r = vec_room(&items, &sweep->members.capacity, sweep->members.n + sweep->n_active, sizeof(uint32_t));

	sweep->members.items = items;
	if (r)
		return r;
	memcpy(&sweep->members.items[sweep->members.n], sweep->active, sweep->n_active * sizeof(uint32_t));
	sweep->members.n += sweep->n_active;
	return sweep->members.n > ADDR_MEMBERS_MAX ? ADDR_TOO_LARGE : 0;
}

/* The set of ports for the address reached; made only for an overlap that was not met before. */
static int overlap_find(struct sweep *sweep, uint32_t *ret)
{
	uint32_t first = (uint32_t)sweep->members.n, id = (uint32_t)sweep->overlaps.n, known;
	struct overlap *overlap;
	int r;

	*ret = 0;
	if (!sweep->n_active)
		return 0;
	sweep->work += sweep->n_active;
	overlap = vec_add(&sweep->overlaps);
	if (!overlap)
		return -ENOMEM;
	*overlap = (struct overlap){ first, sweep->n_active, sweep->hash, 0 };
	r = members_add(sweep);
	if (!r)
		r = dedupe_find(&sweep->known, &overlap_ops, sweep, id, &known);
	if (r)
		return r;
	if (known != id) {
		*ret = sweep->overlaps.items[known].portset;
		sweep->overlaps.n--;
		sweep->members.n = first;
		return sweep->work > ADDR_WORK_MAX ? ADDR_TOO_LARGE : 0;
	}
	for (uint32_t i = 0; i < sweep->n_active; i++)
		sweep->seen_in[sweep->active[i]]++;
	r = portset_make(sweep, ret);
	sweep->overlaps.items[id].portset = *ret;
	return r;
}

static int interval_add(struct addr *addr, size_t first, unsigned __int128 at, uint32_t portset)
{
	struct lsmd_interval *interval;

	if (addr->intervals.n > first && addr->intervals.items[addr->intervals.n - 1].portset == portset)
		return 0;
	if (addr->intervals.n - first >= LSMD_INTERVALS_MAX)
		return ADDR_TOO_LARGE;
	interval = vec_add(&addr->intervals);
	if (!interval)
		return -ENOMEM;
	*interval = (struct lsmd_interval){ (lsmd_u64)(at >> 64), (lsmd_u64)at, portset, 0 };
	return 0;
}

static int proto_sweep(struct sweep *sweep, unsigned int proto)
{
	struct addr *addr = sweep->addr;
	size_t first = addr->intervals.n, n;
	int r = sides_collect(sweep, proto);

	n = sweep->sides.n;
	if (r || !n)
		return r;
	sweep->n_active = sweep->hash = 0;
	memset(sweep->covers, 0, sweep->n_ports * sizeof(*sweep->covers));
	if (sweep->sides.items[0].at)
		r = interval_add(addr, first, 0, 0);
	for (size_t i = 0; !r && i < n;) {
		unsigned __int128 at = sweep->sides.items[i].at;
		uint32_t portset;

		/* Ranges that begin here come in before others go out, so that neighbours with the same ports stay. */
		for (size_t j = i; j < n && sweep->sides.items[j].at == at; j++)
			if (sweep->sides.items[j].in)
				side_cross(sweep, &sweep->sides.items[j]);
		for (; i < n && sweep->sides.items[i].at == at; i++)
			if (!sweep->sides.items[i].in)
				side_cross(sweep, &sweep->sides.items[i]);
		r = overlap_find(sweep, &portset);
		if (!r)
			r = interval_add(addr, first, at, portset);
	}
	return r;
}

/* Do exactly the same ranges hold for two protocols? Then one list of intervals serves both. */
static bool protos_equal(const struct addr *addr, unsigned int a, unsigned int b)
{
	for (size_t i = 0; i < addr->ranges.n; i++)
		if ((addr->ranges.items[i].protos >> a & 1) != (addr->ranges.items[i].protos >> b & 1))
			return false;
	return true;
}

static int table_make(struct sweep *sweep, struct lsmd_net_table *table)
{
	struct addr *addr = sweep->addr;

	for (unsigned int proto = 0; proto < LSMD_N_PROTOS; proto++) {
		size_t first = addr->intervals.n;
		unsigned int same = 0;
		int r;

		while (same < proto && !protos_equal(addr, same, proto))
			same++;
		if (same < proto) {
			table->proto[proto] = table->proto[same];
			continue;
		}
		r = proto_sweep(sweep, proto);
		if (r)
			return r;
		table->proto[proto].first = (uint32_t)first;
		table->proto[proto].n = (uint32_t)(addr->intervals.n - first);
	}
	return 0;
}

static uint32_t costliest_rule(const struct sweep *sweep)
{
	size_t best = 0;

	for (size_t i = 1; i < sweep->n_ports; i++)
		if (sweep->seen_in[i] > sweep->seen_in[best])
			best = i;
	return sweep->ports[best].rule;
}

static void sweep_clear(struct sweep *sweep)
{
	free(sweep->ports);
	free(sweep->ports_of);
	free(sweep->covers);
	free(sweep->seen_in);
	free(sweep->active);
	free(sweep->sides.items);
	free(sweep->members.items);
	free(sweep->overlaps.items);
	dedupe_clear(&sweep->known);
}

static int sweep_init(struct sweep *sweep)
{
	size_t n = sweep->addr->ranges.n;

	sweep->ports = malloc(n * sizeof(*sweep->ports));
	sweep->ports_of = malloc(n * sizeof(*sweep->ports_of));
	sweep->covers = malloc(n * sizeof(*sweep->covers));
	sweep->seen_in = calloc(n, sizeof(*sweep->seen_in));
	sweep->active = malloc(n * sizeof(*sweep->active));
	if (!sweep->ports || !sweep->ports_of || !sweep->covers || !sweep->seen_in || !sweep->active ||
	    !vec_add(&sweep->overlaps))
		return -ENOMEM;
	ports_collect(sweep, sweep->addr->ranges.items, n);
	return 0;
}

int addr_close(struct addr *addr, struct class_table *table, uint32_t *costliest, uint32_t *net)
{
	_cleanup_(sweep_clear) struct sweep sweep = { .addr = addr, .table = table };
	struct lsmd_net_table made = {}, *to;
	int r;

	*net = 0;
	if (!addr->ranges.n)
		return 0;
	r = sweep_init(&sweep);
	if (!r)
		r = table_make(&sweep, &made);
	if (r > 0) {
		*costliest = costliest_rule(&sweep);
		r = ADDR_TOO_LARGE;
	}
	addr->ranges.n = 0;
	if (r)
		return r;
	to = vec_add(&addr->nets);
	if (!to)
		return -ENOMEM;
	*to = made;
	*net = (uint32_t)addr->nets.n - 1;
	return 0;
}
