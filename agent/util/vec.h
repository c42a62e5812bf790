/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays that grow: any struct with `items`, `n` and `capacity`. Zero-initialise; free(v.items). */
#ifndef LSMD_UTIL_VEC_H
#define LSMD_UTIL_VEC_H

#include <stddef.h>

/** vec_room() - room for at least @n items of @size bytes. Return: 0, -ENOMEM (the array is as before) */
int vec_room(void **items, size_t *capacity, size_t n, size_t size);

/* vec_add() - pointer to one more item, not yet written; NULL when memory ran out */
#define vec_add(v)                                                                                        \
	({                                                                                                \
		void *_items = (v)->items;                                                                \
		int _r = vec_room(&_items, &(v)->capacity, (v)->n + 1, sizeof(*(v)->items));              \
		(v)->items = _items;                                                                      \
		_r ? NULL : &(v)->items[(v)->n++];                                                        \
	})

/* vec_reserve() - room for @count items; `n` stays. Return: as vec_room() */
#define vec_reserve(v, count)                                                                     \
	({                                                                                        \
		void *_items = (v)->items;                                                        \
		int _r = vec_room(&_items, &(v)->capacity, (count), sizeof(*(v)->items));         \
		(v)->items = _items;                                                              \
		_r;                                                                               \
	})

#endif
