/* SPDX-License-Identifier: (GPL-2.0-only OR LGPL-2.1-or-later) */
/* What an image says of an internet address: a search among disjoint intervals, then one among ports. */
#ifndef LSMD_CORE_NET_H
#define LSMD_CORE_NET_H

#include "lsm/abi/event.h"
#include "view.h"

/* net_interval() - the set of ports that holds for the address; 0: none */
LSMD_INLINE lsmd_u32 net_interval(const struct lsmd_view *view, lsmd_u32 first, lsmd_u32 n,
				  const struct lsmd_address *address, lsmd_u32 zero)
{
	lsmd_u32 low = 0, high = n, i;

	/* low: the first interval that starts behind the address. */
	for (i = LSMD_UNKNOWN(zero); i < LSMD_SEARCH_STEPS && low < high; i++) {
		lsmd_u32 middle = low + (high - low) / 2;
		const struct lsmd_interval *at =
			view_record(view, intervals, struct lsmd_interval, (lsmd_u64)first + middle);

		if (at->hi < address->hi || (at->hi == address->hi && at->lo <= address->lo))
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return 0;
	return view_record(view, intervals, struct lsmd_interval, (lsmd_u64)first + low - 1)->portset;
}

/* net_port() - fill @cell from the ports of a set */
LSMD_INLINE void net_port(const struct lsmd_view *view, lsmd_u32 portset, lsmd_u16 port, struct lsmd_cell *cell, lsmd_u32 zero)
{
	const struct lsmd_portset *set = view_record(view, portsets, struct lsmd_portset, portset);
	lsmd_u32 low = 0, high = set->n, first = set->first, i;

	for (i = LSMD_UNKNOWN(zero); i < LSMD_PORT_STEPS && low < high; i++) {
		lsmd_u32 middle = low + (high - low) / 2;
		const struct lsmd_port *at = view_record(view, ports, struct lsmd_port, (lsmd_u64)first + middle);

		if (port < at->first) {
			high = middle;
		} else if (port > at->last) {
			low = middle + 1;
		} else {
			cell->allow = at->allow;
			cell->deny = at->deny;
			cell->rule = at->rule;
			return;
		}
	}
}

/* net_find() - what the layer's table says of @address; @cell stays as it is where no rule speaks */
LSMD_INLINE void net_find(const struct lsmd_view *view, lsmd_u32 table, const struct lsmd_address *address,
			  struct lsmd_cell *cell, lsmd_u32 zero)
{
	lsmd_u32 proto = address->proto, portset;
	const struct lsmd_net_table *net;

	if (!table || proto >= LSMD_N_PROTOS)
		return;
	net = view_record(view, nets, struct lsmd_net_table, table);
	portset = net_interval(view, net->proto[proto].first, net->proto[proto].n, address, zero);
	if (portset)
		net_port(view, portset, address->port, cell, zero);
}

#endif
