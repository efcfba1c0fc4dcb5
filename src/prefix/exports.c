/* SPDX-License-Identifier: Apache-2.0 */
#include "exports.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cursor.h"

#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull
#define MAX_VERSIONS 32768u

static uint64_t hash_text(const char *text)
{
    uint64_t h = FNV_BASIS;

    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * FNV_PRIME;
    /* the low bits of FNV are its weak ones */
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9ull;
    return h ^ (h >> 32);
}

/*
 * What a linker or start file puts into every library: counted, since both do export them, but
 * nobody can mistake one for the other.
 */
static uint32_t boilerplate(const char *name)
{
    static const char *const names[] = {
        "_init",          "_fini",        "_edata",
        "_end",           "__bss_start",  "_start",
        "edata",          "end",          "etext",
        "_etext",         "__data_start", "data_start",
        "__bss_start__",  "_bss_end__",   "__bss_end__",
        "__end__",        "_DYNAMIC",     "_GLOBAL_OFFSET_TABLE_",
        "_IO_stdin_used", "_fp_hw",       "main",
    };

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (!strcmp(name, names[i]))
            return 1u << i;
    return 0;
}

/* ---- versions ------------------------------------------------------------------------------ */

struct versions {
    const uint8_t *indexes; /* .gnu.version: one half-word a symbol; NULL without */
    size_t n_indexes;
    uint32_t *hashes; /* by index of .gnu.version_d */
    size_t n_hashes;
    bool big_endian;
};

/*
 * .gnu.version_d: entries {version, flags, index, count, hash, offset of the names, offset of the
 * next}, the first of whose names is the version's.
 */
static bool read_definitions(const struct inq_image *image, struct versions *v)
{
    struct inq_image_section s;
    size_t at = 0;

    if (!inq_image_section(image, ".gnu.version_d", &s))
        return true;
    v->hashes = calloc(MAX_VERSIONS, sizeof(*v->hashes));
    if (!v->hashes)
        return false;
    v->n_hashes = MAX_VERSIONS;
    for (unsigned i = 0; i < MAX_VERSIONS && at <= s.size && s.size - at >= 20; i++) {
        const uint8_t *d = s.bytes + at;
        const uint16_t flags = inq_load_u16(d + 2, v->big_endian);
        const uint16_t index = inq_load_u16(d + 4, v->big_endian) & 0x7fff;
        const uint32_t names = inq_load_u32(d + 12, v->big_endian);
        const uint32_t next = inq_load_u32(d + 16, v->big_endian);

        if (names <= s.size - at && s.size - at - names >= 8 && !(flags & VER_FLG_BASE)) {
            const uint32_t name = inq_load_u32(d + names, v->big_endian);

            if (name < image->dynsym.strings_size &&
                memchr(image->dynsym.strings + name, 0, image->dynsym.strings_size - name))
                v->hashes[index] = (uint32_t)hash_text(image->dynsym.strings + name) | 1u;
        }
        if (next == 0)
            break;
        at += next;
    }
    return true;
}

static bool versions_read(const struct inq_image *image, struct versions *v)
{
    struct inq_image_section s;

    *v = (struct versions){.big_endian = image->big_endian};
    if (!inq_image_section(image, ".gnu.version", &s))
        return true;
    v->indexes = s.bytes;
    v->n_indexes = s.size / 2;
    return read_definitions(image, v);
}

static uint32_t version_of(const struct versions *v, size_t symbol)
{
    if (symbol >= v->n_indexes || !v->hashes)
        return 0;
    return v->hashes[inq_load_u16(v->indexes + 2 * symbol, v->big_endian) & 0x7fff];
}

/* ---- names --------------------------------------------------------------------------------- */

static int compare_exports(const void *a, const void *b)
{
    const struct inq_export *x = a, *y = b;

    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return x->version < y->version ? -1 : x->version > y->version;
}

/* Sorts what was appended from `first` on, each once; counts the names. */
static void settle(struct inq_exports *exports, size_t first, struct inq_library_links *links)
{
    struct inq_export *items = exports->items.items + first;
    size_t n = exports->items.count - first, kept = 0;

    if (n == 0)
        return;
    qsort(items, n, sizeof(*items), compare_exports);
    links->fingerprint = FNV_BASIS;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && compare_exports(&items[kept - 1], &items[i]) == 0)
            continue;
        links->n_exports += kept == 0 || items[kept - 1].name != items[i].name;
        items[kept++] = items[i];
        links->fingerprint = (links->fingerprint ^ items[kept - 1].name) * FNV_PRIME;
    }
    exports->items.count = first + kept;
}

static struct inq_error *read_names(const struct inq_image *image, uint32_t file,
                                    struct inq_exports *exports, struct inq_library_links *links)
{
    const size_t first = exports->items.count;
    struct versions v;
    struct inq_error *error = NULL;

    if (!versions_read(image, &v)) {
        free(v.hashes);
        return &inq_error_oom;
    }
    for (size_t i = 1; i < image->dynsym.count && !error; i++) {
        struct inq_export *slot;
        struct inq_symbol symbol;

        if (!inq_image_symbol(image, &image->dynsym, i, &symbol) || symbol.bind != STB_GLOBAL ||
            symbol.section == SHN_UNDEF || symbol.section == SHN_ABS ||
            (symbol.visibility != STV_DEFAULT && symbol.visibility != STV_PROTECTED) ||
            !(symbol.type == STT_FUNC || symbol.type == STT_OBJECT || symbol.type == STT_TLS ||
              symbol.type == STT_NOTYPE || symbol.type == STT_COMMON ||
              symbol.type == STT_GNU_IFUNC) ||
            !symbol.name[0])
            continue;
        const uint32_t everybodys = boilerplate(symbol.name);
        links->boilerplate |= everybodys;
        if (everybodys)
            continue;
        if (exports->items.count >= INQ_MAX_PREFIX_NAMES)
            break;
        slot = INQ_ARRAY_PUSH(&exports->items);
        if (!slot)
            error = &inq_error_oom;
        else
            *slot = (struct inq_export){hash_text(symbol.name), version_of(&v, i), file};
    }
    free(v.hashes);
    if (!error)
        settle(exports, first, links);
    return error;
}

/* ---- the dynamic section -------------------------------------------------------------------- */

static const char *copy_string(const struct inq_image *image, uint64_t at, struct inq_arena *arena)
{
    const struct inq_image_symbols *t = &image->dynsym;

    if (at >= t->strings_size || !memchr(t->strings + at, 0, t->strings_size - at))
        return NULL;
    return inq_arena_strdup(arena, t->strings + at);
}

static const uint8_t *find_dynamic(const struct inq_image *image, size_t *ret_size)
{
    for (size_t i = 0; i < image->n_segments; i++) {
        const struct inq_image_segment *s = &image->segments[i];
        const uint8_t *bytes;
        size_t left;

        if (s->type != PT_DYNAMIC)
            continue;
        bytes = inq_image_at(image, s->addr, &left);
        *ret_size = s->file_bytes < left ? (size_t)s->file_bytes : left;
        return bytes;
    }
    return NULL;
}

static struct inq_error *read_links(const struct inq_image *image, struct inq_arena *arena,
                                    struct inq_library_links *links)
{
    size_t size = 0, count = 0;
    const uint8_t *dynamic = find_dynamic(image, &size);
    struct inq_cursor c =
        inq_cursor_init(dynamic, dynamic ? size : 0, image->big_endian, image->elf_class / 8);
    const char **needed = INQ_ARENA_ARRAY(arena, INQ_MAX_NEEDED_NAMES, const char *);
    uint64_t tag, value;

    if (!needed)
        return &inq_error_oom;
    while (inq_cursor_word(&c, &tag) && inq_cursor_word(&c, &value) && tag != DT_NULL) {
        const char *text = tag == DT_NEEDED || tag == DT_RUNPATH || tag == DT_RPATH
                               ? copy_string(image, value, arena)
                               : NULL;

        if (!text)
            continue;
        if (tag == DT_NEEDED && count < INQ_MAX_NEEDED_NAMES)
            needed[count++] = text;
        else if (tag == DT_RUNPATH || (tag == DT_RPATH && !links->run_path))
            links->run_path = text;
    }
    links->needed = needed;
    links->n_needed = count;
    links->soname = image->soname ? inq_arena_strdup(arena, image->soname) : NULL;
    return inq_arena_failed(arena) ? &inq_error_oom : NULL;
}

struct inq_error *inq_exports_read(const struct inq_image *image, uint32_t file,
                                   struct inq_arena *arena, struct inq_exports *exports,
                                   struct inq_library_links *ret_links)
{
    struct inq_library_links links = {0};

    INQ_TRY(read_names(image, file, exports, &links));
    INQ_TRY(read_links(image, arena, &links));
    *ret_links = links;
    return NULL;
}
