/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, replace, or swap two neighbours. */
static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    unsigned rows[3][INQ_NEAREST_WORD + 1];

    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];

        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned cost = before[j - 1] + (a[i - 1] != b[j - 1]);

            cost = least(cost, before[j] + 1);
            cost = least(cost, now[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost = least(cost, earlier[j - 2] + 1);
            now[j] = cost;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *inq_nearest(const char *word, const char *const *names, size_t n)
{
    size_t size = strlen(word);
    /* what is this far away is not meant */
    unsigned best = size <= 3 ? 2 : size <= 12 ? 3 : 4;
    const char *near = NULL;

    if (size == 0 || size > INQ_NEAREST_WORD)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t name_size = strlen(names[i]);
        unsigned d;

        if (name_size > INQ_NEAREST_WORD)
            continue;
        d = distance(word, size, names[i], name_size);
        if (d < best) {
            best = d;
            near = names[i];
        }
    }
    return near;
}
