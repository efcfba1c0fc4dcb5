/* SPDX-License-Identifier: Apache-2.0 */
#include "frame_search.h"

#include <string.h>

#include "text.h"

bool inq_frame_is(const struct inq_frame *frame, const char *const *names)
{
    for (; frame->function && *names; names++)
        if (!strcmp(frame->function, *names))
            return true;
    return false;
}

size_t inq_frame_find(const struct inq_stack *stack, size_t from, const char *const *names)
{
    for (size_t i = from; stack && i < stack->n_frames; i++)
        if (inq_frame_is(&stack->frames[i], names))
            return i;
    return INQ_NO_FRAME;
}

static bool is_named(const struct inq_module *module, const char *const *prefixes)
{
    for (; module && *prefixes; prefixes++)
        if (inq_starts_with(module->name, *prefixes) ||
            (module->soname && inq_starts_with(module->soname, *prefixes)))
            return true;
    return false;
}

bool inq_module_is_musl(const struct inq_module *module)
{
    static const char *const names[] = {"libc.musl-", "ld-musl-", NULL};

    if (!module)
        return false;
    const char *slash = module->link_name ? strrchr(module->link_name, '/') : NULL;
    return is_named(module, names) || (slash && inq_starts_with(slash + 1, "ld-musl-")) ||
           (module->path && strstr(module->path, "-linux-musl/libc.so"));
}

bool inq_module_is_libc(const struct inq_module *module)
{
    /* musl's linker and library are one file; Debian 11's libc is libc-2.31.so */
    static const char *const names[] = {"libc.so", "libc-2.", "ld-musl-", "libc.musl-", NULL};
    return is_named(module, names);
}

bool inq_module_is_loader(const struct inq_module *module)
{
    static const char *const names[] = {"ld-linux", "ld-2.", "ld64.so", "ld.so", "ld-musl-", NULL};
    return is_named(module, names) || inq_module_is_musl(module);
}

bool inq_is_static(const struct inq_dump *dump)
{
    for (size_t i = 0; i < dump->modules->count; i++)
        if (inq_module_is_loader(&dump->modules->items[i]) ||
            inq_module_is_libc(&dump->modules->items[i]))
            return false;
    return dump->modules->link_map_addr == 0;
}

bool inq_frame_is_sure(const struct inq_frame *frame)
{
    return frame->trust != INQ_TRUST_SCAN && !frame->after_scan;
}

static bool has_symbols(const struct inq_module *module)
{
    if (module->is_vdso || module->debug_image)
        return true;
    return module->image && (module->image->symtab.count > 0 || module->image->dynsym.count > 0);
}

bool inq_frames_tell(const struct inq_dump *dump)
{
    if (!dump->stacks || dump->stacks->count == 0 || dump->core->notes_cut)
        return false;
    for (size_t i = 0; i < dump->stacks->count; i++) {
        const struct inq_stack *stack = &dump->stacks->items[i];
        if (!stack->complete)
            return false;
        for (size_t k = 0; k < stack->n_frames; k++) {
            const struct inq_frame *frame = &stack->frames[k];
            if (!frame->function && frame->kind == INQ_FRAME_NATIVE &&
                (!frame->module || !has_symbols(frame->module)))
                return false;
        }
    }
    return true;
}
