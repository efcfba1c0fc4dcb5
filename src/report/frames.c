/* SPDX-License-Identifier: Apache-2.0 */

/* One stack: its frames, with what repeats folded and what is missing said. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "page.h"

#define CYCLE_NAMES 6

/* "function+0x1c", "libfoo.so.1+0x1234" where no symbol covers the pc, or "no module". */
static void append_place(const struct inq_page *page, const json_t *frame, struct inq_text *text,
                         bool short_form)
{
    const char *function = inq_page_text(frame, "function");
    const char *module = inq_page_text(inq_page_module(page, frame), "name");
    const char *module_offset = inq_page_text(frame, "module_offset");
    const char *kind = inq_page_text(frame, "kind");
    json_int_t offset = inq_page_int(frame, "function_offset", -1);
    if (kind && !strcmp(kind, "signal")) { /* its name, if any, is of no use: __restore_rt */
        inq_text_append(text, "<signal handler called>");
    } else if (function) {
        inq_text_append(text, function);
        if (offset >= 0 && !short_form)
            inq_text_printf(text, "+0x%" PRIxMAX, (uintmax_t)offset);
    } else if (module && module_offset) {
        inq_text_printf(text, "%s+%s", module, module_offset);
    } else if (module) {
        inq_text_append(text, module);
    } else {
        inq_text_append(text, kind && !strcmp(kind, "jit") ? "(generated code)" : "(no module)");
    }
}

char *inq_page_frame_name(const struct inq_page *page, const json_t *frame)
{
    struct inq_text text = {0};
    append_place(page, frame, &text, true);
    if (text.failed) {
        inq_text_deinit(&text);
        return NULL;
    }
    return text.bytes;
}

bool inq_page_is_inlined(const json_t *frame)
{
    return json_is_true(json_object_get(frame, "inlined"));
}

/* "file.c:26"; the whole path with -v. Nothing when it is not known. */
static void append_source_line(const struct inq_page *page, const json_t *frame,
                               struct inq_text *text)
{
    const char *file = inq_page_text(frame, "file");
    json_int_t line = inq_page_int(frame, "line", 0);
    if (!file)
        return;
    const char *slash = page->style->verbose ? NULL : strrchr(file, '/');
    inq_text_append(text, slash && slash[1] ? slash + 1 : file);
    if (line > 0)
        inq_text_printf(text, ":%" PRIdMAX, (intmax_t)line);
}

/*
 * "  #3  0x7f12aa function+0x1c at file.c:26  libfoo.so.1 (cfi)". A function that was inlined has
 * no code of its own: its line says so instead of telling the address once more.
 */
static void put_frame(struct inq_page *page, const json_t *frame, size_t pc_columns)
{
    const bool inlined = inq_page_is_inlined(frame);
    const char *module = inlined ? NULL : inq_page_text(inq_page_module(page, frame), "name");
    const char *trust = inlined ? "inlined" : inq_page_text(frame, "trust");
    const char *pc = inlined ? "" : inq_page_text(frame, "pc");
    struct inq_text place = {0}, source = {0};
    char index[24];
    snprintf(index, sizeof(index), "#%" PRIdMAX, (intmax_t)inq_page_int(frame, "index", 0));
    inq_page_printf(page, "  %-3s ", index);
    inq_page_tone(page, INQ_TONE_ADDRESS);
    _cleanup_free_ char *address = inq_page_cut_end(pc ? pc : "?", 18);
    inq_page_cell(page, address, pc_columns);
    inq_page_plain(page);
    inq_page_put(page, " ");

    /* what is left of the line: a third for the module, but no less than tells it from others */
    append_place(page, frame, &place, false);
    append_source_line(page, frame, &source);
    _cleanup_free_ char *where =
        source.bytes ? inq_page_cut_middle(source.bytes, inq_page_columns(page, 40, 24)) : NULL;
    size_t where_columns = where ? inq_text_width(where) + 4 : 0;
    bool has_name = inq_page_text(frame, "function") != NULL;
    size_t index_columns = strlen(index) > 3 ? strlen(index) : 3;
    size_t used = 4 + index_columns + pc_columns + (trust ? strlen(trust) + 3 : 0) + where_columns;
    size_t room = inq_page_columns(page, used, 34);
    size_t name_columns = inq_text_width(place.bytes ? place.bytes : "");
    size_t module_room = module && has_name ? room / 3 : 0;
    if (module_room > 0 && room > name_columns + 2 && room - name_columns - 2 > module_room)
        module_room = room - name_columns - 2;
    _cleanup_free_ char *shown = inq_page_cut_middle(module, module_room < 48 ? module_room : 48);
    size_t module_columns = module_room > 0 && shown ? inq_text_width(shown) + 2 : 0;
    _cleanup_free_ char *name =
        inq_page_cut_middle(place.bytes, room > module_columns ? room - module_columns : 20);
    inq_text_deinit(&place);
    inq_page_tone(page, has_name ? INQ_TONE_NAME : INQ_TONE_DIM);
    inq_page_cell(page, name, 0);
    inq_page_plain(page);
    if (where) {
        inq_page_put(page, " at ");
        inq_page_put(page, where);
    }
    inq_text_deinit(&source);
    if (module_columns > 0) {
        inq_page_put(page, "  ");
        inq_page_put(page, shown);
    }
    if (trust) {
        inq_page_tone(page, INQ_TONE_DIM);
        inq_page_put(page, " (");
        inq_page_foreign(page, trust);
        inq_page_put(page, ")");
        inq_page_plain(page);
    }
    inq_page_put(page, "\n");
}

static size_t widest_pc(const json_t *frames)
{
    size_t i, widest = 6;
    json_t *frame;
    json_array_foreach (frames, i, frame) {
        const char *pc = inq_page_text(frame, "pc");
        size_t width = pc ? strlen(pc) : 0;
        if (width > widest && width <= 18)
            widest = width;
    }
    return widest;
}

struct cycle {
    json_int_t start, length, count, end; /* end: first index after it; length 0: none */
};

static struct cycle read_cycle(const json_t *thread)
{
    const json_t *object = json_object_get(thread, "cycle");
    struct cycle cycle = {.start = inq_page_int(object, "start", 0),
                          .length = inq_page_int(object, "length", 0),
                          .count = inq_page_int(object, "count", 0)};
    json_int_t size;
    if (cycle.start < 0 || cycle.length <= 0 || cycle.count < 2 ||
        __builtin_mul_overflow(cycle.length, cycle.count, &size) ||
        __builtin_add_overflow(cycle.start, size, &cycle.end))
        cycle.length = 0;
    return cycle;
}

/* "  ... frames 5-30804 repeat: f > g (15400 times)" */
static void put_cycle(struct inq_page *page, const json_t *frames, const struct cycle *cycle)
{
    struct inq_text line = {0};
    size_t i, names = 0;
    json_t *frame;
    inq_text_printf(&line, "frames %" PRIdMAX "-%" PRIdMAX " repeat: ", (intmax_t)cycle->start,
                    (intmax_t)cycle->end - 1);
    json_array_foreach (frames, i, frame) {
        json_int_t index = inq_page_int(frame, "index", -1);
        if (index < cycle->start || index - cycle->start >= cycle->length ||
            inq_page_is_inlined(frame))
            continue;
        if (names++ < CYCLE_NAMES) {
            _cleanup_free_ char *name = inq_page_frame_name(page, frame);
            inq_text_printf(&line, "%s%s", names > 1 ? " > " : "", name ? name : "?");
        }
    }
    if (names > CYCLE_NAMES)
        inq_text_printf(&line, " > ... %zu more", names - CYCLE_NAMES);
    inq_text_printf(&line, " (%" PRIdMAX " times)", (intmax_t)cycle->count);
    inq_page_prose(page, "      ... ", 10, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}

/* `hidden` of the `count` frames are in the document. */
static void put_left_out(struct inq_page *page, json_int_t count, json_int_t hidden)
{
    if (count <= 0)
        return;
    inq_page_printf(page, "      ... %" PRIdMAX " frame%s left out", (intmax_t)count,
                    count == 1 ? "" : "s");
    if (hidden >= count)
        inq_page_put(page, count == 1 ? " (-v shows it)" : " (-v shows them)");
    else if (hidden > 0)
        inq_page_printf(page, " (-v shows %" PRIdMAX " of them)", (intmax_t)hidden);
    inq_page_put(page, "\n");
}

struct stack_walk {
    struct cycle cycle;
    bool cycle_said;
    json_int_t next;   /* index that is due */
    json_int_t hidden; /* frames of the document that were passed over since */
};

/* Says what is between the frame that is due and `index`. */
static void put_between(struct inq_page *page, const json_t *frames, struct stack_walk *walk,
                        json_int_t index)
{
    struct cycle *cycle = &walk->cycle;
    if (cycle->length > 0 && !walk->cycle_said && walk->next >= cycle->start + cycle->length &&
        index >= cycle->end) {
        put_cycle(page, frames, cycle);
        walk->cycle_said = true;
        if (walk->next < cycle->end)
            walk->next = cycle->end;
    }
    json_int_t hole;
    if (!__builtin_sub_overflow(index, walk->next, &hole))
        put_left_out(page, hole, walk->hidden);
    walk->hidden = 0;
}

/* A frame of the second or a later round of the recursion. */
static bool repeats(const struct cycle *cycle, json_int_t index)
{
    return cycle->length > 0 && index < cycle->end && index >= cycle->start &&
           index - cycle->start >= cycle->length;
}

static size_t count_shown(const json_t *frames, const struct cycle *cycle)
{
    size_t i, count = 0;
    json_t *frame;
    json_array_foreach (frames, i, frame)
        count += !repeats(cycle, inq_page_int(frame, "index", (json_int_t)i));
    return count;
}

void inq_page_stack(struct inq_page *page, const json_t *thread, size_t most, bool crashed)
{
    const json_t *frames = json_object_get(thread, "frames");
    const char *stop = inq_page_text(thread, "stop");
    struct stack_walk walk = {.cycle = read_cycle(thread)};
    size_t count = count_shown(frames, &walk.cycle), place = 0;
    size_t tail = count > most ? (most >= 8 ? 4 : 1) : 0; /* the outermost ones tell who called */
    size_t head = count > most ? most - tail : count;
    size_t pc_columns = widest_pc(frames), i;
    json_t *frame;
    json_array_foreach (frames, i, frame) {
        json_int_t index = inq_page_int(frame, "index", (json_int_t)i);
        if (index < 0 || index == INT64_MAX || repeats(&walk.cycle, index))
            continue;
        if (place++ >= head && place <= count - tail) {
            walk.hidden += !inq_page_is_inlined(frame);
            continue;
        }
        if (index > walk.next)
            put_between(page, frames, &walk, index);
        put_frame(page, frame, pc_columns);
        walk.next = inq_page_is_inlined(frame) ? index : index + 1;
    }
    json_int_t total = inq_page_int(thread, "frames_total", 0);
    json_int_t end = walk.cycle.length > 0 && walk.cycle.end > total ? walk.cycle.end : total;
    put_between(page, frames, &walk, end);
    if (count == 0)
        inq_page_put(page, "  no frames: its registers or its stack are not in the dump\n");
    if (stop)
        inq_page_prose(page, crashed ? "  The stack could be followed no further: " : "  Ends: ", 4,
                       stop);
}
