/* SPDX-License-Identifier: Apache-2.0 */
#include "trim.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"

/* Keeps the innermost and the outermost: the middle of a stack tells least. Returns what went. */
static size_t cut_frames(json_t *thread, size_t keep)
{
    json_t *frames = json_object_get(thread, "frames");
    size_t count = json_array_size(frames);
    if (count <= keep)
        return 0;
    size_t inner = keep - keep / 2, outer = keep / 2;
    json_t *kept = json_array();
    for (size_t i = 0; kept && i < inner; i++)
        json_array_append(kept, json_array_get(frames, i));
    for (size_t i = count - outer; kept && i < count; i++)
        json_array_append(kept, json_array_get(frames, i));
    if (!kept || json_object_set_new(thread, "frames", kept))
        return 0;
    json_object_set_new(thread, "truncated", json_true());
    return count - keep;
}

static size_t cut_stacks(json_t *document, size_t keep_crashed, size_t keep_others)
{
    size_t i, cut = 0;
    json_t *thread;
    json_array_foreach(json_object_get(document, "threads"), i, thread)
    {
        bool crashed = json_is_true(json_object_get(thread, "crashed"));
        cut += cut_frames(thread, crashed ? keep_crashed : keep_others);
    }
    return cut;
}

static size_t cut_registers(json_t *document)
{
    size_t i, cut = 0;
    json_t *thread;
    json_array_foreach(json_object_get(document, "threads"), i, thread)
    {
        if (json_is_true(json_object_get(thread, "crashed")))
            continue;
        if (json_is_object(json_object_get(thread, "registers")))
            cut += !json_object_set_new(thread, "registers", json_null());
    }
    return cut;
}

static size_t cut_list(json_t *document, const char *list, size_t keep)
{
    json_t *array = json_object_get(document, list);
    size_t count = json_array_size(array), cut = 0;
    while (count > keep && !json_array_remove(array, --count))
        cut++;
    return cut;
}

struct step {
    const char *what; /* of what is left out, a count before it */
    enum { STACKS, REGISTERS, MODULES, THREADS, GAPS, ENVIRONMENT } cut;
    size_t keep_crashed, keep;
};

static const struct step steps[] = {
    {"frames of other threads left out", STACKS, 256, 32},
    {"frames left out", STACKS, 64, 8},
    {"threads without their registers", REGISTERS, 0, 0},
    {"gaps left out", GAPS, 0, 64},
    {"modules left out", MODULES, 0, 512},
    {"threads left out", THREADS, 0, 256},
    {"frames left out", STACKS, 16, 1},
    {"modules left out", MODULES, 0, 32},
    {"threads left out", THREADS, 0, 1},
    {"environment and arguments left out", ENVIRONMENT, 0, 0},
};

static size_t apply(const struct step *step, json_t *document)
{
    switch (step->cut) {
    case STACKS:
        return cut_stacks(document, step->keep_crashed, step->keep);
    case REGISTERS:
        return cut_registers(document);
    case MODULES:
        return cut_list(document, "modules", step->keep);
    case THREADS:
        return cut_list(document, "threads", step->keep);
    case GAPS:
        return cut_list(document, "gaps", step->keep);
    case ENVIRONMENT:
        json_object_set_new(document, "environment", json_null());
        json_object_set_new(json_object_get(document, "process"), "arguments", json_null());
        return 1;
    }
    return 0;
}

char *inq_trim_dump(struct inq_evidence *evidence, size_t limit)
{
    char *dump = inq_evidence_dump(evidence->document, false);
    for (size_t i = 0; dump && strlen(dump) > limit; i++) {
        free(TAKE_PTR(dump));
        if (i == INQ_ARRAY_SIZE(steps))
            return NULL;
        size_t cut = apply(&steps[i], evidence->document);
        if (cut > 0) {
            char what[96];
            snprintf(what, sizeof(what), "%zu %s", cut, steps[i].what);
            inq_evidence_add_gap(evidence, INQ_G_TRIMMED, "report", what,
                                 "the worker's answer would be larger than its limit");
            inq_evidence_append(evidence, "limits", json_string(what));
        }
        dump = evidence->failed ? NULL : inq_evidence_dump(evidence->document, false);
    }
    return dump;
}
