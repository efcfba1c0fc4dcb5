/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "fact_table.h"

/*
 * An open hash of (parent, key) over static arrays: a document of 300 KB has some 15,000 keys, and
 * each is looked up when it is read and again when it is written.
 */
#define MAX_FACTS 512
#define SLOTS 2048 /* a power of two, a quarter full at most */
#define ELEMENT_NAME 24

static int16_t slots[SLOTS]; /* index + 1; 0 is free */
static int16_t parents[MAX_FACTS];
static const char *keys[MAX_FACTS]; /* into the path: not terminated when "[]" follows */
static uint8_t key_sizes[MAX_FACTS];
static char element_names[MAX_FACTS][ELEMENT_NAME];
static pthread_once_t tree_once = PTHREAD_ONCE_INIT;

static uint32_t hash_member(int parent, const char *key, size_t size)
{
    uint32_t hash = 2166136261u ^ ((uint32_t)(parent + 2) * 2654435761u);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (uint8_t)key[i]) * 16777619u;
    return (hash ^ (hash >> 15)) & (SLOTS - 1);
}

static int find_member(int parent, const char *key, size_t size)
{
    for (uint32_t slot = hash_member(parent, key, size); slots[slot]; slot = (slot + 1) % SLOTS) {
        int node = slots[slot] - 1;
        if (parents[node] == parent && key_sizes[node] == size && !memcmp(keys[node], key, size))
            return node;
    }
    return INQ_FACT_NODE_NONE;
}

/* "threads[].frames[].pc": the parent is walked to from the root, so it must stand above. */
static void add_fact(int node)
{
    const char *at = inq_fact_table[node].path;
    int parent = INQ_FACT_NODE_ROOT;
    for (;;) {
        size_t size = strcspn(at, ".");
        bool last = at[size] == '\0';
        const char *key = at;
        at += size + 1;
        if (size > 2 && key[size - 1] == ']')
            size -= 2;
        if (last) {
            keys[node] = key;
            key_sizes[node] = (uint8_t)size;
            break;
        }
        parent = find_member(parent, key, size);
        if (parent == INQ_FACT_NODE_NONE)
            break; /* an orphan is never found: the unit test sees it */
    }
    parents[node] = (int16_t)parent;
    if (!keys[node])
        return;
    uint32_t slot = hash_member(parent, keys[node], key_sizes[node]);
    while (slots[slot])
        slot = (slot + 1) % SLOTS;
    slots[slot] = (int16_t)(node + 1);
}

static void name_element(int node);

static void build_tree(void)
{
    for (size_t i = 0; i < inq_fact_table_count && i < MAX_FACTS; i++) {
        add_fact((int)i);
        if (keys[i])
            name_element((int)i);
    }
}

int inq_fact_node_member(int parent, const char *key, size_t key_size)
{
    pthread_once(&tree_once, build_tree);
    if (parent == INQ_FACT_NODE_NONE)
        return INQ_FACT_NODE_NONE;
    return find_member(parent, key, key_size);
}

int inq_fact_node_member_after(int parent, int before, const char *key, size_t key_size)
{
    const int next = before + 1;

    if (before >= 0 && next < MAX_FACTS && keys[next] && parents[next] == parent &&
        key_sizes[next] == key_size && !memcmp(keys[next], key, key_size))
        return next;
    return inq_fact_node_member(parent, key, key_size);
}

void inq_facts_warm_up(void)
{
    pthread_once(&tree_once, build_tree);
}

const struct inq_fact *inq_fact_node_fact(int node)
{
    return node >= 0 ? &inq_fact_table[node] : NULL;
}

int inq_fact_node_parent(int node)
{
    pthread_once(&tree_once, build_tree);
    return node >= 0 ? parents[node] : INQ_FACT_NODE_NONE;
}

const struct inq_fact *inq_facts(size_t *ret_count)
{
    *ret_count = inq_fact_table_count;
    return inq_fact_table;
}

/*
 * What a quantifier calls one element: the last name of the list's path in the singular, "modules"
 * → "module", "copies" → "copy"; "entry" where that is no plural (kernel_log).
 */
static void name_element(int node)
{
    size_t size = key_sizes[node];
    const char *key = keys[node];
    char *name = element_names[node];

    if (size < 2 || size >= ELEMENT_NAME || key[size - 1] != 's') {
        memcpy(name, "entry", 6);
        return;
    }
    memcpy(name, key, size - 1);
    if (size > 3 && key[size - 2] == 'e' && key[size - 3] == 'i')
        memcpy(name + size - 3, "y", 2);
    else
        name[size - 1] = '\0';
}

static bool is_quantifiable(const struct inq_fact *fact)
{
    return fact->type == INQ_FACT_LIST ||
           (fact->type == INQ_FACT_NUMBERS && inq_fact_is_module(fact));
}

const char *inq_fact_element_of(const struct inq_fact *list)
{
    pthread_once(&tree_once, build_tree);
    return list && is_quantifiable(list) ? element_names[list - inq_fact_table] : NULL;
}

bool inq_fact_is_module(const struct inq_fact *fact)
{
    return fact && fact->unit && !strcmp(fact->unit, INQ_FACT_OF_MODULE);
}

const char *inq_fact_element(const char *list)
{
    return inq_fact_element_of(inq_fact_find(list, NULL));
}

int inq_fact_node_of_list(const struct inq_fact *list)
{
    if (!inq_fact_is_module(list))
        return (int)(list - inq_fact_table);
    return inq_fact_node_member(INQ_FACT_NODE_ROOT, "modules", 7);
}

const struct inq_fact *inq_fact_list_of_element(const char *element)
{
    for (size_t i = 0; element && i < inq_fact_table_count; i++) {
        const char *name = inq_fact_element_of(&inq_fact_table[i]);
        if (name && !strcmp(name, element))
            return &inq_fact_table[i];
    }
    return NULL;
}

bool inq_path_next(const char **path, struct inq_path_step *ret_step)
{
    const char *at = *path;
    struct inq_path_step step = {.key = at, .key_size = strcspn(at, ".[")};
    if (step.key_size == 0)
        return false;
    at += step.key_size;
    if (*at == '[') {
        at++;
        step.indexed = *at != ']';
        size_t digits = strspn(at, "0123456789");
        if (digits > 9 || at[digits] != ']')
            return false;
        for (size_t i = 0; i < digits; i++)
            step.index = step.index * 10 + (size_t)(at[i] - '0');
        at += digits + 1;
    }
    if (*at != '\0' && *at != '.')
        return false;
    *path = *at == '.' ? at + 1 : NULL;
    *ret_step = step;
    return true;
}

bool inq_path_step_is(const struct inq_path_step *step, const char *key)
{
    return strlen(key) == step->key_size && !memcmp(step->key, key, step->key_size);
}
