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
	lsmd_u32 low = 0, high = n;
	lsmd_u64 i;

	if (!address || !view_open(view, image))
		return 0;
	/* low: the first interval that starts behind the address. */
	for (i = zero; i < LSMD_SEARCH_STEPS && low < high; i++) {
		lsmd_u32 middle = low + (high - low) / 2;
		const struct lsmd_interval *at =
			view_record(view, intervals, struct lsmd_interval, (lsmd_u64)first + middle);

		LSMD_KEEP(i);
		if (at->hi < address->hi || (at->hi == address->hi && at->lo <= address->lo))
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return 0;
	return view_record(view, intervals, struct lsmd_interval, (lsmd_u64)first + low - 1)->portset;
}

/* net_port() - fill @cell from the ports of a set. @zero: 0. Return: 1 when one is @port. */
LSMD_GLOBAL int net_port(lsmd_image_id image, lsmd_u32 portset, lsmd_u32 port, struct lsmd_cell *cell, lsmd_u64 zero)
{
	struct lsmd_view opened, *view = &opened;
	const struct lsmd_portset *set;
	lsmd_u32 low = 0, high;
	lsmd_u64 i;

	if (!cell || !view_open(view, image))
		return 0;
	set = view_record(view, portsets, struct lsmd_portset, portset);
	high = set->n;
	for (i = zero; i < LSMD_PORT_STEPS && low < high; i++) {
		lsmd_u32 middle = low + (high - low) / 2;
		const struct lsmd_port *at = view_record(view, ports, struct lsmd_port, (lsmd_u64)set->first + middle);

		LSMD_KEEP(i);
		if (port < at->first) {
			high = middle;
		} else if (port > at->last) {
			low = middle + 1;
		} else {
			cell->allow = at->allow;
			cell->deny = at->deny;
			cell->rule = at->rule;
			return 1;
		}
	}
	return 0;
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
