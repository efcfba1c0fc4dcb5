/* SPDX-License-Identifier: Apache-2.0 */

/* The stack of the crashing thread as facts: used up or not, and by what. */

#include <string.h>

#include "cleanup.h"
#include "detectors.h"
#include "record_stack.h"
#include "size_text.h"
#include "stack_overflow.h"
#include "text.h"

/* A round of a recursion can be 16 functions long. */
#define NAMES_BYTES 512u

static const char *const kinds[] = {
    [INQ_OVERFLOW_UNKNOWN] = NULL,
    [INQ_OVERFLOW_RECURSION] = "recursion",
    [INQ_OVERFLOW_BIG_FRAME] = "big-frame",
    [INQ_OVERFLOW_ALTERNATE] = "alternate",
};

struct facts {
    struct inq_json_writer w;
    struct inq_dump *dump;
    struct inq_stack_overflow overflow;
    bool is_own;            /* the stack that overflowed is the thread's own */
    json_t *thread, *stack; /* borrowed */
};

static json_t *object_in(struct facts *f, json_t *parent, const char *key)
{
    json_t *object = json_object_get(parent, key);

    if (!object) {
        inq_json_put(&f->w, parent, key, json_object());
        object = json_object_get(parent, key);
    }
    return object;
}

/*
 * "even < odd < (no name)": those of one round, innermost first; neighbours of one name
 * are named once. NULL when none has a name.
 */
static const char *round_names(const struct inq_dump *dump, const struct inq_stack *stack)
{
    const char *names = NULL, *last = NULL;
    bool any = false;

    for (size_t i = 0; i < stack->cycle_length; i++) {
        const struct inq_frame *frame = inq_stack_frame_at(stack, stack->cycle_start + i);
        if (!frame)
            return NULL;
        const char *name = frame->function ? frame->function : "(no name)";
        any |= frame->function != NULL;
        if (names && last && !strcmp(name, last))
            continue;
        last = name;
        names = names ? inq_arena_printf(dump->arena, "%s < %s", names, name) : name;
        if (!names)
            return NULL;
        if (strlen(names) > NAMES_BYTES)
            return any ? inq_arena_printf(dump->arena, "%s ...", names) : NULL;
    }
    return any ? names : NULL;
}

static void put_cycle(struct facts *f)
{
    const struct inq_stack *stack = inq_crashed_stack(f->dump);
    json_t *cycle = json_object_get(f->thread, "cycle");

    if (!cycle || !stack)
        return;
    const char *names = round_names(f->dump, stack);
    if (names)
        inq_json_put_text(&f->w, cycle, "functions", names);
    if (f->overflow.frames.cycle_bytes > 0) {
        inq_json_put_int(&f->w, cycle, "bytes", (int64_t)f->overflow.frames.cycle_bytes);
        inq_json_put_text(&f->w, cycle, "size",
                          inq_size_text(f->dump->arena, f->overflow.frames.cycle_bytes));
    }
}

/* How many frames of the same function are listed: a recursion of few, large levels. */
static size_t levels_of(const struct facts *f, const struct inq_frame *frame)
{
    const struct inq_stack *stack = inq_crashed_stack(f->dump);
    size_t levels = 0;

    for (size_t i = 0; stack && i < stack->n_frames; i++) {
        const char *name = stack->frames[i].function;
        levels += !stack->frames[i].inlined && stack->frames[i].module == frame->module && name &&
                  !strcmp(name, frame->function);
    }
    return levels;
}

/* The module that the thread's first own function is in: the one called by the C library. */
static const char *first_module(const struct inq_stack *stack)
{
    for (size_t i = stack ? stack->n_frames : 0; i-- > 0;) {
        const struct inq_module *module = stack->frames[i].module;

        if (!module || !module->name)
            return "";
        if (!inq_starts_with(module->name, "libc.") && !inq_starts_with(module->name, "libc-") &&
            !inq_starts_with(module->name, "libpthread") &&
            !inq_starts_with(module->name, "ld-musl"))
            return module->name;
    }
    return "";
}

/* Runtimes whose libraries are stripped: only they begin threads inside themselves. */
static const char *made_inside(const struct inq_stack *stack)
{
    const char *module = stack && stack->complete ? first_module(stack) : "";

    if (inq_starts_with(module, "libpython") || inq_starts_with(module, "python"))
        return "python";
    return inq_starts_with(module, "libjvm") ? "java" : NULL;
}

/*
 * Who made the thread, and so who gives its stack a size: by the functions that threads of a
 * runtime begin with.
 */
static const char *made_by(const struct facts *f)
{
    static const struct {
        const char *function, *module, *word;
    } beginnings[] = {
        {"thread_native_entry", "libjvm", "java"},
        {"JavaMain", "libjli", "java"},
        {"thread_run", "python", "python"},
        {"thread_run", "libpython", "python"},
        {"t_bootstrap", "python", "python"},
        {"t_bootstrap", "libpython", "python"},
        {"pythread_wrapper", "python", "python"},
        {"pythread_wrapper", "libpython", "python"},
        {"runtime.mstart", "", "go"},
        {"runtime.goexit", "", "go"},
        {"Thread::new::thread_start", "", "rust"},
        {"QThreadPrivate::start", "libQt", "qt"},
    };
    const struct inq_stack *stack = inq_crashed_stack(f->dump);
    const char *word = NULL;

    if (f->overflow.stack.source == INQ_STACK_AUXV)
        return "main";
    for (size_t i = 0; stack && i < stack->n_frames; i++) {
        const struct inq_frame *frame = &stack->frames[i];
        const char *module = frame->module ? frame->module->name : "";
        for (size_t k = 0; frame->function && k < INQ_ARRAY_SIZE(beginnings); k++) {
            const char *wanted = beginnings[k].function;
            size_t size = strlen(frame->function), tail = strlen(wanted);
            if (size >= tail && !strcmp(frame->function + size - tail, wanted) &&
                inq_starts_with(module, beginnings[k].module))
                word = beginnings[k].word; /* the outermost one counts */
        }
    }
    if (!word)
        word = made_inside(stack);
    if (!word && f->overflow.stack.source == INQ_STACK_PTHREAD)
        word = f->overflow.stack.is_musl ? "musl" : "pthread";
    return word;
}

static void put_frame(struct facts *f)
{
    const struct inq_frame *frame = f->overflow.frames.biggest;

    if (!frame || f->overflow.frames.biggest_bytes == 0 ||
        f->overflow.frames.biggest_bytes > INT64_MAX)
        return;
    json_t *object = object_in(f, f->stack, "biggest_frame");
    inq_json_put_int(&f->w, object, "bytes", (int64_t)f->overflow.frames.biggest_bytes);
    inq_json_put_text(&f->w, object, "size",
                      inq_size_text(f->dump->arena, f->overflow.frames.biggest_bytes));
    inq_json_put_text(&f->w, object, "function", frame->function);
    if (frame->function)
        inq_json_put_int(&f->w, object, "levels", (int64_t)levels_of(f, frame));
    inq_json_put_text(&f->w, object, "module", frame->module ? frame->module->name : NULL);
}

static void put_overflow(struct facts *f)
{
    const struct inq_stack_overflow *overflow = &f->overflow;

    /* where it was not the thread's own, that one is of no interest any more */
    if (overflow->overflowed && !f->is_own) {
        json_object_clear(f->stack);
        inq_record_stack(&f->w, f->stack, f->dump->core, &overflow->stack);
    }
    inq_json_put_bool(&f->w, f->stack, "overflow", overflow->overflowed);
    /* a handler may have gone elsewhere since: what was used when it failed counts */
    if (overflow->has_used && overflow->used_bytes <= INT64_MAX)
        inq_json_put_int(&f->w, f->stack, "used_bytes", (int64_t)overflow->used_bytes);
    if (!overflow->overflowed)
        return;
    if (kinds[overflow->kind])
        inq_json_put(&f->w, f->stack, "overflow_kind", json_string_nocheck(kinds[overflow->kind]));
    put_frame(f);
}

static void put_words(struct facts *f)
{
    struct inq_arena *arena = f->dump->arena;
    const char *maker = made_by(f);

    if (f->overflow.stack.source != INQ_STACK_UNKNOWN)
        inq_json_put_text(&f->w, f->stack, "size", inq_size_text(arena, f->overflow.stack.size));
    if (f->overflow.has_used)
        inq_json_put_text(&f->w, f->stack, "used", inq_size_text(arena, f->overflow.used_bytes));
    if (maker)
        inq_json_put_text(&f->w, f->stack, "made_by", maker);
}

static json_t *crashed_thread(struct inq_evidence *evidence)
{
    json_t *threads = json_object_get(evidence->document, "threads"), *thread;
    size_t i;

    json_array_foreach (threads, i, thread) {
        if (json_is_true(json_object_get(thread, "crashed")))
            return thread;
    }
    return NULL;
}

struct inq_error *inq_detect_stack(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct facts f = {.dump = dump, .thread = crashed_thread(evidence)};

    if (!f.thread)
        return NULL;
    inq_stack_overflow(dump, &f.overflow);
    const struct inq_thread_stack *own = inq_crashed_thread_stack(dump);
    f.is_own = own && own->start == f.overflow.stack.start && own->size == f.overflow.stack.size;
    if (f.overflow.is_known) {
        f.stack = object_in(&f, f.thread, "stack");
        put_overflow(&f);
        put_words(&f);
    } else {
        static const char *const facts[] = {"crashed.stack.overflow", "crashed.stack.overflow_kind",
                                            "crashed.stack.biggest_frame.bytes"};
        for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
            inq_evidence_set_unknown(evidence, facts[i], "%s", f.overflow.why);
    }
    if (!own || (own->source != INQ_STACK_PTHREAD && own->source != INQ_STACK_AUXV))
        inq_evidence_set_unknown(evidence, "crashed.stack.guest",
                                 "where the stack of the thread lies is not known");
    put_cycle(&f);
    evidence->failed |= f.w.failed;
    return evidence->failed ? &inq_error_oom : NULL;
}
