/* SPDX-License-Identifier: Apache-2.0 */
#include "size_text.h"

#include <inttypes.h>

const char *inq_size_text(struct inq_arena *arena, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    unsigned shift = 10, unit = 0;

    if (bytes < 10240 && bytes % 1024 != 0)
        return inq_arena_printf(arena, "%" PRIu64 " bytes", bytes);
    while (unit < 3 && bytes >> shift >= 1024) {
        unit++;
        shift += 10;
    }
    /* tenths of the unit, to the nearest: kibibytes of the rest are enough for that */
    uint64_t rest = (bytes & ((1ull << shift) - 1)) >> (shift - 10);
    uint64_t tenths = (bytes >> shift) * 10 + (rest * 10 + 512) / 1024;
    if (tenths % 10 == 0)
        return inq_arena_printf(arena, "%" PRIu64 " %s", tenths / 10, units[unit]);
    return inq_arena_printf(arena, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10,
                            units[unit]);
}
