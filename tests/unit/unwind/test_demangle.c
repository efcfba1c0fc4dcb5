/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "unwind_tests.h"

static const struct {
    const char *raw, *readable;
} names[] = {
    {"main", "main"},
    {"_Z7cxxfunci", "cxxfunc"},
    {"_ZN2ns3FooIiE3barERKS0_", "ns::Foo<int>::bar"},
    {"_ZNK2ns3FooIiE3barEv", "ns::Foo<int>::bar"},
    {"_ZN12_GLOBAL__N_16hiddenEv", "(anonymous namespace)::hidden"},
    {"_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()"},
    {"_ZN1AcvbEv", "A::operator bool"},
    {"_Znwm", "operator new"},
    {"_ZN3FooC4Ei", "Foo::Foo"},
    /* Rust: legacy with its hash, v0 */
    {"_ZN4core6option6Option6unwrap17h0123456789abcdefE", "core::option::Option::unwrap"},
    {"_RNvC6mycore3foo", "mycore::foo"},
    {"_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>"},
    /* no names of theirs */
    {"_Z", "_Z"},
    {"_R", "_R"},
    {"_ZN", "_ZN"},
    {"_Zebra", "_Zebra"},
    {"_", "_"},
    {"", ""},
    {"__libc_start_main", "__libc_start_main"},
    {"_RNvC6mycore", "_RNvC6mycore"},
};

static void makes_names_readable(void **state)
{
    struct inq_arena *arena = inq_arena_create();
    struct inq_demangler demangler = inq_demangler_init(arena);

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *readable = inq_demangle(&demangler, names[i].raw);
        assert_string_equal(readable, names[i].readable);
        /* the very same pointer says that there is no other name */
        assert_int_equal(readable == names[i].raw, !strcmp(names[i].raw, names[i].readable));
    }
    inq_arena_destroy(arena);
}

/* "_Z1fI1AIiiES_IS0_S0_E...Evv": every type is the one before, twice: 2^60 of them at the end. */
static void bomb(char *out, size_t size)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t at = (size_t)snprintf(out, size, "_Z1fI1AIiiE");

    for (int i = 0; i < 34; i++)
        at += (size_t)snprintf(out + at, size - at, "S_IS%c_S%c_E", digits[i], digits[i]);
    snprintf(out + at, size - at, "Evv");
}

static void stays_within_bounds(void **state)
{
    struct inq_arena *arena = inq_arena_create();
    struct inq_demangler demangler = inq_demangler_init(arena);
    const size_t large = 1u << 20;
    char *name = malloc(large + 1), small[4096];

    (void)state;
    assert_non_null(name);
    /* libiberty itself takes 1024 bytes of C++; one more than is allowed; a megabyte */
    static const size_t sizes[] = {1024, INQ_MAX_MANGLED_BYTES + 1, 1u << 20};
    for (size_t i = 0; i < 3; i++) {
        size_t digits = i == 0 ? 4 : i == 1 ? 4 : 7;
        size_t head = (size_t)snprintf(name, large, "_Z%zu", sizes[i] - 3 - digits);
        assert_int_equal(head, 2 + digits);
        memset(name + head, 'a', sizes[i] - head);
        name[sizes[i] - 1] = 'v';
        name[sizes[i]] = '\0';
        const char *readable = inq_demangle(&demangler, name);
        assert_int_equal(readable == name, i > 0);
    }
    /* recursion: pointers to pointers to ..., and nested templates */
    memset(name, 'P', 8000);
    memcpy(name, "_Z1fI", 5);
    memcpy(name + 8000, "iEvv", 5);
    assert_ptr_equal(inq_demangle(&demangler, name), name);
    memcpy(name, "_RINvC1a1b", 10);
    memset(name + 10, 'R', 8000);
    memcpy(name + 8010, "eE", 3);
    assert_ptr_equal(inq_demangle(&demangler, name), name);
    bomb(small, sizeof(small));
    assert_ptr_equal(inq_demangle(&demangler, small), small);
    /* names of one analysis have a limit together */
    demangler.bytes_left = 10;
    assert_string_equal(inq_demangle(&demangler, "_ZN2ns3FooIiE3barEv"), "_ZN2ns3FooIiE3barEv");
    assert_string_equal(inq_demangle(&demangler, "_Z7cxxfunci"), "cxxfunc");
    assert_int_equal(demangler.bytes_left, 3);
    free(name);
    inq_arena_destroy(arena);
}

/* Bytes of a name come from whoever wrote the file. */
static void takes_anything(void **state)
{
    struct inq_arena *arena = inq_arena_create();
    struct inq_demangler demangler = inq_demangler_init(arena);
    uint64_t random = 88172645463325252u;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const char *from = names[(size_t)i % 12].raw;
        char name[128];
        size_t size = strlen(from);
        memcpy(name, from, size + 1);
        for (int k = 0; k < 1 + i % 3 && size > 2; k++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            name[2 + random % (size - 2)] = (char)(random >> 32 & 0xff);
        }
        const char *readable = inq_demangle(&demangler, name);
        for (const char *p = readable; readable != name && *p; p++)
            assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
    }
    inq_arena_destroy(arena);
}

const struct CMUnitTest demangle_tests[] = {
    cmocka_unit_test(makes_names_readable),
    cmocka_unit_test(stays_within_bounds),
    cmocka_unit_test(takes_anything),
};
const size_t n_demangle_tests = sizeof(demangle_tests) / sizeof(demangle_tests[0]);
