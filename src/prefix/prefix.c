/* SPDX-License-Identifier: Apache-2.0 */
#include "prefix_analysis.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "distro.h"
#include "gaps.h"
#include "image.h"
#include "library_config.h"
#include "prefix_parts.h"
#include "provenance.h"
#include "site.h"
#include "text.h"

#define BATCH 16u
#define LEAST_COMMON 20u       /* strong names that are no accident */
#define LEAST_OF_ALLOCATORS 4u /* malloc, calloc, realloc, free */

/* ---- the files ------------------------------------------------------------------------------ */

static void read_note(struct inq_prefix *prefix, const struct inq_image *image,
                      struct inq_prefix_file *file)
{
    struct inq_image_section section;
    struct inq_distro_package package;

    if (!inq_image_section(image, ".note.package", &section) ||
        !inq_package_note(section.bytes, section.size, image->big_endian, prefix->arena, &package))
        return;
    file->owner = (struct inq_owner){.kind = "system",
                                     .package = package.name,
                                     .version = package.version,
                                     .installer = package.manager};
}

/* What is no shared ELF file (a linker script) is left out without a word. */
static struct inq_error *read_file(struct inq_prefix *prefix, int fd, uint32_t index)
{
    struct inq_prefix_file *file = &prefix->files[index];
    struct inq_image *image = NULL;
    struct inq_error *error;
    struct stat st;
    bool is_elf;

    if (fstat(fd, &st) < 0)
        return NULL;
    file->size = (uint64_t)st.st_size;
    file->build_id_size = (uint8_t)inq_elf_build_id(fd, file->build_id, &is_elf);
    if (!is_elf)
        return NULL;
    error = inq_image_open(fd, prefix->arena, &image);
    if (error && error->code == INQ_E_MEMORY)
        return error;
    inq_error_destroy(error);
    if (!image)
        return NULL;
    if (image->type == ET_DYN && image->dynsym.count > 0) {
        file->is_library = true;
        file->machine = image->machine;
        file->elf_class = image->elf_class;
        error = inq_exports_read(image, index, prefix->arena, &prefix->exports, &file->links);
        if (!error && !inq_library_config(image, &file->library, file->config))
            file->config[0] = '\0';
        read_note(prefix, image, file);
    } else {
        error = NULL;
    }
    inq_image_close(image);
    return error;
}

static struct inq_error *read_batch(struct inq_prefix *prefix, size_t first, size_t n)
{
    struct inq_file_request requests[BATCH] = {0};
    struct inq_file_reply replies[BATCH];
    struct inq_error *error = NULL;

    for (size_t i = 0; i < n; i++)
        requests[i] = (struct inq_file_request){.kind = INQ_FILE_MODULE,
                                                .path = prefix->files[first + i].path};
    INQ_TRY(prefix->opener->ask(prefix->opener, requests, n, replies));
    for (size_t i = 0; i < n; i++) {
        if (replies[i].fd < 0)
            continue;
        if (!error)
            error = read_file(prefix, replies[i].fd, (uint32_t)(first + i));
        close(replies[i].fd);
    }
    return error;
}

/*
 * The same file under another name is no other library. Copies that auditwheel gave another soname
 * keep the build-id: they are one build, too.
 */
static bool is_same(const struct inq_prefix_file *a, const struct inq_prefix_file *b)
{
    if (a->machine != b->machine || a->elf_class != b->elf_class)
        return false;
    if (a->build_id_size > 0 || b->build_id_size > 0)
        return a->build_id_size == b->build_id_size &&
               !memcmp(a->build_id, b->build_id, a->build_id_size);
    return a->links.fingerprint == b->links.fingerprint && a->size == b->size;
}

static int compare_identity(const void *a, const void *b, void *context)
{
    const struct inq_prefix_file *files = context;
    const struct inq_prefix_file *x = &files[*(const uint32_t *)a];
    const struct inq_prefix_file *y = &files[*(const uint32_t *)b];
    int order;

    if (x->build_id_size != y->build_id_size)
        return x->build_id_size < y->build_id_size ? -1 : 1;
    order = memcmp(x->build_id, y->build_id, x->build_id_size);
    if (order)
        return order;
    if (x->build_id_size == 0 && x->links.fingerprint != y->links.fingerprint)
        return x->links.fingerprint < y->links.fingerprint ? -1 : 1;
    if (x->build_id_size == 0 && x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

static size_t exports_of(const struct inq_prefix_file *file)
{
    return file->links.n_exports + (size_t)__builtin_popcount(file->links.boilerplate);
}

/*
 * One build under several names: auditwheel has changed the soname of each, and so the files
 * differ. Files that are equal to the last byte are no pair.
 */
static void count_same(struct inq_prefix *prefix)
{
    for (uint32_t i = 0; i < prefix->n_files; i++) {
        const struct inq_prefix_file *file = &prefix->files[i];
        struct inq_prefix_file *first = &prefix->files[file->same_as];
        const char *x = file->links.soname, *y = first->links.soname;

        first->n_same++;
        if (file != first && file->is_library && !file->library.extension &&
            exports_of(file) >= LEAST_COMMON && x && y && strcmp(x, y) != 0)
            prefix->n_sharing++;
    }
}

static struct inq_error *group_same(struct inq_prefix *prefix)
{
    _cleanup_free_ uint32_t *order = calloc(prefix->n_files + 1, sizeof(*order));
    size_t kept = 0;

    if (!order)
        return &inq_error_oom;
    for (uint32_t i = 0; i < prefix->n_files; i++)
        order[i] = i;
    qsort_r(order, prefix->n_files, sizeof(*order), compare_identity, prefix->files);
    for (size_t i = 0; i < prefix->n_files; i++) {
        struct inq_prefix_file *file = &prefix->files[order[i]];
        const uint32_t before = i > 0 ? prefix->files[order[i - 1]].same_as : 0;

        file->same_as = i > 0 && file->is_library && prefix->files[before].is_library &&
                                is_same(&prefix->files[before], file)
                            ? before
                            : order[i];
        prefix->n_libraries +=
            file->is_library && !file->library.extension && file->same_as == order[i];
    }
    count_same(prefix);
    /* the names of a file count once */
    for (size_t i = 0; i < prefix->exports.items.count; i++) {
        const struct inq_export *e = &prefix->exports.items.items[i];

        if (prefix->files[e->file].same_as == e->file)
            prefix->exports.items.items[kept++] = *e;
    }
    prefix->exports.items.count = kept;
    return NULL;
}

/* ---- packages ------------------------------------------------------------------------------- */

static struct inq_error *find_packages(struct inq_prefix *prefix)
{
    const struct inq_inventory *inventory = &prefix->inventory;
    size_t count;

    for (size_t i = 0; i < inventory->n_condas; i++) {
        INQ_TRY(inq_owners_add_conda(prefix->owners, inventory->condas[i], &count));
        prefix->n_packages += count;
    }
    for (size_t i = 0; i < inventory->n_sites; i++) {
        INQ_TRY(inq_owners_add_site(prefix->owners, inventory->sites[i], &count));
        prefix->n_packages += count;
    }
    return NULL;
}

/* Is the folder itself an environment? Then its /lib is no distribution's. */
static bool is_environment(const struct inq_inventory *inventory)
{
    for (size_t i = 0; i < inventory->n_condas; i++)
        if (!inventory->condas[i][0])
            return true;
    for (size_t i = 0; i < inventory->n_sites; i++)
        if (inq_starts_with(inventory->sites[i], "/lib/python"))
            return true;
    return false;
}

static struct inq_error *find_owners(struct inq_prefix *prefix)
{
    const bool environment = is_environment(&prefix->inventory);

    for (size_t i = 0; i < prefix->n_files; i++) {
        struct inq_prefix_file *file = &prefix->files[i];
        /* a distribution's lists are many: the likely ones will do */
        const bool thorough =
            environment || inq_origin_of(file->path).provenance != INQ_FROM_SYSTEM;
        struct inq_owner owner;

        if (!file->is_library)
            continue;
        INQ_TRY(inq_owners_find(prefix->owners, file->path, thorough, &owner));
        if (owner.kind)
            file->owner = owner;
    }
    return NULL;
}

/* ---- judging -------------------------------------------------------------------------------- */

static bool both_allocators(const struct inq_prefix_file *a, const struct inq_prefix_file *b)
{
    return !strcmp(a->library.family, "allocator") && !strcmp(b->library.family, "allocator");
}

/*
 * Two libraries of one package with other names were made to be loaded together: what they share
 * are pieces that both hold (of libstdc++, of a compiler's runtime).
 */
static bool belong_together(const struct inq_prefix_file *a, const struct inq_prefix_file *b)
{
    return a->owner.package && b->owner.package && !strcmp(a->owner.package, b->owner.package) &&
           !inq_library_same(&a->library, &b->library);
}

static bool is_a_pair(struct inq_prefix *prefix, struct inq_pair *pair, uint32_t *ret_smaller)
{
    const struct inq_prefix_file *a = &prefix->files[pair->a], *b = &prefix->files[pair->b];
    const size_t smaller = exports_of(a) < exports_of(b) ? exports_of(a) : exports_of(b);

    *ret_smaller = (uint32_t)smaller;
    pair->common += (uint32_t)__builtin_popcount(a->links.boilerplate & b->links.boilerplate);
    if (pair->common >= LEAST_COMMON && !a->library.extension && !b->library.extension)
        prefix->n_sharing += (size_t)a->n_same * b->n_same;
    if (a->machine != b->machine || a->elf_class != b->elf_class || belong_together(a, b))
        return false;
    if (both_allocators(a, b))
        return pair->common >= LEAST_OF_ALLOCATORS;
    if (pair->common < LEAST_COMMON)
        return false;
    if (inq_library_same(&a->library, &b->library) && a->library.known)
        return true;
    return (uint64_t)pair->common * 10 >= smaller;
}

/* Of all the names that a file has, the one that reaches furthest. */
static void find_furthest(struct inq_prefix *prefix)
{
    for (uint32_t i = 0; i < prefix->n_files; i++)
        prefix->files[i].furthest = i;
    for (uint32_t i = 0; i < prefix->n_files; i++) {
        struct inq_prefix_file *first = &prefix->files[prefix->files[i].same_as];

        if (prefix->files[i].is_library &&
            prefix->files[i].reach > prefix->files[first->furthest].reach)
            first->furthest = i;
    }
}

/*
 * Compilers' runtimes are meant to be taken from whoever has the newest: their makers keep them
 * compatible, and every program asks for them by their plain names.
 */
static bool is_shared_runtime(const struct inq_prefix_file *file)
{
    return !strcmp(file->library.family, "libstdc++") || !strcmp(file->library.family, "libgcc_s");
}

static bool has_plain_name(const struct inq_prefix_file *file)
{
    struct inq_library by_soname;

    if (!file->links.soname || !file->links.soname[0] || file->library.extension)
        return false;
    inq_library_name(file->links.soname, &by_soname);
    return !by_soname.mangled;
}

/*
 * Who asks for `plain`, a name without a hash, could be meant to have the other one: both were
 * libfoo.so.1 before one of them was given a name of its own.
 */
static bool may_stand_for(const struct inq_prefix_file *plain, const struct inq_prefix_file *other)
{
    return inq_library_same(&plain->library, &other->library) &&
           !strcmp(plain->library.abi, other->library.abi);
}

/* A plain soname that somebody else asks for: the first one loaded is taken by all. */
static struct inq_error *judge_soname(const struct inq_prefix *prefix, struct inq_prefix_file *file,
                                      const struct inq_prefix_file *other,
                                      struct inq_prefix_pair *pair)
{
    const enum inq_provenance from = inq_origin_of(file->path).provenance;
    const struct inq_prefix_file *taker;

    if (pair->hazard != INQ_HAZARD_LOW || is_shared_runtime(file) || !has_plain_name(file) ||
        from == INQ_FROM_SYSTEM)
        return NULL;
    if (!file->capturer_known)
        file->capturer = inq_prefix_capturer(prefix, file);
    file->capturer_known = true;
    taker = file->capturer;
    if (taker) {
        pair->hazard = INQ_HAZARD_HIGH;
        pair->reason = inq_arena_printf(
            prefix->arena,
            "%s of %s asks for %s by its plain name, and its own search does not lead to %s: it "
            "gets whichever was loaded first",
            taker->name, taker->owner.package ? taker->owner.package : "an unknown package",
            file->links.soname, file->path + 1);
    } else if (may_stand_for(file, other) &&
               (from == INQ_FROM_WHEEL_PLAIN ||
                (file->owner.kind && !strcmp(file->owner.kind, "wheel")))) {
        pair->hazard = INQ_HAZARD_POSSIBLE;
        pair->reason = inq_arena_printf(
            prefix->arena,
            "%s has the plain name %s: a library from outside that asks for it would get this one",
            file->path + 1, file->links.soname);
    }
    return pair->hazard == INQ_HAZARD_LOW || pair->reason ? NULL : &inq_error_oom;
}

static struct inq_error *judge(const struct inq_prefix *prefix, struct inq_prefix_pair *pair)
{
    struct inq_prefix_file *a = &prefix->files[pair->pair.a];
    struct inq_prefix_file *b = &prefix->files[pair->pair.b];
    const struct inq_prefix_file *x = &prefix->files[a->furthest];
    const struct inq_prefix_file *y = &prefix->files[b->furthest];
    const struct inq_prefix_file *reaching = y->reach > x->reach ? y : x;

    pair->family =
        inq_library_same(&a->library, &b->library) || a->links.n_exports <= b->links.n_exports
            ? a->library.family
            : b->library.family;
    pair->hazard = reaching->reach;
    if (reaching->reach > INQ_HAZARD_LOW) {
        pair->reason = reaching->reason;
        pair->loader = reaching->loader;
    }
    if (pair->hazard == INQ_HAZARD_HIGH && pair->pair.confusable < LEAST_COMMON &&
        !both_allocators(a, b)) {
        /* A reference with a version takes no definition with another one. */
        pair->hazard = INQ_HAZARD_POSSIBLE;
        pair->reason = inq_arena_printf(
            prefix->arena,
            "%s. The two export them in different versions, so what was linked stays with its own; "
            "dlsym() and references without a version do not",
            reaching->reason);
        if (!pair->reason)
            return &inq_error_oom;
    }
    if (pair->hazard < INQ_HAZARD_HIGH && both_allocators(a, b)) {
        pair->hazard = INQ_HAZARD_HIGH;
        pair->loader = NULL;
        pair->reason = "both are made to be preloaded and to take malloc() for the whole process: "
                       "whichever comes first gets what the other handed out";
    }
    INQ_TRY(judge_soname(prefix, a, b, pair));
    INQ_TRY(judge_soname(prefix, b, a, pair));
    if (!pair->reason)
        pair->reason =
            has_plain_name(a) || has_plain_name(b)
                ? "nothing here loads either of them for everybody, and nobody else asks "
                  "for it by name"
                : "both have names of their own and are loaded by their own package: "
                  "nothing here makes them cross";
    return NULL;
}

static bool has_extension(const struct inq_prefix *prefix, const struct inq_prefix_pair *pair)
{
    return prefix->files[pair->pair.a].library.extension ||
           prefix->files[pair->pair.b].library.extension;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct inq_prefix_pair *x = a, *y = b;

    if (x->hazard != y->hazard)
        return x->hazard > y->hazard ? -1 : 1;
    if (x->pair.common != y->pair.common)
        return x->pair.common > y->pair.common ? -1 : 1;
    if (x->pair.a != y->pair.a)
        return x->pair.a < y->pair.a ? -1 : 1;
    return x->pair.b < y->pair.b ? -1 : x->pair.b > y->pair.b;
}

static struct inq_error *judge_all(struct inq_prefix *prefix, struct inq_evidence *evidence)
{
    _cleanup_(inq_pairs_deinit) struct inq_pairs found = {0};
    struct inq_prefix_pair *pairs;
    size_t n = 0;

    INQ_TRY(inq_pairs_find(&prefix->exports, &found));
    pairs = INQ_ARENA_ARRAY(prefix->arena, found.count + 1, struct inq_prefix_pair);
    if (!pairs)
        return &inq_error_oom;
    for (size_t i = 0; i < found.count; i++) {
        struct inq_prefix_pair *pair = &pairs[n];

        *pair = (struct inq_prefix_pair){.pair = found.items[i]};
        if (!is_a_pair(prefix, &pair->pair, &pair->smaller))
            continue;
        INQ_TRY(judge(prefix, pair));
        /* Nobody looks into an extension module for others' sake: it can only be the victim. */
        if (pair->hazard > INQ_HAZARD_LOW || !has_extension(prefix, pair))
            n++;
    }
    if (n > 0)
        qsort(pairs, n, sizeof(*pairs), compare_pairs);
    if (found.cut)
        inq_evidence_add_gap(evidence, INQ_G_MODULES, prefix->inventory.folder,
                             "more pairs of libraries than are compared", NULL);
    return inq_prefix_record(prefix, pairs, n, evidence);
}

static void prefix_deinit(struct inq_prefix *prefix)
{
    INQ_ARRAY_FREE(&prefix->exports.items);
    inq_owners_destroy(prefix->owners);
    inq_arena_destroy(prefix->arena);
}

static uint64_t now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What was read counts, also when a slow disk ends it early. */
static struct inq_error *read_files(struct inq_prefix *prefix)
{
    const uint64_t begin = now_msec(), most = prefix->inventory.read_msec;

    for (size_t i = 0; i < prefix->n_files; i += BATCH) {
        if (most > 0 && now_msec() - begin > most) {
            prefix->n_unread = prefix->n_files - i;
            break;
        }
        INQ_TRY(read_batch(prefix, i, prefix->n_files - i < BATCH ? prefix->n_files - i : BATCH));
    }
    return NULL;
}

static struct inq_error *read_all(struct inq_prefix *prefix, int fd)
{
    const struct inq_inventory *inventory = &prefix->inventory;

    INQ_TRY(inq_inventory_read(fd, prefix->arena, &prefix->inventory));
    prefix->n_files = inventory->n_libraries;
    prefix->files = INQ_ARENA_ARRAY(prefix->arena, prefix->n_files + 1, struct inq_prefix_file);
    if (!prefix->files)
        return &inq_error_oom;
    for (size_t i = 0; i < prefix->n_files; i++) {
        const char *slash = strrchr(inventory->libraries[i], '/');

        prefix->files[i].path = inventory->libraries[i];
        prefix->files[i].name = slash ? slash + 1 : inventory->libraries[i];
        inq_library_name(inventory->libraries[i], &prefix->files[i].library);
    }
    return read_files(prefix);
}

static void add_gaps(const struct inq_prefix *prefix, struct inq_evidence *evidence)
{
    const struct inq_inventory *inventory = &prefix->inventory;

    for (size_t i = 0; i < inventory->n_limits; i++)
        inq_evidence_add_gap(evidence, INQ_G_MODULES, inventory->folder, inventory->limits[i],
                             NULL);
    for (size_t i = 0; i < inventory->n_omitted; i++)
        inq_evidence_add_gap(evidence, INQ_G_FILE_REFUSED, inventory->folder, inventory->omitted[i],
                             NULL);
    if (prefix->n_unread > 0)
        inq_evidence_add_gap(
            evidence, INQ_G_MODULES, inventory->folder,
            inq_arena_printf(prefix->arena,
                             "%zu of %zu libraries were not read: half of the time was over",
                             prefix->n_unread, prefix->n_files),
            "give more with --timeout, or name a folder with less in it");
}

struct inq_error *inq_prefix_analyze(int fd, struct inq_opener *opener,
                                     struct inq_evidence **ret_evidence)
{
    _cleanup_(prefix_deinit) struct inq_prefix prefix = {.opener = opener};
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;

    prefix.arena = inq_arena_create();
    prefix.owners = prefix.arena ? inq_owners_create(opener, prefix.arena) : NULL;
    if (!prefix.owners)
        return &inq_error_oom;
    INQ_TRY(inq_evidence_create(&evidence));
    INQ_TRY(read_all(&prefix, fd));
    INQ_TRY(group_same(&prefix));
    INQ_TRY(find_packages(&prefix));
    INQ_TRY(find_owners(&prefix));
    INQ_TRY(inq_prefix_index(&prefix));
    INQ_TRY(inq_prefix_find_loaders(&prefix));
    find_furthest(&prefix);
    add_gaps(&prefix, evidence);
    INQ_TRY(judge_all(&prefix, evidence));
    if (evidence->failed || inq_arena_failed(prefix.arena))
        return &inq_error_oom;
    *ret_evidence = TAKE_PTR(evidence);
    return NULL;
}
