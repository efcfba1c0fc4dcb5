/* SPDX-License-Identifier: Apache-2.0 */
#include "codemap.h"

#include <elf.h>
#include <string.h>

#include "cursor.h"

/* asm/vsyscall.h: one page, the same in every process; its stubs never push anything. */
#define VSYSCALL_ADDR 0xffffffffff600000u
#define VSYSCALL_BYTES 4096u

void inq_codemap_init(struct inq_codemap *code, struct inq_memory *memory,
                      struct inq_modules *modules, struct inq_arena *arena)
{
    memset(code, 0, sizeof(*code));
    code->memory = memory;
    code->modules = modules;
    code->arena = arena;
}

/* The page that holds addr, NULL when not all of it is there in the dump or a verified file. */
static const uint8_t *code_page(struct inq_codemap *code, uint64_t addr)
{
    uint64_t base = addr & ~(uint64_t)(INQ_CODEMAP_PAGE_BYTES - 1);
    struct inq_codemap_page *page =
        &code->pages[(base / INQ_CODEMAP_PAGE_BYTES) % INQ_CODEMAP_PAGES];

    if (page->bytes && page->addr == base)
        return page->bytes;

    const uint8_t *bytes = inq_memory_view(code->memory, base, INQ_CODEMAP_PAGE_BYTES);
    if (!bytes) {
        if (!page->copy)
            page->copy = inq_arena_alloc(code->arena, INQ_CODEMAP_PAGE_BYTES, 1);
        if (!page->copy)
            return NULL;
        page->bytes = NULL; /* the copy may have been another page's */

        size_t got = 0;
        inq_memory_read(code->memory, base, page->copy, INQ_CODEMAP_PAGE_BYTES, &got);
        if (got != INQ_CODEMAP_PAGE_BYTES)
            return NULL;
        bytes = page->copy;
    }
    page->addr = base;
    page->bytes = bytes;
    return bytes;
}

static uint64_t load_uint(const uint8_t *bytes, size_t size, bool big_endian)
{
    switch (size) {
    case 1:
        return *bytes;
    case 2:
        return inq_load_u16(bytes, big_endian);
    case 4:
        return inq_load_u32(bytes, big_endian);
    default:
        return inq_load_u64(bytes, big_endian);
    }
}

enum inq_memory_status inq_codemap_uint(struct inq_codemap *code, uint64_t addr, size_t size,
                                        bool big_endian, uint64_t *ret_value)
{
    size_t off = (size_t)(addr % INQ_CODEMAP_PAGE_BYTES);
    if (off <= INQ_CODEMAP_PAGE_BYTES - size) {
        const uint8_t *page = code_page(code, addr);
        if (page) {
            *ret_value = load_uint(page + off, size, big_endian);
            return INQ_MEMORY_OK;
        }
    }

    uint8_t bytes[8];
    size_t got = 0;
    enum inq_memory_status status = inq_memory_read(code->memory, addr, bytes, size, &got);
    if (got != size)
        return status == INQ_MEMORY_OK ? INQ_MEMORY_NOT_MAPPED : status;
    *ret_value = load_uint(bytes, size, big_endian);
    return INQ_MEMORY_OK;
}

enum inq_memory_status inq_codemap_u64(struct inq_codemap *code, uint64_t addr, uint64_t *ret_value)
{
    return inq_codemap_uint(code, addr, 8, false, ret_value);
}

bool inq_codemap_read(struct inq_codemap *code, uint64_t addr, void *buf, size_t size)
{
    size_t off = (size_t)(addr % INQ_CODEMAP_PAGE_BYTES);
    if (size <= INQ_CODEMAP_PAGE_BYTES && off <= INQ_CODEMAP_PAGE_BYTES - size) {
        const uint8_t *page = code_page(code, addr);
        if (page) {
            memcpy(buf, page + off, size);
            return true;
        }
    }
    size_t got = 0;
    inq_memory_read(code->memory, addr, buf, size, &got);
    return got == size;
}

/*
 * What libc puts behind every handler (SA_RESTORER): mov $15,%rax; syscall. Debuggers know signal
 * frames by these bytes; the short form of the mov is what hand-written assemblers make of it.
 */
static bool is_trampoline(struct inq_codemap *code, uint64_t addr)
{
    static const uint8_t long_form[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    static const uint8_t short_form[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};
    uint8_t bytes[sizeof(long_form)];

    if (inq_codemap_read(code, addr, bytes, sizeof(long_form)))
        return memcmp(bytes, long_form, sizeof(long_form)) == 0 ||
               memcmp(bytes, short_form, sizeof(short_form)) == 0;
    return inq_codemap_read(code, addr, bytes, sizeof(short_form)) &&
           memcmp(bytes, short_form, sizeof(short_form)) == 0;
}

struct inq_place inq_codemap_place(struct inq_codemap *code, uint64_t addr)
{
    struct inq_place *place = &code->places[(addr ^ (addr >> 8)) % INQ_CODEMAP_PLACES];
    if (place->used && place->addr == addr)
        return *place;

    struct inq_memory_region region;
    *place = (struct inq_place){.addr = addr, .used = true};
    if (inq_memory_region_at(code->memory, addr, &region)) {
        place->mapped = true;
        place->executable = (region.flags & PF_X) != 0;
    }
    place->module = inq_modules_find(code->modules, addr);
    place->vsyscall = addr - VSYSCALL_ADDR < VSYSCALL_BYTES;
    if (place->executable && place->module)
        inq_module_need_file(code->modules, place->module); /* for its bytes */
    if (place->executable)
        place->trampoline = is_trampoline(code, addr);
    return *place;
}

/* Length of `ff /2` with its operand at `bytes` (x86-64: ModRM, SIB, displacement); 0 when it is
 * none. */
static size_t indirect_call_size(const uint8_t *bytes, size_t size)
{
    if (size < 2 || bytes[0] != 0xff || (bytes[1] & 0x38) != 0x10)
        return 0;

    unsigned int mod = bytes[1] >> 6, rm = bytes[1] & 7;
    size_t length = 2;
    if (mod == 3)
        return length;
    if (rm == 4) { /* SIB; a base of 5 without mod means a displacement of four bytes */
        if (size < 3)
            return 0;
        length++;
        if (mod == 0 && (bytes[2] & 7) == 5)
            length += 4;
    } else if (mod == 0 && rm == 5) { /* relative to rip */
        length += 4;
    }
    if (mod == 1)
        length += 1;
    else if (mod == 2)
        length += 4;
    return length;
}

bool inq_codemap_ends_with_call(const uint8_t *bytes, size_t size)
{
    if (size >= 5 && bytes[size - 5] == 0xe8)
        return true;
    for (size_t start = 0; start + 2 <= size; start++) {
        if (indirect_call_size(bytes + start, size - start) == size - start)
            return true;
    }
    return false;
}

enum inq_after_call inq_codemap_after_call(struct inq_codemap *code, uint64_t addr)
{
    uint8_t bytes[8];
    size_t size = sizeof(bytes);

    if (addr < sizeof(bytes) || !inq_codemap_place(code, addr).executable)
        return INQ_AFTER_CALL_NO;
    /* Close behind the start of a mapping there are fewer bytes to look at. */
    while (size >= 2 && !inq_codemap_read(code, addr - size, bytes, size))
        size--;
    if (size < 2)
        return inq_codemap_place(code, addr - 1).executable ? INQ_AFTER_CALL_UNREADABLE
                                                            : INQ_AFTER_CALL_NO;
    if (!inq_codemap_ends_with_call(bytes, size))
        return INQ_AFTER_CALL_NO;

    /* A direct call must lead to code; an indirect one we cannot follow. */
    if (size >= 5 && bytes[size - 5] == 0xe8) {
        uint64_t target = addr + (uint64_t)(int64_t)(int32_t)inq_load_u32(bytes + size - 4, false);
        if (!inq_codemap_place(code, target).executable) {
            bytes[size - 5] = 0x90; /* then the e8 was part of something else */
            if (!inq_codemap_ends_with_call(bytes, size))
                return INQ_AFTER_CALL_NO;
        }
    }
    return INQ_AFTER_CALL_YES;
}
