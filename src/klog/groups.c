/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "array.h"
#include "cleanup.h"
#include "klog_groups.h"

#define SEEN_MOST (1u << 20) /* crashes that are remembered, 8 bytes each */
#define SEEN_FIRST (1u << 12)

struct inq_klog_groups {
    INQ_ARRAY(struct inq_klog_group *) by_key; /* sorted by key */
    struct inq_klog_group **sorted;            /* what inq_klog_groups_sorted() gave */
    INQ_ARRAY(struct inq_klog_event) events;
    struct inq_klog_counts counts;
    bool keep;

    /* Crashes by what makes one unique, in an open hash table; a log cannot know the seed. */
    uint64_t *seen;
    size_t seen_size, seen_count;
    uint64_t seed;
};

struct inq_error *inq_klog_groups_create(bool keep, struct inq_klog_groups **ret_groups)
{
    struct inq_klog_groups *groups = calloc(1, sizeof(*groups));

    if (!groups)
        return &inq_error_oom;
    groups->keep = keep;
    groups->seen_size = SEEN_FIRST;
    groups->seen = calloc(groups->seen_size, sizeof(*groups->seen));
    if (!groups->seen) {
        inq_klog_groups_destroy(groups);
        return &inq_error_oom;
    }
    if (getrandom(&groups->seed, sizeof(groups->seed), GRND_NONBLOCK) < 0)
        groups->seed = 0;
    *ret_groups = groups;
    return NULL;
}

static void destroy_group(struct inq_klog_group *group)
{
    if (!group)
        return;
    free(group->key);
    inq_klog_places_deinit(&group->places);
    free(group);
}

void inq_klog_groups_destroy(struct inq_klog_groups *groups)
{
    if (!groups)
        return;
    for (size_t i = 0; i < groups->by_key.count; i++)
        destroy_group(groups->by_key.items[i]);
    INQ_ARRAY_FREE(&groups->by_key);
    INQ_ARRAY_FREE(&groups->events);
    free(groups->sorted);
    free(groups->seen);
    free(groups);
}

static uint64_t mix(uint64_t h, uint64_t value)
{
    /* the finalizer of splitmix64: every bit of the input moves every bit of the result */
    h += value + 0x9e3779b97f4a7c15ull;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ull;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebull;
    return h ^ (h >> 31);
}

static uint64_t mix_text(uint64_t h, const char *text)
{
    while (*text)
        h = mix(h, (unsigned char)*text++);
    return h;
}

static bool find_slot(const uint64_t *table, size_t size, uint64_t hash, size_t *ret_slot)
{
    size_t slot = (size_t)hash & (size - 1);

    while (table[slot] != 0 && table[slot] != hash)
        slot = (slot + 1) & (size - 1);
    *ret_slot = slot;
    return table[slot] == hash;
}

static struct inq_error *grow_seen(struct inq_klog_groups *g)
{
    size_t size = g->seen_size * 2, slot;
    uint64_t *table = calloc(size, sizeof(*table));

    if (!table)
        return &inq_error_oom;
    for (size_t i = 0; i < g->seen_size; i++)
        if (g->seen[i] && !find_slot(table, size, g->seen[i], &slot))
            table[slot] = g->seen[i];
    free(g->seen);
    g->seen = table;
    g->seen_size = size;
    return NULL;
}

/*
 * A thread crashes once: the same thread at the same ip and sp is the same crash, told by two lines
 * (a vsyscall and its segfault) or by two logs. Lines without that much are compared by their time,
 * too. False for what cannot be told apart from a second crash.
 */
static bool identity(const struct inq_klog_groups *g, const struct inq_klog_event *e,
                     uint64_t *ret_hash)
{
    uint64_t h = mix(g->seed, e->tid.value);

    if (!e->tid.known)
        return false;
    h = mix_text(h, e->comm);
    if (e->kind == INQ_KLOG_FAULT && e->ip.known && e->sp.known) {
        h = mix(mix(h, e->ip.value), e->sp.value);
        if (e->handler_possible) /* it may live on and do it again */
            h = mix_text(h, e->time.text);
    } else if (e->kind == INQ_KLOG_FAULT || e->kind == INQ_KLOG_OOM_KILL) {
        if (e->time.text[0] == '\0')
            return false;
        h = mix(mix_text(mix_text(h, e->time.text), e->text), e->kind);
    } else {
        return false;
    }
    *ret_hash = h ? h : 1;
    return true;
}

static struct inq_error *note_seen(struct inq_klog_groups *g, const struct inq_klog_event *e,
                                   bool *ret_again)
{
    uint64_t hash;
    size_t slot;

    *ret_again = false;
    if (!identity(g, e, &hash))
        return NULL;
    if (g->seen_count * 2 >= g->seen_size && g->seen_size < SEEN_MOST)
        INQ_TRY(grow_seen(g));
    if (find_slot(g->seen, g->seen_size, hash, &slot)) {
        *ret_again = true;
    } else if (g->seen_count * 4 < g->seen_size * 3) {
        g->seen[slot] = hash;
        g->seen_count++;
    }
    return NULL;
}

static struct inq_error *find_group(struct inq_klog_groups *g, const struct inq_klog_event *event,
                                    struct inq_klog_group **ret_group)
{
    _cleanup_free_ char *key = inq_klog_key(event);
    size_t low = 0, high = g->by_key.count;
    struct inq_klog_group *group, **slot;

    *ret_group = NULL;
    if (!key)
        return &inq_error_oom;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key, g->by_key.items[middle]->key);

        if (order == 0) {
            *ret_group = g->by_key.items[middle];
            return NULL;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (g->by_key.count == INQ_KLOG_GROUPS_MOST) {
        g->counts.ungrouped++;
        return NULL;
    }
    group = calloc(1, sizeof(*group));
    slot = group ? INQ_ARRAY_PUSH(&g->by_key) : NULL;
    if (!slot) {
        free(group);
        return &inq_error_oom;
    }
    memmove(&g->by_key.items[low + 1], &g->by_key.items[low],
            (g->by_key.count - 1 - low) * sizeof(*slot));
    g->by_key.items[low] = group;
    group->key = TAKE_PTR(key);
    group->first = *event;
    group->same_address = event->address.known;
    *ret_group = group;
    return NULL;
}

static void count_program(struct inq_klog_group *group, const char *comm)
{
    for (size_t i = 0; i < group->n_programs; i++) {
        if (!strcmp(group->programs[i].name, comm)) {
            group->programs[i].count++;
            return;
        }
    }
    if (comm[0] == '\0')
        return;
    if (group->n_programs == INQ_KLOG_NAMES_MOST) {
        group->other_programs++;
        return;
    }
    struct inq_klog_name *name = &group->programs[group->n_programs++];
    memcpy(name->name, comm, sizeof(name->name));
    name->count = 1;
}

/* Only times of one clock can be compared; the first one that is met decides which. */
static void count_time(struct inq_klog_group *group, const struct inq_klog_time *time)
{
    if (time->clock == INQ_KLOG_CLOCK_NONE)
        return;
    if (group->from.clock == INQ_KLOG_CLOCK_NONE) {
        group->from = group->to = *time;
    } else if (time->clock == group->from.clock) {
        if (time->usec < group->from.usec)
            group->from = *time;
        if (time->usec > group->to.usec)
            group->to = *time;
    }
}

static bool agree(int64_t a, int64_t b)
{
    return a == b || a < 0 || b < 0;
}

/*
 * By processor; lines that leave out the core or the socket are those of the processor's others.
 * Sorted so, what agrees with a place are its neighbours with the same number.
 */
static bool merge_place(struct inq_klog_place *place, const struct inq_klog_place *other)
{
    if (place->cpu != other->cpu || !agree(place->core, other->core) ||
        !agree(place->socket, other->socket))
        return false;
    place->count += other->count;
    place->groups += other->groups;
    if (place->core < 0)
        place->core = other->core;
    if (place->socket < 0)
        place->socket = other->socket;
    return true;
}

static int compare_cores(const void *x, const void *y)
{
    const struct inq_klog_place *a = x, *b = y;

    if (a->core != b->core)
        return a->core < b->core ? -1 : 1;
    if (a->socket != b->socket)
        return a->socket < b->socket ? -1 : 1;
    return a->cpu < b->cpu ? -1 : a->cpu > b->cpu;
}

/* The places of one core become neighbours. */
static void sort_by_core(struct inq_klog_places *places)
{
    if (places->count > 1)
        qsort(places->items, places->count, sizeof(*places->items), compare_cores);
}

static struct inq_error *add_place(struct inq_klog_places *places,
                                   const struct inq_klog_place *place)
{
    size_t low = 0, high = places->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (places->items[middle].cpu < place->cpu)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i < places->count && places->items[i].cpu == place->cpu; i++)
        if (merge_place(&places->items[i], place))
            return NULL;
    if (places->count == INQ_KLOG_PLACES_MOST) {
        places->dropped += place->count;
        return NULL;
    }
    struct inq_klog_place *slot = INQ_ARRAY_PUSH(places);
    if (!slot)
        return &inq_error_oom;
    memmove(&places->items[low + 1], &places->items[low],
            (places->count - 1 - low) * sizeof(*place));
    places->items[low] = *place;
    return NULL;
}

void inq_klog_places_deinit(struct inq_klog_places *places)
{
    INQ_ARRAY_FREE(places);
}

/* Processors of different machines have the same numbers. */
static void count_host(struct inq_klog_group *group, const char *host)
{
    if (host[0] == '\0')
        return;
    if (group->host[0] == '\0')
        memcpy(group->host, host, sizeof(group->host));
    else if (strcmp(group->host, host) != 0)
        group->several_hosts = true;
}

static struct inq_error *count_place(struct inq_klog_group *group,
                                     const struct inq_klog_event *event)
{
    struct inq_klog_place place = {
        .cpu = (uint32_t)event->cpu.value,
        .core = event->core.known ? (int64_t)event->core.value : -1,
        .socket = event->socket.known ? (int64_t)event->socket.value : -1,
        .count = 1,
    };

    if (!event->cpu.known)
        return NULL;
    group->with_cpu++;
    count_host(group, event->host);
    return add_place(&group->places, &place);
}

static void count_kind(struct inq_klog_groups *g, const struct inq_klog_event *event)
{
    g->counts.kinds[event->kind]++;
    if (event->kind == INQ_KLOG_LOST && event->count.known &&
        __builtin_add_overflow(g->counts.lost, event->count.value, &g->counts.lost))
        g->counts.lost = UINT64_MAX;
}

static struct inq_error *keep_event(struct inq_klog_groups *g, const struct inq_klog_event *event)
{
    struct inq_klog_event *slot;

    if (!g->keep)
        return NULL;
    if (g->events.count == INQ_KLOG_EVENTS_MOST) {
        g->counts.unlisted++;
        return NULL;
    }
    slot = INQ_ARRAY_PUSH(&g->events);
    if (!slot)
        return &inq_error_oom;
    *slot = *event;
    return NULL;
}

/* Bytes of code that only a later line of the group has. */
static void complete_first(struct inq_klog_event *first, const struct inq_klog_event *event)
{
    if (first->code_size > 0 || event->code_size == 0)
        return;
    *first = *event;
}

struct inq_error *inq_klog_groups_add(struct inq_klog_groups *groups,
                                      const struct inq_klog_event *event)
{
    struct inq_klog_group *group;
    bool again;

    INQ_TRY(note_seen(groups, event, &again));
    if (again) {
        groups->counts.duplicates++;
        return NULL;
    }
    count_kind(groups, event);
    INQ_TRY(keep_event(groups, event));
    if (event->kind == INQ_KLOG_LOST)
        return NULL;
    INQ_TRY(find_group(groups, event, &group));
    if (!group)
        return NULL;
    group->count++;
    complete_first(&group->first, event);
    if (event->address.known && event->address.value != group->first.address.value)
        group->same_address = false;
    count_program(group, event->comm);
    count_time(group, &event->time);
    return count_place(group, event);
}

static int rank_of(const struct inq_klog_group *group)
{
    return group->first.kind == INQ_KLOG_KERNEL || group->first.kind == INQ_KLOG_HARDWARE ? 1
           : group->first.kind == INQ_KLOG_COREDUMP                                       ? 2
                                                                                          : 0;
}

static int compare_groups(const void *a, const void *b)
{
    const struct inq_klog_group *x = *(struct inq_klog_group *const *)a;
    const struct inq_klog_group *y = *(struct inq_klog_group *const *)b;

    if (rank_of(x) != rank_of(y))
        return rank_of(x) - rank_of(y);
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->key, y->key);
}

const struct inq_klog_group *const *inq_klog_groups_sorted(struct inq_klog_groups *groups,
                                                           size_t *ret_count)
{
    *ret_count = 0;
    free(groups->sorted);
    groups->sorted = calloc(groups->by_key.count + 1, sizeof(struct inq_klog_group *));
    if (!groups->sorted)
        return NULL;
    if (groups->by_key.count > 0) {
        memcpy(groups->sorted, groups->by_key.items,
               groups->by_key.count * sizeof(struct inq_klog_group *));
        qsort(groups->sorted, groups->by_key.count, sizeof(struct inq_klog_group *),
              compare_groups);
    }
    *ret_count = groups->by_key.count;
    return (const struct inq_klog_group *const *)groups->sorted;
}

const struct inq_klog_event *inq_klog_groups_events(const struct inq_klog_groups *groups,
                                                    size_t *ret_count)
{
    *ret_count = groups->events.count;
    return groups->events.items;
}

struct inq_klog_counts inq_klog_groups_counts(const struct inq_klog_groups *groups)
{
    return groups->counts;
}

struct inq_error *inq_klog_groups_places(struct inq_klog_groups *groups,
                                         struct inq_klog_places *ret_places)
{
    for (size_t i = 0; i < groups->by_key.count; i++) {
        const struct inq_klog_group *group = groups->by_key.items[i];

        if (group->first.kind != INQ_KLOG_FAULT)
            continue;
        for (size_t k = 0; k < group->places.count; k++) {
            struct inq_klog_place place = group->places.items[k];

            place.groups = 1;
            INQ_TRY(add_place(ret_places, &place));
        }
    }
    sort_by_core(ret_places);
    return NULL;
}
