/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

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
    const struct inq_lines_options *options;
    struct inq_arena *arena;
    struct inq_gaps *gaps;
    struct inq_dwarf_budget budget;
    struct inq_demangler demangler;
    struct inq_dwarf **open; /* by module index: NULL until looked at */
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

static uint64_t bytes_to_unpack(const struct inq_image *image)
{
    uint64_t info = 0, line = 0;

    inq_image_debug_section_packed(image, ".debug_info", &info);
    inq_image_debug_section_packed(image, ".debug_line", &line);
    return info > UINT64_MAX - line ? UINT64_MAX : info + line;
}

static int compare_units(const void *left, const void *right)
{
    const struct inq_spot *a = *(struct inq_spot *const *)left, *b = *(struct inq_spot *const *)right;

    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static bool read_units(struct inq_dwarf *dwarf, struct inq_spot **sorted, size_t count,
                       struct inq_arena *arena)
{
    for (size_t i = 0, end; i < count; i = end) {
        Dwarf_Die unit;

        for (end = i + 1; end < count && sorted[end]->unit == sorted[i]->unit; end++)
            ;
        if (!dwarf_offdie(dwarf->dwarf, sorted[i]->unit, &unit))
            continue;
        if (!inq_dwarf_find_lines(dwarf, &unit, sorted + i, end - i, arena) ||
            !inq_dwarf_find_scopes(dwarf, &unit, sorted + i, end - i, arena))
            return false;
    }
    return true;
}

/* Spots sorted by address. What cannot be known stays unset. */
static void read_spots(struct reader *reader, struct inq_dwarf *dwarf, struct inq_spot *spots,
                       struct inq_spot **sorted, size_t count)
{
    size_t found = 0;

    inq_dwarf_find_units(dwarf, spots, count);
    for (size_t i = 0; i < count; i++)
        if (spots[i].has_unit)
            sorted[found++] = &spots[i];
    qsort(sorted, found, sizeof(struct inq_spot *), compare_units);
    if (!read_units(dwarf, sorted, found, reader->arena))
        reader->no_memory = true;
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
    uint64_t to_unpack = bytes_to_unpack(image);
    if (to_unpack > reader->options->unpack_bytes && to_unpack <= INQ_MAX_UNPACKED_SECTIONS) {
        inq_gaps_add(reader->gaps, INQ_G_LINES_SKIPPED, module->name,
                     "its debug information is compressed, and unpacking it takes long",
                     "source lines");
        return *slot;
    }
    bool has_alt = inq_module_need_alt(reader->modules, module, image);
    inq_dwarf_open(image, module->alt_image, reader->arena, &reader->budget, *slot);
    say_what_is_missing(reader, module, *slot, has_alt);
    return *slot;
}

/* All of one module's; `spots` sorted by address, `sorted` has room for as many. */
static void read_module(struct reader *reader, struct inq_module *module, struct inq_spot *spots,
                        struct inq_spot **sorted, size_t count)
{
    jmp_buf no_memory;

    if (setjmp(no_memory) == 0) {
        inq_dwarf_no_memory = &no_memory;
        struct inq_dwarf *dwarf = open_dwarf(reader, module);
        if (dwarf && dwarf->dwarf)
            read_spots(reader, dwarf, spots, sorted, count);
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

static void set_function(struct reader *reader, struct inq_frame *frame, const char *name)
{
    frame->function = name ? inq_demangle(&reader->demangler, name) : NULL;
    frame->symbol = frame->function != name ? name : NULL;
}

/* Writes the frame and those that are inlined into it; returns how many. */
static size_t expand(struct reader *reader, const struct inq_frame *frame,
                     const struct inq_spot *spot, struct inq_frame *out)
{
    size_t inlined = spot->n_inlines < MAX_INLINED ? spot->n_inlines : MAX_INLINED;
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
    size_t total = 0, at = 0;

    for (size_t i = 0; i < stack->n_frames; i++) {
        const struct inq_spot *spot = spot_of(requests, count, &stack->frames[i]);
        total += 1 + (spot && spot->n_inlines < MAX_INLINED ? spot->n_inlines
                      : spot                                ? MAX_INLINED
                                                            : 0);
    }
    struct inq_frame *frames = INQ_ARENA_ARRAY(reader->arena, total, struct inq_frame);
    if (!frames)
        return false;
    for (size_t i = 0; i < stack->n_frames; i++) {
        const struct inq_spot *spot = spot_of(requests, count, &stack->frames[i]);
        at += expand(reader, &stack->frames[i], spot ? spot : &nothing, frames + at);
    }
    stack->frames = frames;
    stack->n_frames = at;
    return true;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static bool read_requests(struct reader *reader, struct request *requests, size_t count,
                          struct inq_spot *spots, struct inq_spot **sorted)
{
    for (size_t i = 0; i < count; i++) {
        spots[i].addr = requests[i].addr;
        requests[i].spot = &spots[i];
    }
    for (size_t i = 0, end; i < count && !reader->budget.steps_ended; i = end) {
        for (end = i + 1; end < count && requests[end].module == requests[i].module; end++)
            ;
        read_module(reader, requests[i].module, spots + i, sorted, end - i);
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
    _cleanup_free_ struct inq_spot **sorted = calloc(capacity, sizeof(struct inq_spot *));
    if (!requests || !spots || !sorted)
        return false;
    size_t count = collect(stacks, n_stacks, requests);
    if (!read_requests(reader, requests, count, spots, sorted))
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
                                       const struct inq_lines_options *options,
                                       struct inq_arena *arena, struct inq_gaps *gaps)
{
    struct reader reader = {
        .modules = modules,
        .options = options,
        .arena = arena,
        .gaps = gaps,
        .budget = {.steps = INQ_DWARF_STEPS,
                   .unpacked_bytes = INQ_MAX_UNPACKED_SECTIONS,
                   .line_bytes = INQ_MAX_LINE_PROGRAMS},
        .demangler = inq_demangler_init(arena),
        .open = INQ_ARENA_ARRAY(arena, modules->count, struct inq_dwarf *),
    };

    if (stacks->count == 0 || modules->count == 0)
        return NULL;
    if (!reader.open)
        return &inq_error_oom;
    /* the crashing thread alone, then the others with what is left */
    bool done = add_lines(&reader, stacks->items, 1) &&
                add_lines(&reader, stacks->items + 1, stacks->count - 1);
    close_all(&reader);
    if (!done)
        return &inq_error_oom;
    if (reader.budget.steps_ended || reader.budget.lines_ended)
        inq_gaps_add(gaps, INQ_G_SYMBOLS_LIMIT, NULL,
                     reader.budget.steps_ended ? "reading it took more steps than are allowed"
                                               : "a line program is larger than is read",
                     "source lines and inlined functions of some frames");
    return NULL;
}
