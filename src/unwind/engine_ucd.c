/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_ucd.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <libunwind-coredump.h>

#define MAX_STEPS 1000000u

struct inq_ucd {
    struct UCD_info *info;
    unw_addr_space_t space;
};

struct inq_error *inq_ucd_create(int core_fd, struct inq_ucd **ret_ucd)
{
    char path[64];
    struct inq_ucd *ucd = calloc(1, sizeof(*ucd));

    if (!ucd)
        return &inq_error_oom;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", core_fd);
    ucd->space = unw_create_addr_space(&_UCD_accessors, 0);
    ucd->info = ucd->space ? _UCD_create(path) : NULL;
    if (!ucd->info) {
        inq_ucd_destroy(ucd);
        return inq_error_create(
            INQ_E_USAGE, "the ucd engine could not open the dump: it reads plain files only");
    }
    *ret_ucd = ucd;
    return NULL;
}

void inq_ucd_destroy(struct inq_ucd *ucd)
{
    if (!ucd)
        return;
    if (ucd->info)
        _UCD_destroy(ucd->info);
    if (ucd->space)
        unw_destroy_addr_space(ucd->space);
    free(ucd);
}

bool inq_ucd_walk(struct inq_ucd *ucd, size_t i, struct inq_codemap *code,
                  struct inq_frames *frames, struct inq_arena *arena, struct inq_stack *stack)
{
    unw_cursor_t cursor;
    int result = -1;

    inq_frames_reset(frames);
    if (i <= INT_MAX && (int)i < _UCD_get_num_threads(ucd->info)) {
        _UCD_select_thread(ucd->info, (int)i);
        result = unw_init_remote(&cursor, ucd->space, ucd->info);
    }
    bool exact = true;
    for (unsigned int steps = 0; result >= 0 && steps < MAX_STEPS; steps++) {
        unw_word_t pc, sp;
        if (unw_get_reg(&cursor, UNW_REG_IP, &pc) < 0 || unw_get_reg(&cursor, UNW_REG_SP, &sp) < 0)
            break;
        struct inq_place place = inq_codemap_place(code, pc);
        struct inq_frame frame = {
            .pc = pc,
            .sp = sp,
            .trust = exact ? INQ_TRUST_CONTEXT : INQ_TRUST_CFI,
            .kind = place.trampoline ? INQ_FRAME_SIGNAL : INQ_FRAME_NATIVE,
            .pc_is_return = !exact && !place.trampoline,
            .module = place.module,
        };
        inq_frames_push(frames, &frame);
        exact = place.trampoline;
        result = unw_step(&cursor);
        if (result == 0)
            break;
    }
    /* It gives the same answer at the outermost frame and where it lost its way. */
    stack->stop = "the stock reader of libunwind ended here";
    return inq_frames_finish(frames, arena, stack);
}
