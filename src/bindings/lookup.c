/* SPDX-License-Identifier: Apache-2.0 */

/* Finding definitions by name, as the dynamic linker does (elf/dl-lookup.c of glibc). */

#include "dynamic.h"

#define HIDDEN 0x8000u

static uint32_t sysv_hash(const char *name)
{
    uint32_t h = 0, top;

    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        h = (h << 4) + *p;
        top = h & 0xf0000000u;
        h = (h ^ (top >> 24)) & ~top;
    }
    return h;
}

static uint16_t versym_of(const struct inq_dynamic *d, size_t i)
{
    return i < d->versym.size / 2 ? inq_load_u16(d->versym.bytes + i * 2, d->big_endian) : 1;
}

const char *inq_dynamic_version(const struct inq_dynamic *d, size_t i, uint32_t *ret_hash)
{
    const size_t index = versym_of(d, i) & ~HIDDEN;

    /* 0 is local, 1 is global without a version */
    if (index < 2 || index >= d->n_versions || d->versions[index].hash == 0)
        return NULL;
    *ret_hash = d->versions[index].hash;
    return inq_dynamic_string(d, d->versions[index].name);
}

static bool is_definition(const struct inq_sym *s)
{
    return s->section != SHN_UNDEF && s->type != STT_FILE && s->type != STT_SECTION &&
           (s->bind == STB_GLOBAL || s->bind == STB_WEAK || s->bind == STB_GNU_UNIQUE) &&
           s->visibility != STV_HIDDEN && s->visibility != STV_INTERNAL &&
           (s->value != 0 || s->section == SHN_ABS || s->type == STT_TLS);
}

static bool version_fits(const struct inq_dynamic *d, size_t i, const struct inq_wanted *wanted)
{
    const char *version;
    uint32_t hash;

    if (!d->versym.bytes || !d->has_definitions)
        return true;
    if (!wanted->version)
        return !(versym_of(d, i) & HIDDEN) || (versym_of(d, i) & ~HIDDEN) < 3;
    version = inq_dynamic_version(d, i, &hash);
    if (!version) /* the base version satisfies, unless it is hidden */
        return !(versym_of(d, i) & HIDDEN);
    return hash == wanted->version_hash && !strcmp(version, wanted->version);
}

struct search {
    const struct inq_dynamic *d;
    const struct inq_wanted *wanted;
    const uint64_t *value; /* NULL: by version; else the one at this address */
    struct inq_sym *symbol;
    size_t index;
    bool indirect; /* an indirect function of that name was seen */
};

/* Is it symbol i? */
static bool fits(struct search *s, size_t i)
{
    struct inq_sym symbol;

    if (!inq_dynamic_symbol(s->d, i, &symbol) || strcmp(symbol.name, s->wanted->name) != 0 ||
        !is_definition(&symbol))
        return false;
    if (s->value && symbol.value != *s->value) {
        if (symbol.type == STT_GNU_IFUNC && !s->indirect) {
            s->indirect = true;
            *s->symbol = symbol;
            s->index = i;
        }
        return false;
    }
    if (!s->value && !version_fits(s->d, i, s->wanted))
        return false;
    *s->symbol = symbol;
    s->index = i;
    return true;
}

static bool step(const struct search *s)
{
    if (*s->wanted->steps_left == 0)
        return false;
    --*s->wanted->steps_left;
    return true;
}

static bool search_gnu(struct search *s)
{
    const struct inq_dynamic *d = s->d;
    const uint32_t hash = s->wanted->hash;
    const size_t n_buckets = d->buckets.size / 4, n_chains = d->chains.size / 4;
    size_t i;

    if (!inq_dynamic_may_define(d, hash))
        return false;
    i = inq_bytes_u32(d->buckets, hash % n_buckets, d->big_endian);
    if (i == 0 || i < d->first_hashed)
        return false;
    for (; i - d->first_hashed < n_chains && step(s); i++) {
        uint32_t entry = inq_bytes_u32(d->chains, i - d->first_hashed, d->big_endian);

        if (((entry ^ hash) >> 1) == 0 && fits(s, i))
            return true;
        if (entry & 1)
            return false;
    }
    return false;
}

static uint64_t sysv_entry(const struct inq_dynamic *d, struct inq_bytes table, uint64_t i)
{
    return d->sysv_bytes == 8 ? inq_load_u64(table.bytes + i * 8, d->big_endian)
                              : inq_load_u32(table.bytes + i * 4, d->big_endian);
}

static bool search_sysv(struct search *s)
{
    const struct inq_dynamic *d = s->d;
    size_t n_buckets, n_chains;
    uint64_t i;

    if (d->sysv_buckets.size == 0)
        return false;
    n_buckets = d->sysv_buckets.size / d->sysv_bytes;
    n_chains = d->sysv_chains.size / d->sysv_bytes;
    i = sysv_entry(d, d->sysv_buckets, sysv_hash(s->wanted->name) % n_buckets);
    for (size_t steps = 0; i != 0 && i < n_chains && steps < n_chains && step(s); steps++) {
        if (fits(s, (size_t)i))
            return true;
        i = sysv_entry(d, d->sysv_chains, i);
    }
    return false;
}

static bool search(struct search *s)
{
    if (!s->d->read)
        return false;
    return s->d->bloom.bytes ? search_gnu(s) : search_sysv(s);
}

bool inq_dynamic_find(const struct inq_dynamic *d, const struct inq_wanted *wanted,
                      struct inq_sym *ret_symbol, size_t *ret_index)
{
    struct search s = {.d = d, .wanted = wanted, .symbol = ret_symbol};

    if (!search(&s))
        return false;
    if (ret_index)
        *ret_index = s.index;
    return true;
}

bool inq_dynamic_find_at(const struct inq_dynamic *d, const struct inq_wanted *wanted,
                         uint64_t value, struct inq_sym *ret_symbol, size_t *ret_index)
{
    struct search s = {.d = d, .wanted = wanted, .symbol = ret_symbol, .value = &value};

    if (!search(&s) && !s.indirect)
        return false;
    if (ret_index)
        *ret_index = s.index;
    return true;
}

void inq_dynamic_exports(const struct inq_dynamic *d,
                         bool (*visit)(void *context, uint32_t hash, size_t index), void *context)
{
    const size_t n = d->chains.size / 4;
    struct inq_sym symbol;

    if (!d->read)
        return;
    if (d->bloom.bytes) {
        for (size_t i = 0; i < n && i + d->first_hashed < d->n_symbols; i++)
            if (!visit(context, inq_bytes_u32(d->chains, i, d->big_endian) | 1,
                       i + d->first_hashed))
                return;
        return;
    }
    for (size_t i = 1; d->sysv_bytes && i < d->sysv_chains.size / d->sysv_bytes; i++)
        if (inq_dynamic_symbol(d, i, &symbol) && is_definition(&symbol) &&
            !visit(context, inq_gnu_hash(symbol.name) | 1, i))
            return;
}
