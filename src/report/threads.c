/* SPDX-License-Identifier: Apache-2.0 */

/* The crashing thread, then the others with identical stacks folded into one. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "page.h"

#define CRASHED_FRAMES 24
#define OTHER_FRAMES 8
#define OTHER_STACKS 8
#define IDS_SHOWN 8

static void put_registers(struct inq_page *page, const json_t *registers)
{
    size_t columns = inq_page_columns(page, 0, 27), column = 0, padding = 0;
    const char *name;
    json_t *value;
    if (json_object_size(registers) == 0)
        return;
    inq_page_put(page, "  registers:\n");
    json_object_foreach((json_t *)registers, name, value)
    {
        const char *text = json_string_value(value);
        _cleanup_free_ char *shown_name = inq_page_cut_end(name, 8);
        _cleanup_free_ char *shown = inq_page_cut_end(text ? text : "?", 18);
        if (column > 0 && (columns == SIZE_MAX ? column >= 100 : column + 27 > columns)) {
            inq_page_put(page, "\n");
            column = 0;
        }
        inq_page_printf(page, "%*s", column == 0 ? 4 : (int)padding + 1, "");
        inq_page_cell(page, shown_name, 7);
        inq_page_put(page, shown ? shown : "");
        padding = shown ? 18 - inq_text_width(shown) : 0;
        column += 27;
    }
    inq_page_put(page, "\n");
}

static void put_thread_name(struct inq_page *page, const json_t *thread)
{
    const char *name = inq_page_text(thread, "name");
    if (!name)
        return;
    inq_page_put(page, " \"");
    inq_page_foreign(page, name);
    inq_page_put(page, "\"");
}

void inq_page_crashed_thread(struct inq_page *page)
{
    const json_t *thread = inq_page_crashed(page);
    if (!thread) {
        if (json_array_size(json_object_get(page->report, "threads")) > 0)
            inq_page_put(page, "\nThe dump does not tell which thread crashed.\n");
        return;
    }
    inq_page_put(page, "\n");
    inq_page_tone(page, INQ_TONE_BOLD);
    inq_page_printf(page, "Crashing thread %" PRIdMAX, (intmax_t)inq_page_int(thread, "tid", 0));
    put_thread_name(page, thread);
    inq_page_plain(page);
    inq_page_put(page, "\n");
    inq_page_stack(page, thread, page->style->verbose ? SIZE_MAX : CRASHED_FRAMES, true);
    if (page->style->verbose)
        put_registers(page, json_object_get(thread, "registers"));
}

/* A thread, and its stack as one string to compare. */
struct folded {
    const json_t *thread;
    char *key;
    size_t place;
    size_t size; /* threads like this one, 0: it is one of an earlier one's */
    size_t next; /* the next thread like this one; SIZE_MAX: the last */
};

static char *stack_key(const json_t *thread)
{
    struct inq_text key = {0};
    size_t i;
    json_t *frame;
    json_array_foreach(json_object_get(thread, "frames"), i, frame)
    {
        const char *function = inq_page_text(frame, "function");
        const char *offset = inq_page_text(frame, "module_offset");
        if (inq_page_is_inlined(frame))
            continue; /* known only where debug information was read */
        inq_text_printf(&key, "%" PRIdMAX " %s\n", (intmax_t)inq_page_int(frame, "module", -1),
                        function ? function
                        : offset ? offset
                                 : "?");
    }
    inq_text_printf(&key, "%" PRIdMAX, (intmax_t)inq_page_int(thread, "frames_total", 0));
    if (key.failed) {
        inq_text_deinit(&key);
        return NULL;
    }
    return key.bytes;
}

static int compare_folded(const void *a, const void *b)
{
    const struct folded *left = *(const struct folded *const *)a;
    const struct folded *right = *(const struct folded *const *)b;
    int order = strcmp(left->key, right->key);
    if (order)
        return order;
    return left->place < right->place ? -1 : left->place > right->place;
}

/* Links threads with equal keys, in their order; the first of them holds the count. */
static bool fold(struct folded *items, size_t count)
{
    const struct folded **sorted = calloc(count, sizeof(*sorted));
    if (!sorted)
        return false;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &items[i];
    qsort(sorted, count, sizeof(*sorted), compare_folded);
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && !strcmp(sorted[i]->key, sorted[end]->key))
            end++;
        for (size_t j = i; j < end; j++) {
            struct folded *item = &items[sorted[j] - items];
            item->size = j == i ? end - i : 0;
            item->next = j + 1 < end ? (size_t)(sorted[j + 1] - items) : SIZE_MAX;
        }
        i = end;
    }
    free(sorted);
    return true;
}

/* "17 threads like this: 4714, 4715, ... 9 more" */
static void put_fold_title(struct inq_page *page, const struct folded *items, size_t at)
{
    const struct folded *first = &items[at];
    inq_page_tone(page, INQ_TONE_BOLD);
    if (first->size == 1) {
        inq_page_printf(page, "Thread %" PRIdMAX, (intmax_t)inq_page_int(first->thread, "tid", 0));
        put_thread_name(page, first->thread);
    } else {
        size_t most = page->style->verbose ? SIZE_MAX : IDS_SHOWN, shown = 0;
        struct inq_text ids = {0};
        inq_text_printf(&ids, "%zu threads like this: ", first->size);
        for (size_t i = at; i != SIZE_MAX && shown < most; i = items[i].next, shown++)
            inq_text_printf(&ids, "%s%" PRIdMAX, shown ? ", " : "",
                            (intmax_t)inq_page_int(items[i].thread, "tid", 0));
        if (shown < first->size)
            inq_text_printf(&ids, ", ... %zu more", first->size - shown);
        inq_page_prose(page, "", 4, ids.failed ? "" : ids.bytes);
        inq_text_deinit(&ids);
        inq_page_plain(page);
        return;
    }
    inq_page_plain(page);
    inq_page_put(page, "\n");
}

static void put_folded(struct inq_page *page, const struct folded *items, size_t count)
{
    const char *gap = "\n";
    size_t shown = 0, hidden_stacks = 0, hidden_threads = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].size == 0)
            continue;
        if (shown >= OTHER_STACKS && !page->style->verbose) {
            hidden_stacks++;
            hidden_threads += items[i].size;
            continue;
        }
        inq_page_put(page, gap);
        put_fold_title(page, items, i);
        inq_page_stack(page, items[i].thread, page->style->verbose ? SIZE_MAX : OTHER_FRAMES,
                       false);
        shown++;
    }
    if (hidden_stacks > 0)
        inq_page_printf(page, "\n... %zu more stack%s of %zu thread%s (-v shows them)\n",
                        hidden_stacks, hidden_stacks == 1 ? "" : "s", hidden_threads,
                        hidden_threads == 1 ? "" : "s");
}

void inq_page_other_threads(struct inq_page *page)
{
    const json_t *threads = json_object_get(page->report, "threads");
    const json_t *crashed = inq_page_crashed(page);
    INQ_ARRAY(struct folded) items = {0};
    size_t i;
    json_t *thread;
    bool good = true;
    json_array_foreach(threads, i, thread)
    {
        if (thread == crashed)
            continue;
        struct folded *item = INQ_ARRAY_PUSH(&items);
        char *key = item ? stack_key(thread) : NULL;
        good = good && key;
        if (item)
            *item = (struct folded){.thread = thread, .key = key, .place = items.count};
    }
    good = good && (items.count == 0 || fold(items.items, items.count));
    if (good)
        put_folded(page, items.items, items.count);
    else
        page->text->failed = true;
    json_int_t total = inq_page_int(page->report, "threads_total", 0);
    json_int_t listed = (json_int_t)json_array_size(threads);
    if (total > listed)
        inq_page_printf(page, "\n... %" PRIdMAX " more thread%s not listed\n",
                        (intmax_t)(total - listed), total - listed == 1 ? " is" : "s are");
    for (i = 0; i < items.count; i++)
        free(items.items[i].key);
    INQ_ARRAY_FREE(&items);
}
