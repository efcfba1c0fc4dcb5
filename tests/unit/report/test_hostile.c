/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever a document holds, only harmless bytes reach the page. */

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "facts.h"
#include "report_tests.h"

/* No C0 but newline, no DEL, no C1, no bidi control, no line separator. */
static void assert_harmless(const char *text)
{
    for (const uint8_t *at = (const uint8_t *)text; *at; at++) {
        assert_true(*at >= 0x20 || *at == '\n');
        assert_int_not_equal(*at, 0x7f);
        if (at[0] == 0xc2)
            assert_true(at[1] >= 0xa0);
        if (at[0] == 0xe2 && at[1] == 0x80)
            assert_true((at[2] < 0x8b || at[2] > 0x8f) && (at[2] < 0xa8 || at[2] > 0xae));
        if (at[0] == 0xe2 && at[1] == 0x81)
            assert_true(at[2] < 0xa0 || at[2] > 0xaf);
    }
}

/* A forged line would begin a line: the text is only ever seen after an escape. */
static void assert_not_forged(const char *text)
{
    assert_null(strstr(text, "\nINQ-000"));
}

static void in_every_style(const json_t *document)
{
    static const unsigned widths[] = {0, 1, 10, 40, 80, 200};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(widths); i++) {
        for (int verbose = 0; verbose < 2; verbose++) {
            struct inq_style style = {.width = widths[i], .verbose = verbose};
            struct inq_text line = {0};
            _cleanup_free_ char *text = render(document, style);
            assert_harmless(text);
            if (widths[i] >= 40)
                assert_not_forged(text);
            inq_report_line(document, &style, &line);
            assert_harmless(line.bytes);
            assert_null(strchr(line.bytes, '\n'));
            inq_text_deinit(&line);
        }
    }
}

static void hostile_strings(void **state)
{
    (void)state;
    json_t *document = golden_document("hostile");
    in_every_style(document);
    json_decref(document);
    document = golden_document("stub-not-elf");
    json_t *error = json_object_get(document, "error");
    json_object_set_new(error, "message", json_string("\x1b]0;title\x07 a\nINQ-000 b\xe2\x80\xae"));
    json_object_set_new(error, "file", json_string("\x1b[2J\r\nINQ-000"));
    in_every_style(document);
    json_decref(document);
}

static json_t *odd_value(size_t which)
{
    switch (which % 9) {
    case 0:
        return json_integer(-1);
    case 1:
        return json_integer(INT64_MAX);
    case 2:
        return json_string("\x1b[31m\n\xe2\x80\xae\xc2\x9b");
    case 3:
        return json_array();
    case 4:
        return json_object();
    case 5:
        return json_null();
    case 6:
        return json_pack("[s, i, n, {}, []]", "\x1b", 5);
    case 7:
        return json_integer(INT64_MIN);
    default:
        return json_true();
    }
}

/* Replaces the n-th value of the document, counting in depth; false when there are fewer. */
static bool replace_nth(json_t *value, size_t *n, size_t which)
{
    const char *key;
    json_t *item;
    void *next;
    size_t i;
    json_object_foreach_safe(value, next, key, item)
    {
        if ((*n)-- == 0)
            return !json_object_set_new(value, key, odd_value(which));
        if (replace_nth(item, n, which))
            return true;
    }
    json_array_foreach(value, i, item)
    {
        if ((*n)-- == 0)
            return !json_array_set_new(value, i, odd_value(which));
        if (replace_nth(item, n, which))
            return true;
    }
    return false;
}

/* Any value of any type anywhere: the report reads what it understands and never falls over. */
static void odd_types_everywhere(void **state)
{
    (void)state;
    static const char *const names[] = {"free-near-null", "external-signal", "hostile",
                                        "stub-not-elf"};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        json_t *document = golden_document(names[i]);
        for (size_t at = 0;; at++) {
            json_t *copy = json_deep_copy(document);
            size_t n = at;
            bool found = replace_nth(copy, &n, at);
            if (found) {
                struct inq_style style = {.width = 80, .verbose = at % 2};
                struct inq_text line = {0};
                _cleanup_free_ char *text = render(copy, style);
                assert_harmless(text);
                inq_report_line(copy, &style, &line);
                assert_harmless(line.bytes);
                inq_text_deinit(&line);
                int exit_code = inq_report_exit_code(copy);
                assert_true(exit_code >= 0 && exit_code < 256);
            }
            json_decref(copy);
            if (!found)
                break;
        }
        json_decref(document);
    }
}

static void an_empty_document(void **state)
{
    (void)state;
    json_t *document = json_object();
    in_every_style(document);
    json_decref(document);
}

int test_hostile(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_strings),
        cmocka_unit_test(odd_types_everywhere),
        cmocka_unit_test(an_empty_document),
    };
    return cmocka_run_group_tests_name("hostile documents", tests, NULL, NULL);
}
