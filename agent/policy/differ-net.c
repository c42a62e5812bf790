// SPDX-License-Identifier: LGPL-2.1-or-later
/* Internet addresses and ports whose answers differ: asked once between any two boundaries of either side. */
#include <errno.h>
#include <stdlib.h>

#include "agent/policy/differ-said.h"
#include "agent/policy/differ.h"
#include "agent/util/cleanup.h"
#include "agent/util/vec.h"

#define RECORDS(image, section, type) ((const type *)((const char *)(image) + (image)->section.off))
#define MAPPED 0xffff00000000ull /* 0.0.0.0, as an address of IPv6 */

struct cut {
	uint64_t hi, lo;
};

struct cuts {
	struct cut *items;
	size_t n, capacity;
};

struct prober {
	struct differ *differ;
	const struct diff_domain *domain;
	uint32_t found;
	struct cuts addresses;
	struct {
		uint32_t *items;
		size_t n, capacity;
	} ports;
};

static int cut_compare(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;

	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	return (x->lo > y->lo) - (x->lo < y->lo);
}

static int port_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int cut_add(struct cuts *cuts, uint64_t hi, uint64_t lo)
{
	struct cut *slot = vec_add(cuts);

	if (!slot)
		return -ENOMEM;
	*slot = (struct cut){ hi, lo };
	return 0;
}

static const struct lsmd_net_table *layer_net(const struct lsmd_image_header *image, uint32_t layer)
{
	uint32_t net = RECORDS(image, layers, struct lsmd_layer)[layer].net;

	return net ? &RECORDS(image, nets, struct lsmd_net_table)[net] : NULL;
}

/* Sorted, each once. The unspecified addresses stand alone, since a connection to them is one to loopback (MEANING.md 21). */
static int addresses_cut(struct prober *prober, unsigned int proto)
{
	struct cuts *cuts = &prober->addresses;
	size_t n = 0;
	int r;

	cuts->n = 0;
	r = cut_add(cuts, 0, 0) || cut_add(cuts, 0, 1) || cut_add(cuts, 0, MAPPED) || cut_add(cuts, 0, MAPPED + 1);
	for (int s = 0; s < 2; s++) {
		const struct lsmd_image_header *image = prober->differ->images[s];
		const struct diff_layers *layers = &prober->domain->layers[s];

		for (uint32_t i = 0; i < layers->n; i++) {
			const struct lsmd_net_table *net = layer_net(image, layers->ids[i]);
			const struct lsmd_interval *at = RECORDS(image, intervals, struct lsmd_interval);

			for (uint32_t k = 0; net && k < net->proto[proto].n && !r; k++)
				r = cut_add(cuts, at[net->proto[proto].first + k].hi, at[net->proto[proto].first + k].lo);
		}
	}
	if (r)
		return -ENOMEM;
	qsort(cuts->items, cuts->n, sizeof(*cuts->items), cut_compare);
	for (size_t i = 0; i < cuts->n; i++)
		if (!n || cut_compare(&cuts->items[n - 1], &cuts->items[i]))
			cuts->items[n++] = cuts->items[i];
	cuts->n = n;
	return 0;
}

static int port_add(struct prober *prober, uint32_t port)
{
	uint32_t *slot = vec_add(&prober->ports);

	if (!slot)
		return -ENOMEM;
	*slot = port;
	return 0;
}

static int ports_of(struct prober *prober, const struct lsmd_image_header *image, uint32_t portset)
{
	const struct lsmd_portset *set = &RECORDS(image, portsets, struct lsmd_portset)[portset];
	const struct lsmd_port *ports = RECORDS(image, ports, struct lsmd_port);
	int r = 0;

	for (uint32_t i = 0; portset && i < set->n && !r; i++) {
		r = port_add(prober, ports[set->first + i].first);
		if (!r)
			r = port_add(prober, ports[set->first + i].last + 1u);
	}
	return r;
}

static int ports_cut(struct prober *prober, const struct lsmd_address *address)
{
	size_t n = 0;
	int r;

	prober->ports.n = 0;
	r = port_add(prober, 0);
	for (int s = 0; s < 2; s++) {
		const struct lsmd_image_header *image = prober->differ->images[s];
		const struct diff_layers *layers = &prober->domain->layers[s];

		for (uint32_t i = 0; i < layers->n && !r; i++) {
			const struct lsmd_net_table *net = layer_net(image, layers->ids[i]);

			if (net)
				r = ports_of(prober, image,
					     net_interval((uintptr_t)image, net->proto[address->proto].first,
							  net->proto[address->proto].n, address, 0));
		}
	}
	if (r)
		return r;
	qsort(prober->ports.items, prober->ports.n, sizeof(*prober->ports.items), port_compare);
	for (size_t i = 0; i < prober->ports.n; i++)
		if (prober->ports.items[i] <= UINT16_MAX && (!n || prober->ports.items[n - 1] != prober->ports.items[i]))
			prober->ports.items[n++] = prober->ports.items[i];
	prober->ports.n = n;
	return 0;
}

static uint32_t address_differs(const struct prober *prober, const struct lsmd_address *address)
{
	struct differ_said all[2] = {};

	for (int s = 0; s < 2; s++) {
		const struct lsmd_image_header *image = prober->differ->images[s];
		const struct diff_layers *layers = &prober->domain->layers[s];
		struct lsmd_view view;

		view_open(&view, (uintptr_t)image);
		for (uint32_t i = 0; i < layers->n; i++) {
			const struct lsmd_layer *layer = view_record(&view, layers, struct lsmd_layer, layers->ids[i]);
			struct lsmd_said said = {};

			net_find((uintptr_t)image, &view, layer->net, address, &said.cell[0]);
			differ_said_add(&all[s], &view, layers->ids[i], &said);
		}
	}
	return differ_said_differs(all) & DIFFER_ADDRESSED;
}

static bool unspecified(const struct lsmd_address *address)
{
	return !address->hi && (!address->lo || address->lo == MAPPED);
}

/* The addresses from one cut to the next, and the ports of one cut. */
static int range_probe(struct prober *prober, const struct lsmd_address *first, const struct lsmd_address *last)
{
	uint32_t differs = address_differs(prober, first) & ~prober->found;
	int r = 0;

	if (unspecified(first))
		differs &= ~(LSMD_ACCESS_CONNECT | LSMD_ACCESS_SEND);
	for (unsigned int bit = 0; bit < 32 && r >= 0; bit++) {
		const struct ask ask = { .wanted = 1u << bit, .object = LSMD_OBJECT_ADDRESS, .address = *first };

		if (!(differs >> bit & 1))
			continue;
		r = differ_ask(prober->differ, &ask, last);
		if (r > 0)
			prober->found |= 1u << bit;
	}
	return r < 0 ? r : 0;
}

static int interval_probe(struct prober *prober, size_t at, unsigned int proto)
{
	const struct cut *cuts = prober->addresses.items;
	struct lsmd_address first = { .hi = cuts[at].hi, .lo = cuts[at].lo, .proto = proto };
	struct lsmd_address last = { .hi = ~0ull, .lo = ~0ull, .proto = proto };
	int r = ports_cut(prober, &first);

	if (at + 1 < prober->addresses.n) {
		last.lo = cuts[at + 1].lo - 1;
		last.hi = cuts[at + 1].hi - !cuts[at + 1].lo;
	}
	for (size_t i = 0; i < prober->ports.n && !r; i++) {
		first.port = prober->ports.items[i];
		last.port = i + 1 < prober->ports.n ? prober->ports.items[i + 1] - 1 : UINT16_MAX;
		r = range_probe(prober, &first, &last);
	}
	return r;
}

int differ_addresses(struct differ *differ)
{
	struct prober prober = { .differ = differ, .domain = &differ->diff->domains.items[differ->domain] };
	int r = 0;

	for (unsigned int proto = 0; proto < LSMD_N_PROTOS && !r; proto++) {
		prober.found = 0;
		r = addresses_cut(&prober, proto);
		for (size_t i = 0; i < prober.addresses.n && !r; i++)
			r = interval_probe(&prober, i, proto);
	}
	free(prober.addresses.items);
	free(prober.ports.items);
	return r;
}
