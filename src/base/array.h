/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_ARRAY_H
#define INQ_BASE_ARRAY_H

/*
 * Growable array of one type:
 *
 *     INQ_ARRAY(struct inq_range) ranges = {0};
 *     struct inq_range *r = INQ_ARRAY_PUSH(&ranges);      // zeroed slot, NULL without memory
 *     for (size_t i = 0; i < ranges.count; i++) use(&ranges.items[i]);
 *     INQ_ARRAY_FREE(&ranges);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define INQ_ARRAY(type)  \
    struct {             \
        type *items;     \
        size_t count;    \
        size_t capacity; \
    }

/* Grows *items so that one more fits and zeroes that slot; false without memory. */
bool inq_array_grow(void **items, size_t count, size_t *capacity, size_t item_size);

/* The same, with nothing to call where there is room: 100,000s of names are pushed one by one. */
static inline bool inq_array_slot(void **items, size_t count, size_t *capacity, size_t item_size)
{
    if (count >= *capacity)
        return inq_array_grow(items, count, capacity, item_size);
    memset((char *)*items + count * item_size, 0, item_size);
    return true;
}

#define INQ_ARRAY_PUSH(a)                                                             \
    (inq_array_slot((void **)&(a)->items, (a)->count, &(a)->capacity,                 \
                    sizeof(*(a)->items))                                              \
         ? &(a)->items[(a)->count++]                                                  \
         : NULL)

#define INQ_ARRAY_FREE(a)                         \
    do {                                          \
        free((a)->items);                         \
        (a)->items = NULL;                        \
        (a)->count = (a)->capacity = 0;           \
    } while (0)

#endif
