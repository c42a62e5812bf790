/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/* What an image says of an internet address: a search among disjoint intervals, then one among ports. */
#ifndef LSMD_CORE_NET_H
#define LSMD_CORE_NET_H

#include "lsm/abi/event.h"
#include "view.h"

/* net_interval() - the set of ports of the interval that holds the address; 0: none. @zero: 0. */
LSMD_GLOBAL lsmd_u32 net_interval(lsmd_image_id image, lsmd_u32 first, lsmd_u32 n, const struct lsmd_address *address,
				  lsmd_u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	const struct lsmd_interval *at;
	lsmd_u64 i;

	if (!address || !n || !view_open(view, image))
		return 0;
	/* The last interval that does not start behind the address; one comparison a step. */
	for (i = zero; i < LSMD_SEARCH_STEPS && n > 1; i++) {
		lsmd_u32 half = n / 2;

		at = view_record(view, intervals, struct lsmd_interval, (lsmd_u64)first + half);
		if (at->hi < address->hi || (at->hi == address->hi && at->lo <= address->lo))
			first += half;
		n -= half;
	}
	at = view_record(view, intervals, struct lsmd_interval, first);
	if (at->hi > address->hi || (at->hi == address->hi && at->lo > address->lo))
		return 0;
	return at->portset;
}

/* net_port() - fill @cell from the ports of a set. @zero: 0. Return: 1 when one is @port. */
LSMD_GLOBAL int net_port(lsmd_image_id image, lsmd_u32 portset, lsmd_u32 port, struct lsmd_cell *cell, lsmd_u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	const struct lsmd_portset *set;
	const struct lsmd_port *at;
	lsmd_u32 first, n;
	lsmd_u64 i;

	if (!cell || !view_open(view, image))
		return 0;
	set = view_record(view, portsets, struct lsmd_portset, portset);
	first = set->first;
	n = set->n;
	for (i = zero; i < LSMD_PORT_STEPS && n > 1; i++) {
		lsmd_u32 half = n / 2;

		if (view_record(view, ports, struct lsmd_port, (lsmd_u64)first + half)->first <= port)
			first += half;
		n -= half;
	}
	at = view_record(view, ports, struct lsmd_port, first);
	if (!n || port < at->first || port > at->last)
		return 0;
	cell->allow = at->allow;
	cell->deny = at->deny;
	cell->rule = at->rule;
	return 1;
}

/* net_find() - what the layer's table says of @address; @cell stays as it is where no rule speaks */
LSMD_INLINE void net_find(lsmd_image_id image, const struct lsmd_view *view, lsmd_u32 table,
			  const struct lsmd_address *address, struct lsmd_cell *cell)
{
	const struct lsmd_net_table *net;
	lsmd_u32 proto = address->proto, portset;

	if (!table || proto >= LSMD_N_PROTOS)
		return;
	net = view_record(view, nets, struct lsmd_net_table, table);
	portset = net_interval(image, net->proto[proto].first, net->proto[proto].n, address, 0);
	if (portset)
		net_port(image, portset, address->port, cell, 0);
}

#endif
