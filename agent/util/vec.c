/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays that grow by half. */
#include <errno.h>
#include <stdlib.h>

#include "agent/util/vec.h"

int vec_room(void **items, size_t *capacity, size_t n, size_t size)
{
	size_t wanted = *capacity + *capacity / 2;
	void *grown;

	if (n <= *capacity)
		return 0;
	if (wanted < n)
		wanted = n;
	if (wanted < 8)
		wanted = 8;
	grown = reallocarray(*items, wanted, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*capacity = wanted;
	return 0;
}
