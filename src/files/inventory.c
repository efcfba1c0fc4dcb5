/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory.h"

#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "io.h"

struct list {
    char letter;
    size_t most;
    const char **items;
    size_t count;
};

static struct inq_error *no_inventory(const char *what)
{
    return inq_error_create(INQ_E_INTERNAL, "the list of the folder's files is damaged: %s", what);
}

/* Each text at *pos; NULL at the end. */
static const char *next(const char *bytes, size_t size, size_t *pos)
{
    const char *text = bytes + *pos;

    if (*pos >= size)
        return NULL;
    *pos += strlen(text) + 1;
    return text;
}

static struct inq_error *fill(struct list *list, const char *bytes, size_t size, size_t from,
                              struct inq_arena *arena)
{
    const char *text;
    size_t pos = from, count = 0;

    while ((text = next(bytes, size, &pos)))
        count += text[0] == list->letter;
    if (count > list->most)
        count = list->most;
    list->items = INQ_ARENA_ARRAY(arena, count + 1, const char *);
    if (!list->items)
        return &inq_error_oom;
    pos = from;
    while (list->count < count && (text = next(bytes, size, &pos)))
        if (text[0] == list->letter)
            list->items[list->count++] = text + 1;
    return NULL;
}

struct inq_error *inq_inventory_read(int fd, struct inq_arena *arena,
                                     struct inq_inventory *ret_inventory)
{
    struct list lists[] = {{.letter = 'L', .most = INQ_MAX_PREFIX_LIBRARIES},
                           {.letter = 'P', .most = INQ_MAX_PREFIX_SCRIPTS},
                           {.letter = 'S', .most = INQ_MAX_PREFIX_SITES},
                           {.letter = 'C', .most = INQ_MAX_PREFIX_SITES},
                           {.letter = '!', .most = 16},
                           {.letter = '-', .most = 16},
                           {.letter = 'T', .most = 1}};
    const char *magic, *folder;
    size_t size, pos = 0;
    struct stat st;
    char *bytes;

    if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > INQ_MAX_INVENTORY_BYTES)
        return no_inventory("its size");
    size = (size_t)st.st_size;
    bytes = inq_arena_alloc(arena, size + 1, 1);
    if (!bytes)
        return &inq_error_oom;
    if (inq_pread_full(fd, bytes, size, 0) != (ssize_t)size)
        return no_inventory("it ends early");
    magic = next(bytes, size, &pos);
    folder = magic && !strcmp(magic, INQ_INVENTORY_MAGIC) ? next(bytes, size, &pos) : NULL;
    if (!folder)
        return no_inventory("its beginning");
    for (size_t i = 0; i < INQ_ARRAY_SIZE(lists); i++)
        INQ_TRY(fill(&lists[i], bytes, size, pos, arena));
    *ret_inventory = (struct inq_inventory){
        .folder = folder,
        .libraries = lists[0].items,
        .n_libraries = lists[0].count,
        .scripts = lists[1].items,
        .n_scripts = lists[1].count,
        .sites = lists[2].items,
        .n_sites = lists[2].count,
        .condas = lists[3].items,
        .n_condas = lists[3].count,
        .limits = lists[4].items,
        .n_limits = lists[4].count,
        .omitted = lists[5].items,
        .n_omitted = lists[5].count,
        .read_msec = lists[6].count ? strtoull(lists[6].items[0], NULL, 10) : 0,
    };
    return NULL;
}
