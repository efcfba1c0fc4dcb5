/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is exit() running, in any thread? Its frame tells, and exit is a name that every libc exports;
 * the functions that it calls (__run_exit_handlers, _dl_fini) often have none. What it was doing
 * is told by the frame right inside: handlers of atexit() and C++ objects are called from libc,
 * destructors of libraries from the dynamic linker.
 */

#include <elf.h>
#include <string.h>

#include "code_probe.h"
#include "crash.h"
#include "detectors.h"
#include "frame_registers.h"
#include "frame_search.h"
#include "thread_stacks.h"

#define MOST_STACK 65536u

static const char *const exits[] = {"exit",       "__GI_exit", "__run_exit_handlers",
                                    "quick_exit", "_dl_fini",  NULL};
static const char *const thread_locals[] = {"__call_tls_dtors", "__GI___call_tls_dtors", NULL};
static const char *const destructors[] = {"_dl_fini",  "_dl_call_fini",    "__libc_csu_fini",
                                          "call_fini", "__libc_exit_fini", NULL};

struct place { /* of a running exit() */
    const struct inq_stack *stack;
    size_t exit;  /* place of the outermost frame that belongs to it */
    size_t inner; /* of the frame that was called, outermost of those outside libc and linker */
};

static bool is_system(const struct inq_dump *dump, const struct inq_frame *frame)
{
    if (frame->kind == INQ_FRAME_SIGNAL)
        return false;
    if (inq_module_is_libc(frame->module) || inq_module_is_loader(frame->module))
        return true;
    return inq_is_static(dump) && frame->module && frame->module->is_main &&
           (inq_frame_is(frame, exits) || inq_frame_is(frame, destructors) ||
            inq_frame_is(frame, thread_locals));
}

static bool find_place(const struct inq_dump *dump, const struct inq_stack *stack,
                       struct place *ret_place)
{
    size_t at = INQ_NO_FRAME;

    for (size_t i = 0; i < stack->n_frames; i++) {
        const struct inq_frame *frame = &stack->frames[i];
        if (!frame->inlined && inq_frame_is(frame, exits) && is_system(dump, frame))
            at = i;
    }
    if (at == INQ_NO_FRAME)
        return false;
    *ret_place = (struct place){.stack = stack, .exit = at, .inner = INQ_NO_FRAME};
    /* libc's own frames between exit() and what it called */
    size_t i = at;
    while (i > 0 && is_system(dump, &stack->frames[i - 1]) &&
           stack->frames[i].index - stack->frames[i - 1].index <= 1)
        i--;
    if (i > 0 && stack->frames[i].index - stack->frames[i - 1].index <= 1 &&
        stack->frames[i - 1].kind != INQ_FRAME_SIGNAL)
        ret_place->inner = i - 1;
    return true;
}

/* ---- what it was doing ----------------------------------------------------------------------- */

static const char *phase_of(const struct place *place)
{
    const struct inq_stack *stack = place->stack;

    for (size_t i = place->inner + 1; i <= place->exit; i++) {
        const struct inq_frame *frame = &stack->frames[i];
        if (inq_frame_is(frame, thread_locals))
            return "thread-local";
        if (inq_frame_is(frame, destructors) ||
            (inq_module_is_loader(frame->module) && !inq_module_is_libc(frame->module)))
            return "destructor";
    }
    /* in a static program or musl the frame right inside is all there is: it must have a name */
    const struct inq_frame *caller = &stack->frames[place->inner + 1];
    if (inq_module_is_libc(caller->module) && !inq_module_is_loader(caller->module))
        return "atexit";
    return caller->function && strcmp(caller->function, "exit") != 0 ? "atexit" : NULL;
}

/* ---- the status ------------------------------------------------------------------------------ */

static bool status_in_frame(const struct inq_dump *dump, const struct place *place, size_t at,
                            int64_t *ret_status)
{
    static const ZydisRegister kept_in[] = {ZYDIS_REGISTER_RBX, ZYDIS_REGISTER_RBP,
                                            ZYDIS_REGISTER_R12, ZYDIS_REGISTER_R13,
                                            ZYDIS_REGISTER_R14, ZYDIS_REGISTER_R15};
    static const uint8_t dwarf[] = {INQ_RBX, INQ_RBP, INQ_R12, INQ_R13, INQ_R14, INQ_R15};
    struct inq_frame_registers frame;
    struct inq_kept_argument kept;
    uint32_t word;

    if (!inq_frame_registers(dump->core, dump->memory, dump->modules, dump->arena, place->stack, at,
                             &frame) ||
        frame.function_start == 0 ||
        !inq_code_keeps_argument(dump, frame.function_start, frame.function_end, &kept))
        return false;
    for (size_t i = 0; kept.in_register && i < sizeof(dwarf); i++)
        if (kept_in[i] == kept.reg && inq_register_known(&frame.registers, dwarf[i])) {
            *ret_status = (int32_t)(uint32_t)frame.registers.value[dwarf[i]];
            return true;
        }
    /* on the stack: counted from the return address, right below the caller's stack pointer */
    if (kept.in_register || at + 1 >= place->stack->n_frames ||
        !inq_memory_u32(dump->memory, place->stack->frames[at + 1].sp - 8 + (uint64_t)kept.offset,
                        &word))
        return false;
    *ret_status = (int32_t)word;
    return true;
}

/* exit(status) hands its argument on, or keeps it itself; the first function that keeps it tells.
 */
static bool find_status(const struct inq_dump *dump, const struct place *place, int64_t *ret_status)
{
    const struct inq_stack *stack = place->stack;
    size_t lowest = place->inner == INQ_NO_FRAME ? 0 : place->inner + 1;

    for (size_t at = place->exit + 1; at-- > lowest;) {
        const struct inq_frame *frame = &stack->frames[at];
        struct inq_frame_registers registers;
        if (frame->inlined)
            continue;
        if (!inq_frame_is_sure(frame))
            return false;
        if (status_in_frame(dump, place, at, ret_status))
            return true;
        if (!inq_frame_registers(dump->core, dump->memory, dump->modules, dump->arena, stack, at,
                                 &registers) ||
            registers.function_start == 0 ||
            !inq_code_passes_argument(dump, registers.function_start, frame->pc))
            return false;
    }
    return false;
}

static void set_exiting(const struct inq_dump *dump, struct inq_evidence *evidence,
                        const struct place *place)
{
    int64_t status;

    inq_evidence_set_int(evidence, "state.exiting.thread", place->stack->thread->tid);
    if (find_status(dump, place, &status))
        inq_evidence_set_int(evidence, "state.exiting.status", status & 0xff);
    else
        inq_evidence_set_unknown(evidence, "state.exiting.status",
                                 "where exit() keeps its argument is not known for certain");
    if (place->inner == INQ_NO_FRAME) {
        inq_evidence_set_unknown(evidence, "state.exiting.module",
                                 "exit() had called nobody, or frames are missing");
        return;
    }
    const struct inq_frame *inner = &place->stack->frames[place->inner];
    const char *phase = phase_of(place);
    if (inner->module)
        inq_evidence_set_text(evidence, "state.exiting.module", inner->module->name);
    else
        inq_evidence_set_unknown(evidence, "state.exiting.module",
                                 "what exit() had called lies in no module");
    if (phase)
        inq_evidence_set_text(evidence, "state.exiting.phase", phase);
    else
        inq_evidence_set_unknown(evidence, "state.exiting.phase",
                                 "the frames that would tell have no names");
}

static bool has_musl(const struct inq_dump *dump)
{
    for (size_t i = 0; i < dump->modules->count; i++)
        if (inq_module_is_musl(&dump->modules->items[i]))
            return true;
    return false;
}

/*
 * Where no frames lead through libc (musl as distributions build it): the return address of a call
 * of exit() on the stack. exit() never returns, so such a word is not a left-over.
 */
static bool called_by_stack(struct inq_dump *dump)
{
    const struct inq_thread_stack *stack = inq_crashed_thread_stack(dump);
    struct inq_memory_region code;
    uint64_t function, sp, word, end;

    if (!inq_crash_sp(dump, &sp) || !stack || !inq_stack_covers(stack, sp) ||
        dump->core->machine != EM_X86_64 || dump->core->elf_class != 64 || !has_musl(dump) ||
        (!inq_modules_symbol(dump->modules, "libc", "exit", &function, NULL) &&
         !inq_modules_symbol(dump->modules, "ld-musl-", "exit", &function, NULL)))
        return false;
    end = stack->start + stack->size;
    for (uint64_t at = (sp + 7) & ~UINT64_C(7); at < end && at - sp < MOST_STACK; at += 8) {
        if (!inq_memory_u64(dump->memory, at, &word))
            return false;
        if (word >= 65536 && inq_memory_region_at(dump->memory, word, &code) &&
            (code.flags & PF_X) && inq_code_calls(dump, word, function))
            return true;
    }
    return false;
}

struct inq_error *inq_detect_exiting(struct inq_dump *dump, struct inq_evidence *evidence)
{
    static const char no_frames[] = "no frames lead through this C library";
    struct place place;

    for (size_t i = 0; dump->stacks && i < dump->stacks->count; i++)
        if (find_place(dump, &dump->stacks->items[i], &place)) {
            set_exiting(dump, evidence, &place);
            return NULL;
        }
    if (called_by_stack(dump)) {
        inq_evidence_set_int(evidence, "state.exiting.thread", inq_crashed_thread(dump)->tid);
        inq_evidence_set_unknown(evidence, "state.exiting.status", "%s", no_frames);
        inq_evidence_set_unknown(evidence, "state.exiting.module", "%s", no_frames);
        inq_evidence_set_unknown(evidence, "state.exiting.phase", "%s", no_frames);
        return NULL;
    }
    if (!inq_frames_tell(dump))
        inq_evidence_set_unknown(evidence, "state.exiting",
                                 "not all frames of all threads are known by name");
    return NULL;
}
