/* SPDX-License-Identifier: Apache-2.0 */

/* The same crash gets the same key wherever it was loaded; another crash gets another. */

#include <stdio.h>
#include <string.h>

#include "group_text.h"
#include "verdict.h"
#include "verdict_tests.h"

struct keys {
    char exact[64], bug[64], title[512], frames[1024];
};

static void keys_of_evidence(struct inq_evidence *evidence, struct keys *keys)
{
    assert_null(inq_group_key(evidence));
    const json_t *group = json_object_get(evidence->document, "group");
    assert_string_equal(json_string_value(json_object_get(group, "algorithm")), "v1");
    keys->exact[0] = '\0';
    add_text(keys->exact, sizeof(keys->exact), json_string_value(json_object_get(group, "exact")));
    keys->bug[0] = '\0';
    add_text(keys->bug, sizeof(keys->bug), json_string_value(json_object_get(group, "bug")));
    keys->title[0] = '\0';
    add_text(keys->title, sizeof(keys->title), json_string_value(json_object_get(group, "title")));
    assert_int_equal(strlen(keys->exact), strlen("v1:") + 12);
    assert_int_equal(strlen(keys->bug), strlen("v1:") + 12);
    keys->frames[0] = '\0';
    size_t index;
    json_t *frame;
    json_array_foreach (json_object_get(group, "frames"), index, frame) {
        add_text(keys->frames, sizeof(keys->frames), index ? " > " : "");
        add_text(keys->frames, sizeof(keys->frames), json_string_value(frame));
    }
}

static struct keys keys_of(const char *document)
{
    struct keys keys;
    struct inq_evidence *evidence = evidence_of(document);
    keys_of_evidence(evidence, &keys);
    inq_evidence_destroy(evidence);
    return keys;
}

/* Made of: frames (JSON), modules (JSON), and more members. */
static struct keys keys_with(const char *frames, const char *modules, const char *more)
{
    char text[16384];
    snprintf(text, sizeof(text),
             "{\"signal\": {\"name\": \"SIGSEGV\", \"code\": 1, \"sent_by\": \"kernel\"},"
             " \"fault\": {\"address_class\": \"null-page\", \"access\": \"write\"},"
             " \"threads\": [{\"tid\": 1, \"crashed\": true, \"frames\": [%s]}],"
             " \"modules\": [%s] %s}",
             frames, modules, more);
    return keys_of(text);
}

#define F(function, module, offset)                                                                \
    "{\"function\": \"" function "\", \"module\": " #module ", \"module_offset\": \"" offset       \
    "\", \"trust\": \"cfi\", \"kind\": \"native\"}"
#define NAMELESS(module, offset)                                                                   \
    "{\"module\": " #module ", \"module_offset\": \"" offset "\", \"trust\": \"cfi\"}"
#define EXE "{\"name\": \"prog\", \"build_id\": \"0123456789abcdef0123\"}"
#define LIBC "{\"name\": \"libc.so.6\", \"build_id\": \"fedcba98765432100000\"}"

static void titles_and_frames_are_for_people(void **state)
{
    (void)state;
    struct keys keys = keys_with(F("work", 0, "0x10") "," F("main", 0, "0x20"), EXE, "");
    assert_string_equal(keys.title, "SIGSEGV write null-page in work");
    assert_string_equal(keys.frames, "prog!work > prog!main");
    /* the key is a promise to databases: these two values must never change under "v1" */
    assert_string_equal(keys.bug, "v1:a3fe0b50d93c");
    assert_string_equal(keys.exact, "v1:74857c8e07e3");
}

/* Addresses, thread order and ids, and the files' directories move; the key does not. */
static void place_in_memory_does_not_matter(void **state)
{
    (void)state;
    static const char form[] =
        "{\"signal\": {\"name\": \"SIGSEGV\", \"code\": 1, \"sent_by\": \"kernel\","
        " \"address\": \"%s\"},"
        " \"process\": {\"pid\": %d}, \"fault\": {\"address\": \"%s\","
        " \"address_class\": \"unmapped\"},"
        " \"threads\": [%s{\"tid\": %d, \"crashed\": true, \"registers\": {\"rip\": \"%s\"},"
        "   \"frames\": [{\"index\": 0, \"pc\": \"%s\", \"module\": 0, \"module_offset\": \"0x10\","
        "     \"function\": \"work\", \"trust\": \"context\"}]}%s],"
        " \"modules\": [{\"name\": \"prog\", \"path\": \"%s\", \"start\": \"%s\","
        "     \"build_id\": \"0123456789abcdef\"}]}";
    static const char other[] = "{\"tid\": 5, \"crashed\": false, \"frames\": [{\"module\": 0,"
                                " \"module_offset\": \"0x99\", \"function\": \"idle\"}]}";
    char one[4096], two[4096], idle[512], after[512];
    snprintf(idle, sizeof(idle), "%s, ", other);
    snprintf(after, sizeof(after), ", %s", other);
    snprintf(one, sizeof(one), form, "0x7f0000001000", 10, "0x7f0000001000", idle, 11, "0x5500",
             "0x5510", "", "/usr/bin/prog", "0x5500");
    snprintf(two, sizeof(two), form, "0x7fff12345678", 999, "0x7fff12345678", "", 998, "0x7711",
             "0x7721", after, "/opt/x/prog", "0x7711");
    struct keys a = keys_of(one), b = keys_of(two);
    assert_string_equal(a.bug, b.bug);
    assert_string_equal(a.exact, b.exact);
}

static void another_build_is_the_same_bug(void **state)
{
    (void)state;
    struct keys a = keys_with(F("work", 0, "0x10") "," F("main", 0, "0x20"), EXE, "");
    struct keys b = keys_with(F("work", 0, "0x88") "," F("main", 0, "0x99"),
                              "{\"name\": \"prog\", \"build_id\": \"ffff456789abcdef0123\"}", "");
    assert_string_equal(a.bug, b.bug);
    assert_string_not_equal(a.exact, b.exact);
    /* and without symbols the exact key stays */
    struct keys c = keys_with(NAMELESS(0, "0x10") "," NAMELESS(0, "0x20"), EXE, "");
    assert_string_equal(a.exact, c.exact);
    assert_string_not_equal(a.bug, c.bug);
    assert_string_equal(c.frames, "prog@01234567+0x10 > prog@01234567+0x1f");
}

static void different_crashes_differ(void **state)
{
    (void)state;
    struct keys base = keys_with(F("work", 0, "0x10"), EXE, "");
    struct keys other[6];
    other[0] = keys_with(F("rest", 0, "0x11"), EXE, "");
    other[1] = keys_with(F("work", 0, "0x10"), EXE, ", \"abort\": {\"message\": \"no\"}");
    other[2] = keys_with(F("work", 0, "0x10"), EXE, ", \"state\": {\"exiting\": {\"status\": 0}}");
    other[3] = keys_of("{\"signal\": {\"name\": \"SIGBUS\", \"code\": 1},"
                       " \"fault\": {\"address_class\": \"null-page\", \"access\": \"write\"},"
                       " \"threads\": [{\"crashed\": true, \"frames\": [" F(
                           "work", 0, "0x10") "]}],"
                                              " \"modules\": [" EXE "]}");
    other[4] = keys_of("{\"signal\": {\"name\": \"SIGSEGV\", \"code\": 1},"
                       " \"fault\": {\"address_class\": \"unmapped\", \"access\": \"write\"},"
                       " \"threads\": [{\"crashed\": true, \"frames\": [" F(
                           "work", 0, "0x10") "]}],"
                                              " \"modules\": [" EXE "]}");
    other[5] = keys_of("{\"signal\": {\"name\": \"SIGSEGV\", \"code\": 0, \"sent_by\": \"other\"},"
                       " \"threads\": [{\"crashed\": true, \"frames\": [" F(
                           "work", 0, "0x10") "]}],"
                                              " \"modules\": [" EXE "]}");
    for (size_t i = 0; i < 6; i++) {
        assert_string_not_equal(base.bug, other[i].bug);
        assert_string_not_equal(base.exact, other[i].exact);
    }
    /* a guard is a mapping on one kernel and a mark on another: both are the same overflow */
    struct keys accerr = keys_of("{\"signal\": {\"name\": \"SIGSEGV\", \"code\": 2},"
                                 " \"fault\": {\"address_class\": \"null-page\","
                                 " \"access\": \"write\"}, \"threads\": [{\"crashed\": true,"
                                 " \"frames\": [" F("work", 0, "0x10") "]}],"
                                                                       " \"modules\": [" EXE "]}");
    assert_string_equal(base.bug, accerr.bug);
}

static void the_runtime_in_front_is_skipped(void **state)
{
    (void)state;
    struct keys keys = keys_with(
        F("__pthread_kill_implementation", 1, "0x1") "," F("raise", 1, "0x2") "," F(
            "abort", 1, "0x3") "," F("work", 0, "0x10") "," F("qsort", 1, "0x4") "," F("main", 0,
                                                                                       "0x20"),
        EXE "," LIBC, "");
    assert_string_equal(keys.frames, "prog!work > libc!qsort > prog!main");
    /* only the runtime: then it is all there is */
    keys = keys_with(F("raise", 1, "0x2") "," F("abort", 1, "0x3"), EXE "," LIBC, "");
    assert_string_equal(keys.frames, "libc!raise > libc!abort");
    struct keys other = keys_with(F("raise", 1, "0x2") "," F("abort", 1, "0x3"), EXE "," LIBC,
                                  ", \"process\": {\"executable\": \"/usr/bin/other\"}");
    assert_string_not_equal(keys.bug, other.bug);
    /* a program that holds its C library in itself */
    keys = keys_with(F("abort", 0, "0x2") "," F("__libc_message_impl", 0, "0x3") "," F(
                         "free", 0, "0x3") "," F("work", 0, "0x10"),
                     EXE, "");
    assert_string_equal(keys.frames, "prog!work");
    keys = keys_with(F("__memcpy_avx_unaligned_erms", 0, "0x2") "," F("work", 0, "0x10"), EXE, "");
    assert_string_equal(keys.frames, "prog!work");
    /* main() ended in a jump: the entry point is nobody's place, and the call that failed is all
     * there is */
    keys = keys_with(
        F("socket", 1, "0x1") "," F("__libc_start_main", 1, "0x2") "," F("_start", 0, "0x10"),
        EXE "," LIBC, "");
    assert_string_equal(keys.frames, "libc!socket > libc!__libc_start_main > prog!_start");
    /* what every exception and every panic passes on its way out */
    keys = keys_with(
        F("raise", 0, "0x1") "," F("abort", 0, "0x2") "," F(
            "__gnu_cxx::__verbose_terminate_handler", 0,
            "0x3") "," F("__cxxabiv1::__terminate", 0,
                         "0x4") "," F("std::terminate", 0,
                                      "0x5") "," F("__cxa_throw", 0,
                                                   "0x6") "," F("std::__throw_out_of_range_fmt("
                                                                "char const*, ...)",
                                                                0, "0x7") "," F("parse", 0, "0x10"),
        EXE, "");
    assert_string_equal(keys.frames, "prog!parse");
    keys = keys_with(F("std::panicking::rust_panic_with_hook", 0, "0x1") "," F(
                         "core::panicking::panic_fmt", 0, "0x2") "," F("app::load", 0, "0x10"),
                     EXE, "");
    assert_string_equal(keys.frames, "prog!app::load");
}

static void those_who_only_report_are_skipped(void **state)
{
    (void)state;
    static const char *const reporters[] = {
        "runtime.raise",
        "runtime.dieFromSignal",
        "runtime.gopanic",
        "runtime.sigpanic",
        "os::abort",
        "VMError::report_and_die",
        "JVM_handle_linux_signal",
        "PosixSignals::chained_handler",
        "fatal_error_exit",
        "_Py_FatalErrorFunc",
        "faulthandler_fatal_error",
        "g_logv",
        "g_assertion_message_expr",
        "google::LogMessage::Fail",
        "google::protobuf::internal::LogMessage::Finish",
        "absl::log_internal::LogMessage::Die",
        "v8::base::OS::Abort",
        "node::OnFatalError",
        "core::slice::index::slice_end_index_len_fail",
        "alloc::alloc::handle_alloc_error",
        "llvm::report_fatal_error",
        "__sanitizer::Die",
        "__cxa_bad_cast",
        "__rustc::rust_begin_unwind",
        "__rustc::__rust_abort",
        "v8::internal::Heap::CollectGarbage",
        "std::terminate",
    };
    for (size_t i = 0; i < sizeof(reporters) / sizeof(reporters[0]); i++) {
        char frames[512];
        snprintf(frames, sizeof(frames),
                 "{\"index\": 0, \"function\": \"%s\", \"module\": 0, \"module_offset\": "
                 "\"0x1\", \"trust\": \"cfi\"}, {\"index\": 1, \"function\": \"parse\", "
                 "\"module\": 0, \"module_offset\": \"0x10\", \"trust\": \"cfi\"}",
                 reporters[i]);
        struct keys keys = keys_with(frames, EXE, "");
        if (strcmp(keys.frames, "prog!parse") != 0)
            fail_msg("%s: %s", reporters[i], keys.frames);
    }
    /* no more than the names: a function of the program's own is a place */
    static const char *const own[] = {"runtime_check", "g_logger_start", "terminate",
                                      "raise_error"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        assert_false(inq_group_is_runtime_function(own[i]));
}

static void no_address_gets_into_a_key(void **state)
{
    (void)state;
    struct keys a = keys_with(
        "{\"pc\": \"0x7f1234\", \"trust\": \"context\"},"
        "{\"pc\": \"0x7f9999\", \"trust\": \"cfi\"}," F(
            "work", 0, "0x10") ",{\"pc\": \"0x1\", \"trust\": \"cfi\"},"
                               "{\"pc\": \"0x2\", \"trust\": \"cfi\"}," F("main", 0, "0x20"),
        EXE, "");
    assert_string_equal(a.frames, "prog!work > [anonymous] > prog!main");
}

static void modules_without_headers_have_a_place(void **state)
{
    (void)state;
    struct keys a = keys_with("{\"pc\": \"0x7f0000001234\", \"module\": 0}",
                              "{\"name\": \"prog\", \"start\": \"0x7f0000001000\"}", "");
    struct keys b = keys_with("{\"pc\": \"0x550000001234\", \"module\": 0}",
                              "{\"name\": \"prog\", \"start\": \"0x550000001000\"}", "");
    struct keys c = keys_with("{\"pc\": \"0x550000001299\", \"module\": 0}",
                              "{\"name\": \"prog\", \"start\": \"0x550000001000\"}", "");
    assert_string_equal(a.frames, "prog@?~0x234");
    assert_string_equal(a.exact, b.exact);
    assert_string_not_equal(a.exact, c.exact);
}

static void scanned_frames_stay_out(void **state)
{
    (void)state;
    struct keys keys =
        keys_with(F("work", 0,
                    "0x10") ",{\"function\": \"guess\", \"module\": 0, \"module_offset\": \"0x30\","
                            " \"trust\": \"scan\"}," F("main", 0, "0x20"),
                  EXE, "");
    assert_string_equal(keys.frames, "prog!work");
}

static void recursion_is_folded(void **state)
{
    (void)state;
    char deep[16384] = "", deeper[16384] = "";
    for (int i = 0; i < 20; i++)
        add_text(deep, sizeof(deep), F("ping", 0, "0x10") "," F("pong", 0, "0x20") ",");
    add_text(deep, sizeof(deep), F("main", 0, "0x30"));
    for (int i = 0; i < 31; i++)
        add_text(deeper, sizeof(deeper), F("ping", 0, "0x10") "," F("pong", 0, "0x20") ",");
    add_text(deeper, sizeof(deeper), F("main", 0, "0x30"));
    struct keys a = keys_with(deep, EXE, ""), b = keys_with(deeper, EXE, "");
    assert_string_equal(a.frames, "prog!ping > prog!pong > prog!main");
    assert_string_equal(a.bug, b.bug);
    char simple[4096] = "";
    for (int i = 0; i < 12; i++)
        add_text(simple, sizeof(simple), F("f", 0, "0x10") ",");
    add_text(simple, sizeof(simple), F("main", 0, "0x30"));
    a = keys_with(simple, EXE, "");
    assert_string_equal(a.frames, "prog!f > prog!main");
}

#define HANDLER                                                                                    \
    F("handler", 0, "0x50")                                                                        \
    ",{\"kind\": \"signal\", \"function\": \"__restore_rt\", "                                     \
    "\"module\": 1, \"module_offset\": \"0x5\", \"trust\": \"cfi\"}," F("work", 0, "0x10") "," F(  \
        "main", 0, "0x20")

/* Where in its round a recursion stands when the stack ends is chance. */
static void overflows_do_not_depend_on_where_they_end(void **state)
{
    (void)state;
    static const char *const words[] = {"even", "odd"};
    struct keys first = {.bug = ""};
    for (int phase = 0; phase < 4; phase++) {
        char frames[16384] = "", text[32768];
        int index = 0, depth = 40 + phase;
        if (phase & 2) /* the stack ended in what it called */
            index = 1;
        if (index)
            add_text(frames, sizeof(frames),
                     "{\"index\": 0, \"function\": \"format\", \"module\": 0, \"module_offset\": "
                     "\"0x99\", \"trust\": \"context\"},");
        for (int i = 0; i < depth; i++) {
            char one[200];
            const char *name = i < depth - 1 ? words[(depth - i) & 1] : "main";
            snprintf(one, sizeof(one),
                     "%s{\"index\": %d, \"function\": \"%s\", \"module\": 0, "
                     "\"module_offset\": \"0x%x\", \"trust\": \"cfi\"}",
                     i ? "," : "", index + i, name, i == 0 && !index ? 0x33 : 0x100 * name[0] + 1);
            add_text(frames, sizeof(frames), one);
        }
        snprintf(
            text, sizeof(text),
            "{\"signal\": {\"name\": \"SIGSEGV\", \"code\": 1}, \"threads\": [{\"crashed\": true, "
            "\"stack\": {\"overflow\": true}, \"frames\": [%s]}], \"modules\": [" EXE "]}",
            frames);
        struct keys keys = keys_of(text);
        assert_string_equal(keys.frames, "prog!even > prog!odd > prog!main");
        if (!first.bug[0])
            first = keys;
        assert_string_equal(keys.bug, first.bug);
        assert_string_equal(keys.exact, first.exact);
    }
}

static void handlers_are_told_apart(void **state)
{
    (void)state;
    /* the handler itself crashed */
    struct keys inside = keys_with(HANDLER, EXE "," LIBC, "");
    assert_string_equal(inside.frames, "prog!handler > prog!work > prog!main");
    struct keys plain = keys_with(
        F("handler", 0, "0x50") "," F("work", 0, "0x10") "," F("main", 0, "0x20"), EXE, "");
    assert_string_not_equal(inside.bug, plain.bug);
    /* the fault lies below the handler */
    struct keys below = keys_of("{\"signal\": {\"name\": \"SIGSEGV\", \"code\": 1},"
                                " \"fault\": {\"source\": \"signal-frame\"},"
                                " \"threads\": [{\"crashed\": true, \"frames\": [" HANDLER "]}],"
                                " \"modules\": [" EXE "," LIBC "]}");
    assert_string_equal(below.frames, "prog!work > prog!main");
}

static void exit_is_a_tag_of_its_own(void **state)
{
    (void)state;
    static const char frames[] =
        F("destroy", 0, "0x10") "," F("__run_exit_handlers", 1, "0x1") "," F("exit", 1, "0x2");
    static const char twin[] =
        F("destroy", 0, "0x10") "," F("__run_something", 1, "0x1") "," F("exits", 1, "0x2");
    struct keys a = keys_with(frames, EXE "," LIBC, ""), b = keys_with(twin, EXE "," LIBC, "");
    assert_string_not_equal(a.bug, b.bug);
    assert_string_equal(a.exact, b.exact); /* names stay out of it */
}

static void messages_lose_their_numbers(void **state)
{
    (void)state;
    char *text = inq_group_message("prog: q.c:42: push: Assertion `p != 0x7ffe12' failed.\n");
    assert_string_equal(text, "prog: q.c:N: push: Assertion `p != ADDR' failed.");
    free(text);
    char lengthy[1024];
    memset(lengthy, 'x', sizeof(lengthy) - 1);
    lengthy[sizeof(lengthy) - 1] = '\0';
    text = inq_group_message(lengthy);
    assert_int_equal(strlen(text), 160);
    free(text);
    text = inq_group_message("");
    assert_string_equal(text, "");
    free(text);
    struct keys a = keys_with(F("f", 0, "0x1"), EXE, ", \"abort\": {\"message\": \"at 0x12\"}");
    struct keys b = keys_with(F("f", 0, "0x1"), EXE, ", \"abort\": {\"message\": \"at 0x99\"}");
    assert_string_equal(a.bug, b.bug);
    assert_string_equal(a.title, "SIGSEGV write null-page in f: at ADDR");
}

static void names_are_normalised(void **state)
{
    (void)state;
    static const char *const modules[][2] = {
        {"libldap-1accf1ee.so.2.0.200", "libldap"},
        {"/usr/lib/libstdc++.so.6.0.30", "libstdc++"},
        {"libc-2.31.so", "libc"},
        {"libc.so.6", "libc"},
        {"ld-2.31.so", "ld"},
        {"ld-linux-x86-64.so.2", "ld"},
        {"ld-musl-x86_64.so.1", "ld"},
        {"/tmp/prog (deleted)", "prog"},
        {"libfoo.so.1 (deleted)", "libfoo"},
        {"libscipy_openblas64_-fdde5778.so", "libscipy_openblas64_"},
        {"libopenjp2-rasterio-a166e295.so.2.5.2", "libopenjp2-rasterio"},
        {"_multiarray_umath.cpython-311-x86_64-linux-gnu.so", "_multiarray_umath"},
        {"_psycopg.abi3.so", "_psycopg"},
        {"liblber-2.4.so.2", "liblber"},
        {"python3.11", "python3.11"},
        {"node-18", "node-18"},
        {"a.somebody", "a.somebody"},
        {".so", ".so"},
        {"-12345678", "-12345678"},
        {"[vdso]", "[vdso]"},
        {"/", "/"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        char *name = inq_group_module_name(modules[i][0]);
        assert_string_equal(name, modules[i][1]);
        free(name);
    }
    static const char *const functions[][2] = {
        {"work.part.0", "work"},
        {"work.constprop.0.isra.3", "work"},
        {"work.cold", "work"},
        {"work.colder", "work.colder"},
        {"memcpy@@GLIBC_2.14", "memcpy"},
        {"__GI_raise", "raise"},
        {"core::panicking::panic::h0123456789abcdef", "core::panicking::panic"},
        {"a::hello", "a::hello"},
        {".cold", ".cold"},
        {"@", "@"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        char *name = inq_group_function_name(functions[i][0]);
        assert_string_equal(name, functions[i][1]);
        free(name);
    }
}

static void little_is_enough(void **state)
{
    (void)state;
    struct inq_evidence *evidence = evidence_of("{}");
    assert_null(inq_group_key(evidence));
    assert_null(json_object_get(evidence->document, "group"));
    inq_evidence_destroy(evidence);
    /* no frames: at least the programs are told apart */
    struct keys a =
        keys_of("{\"signal\": {\"name\": \"SIGSEGV\"}, \"process\": {\"comm\": \"a\"}}");
    struct keys b =
        keys_of("{\"signal\": {\"name\": \"SIGSEGV\"}, \"process\": {\"comm\": \"b\"}}");
    assert_string_not_equal(a.bug, b.bug);
    assert_string_equal(a.title, "SIGSEGV");
    /* documents that make no sense */
    keys_of("{\"signal\": {\"name\": \"X\", \"code\": \"x\"}, \"threads\": [{\"crashed\": true,"
            " \"frames\": [1, null, {\"module\": -1}, {\"module\": 99, \"function\": 3},"
            " {\"module\": 0, \"module_offset\": \"zz\"}]}], \"modules\": [7]}");
}

int test_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(titles_and_frames_are_for_people),
        cmocka_unit_test(place_in_memory_does_not_matter),
        cmocka_unit_test(another_build_is_the_same_bug),
        cmocka_unit_test(different_crashes_differ),
        cmocka_unit_test(the_runtime_in_front_is_skipped),
        cmocka_unit_test(those_who_only_report_are_skipped),
        cmocka_unit_test(no_address_gets_into_a_key),
        cmocka_unit_test(modules_without_headers_have_a_place),
        cmocka_unit_test(scanned_frames_stay_out),
        cmocka_unit_test(recursion_is_folded),
        cmocka_unit_test(overflows_do_not_depend_on_where_they_end),
        cmocka_unit_test(handlers_are_told_apart),
        cmocka_unit_test(exit_is_a_tag_of_its_own),
        cmocka_unit_test(messages_lose_their_numbers),
        cmocka_unit_test(names_are_normalised),
        cmocka_unit_test(little_is_enough),
    };
    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
