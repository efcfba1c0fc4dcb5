/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_page.h"

#include <elf.h>

static uint64_t page_bytes(const struct inq_dump *dump)
{
    return dump->core->page_bytes > 0 ? dump->core->page_bytes : 4096;
}

/* The dump's own bytes from addr to the end of its page, at least one; NULL when not saved. */
static const uint8_t *saved_bytes(const struct inq_dump *dump, uint64_t addr, uint64_t *ret_size)
{
    struct inq_memory_region region;
    uint64_t page = page_bytes(dump), left = page - addr % page, at;

    if (!inq_memory_region_at(dump->memory, addr, &region))
        return NULL;
    at = addr - region.start;
    if (at >= region.saved_bytes)
        return NULL;
    *ret_size = region.saved_bytes - at < left ? region.saved_bytes - at : left;
    return inq_memory_view(dump->memory, addr, (size_t)*ret_size);
}

static bool is_writable_in_file(const struct inq_image *image, uint64_t file_addr)
{
    for (size_t i = 0; i < image->n_segments; i++) {
        const struct inq_image_segment *s = &image->segments[i];
        if (s->type == PT_LOAD && file_addr - s->addr < s->size)
            return (s->flags & PF_W) != 0;
    }
    return true;
}

static void compare(struct inq_page *page, uint64_t addr, const uint8_t *memory,
                    const uint8_t *file)
{
    page->state = INQ_PAGE_SAME;
    for (uint64_t i = 0; i < page->size; i++) {
        if (memory[i] == file[i])
            continue;
        if (page->bytes++ == 0) {
            page->first = addr + i;
            page->memory = memory[i];
            page->file = file[i];
        }
        page->bits += (uint64_t)__builtin_popcount((unsigned)(memory[i] ^ file[i]));
        page->state = INQ_PAGE_DIFFERS;
    }
}

void inq_page_compare(const struct inq_dump *dump, uint64_t addr, struct inq_page *ret_page)
{
    uint64_t page = page_bytes(dump), start = addr - addr % page, size;
    struct inq_module *module = inq_modules_find(dump->modules, addr);
    const uint8_t *memory, *file = NULL;
    size_t left = 0;

    *ret_page = (struct inq_page){.start = start, .module = module};
    if (!module || !inq_core_file_at(dump->core, addr)) {
        ret_page->why = "it belongs to no file";
        return;
    }
    if (!saved_bytes(dump, addr, &size)) {
        ret_page->why = "the page is not in the dump (coredump_filter leaves text out)";
        return;
    }
    if (!module->image || !module->has_bias) {
        ret_page->why = "the file of the module is not here, or not the same";
        return;
    }
    /* a segment may begin, or the file end, in the middle of a page */
    file = inq_image_at(module->image, inq_modules_file_addr(dump->modules, module, start), &left);
    if (!file) {
        start = addr;
        file =
            inq_image_at(module->image, inq_modules_file_addr(dump->modules, module, start), &left);
    }
    memory = saved_bytes(dump, start, &size);
    if (!file || !memory) {
        ret_page->why = "the file has no bytes for this page";
        return;
    }
    ret_page->size = size < left ? size : left;
    ret_page->written_by_design =
        is_writable_in_file(module->image, inq_modules_file_addr(dump->modules, module, start));
    compare(ret_page, start, memory, file);
}

bool inq_page_is_own(const struct inq_dump *dump, uint64_t addr)
{
    struct inq_page page;
    uint64_t start = addr - addr % page_bytes(dump), size;

    if (inq_core_file_at(dump->core, addr)) {
        inq_page_compare(dump, addr, &page);
        return page.state == INQ_PAGE_DIFFERS;
    }
    const uint8_t *bytes = saved_bytes(dump, start, &size);
    for (uint64_t i = 0; bytes && i < size; i++)
        if (bytes[i] != 0)
            return true;
    return false;
}
