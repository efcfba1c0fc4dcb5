/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "demangle.h"
#include "dwarf_file.h"

/* Frames that one frame may become: the innermost inlined functions are kept. */
#define MAX_INLINED 32u

struct request {
    struct inq_module *module;
    uint64_t addr; /* as the file counts */
    struct inq_spot *spot;
};

struct reader {
    struct inq_modules *modules;
    struct inq_arena *arena;
    struct inq_gaps *gaps;
    struct inq_dwarf_budget budget;
    struct inq_demangler demangler;
    struct inq_dwarf **open; /* by module index: NULL until looked at */
    const struct inq_stack *crashed;
    bool others;        /* it is not about the crashing thread any more */
    bool inlined_ended; /* a stack has more inlined functions than are shown */
    bool no_memory;
};

/* ---- one module ---------------------------------------------------------------------------- */

static bool has_dwarf(const struct inq_image *image)
{
    return image && inq_image_has_debug_section(image, ".debug_info");
}

/* The file that has the DWARF of a module; NULL without. */
static struct inq_image *find_image(struct reader *reader, struct inq_module *module)
{
    if (!module->image)
        inq_module_need_file(reader->modules, module);
    if (has_dwarf(module->image))
        return module->image;
    inq_module_need_debug(reader->modules, module);
    return has_dwarf(module->debug_image) ? module->debug_image : NULL;
}

static bool is_packed(const struct inq_image *image)
{
    uint64_t size;

    return inq_image_debug_section_packed(image, ".debug_info", &size);
}

static bool is_runtime(const struct inq_module *module)
{
    static const char *const prefixes[] = {"libc.so", "libc-2",     "ld-linux",
                                           "ld-2",    "libpthread", "ld-musl"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(prefixes); i++)
        if (strncmp(module->name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/* Worth unpacking: something was called from there, or it all happened there. */
static bool is_central(const struct reader *reader, const struct inq_module *module)
{
    const struct inq_stack *stack = reader->crashed;
    size_t count = stack->n_frames;
    bool seen = false;

    /* the program's entry point is farther out than libc, and nobody's caller */
    if (count > 0 && stack->frames[count - 1].function &&
        strcmp(stack->frames[count - 1].function, "_start") == 0)
        count--;
    for (size_t i = 0; i < count; i++) {
        if (stack->frames[i].module == module)
            seen = true;
        else if (seen && stack->frames[i].module)
            return true;
    }
    return seen && count > 0 && stack->frames[0].module == module;
}

static void say_what_is_missing(struct reader *reader, const struct inq_module *module,
                                const struct inq_dwarf *dwarf, bool has_alt)
{
    if (dwarf->problem != INQ_PACKED_OK)
        inq_gaps_add(reader->gaps,
                     dwarf->problem == INQ_PACKED_LIMIT ? INQ_G_SYMBOLS_LIMIT
                                                        : INQ_G_SYMBOLS_PARTIAL,
                     module->name, inq_packed_text(dwarf->problem), "source lines");
    if (!has_alt)
        inq_gaps_add(reader->gaps, INQ_G_SYMBOLS, module->name,
                     "the file that its .gnu_debugaltlink names is not here",
                     "names and places of some inlined functions");
}

/* Opens the DWARF of a module, once; NULL when it has none, or none that is read. */
static struct inq_dwarf *open_dwarf(struct reader *reader, struct inq_module *module)
{
    struct inq_dwarf **slot = &reader->open[module->index];

    if (*slot)
        return *slot;
    *slot = INQ_ARENA_NEW(reader->arena, struct inq_dwarf);
    if (!*slot) {
        reader->no_memory = true;
        return NULL;
    }
    const struct inq_image *image = find_image(reader, module);
    if (!image)
        return *slot;
    if (is_packed(image) && (is_runtime(module) || !is_central(reader, module))) {
        if (reader->others || is_central(reader, module))
            inq_gaps_add(reader->gaps, INQ_G_LINES_SKIPPED, module->name,
                         "its debug information is compressed and would take long to unpack",
                         "source lines");
        return *slot;
    }
    bool has_alt = inq_module_need_alt(reader->modules, module, image);
    inq_dwarf_open(image, module->alt_image, reader->arena, &reader->budget, *slot);
    say_what_is_missing(reader, module, *slot, has_alt);
    return *slot;
}

/* All of one module's; `spots` sorted by address. What cannot be known stays unset. */
static void read_module(struct reader *reader, struct inq_module *module, struct inq_spot *spots,
                        size_t count)
{
    jmp_buf no_memory;

    if (setjmp(no_memory) == 0) {
        inq_dwarf_no_memory = &no_memory;
        struct inq_dwarf *dwarf = open_dwarf(reader, module);
        if (dwarf && dwarf->dwarf && !inq_dwarf_read(dwarf, spots, count, reader->arena))
            reader->no_memory = true;
    } else {
        inq_gaps_add(reader->gaps, INQ_G_SYMBOLS_LIMIT, module->name, "out of memory",
                     "source lines");
    }
    inq_dwarf_no_memory = NULL;
}

/* ---- from frames to addresses -------------------------------------------------------------- */

static int compare_requests(const void *left, const void *right)
{
    const struct request *a = left, *b = right;

    if (a->module->index != b->module->index)
        return a->module->index < b->module->index ? -1 : 1;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static bool wants_lines(const struct inq_frame *frame)
{
    return frame->module && frame->module->has_bias && !frame->module->is_vdso;
}

static uint64_t address_of(const struct inq_frame *frame)
{
    return frame->pc - frame->pc_is_return - frame->module->load_bias;
}

/* Every module and address once, sorted. */
static size_t collect(const struct inq_stack *stacks, size_t n_stacks, struct request *requests)
{
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < n_stacks; i++)
        for (size_t j = 0; j < stacks[i].n_frames; j++)
            if (wants_lines(&stacks[i].frames[j]))
                requests[count++] = (struct request){.module = stacks[i].frames[j].module,
                                                     .addr = address_of(&stacks[i].frames[j])};
    qsort(requests, count, sizeof(*requests), compare_requests);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_requests(&requests[kept - 1], &requests[i]) != 0)
            requests[kept++] = requests[i];
    return kept;
}

/* ---- from addresses to frames -------------------------------------------------------------- */

/* Without memory the frame stays nameless. */
static void set_function(struct reader *reader, struct inq_frame *frame, const char *name)
{
    frame->function = frame->symbol = NULL;
    if (name)
        inq_readable_names(&reader->demangler, name, &frame->function, &frame->symbol);
}

/* Writes the frame and those that are inlined into it, no more than `most`; returns how many. */
static size_t expand(struct reader *reader, const struct inq_frame *frame,
                     const struct inq_spot *spot, size_t most, struct inq_frame *out)
{
    size_t inlined = spot->n_inlines < most ? spot->n_inlines : most;
    const char *file = spot->file;
    uint32_t line = spot->line;

    for (size_t i = 0; i < inlined; i++) {
        out[i] = *frame;
        out[i].inlined = true;
        out[i].file = file;
        out[i].line = line;
        out[i].function_offset = 0;
        set_function(reader, &out[i], spot->inlines[i].name);
        file = spot->inlines[i].file;
        line = spot->inlines[i].line;
    }
    out[inlined] = *frame;
    /* beyond the limit the outermost function was not called from there */
    if (inlined == spot->n_inlines) {
        out[inlined].file = file;
        out[inlined].line = file ? line : 0;
    }
    if (!frame->function && spot->function && spot->has_entry) {
        set_function(reader, &out[inlined], spot->function);
        out[inlined].function_offset = frame->pc - frame->module->load_bias - spot->entry;
    }
    return inlined + 1;
}

static const struct inq_spot *spot_of(const struct request *requests, size_t count,
                                      const struct inq_frame *frame)
{
    if (!wants_lines(frame))
        return NULL;
    const struct request key = {.module = frame->module, .addr = address_of(frame)};
    const struct request *found = bsearch(&key, requests, count, sizeof(key), compare_requests);
    return found ? found->spot : NULL;
}

static bool apply(struct reader *reader, struct inq_stack *stack, const struct request *requests,
                  size_t count)
{
    static const struct inq_spot nothing;
    size_t at = 0, inlined = 0;

    for (size_t i = 0; i < stack->n_frames; i++) {
        const struct inq_spot *spot = spot_of(requests, count, &stack->frames[i]);
        if (spot)
            inlined += spot->n_inlines < MAX_INLINED ? spot->n_inlines : MAX_INLINED;
    }
    if (inlined > INQ_MAX_INLINED_SHOWN) {
        inlined = INQ_MAX_INLINED_SHOWN;
        reader->inlined_ended = true;
    }
    struct inq_frame *frames =
        INQ_ARENA_ARRAY(reader->arena, stack->n_frames + inlined, struct inq_frame);
    if (!frames)
        return false;
    for (size_t i = 0; i < stack->n_frames; i++) { /* the innermost come first */
        const struct inq_spot *spot = spot_of(requests, count, &stack->frames[i]);
        size_t most = inlined < MAX_INLINED ? inlined : MAX_INLINED;
        size_t added = expand(reader, &stack->frames[i], spot ? spot : &nothing, most, frames + at);
        inlined -= added - 1;
        at += added;
    }
    stack->frames = frames;
    stack->n_frames = at;
    return true;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static bool read_requests(struct reader *reader, struct request *requests, size_t count,
                          struct inq_spot *spots)
{
    for (size_t i = 0; i < count; i++) {
        spots[i].addr = requests[i].addr;
        requests[i].spot = &spots[i];
    }
    for (size_t i = 0, end; i < count && !reader->budget.steps_ended; i = end) {
        for (end = i + 1; end < count && requests[end].module == requests[i].module; end++)
            ;
        read_module(reader, requests[i].module, spots + i, end - i);
        if (reader->no_memory)
            return false;
    }
    return true;
}

static bool add_lines(struct reader *reader, struct inq_stack *stacks, size_t n_stacks)
{
    size_t capacity = 0;

    for (size_t i = 0; i < n_stacks; i++)
        capacity += stacks[i].n_frames;
    if (capacity == 0)
        return true;
    _cleanup_free_ struct request *requests = calloc(capacity, sizeof(*requests));
    _cleanup_free_ struct inq_spot *spots = calloc(capacity, sizeof(*spots));
    if (!requests || !spots)
        return false;
    size_t count = collect(stacks, n_stacks, requests);
    if (!read_requests(reader, requests, count, spots))
        return false;
    for (size_t i = 0; i < n_stacks; i++)
        if (stacks[i].n_frames > 0 && !apply(reader, &stacks[i], requests, count))
            return false;
    return true;
}

static void close_all(struct reader *reader)
{
    for (size_t i = 0; i < reader->modules->count; i++)
        if (reader->open[i])
            inq_dwarf_close(reader->open[i]);
}

struct inq_error *inq_stacks_add_lines(struct inq_stacks *stacks, struct inq_modules *modules,
                                       struct inq_arena *arena, struct inq_gaps *gaps)
{
    struct reader reader = {
        .modules = modules,
        .arena = arena,
        .gaps = gaps,
        .budget = {.steps = INQ_DWARF_STEPS,
                   .unpacked_bytes = INQ_MAX_UNPACKED_SECTIONS,
                   .line_bytes = INQ_MAX_LINE_PROGRAMS,
                   .units = INQ_MAX_DWARF_UNITS},
        .demangler = inq_demangler_init(arena),
        .open = INQ_ARENA_ARRAY(arena, modules->count, struct inq_dwarf *),
        .crashed = &stacks->items[0],
    };

    if (stacks->count == 0 || modules->count == 0)
        return NULL;
    if (!reader.open)
        return &inq_error_oom;
    /* the crashing thread alone, then the others with what is left */
    bool done = add_lines(&reader, stacks->items, 1);
    reader.others = true;
    done = done && add_lines(&reader, stacks->items + 1, stacks->count - 1);
    close_all(&reader);
    if (!done)
        return &inq_error_oom;
    if (reader.budget.steps_ended || reader.budget.lines_ended)
        inq_gaps_add(gaps, INQ_G_SYMBOLS_LIMIT, NULL,
                     reader.budget.steps_ended ? "reading it took more steps than are allowed"
                                               : "a line program is larger than is read",
                     "source lines and inlined functions of some frames");
    if (reader.inlined_ended)
        inq_gaps_add(gaps, INQ_G_SYMBOLS_LIMIT, NULL, "a stack has more of them than are shown",
                     "inlined functions of some frames");
    return NULL;
}
