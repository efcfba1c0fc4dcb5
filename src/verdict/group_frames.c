/* SPDX-License-Identifier: Apache-2.0 */
#include "group_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "group_text.h"
#include "text.h"

/* A folded stack holds the innermost frames in full; what is further out names no bug. */
#define FRAMES_LOOKED_AT 256u
#define LONGEST_CYCLE 16u

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool text_is(const json_t *object, const char *key, const char *value)
{
    const char *text = text_of(object, key);
    return text && strcmp(text, value) == 0;
}

static bool is_signal_frame(const json_t *frame)
{
    return text_is(frame, "kind", "signal");
}

/* -------------------------------------------------------------------------------- one frame */

/*
 * "libfoo@0a1b2c3d+0x1234". A return address is the instruction behind the call: one byte less
 * lies in the call itself, in the right function even when that never returns.
 */
static char *exact_word(const json_t *frame, const json_t *module, const char *name, bool returns)
{
    const char *build_id = text_of(module, "build_id");
    uint64_t offset = 0, pc = 0, start = 0;
    const char *sign = "+";
    if (!inq_json_addr_value(json_object_get(frame, "module_offset"), &offset)) {
        /* A module without its headers: what counts is how far into it. */
        if (!inq_json_addr_value(json_object_get(frame, "pc"), &pc) ||
            !inq_json_addr_value(json_object_get(module, "start"), &start) || pc < start)
            return inq_format("%s@%.8s", name, build_id ? build_id : "?");
        offset = pc - start;
        sign = "~";
    }
    if (returns && offset > 0)
        offset--;
    return inq_format("%s@%.8s%s0x%llx", name, build_id ? build_id : "?", sign,
                      (unsigned long long)offset);
}

static char *module_word(const json_t *module)
{
    const char *family = text_of(module, "family");
    const char *name = text_of(module, "name");
    return family ? strdup(family) : inq_group_module_name(name ? name : "?");
}

/* Code that belongs to no file: made at run time, or a jump to nowhere. No address goes in a key.
 */
static bool add_nameless(struct inq_group_frames *frames)
{
    struct inq_group_frame *last =
        frames->all.count > 0 ? &frames->all.items[frames->all.count - 1] : NULL;
    if (!last || strcmp(last->word, "[anonymous]") == 0)
        return true; /* leading ones say nothing; several in a row say no more than one */
    struct inq_group_frame *slot = INQ_ARRAY_PUSH(&frames->all);
    if (!slot)
        return false;
    slot->word = strdup("[anonymous]");
    return slot->word != NULL;
}

static bool is_exit_function(const char *function)
{
    static const char *const names[] = {"exit", "__run_exit_handlers", "_dl_fini", "_dl_call_fini",
                                        "__cxa_finalize"};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (strcmp(function, names[i]) == 0)
            return true;
    return false;
}

static bool add_frame(struct inq_group_frames *frames, const json_t *modules, const json_t *frame,
                      bool names, bool returns)
{
    const json_t *index = json_object_get(frame, "module");
    const json_t *module = json_is_integer(index) && json_integer_value(index) >= 0
                               ? json_array_get(modules, (size_t)json_integer_value(index))
                               : NULL;
    const char *function = names ? text_of(frame, "function") : NULL;
    _cleanup_free_ char *clean = function ? inq_group_function_name(function) : NULL;
    if (function && !clean)
        return false;
    if (!module && !clean)
        return add_nameless(frames);
    _cleanup_free_ char *name = module ? module_word(module) : strdup("?");
    if (!name)
        return false;
    struct inq_group_frame *slot = INQ_ARRAY_PUSH(&frames->all);
    if (!slot)
        return false;
    slot->word =
        clean ? inq_format("%s!%s", name, clean) : exact_word(frame, module, name, returns);
    slot->runtime = inq_group_is_runtime(name) || (clean && inq_group_is_runtime_function(clean));
    frames->at_exit = frames->at_exit || (clean && is_exit_function(clean));
    return slot->word != NULL;
}

/* ------------------------------------------------------------------------------- the stack */

/*
 * The fault stands below its handler when the registers came out of a signal frame: in the frame
 * that the document names, or behind the first handler's in one that does not (as other tools write
 * it).
 */
static size_t start_of_fault(const json_t *document, const json_t *list)
{
    struct inq_fact_value source = inq_evidence_get(document, "fault.source", NULL, NULL);
    struct inq_fact_value at = inq_evidence_get(document, "fault.frame", NULL, NULL);
    const char *from = source.known == INQ_KNOWN ? json_string_value(source.value) : NULL;

    if (!from || strcmp(from, "signal-frame") != 0)
        return 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *frame = json_array_get(list, i);
        if (at.known != INQ_KNOWN && is_signal_frame(frame))
            return i + 1;
        if (at.known == INQ_KNOWN &&
            json_integer_value(json_object_get(frame, "index")) >= json_integer_value(at.value))
            return i;
    }
    return 0;
}

static bool read_words(const json_t *document, const json_t *list, bool names,
                       struct inq_group_frames *frames)
{
    const json_t *modules = json_object_get(document, "modules");
    size_t start = start_of_fault(document, list);
    bool returns = false; /* is the next pc a return address? */
    for (size_t i = start; i < json_array_size(list) && i - start < FRAMES_LOOKED_AT; i++) {
        const json_t *frame = json_array_get(list, i);
        /* What lies beyond a frame that was found by scanning was found with its help. */
        if (text_is(frame, "trust", "scan"))
            break;
        if (is_signal_frame(frame)) {
            frames->in_handler = true;
            returns = false;
            continue;
        }
        if (json_is_true(json_object_get(frame, "inlined")))
            continue; /* known only where debug information is */
        if (!add_frame(frames, modules, frame, names, returns))
            return false;
        returns = true;
    }
    return true;
}

/* ---------------------------------------------------------------------------------- cycles */

static bool same_words(const struct inq_group_frame *a, const struct inq_group_frame *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(a[i].word, b[i].word) != 0)
            return false;
    return true;
}

static void remove_range(struct inq_group_frames *frames, size_t at, size_t count)
{
    struct inq_group_frame *items = frames->all.items;
    for (size_t i = at; i < at + count; i++)
        free(items[i].word);
    memmove(&items[at], &items[at + count],
            (frames->all.count - at - count) * sizeof(struct inq_group_frame));
    frames->all.count -= count;
}

/*
 * A recursion is as deep as the stack happened to be: of equal rounds one is kept. The words before
 * `from` are left alone.
 */
static void fold_cycles(struct inq_group_frames *frames, size_t from)
{
    for (size_t at = from; at < frames->all.count; at++) {
        for (size_t period = 1; period <= LONGEST_CYCLE; period++) {
            size_t rounds = 1;
            while (at + (rounds + 1) * period <= frames->all.count &&
                   same_words(&frames->all.items[at], &frames->all.items[at + rounds * period],
                              period))
                rounds++;
            if (rounds > 1) {
                remove_range(frames, at + period, (rounds - 1) * period);
                break;
            }
        }
    }
}

/* -------------------------------------------------------------------------- stack overflows */

#define CYCLE_WITHIN 32u /* frames of what the recursion called when the stack ended */
#define CYCLE_ROUNDS 3u

/* Does a cycle of this period begin here? */
static bool is_cycle(const struct inq_group_frames *frames, size_t at, size_t period)
{
    const struct inq_group_frame *items = frames->all.items;
    if (at + CYCLE_ROUNDS * period > frames->all.count)
        return false;
    for (size_t round = 1; round < CYCLE_ROUNDS; round++)
        if (!same_words(&items[at], &items[at + round * period], period))
            return false;
    return true;
}

static bool find_cycle(const struct inq_group_frames *frames, size_t *ret_at, size_t *ret_period)
{
    for (size_t at = 0; at < frames->all.count && at < CYCLE_WITHIN; at++)
        for (size_t period = 1; period <= LONGEST_CYCLE; period++)
            if (is_cycle(frames, at, period)) {
                *ret_at = at;
                *ret_period = period;
                return true;
            }
    return false;
}

static bool is_in_round(const struct inq_group_frame *round, size_t period, const char *word)
{
    for (size_t i = 0; i < period; i++)
        if (strcmp(round[i].word, word) == 0)
            return true;
    return false;
}

/* Turns a round so that it begins where it comes first in order: the same whatever it began with.
 */
static void turn_round(struct inq_group_frame *round, size_t period)
{
    struct inq_group_frame turned[LONGEST_CYCLE];
    size_t best = 0;
    for (size_t start = 1; start < period; start++)
        for (size_t i = 0; i < period; i++) {
            int order = strcmp(round[(start + i) % period].word, round[(best + i) % period].word);
            if (order < 0)
                best = start;
            if (order != 0)
                break;
        }
    for (size_t i = 0; i < period; i++)
        turned[i] = round[(best + i) % period];
    memcpy(round, turned, period * sizeof(*round));
}

/*
 * Where in its round a recursion is when the stack ends, and whether in itself or in what it had
 * just called, depends on where the stack began, which the kernel draws by lot. What is left is one
 * round, turned to a fixed start, and what is further out than all rounds.
 */
static void settle_overflow(struct inq_group_frames *frames)
{
    size_t at = 0, period = 0, end;
    if (!find_cycle(frames, &at, &period))
        return;
    remove_range(frames, 0, at);
    for (end = period; end < frames->all.count; end++)
        if (!is_in_round(frames->all.items, period, frames->all.items[end].word))
            break;
    remove_range(frames, period, end - period);
    turn_round(frames->all.items, period);
}

/* The runtime's own frames in front say how it died, not where; with nothing else they stay. */
static void skip_runtime(struct inq_group_frames *frames)
{
    size_t first = 0;
    while (first < frames->all.count && frames->all.items[first].runtime)
        first++;
    frames->first = first < frames->all.count ? first : 0;
}

bool inq_group_frames_read(const json_t *document, bool names, struct inq_group_frames *ret_frames)
{
    struct inq_group_frames frames = {0};
    struct inq_fact_value list = inq_evidence_get(document, "crashed.frames", NULL, NULL);
    if (list.known == INQ_KNOWN && !read_words(document, list.value, names, &frames)) {
        inq_group_frames_deinit(&frames);
        return false;
    }
    struct inq_fact_value overflow =
        inq_evidence_get(document, "crashed.stack.overflow", NULL, NULL);
    if (overflow.known == INQ_KNOWN && json_is_true(overflow.value))
        settle_overflow(&frames);
    skip_runtime(&frames);
    fold_cycles(&frames, frames.first);
    size_t left = frames.all.count - frames.first;
    frames.used = left < INQ_GROUP_FRAMES ? left : INQ_GROUP_FRAMES;
    *ret_frames = frames;
    return true;
}

void inq_group_frames_deinit(struct inq_group_frames *frames)
{
    for (size_t i = 0; i < frames->all.count; i++)
        free(frames->all.items[i].word);
    INQ_ARRAY_FREE(&frames->all);
}
