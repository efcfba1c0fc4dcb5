/* SPDX-License-Identifier: Apache-2.0 */
#include "cxx_exception.h"

#include <inttypes.h>
#include <string.h>

#include "bounds.h"
#include "cleanup.h"
#include "code_probe.h"
#include "cxx_type.h"
#include "tls_blocks.h"

/*
 * __cxa_exception of 64-bit machines from its exceptionType on; the two libraries agree on that
 * part, and on nothing before it:
 *   0 exceptionType, 8 exceptionDestructor, 16 unexpectedHandler, 24 terminateHandler,
 *   32 nextException, 40 i32 handlerCount, 44 i32 handlerSwitchValue, 48 actionRecord,
 *   56 languageSpecificData, 64 catchTemp, 72 adjustedPtr, 80 unwindHeader (32 bytes), then the
 *   object. libc++abi's header begins 16 bytes earlier.
 */
#define AT_COUNT 40u
#define AT_CLASS 80u
#define AT_OBJECT 112u
#define LLVM_LEAD 16u
#define MOST_HANDLERS 10000
#define CONTROL_BYTES 1536u /* of glibc's control block: beyond its first keys */
#define MUSL_CONTROL_BYTES 256u
#define MUSL_KEYS 128u

/* exception_class: vendor and language; the last byte is 1 for one that refers to another. */
#define GNU_CLASS UINT64_C(0x474e5543432b2b00)  /* "GNUCC++\0" */
#define LLVM_CLASS UINT64_C(0x434c4e47432b2b00) /* "CLNGC++\0" */

struct header {
    uint64_t type;   /* address of the exceptionType field */
    uint64_t object; /* what was thrown */
    const char *runtime;
};

/* The word is a pointer to a header of either library, and the exception has not been freed. */
static bool read_header(const struct inq_dump *dump, uint64_t word, struct header *ret_header)
{
    struct inq_memory *memory = dump->memory;
    uint64_t class, primary;
    uint32_t count;

    if (word % 8 != 0 || word < 65536 || word >= UINT64_C(1) << 56)
        return false;
    struct header header = {.type = word, .runtime = "libstdc++"};
    if (!inq_memory_u64(memory, word + AT_CLASS, &class))
        return false;
    if ((class & ~UINT64_C(1)) != GNU_CLASS) {
        header = (struct header){.type = word + LLVM_LEAD, .runtime = "libc++abi"};
        if (!inq_memory_u64(memory, header.type + AT_CLASS, &class) ||
            (class & ~UINT64_C(1)) != LLVM_CLASS)
            return false;
    }
    if (!inq_memory_u32(memory, header.type + AT_COUNT, &count) || (int32_t)count > MOST_HANDLERS ||
        (int32_t)count < -MOST_HANDLERS)
        return false;
    header.object = header.type + AT_OBJECT;
    if (class & 1) { /* std::rethrow_exception(): it stands for another one */
        /* primaryException: in exceptionType's place, or in that of libc++abi's reference count */
        uint64_t at = header.runtime[3] == 'c' ? header.type - 8 : header.type;
        if (!inq_memory_u64(memory, at, &primary) || primary < 65536 || primary % 8 != 0)
            return false;
        header.object = primary;
        header.type = primary - AT_OBJECT;
    }
    *ret_header = header;
    return true;
}

/* {caughtExceptions, u32 uncaughtExceptions} in one block. */
static bool find_in_block(const struct inq_dump *dump, const struct inq_tls_block *block,
                          struct header *ret_header)
{
    uint64_t word;
    uint32_t uncaught;

    for (uint64_t off = 0; off + 16 <= block->size; off += 8) {
        if (!inq_memory_u64(dump->memory, block->start + off, &word))
            return false;
        if (word != 0 && read_header(dump, word, ret_header) &&
            inq_memory_u32(dump->memory, block->start + off + 8, &uncaught) &&
            uncaught <= MOST_HANDLERS)
            return true;
    }
    return false;
}

/*
 * libc++abi, as it is often built, keeps the structure in memory of its own and the pointer to it
 * by pthread_setspecific(): glibc has the first 32 keys in the control block, {sequence, value}
 * each; musl an array of values, which the control block points to.
 */
static bool find_by_key(const struct inq_dump *dump, const struct inq_core_thread *thread,
                        struct header *ret_header)
{
    struct inq_tls_block block = {.size = 16};
    uint64_t self, values;

    if (!inq_core_register(dump->core, thread, "fs_base", &self) ||
        self > UINT64_MAX - CONTROL_BYTES)
        return false;
    for (uint64_t off = 0; off < CONTROL_BYTES; off += 8) {
        if (!inq_memory_u64(dump->memory, self + off, &block.start))
            return false;
        if (block.start >= 65536 && block.start % 8 == 0 && find_in_block(dump, &block, ret_header))
            return true;
    }
    for (uint64_t off = 0; off < MUSL_CONTROL_BYTES; off += 8) {
        if (!inq_memory_u64(dump->memory, self + off, &values) || values < 65536 ||
            values % 8 != 0 || values > UINT64_MAX - 8 * MUSL_KEYS)
            continue;
        for (uint64_t i = 0; i < MUSL_KEYS; i++) {
            if (!inq_memory_u64(dump->memory, values + i * 8, &block.start))
                break;
            if (block.start >= 65536 && block.start % 8 == 0 &&
                find_in_block(dump, &block, ret_header))
                return true;
        }
    }
    return false;
}

/* ---- what() -------------------------------------------------------------------------------- */

static const char *text_at(const struct inq_dump *dump, uint64_t addr)
{
    return addr < 4096 ? NULL : inq_memory_string(dump->memory, addr, INQ_MAX_STRING);
}

/*
 * what() is the third function of the virtual table of std::exception. It is read, not run: nearly
 * every one returns a pointer that the object holds, or a constant. Where its code is not here, the
 * layout of two classes of the library is known: {vptr, char *message}.
 */
static void read_what(const struct inq_dump *dump, const struct inq_cxx_type *type,
                      const struct inq_cxx_base *base, struct inq_cxx_exception *exception)
{
    static const char *const with_message[] = {"St13runtime_error", "St11logic_error", NULL};
    uint64_t at = exception->object + base->offset, table, function, text;
    struct inq_cxx_base holder;
    struct inq_opcode code;

    exception->what_why = "the exception was not saved in the dump";
    if (!inq_memory_u64(dump->memory, at, &table))
        return;
    if (inq_memory_u64(dump->memory, table + 16, &function) && inq_code_at(dump, function, &code)) {
        exception->what_why = "the class has a what() of its own, which is more than a few "
                              "instructions";
        if (inq_code_returns(dump, function, at, &text))
            exception->what = text_at(dump, text);
    } else {
        exception->what_why = "the code of its what() is not here";
        /* a class of the library itself; others may say something else than their base would */
        if (inq_cxx_find_base(dump, type, with_message, &holder) &&
            !strncmp(type->mangled, "St", 2) &&
            inq_memory_u64(dump->memory, exception->object + holder.offset + 8, &text))
            exception->what = text_at(dump, text);
    }
    if (exception->what)
        exception->what_why = NULL;
}

/* ---- things that are no classes -------------------------------------------------------------- */

static const char *read_number(const struct inq_dump *dump, char code, uint64_t object)
{
    static const char signs[] = "asilx", unsigneds[] = "htjmy";
    static const uint8_t bytes[] = {1, 2, 4, 8, 8};
    const char *is_signed = strchr(signs, code), *is_unsigned = strchr(unsigneds, code);
    uint8_t raw[8];
    size_t got = 0;
    uint64_t value = 0;

    if (!is_signed && !is_unsigned)
        return NULL;
    size_t size = is_signed ? bytes[is_signed - signs] : bytes[is_unsigned - unsigneds];
    inq_memory_read(dump->memory, object, raw, size, &got);
    if (got < size)
        return NULL;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | raw[i];
    if (is_unsigned)
        return inq_arena_printf(dump->arena, "%" PRIu64, value);
    if (size < 8 && (value >> (size * 8 - 1) & 1))
        value |= UINT64_MAX << (size * 8);
    return inq_arena_printf(dump->arena, "%" PRId64, (int64_t)value);
}

/* Strings and numbers that were thrown as they are. */
static const char *read_value(const struct inq_dump *dump, const char *mangled, uint64_t object)
{
    static const char *const strings[] = {
        INQ_CXX_GNU_STRING, /* {char *, size_t, ...} */
        "Ss",               /* before GCC 5: {char *} */
        "PKc",
        "Pc",
    };
    uint64_t text;
    uint8_t first;
    size_t got = 0;

    if (!strcmp(mangled, INQ_CXX_LLVM_STRING)) {
        /* the lowest bit tells: {capacity | 1, size, char *}, or {size * 2, char[23]} */
        inq_memory_read(dump->memory, object, &first, 1, &got);
        if (got != 1 || ((first & 1) && !inq_memory_u64(dump->memory, object + 16, &text)))
            return NULL;
        return text_at(dump, first & 1 ? text : object + 1);
    }
    if (mangled[0] && !mangled[1])
        return read_number(dump, mangled[0], object);
    for (size_t i = 0; i < INQ_ARRAY_SIZE(strings); i++)
        if (!strcmp(mangled, strings[i]))
            return inq_memory_u64(dump->memory, object, &text) ? text_at(dump, text) : NULL;
    return NULL;
}

static void describe(const struct inq_dump *dump, const struct header *header,
                     struct inq_cxx_exception *ret_exception)
{
    static const char *const root[] = {"St9exception", NULL};
    struct inq_cxx_type type;
    struct inq_cxx_base base;
    uint64_t info;

    *ret_exception =
        (struct inq_cxx_exception){.object = header->object, .runtime = header->runtime};
    if (!inq_memory_u64(dump->memory, header->type, &info) ||
        !inq_cxx_type_read(dump, info, &type)) {
        ret_exception->type_why = "the description of its type is in a file that is not here";
        return;
    }
    ret_exception->type = inq_cxx_type_name(dump, &type);
    if (inq_cxx_find_base(dump, &type, root, &base))
        read_what(dump, &type, &base, ret_exception);
    else
        ret_exception->value = read_value(dump, type.mangled, header->object);
}

enum inq_cxx_found inq_cxx_exception_find(const struct inq_dump *dump,
                                          const struct inq_core_thread *thread,
                                          struct inq_cxx_exception *ret_exception,
                                          const char **ret_why)
{
    struct inq_tls_blocks blocks;
    struct header header;

    if (!inq_tls_blocks_find(dump, thread, &blocks, ret_why))
        return INQ_CXX_NOT_TOLD;
    for (size_t i = 0; i < blocks.count; i++)
        if (find_in_block(dump, &blocks.items[i], &header)) {
            describe(dump, &header, ret_exception);
            return INQ_CXX_FOUND;
        }
    if (find_by_key(dump, thread, &header)) {
        describe(dump, &header, ret_exception);
        return INQ_CXX_FOUND;
    }
    return INQ_CXX_NONE;
}
