/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <elf.h>
#include <libunwind.h>
#include <stdlib.h>
#include <string.h>

#include "eh_table.h"
#include "text.h"

/*
 * Exported by libunwind-x86_64.so.8 for its own helper libraries and declared in none of its
 * headers: finds the FDE for `ip` in a table that it reads through access_mem().
 */
extern int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip,
                                              unw_dyn_info_t *info, unw_proc_info_t *proc,
                                              int need_unwind_info, void *context);

/*
 * We search the table ourselves and hand libunwind one with a single entry, which access_mem()
 * answers at this address (no process has memory there: it is not canonical).
 */
#define ENTRY_ADDR 0x5eed000000000000u

/*
 * Words that CFI may read. A step of real code reads some hundred; an expression that jumps
 * backwards would read for ever.
 */
#define MAX_READS_STEP 100000u
#define MAX_READS 200000000u

/*
 * Rows of CFI that are kept, evaluated. libunwind has a cache of its own, but takes a lock with two
 * system calls at every step for it; ours makes a deep recursion ten times as fast.
 */
#define ROWS 1024u
#define ROW_WORDS                                                                                  \
    40u /* for libunwind's dwarf_reg_state: 19 rules and a few numbers, some 180 bytes */

struct row {
    uint64_t lookup;
    uint64_t state[ROW_WORDS];
};

enum why {
    WHY_NONE,
    WHY_NO_MODULE,
    WHY_NO_TABLE,
    WHY_NO_ENTRY,
    WHY_MEMORY,
    WHY_REGISTER,
    WHY_ENDLESS,
    WHY_ZERO,
    WHY_CFI,
};

struct inq_cfi {
    struct inq_codemap *code;
    struct inq_arena *arena;
    unw_addr_space_t space;
    struct inq_eh_table *tables; /* by module index */
    size_t n_tables;

    struct inq_registers registers; /* of the callee, with lookup as its rip */
    uint8_t entry[8];               /* what is read at ENTRY_ADDR while `searching` */
    bool searching;
    struct row *rows[ROWS]; /* by lookup address, direct-mapped */
    struct row *taking;     /* where on_row() puts the row it is after */
    bool taken;
    uint64_t reads, reads_total;

    enum why why; /* of the last step */
    uint64_t why_addr;
    enum inq_memory_status why_status;
    const struct inq_module *why_module;
};

static int access_mem(unw_addr_space_t space, unw_word_t addr, unw_word_t *value, int write,
                      void *context)
{
    struct inq_cfi *cfi = context;
    (void)space;

    if (write)
        return -UNW_EREADONLYREG;
    if (cfi->searching && addr == ENTRY_ADDR) {
        memcpy(value, cfi->entry, sizeof(cfi->entry));
        return 0;
    }
    if (++cfi->reads > MAX_READS_STEP || ++cfi->reads_total > MAX_READS) {
        cfi->why = WHY_ENDLESS;
        return -UNW_EINVAL;
    }

    enum inq_memory_status status = inq_codemap_u64(cfi->code, addr, value);
    if (status == INQ_MEMORY_OK)
        return 0;
    if (cfi->why == WHY_NONE) {
        cfi->why = WHY_MEMORY;
        cfi->why_addr = addr;
        cfi->why_status = status;
    }
    return -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int write,
                      void *context)
{
    struct inq_cfi *cfi = context;
    (void)space;

    if (write)
        return -UNW_EREADONLYREG;
    if (number < 0 || number >= INQ_X86_64_REGISTERS ||
        !inq_register_known(&cfi->registers, (unsigned int)number)) {
        if (cfi->why == WHY_NONE)
            cfi->why = WHY_REGISTER;
        return -UNW_EBADREG;
    }
    *value = cfi->registers.value[number];
    return 0;
}

static int access_fpreg(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value, int write,
                        void *context)
{
    (void)space;
    (void)number;
    (void)value;
    (void)write;
    (void)context;
    return -UNW_EBADREG;
}

static int get_dyn_info_list_addr(unw_addr_space_t space, unw_word_t *addr, void *context)
{
    (void)space;
    (void)addr;
    (void)context;
    return -UNW_ENOINFO;
}

static int resume_refused(unw_addr_space_t space, unw_cursor_t *cursor, void *context)
{
    (void)space;
    (void)cursor;
    (void)context;
    return -UNW_EINVAL;
}

/* What dwarf_search_unwind_table() allocates, libunwind frees itself: this is called for nothing.
 */
static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *proc, void *context)
{
    (void)space;
    (void)proc;
    (void)context;
}

static int no_info(struct inq_cfi *cfi, enum why why, const struct inq_module *module)
{
    cfi->why = why;
    cfi->why_module = module;
    /* Not -UNW_ENOINFO: unw_step() would take that as leave to guess along rbp. */
    return -UNW_ESTOPUNWIND;
}

static int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *proc,
                          int need_unwind_info, void *context)
{
    struct inq_cfi *cfi = context;
    struct inq_module *module = inq_codemap_place(cfi->code, ip).module;
    if (!module || module->index >= cfi->n_tables)
        return no_info(cfi, WHY_NO_MODULE, NULL);

    struct inq_eh_table *table = &cfi->tables[module->index];
    struct inq_eh_entry found;
    inq_eh_table_read(table, cfi->code, module);
    if (table->state == INQ_EH_NONE)
        return no_info(cfi, WHY_NO_TABLE, module);
    if (!inq_eh_table_find(table, cfi->code, ip, &found))
        return no_info(cfi, WHY_NO_ENTRY, module);

    int32_t start_off, fde_off, ip_off;
    if (__builtin_sub_overflow(found.start, module->start, &start_off) ||
        __builtin_sub_overflow(found.fde, module->start, &fde_off) ||
        __builtin_sub_overflow(ip, module->start, &ip_off))
        return no_info(cfi, WHY_NO_ENTRY, module);
    memcpy(cfi->entry, &start_off, sizeof(start_off));
    memcpy(cfi->entry + sizeof(start_off), &fde_off, sizeof(fde_off));

    unw_dyn_info_t info = {
        .start_ip = module->start,
        .end_ip = module->start + module->size,
        .format = UNW_INFO_FORMAT_REMOTE_TABLE,
        .u.rti = {.segbase = module->start, .table_data = ENTRY_ADDR, .table_len = 1},
    };
    cfi->searching = true;
    int result =
        _Ux86_64_dwarf_search_unwind_table(space, ip, &info, proc, need_unwind_info, context);
    cfi->searching = false;
    if (result == -UNW_ENOINFO)
        return no_info(cfi, WHY_NO_ENTRY, module);
    if (result < 0)
        cfi->why_module = module;
    return result;
}

/*
 * The size that a frame description says. Its first field is the start, in one of two encodings
 * where compilers are concerned (DW_EH_PE_pcrel with 4 or 8 bytes); it is the one that gives the
 * start which the table has.
 */
static uint64_t described_size(struct inq_cfi *cfi, const struct inq_eh_entry *entry)
{
    const uint64_t field = entry->fde + 8; /* behind the length and the distance of the CIE */
    uint64_t words[2];

    if (inq_codemap_u64(cfi->code, field, &words[0]) != INQ_MEMORY_OK)
        return 0;
    if (field + (uint64_t)(int64_t)(int32_t)(uint32_t)words[0] == entry->start)
        return words[0] >> 32;
    if (field + words[0] == entry->start &&
        inq_codemap_u64(cfi->code, field + 8, &words[1]) == INQ_MEMORY_OK)
        return words[1];
    return 0;
}

bool inq_cfi_function(struct inq_cfi *cfi, uint64_t addr, uint64_t *ret_start,
                      uint64_t *ret_end)
{
    struct inq_module *module = inq_codemap_place(cfi->code, addr).module;
    struct inq_eh_entry found;

    if (!module || module->index >= cfi->n_tables)
        return false;
    struct inq_eh_table *table = &cfi->tables[module->index];
    inq_eh_table_read(table, cfi->code, module);
    if (!inq_eh_table_find(table, cfi->code, addr, &found))
        return false;
    uint64_t size = ret_end ? described_size(cfi, &found) : 0, end = 0;
    if (ret_end)
        *ret_end = size > 0 && !__builtin_add_overflow(found.start, size, &end) ? end : 0;
    *ret_start = found.start;
    return true;
}

static unw_accessors_t accessors = {
    .find_proc_info = find_proc_info,
    .put_unwind_info = put_unwind_info,
    .get_dyn_info_list_addr = get_dyn_info_list_addr,
    .access_mem = access_mem,
    .access_reg = access_reg,
    .access_fpreg = access_fpreg,
    .resume = resume_refused,
    .get_proc_name = NULL,
};

/* What the warm-up has made, for the first one who needs it: its caches are 26 KB to zero. */
static unw_addr_space_t spare_space;

struct inq_error *inq_cfi_create(struct inq_codemap *code, struct inq_arena *arena,
                                 struct inq_cfi **ret_cfi)
{
    struct inq_cfi *cfi = INQ_ARENA_NEW(arena, struct inq_cfi);
    if (!cfi)
        return &inq_error_oom;
    cfi->code = code;
    cfi->arena = arena;
    cfi->n_tables = code->modules->count;
    cfi->tables = INQ_ARENA_ARRAY(arena, cfi->n_tables ? cfi->n_tables : 1, struct inq_eh_table);
    cfi->space = __atomic_exchange_n(&spare_space, NULL, __ATOMIC_RELAXED);
    if (!cfi->space)
        cfi->space = unw_create_addr_space(&accessors, 0);
    if (!cfi->tables || !cfi->space) {
        inq_cfi_destroy(cfi);
        return &inq_error_oom;
    }
    unw_set_caching_policy(cfi->space, UNW_CACHE_NONE);
    *ret_cfi = cfi;
    return NULL;
}

void inq_cfi_destroy(struct inq_cfi *cfi)
{
    if (cfi && cfi->space)
        unw_destroy_addr_space(cfi->space);
}

static enum inq_cfi_result failure(struct inq_cfi *cfi)
{
    switch (cfi->why) {
    case WHY_NO_MODULE:
    case WHY_NO_TABLE:
    case WHY_NO_ENTRY:
        return INQ_CFI_NO_INFO;
    case WHY_MEMORY:
    case WHY_ZERO:
        return INQ_CFI_LOST;
    case WHY_NONE:
        cfi->why = WHY_CFI;
        return INQ_CFI_INVALID;
    case WHY_REGISTER:
    case WHY_ENDLESS:
    case WHY_CFI:
    default:
        return INQ_CFI_INVALID;
    }
}

/* Rows come in the order of their addresses; a negative result ends the iteration. */
static int on_row(void *context, void *state, size_t size, unw_word_t start, unw_word_t end)
{
    struct inq_cfi *cfi = context;
    uint64_t lookup = cfi->registers.value[INQ_RIP];

    if (lookup < start || lookup >= end)
        return 0;
    if (size <= sizeof(cfi->taking->state)) {
        memcpy(cfi->taking->state, state, size);
        cfi->taking->lookup = lookup;
        cfi->taken = true;
    }
    return -UNW_ESTOPUNWIND;
}

/* The row for the lookup address; NULL when there is none, or why is set, or without memory. */
static struct row *find_row(struct inq_cfi *cfi, unw_cursor_t *cursor)
{
    uint64_t lookup = cfi->registers.value[INQ_RIP];
    struct row **slot = &cfi->rows[(lookup ^ lookup >> 10) % ROWS];

    if (*slot && (*slot)->lookup == lookup)
        return *slot;
    if (!*slot)
        *slot = INQ_ARENA_NEW(cfi->arena, struct row);
    if (!*slot)
        return NULL;
    (*slot)->lookup = 0; /* no function is there: what is in it now is gone */
    cfi->taking = *slot;
    cfi->taken = false;
    unw_reg_states_iterate(cursor, on_row, cfi);
    return cfi->taken ? *slot : NULL;
}

static enum inq_cfi_result lost(struct inq_cfi *cfi, enum why why, uint64_t addr)
{
    cfi->why = why;
    cfi->why_addr = addr;
    cfi->why_status = INQ_MEMORY_NOT_MAPPED;
    return INQ_CFI_LOST;
}

enum inq_cfi_result inq_cfi_step(struct inq_cfi *cfi, const struct inq_registers *callee,
                                 uint64_t lookup, struct inq_registers *ret_caller)
{
    /* What a function must preserve; the others keep the callee's value (signal frames aside). */
    static const uint8_t preserved[] = {INQ_RBX, INQ_RBP, INQ_R12, INQ_R13, INQ_R14, INQ_R15};
    unw_cursor_t cursor;
    unw_word_t pc, sp;

    cfi->registers = *callee;
    inq_register_set(&cfi->registers, INQ_RIP, lookup);
    cfi->reads = 0;
    cfi->why = WHY_NONE;
    cfi->why_module = NULL;

    /*
     * A fresh cursor for each step: what is looked up, and how, depends on nothing but `lookup`.
     * unw_step() is not used at all: it guesses along rbp where it finds no CFI.
     */
    if (unw_init_remote(&cursor, cfi->space, cfi) < 0)
        return failure(cfi);
    struct row *row = find_row(cfi, &cursor);
    int result = row ? unw_apply_reg_state(&cursor, row->state) : -UNW_ENOINFO;
    if (result < 0 || unw_get_reg(&cursor, UNW_REG_SP, &sp) < 0)
        return failure(cfi);
    if (result ==
        0) /* "undefined", which a return address saved at address 0 is taken for as well */
        return sp == 8 ? lost(cfi, WHY_MEMORY, 0) : INQ_CFI_OUTERMOST;
    if (unw_get_reg(&cursor, UNW_REG_IP, &pc) < 0)
        return failure(cfi);
    if (pc == 0)
        return lost(cfi, WHY_ZERO, sp - 8);

    *ret_caller = *callee;
    for (size_t i = 0; i < sizeof(preserved); i++) {
        unw_word_t value;
        if (unw_get_reg(&cursor, preserved[i], &value) < 0)
            ret_caller->known &= ~(1u << preserved[i]);
        else
            inq_register_set(ret_caller, preserved[i], value);
    }
    inq_register_set(ret_caller, INQ_RIP, pc);
    inq_register_set(ret_caller, INQ_RSP, sp);
    return INQ_CFI_OK;
}

static const char *memory_reason(const struct inq_cfi *cfi)
{
    struct inq_module *module = inq_codemap_place(cfi->code, cfi->why_addr).module;
    struct inq_memory_region region;

    /* Inside a module it is the CFI that is missing, unless it is data of the program. */
    if (module && inq_memory_region_at(cfi->code->memory, cfi->why_addr, &region) &&
        !(region.flags & PF_W)) {
        char *name = inq_escape(module->name);
        const char *text = inq_arena_printf(cfi->arena, "unwind information of %s is not here",
                                            name ? name : "a module");
        free(name);
        return text;
    }
    return inq_arena_printf(cfi->arena,
                            cfi->why_status == INQ_MEMORY_NOT_SAVED
                                ? "stack not saved in the dump at 0x%llx"
                                : "stack not mapped at 0x%llx",
                            (unsigned long long)cfi->why_addr);
}

static const char *module_reason(const struct inq_cfi *cfi)
{
    const struct inq_module *module = cfi->why_module;
    char *name = inq_escape(module->name);
    const char *shown = name ? name : "a module", *text;
    uint64_t pc = cfi->registers.value[INQ_RIP];

    if (cfi->why == WHY_NO_TABLE)
        text = inq_arena_printf(cfi->arena, "no unwind information for %s: %s", shown,
                                cfi->tables[module->index].why);
    else
        text = inq_arena_printf(cfi->arena, "no unwind information in %s for 0x%llx", shown,
                                (unsigned long long)pc);
    free(name);
    return text;
}

const char *inq_cfi_reason(const struct inq_cfi *cfi)
{
    unsigned long long pc = cfi->registers.value[INQ_RIP];

    switch (cfi->why) {
    case WHY_NO_MODULE:
        return inq_arena_printf(cfi->arena, "0x%llx is in no module: no unwind information", pc);
    case WHY_NO_TABLE:
    case WHY_NO_ENTRY:
        return module_reason(cfi);
    case WHY_MEMORY:
        return memory_reason(cfi);
    case WHY_REGISTER:
        return inq_arena_printf(cfi->arena, "unwinding at 0x%llx needs a register that is lost",
                                pc);
    case WHY_ENDLESS:
        return inq_arena_printf(cfi->arena, "CFI invalid at 0x%llx: it does not end", pc);
    case WHY_ZERO:
        return inq_arena_printf(cfi->arena, "the return address at 0x%llx is 0",
                                (unsigned long long)cfi->why_addr);
    case WHY_NONE:
    case WHY_CFI:
    default:
        return inq_arena_printf(cfi->arena, "CFI invalid at 0x%llx", pc);
    }
}

/* The first use of libunwind opens a pipe and looks at its own pages (mincore). */
void inq_unwind_warm_up(void)
{
    struct inq_cfi nothing = {.why = WHY_NONE};
    unw_cursor_t cursor;
    unw_addr_space_t space = unw_create_addr_space(&accessors, 0);

    if (!space)
        return;
    unw_init_remote(&cursor, space, &nothing);
    space = __atomic_exchange_n(&spare_space, space, __ATOMIC_RELAXED);
    if (space)
        unw_destroy_addr_space(space);
}
