/* SPDX-License-Identifier: Apache-2.0 */
#include "eh_table.h"

#include "cursor.h"
#include "eh_index.h"

/* Pointer encodings of the LSB ("DWARF Exception Header Encoding"). */
#define PE_UDATA4 0x03u
#define PE_SDATA4 0x0bu
#define PE_FORMAT 0x0fu
#define PE_DATAREL 0x30u

#define HDR_FIXED_BYTES 4u
#define HDR_BYTES 12u  /* with an address and a count of four bytes each */
#define ENTRY_BYTES 8u /* two numbers of four bytes: the function, its FDE */

/*
 * version 1, three encodings, the address of .eh_frame, the number of entries, the entries. Every
 * linker writes sorted 4-byte offsets from the header (0x3b); anything else is not used.
 */
static const char *read_header(struct inq_eh_table *table, struct inq_codemap *code,
                               const struct inq_module *module)
{
    uint64_t addr = module->eh_frame_hdr, size = module->eh_frame_hdr_size;
    uint8_t fixed[HDR_FIXED_BYTES], number[4];

    if (addr < module->start || addr - module->start >= module->size)
        return "its unwind table lies outside of it";
    uint64_t room = module->size - (addr - module->start);
    if (size == 0 || size > room)
        size = room;
    if (size < HDR_BYTES)
        return "its unwind table is damaged";
    if (!inq_codemap_read(code, addr, fixed, sizeof(fixed)) ||
        !inq_codemap_read(code, addr + 8, number, sizeof(number)))
        return "its unwind table is not in the dump";
    if (fixed[0] != 1 || (fixed[1] & PE_FORMAT) != PE_SDATA4 || fixed[2] != PE_UDATA4 ||
        fixed[3] != (PE_DATAREL | PE_SDATA4))
        return "its unwind table has an unknown format";

    uint64_t count = inq_load_u32(number, false);
    if (count > (size - HDR_BYTES) / ENTRY_BYTES)
        return "its unwind table is damaged: it claims more entries than it has room for";
    if (count == 0)
        return "its unwind table is empty";
    table->base = addr;
    table->count = count;
    table->view = inq_memory_view(code->memory, addr + HDR_BYTES, (size_t)(count * ENTRY_BYTES));
    return NULL;
}

/*
 * The table, or an index made of the section when there is none: gcc -static leaves the header out,
 * and a linker that stumbles over some assembler's CFI writes one without entries.
 */
static bool read_table(struct inq_eh_table *table, struct inq_codemap *code,
                       const struct inq_module *module)
{
    table->why = module->eh_frame_hdr != 0 ? read_header(table, code, module) : "it has none";
    if (!table->why) {
        table->state = INQ_EH_TABLE;
    } else if (module->image && module->has_bias) {
        table->index = inq_eh_index_read(module, code->arena, &table->count);
        if (table->index)
            table->state = INQ_EH_INDEX;
    }
    return table->state != INQ_EH_NONE;
}

/* Without the file there is no table, as a rule: then that is the reason worth telling. */
static const char *file_reason(const struct inq_module *module)
{
    switch (module->on_disk) {
    case INQ_ON_DISK_MISSING:
        return "the file is not here";
    case INQ_ON_DISK_MISMATCH:
        return "the file here is not the one the process had mapped";
    case INQ_ON_DISK_REFUSED:
        return "the file is not opened";
    case INQ_ON_DISK_UNVERIFIED:
        return "nothing proves that the file here is the same";
    case INQ_ON_DISK_MATCH:
        return "the file here cannot be used";
    case INQ_ON_DISK_UNKNOWN:
    default:
        return "no file was looked for";
    }
}

void inq_eh_table_read(struct inq_eh_table *table, struct inq_codemap *code,
                       struct inq_module *module)
{
    if (table->state != INQ_EH_UNREAD)
        return;
    table->state = INQ_EH_NONE;
    if (read_table(table, code, module))
        return;
    if (!module->is_vdso && !module->image) {
        inq_module_need_file(code->modules, module);
        if (read_table(table, code, module))
            return;
        if (!module->image)
            table->why = file_reason(module);
    }
}

/* Entry i; false when its bytes are not here. */
static bool entry_at(const struct inq_eh_table *table, struct inq_codemap *code, uint64_t i,
                     struct inq_eh_entry *ret_entry)
{
    if (table->state == INQ_EH_INDEX) {
        *ret_entry = table->index[i];
        return true;
    }

    uint8_t copy[ENTRY_BYTES];
    const uint8_t *bytes = table->view ? table->view + i * ENTRY_BYTES : copy;
    if (!table->view &&
        !inq_codemap_read(code, table->base + HDR_BYTES + i * ENTRY_BYTES, copy, sizeof(copy)))
        return false;
    ret_entry->start = table->base + (uint64_t)(int64_t)(int32_t)inq_load_u32(bytes, false);
    ret_entry->fde = table->base + (uint64_t)(int64_t)(int32_t)inq_load_u32(bytes + 4, false);
    return true;
}

bool inq_eh_table_find(const struct inq_eh_table *table, struct inq_codemap *code, uint64_t addr,
                       struct inq_eh_entry *ret_entry)
{
    uint64_t low = 0, high = table->count;
    struct inq_eh_entry entry;

    if (table->state != INQ_EH_TABLE && table->state != INQ_EH_INDEX)
        return false;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (!entry_at(table, code, middle, &entry))
            return false;
        if (entry.start <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || !entry_at(table, code, low - 1, &entry))
        return false;
    /* An unsorted table of a damaged file leads anywhere: the FDE's own range is checked later. */
    if (entry.start > addr)
        return false;
    *ret_entry = entry;
    return true;
}
