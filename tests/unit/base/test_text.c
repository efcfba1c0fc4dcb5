/* SPDX-License-Identifier: Apache-2.0 */
#include "base_tests.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

static void check_escaped_bytes(const char *bytes, size_t size, const char *expected)
{
    struct inq_text text = {0};

    inq_text_append_escaped(&text, bytes, size);
    inq_text_append(&text, "");
    assert_false(text.failed);
    assert_string_equal(text.bytes, expected);
    inq_text_deinit(&text);
}

static void check_escaped(const char *string, const char *expected)
{
    check_escaped_bytes(string, strlen(string), expected);
}

static void escape_passes_what_is_printable(void **state)
{
    (void)state;
    check_escaped("", "");
    check_escaped("plain text, 'quotes' \"too\" <b>", "plain text, 'quotes' \"too\" <b>");
    check_escaped("na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x90\x9b",
                  "na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x90\x9b");
}

static void escape_stops_controls(void **state)
{
    (void)state;
    check_escaped("\x1b[31mred", "\\x1b[31mred");
    check_escaped("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d");
    check_escaped("\x7f", "\\x7f");
    check_escaped("a\\nb", "a\\x5cnb");
    check_escaped_bytes("a\0b", 3, "a\\x00b");
    /* CSI, once as a raw byte and once as U+009B. */
    check_escaped("\x9b"
                  "2J",
                  "\\x9b2J");
    check_escaped("\xc2\x9b"
                  "2J",
                  "\\u009b2J");
}

static void escape_stops_invisible_characters(void **state)
{
    (void)state;
    check_escaped("\xe2\x80\xae", "\\u202e");         /* right-to-left override */
    check_escaped("\xe2\x81\xa6", "\\u2066");         /* left-to-right isolate */
    check_escaped("\xe2\x81\xa9", "\\u2069");         /* pop isolate */
    check_escaped("\xd8\x9c", "\\u061c");             /* Arabic letter mark */
    check_escaped("\xe2\x80\x8b", "\\u200b");         /* zero-width space */
    check_escaped("\xe2\x80\x8d", "\\u200d");         /* zero-width joiner */
    check_escaped("\xe2\x80\xa8", "\\u2028");         /* line separator */
    check_escaped("\xe2\x80\xa9", "\\u2029");         /* paragraph separator */
    check_escaped("\xef\xbb\xbf", "\\ufeff");         /* byte order mark */
    check_escaped("\xc2\xad", "\\u00ad");             /* soft hyphen */
    check_escaped("\xef\xbf\xbf", "\\uffff");         /* not a character */
    check_escaped("\xf3\xa0\x81\x81", "\\U000e0041"); /* tag "A" */
}

static void escape_stops_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    check_escaped("\xff\xfe", "\\xff\\xfe");
    check_escaped("\xc0\xaf", "\\xc0\\xaf");          /* overlong '/' */
    check_escaped("\xe0\x80\xaf", "\\xe0\\x80\\xaf"); /* overlong, three bytes */
    check_escaped("\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf");
    check_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* a surrogate */
    check_escaped("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
    check_escaped("\xe6\x97", "\\xe6\\x97");                   /* cut short */
    check_escaped("\xe6\x97x", "\\xe6\\x97x");
    check_escaped("\x80z", "\\x80z");
}

/* Whatever comes in, what comes out is one line of valid, printable UTF-8. */
static void escape_never_lets_a_control_through(void **state)
{
    uint32_t x = 2463534242u;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct inq_text text = {0};
        _cleanup_free_ char *again = NULL;
        char bytes[64];
        bool lossy = true;

        for (size_t i = 0; i < sizeof(bytes); i++) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            bytes[i] = (char)(x >> 11);
        }
        inq_text_append_escaped(&text, bytes, sizeof(bytes));
        assert_false(text.failed);
        for (size_t i = 0; i < text.size; i++) {
            assert_true((unsigned char)text.bytes[i] >= 0x20);
            assert_true(text.bytes[i] != 0x7f);
        }
        again = inq_utf8_from_bytes(text.bytes, text.size, &lossy);
        assert_non_null(again);
        assert_false(lossy);
        inq_text_deinit(&text);
    }
}

static void escape_of_a_string(void **state)
{
    _cleanup_free_ char *escaped = inq_escape("a\x1b"
                                              "b");
    _cleanup_free_ char *nothing = inq_escape(NULL);

    (void)state;
    assert_string_equal(escaped, "a\\x1bb");
    assert_string_equal(nothing, "");
}

static void check_utf8(const char *bytes, size_t size, const char *expected, bool expected_lossy)
{
    bool lossy = !expected_lossy;
    _cleanup_free_ char *text = inq_utf8_from_bytes(bytes, size, &lossy);

    assert_string_equal(text, expected);
    assert_int_equal(lossy, expected_lossy);
}

static void utf8_says_when_it_changed_something(void **state)
{
    (void)state;
    check_utf8("", 0, "", false);
    check_utf8("a\\b\n\x1b", 5, "a\\b\n\x1b", false); /* JSON's own escapes see to those */
    check_utf8("\xe2\x80\xae", 3, "\xe2\x80\xae", false);
    check_utf8("a\0b", 3, "a\\x00b", true);
    check_utf8("\x7f", 1, "\\x7f", true);
    check_utf8("lib\xff.so", 7, "lib\\xff.so", true);
    check_utf8("\xed\xa0\x80", 3, "\\xed\\xa0\\x80", true);
    check_utf8("\xc3", 1, "\\xc3", true);
}

static void check_base64(const char *bytes, const char *expected)
{
    _cleanup_free_ char *text = inq_base64(bytes, strlen(bytes));

    assert_string_equal(text, expected);
}

static void base64_of_the_rfc(void **state)
{
    _cleanup_free_ char *high = inq_base64("\xff\xef\xbe", 3);

    (void)state;
    check_base64("", "");
    check_base64("f", "Zg==");
    check_base64("fo", "Zm8=");
    check_base64("foo", "Zm9v");
    check_base64("foob", "Zm9vYg==");
    check_base64("fooba", "Zm9vYmE=");
    check_base64("foobar", "Zm9vYmFy");
    assert_string_equal(high, "/+++");
}

static void width_counts_columns(void **state)
{
    (void)state;
    assert_int_equal(inq_text_width(""), 0);
    assert_int_equal(inq_text_width("abc"), 3);
    assert_int_equal(inq_text_width("na\xc3\xafve"), 5);
    assert_int_equal(inq_text_width("\x1b[1;31mred\x1b[0m"), 3);
    assert_int_equal(inq_text_width("\x1b["), 0);
    assert_int_equal(inq_text_width("\xff\xff"), 2);
}

static void text_grows_and_prints(void **state)
{
    struct inq_text text = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        inq_text_printf(&text, "%d,", i);
    assert_false(text.failed);
    assert_int_equal(text.size, 10 * 2 + 90 * 3 + 900 * 4);
    assert_int_equal(strlen(text.bytes), text.size);
    assert_true(inq_starts_with(text.bytes, "0,1,2,"));
    assert_true(inq_ends_with(text.bytes, ",998,999,"));
    inq_text_deinit(&text);
    assert_null(text.bytes);
}

static void text_without_memory_stays_as_it_is(void **state)
{
    struct inq_text text = {0};

    (void)state;
    inq_text_append(&text, "kept");
    inq_text_append_bytes(&text, "", SIZE_MAX - 2);
    assert_true(text.failed);
    inq_text_append(&text, "more");
    assert_string_equal(text.bytes, "kept");
    inq_text_deinit(&text);
}

/* What just fits, what just does not, and what is nothing. */
static void printing_up_to_the_end_of_the_room(void **state)
{
    (void)state;
    for (int before = 0; before < 130; before++)
        for (int size = 0; size < 70; size++) {
            struct inq_text text = {0};

            inq_text_printf(&text, "%*s", before, "");
            inq_text_printf(&text, "%0*d", size, 7);
            inq_text_append(&text, "|");
            assert_false(text.failed);
            assert_int_equal(text.size, before + (size ? size : 1) + 1);
            assert_int_equal(strlen(text.bytes), text.size);
            assert_string_equal(text.bytes + text.size - 2, "7|");
            assert_int_equal(strspn(text.bytes, " "), before);
            inq_text_deinit(&text);
        }
}

static void room_for_a_writer_of_its_own(void **state)
{
    struct inq_text text = {0};
    char *end;

    (void)state;
    inq_text_append(&text, "ab");
    end = inq_text_room(&text, 200);
    assert_non_null(end);
    assert_ptr_equal(end, text.bytes + 2);
    memset(end, 'c', 200);
    end[200] = '\0';
    text.size += 200;
    inq_text_append(&text, "d");
    assert_int_equal(strlen(text.bytes), 203);
    assert_null(inq_text_room(&text, SIZE_MAX - 2));
    assert_true(text.failed);
    assert_null(inq_text_room(&text, 1));
    inq_text_deinit(&text);
}

static void begins_and_ends(void **state)
{
    (void)state;
    assert_true(inq_starts_with("abc", ""));
    assert_false(inq_starts_with("ab", "abc"));
    assert_true(inq_ends_with("abc", "bc"));
    assert_true(inq_ends_with("abc", ""));
    assert_false(inq_ends_with("c", "bc"));
}

static void glob_matches(void **state)
{
    (void)state;
    assert_true(inq_glob_match("", ""));
    assert_false(inq_glob_match("", "a"));
    assert_true(inq_glob_match("*", ""));
    assert_true(inq_glob_match("**", "anything"));
    assert_true(inq_glob_match("lib*.so.?", "libc.so.6"));
    assert_false(inq_glob_match("lib*.so.?", "libc.so.61"));
    assert_true(inq_glob_match("*openblas*", "libscipy_openblas64_.so"));
    assert_false(inq_glob_match("?", ""));
    assert_true(inq_glob_match("*ab", "aab"));
    assert_true(inq_glob_match("a*b*c", "aXbYbZc"));
    assert_false(inq_glob_match("a*b*c", "aXbYbZ"));
}

static void glob_sets_and_quotes(void **state)
{
    (void)state;
    assert_true(inq_glob_match("x[0-9a-f]y", "xcy"));
    assert_false(inq_glob_match("x[0-9a-f]y", "xgy"));
    assert_true(inq_glob_match("[!a]", "b"));
    assert_false(inq_glob_match("[^a]", "a"));
    assert_true(inq_glob_match("[]]", "]"));
    assert_true(inq_glob_match("[a-]", "-"));
    assert_true(inq_glob_match("[\\]x]", "]"));
    assert_true(inq_glob_match("\\*", "*"));
    assert_false(inq_glob_match("\\*", "x"));
    assert_true(inq_glob_match("a[b", "a[b")); /* never closed */
    assert_false(inq_glob_match("a[b", "ab"));
    assert_true(inq_glob_match("[\x80-\xff]", "\xc3"));
    assert_true(inq_glob_match("a\\", "a\\"));
}

/* With backtracking over every `*` this takes some 10^28 steps: it would not come back. */
static void glob_is_linear(void **state)
{
    const size_t size = 1024 * 1024;
    _cleanup_free_ char *name = malloc(size + 1);

    (void)state;
    assert_non_null(name);
    memset(name, 'a', size);
    name[size] = '\0';
    assert_false(inq_glob_match("*a*a*a*a*b", name));
    assert_true(inq_glob_match("*a*a*a*a*a", name));
    name[size - 1] = 'b';
    assert_true(inq_glob_match("*a*a*a*a*b", name));
}

int run_text_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escape_passes_what_is_printable),
        cmocka_unit_test(escape_stops_controls),
        cmocka_unit_test(escape_stops_invisible_characters),
        cmocka_unit_test(escape_stops_bytes_that_are_not_utf8),
        cmocka_unit_test(escape_never_lets_a_control_through),
        cmocka_unit_test(escape_of_a_string),
        cmocka_unit_test(utf8_says_when_it_changed_something),
        cmocka_unit_test(base64_of_the_rfc),
        cmocka_unit_test(width_counts_columns),
        cmocka_unit_test(text_grows_and_prints),
        cmocka_unit_test(text_without_memory_stays_as_it_is),
        cmocka_unit_test(printing_up_to_the_end_of_the_room),
        cmocka_unit_test(room_for_a_writer_of_its_own),
        cmocka_unit_test(begins_and_ends),
        cmocka_unit_test(glob_matches),
        cmocka_unit_test(glob_sets_and_quotes),
        cmocka_unit_test(glob_is_linear),
    };

    return cmocka_run_group_tests_name("base: text", tests, NULL, NULL);
}
