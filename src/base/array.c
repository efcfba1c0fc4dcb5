/* SPDX-License-Identifier: Apache-2.0 */
#include "array.h"

#include <stdint.h>
#include <string.h>

bool inq_array_grow(void **items, size_t count, size_t *capacity, size_t item_size)
{
    if (count >= *capacity) {
        size_t new_capacity, bytes;
        void *grown;

        if (__builtin_mul_overflow(*capacity, (size_t)2, &new_capacity))
            return false;
        if (new_capacity < 8)
            new_capacity = 8;
        if (__builtin_mul_overflow(new_capacity, item_size, &bytes) || bytes > PTRDIFF_MAX)
            return false;
        grown = realloc(*items, bytes);
        if (!grown)
            return false;
        *items = grown;
        *capacity = new_capacity;
    }
    memset((char *)*items + count * item_size, 0, item_size);
    return true;
}
