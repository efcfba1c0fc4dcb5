/* SPDX-License-Identifier: Apache-2.0 */

/* Files that are no signature files, and those that would be too much. */

#include <stdio.h>
#include <string.h>

#include "rules_tests.h"

static void assert_error(const char *text, const char *start)
{
    const char *error = rules_error(text);
    if (strncmp(error, start, strlen(start)) != 0)
        fail_msg("expected %s… but got %s", start, error);
}

static void good_files_are_good(void **state)
{
    (void)state;
    assert_string_equal(rules_error(WHEN("signal.name is SIGSEGV")), "");
    assert_string_equal(rules_error("[]\n"), "");
    /* a byte order mark, and lines that end in CR LF */
    assert_string_equal(rules_error("\xef\xbb\xbf" WHEN("signal.name is SIGSEGV")), "");
    assert_string_equal(rules_error("- id: r\r\n  title: t\r\n  cause: c\r\n  when:\r\n"
                                    "    - signal.name is SIGSEGV\r\n"),
                        "");
    assert_string_equal(rules_error("\xef\xbb\xbf- id: r\r\n  title: t\r\n  cause: c\r\n"
                                    "  when: [signal.name is SIGSEGV]\r\n"),
                        "");
}

static void places_survive_mark_and_crlf(void **state)
{
    (void)state;
    assert_error("\xef\xbb\xbf- id: r\r\n  nonsense: 1\r\n", "r.yaml:2:3: unknown key");
    assert_error("\xef\xbb\xbfid: r\r\n", "r.yaml:1:1: a signature file is a list");
}

static void syntax_errors_have_a_place(void **state)
{
    (void)state;
    assert_error("- id: r\n  title: [\n", "r.yaml:3:1: ");
    assert_error("- id: r\n\ttitle: t\n", "r.yaml:2:1: found a tab character");
    assert_error("- id: 'r\n", "r.yaml:2:1: ");
    /* two that everybody makes: they are told what to do */
    assert_error(WHEN("abort.message is a: b: c"),
                 "r.yaml:5:28: mapping values are not allowed in this context (a line that holds");
    assert_error(RULE("  when: [frame[0].function is f]\n"),
                 "r.yaml:4:15: did not find expected ',' or ']' (inside [ ] a line");
    assert_error("", "r.yaml:1:1: a signature file is a list");
    assert_error("# nothing\n", "r.yaml:1:1: a signature file is a list");
    assert_error("hello\n", "r.yaml:1:1: a signature file is a list");
    assert_error("- hello\n", "r.yaml:1:3: a rule is expected");
    assert_error("[]\n---\n[]\n", "r.yaml:2:1: only one YAML document");
}

static void what_makes_small_files_large_is_refused(void **state)
{
    (void)state;
    assert_error("- &a []\n- *a\n", "r.yaml:1:3: YAML anchors");
    assert_error("- *a\n", "r.yaml:1:3: YAML anchors");
    assert_error("- &a {id: r}\n", "r.yaml:1:3: YAML anchors");
    assert_error("- id: &a r\n", "r.yaml:1:7: YAML anchors");
    assert_error("- !!python/object:os.system {}\n", "r.yaml:1:3: YAML tags");
    assert_error("- id: !x r\n", "r.yaml:1:7: YAML tags");
    /* a thousand million laughs, in 9 lines */
    assert_error("- &a [x,x,x,x,x,x,x,x,x,x]\n- &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                 "- &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n- &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
                 "r.yaml:1:3: YAML anchors");
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char text[100001];
    memset(text, '[', 100000);
    text[100000] = '\0';
    assert_error(text, "r.yaml:1:17: nested deeper than 16");
    for (size_t i = 0; i < 100000; i += 2) {
        text[i] = '-';
        text[i + 1] = ' ';
    }
    assert_error(text, "r.yaml:1:33: nested deeper than 16");
    memset(text, '{', 100000);
    assert_error(text, "r.yaml:1:17: nested deeper than 16");
}

static void size_is_bounded(void **state)
{
    (void)state;
    size_t size = 5u << 20;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '#', size);
    assert_string_equal(rules_error_bytes(text, size), "r.yaml:1:1: larger than 4 MiB");

    /* many small values */
    size = 4u << 20;
    text[0] = '[';
    for (size_t i = 1; i + 2 < size; i += 3)
        memcpy(text + i, "[],", 3);
    assert_true(strstr(rules_error_bytes(text, size), "more than 400000 values") != NULL);

    /* one long string */
    memset(text, 'a', size);
    memcpy(text, "- id: ", 6);
    assert_string_equal(rules_error_bytes(text, size),
                        "r.yaml:1:7: a text of more than 4096 bytes");
    free(text);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const char nul[] = "- id: r\n  title: \0t\n";
    assert_string_equal(
        rules_error_bytes(nul, sizeof(nul) - 1),
        "r.yaml:2:10: not a text file in UTF-8: control characters are not allowed");
    assert_error("- id: \"a\\0b\"\n", "r.yaml:1:7: a text with a NUL byte");
    assert_error("- id: \xff\xfe\n", "r.yaml:1:7: not a text file in UTF-8: ");
    assert_error("\x7f"
                 "ELF\x02\x01\x01",
                 "r.yaml:1:1: not a text file in UTF-8: ");
    /* UTF-16 is not guessed */
    static const char utf16[] = "\xff\xfe[\0]\0";
    assert_true(strstr(rules_error_bytes(utf16, sizeof(utf16) - 1), "not a text file") != NULL);
    unsigned char noise[4096];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof(noise); i++) {
        seed = seed * 1664525u + 1013904223u;
        noise[i] = (unsigned char)(seed >> 24);
    }
    assert_true(rules_error_bytes(noise, sizeof(noise))[0] != '\0');
}

/* Whatever is cut off or changed in a good file: an answer, no crash. */
static void mutants_are_survived(void **state)
{
    (void)state;
    static const char good[] =
        "- id: r\n  title: t\n  when:\n    - signal.name is SIGSEGV\n"
        "    - any modules: [module.name like \"lib*\", module.deleted is true]\n"
        "  against:\n    - when: [fault.address >= 0x10]\n      text: '{fault.address} {{'\n"
        "  cause: >-\n    {module.name} at {fault.address}\n"
        "  fix:\n    - text: x\n      commands: [a, 'b {fault.address}']\n";
    assert_string_equal(rules_error(good), "");
    char text[sizeof(good)];
    static const char odd[] = "{}[]:-\"'&*!|>%@`#\t\n ,?\\\x01\xc3";
    for (size_t i = 0; i < sizeof(good) - 1; i++) {
        memcpy(text, good, sizeof(good));
        text[i] = '\0';
        (void)rules_error(text);
        memcpy(text, good, sizeof(good));
        text[i] = odd[i % (sizeof(odd) - 1)];
        (void)rules_error(text);
    }
}

int test_yaml(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files_are_good),
        cmocka_unit_test(places_survive_mark_and_crlf),
        cmocka_unit_test(syntax_errors_have_a_place),
        cmocka_unit_test(what_makes_small_files_large_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(mutants_are_survived),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
