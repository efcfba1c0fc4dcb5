/* SPDX-License-Identifier: Apache-2.0 */
/* The files of this machine: asking for them, checking that they fit, and what they add. */
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "cursor.h"
#include "reader.h"

/* Descriptors that are open at once: a worker may have 128. */
#define BATCH 32u

#define MAX_DYNAMIC_BYTES (64u * 1024u)

static struct inq_file_request request_for(const struct inq_module *module, bool executable)
{
    struct inq_file_request request = {
        .kind = executable ? INQ_FILE_EXECUTABLE : INQ_FILE_MODULE,
        .path = executable ? NULL : module->path,
        .build_id_size = module->build_id_size,
    };

    memcpy(request.build_id, module->build_id, module->build_id_size);
    return request;
}

/*
 * How the file of a module without a build-id begins: the kernel saves the first page of every ELF
 * file it has mapped (coredump_filter bit 4). Only where nothing of it was written to.
 */
static void add_head(struct inq_modules *modules, const struct inq_module *module,
                     struct inq_file_request *request)
{
    const struct inq_core *core = modules->core;
    struct inq_memory_region region;
    uint8_t *head;
    size_t got = 0;

    if (module->build_id_size > 0 || request->kind != INQ_FILE_MODULE)
        return;
    for (size_t i = inq_modules_first_line(core, module->start);
         i < core->n_files && core->files[i].start - module->start < module->size; i++) {
        if (core->files[i].file_off != 0 ||
            !inq_memory_region_at(modules->memory, core->files[i].start, &region) ||
            (region.flags & PF_W))
            continue;
        head = INQ_ARENA_ARRAY(modules->arena, INQ_MAX_FILE_HEAD, uint8_t);
        if (!head)
            return;
        inq_memory_read(modules->memory, core->files[i].start, head, INQ_MAX_FILE_HEAD, &got);
        if (got >= INQ_MIN_FILE_HEAD) {
            request->head = head;
            request->head_size = (uint16_t)got;
        }
        return;
    }
}

static bool wants_executable(const struct inq_modules *modules, const struct inq_module *module)
{
    return modules->has_executable && module->is_main;
}

static bool can_be_asked(const struct inq_modules *modules, const struct inq_module *module)
{
    return module->on_disk == INQ_ON_DISK_UNKNOWN && module->is_elf && !module->is_vdso &&
           (module->path || wants_executable(modules, module));
}

/* ---- does the file fit? ---------------------------------------------------------------------- */

static const struct inq_image_segment *first_load(const struct inq_image *image)
{
    for (size_t i = 0; i < image->n_segments; i++)
        if (image->segments[i].type == PT_LOAD)
            return &image->segments[i];
    return NULL;
}

/* Where AT_PHDR and AT_ENTRY put this program; false when they contradict each other or the file.
 */
static bool bias_by_auxv(const struct inq_modules *modules, const struct inq_image *image,
                         uint64_t *ret_bias)
{
    const uint64_t mask = image->elf_class == 64 ? UINT64_MAX : UINT32_MAX;
    uint64_t phdr, entry, bias, file_phdr = 0;
    bool has_phdr = false;

    if (!inq_core_auxv(modules->core, AT_PHDR, &phdr) ||
        !inq_core_auxv(modules->core, AT_ENTRY, &entry))
        return false;
    for (size_t i = 0; i < image->n_segments && !has_phdr; i++) {
        const struct inq_image_segment *s = &image->segments[i];

        if (s->type == PT_LOAD && image->phoff >= s->off && image->phoff - s->off < s->file_bytes) {
            file_phdr = s->addr + (image->phoff - s->off);
            has_phdr = true;
        }
    }
    bias = (entry - image->entry) & mask;
    if (!has_phdr || ((phdr - file_phdr) & mask) != bias)
        return false;
    if (image->type == ET_EXEC && bias != 0)
        return false;
    *ret_bias = bias;
    return true;
}

/*
 * Is the dynamic section in memory that of the file? Addresses in it had the load bias added, and
 * DT_DEBUG was filled in. What cannot be read says nothing.
 */
static bool dynamic_differs(const struct inq_modules *modules, const struct inq_module *module,
                            const struct inq_image *image, const struct inq_image_segment *segment)
{
    const size_t word = image->elf_class / 8u;
    const uint64_t mask = word == 8 ? UINT64_MAX : UINT32_MAX;
    const uint8_t *bytes;
    uint64_t tag, value;
    size_t left;

    bytes = inq_image_at(image, segment->addr, &left);
    for (size_t i = 0; bytes && (i + 1) * 2 * word <= left; i++) {
        const uint8_t *p = bytes + i * 2 * word;
        uint64_t file_tag = word == 8 ? inq_load_u64(p, image->big_endian)
                                      : inq_load_u32(p, image->big_endian);
        uint64_t file_value = word == 8 ? inq_load_u64(p + word, image->big_endian)
                                        : inq_load_u32(p + word, image->big_endian);
        const uint64_t addr = (module->dynamic + i * 2 * word) & mask;

        if (!inq_memory_word(modules->memory, addr, &tag) ||
            !inq_memory_word(modules->memory, (addr + word) & mask, &value))
            return false;
        if (tag != file_tag || (tag != DT_DEBUG && value != file_value &&
                                value != ((file_value + module->load_bias) & mask)))
            return tag < DT_LOPROC || tag > DT_HIPROC; /* MIPS has a DT_DEBUG of its own there */
        if (tag == DT_NULL)
            return false;
    }
    return false;
}

/*
 * For a file that no build-id vouches for: its segments must be those that the process had. NULL
 * when nothing speaks against it.
 */
static const char *does_not_fit(struct inq_modules *modules, const struct inq_module *module,
                                const struct inq_image *image)
{
    const struct inq_core *core = modules->core;
    uint64_t bias;

    if (image->elf_class != core->elf_class || image->big_endian != core->big_endian)
        return "it is for another kind of machine";
    if (module->is_main && inq_core_auxv(core, AT_ENTRY, &bias) &&
        !bias_by_auxv(modules, image, &bias))
        return "its entry point is not where the program's was";
    if (module->has_bias && module->dynamic != 0) {
        const uint64_t mask = image->elf_class == 64 ? UINT64_MAX : UINT32_MAX;

        for (size_t i = 0; i < image->n_segments; i++)
            if (image->segments[i].type == PT_DYNAMIC &&
                ((module->load_bias + image->segments[i].addr) & mask) != module->dynamic)
                return "its segments are not where the dump has them";
            else if (image->segments[i].type == PT_DYNAMIC &&
                     dynamic_differs(modules, module, image, &image->segments[i]))
                return "its dynamic section is not the one in the dump";
    }
    for (size_t i = inq_modules_first_line(core, module->start);
         i < core->n_files && core->files[i].start - module->start < module->size; i++) {
        const struct inq_map_file *line = &core->files[i];

        if (module->path && strncmp(line->path, module->path, strlen(module->path)) == 0 &&
            line->file_off >= image->size)
            return "it is shorter than what the process had mapped";
    }
    return NULL;
}

/* ---- what it adds ---------------------------------------------------------------------------- */

/* Without NT_FILE and without its first page only the file knows how far the program reaches. */
static void set_range(const struct inq_modules *modules, struct inq_module *module)
{
    const struct inq_image *image = module->image;
    const uint64_t mask = image->elf_class == 64 ? UINT64_MAX : UINT32_MAX;
    uint64_t start = UINT64_MAX, end = 0;

    for (size_t i = 0; i < image->n_segments; i++) {
        const struct inq_image_segment *s = &image->segments[i];
        uint64_t low = (module->load_bias + s->addr) & mask;

        if (s->type != PT_LOAD || s->size > mask - low)
            continue;
        start = low < start ? low : start;
        end = low + s->size > end ? low + s->size : end;
    }
    if (start >= end)
        return;
    module->start = inq_page_down(modules->core, start);
    module->size = inq_page_up(modules->core, end) - module->start;
}

/* Where the file lies, when the dump's own headers did not say. */
static void set_bias(struct inq_modules *modules, struct inq_module *module)
{
    const struct inq_image_segment *first = first_load(module->image);
    const uint64_t mask = module->image->elf_class == 64 ? UINT64_MAX : UINT32_MAX;

    if (module->has_bias || !first)
        return;
    if (module->is_main && bias_by_auxv(modules, module->image, &module->load_bias)) {
        module->has_bias = true;
        if (!modules->core->has_file_note)
            set_range(modules, module);
        return;
    }
    if (!modules->core->has_file_note)
        return;
    module->load_bias = (module->start - inq_page_down(modules->core, first->addr)) & mask;
    module->has_bias = true;
}

static void add_backing(struct inq_modules *modules, const struct inq_module *module,
                        const struct inq_image_segment *s)
{
    const struct inq_core *core = modules->core;
    const struct inq_image *image = module->image;
    const uint64_t mask = image->elf_class == 64 ? UINT64_MAX : UINT32_MAX;
    uint64_t addr = (module->load_bias + s->addr) & mask, off = s->off, size = s->file_bytes;
    uint64_t before = addr - inq_page_down(core, addr);
    struct inq_error *error;

    if (s->type != PT_LOAD || (s->flags & PF_W) || size == 0 || off >= image->size)
        return;
    /* The kernel maps whole pages: what precedes and follows in the file is there, too. */
    if (before > off || ((off - before) & (core->page_bytes - 1)) != 0)
        before = 0;
    addr -= before;
    off -= before;
    size = size > UINT64_MAX - before ? size : size + before;
    if (s->size <= s->file_bytes)
        size = inq_page_up(core, size);
    if (size > image->size - off)
        size = image->size - off;
    if (size > mask - addr)
        return;
    error = inq_memory_add_backing(modules->memory, addr, image->bytes + off, (size_t)size);
    inq_error_destroy(error); /* without memory: the bytes stay unknown */
}

const char *inq_module_soname_in_memory(struct inq_modules *modules,
                                        const struct inq_module *module)
{
    const unsigned word = modules->core->elf_class == 64 ? 8 : 4;
    const uint64_t mask = word == 8 ? UINT64_MAX : UINT32_MAX;
    uint64_t strings = 0, soname = 0, tag, value;
    const char *text;
    bool found = false;

    for (uint64_t off = 0; off < module->dynamic_size && off < MAX_DYNAMIC_BYTES; off += 2 * word) {
        if (!inq_memory_word(modules->memory, module->dynamic + off, &tag) ||
            !inq_memory_word(modules->memory, module->dynamic + off + word, &value) ||
            tag == DT_NULL)
            break;
        if (tag == DT_STRTAB)
            strings = value;
        if (tag == DT_SONAME) {
            soname = value;
            found = true;
        }
    }
    if (!found || strings == 0 || soname > INQ_MIB)
        return NULL;
    /* The dynamic linker adds the bias in place; the vdso's stays as it was. */
    if (((strings + module->load_bias) & mask) - module->start < module->size)
        strings = (strings + module->load_bias) & mask;
    if (strings - module->start >= module->size)
        return NULL;
    text = inq_memory_string(modules->memory, strings + soname, 256);
    return text && text[0] ? text : NULL;
}

void inq_module_use_image(struct inq_modules *modules, struct inq_module *module)
{
    const struct inq_image *image = module->image;

    if (module->image_used)
        return;
    module->image_used = true;
    if (image) {
        const uint64_t mask = image->elf_class == 64 ? UINT64_MAX : UINT32_MAX;

        set_bias(modules, module);
        for (size_t i = 0; module->has_bias && i < image->n_segments; i++) {
            const struct inq_image_segment *s = &image->segments[i];
            uint64_t addr = (module->load_bias + s->addr) & mask;

            add_backing(modules, module, s);
            if (s->type == PT_DYNAMIC &&
                (module->dynamic == 0 || (module->dynamic == addr && module->dynamic_size == 0))) {
                module->dynamic = addr;
                module->dynamic_size = s->size;
            }
            if (s->type == PT_GNU_EH_FRAME && module->eh_frame_hdr == 0) {
                module->eh_frame_hdr = addr;
                module->eh_frame_hdr_size = s->size;
            }
        }
        if (!module->soname)
            module->soname = image->soname;
    }
    if (!module->soname && module->dynamic != 0 && module->has_bias)
        module->soname = inq_module_soname_in_memory(modules, module);
}

/* ---- replies --------------------------------------------------------------------------------- */

static void set_status(struct inq_modules *modules, struct inq_module *module,
                       enum inq_on_disk status, const char *reason)
{
    module->on_disk = status;
    module->on_disk_reason = inq_arena_strdup(modules->arena, reason);
}

/* Takes the reply's descriptor. */
static void take_reply(struct inq_modules *modules, struct inq_module *module,
                       const struct inq_file_reply *reply)
{
    _cleanup_close_ int fd = reply->fd;
    struct inq_image *image = NULL;
    struct inq_error *error;
    const char *problem;

    set_status(modules, module, reply->status, reply->reason);
    if (fd < 0)
        return;
    error = inq_module_open_image(modules, fd, &image);
    if (error) {
        set_status(modules, module, INQ_ON_DISK_REFUSED, error->message ? error->message : "");
        inq_gaps_add(modules->gaps, INQ_G_FILE_DAMAGED, inq_module_where(modules, module),
                     error->message, "the file is not used");
        module->gap_given = true;
        inq_error_destroy(error);
        return;
    }
    problem = module->build_id_size == 0 ? does_not_fit(modules, module, image) : NULL;
    if (problem) {
        set_status(modules, module, INQ_ON_DISK_MISMATCH, problem);
        inq_image_close(image);
        return;
    }
    if (image->damaged)
        inq_gaps_add(modules->gaps, INQ_G_FILE_DAMAGED, inq_module_where(modules, module),
                     "a table lies outside the file", "some of its symbols");
    module->image = image;
}

static struct inq_error *ask_batch(struct inq_modules *modules, struct inq_module *const *batch,
                                   size_t n, bool executable)
{
    struct inq_file_request requests[BATCH] = {0};
    struct inq_file_reply replies[BATCH];

    for (size_t i = 0; i < n; i++) {
        requests[i] = request_for(batch[i], executable);
        add_head(modules, batch[i], &requests[i]);
    }
    INQ_TRY(modules->opener->ask(modules->opener, requests, n, replies));
    for (size_t i = 0; i < n; i++)
        take_reply(modules, batch[i], &replies[i]);
    return NULL;
}

/* What is missing about one module's file; once. */
static void add_gap(struct inq_modules *modules, struct inq_module *module)
{
    static const struct {
        enum inq_on_disk status;
        enum inq_code code;
        const char *what;
    } kinds[] = {
        {INQ_ON_DISK_MISMATCH, INQ_G_FILE_MISMATCH, "the file here is another one"},
        {INQ_ON_DISK_MISSING, INQ_G_FILE_MISSING, "its file is not here"},
        {INQ_ON_DISK_REFUSED, INQ_G_FILE_REFUSED, "its file is not opened"},
        {INQ_ON_DISK_UNVERIFIED, INQ_G_FILE_UNVERIFIED, "its file cannot be verified"},
    };

    if (module->gap_given)
        return;
    module->gap_given = true;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(kinds); i++)
        if (kinds[i].status == module->on_disk)
            inq_gaps_add(modules->gaps, kinds[i].code, inq_module_where(modules, module),
                         module->on_disk_reason, "%s%s", kinds[i].what,
                         module->deleted ? " (it was deleted or replaced while it ran)" : "");
}

/* The program: --executable first, then by its name when that was another program's. */
static struct inq_error *ask_program(struct inq_modules *modules, struct inq_module *module)
{
    INQ_TRY(ask_batch(modules, &module, 1, true));
    if (module->image)
        return NULL;
    add_gap(modules, module);
    if (!module->path)
        return NULL;
    module->on_disk = INQ_ON_DISK_UNKNOWN;
    module->gap_given = false; /* the two are told apart by their reasons */
    return ask_batch(modules, &module, 1, false);
}

static struct inq_error *ask_one(struct inq_modules *modules, struct inq_module *module)
{
    if (wants_executable(modules, module))
        return ask_program(modules, module);
    return ask_batch(modules, &module, 1, false);
}

/* Foreign when no name led to a file that could be used, and some led nowhere. */
static bool is_foreign(const struct inq_modules *modules)
{
    size_t missing = 0;

    for (size_t i = 0; i < modules->count; i++) {
        const struct inq_module *module = &modules->items[i];

        if (wants_executable(modules, module) && module->image)
            continue;
        if (module->on_disk == INQ_ON_DISK_MATCH || module->on_disk == INQ_ON_DISK_UNVERIFIED)
            return false;
        missing += module->on_disk == INQ_ON_DISK_MISSING;
    }
    return missing > 0;
}

/* All whose names were not looked up yet. */
static struct inq_error *ask_rest(struct inq_modules *modules)
{
    struct inq_module *batch[BATCH];
    size_t n = 0;

    for (size_t i = 0; i < modules->count; i++) {
        struct inq_module *module = &modules->items[i];

        if (!can_be_asked(modules, module))
            continue;
        if (wants_executable(modules, module)) {
            INQ_TRY(ask_program(modules, module));
            continue;
        }
        batch[n++] = module;
        if (n == BATCH) {
            INQ_TRY(ask_batch(modules, batch, n, false));
            n = 0;
        }
    }
    return n > 0 ? ask_batch(modules, batch, n, false) : NULL;
}

struct inq_error *inq_modules_ask_all(struct inq_modules *modules)
{
    modules->all_asked = true;
    INQ_TRY(ask_rest(modules));
    modules->foreign_root = is_foreign(modules);
    if (modules->foreign_root)
        inq_gaps_add(modules->gaps, INQ_G_FOREIGN_ROOT, NULL,
                     "the dump comes from another file system: give --sysroot",
                     "none of the files that the process had mapped is here");
    for (size_t i = 0; i < modules->count; i++) {
        struct inq_module *module = &modules->items[i];

        inq_module_use_image(modules, module);
        if (!module->image && !(modules->foreign_root && module->on_disk == INQ_ON_DISK_MISSING))
            add_gap(modules, module);
    }
    return NULL;
}

/*
 * A file that was asked for alone and is not here. When one is missing, is it this one or all of
 * them? Asking for the rest costs microseconds and answers it.
 */
void inq_module_note_absence(struct inq_modules *modules, struct inq_module *module)
{
    struct inq_error *error;

    if (module->image || modules->all_asked || module->on_disk == INQ_ON_DISK_UNKNOWN)
        return;
    if (module->on_disk != INQ_ON_DISK_MISSING) {
        add_gap(modules, module);
        return;
    }
    error = inq_modules_ask_all(modules);
    inq_error_destroy(error); /* the parent is gone, and soon this process with it */
}

/* What is not here may be on a server: the same file, by its build-id. */
static void fetch_file(struct inq_modules *modules, struct inq_module *module)
{
    struct inq_file_request request = request_for(module, false);

    if (!modules->opener->fetches || module->image || module->fetch_asked || module->is_vdso ||
        module->build_id_size == 0 ||
        (module->on_disk != INQ_ON_DISK_MISSING && module->on_disk != INQ_ON_DISK_MISMATCH))
        return;
    module->fetch_asked = true;
    request.kind = INQ_FILE_FETCH_MODULE;
    request.path = NULL;
    module->image = inq_module_ask_image(modules, module, &request);
    if (!module->image)
        return;
    module->image_used = false;
    inq_module_use_image(modules, module);
}

static void ask_when_put_off(struct inq_modules *modules, struct inq_module *module)
{
    struct inq_error *error;

    if (!can_be_asked(modules, module))
        return;
    error = ask_one(modules, module);
    if (error) {
        set_status(modules, module, INQ_ON_DISK_REFUSED, error->message ? error->message : "");
        inq_error_destroy(error);
    }
    inq_module_use_image(modules, module);
    if (modules->items) /* while the list is built this waits until it is complete */
        inq_module_note_absence(modules, module);
}

void inq_module_need_file(struct inq_modules *modules, struct inq_module *module)
{
    ask_when_put_off(modules, module);
    fetch_file(modules, module);
}
