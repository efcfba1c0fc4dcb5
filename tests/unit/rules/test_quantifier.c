/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <string.h>

#include "rules_tests.h"

#define ANY_LIBPQ RULE("  when:\n    - any modules: [module.name like \"libpq*\"]\n")

static void any_is_three_valued(void **state)
{
    (void)state;
    assert_int_equal(rules_when(ANY_LIBPQ, "{\"modules\": [{\"name\": \"a\"},"
                                           " {\"name\": \"libpq.so.5\"}]}"),
                     INQ_YES);
    assert_int_equal(rules_when(ANY_LIBPQ, "{\"modules\": [{\"name\": \"a\"}]}"), INQ_NO);
    assert_int_equal(rules_when(ANY_LIBPQ, "{\"modules\": []}"), INQ_NO);
    assert_int_equal(rules_when(ANY_LIBPQ, "{}"), INQ_NO);
    assert_int_equal(rules_when(ANY_LIBPQ, "{\"unknown\": {\"modules\": \"no note\"}}"), INQ_MAYBE);
    /* a member that is not there for this element alone */
    assert_int_equal(rules_when(ANY_LIBPQ, "{\"modules\": [{\"name\": null}, {}]}"), INQ_NO);
}

static void lists_that_were_cut_say_maybe(void **state)
{
    (void)state;
    assert_int_equal(rules_when(ANY_LIBPQ, "{\"modules\": [{\"name\": \"a\"}],"
                                           " \"gaps\": [{\"code\": \"INQ-077\"}]}"),
                     INQ_MAYBE);
    assert_int_equal(rules_when(ANY_LIBPQ, "{\"modules\": [{\"name\": \"a\"}],"
                                           " \"core\": {\"notes_cut\": true}}"),
                     INQ_MAYBE);
    /* what was found stays found */
    assert_int_equal(rules_when(ANY_LIBPQ, "{\"modules\": [{\"name\": \"libpq.so\"}],"
                                           " \"core\": {\"notes_cut\": true}}"),
                     INQ_YES);
    static const char thread[] = RULE("  when:\n    - any threads: [thread.tid is 7]\n");
    assert_int_equal(rules_when(thread, "{\"threads_total\": 2, \"threads\": [{\"tid\": 1},"
                                        " {\"tid\": 2}]}"),
                     INQ_NO);
    assert_int_equal(rules_when(thread, "{\"threads_total\": 9, \"threads\": [{\"tid\": 1},"
                                        " {\"tid\": 2}]}"),
                     INQ_MAYBE);
    static const char frame[] = RULE("  when:\n    - any frames: [frame.function is main]\n");
    static const char *const stacks[3] = {
        "{\"threads\": [{\"crashed\": true, \"complete\": true, \"frames\": [{\"function\": "
        "\"f\"}]}]}",
        "{\"threads\": [{\"crashed\": true, \"complete\": false,"
        " \"frames\": [{\"function\": \"f\"}]}]}",
        "{\"threads\": [{\"crashed\": true, \"complete\": true, \"truncated\": true,"
        " \"frames\": [{\"function\": \"f\"}]}]}",
    };
    assert_int_equal(rules_when(frame, stacks[0]), INQ_NO);
    assert_int_equal(rules_when(frame, stacks[1]), INQ_MAYBE);
    assert_int_equal(rules_when(frame, stacks[2]), INQ_MAYBE);
}

static void all_lines_must_hold_for_one_element(void **state)
{
    (void)state;
    static const char rule[] = RULE("  when:\n    - any modules: [module.name is a, "
                                    "module.deleted is true, signal.name is SIGSEGV]\n");
    assert_int_equal(rules_when(rule, "{\"signal\": {\"name\": \"SIGSEGV\"}, \"modules\": ["
                                      "{\"name\": \"a\", \"deleted\": false},"
                                      "{\"name\": \"b\", \"deleted\": true}]}"),
                     INQ_NO);
    assert_int_equal(rules_when(rule, "{\"signal\": {\"name\": \"SIGSEGV\"}, \"modules\": ["
                                      "{\"name\": \"a\", \"deleted\": true}]}"),
                     INQ_YES);
    assert_int_equal(rules_when(rule, "{\"signal\": {\"name\": \"SIGBUS\"}, \"modules\": ["
                                      "{\"name\": \"a\", \"deleted\": true}]}"),
                     INQ_NO);
    assert_int_equal(rules_when(rule, "{\"unknown\": {\"signal\": \"no note\"}, \"modules\": ["
                                      "{\"name\": \"a\", \"deleted\": true}]}"),
                     INQ_MAYBE);
    /* members of members */
    assert_int_equal(
        rules_when(RULE("  when:\n    - any threads: [thread.stack.size_bytes < 4096]\n"),
                   "{\"threads\": [{\"stack\": {\"size_bytes\": 8192}},"
                   " {\"stack\": {\"size_bytes\": 64}}]}"),
        INQ_YES);
}

static void the_element_is_remembered(void **state)
{
    (void)state;
    json_t *json = rules_document("{\"modules\": [{\"name\": \"a\"}, {\"name\": \"libpq.so\"}]}");
    struct rules_result result = rules_evaluate(ANY_LIBPQ, json);
    assert_string_equal(result.match->scope.items[0].name, "module");
    assert_ptr_equal(result.match->scope.items[0].value,
                     json_array_get(json_object_get(json, "modules"), 1));
    assert_string_equal(result.match->findings[0].seen, "module libpq.so");
    assert_string_equal(result.match->findings[0].fact, "modules");
    rules_result_free(&result);
    json_decref(json);

    json = rules_document("{\"modules\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}");
    result = rules_evaluate(ANY_LIBPQ, json);
    assert_null(result.match->scope.items[0].value);
    assert_string_equal(result.match->findings[0].seen, "none of 2");
    rules_result_free(&result);
    json_decref(json);
}

static void quantifiers_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *error;
    } all[] = {
        {"    - count modules: [module.name is a]\n", "5:20: an operator is expected"},
        {"    - count modules in [1]: [module.name is a]\n", "5:21: a count is compared with"},
        {"    - count modules >= many: [module.name is a]\n",
         "5:24: \"many\" is not a whole number"},
        {"    - count modules >= 1 or so: [module.name is a]\n", "5:26: nothing more"},
        {"    - count modules\n", "5:20: an operator is expected"},
        {"    - either: []\n", "5:15: a quantifier without conditions"},
        {"    - either: [module.name is a]\n", "5:16: there is no fact"},
        {"    - {any modules: [module.name is a], says: '{thread.tid}'}\n",
         "5:49: there is no fact"},
        {"    - {any modules: [module.name is a], because: x}\n",
         "5:7: a condition is a text, or one quantifier"},
        {"    - some modules: [module.name is a]\n", "5:7: not a quantifier"},
        {"    - any gizmos: [module.name is a]\n", "5:11: \"gizmos\" is no list"},
        {"    - any: [module.name is a]\n", "5:10: \"\" is no list"},
        {"    - any signal.name: [module.name is a]\n", "5:11: \"signal.name\" is no list"},
        {"    - any modules: []\n", "5:20: a quantifier without conditions"},
        {"    - any modules: module.name is a\n", "5:20: \"any modules\" takes a list"},
        {"    - any modules: [thread.tid is 1]\n", "5:21: there is no fact"},
        {"    - any modules: [{any threads: [thread.tid is 1]}]\n",
         "5:26: inside a quantifier only lists of its element"},
        {"    - any modules: [{either: [count threads > 1]}]\n",
         "5:37: inside a quantifier only lists of its element"},
        {"    - any modules: [module.name is a]\n      any threads: [thread.tid is 1]\n",
         "5:7: a condition is a text, or one quantifier"},
        {"    - {}\n", "5:7: a condition is a text, or one quantifier"},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        char text[512], expected[256];
        snprintf(text, sizeof(text), RULE("  when:\n%s"), all[i].lines);
        snprintf(expected, sizeof(expected), "r.yaml:%s", all[i].error);
        if (strncmp(rules_error(text), expected, strlen(expected)) != 0)
            fail_msg("expected %s, got %s", expected, rules_error(text));
    }
}

int test_quantifier(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_is_three_valued),
        cmocka_unit_test(lists_that_were_cut_say_maybe),
        cmocka_unit_test(all_lines_must_hold_for_one_element),
        cmocka_unit_test(the_element_is_remembered),
        cmocka_unit_test(quantifiers_are_checked),
    };
    return cmocka_run_group_tests_name("quantifier", tests, NULL, NULL);
}
