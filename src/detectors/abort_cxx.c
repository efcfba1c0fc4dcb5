/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What std::terminate() was called for. The exception is in the thread's own list, whatever the
 * names of the frames; that it is the reason is told by the frames: __cxa_throw() does not return,
 * and it is left before any handler or destructor runs, so an abort() above it was the end of the
 * search for a handler.
 */

#include <string.h>

#include "abort_message.h"
#include "crash.h"
#include "cxx_exception.h"
#include "frame_search.h"
#include "text.h"

static const char *const terminators[] = {"std::terminate", "__cxxabiv1::__terminate",
                                          "std::__terminate", "std::unexpected", NULL};
static const char *const throwers[] = {"__cxa_throw", "__cxa_rethrow", "std::rethrow_exception",
                                       NULL};
static const char *const personalities[] = {"__gxx_personality_v0", "__cxa_call_terminate",
                                            "__clang_call_terminate", NULL};
static const char *const pure[] = {"__cxa_pure_virtual", NULL};
static const char *const deleted[] = {"__cxa_deleted_virtual", NULL};

/* Inlined copies of std::__terminate (a call of std::terminate) name nothing that ran. */
static size_t find(const struct inq_stack *stack, const char *const *names)
{
    size_t at = inq_frame_find(stack, 0, names);

    while (at != INQ_NO_FRAME && stack->frames[at].inlined)
        at = inq_frame_find(stack, at + 1, names);
    return at;
}

/* In a program without names nothing tells who called abort(). */
static bool is_nameless(const struct inq_stack *stack)
{
    for (size_t i = 0; stack && i < stack->n_frames; i++)
        if (!stack->frames[i].function && stack->frames[i].module &&
            stack->frames[i].module->is_main)
            return true;
    return false;
}

/* Where compilers split functions in two, what throws has no name: its library still tells. */
static bool is_called_by_runtime(const struct inq_stack *stack, size_t terminator)
{
    size_t caller = terminator + 1;

    while (caller < stack->n_frames && stack->frames[caller].inlined)
        caller++;
    return caller < stack->n_frames && stack->frames[caller].module &&
           !stack->frames[caller].module->is_main && !stack->frames[caller].function &&
           stack->frames[caller].module == stack->frames[terminator].module;
}

static const char *how_it_ended(const struct inq_stack *stack)
{
    size_t terminator = find(stack, terminators), thrower = find(stack, throwers);
    size_t personality = find(stack, personalities);

    if (personality != INQ_NO_FRAME)
        return "noexcept";
    if (thrower != INQ_NO_FRAME)
        return "uncaught";
    if (terminator == INQ_NO_FRAME)
        return NULL;
    return is_called_by_runtime(stack, terminator) ? "uncaught" : "terminate";
}

static const char *message_of(struct inq_dump *dump, const struct inq_cxx_exception *exception)
{
    const char *type = exception->type ? exception->type : "a C++ exception of unknown type";
    const char *text = exception->what ? exception->what : exception->value;

    return text && *text ? inq_arena_printf(dump->arena, "%s: %s", type, text) : type;
}

static void set_exception(struct inq_dump *dump, struct inq_evidence *evidence,
                          const struct inq_cxx_exception *exception, const char *how)
{
    if (exception->type)
        inq_evidence_set_text(evidence, "abort.exception.type", exception->type);
    else
        inq_evidence_set_unknown(evidence, "abort.exception.type", "%s", exception->type_why);
    if (exception->what)
        inq_evidence_set_text(evidence, "abort.exception.what", exception->what);
    else if (exception->what_why)
        inq_evidence_set_unknown(evidence, "abort.exception.what", "%s", exception->what_why);
    if (exception->value)
        inq_evidence_set_text(evidence, "abort.exception.value", exception->value);
    inq_evidence_set_text(evidence, "abort.exception.runtime", exception->runtime);
    inq_evidence_set_int(evidence, "abort.exception.thread", inq_crashed_thread(dump)->tid);
    inq_evidence_set_addr(evidence, "abort.exception.object", exception->object);
    if (how)
        inq_evidence_set_text(evidence, "abort.exception.how", how);
    else if (is_nameless(inq_crashed_stack(dump)))
        inq_evidence_set_unknown(evidence, "abort.exception.how",
                                 "frames of the crashing thread have no names: abort() may have "
                                 "been called in its handler");
    else
        inq_evidence_set_text(evidence, "abort.exception.how", "handled");
}

static enum inq_abort_answer tell(struct inq_abort_text *ret_text, const char *message,
                                  const char *found_in, const char *grade)
{
    if (!message)
        return INQ_ABORT_NONE;
    *ret_text = (struct inq_abort_text){.message = message,
                                        .source = !strcmp(found_in, "exception") ? "c++-exception"
                                                                                 : "c++-runtime",
                                        .found_in = found_in,
                                        .grade = grade};
    return INQ_ABORT_FOUND;
}

static bool has_cxx(const struct inq_dump *dump)
{
    for (size_t i = 0; i < dump->modules->count; i++) {
        const struct inq_module *module = &dump->modules->items[i];
        const char *name = module->soname ? module->soname : module->name;
        if (inq_starts_with(name, "libstdc++") || inq_starts_with(name, "libc++"))
            return true;
    }
    return false;
}

enum inq_abort_answer inq_abort_cxx(struct inq_dump *dump, struct inq_evidence *evidence,
                                    struct inq_abort_text *ret_text, const char **ret_why)
{
    const struct inq_core_thread *thread = inq_crashed_thread(dump);
    const struct inq_stack *stack = inq_crashed_stack(dump);
    struct inq_cxx_exception exception;
    enum inq_cxx_found found;

    if (!thread || !stack || inq_crash_signal(dump).kind != INQ_SIGNAL_ABRT)
        return INQ_ABORT_NONE;
    const char *how = how_it_ended(stack);
    if (find(stack, pure) != INQ_NO_FRAME)
        return tell(ret_text, "pure virtual method called", "frames", "proven");
    if (find(stack, deleted) != INQ_NO_FRAME)
        return tell(ret_text, "deleted virtual method called", "frames", "proven");
    found = inq_cxx_exception_find(dump, thread, &exception, ret_why);
    if (found == INQ_CXX_FOUND) {
        set_exception(dump, evidence, &exception, how);
        if (how)
            return tell(ret_text, message_of(dump, &exception), "exception", "proven");
        return is_nameless(stack)
                   ? tell(ret_text, message_of(dump, &exception), "exception", "plausible")
                   : INQ_ABORT_NONE;
    }
    if (!how)
        return INQ_ABORT_NONE;
    if (found == INQ_CXX_NONE && !strcmp(how, "terminate") && has_cxx(dump))
        return tell(ret_text, "terminate called without an active exception", "frames", "strong");
    if (found == INQ_CXX_NONE)
        *ret_why = "the exception that was thrown is not in the list of its thread";
    inq_evidence_set_unknown(evidence, "abort.exception.type", "%s", *ret_why);
    return INQ_ABORT_NOT_TOLD;
}
