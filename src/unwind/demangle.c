/* SPDX-License-Identifier: Apache-2.0 */
#include "demangle.h"

#include <setjmp.h>
#include <string.h>

#include "bounds.h"

/* libiberty.h has a basename() of its own unless it is told that there is one. */
#define HAVE_DECL_BASENAME 1
#include <libiberty/demangle.h>

/*
 * A name of 300 bytes can stand for one of 2^60: each template argument may be "the type before,
 * twice". libiberty hands its output on in pieces, and has no way to be told that it is enough, so
 * the way out is a jump. It keeps what it works with on the stack, but for one buffer of Rust's
 * punycode names, which is then lost: 32 KiB at most, and once a hostile name.
 */
struct output {
    jmp_buf enough;
    size_t size, most;
    char bytes[INQ_MAX_DEMANGLED_BYTES];
};

static void take_piece(const char *piece, size_t size, void *context)
{
    struct output *out = context;

    if (size > out->most - out->size)
        longjmp(out->enough, 1);
    memcpy(out->bytes + out->size, piece, size);
    out->size += size;
}

static bool maybe_mangled(const char *name)
{
    /* _Z, _R; Mach-O and some tools put more underscores in front: not in ELF. */
    return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

/* Into out->bytes; false when it is not a name of theirs, or too long. */
static bool demangle(const char *name, struct output *out)
{
    const int options = DMGL_ANSI; /* neither DMGL_PARAMS nor DMGL_NO_RECURSE_LIMIT */

    if (setjmp(out->enough))
        return false;
    out->size = 0;
    if (rust_demangle_callback(name, options, take_piece, out))
        return true;
    out->size = 0;
    return name[1] == 'Z' && cplus_demangle_v3_callback(name, options, take_piece, out);
}

static bool is_printable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return true;
}

const char *inq_demangle(struct inq_demangler *demangler, const char *name)
{
    struct output out;

    if (!maybe_mangled(name) || strnlen(name, INQ_MAX_MANGLED_BYTES + 1) > INQ_MAX_MANGLED_BYTES)
        return name;
    out.most =
        demangler->bytes_left < sizeof(out.bytes) ? demangler->bytes_left : sizeof(out.bytes);
    if (!demangle(name, &out) || out.size == 0 || !is_printable(out.bytes, out.size))
        return name;
    const char *copy = inq_arena_copy(demangler->arena, out.bytes, out.size);
    if (!copy)
        return name;
    demangler->bytes_left -= out.size;
    return copy;
}

static const char *cut(const char *name, struct inq_arena *arena)
{
    static const char end[] = "...";

    if (strnlen(name, INQ_MAX_STRING) < INQ_MAX_STRING)
        return name;
    char *copy = inq_arena_copy(arena, name, INQ_MAX_STRING - 1);
    if (copy)
        memcpy(copy + INQ_MAX_STRING - sizeof(end), end, sizeof(end));
    return copy;
}

bool inq_readable_names(struct inq_demangler *demangler, const char *raw, const char **ret_name,
                        const char **ret_raw)
{
    const char *name = inq_demangle(demangler, raw);
    const char *shown = cut(name, demangler->arena);
    const char *other = name == raw ? NULL : cut(raw, demangler->arena);

    if (!shown || (name != raw && !other))
        return false;
    *ret_name = shown;
    *ret_raw = other;
    return true;
}
