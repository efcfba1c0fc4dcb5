/* SPDX-License-Identifier: Apache-2.0 */
#include "cxx_type.h"

#include <string.h>

#include "cleanup.h"
#include "demangle.h"
#include "text.h"

#define MOST_NAME 2048u
#define MOST_BASES 64u /* looked at in one search */
/* __vmi_class_type_info: {vptr, name, u32 flags, u32 count, {base, offset_flags}[count]} */
#define VMI_COUNT 20u
#define VMI_BASES 24u
#define BASE_VIRTUAL 1u
#define BASE_OFFSET_SHIFT 8u

static bool is_word(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '.' || c == '$';
}

/* The name in a type_info; a leading * (names that only this file knows) is not part of it. */
static const char *read_name(const struct inq_dump *dump, uint64_t info)
{
    uint64_t addr;
    size_t i;

    if (info % 8 != 0 || info < 4096 || info > UINT64_MAX - 4096 ||
        !inq_memory_u64(dump->memory, info + 8, &addr) || addr < 4096)
        return NULL;
    const char *name = inq_memory_string(dump->memory, addr, MOST_NAME);
    if (!name)
        return NULL;
    name += name[0] == '*';
    for (i = 0; is_word(name[i]); i++)
        ;
    return i > 0 && name[i] == '\0' ? name : NULL;
}

bool inq_cxx_type_read(const struct inq_dump *dump, uint64_t addr, struct inq_cxx_type *ret_type)
{
    uint64_t table, info;
    const char *name = read_name(dump, addr), *kind;

    if (!name || !inq_memory_u64(dump->memory, addr, &table) || table < 4096 ||
        !inq_memory_u64(dump->memory, table - 8, &info))
        return false;
    kind = read_name(dump, info);
    if (!kind || !inq_starts_with(kind, "N10__cxxabiv1"))
        return false;
    *ret_type = (struct inq_cxx_type){.addr = addr, .mangled = name};
    if (!strcmp(kind, "N10__cxxabiv117__class_type_infoE"))
        ret_type->kind = INQ_CXX_CLASS;
    else if (!strcmp(kind, "N10__cxxabiv120__si_class_type_infoE"))
        ret_type->kind = INQ_CXX_SINGLE;
    else if (!strcmp(kind, "N10__cxxabiv121__vmi_class_type_infoE"))
        ret_type->kind = INQ_CXX_MANY;
    return true;
}

const char *inq_cxx_type_name(const struct inq_dump *dump, const struct inq_cxx_type *type)
{
    static const char lead[] = "typeinfo name for ";
    struct inq_demangler demangler = inq_demangler_init(dump->arena);
    const char *symbol = inq_arena_printf(dump->arena, "_ZTS%s", type->mangled);

    if (!symbol)
        return NULL;
    if (!strcmp(type->mangled, INQ_CXX_GNU_STRING) || !strcmp(type->mangled, INQ_CXX_LLVM_STRING))
        return "std::string"; /* as everybody writes it */
    const char *readable = inq_demangle(&demangler, symbol);
    if (!readable)
        return NULL;
    return inq_starts_with(readable, lead) ? readable + strlen(lead) : type->mangled;
}

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(name, *list))
            return true;
    return false;
}

struct search {
    const struct inq_dump *dump;
    struct inq_cxx_base queue[MOST_BASES];
    size_t count;
};

static void add_base(struct search *search, uint64_t info, uint64_t offset)
{
    struct inq_cxx_type type;

    if (search->count < MOST_BASES && inq_cxx_type_read(search->dump, info, &type))
        search->queue[search->count++] = (struct inq_cxx_base){type, offset};
}

static void add_bases(struct search *search, const struct inq_cxx_base *of)
{
    struct inq_memory *memory = search->dump->memory;
    uint64_t info, flags;
    uint32_t count;

    if (of->type.kind == INQ_CXX_SINGLE && inq_memory_u64(memory, of->type.addr + 16, &info))
        add_base(search, info, of->offset);
    if (of->type.kind != INQ_CXX_MANY || !inq_memory_u32(memory, of->type.addr + VMI_COUNT, &count))
        return;
    for (uint32_t i = 0; i < count && i < MOST_BASES; i++) {
        uint64_t at = of->type.addr + VMI_BASES + i * UINT64_C(16);
        if (!inq_memory_u64(memory, at, &info) || !inq_memory_u64(memory, at + 8, &flags))
            return;
        if (!(flags & BASE_VIRTUAL)) /* of a virtual one the offset is in the object's table */
            add_base(search, info, of->offset + (flags >> BASE_OFFSET_SHIFT));
    }
}

bool inq_cxx_find_base(const struct inq_dump *dump, const struct inq_cxx_type *type,
                       const char *const *mangled, struct inq_cxx_base *ret_base)
{
    struct search search = {.dump = dump, .queue = {{*type, 0}}, .count = 1};

    for (size_t at = 0; at < search.count; at++) {
        if (is_one_of(search.queue[at].type.mangled, mangled)) {
            *ret_base = search.queue[at];
            return true;
        }
        const struct inq_cxx_base of = search.queue[at];
        add_bases(&search, &of);
    }
    return false;
}
