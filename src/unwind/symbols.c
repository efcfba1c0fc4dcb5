/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cursor.h"
#include "demangle.h"
#include "image_tables.h"
#include "stacks.h"
#include "vdso.h"

/* A file whose symbols all cover everything would make the pass quadratic: it is left half-read. */
#define MAX_MATCHES 16000000u

struct wanted { /* one address of a module, as its file counts */
    uint64_t addr;
    bool found;
    struct inq_symbol best; /* so far */
    const char *readable;   /* its name, demangled */
    const char *raw;        /* as it was when that is another one, else NULL */
};

struct request {
    struct inq_module *module;
    uint64_t addr; /* as the file counts */
    struct inq_frame *frame;
};

struct table {
    const struct inq_image *image;
    const struct inq_image_symbols *symbols;
};

struct pass {
    struct wanted *wanted; /* sorted by addr, no two alike */
    size_t count;
    uint64_t matches_left;
    bool no_memory; /* names may be missing: none is wrong, but nobody would know */
};

/* The first wanted address that is not below addr. */
static size_t lower_bound(const struct pass *pass, uint64_t addr)
{
    size_t low = 0, high = pass->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pass->wanted[middle].addr < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_code_type(unsigned int type)
{
    return type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
}

static unsigned int leading_underscores(const char *name)
{
    unsigned int count = 0;
    while (name[count] == '_')
        count++;
    return count;
}

static int bind_rank(const struct inq_symbol *symbol)
{
    if (symbol->bind == STB_GLOBAL || symbol->bind == STB_GNU_UNIQUE)
        return 2;
    return symbol->bind == STB_WEAK;
}

/*
 * Which of two names for one start is told. libc has several for many functions: __GI_raise
 * (local), gsignal (weak), raise; __libc_calloc (global), calloc (weak); cfree and free (both
 * global). What people write is exported, has the fewest underscores, is not the weak one, and is
 * short. Debuggers take the last of their table, which depends on how it was linked; this agrees
 * with them where the choice is not arbitrary.
 */
static bool is_better_name(const struct inq_symbol *symbol, const struct inq_symbol *other)
{
    int rank = bind_rank(symbol), other_rank = bind_rank(other);
    if ((rank == 0) != (other_rank == 0))
        return rank > 0;

    unsigned int underscores = leading_underscores(symbol->name);
    unsigned int other_underscores = leading_underscores(other->name);
    if (underscores != other_underscores)
        return underscores < other_underscores;
    if (rank != other_rank)
        return rank > other_rank;
    if ((symbol->type == STT_NOTYPE) != (other->type == STT_NOTYPE))
        return symbol->type != STT_NOTYPE;

    size_t size = strlen(symbol->name), other_size = strlen(other->name);
    if (size != other_size)
        return size < other_size;
    return strcmp(symbol->name, other->name) < 0;
}

/* The innermost range wins: the greatest start. */
static void consider(struct wanted *wanted, const struct inq_symbol *symbol)
{
    if (wanted->found &&
        (symbol->addr != wanted->best.addr ? symbol->addr < wanted->best.addr
                                           : !is_better_name(symbol, &wanted->best)))
        return;
    wanted->found = true;
    wanted->best = *symbol;
}

static bool is_elf64_le(const struct table *table)
{
    return table->symbols->entry_bytes == sizeof(Elf64_Sym) && table->image->elf_class == 64 &&
           !table->image->big_endian;
}

/* A Thumb function's address has its lowest bit set (ELF for the Arm architecture, 5.5.3). */
static uint64_t code_address(const struct table *table, const struct inq_symbol *symbol)
{
    bool thumb = table->image->machine == EM_ARM && symbol->type != STT_NOTYPE;
    return thumb ? symbol->addr & ~UINT64_C(1) : symbol->addr;
}

/* "$x", "$d", "$t.3", "$xrv64i2p1": what kind of bytes follow, on Arm and RISC-V; no name. */
static bool is_mapping_symbol(const struct table *table, const struct inq_symbol *symbol)
{
    const char *name = symbol->name;

    if (symbol->type != STT_NOTYPE || name[0] != '$' || name[1] == '\0')
        return false;
    switch (table->image->machine) {
    case EM_ARM:
    case EM_AARCH64:
        return strchr("atdx", name[1]) != NULL && (name[2] == '\0' || name[2] == '.');
    case EM_RISCV:
        return name[1] == 'x' || (name[1] == 'd' && (name[2] == '\0' || name[2] == '.'));
    default:
        return false;
    }
}

/* What decides quickly that a symbol is none of ours: nearly all are not. */
static bool peek_range(const struct table *table, size_t i, uint64_t *ret_addr, uint64_t *ret_size)
{
    struct inq_symbol symbol;

    if (is_elf64_le(table)) {
        Elf64_Sym raw;
        memcpy(&raw, table->symbols->symbols + i * sizeof(raw), sizeof(raw));
        *ret_addr = raw.st_value;
        *ret_size = raw.st_size;
        return raw.st_shndx != SHN_UNDEF && is_code_type(ELF64_ST_TYPE(raw.st_info));
    }
    if (!inq_image_symbol(table->image, table->symbols, i, &symbol))
        return false;
    *ret_addr = code_address(table, &symbol);
    *ret_size = symbol.size;
    return symbol.section != SHN_UNDEF && is_code_type(symbol.type);
}

static bool usable_name(const struct table *table, size_t i, struct inq_symbol *ret_symbol)
{
    if (!inq_image_symbol(table->image, table->symbols, i, ret_symbol) ||
        ret_symbol->section == SHN_UNDEF || !is_code_type(ret_symbol->type) ||
        ret_symbol->name[0] == '\0' || ret_symbol->name[0] == '@' ||
        is_mapping_symbol(table, ret_symbol))
        return false;
    ret_symbol->addr = code_address(table, ret_symbol);
    return true;
}

/* The next symbol from `i` on that may reach into [first, last]; the count without one. */
static size_t next_near(const struct table *table, size_t i, uint64_t first, uint64_t last)
{
    const uint8_t *p = table->symbols->symbols;

    if (!is_elf64_le(table))
        return i;
    for (p += i * sizeof(Elf64_Sym); i < table->symbols->count; i++, p += sizeof(Elf64_Sym)) {
        const uint64_t addr = inq_load_u64(p + offsetof(Elf64_Sym, st_value), false);

        if (addr <= last &&
            (addr > first || inq_load_u64(p + offsetof(Elf64_Sym, st_size), false) > first - addr))
            break;
    }
    return i;
}

/* The one pass: symbols whose size covers an address. */
static void pass_sized(struct pass *pass, const struct table *table)
{
    uint64_t first = pass->wanted[0].addr, last = pass->wanted[pass->count - 1].addr;

    for (size_t i = next_near(table, 0, first, last); i < table->symbols->count;
         i = next_near(table, i + 1, first, last)) {
        uint64_t addr, size, end;
        struct inq_symbol symbol;
        if (!peek_range(table, i, &addr, &size) || addr > last || size == 0 ||
            __builtin_add_overflow(addr, size, &end) || end <= first)
            continue;
        size_t at = lower_bound(pass, addr);
        if (at == pass->count || pass->wanted[at].addr >= end || !usable_name(table, i, &symbol))
            continue;
        for (; at < pass->count && pass->wanted[at].addr < end; at++) {
            if (pass->matches_left == 0)
                return;
            pass->matches_left--;
            consider(&pass->wanted[at], &symbol);
        }
    }
}

struct nearest { /* what starts closest below one wanted address */
    bool has_sized, has_bare;
    uint64_t sized;         /* the last start of a symbol with a size */
    struct inq_symbol bare; /* the last symbol without */
};

static void note_nearest(const struct pass *pass, const struct table *table,
                         struct nearest *nearest)
{
    uint64_t last = pass->wanted[pass->count - 1].addr;

    for (size_t i = 0; i < table->symbols->count; i++) {
        uint64_t addr, size;
        struct inq_symbol symbol;
        if (!peek_range(table, i, &addr, &size) || addr > last)
            continue;
        struct nearest *slot = &nearest[lower_bound(pass, addr)];
        if (size != 0) {
            if (!slot->has_sized || addr > slot->sized)
                slot->sized = addr;
            slot->has_sized = true;
        } else if ((!slot->has_bare || addr >= slot->bare.addr) && usable_name(table, i, &symbol)) {
            if (!slot->has_bare || addr > slot->bare.addr || is_better_name(&symbol, &slot->bare))
                slot->bare = symbol;
            slot->has_bare = true;
        }
    }
}

static bool same_code_section(const struct inq_image *image, const struct inq_symbol *symbol,
                              uint64_t addr)
{
    if (symbol->section >= image->n_sections)
        return false;
    struct inq_elf_section section = inq_image_section_header(image, symbol->section);
    return (section.flags & SHF_EXECINSTR) && symbol->addr >= section.addr &&
           symbol->addr <= addr && addr - section.addr < section.size;
}

/*
 * Symbols without a size, as assemblers leave them (__restore_rt): the nearest one names an address
 * when no other symbol starts in between and both are in one executable section. Only of a full
 * table: .dynsym leaves out what lies between.
 */
static void pass_bare(struct pass *pass, const struct table *table)
{
    _cleanup_free_ struct nearest *nearest = calloc(pass->count, sizeof(*nearest));
    if (!nearest) {
        pass->no_memory = true;
        return;
    }
    note_nearest(pass, table, nearest);

    struct nearest so_far = {.has_sized = false};
    for (size_t i = 0; i < pass->count; i++) {
        struct wanted *wanted = &pass->wanted[i];
        if (nearest[i].has_sized) {
            so_far.has_sized = true;
            so_far.sized = nearest[i].sized;
        }
        if (nearest[i].has_bare) {
            so_far.has_bare = true;
            so_far.bare = nearest[i].bare;
        }
        if (wanted->found || !so_far.has_bare ||
            (so_far.has_sized && so_far.sized >= so_far.bare.addr) ||
            !same_code_section(table->image, &so_far.bare, wanted->addr))
            continue;
        consider(wanted, &so_far.bare);
    }
}

static bool all_named(const struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        if (!pass->wanted[i].found)
            return false;
    }
    return true;
}

static void name_from(struct pass *pass, const struct inq_image *image,
                      const struct inq_image_symbols *symbols, bool full)
{
    struct table table = {.image = image, .symbols = symbols};
    struct pass rest = {.matches_left = pass->matches_left};

    if (symbols->count == 0)
        return;
    /* A later table only fills in what the ones before left open. */
    rest.wanted = calloc(pass->count, sizeof(*rest.wanted));
    if (!rest.wanted) {
        pass->no_memory = true;
        return;
    }
    for (size_t i = 0; i < pass->count; i++) {
        if (!pass->wanted[i].found)
            rest.wanted[rest.count++] = pass->wanted[i];
    }
    if (rest.count > 0) {
        pass_sized(&rest, &table);
        if (full && !all_named(&rest))
            pass_bare(&rest, &table);
    }
    for (size_t i = 0, next = 0; i < pass->count && next < rest.count; i++) {
        if (pass->wanted[i].addr == rest.wanted[next].addr)
            pass->wanted[i] = rest.wanted[next++];
    }
    pass->matches_left = rest.matches_left;
    pass->no_memory |= rest.no_memory;
    free(rest.wanted);
}

/* Names of all wanted addresses of one module: debug file, .symtab, .gnu_debugdata, .dynsym. */
static void name_module(struct inq_modules *modules, struct inq_module *module, struct pass *pass)
{
    if (module->is_vdso) {
        struct inq_image *image = inq_vdso_image(modules, module);
        if (image)
            name_from(pass, image, &image->dynsym, false);
        return;
    }
    if (!module->image)
        inq_module_need_file(modules, module);
    if (!module->image || module->image->symtab.count == 0)
        inq_module_need_debug(modules, module);
    if (module->debug_image)
        name_from(pass, module->debug_image, &module->debug_image->symtab, true);
    if (module->image) {
        name_from(pass, module->image, &module->image->symtab, true);
        if (module->image->symtab.count == 0 && !all_named(pass))
            inq_module_need_mini(modules, module);
        if (module->mini_image) /* what .dynsym has is not repeated in it, so it is not full */
            name_from(pass, module->mini_image, &module->mini_image->symtab, false);
        name_from(pass, module->image, &module->image->dynsym, false);
    }
    if (pass->no_memory)
        inq_arena_set_failed(modules->arena);
}

/* `memcpy@@GLIBC_2.14` is how .symtab spells a version; the name ends before it. */
static const char *without_version(const char *name, struct inq_arena *arena)
{
    const char *at = strchr(name, '@');

    if (!at)
        return name;
    return inq_arena_copy(arena, name, (size_t)(at - name));
}

static int compare_requests(const void *left, const void *right)
{
    const struct request *a = left, *b = right;

    if (a->module->index != b->module->index)
        return a->module->index < b->module->index ? -1 : 1;
    return a->addr < b->addr ? -1 : a->addr > b->addr;
}

/* Requests of one module, sorted. */
static struct inq_error *name_requests(struct inq_modules *modules, struct request *requests,
                                       size_t count, struct inq_demangler *demangler,
                                       struct inq_gaps *gaps)
{
    struct inq_module *module = requests[0].module;
    _cleanup_free_ struct wanted *wanted = calloc(count, sizeof(*wanted));
    if (!wanted)
        return &inq_error_oom;

    struct pass pass = {.wanted = wanted, .matches_left = MAX_MATCHES};
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || requests[i].addr != requests[i - 1].addr)
            wanted[pass.count++].addr = requests[i].addr;
    }
    name_module(modules, module, &pass);
    if (!module->image && !module->debug_image && !module->is_vdso)
        inq_gaps_add(gaps, INQ_G_SYMBOLS, module->name, module->on_disk_reason,
                     "the functions of this module");

    size_t nameless = 0;
    for (size_t i = 0; i < pass.count; i++)
        nameless += !wanted[i].found;
    if (nameless > 0 && module->image && module->image->symtab.count == 0 && !module->debug_image)
        inq_gaps_add(gaps, INQ_G_SYMBOLS, module->name, "its symbols were stripped",
                     "the names of %zu place%s in it", nameless, nameless == 1 ? "" : "s");
    for (size_t i = 0; i < pass.count; i++) {
        if (wanted[i].found) {
            wanted[i].best.name = without_version(wanted[i].best.name, demangler->arena);
            if (!wanted[i].best.name)
                return &inq_error_oom;
            if (!inq_readable_names(demangler, wanted[i].best.name, &wanted[i].readable,
                                    &wanted[i].raw))
                return &inq_error_oom;
        }
    }
    for (size_t i = 0, at = 0; i < count; i++) {
        while (wanted[at].addr != requests[i].addr)
            at++;
        if (!wanted[at].found)
            continue;
        struct inq_frame *frame = requests[i].frame;
        frame->function = wanted[at].readable;
        frame->symbol = wanted[at].raw;
        frame->function_offset =
            inq_modules_file_addr(modules, module, frame->pc) - wanted[at].best.addr;
    }
    return NULL;
}

struct inq_error *inq_stacks_name(struct inq_stacks *stacks, struct inq_modules *modules,
                                  struct inq_arena *arena, struct inq_gaps *gaps)
{
    struct inq_demangler demangler = inq_demangler_init(arena);
    size_t capacity = 0, count = 0;
    for (size_t i = 0; i < stacks->count; i++)
        capacity += stacks->items[i].n_frames;
    _cleanup_free_ struct request *requests = calloc(capacity ? capacity : 1, sizeof(*requests));
    if (!requests)
        return &inq_error_oom;

    for (size_t i = 0; i < stacks->count; i++) {
        struct inq_stack *stack = &stacks->items[i];
        for (size_t j = 0; j < stack->n_frames; j++) {
            struct inq_frame *frame = &stack->frames[j];
            struct inq_module *module = frame->module;
            if (!module || !module->has_bias)
                continue;
            requests[count++] = (struct request){
                .module = module,
                .addr = inq_modules_file_addr(modules, module, frame->pc - frame->pc_is_return),
                .frame = frame,
            };
        }
    }
    qsort(requests, count, sizeof(*requests), compare_requests);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && requests[end].module == requests[i].module; end++)
            ;
        INQ_TRY(name_requests(modules, requests + i, end - i, &demangler, gaps));
    }
    return NULL;
}

struct inq_symbol_at inq_symbol_at(struct inq_modules *modules, uint64_t addr)
{
    struct inq_symbol_at found = {.module = inq_modules_find(modules, addr)};

    if (!found.module || !found.module->has_bias)
        return found;
    struct wanted wanted = {.addr = inq_modules_file_addr(modules, found.module, addr)};
    struct pass pass = {.wanted = &wanted, .count = 1, .matches_left = MAX_MATCHES};
    name_module(modules, found.module, &pass);
    if (wanted.found) {
        struct inq_demangler demangler = inq_demangler_init(modules->arena);
        found.function = without_version(wanted.best.name, modules->arena);
        const char *raw;
        if (found.function &&
            !inq_readable_names(&demangler, found.function, &found.function, &raw))
            found.function = NULL;
        found.offset = wanted.addr - wanted.best.addr;
    }
    return found;
}
