/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "report_tests.h"

static size_t longest_line(const char *text)
{
    size_t longest = 0;
    while (*text) {
        size_t size = strcspn(text, "\n");
        _cleanup_free_ char *line = strndup(text, size);
        size_t width = inq_text_width(line);
        if (width > longest && !strstr(line, " gdb ")) /* one line to copy, whatever its size */
            longest = width;
        text += size + (text[size] == '\n');
    }
    return longest;
}

static void fits_the_terminal(void **state)
{
    (void)state;
    static const char *const names[] = {"free-near-null", "many-threads", "recursion"};
    static const unsigned widths[] = {80, 100, 132};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        json_t *document = golden_document(names[i]);
        for (size_t j = 0; j < INQ_ARRAY_SIZE(widths); j++) {
            _cleanup_free_ char *text = render(document, (struct inq_style){.width = widths[j]});
            assert_true(longest_line(text) <= widths[j]);
        }
        json_decref(document);
    }
}

static void no_colour_unless_asked(void **state)
{
    (void)state;
    json_t *document = golden_document("free-near-null");
    _cleanup_free_ char *plain = render(document, (struct inq_style){.width = 80});
    _cleanup_free_ char *colored = render(document, (struct inq_style){.width = 80, .color = true});
    assert_null(strchr(plain, '\033'));
    assert_non_null(strstr(colored, "\033[1;32mPROVEN\033[0m"));
    /* the same page but for the colours */
    char *out = colored;
    for (char *in = colored; *in;) {
        if (*in == '\033')
            in += strcspn(in, "m") + 1;
        else
            *out++ = *in++;
    }
    *out = '\0';
    assert_string_equal(colored, plain);
    json_decref(document);
}

static void ten_lines_tell_what_to_do(void **state)
{
    (void)state;
    static const char *const names[] = {"free-near-null", "external-signal", "many-threads"};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        json_t *document = golden_document(names[i]);
        _cleanup_free_ char *text = render(document, (struct inq_style){.width = 100});
        char *end = text;
        for (size_t line = 0; line < 10; line++)
            end += strcspn(end, "\n") + 1;
        *end = '\0';
        assert_non_null(strstr(text, "  Next: "));
        json_decref(document);
    }
}

/* What the chain tells is not told again, other symptoms are named, and what is refuted stands
 * before what is merely true; with -v everything is listed. */
static void symptoms_are_no_alternatives(void **state)
{
    (void)state;
    json_t *document = golden_document("free-near-null");
    json_error_t error;
    json_t *verdicts =
        json_loads("[{\"signature\": \"cause\", \"title\": \"Cause\", \"grade\": \"proven\"},"
                   " {\"signature\": \"link\", \"title\": \"Link\", \"grade\": \"proven\", "
                   "\"explained_by\": \"cause\"},"
                   " {\"signature\": \"beside\", \"title\": \"Beside\", \"grade\": \"strong\", "
                   "\"explained_by\": \"cause\"},"
                   " {\"signature\": \"true\", \"title\": \"True\", \"grade\": \"context\"},"
                   " {\"signature\": \"wrong\", \"title\": \"Wrong\", \"grade\": \"refuted\"}]",
                   0, &error);
    assert_non_null(verdicts);
    assert_int_equal(json_object_set_new(document, "verdicts", verdicts), 0);
    _cleanup_free_ char *text = render(document, (struct inq_style){.width = 80});
    assert_non_null(strstr(text, "Also considered\n  REFUTED  Wrong\n  CONTEXT  True\n"
                                 "  Symptoms, no causes of their own: beside\n"));
    assert_null(strstr(text, "PROVEN  Link"));
    _cleanup_free_ char *all = render(document, (struct inq_style){.width = 80, .verbose = true});
    assert_non_null(strstr(all, "  PROVEN  Link\n  STRONG  Beside\n"));
    while (json_array_size(verdicts) > 2)
        json_array_remove(verdicts, 2);
    _cleanup_free_ char *chain = render(document, (struct inq_style){.width = 80});
    assert_null(strstr(chain, "Also considered"));
    json_decref(document);
}

static void identical_stacks_are_folded(void **state)
{
    (void)state;
    json_t *document = golden_document("many-threads");
    _cleanup_free_ char *text = render(document, (struct inq_style){.width = 80});
    assert_non_null(strstr(text, "17 threads like this: 31342, 31343,"));
    const char *first = strstr(text, "blas_thread_server");
    assert_non_null(first);
    assert_null(strstr(first + 1, "blas_thread_server"));
    json_decref(document);
}

/* Recursion is one line, with every frame accounted for. */
static void cycles_are_folded(void **state)
{
    (void)state;
    json_t *document = golden_document("recursion");
    _cleanup_free_ char *text = render(document, (struct inq_style){0});
    assert_non_null(strstr(
        text, "... frames 1-30806 repeat: visit_right > visit_left (15403 times)\n  #30807 "));
    assert_null(strstr(text, "left out"));
    /* a cycle that makes no sense folds nothing */
    json_t *thread = json_array_get(json_object_get(document, "threads"), 0);
    json_object_set_new(thread, "cycle",
                        json_pack("{s:I, s:I, s:I}", "start", INT64_MAX, "length", (json_int_t)2,
                                  "count", INT64_MAX));
    _cleanup_free_ char *odd = render(document, (struct inq_style){.verbose = true});
    assert_null(strstr(odd, "repeat"));
    assert_non_null(strstr(odd, "... 30670 frames left out\n  #30800 "));
    json_decref(document);
}

static json_t *with_gaps(const char *const *codes, size_t count)
{
    json_t *gaps = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(gaps, json_pack("{s:s}", "code", codes[i]));
    return json_pack("{s:o}", "gaps", gaps);
}

static void assert_exit(int expected, const char *const *codes, size_t count)
{
    json_t *report = with_gaps(codes, count);
    assert_int_equal(inq_report_exit_code(report), expected);
    json_decref(report);
}

static void exit_codes(void **state)
{
    (void)state;
    assert_exit(0, NULL, 0);
    assert_exit(0, (const char *[]){"INQ-093", "INQ-061"}, 2);
    assert_exit(1, (const char *[]){"INQ-093", "INQ-038"}, 2);
    assert_exit(4, (const char *[]){"INQ-038", "INQ-155", "INQ-038"}, 3);
    assert_exit(6, (const char *[]){"INQ-155", "INQ-015"}, 2);
    assert_exit(1, (const char *[]){"INQ-130"}, 1);
    assert_exit(1, (const char *[]){"nonsense"}, 1);
    json_t *stub = golden_document("stub-worker-died");
    assert_int_equal(inq_report_exit_code(stub), 5);
    json_decref(stub);
}

/* A shell gives back what stands in the document. */
static void the_gdb_line_is_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *path, *word;
    } cases[] = {
        {"/var/crash/core.1", "EXECUTABLE /var/crash/core.1\n"},
        {"/a b", "EXECUTABLE $'/a b'\n"},
        {"/it's", "EXECUTABLE $'/it\\'s'\n"},
        {"/$(reboot)`x`", "EXECUTABLE $'/$(reboot)`x`'\n"},
        {"a\\b", "EXECUTABLE $'a\\\\b'\n"},
        {"-x", "EXECUTABLE $'./-x'\n"},
        {"/a\nb", "EXECUTABLE $'/a\\x0ab'\n"},
    };
    for (size_t i = 0; i < INQ_ARRAY_SIZE(cases); i++) {
        json_t *report = json_pack("{s:{s:s}}", "core", "path", cases[i].path);
        _cleanup_free_ char *text = render(report, (struct inq_style){.width = 80});
        if (!strstr(text, cases[i].word))
            fail_msg("%s is not in %s", cases[i].word, text);
        json_decref(report);
    }
}

static void gaps_are_folded_and_counted(void **state)
{
    (void)state;
    json_t *document = golden_document("many-threads");
    _cleanup_free_ char *text = render(document, (struct inq_style){.width = 0});
    assert_non_null(strstr(text, "INQ-070  a file the process had mapped is not here (12): "));
    assert_non_null(strstr(text, ", ... 8 more\n"));
    assert_non_null(strstr(text, "-> --sysroot DIR"));
    _cleanup_free_ char *all = render(document, (struct inq_style){.width = 0, .verbose = true});
    assert_null(strstr(all, "... 8 more"));
    json_decref(document);
}

static void groups(void **state)
{
    (void)state;
    json_t *list = json_pack("[{s:s, s:s, s:i, s:s, s:s, s:[s, s]}, {s:s, s:s, s:i}]", "title",
                             "free() in release_row", "bug", "v1:a", "count", 14, "first",
                             "2024-03-01T12:00:00Z", "last", "2024-03-14T12:00:00Z", "programs",
                             "python3.11", "uw\x1bsgi", "title", "b\nc", "bug", "v1:b", "count", 1);
    struct inq_style style = {.width = 100};
    struct inq_text text = {0};
    inq_report_groups(list, &style, &text);
    assert_non_null(strstr(text.bytes, "2 groups\n   14  "));
    assert_non_null(strstr(
        text.bytes,
        "  free() in release_row; 2024-03-01 to 2024-03-14; python3.11, uw\\x1bsgi\n    1  "));
    assert_non_null(strstr(text.bytes, "  b\\x0ac\n"));
    inq_text_deinit(&text);
    json_decref(list);
}

/* 4096 different stacks of 256 frames would show a quadratic step. */
static void many_different_stacks(void **state)
{
    (void)state;
    json_t *threads = json_array();
    for (int i = 0; i < 4096; i++)
        json_array_append_new(threads, json_pack("{s:i, s:b, s:[{s:i, s:s, s:s, s:i}]}", "tid", i,
                                                 "crashed", 0, "frames", "index", 0, "pc", "0x1",
                                                 "function", "f", "module", i % 2000));
    json_t *report = json_pack("{s:o}", "threads", threads);
    _cleanup_free_ char *text = render(report, (struct inq_style){.width = 80});
    assert_non_null(strstr(text, "... 1992 more stacks of "));
    json_decref(report);
}

int test_report(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_the_terminal),
        cmocka_unit_test(no_colour_unless_asked),
        cmocka_unit_test(ten_lines_tell_what_to_do),
        cmocka_unit_test(symptoms_are_no_alternatives),
        cmocka_unit_test(identical_stacks_are_folded),
        cmocka_unit_test(cycles_are_folded),
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(the_gdb_line_is_quoted),
        cmocka_unit_test(gaps_are_folded_and_counted),
        cmocka_unit_test(groups),
        cmocka_unit_test(many_different_stacks),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
