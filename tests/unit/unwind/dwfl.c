/* SPDX-License-Identifier: Apache-2.0 */
/* elfutils' unwinder over the same core: written by others, from other sources. */
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdlib.h>
#include <unistd.h>

#include "unwind_tests.h"

struct walk {
    struct dwfl_stack *stacks;
    size_t count;
};

static int on_frame(Dwfl_Frame *frame, void *context)
{
    struct dwfl_stack *stack = context;
    Dwarf_Addr pc;
    bool activation;

    if (!dwfl_frame_pc(frame, &pc, &activation))
        return DWARF_CB_ABORT;
    stack->lookups = realloc(stack->lookups, (stack->count + 1) * sizeof(*stack->lookups));
    assert_non_null(stack->lookups);
    stack->lookups[stack->count++] = activation ? pc : pc - 1;
    return DWARF_CB_OK;
}

static int on_thread(Dwfl_Thread *thread, void *context)
{
    struct walk *walk = context;

    walk->stacks = realloc(walk->stacks, (walk->count + 1) * sizeof(*walk->stacks));
    assert_non_null(walk->stacks);
    struct dwfl_stack *stack = &walk->stacks[walk->count++];
    *stack = (struct dwfl_stack){.tid = (uint32_t)dwfl_thread_tid(thread)};
    dwfl_thread_getframes(thread, on_frame, stack);
    return DWARF_CB_OK;
}

struct dwfl_stack *dwfl_stacks_walk(const struct crash *crash, size_t *ret_count)
{
    static char *debug_path = NULL;
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .debuginfo_path = &debug_path,
    };
    struct walk walk = {0};

    elf_version(EV_CURRENT);
    int fd = open(crash->core_path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    Dwfl *dwfl = dwfl_begin(&callbacks);
    assert_non_null(elf);
    assert_non_null(dwfl);
    assert_true(dwfl_core_file_report(dwfl, elf, crash->program) > 0);
    assert_int_equal(dwfl_report_end(dwfl, NULL, NULL), 0);
    assert_true(dwfl_core_file_attach(dwfl, elf) > 0);
    dwfl_getthreads(dwfl, on_thread, &walk);
    dwfl_end(dwfl);
    elf_end(elf);
    close(fd);
    *ret_count = walk.count;
    return walk.stacks;
}

void dwfl_stacks_free(struct dwfl_stack *stacks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(stacks[i].lookups);
    free(stacks);
}
