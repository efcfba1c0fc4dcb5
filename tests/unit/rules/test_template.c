/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <string.h>

#include "rules_tests.h"

static void assert_rendered(const char *text, const json_t *document, const char *expected)
{
    char *rendered = inq_rule_render(text, document, NULL);
    assert_non_null(rendered);
    assert_string_equal(rendered, expected);
    free(rendered);
}

static void facts_are_filled_in(void **state)
{
    (void)state;
    json_t *document = rules_document(
        "{\"signal\": {\"number\": 11}, \"core\": {\"complete\": true},"
        " \"fault\": {\"address\": \"0x8\", \"function\": \"a\\u001bb{signal.number}\"},"
        " \"threads\": [{\"crashed\": true, \"frames\": [{\"index\": 0}, {\"index\": 1,"
        " \"function\": \"main\"}]}]}");
    assert_rendered("at {fault.address}", document, "at 0x8");
    assert_rendered("{signal.number}{core.complete}", document, "11true");
    assert_rendered("{frame[1].function}: {frame[0].function}", document,
                    "main: a function without a name");
    assert_rendered("{frame[0].function} failed", document, "A function without a name failed");
    assert_rendered("{fault.operand.base_value}", document, "(unknown)");
    assert_rendered("{{x} {{{signal.number} }", document, "{x} {11 }");
    assert_rendered("", document, "");
    /* neither escaped nor cut nor expanded again: that is for what prints it */
    assert_rendered("{fault.function}", document,
                    "a\x1b"
                    "b{signal.number}");
    /* refused when a file is read; shown as it stands */
    assert_rendered("{oops", document, "{oops");
    assert_rendered("{}", document, "{}");
    json_decref(document);
}

/* A path goes on through an index into modules[]; a module by itself is shown as its file. */
static void modules_are_named(void **state)
{
    (void)state;
    json_t *document = rules_document(
        "{\"modules\": [{\"path\": \"/usr/bin/prog\"},"
        " {\"path\": \"/e/site-packages/numpy.libs/libx.so\", \"owner\": {\"package\": \"numpy\","
        " \"requested_by\": [\"scipy\", \"pandas\"]}}],"
        " \"threads\": [{\"crashed\": true, \"frames\": [{\"index\": 0, \"module\": 1},"
        " {\"index\": 1, \"module\": 0}, {\"index\": 2, \"module\": 9}]}],"
        " \"collisions\": [{\"copies\": [0, 1, 7]}]}");
    assert_rendered("{frame[0].module}, {frame[1].module}", document,
                    "numpy.libs/libx.so, bin/prog");
    assert_rendered("{frame[0].module.owner.package}: {frame[0].module.owner.requested_by}",
                    document, "numpy: scipy, pandas");
    assert_rendered("{collisions[0].copies}", document, "bin/prog, numpy.libs/libx.so, (unknown)");
    assert_rendered("{frame[2].module} {frame[2].module.path|no file}", document,
                    "(unknown) no file");
    assert_rendered("{frame[1].module.owner.package|no package}{abort.message|}.", document,
                    "no package.");
    json_decref(document);
}

static void elements_are_filled_in(void **state)
{
    (void)state;
    json_t *document = rules_document("{\"modules\": [{\"name\": \"libpq.so\"}]}");
    struct rules_result result =
        rules_evaluate("- id: r\n  title: t\n  cause: 'in {module.name}'\n"
                       "  when:\n    - any modules: [module.name like \"lib*\"]\n",
                       document);
    char *text = inq_rule_render(result.rules->items[0].cause[0].text, document, result.match);
    assert_string_equal(text, "in libpq.so");
    free(text);
    rules_result_free(&result);
    json_decref(document);
}

static void templates_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } all[] = {
        {"- id: r\n  title: t\n  when: [signal exists]\n  cause: 'a {signal.nmae}'\n",
         "4:14: there is no fact \"signal.nmae\""},
        {"- id: r\n  title: t\n  when: [signal exists]\n  cause: 'a {signal.name'\n",
         "4:14: a fact in braces is expected"},
        {"- id: r\n  title: t\n  when: [signal exists]\n  cause: 'a { b }'\n",
         "4:14: a fact in braces is expected"},
        {"- id: r\n  title: t\n  when: [signal exists]\n  cause: 'a {}'\n",
         "4:14: a fact in braces is expected"},
        {"- id: r\n  title: t\n  when: [signal exists]\n  cause: '{module.name}'\n",
         "4:12: there is no fact \"module.name\""},
        {WHEN("signal exists") "  fix: ['{nope}']\n", "6:11: there is no fact"},
        {WHEN("signal exists") "  fix: [{text: '{nope}'}]\n", "6:18: there is no fact"},
        {WHEN("signal exists") "  against: [{when: [signal exists], text: '{nope}'}]\n",
         "6:45: there is no fact"},
        /* what a dead process was named must not reach a shell by way of a paste */
        {WHEN("signal exists") "  fix: [{text: x, commands: ['gdb {process.executable}']}]\n",
         "6:36: process.executable holds text from the dead process"},
        {WHEN("signal exists") "  fix: [{text: x, commands: ['addr2line {fault.address}']}]\n", ""},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        char expected[256] = "";
        if (all[i].error[0])
            snprintf(expected, sizeof(expected), "r.yaml:%s", all[i].error);
        const char *error = rules_error(all[i].text);
        if (expected[0] ? strncmp(error, expected, strlen(expected)) != 0 : error[0] != '\0')
            fail_msg("expected %s, got %s", expected, error);
    }
}

static void rendering_is_bounded(void **state)
{
    (void)state;
    char *name = malloc(4097), *text = malloc(4096);
    assert_non_null(name);
    assert_non_null(text);
    memset(name, 'x', 4096);
    name[4096] = '\0';
    text[0] = '\0';
    for (int i = 0; i < 240; i++)
        add_text(text, 4096, "{signal.name}");
    json_t *document = json_pack("{s:{s:s}}", "signal", "name", name);
    char *rendered = inq_rule_render(text, document, NULL);
    assert_non_null(rendered);
    assert_true(strlen(rendered) < 65536 + 4096 + 16);
    assert_string_equal(rendered + strlen(rendered) - 3, "...");
    free(rendered);
    json_decref(document);
    free(name);
    free(text);
}

/* Names that fill the page lose their template arguments, and no others do. */
static void long_names_are_shortened(void **state)
{
#define LONG                                                                                       \
    "std::map<int, std::vector<std::pair<long, std::string> >, std::less<int>, "                   \
    "std::allocator<int> >"
    (void)state;
    json_t *document =
        rules_document("{\"fault\": {\"function\": \"" LONG "::at\", \"module\": \"" LONG "\"},"
                       " \"threads\": [{\"crashed\": true, \"frames\": ["
                       " {\"index\": 0, \"function\": \"std::vector<int>::at\"},"
                       " {\"index\": 1, \"function\": \"operator< <int, " LONG " >\"},"
                       " {\"index\": 2, \"function\": \"odd>" LONG "<\"},"
                       " {\"index\": 3, \"function\": \"f<" LONG ">::g<" LONG " >\"}]}]}");
    assert_rendered("{fault.function}", document, "std::map<...>::at");
    assert_rendered("{fault.module}", document, LONG);
    assert_rendered("{frame[0].function}", document, "std::vector<int>::at");
    assert_rendered("{frame[1].function}", document, "operator< <int, " LONG " >");
    assert_rendered("{frame[2].function}", document, "odd>" LONG "<");
    assert_rendered("{frame[3].function}", document, "f<...>::g<...>");
    json_decref(document);
#undef LONG
}

int test_template(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_filled_in),    cmocka_unit_test(modules_are_named),
        cmocka_unit_test(elements_are_filled_in), cmocka_unit_test(templates_are_checked),
        cmocka_unit_test(rendering_is_bounded),   cmocka_unit_test(long_names_are_shortened),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
