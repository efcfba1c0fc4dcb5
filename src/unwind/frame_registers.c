/* SPDX-License-Identifier: Apache-2.0 */
#include "frame_registers.h"

#include <elf.h>

#include "cleanup.h"
#include "signal_frame.h"

#define MOST_STEPS 256u
#define MOST_FUNCTION 65536u

struct tools {
    struct inq_codemap *code;
    struct inq_cfi *cfi;
};

static bool tools_create(struct inq_memory *memory, struct inq_modules *modules,
                         struct inq_arena *arena, struct tools *ret_tools)
{
    struct tools tools = {.code = INQ_ARENA_NEW(arena, struct inq_codemap)};

    if (!tools.code)
        return false;
    inq_codemap_init(tools.code, memory, modules, arena);
    _cleanup_(inq_error_destroyp) struct inq_error *error =
        inq_cfi_create(tools.code, arena, &tools.cfi);
    if (error) {
        inq_arena_set_failed(arena);
        return false;
    }
    *ret_tools = tools;
    return true;
}

struct inq_registers inq_thread_registers(const struct inq_core *core,
                                          const struct inq_core_thread *thread)
{
    static const char *const names[INQ_X86_64_REGISTERS] = {
        [INQ_RAX] = "rax", [INQ_RDX] = "rdx", [INQ_RCX] = "rcx", [INQ_RBX] = "rbx",
        [INQ_RSI] = "rsi", [INQ_RDI] = "rdi", [INQ_RBP] = "rbp", [INQ_RSP] = "rsp",
        [INQ_R8] = "r8",   [INQ_R9] = "r9",   [INQ_R10] = "r10", [INQ_R11] = "r11",
        [INQ_R12] = "r12", [INQ_R13] = "r13", [INQ_R14] = "r14", [INQ_R15] = "r15",
        [INQ_RIP] = "rip",
    };
    struct inq_registers registers = {.known = 0};
    uint64_t value;

    for (unsigned int i = 0; i < INQ_X86_64_REGISTERS; i++)
        if (inq_core_register(core, thread, names[i], &value))
            inq_register_set(&registers, i, value);
    return registers;
}

static bool step(const struct tools *tools, const struct inq_core *core, struct inq_memory *memory,
                 const struct inq_stack *stack, const struct inq_frame *frame,
                 const struct inq_registers *now, struct inq_registers *ret_next)
{
    struct inq_signal_context context;

    if (frame->kind == INQ_FRAME_SIGNAL) {
        if (!inq_signal_context_read(core, memory, stack->thread, frame->sp, &context))
            return false;
        *ret_next = inq_thread_registers(core, &context.thread);
        return true;
    }
    return inq_cfi_step(tools->cfi, now, frame->pc - frame->pc_is_return, ret_next) == INQ_CFI_OK;
}

static bool walk_to(const struct tools *tools, const struct inq_core *core,
                    struct inq_memory *memory, const struct inq_stack *stack, size_t at,
                    struct inq_registers *ret_registers)
{
    struct inq_registers now = inq_thread_registers(core, stack->thread);
    const struct inq_frame *frame = NULL;
    unsigned steps = 0;

    for (size_t i = 0; i <= at; i++) {
        const struct inq_frame *next = &stack->frames[i];
        if (next->inlined)
            continue;
        if (frame) {
            struct inq_registers caller;
            if (next->index != frame->index + 1 || ++steps > MOST_STEPS ||
                (next->trust != INQ_TRUST_CFI && next->trust != INQ_TRUST_CONTEXT) ||
                !step(tools, core, memory, stack, frame, &now, &caller))
                return false;
            now = caller;
        }
        if (now.value[INQ_RIP] != next->pc || now.value[INQ_RSP] != next->sp)
            return false;
        frame = next;
    }
    *ret_registers = now;
    return frame != NULL;
}

/* Where its size is not told, a function ends where the next one starts. */
static void find_function(struct inq_cfi *cfi, const struct inq_frame *frame,
                          struct inq_frame_registers *found)
{
    uint64_t start, other, last, at = frame->pc - frame->pc_is_return;

    if (!inq_cfi_function(cfi, at, &start, &last) || at > UINT64_MAX - 2 * MOST_FUNCTION)
        return;
    if (last != 0) {
        found->function_start = at < last ? start : 0;
        found->function_end = at < last ? last : 0;
        return;
    }
    for (uint64_t end = (at | 15) + 1; end - at < MOST_FUNCTION; end += 16)
        if (!inq_cfi_function(cfi, end, &other, NULL) || other != start) {
            found->function_start = start;
            found->function_end = end;
            return;
        }
}

bool inq_frame_registers(const struct inq_core *core, struct inq_memory *memory,
                         struct inq_modules *modules, struct inq_arena *arena,
                         const struct inq_stack *stack, size_t at,
                         struct inq_frame_registers *ret_registers)
{
    struct inq_frame_registers found = {.function_start = 0};
    struct tools tools;

    if (core->machine != EM_X86_64 || core->elf_class != 64 || core->cpu->word_bytes != 8 ||
        at >= stack->n_frames || !stack->thread->has_registers ||
        !tools_create(memory, modules, arena, &tools))
        return false;
    bool ok = walk_to(&tools, core, memory, stack, at, &found.registers);
    if (ok)
        find_function(tools.cfi, &stack->frames[at], &found);
    inq_cfi_destroy(tools.cfi);
    if (ok)
        *ret_registers = found;
    return ok;
}
