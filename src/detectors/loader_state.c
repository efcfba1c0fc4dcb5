/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Was a library being loaded or unloaded? The linker says so in r_debug.r_state while its list
 * changes (<link.h>); constructors and destructors run outside of that time, inside dlopen() and
 * dlclose(), whose frames tell. What runs before main() is no dlopen().
 */

#include "detectors.h"
#include "frame_search.h"
#include "text.h"

/* enum of r_debug.r_state */
#define STATE_ADD 1u
#define STATE_DELETE 2u

static const char *const opens[] = {
    "dlopen",    "___dlopen", "dlopen_implementation", "__dlopen",         "dlmopen", "___dlmopen",
    "__dlmopen", "_dl_open",  "__libc_dlopen_mode",    "__dlopen_nocheck", NULL};
static const char *const closes[] = {"dlclose",   "___dlclose", "dlclose_implementation",
                                     "__dlclose", "_dl_close",  "__libc_dlclose",
                                     NULL};

struct found {
    const struct inq_stack *stack;
    size_t at;
    bool close;
};

static bool is_system(const struct inq_dump *dump, const struct inq_frame *frame)
{
    if (frame->kind == INQ_FRAME_SIGNAL || !frame->module)
        return false;
    return inq_module_is_libc(frame->module) || inq_module_is_loader(frame->module) ||
           inq_starts_with(frame->module->name, "libdl") ||
           (frame->module->is_main && inq_is_static(dump));
}

/* The innermost frame of the two calls. */
static bool find(const struct inq_dump *dump, struct found *ret_found)
{
    for (size_t i = 0; dump->stacks && i < dump->stacks->count; i++) {
        const struct inq_stack *stack = &dump->stacks->items[i];
        for (size_t k = 0; k < stack->n_frames; k++) {
            const struct inq_frame *frame = &stack->frames[k];
            bool close = inq_frame_is(frame, closes);
            if (frame->inlined || !(close || inq_frame_is(frame, opens)) || !is_system(dump, frame))
                continue;
            *ret_found = (struct found){stack, k, close};
            return true;
        }
    }
    return false;
}

/* Whose constructor or destructor it had called. */
static const struct inq_module *find_module(const struct inq_dump *dump, const struct found *found)
{
    const struct inq_frame *frames = found->stack->frames;

    for (size_t i = found->at; i > 0; i--) {
        const struct inq_frame *frame = &frames[i - 1];
        if (frames[i].index - frame->index > 1 || frame->kind == INQ_FRAME_SIGNAL)
            return NULL;
        if (!is_system(dump, frame))
            return frame->module;
    }
    return NULL;
}

static void set_module(const struct inq_dump *dump, struct inq_evidence *evidence,
                       const struct found *found)
{
    const struct inq_module *module = find_module(dump, found);

    inq_evidence_set_int(evidence, "state.loading.thread", found->stack->thread->tid);
    if (module)
        inq_evidence_set_text(evidence, "state.loading.module",
                              module->path ? module->path : module->name);
    else
        inq_evidence_set_unknown(evidence, "state.loading.module",
                                 "the linker had not called the library's own code");
}

struct inq_error *inq_detect_loading(struct inq_dump *dump, struct inq_evidence *evidence)
{
    static const char why[] = "not all frames of all threads are known by name";
    uint32_t state = dump->modules->r_state;
    struct found found;
    bool by_frames = find(dump, &found);
    bool add = by_frames ? !found.close : state == STATE_ADD;
    bool remove = by_frames ? found.close : state == STATE_DELETE;

    if (!by_frames && !add && !remove && !inq_frames_tell(dump)) {
        inq_evidence_set_unknown(evidence, "state.in_dlopen", "%s", why);
        inq_evidence_set_unknown(evidence, "state.in_dlclose", "%s", why);
        return NULL;
    }
    inq_evidence_set_bool(evidence, "state.in_dlopen", add);
    inq_evidence_set_bool(evidence, "state.in_dlclose", remove);
    if (!add && !remove)
        return NULL;
    inq_evidence_set_text(evidence, "state.loading.source", by_frames ? "frames" : "linker");
    if (by_frames)
        set_module(dump, evidence, &found);
    else
        inq_evidence_set_unknown(evidence, "state.loading.module",
                                 "no thread stands in dlopen() or dlclose() by name");
    return NULL;
}
