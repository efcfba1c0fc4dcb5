/* SPDX-License-Identifier: Apache-2.0 */
#include "relocs.h"

#include "cleanup.h"

/* elf.h of Debian 12 has all of these but the newest RISC-V ones. */
static const struct {
    uint16_t machine;
    uint8_t elf_class;
    struct inq_slot_types types;
} table[] = {
    {EM_X86_64, 64, {R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT, R_X86_64_64}},
    {EM_X86_64, 32, {R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT, R_X86_64_32}}, /* x32 */
    {EM_386, 32, {R_386_JMP_SLOT, R_386_GLOB_DAT, R_386_32}},
    {EM_AARCH64, 64, {R_AARCH64_JUMP_SLOT, R_AARCH64_GLOB_DAT, R_AARCH64_ABS64}},
    {EM_ARM, 32, {R_ARM_JUMP_SLOT, R_ARM_GLOB_DAT, R_ARM_ABS32}},
    {EM_RISCV, 64, {R_RISCV_JUMP_SLOT, 0, R_RISCV_64}},
    {EM_RISCV, 32, {R_RISCV_JUMP_SLOT, 0, R_RISCV_32}},
    /* ELFv2; ELFv1's slots are whole function descriptors, and its functions are names of such */
    {EM_PPC64, 64, {R_PPC64_JMP_SLOT, R_PPC64_GLOB_DAT, R_PPC64_ADDR64}},
    {EM_S390, 64, {R_390_JMP_SLOT, R_390_GLOB_DAT, R_390_64}},
};

const struct inq_slot_types *inq_slot_types(uint16_t machine, uint8_t elf_class)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(table); i++)
        if (table[i].machine == machine && table[i].elf_class == elf_class)
            return &table[i].types;
    return NULL;
}

struct range {
    uint64_t addr, size;
    bool rela;
};

/* Some linkers count the PLT's relocations among the others, at their end. */
static struct range table_range(const struct inq_dynamic *d, unsigned table_index)
{
    struct range r = {0};

    if (table_index == 2)
        return (struct range){d->plt, d->plt_size, d->plt_is_rela};
    r = table_index == 0 ? (struct range){d->rela, d->rela_size, true}
                         : (struct range){d->rel, d->rel_size, false};
    if (d->plt_size > 0 && r.rela == d->plt_is_rela && d->plt >= r.addr && d->plt - r.addr < r.size)
        r.size = d->plt - r.addr;
    return r;
}

static bool open_table(struct inq_tables *tables, const struct inq_dynamic *d,
                       struct inq_slot_cursor *cursor)
{
    struct range r = table_range(d, cursor->table);

    cursor->opened = true;
    cursor->entry = 0;
    cursor->bytes = (struct inq_bytes){0};
    if (r.size == 0)
        return true;
    cursor->bytes = inq_dynamic_at(tables, d->module, r.addr);
    if (!cursor->bytes.bytes || cursor->bytes.size < r.size)
        cursor->damaged = true;
    else
        cursor->bytes.size = (size_t)r.size;
    return true;
}

struct raw {
    uint64_t offset, info, addend;
};

static struct raw load_entry(const struct inq_dynamic *d, const uint8_t *p, bool rela)
{
    const bool be = d->big_endian;

    if (d->is64)
        return (struct raw){inq_load_u64(p, be), inq_load_u64(p + 8, be),
                            rela ? inq_load_u64(p + 16, be) : 0};
    return (struct raw){inq_load_u32(p, be), inq_load_u32(p + 4, be),
                        rela ? (uint64_t)(int64_t)(int32_t)inq_load_u32(p + 8, be) : 0};
}

static enum inq_slot_kind kind_of(const struct inq_slot_types *types, uint32_t type)
{
    if (type == 0)
        return INQ_SLOT_NONE;
    if (type == types->glob)
        return INQ_SLOT_GLOB;
    if (type == types->jump)
        return INQ_SLOT_JUMP;
    return type == types->absolute ? INQ_SLOT_ABS : INQ_SLOT_NONE;
}

/* Most entries of a table name no symbol (relative ones) and come in long rows. */
static size_t skip_nameless(const struct inq_dynamic *d, const uint8_t *entries, size_t bytes,
                            size_t entry, size_t n)
{
    const bool be = d->big_endian;

    if (d->is64)
        while (entry < n && inq_load_u64(entries + entry * bytes + 8, be) >> 32 == 0)
            entry++;
    return entry;
}

bool inq_slot_next(struct inq_tables *tables, const struct inq_dynamic *d,
                   const struct inq_slot_types *types, struct inq_slot_cursor *cursor,
                   struct inq_slot *ret_slot)
{
    for (; cursor->table < 3; cursor->table++, cursor->opened = false) {
        const bool rela = cursor->table == 0 || (cursor->table == 2 && d->plt_is_rela);
        const size_t bytes = (d->is64 ? 8u : 4u) * (rela ? 3u : 2u);

        if (!cursor->opened && !open_table(tables, d, cursor))
            return false;
        for (size_t n = cursor->bytes.size / bytes;;) {
            cursor->entry = skip_nameless(d, cursor->bytes.bytes, bytes, cursor->entry, n);
            if (cursor->entry >= n)
                break;
            struct raw e = load_entry(d, cursor->bytes.bytes + cursor->entry++ * bytes, rela);
            uint64_t symbol = d->is64 ? e.info >> 32 : e.info >> 8;
            enum inq_slot_kind kind =
                symbol == 0 ? INQ_SLOT_NONE
                            : kind_of(types, (uint32_t)(d->is64 ? e.info & UINT32_MAX
                                                                : e.info & UINT8_MAX));

            if (kind == INQ_SLOT_NONE)
                continue;
            *ret_slot = (struct inq_slot){
                .addr = d->module->load_bias + e.offset,
                .addend = kind == INQ_SLOT_ABS ? e.addend : 0,
                .has_addend = rela || kind != INQ_SLOT_ABS,
                .symbol = (size_t)symbol,
                .kind = kind,
            };
            if (!d->is64)
                ret_slot->addr &= UINT32_MAX;
            return true;
        }
    }
    return false;
}
