/* SPDX-License-Identifier: Apache-2.0 */
#include "stacks.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

#include "bounds.h"
#include "cleanup.h"
#include "codemap.h"
#include "engine.h"
#include "engine_dwfl.h"
#include "engine_ucd.h"
#include "frame_registers.h"
#include "walk.h"
#include "walk_any.h"

const char *inq_trust_name(enum inq_trust trust)
{
    static const char *const names[] = {
        [INQ_TRUST_CONTEXT] = "context",
        [INQ_TRUST_CFI] = "cfi",
        [INQ_TRUST_FRAME_POINTER] = "frame-pointer",
        [INQ_TRUST_RULE] = "rule",
        [INQ_TRUST_SCAN] = "scan",
    };
    return names[trust];
}

const char *inq_frame_kind_name(enum inq_frame_kind kind)
{
    static const char *const names[] = {
        [INQ_FRAME_NATIVE] = "native",
        [INQ_FRAME_SIGNAL] = "signal",
        [INQ_FRAME_KERNEL] = "kernel",
        [INQ_FRAME_JIT] = "jit",
    };
    return names[kind];
}

/* What is scanned of all other stacks than the crashing thread's, together, in words of eight
 * bytes. */
#define SCAN_WORDS_OTHERS 1048576u

/* Of code without CFI, for all threads together: a tenth of a second. */
#define EPILOGUE_INSTRUCTIONS 1000000u

struct job {
    const struct inq_core *core;
    struct inq_arena *arena;
    struct inq_gaps *gaps;
    struct inq_codemap *code;
    struct inq_frames *frames;
    struct inq_walker walker;
    struct inq_any_walker any; /* for the CPUs other than x86-64 */
    bool can_walk;             /* one of the two can */
    struct inq_ucd *ucd;       /* for that engine alone */
    bool limit_told;
};

/* Only x86-64 proper: x32 has the same registers and other pointers. */
static bool is_x86_64(const struct inq_core *core)
{
    return core->cpu && core->machine == EM_X86_64 && core->elf_class == 64 &&
           core->cpu->word_bytes == 8;
}

static bool first_frame_only(struct job *job, struct inq_stack *stack, const char *why)
{
    stack->stop = why;
    return inq_walk_first(job->code, job->arena, inq_core_pc(job->core, stack->thread),
                          inq_core_sp(job->core, stack->thread), stack);
}

static bool walk_thread(struct job *job, struct inq_stack *stack, const char *where)
{
    const struct inq_core_thread *thread = stack->thread;

    if (!thread->has_registers || !job->core->cpu || job->core->cpu->pc < 0) {
        stack->stop = "the registers of this thread are not known";
        inq_gaps_add(job->gaps, INQ_G_NO_REGISTERS, where, NULL, "its stack");
        return true;
    }
    if (!job->can_walk)
        return first_frame_only(job, stack,
                                inq_arena_printf(job->arena, "unwinding is not supported for %s",
                                                 job->core->cpu->name));
    if (stack->thread_index >= INQ_MAX_THREADS_UNWOUND) {
        job->walker.limit_reached = true;
        return first_frame_only(
            job, stack,
            inq_arena_printf(job->arena, "only the stacks of the first %u threads are followed",
                             INQ_MAX_THREADS_UNWOUND));
    }

    if (job->ucd) {
        if (!inq_ucd_walk(job->ucd, stack->thread_index, job->code, job->frames, job->arena, stack))
            return false;
    } else if (!job->walker.cfi) {
        if (!inq_walk_any_thread(&job->any, thread, stack))
            return false;
    } else {
        struct inq_registers registers = inq_thread_registers(job->core, thread);
        if (!inq_walk_thread(&job->walker, &registers, stack))
            return false;
    }
    if (!stack->complete)
        inq_gaps_add(job->gaps, INQ_G_STACK_STOP, where, stack->stop, "the callers of frame %llu",
                     (unsigned long long)(stack->frames_total ? stack->frames_total - 1 : 0));
    return true;
}

static struct inq_error *walk_all(struct job *job, struct inq_stacks *stacks)
{
    for (size_t i = 0; i < stacks->count; i++) {
        struct inq_stack *stack = &stacks->items[i];
        char where[32];

        stack->thread = &job->core->threads[i];
        stack->thread_index = i;
        snprintf(where, sizeof(where), "thread %u", stack->thread->tid);
        if (!walk_thread(job, stack, where))
            return &inq_error_oom;
        if (job->walker.limit_reached && !job->limit_told) {
            job->limit_told = true;
            inq_gaps_add(job->gaps, INQ_G_STACK_LIMIT, where, stack->stop,
                         "the stacks from here on");
        }
    }
    return NULL;
}

struct engines {
    struct inq_cfi *cfi;
    struct inq_dwfl *dwfl;
    struct inq_ucd *ucd;
};

static void engines_destroy(struct engines *engines)
{
    inq_cfi_destroy(engines->cfi);
    inq_dwfl_destroy(engines->dwfl);
    inq_ucd_destroy(engines->ucd);
}

static struct inq_error *start_x86_64(struct job *job, const struct inq_unwind_options *options,
                                      struct engines *engines)
{
    INQ_TRY(inq_cfi_create(job->code, job->arena, &engines->cfi));
    job->walker.cfi = engines->cfi;
    job->walker.dwfl = engines->dwfl;
    job->walker.prefer_dwfl = options->engine == INQ_ENGINE_DWFL;
    if (options->engine == INQ_ENGINE_UCD) {
        INQ_TRY(inq_ucd_create(options->core_fd, &engines->ucd));
        job->ucd = engines->ucd;
    }
    return NULL;
}

/* Sets up the engine that was asked for, and the one that the CPU needs. */
static struct inq_error *start_engines(struct job *job, const struct inq_unwind_options *options,
                                       struct engines *engines)
{
    const struct inq_core *core = job->core;
    const struct inq_cpu_unwind *unwind = inq_cpu_unwind_find(core->cpu);

    if (!unwind) {
        inq_gaps_add(job->gaps, INQ_G_UNWIND_CPU, NULL, NULL,
                     "the callers of the first frames: unwinding is not supported for %s",
                     core->cpu ? core->cpu->name : core->machine_name);
        return NULL;
    }
    job->can_walk = true;
    job->walker.has_entry = inq_core_auxv(core, AT_ENTRY, &job->walker.entry);
    INQ_TRY(inq_dwfl_create(core, job->code, job->arena, &engines->dwfl));
    job->any = (struct inq_any_walker){
        .common = &job->walker,
        .dwfl = engines->dwfl,
        .chain = {.code = job->code, .core = core, .unwind = unwind},
    };
    return is_x86_64(core) ? start_x86_64(job, options, engines) : NULL;
}

struct inq_error *inq_stacks_walk(const struct inq_core *core, struct inq_memory *memory,
                                  struct inq_modules *modules,
                                  const struct inq_unwind_options *options, struct inq_arena *arena,
                                  struct inq_gaps *gaps, struct inq_stacks **ret_stacks)
{
    _cleanup_free_ struct inq_codemap *code = malloc(sizeof(*code));
    _cleanup_free_ struct inq_frames *frames = malloc(sizeof(*frames));
    _cleanup_(engines_destroy) struct engines engines = {.cfi = NULL};
    struct inq_stacks *stacks = INQ_ARENA_NEW(arena, struct inq_stacks);

    if (!code || !frames || !stacks)
        return &inq_error_oom;
    stacks->count = core->n_threads;
    stacks->items = INQ_ARENA_ARRAY(arena, core->n_threads ? core->n_threads : 1, struct inq_stack);
    if (!stacks->items)
        return &inq_error_oom;

    inq_codemap_init(code, memory, modules, arena);
    struct job job = {
        .core = core,
        .arena = arena,
        .gaps = gaps,
        .code = code,
        .frames = frames,
        .walker = {.code = code,
                   .arena = arena,
                   .frames = frames,
                   .frames_left = INQ_MAX_FRAMES_WALKED,
                   .cfi_steps_left = INQ_MAX_CFI_STEPS,
                   .epilogue_left = EPILOGUE_INSTRUCTIONS,
                   .scan_words_left = SCAN_WORDS_OTHERS},
    };
    INQ_TRY(start_engines(&job, options, &engines));
    INQ_TRY(walk_all(&job, stacks));
    *ret_stacks = stacks;
    return NULL;
}
