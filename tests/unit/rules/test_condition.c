/* SPDX-License-Identifier: Apache-2.0 */

/* The language: what is accepted, and what is refused where. */

#include <stdio.h>
#include <string.h>

#include "rules_tests.h"

static void assert_refused(const char *text, const char *place, const char *words)
{
    const char *error = rules_error(text);
    char start[64];
    snprintf(start, sizeof(start), "r.yaml:%s: ", place);
    if (strncmp(error, start, strlen(start)) != 0 || !strstr(error, words))
        fail_msg("expected %s …%s… but got \"%s\"", start, words, error);
}

/* WHEN() puts the condition in line 5 behind "    - ". */
#define AT(column) "5:" #column

static void conditions_are_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "signal.name is SIGSEGV",
        "signal.name is not \"SIG SEGV\"",
        "signal.name in [SIGSEGV, 'SIGBUS', \"SIGILL\"]",
        "signal.name in[SIGSEGV]",
        "signal.name like SIG*",
        "fault.address_class is null-page",
        "fault.address_class like \"n*\"",
        "fault.address < 0x10000",
        "fault.address<=65535",
        "fault.address >= 0xffffffffffffffff",
        "signal.code is -6",
        "signal.code > 0x7fffffffffffffff",
        "core.complete is false",
        "core.complete is not true",
        "timing.total_ms < 1.5",
        "modules exists",
        "crashed.cycle does not exist",
        "frame[1].function is main",
        "crashed.frame[0].trust is context",
        "environment.LD_PRELOAD exists",
        "signal.name not in [SIGSEGV, SIGBUS]",
        "signal.name not like SIG*",
        "signal.name like [SIG*, \"*V\"]",
        "signal.name like \"[a-z]*\"",
        "process.arguments has -c",
        "collisions[0].copies has 3",
        "collisions[0].copies has {frame[0].module}",
        "fault.address is {signal.address}",
        "collisions[0].crash.offset >= {collisions[0].crash.size_actual}",
        "frame[0].module is not {frame[1].module}",
        "frame[0].module.name like lib*",
        "collisions[0].copies[1].owner.package exists",
        "count threads >= 2",
        "count modules is 0x10",
        "fault.operand.registers.rax is 0",
        "unknown exists",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), WHEN("'%s'"), "");
        /* single quotes inside become two: YAML */
        char quoted[256];
        size_t out = 0;
        for (const char *c = good[i]; *c; c++) {
            quoted[out++] = *c;
            if (*c == '\'')
                quoted[out++] = *c;
        }
        quoted[out] = '\0';
        snprintf(text, sizeof(text), WHEN("'%s'"), quoted);
        if (rules_error(text)[0])
            fail_msg("%s: %s", good[i], rules_error(text));
    }
}

static void facts_must_exist(void **state)
{
    (void)state;
    assert_refused(WHEN("signal.nmae is SIGSEGV"), AT(7), "no fact \"signal.nmae\"");
    assert_refused(WHEN("is SIGSEGV"), AT(7), "no fact \"is\"");
    assert_refused(WHEN("module.name is x"), AT(7), "no fact");
    assert_refused(WHEN("frame[x].pc is 1"), AT(7), "no fact");
    assert_refused(WHEN("frame[99999999999999999999].pc is 1"), AT(7), "no fact");
    assert_refused(WHEN("'= 1'"), AT(8), "begins with a fact");
}

static void values_have_the_type_of_the_fact(void **state)
{
    (void)state;
    assert_refused(WHEN("signal.name < SIGSEGV"), AT(19), "is a text");
    assert_refused(WHEN("fault.address_class >= null-page"), AT(27), "is a text");
    assert_refused(WHEN("core.complete > false"), AT(21), "is true or false");
    assert_refused(WHEN("core.complete is yes"), AT(24), "not true or false");
    assert_refused(WHEN("signal.code like 1*"), AT(19), "is a number");
    assert_refused(WHEN("signal.code is eleven"), AT(22), "not a whole number");
    assert_refused(WHEN("signal.code is 1.5"), AT(22), "not a whole number");
    assert_refused(WHEN("signal.code is 0x8000000000000000"), AT(22), "not a whole number");
    assert_refused(WHEN("signal.code is 99999999999999999999999"), AT(22), "not a whole number");
    assert_refused(WHEN("signal.code is 0x"), AT(22), "not a whole number");
    assert_refused(WHEN("signal.code is - 1"), AT(22), "not a whole number");
    assert_refused(WHEN("fault.address is 0x10000000000000000"), AT(24), "not an address");
    assert_refused(WHEN("fault.address is -1"), AT(24), "not an address");
    assert_refused(WHEN("fault.address in [1, two]"), AT(28), "not an address");
    assert_refused(WHEN("fault.address_class is nul-page"), AT(30), "none of the values");
    assert_refused(WHEN("fault.address_class in [null-page, nul]"), AT(42), "none of the values");
    assert_refused(WHEN("modules is 3"), AT(15), "only exists");
    assert_refused(WHEN("process.arguments like x"), AT(25), "is a list: only has");
    assert_refused(WHEN("modules has x"), AT(15), "only exists");
    assert_refused(WHEN("signal.name has SIGSEGV"), AT(19), "has is for lists");
    assert_refused(WHEN("collisions[0].copies has libpq"), AT(32), "not a whole number");
    assert_refused(WHEN("timing.total_ms < fast"), AT(25), "not a number");
}

static void facts_compare_with_facts_of_their_kind(void **state)
{
    (void)state;
    assert_refused(WHEN("signal.name is {signal.code}"), AT(23), "not of one kind");
    assert_refused(WHEN("signal.code is {frame[0].module}"), AT(23), "not of one kind");
    assert_refused(WHEN("collisions[0].copies has {threads_total}"), AT(33), "not of one kind");
    assert_refused(WHEN("signal.name is {signal.nmae}"), AT(23), "no fact \"signal.nmae\"");
    assert_refused(WHEN("signal.name is {signal.name"), AT(34), "brace is not closed");
    assert_refused(WHEN("signal.name is {signal.name} x"), AT(36), "nothing more");
    assert_refused(WHEN("signal.name like {signal.name}"), AT(24), "only be compared with");
    assert_refused(WHEN("signal.name in {signal.name}"), AT(22), "only be compared with");
    assert_refused(WHEN("signal.name < {signal.name}"), AT(19), "has no order");
}

static void typing_errors_get_a_suggestion(void **state)
{
    (void)state;
    assert_refused(WHEN("signal.nmae is SIGSEGV"), AT(7), "did you mean \"signal.name\"?");
    assert_refused(WHEN("crashed.stak.overflow is true"), AT(7),
                   "did you mean \"crashed.stack.overflow\"?");
    assert_refused(WHEN("fault.address_class is nul-page"), AT(30), "did you mean \"null-page\"?");
    assert_refused(WHEN("any modules: [module.nmae is x]"), AT(21),
                   "did you mean \"module.name\"?");
    assert_refused(WHEN("any module: [module.name is x]"), AT(11), "did you mean \"modules\"?");
    assert_refused(WHEN("signal exists") "  wehn: []\n", "6:3", "did you mean \"when\"?");
    assert_refused(WHEN("signal exists") "  fix: ['{fault.adress}']\n", "6:11",
                   "did you mean \"fault.address\"?");
    /* what resembles nothing gets none */
    assert_refused(WHEN("zebra.stripes is 1"), AT(7), "docs/facts.md lists them)");
    assert_null(strstr(rules_error(WHEN("zebra.stripes is 1")), "did you mean"));
}

static void lines_must_be_whole(void **state)
{
    (void)state;
    assert_refused(WHEN("signal.name"), AT(18), "operator is expected");
    assert_refused(WHEN("signal.name equals SIGSEGV"), AT(19), "operator is expected");
    assert_refused(WHEN("signal.name does not exists"), AT(19), "operator is expected");
    assert_refused(WHEN("signal.name is"), AT(21), "value is expected");
    assert_refused(WHEN("signal.name is not"), AT(25), "value is expected");
    assert_refused(WHEN("signal.name in SIGSEGV"), AT(22), "takes a list");
    assert_refused(WHEN("signal.name in []"), AT(23), "empty list");
    assert_refused(WHEN("signal.name in [a"), AT(24), "comma or the end");
    assert_refused(WHEN("signal.name in [a,,b]"), AT(25), "value is expected");
    assert_refused(WHEN("signal.name in [a b]"), AT(25), "comma or the end");
    assert_refused(WHEN("signal.name is a b"), AT(24), "quote a value");
    assert_refused(WHEN("signal.name exists now"), AT(26), "quote a value");
    assert_refused(WHEN("signal.name is \"abc"), AT(22), "never closed");
    assert_refused(WHEN("''"), AT(8), "begins with a fact");
    assert_refused(WHEN("abort.message is \"free(): x\""), AT(7), "single quotes");
    assert_refused(WHEN("[a]"), AT(7), "not a list");
}

static void columns_count_characters(void **state)
{
    (void)state;
    assert_refused(WHEN("process.comm in [\"\xc3\xa4\xc3\xb6\", b c]"), AT(32), "comma or the end");
    assert_refused(WHEN("'signal.name is a b'"), AT(25), "quote a value");
}

static void rules_must_be_whole(void **state)
{
    (void)state;
    assert_refused("- id: r\n", "1:3", "no \"title\"");
    assert_refused("- id: r\n  title: t\n  when: [signal exists]\n", "1:3", "no \"cause\"");
    assert_refused(RULE(""), "1:3", "no \"when\"");
    assert_refused(RULE("  when: []\n"), "4:9", "at least one");
    assert_refused(RULE("  when: signal exists\n"), "4:9", "a list of conditions");
    assert_refused(WHEN("signal exists") "  wehn: []\n", "6:3", "unknown key \"wehn\"");
    assert_refused(WHEN("signal exists") "  title: u\n", "6:3", "given twice");
    assert_refused(WHEN("signal exists") "  grade: proven\n", "6:10", "grades are computed");
    assert_refused(WHEN("signal exists") "  weight: heavy\n", "6:11", "whole number");
    assert_refused(WHEN("signal exists") "  weight: 1001\n", "6:11", "whole number");
    assert_refused(WHEN("signal exists") "  weight: 99999999999999999999\n", "6:11",
                   "whole number");
    assert_refused(WHEN("signal exists") "  rivals: x\n", "6:11", "a list of texts");
    assert_refused(WHEN("signal exists") "  see: [[x]]\n", "6:9", "a text");
    assert_refused(WHEN("signal exists") "  <<: {}\n", "6:3", "unknown key");
    assert_refused(WHEN("signal exists") "  {}: {}\n", "6:3", "unknown key");
    assert_refused("- id: Not_An_Id\n  title: t\n  cause: c\n  when: [signal exists]\n", "1:7",
                   "a-z");
    assert_refused(WHEN("signal exists") "- id: r\n  title: t\n  cause: c\n"
                                         "  when: [signal exists]\n",
                   "6:1", "used twice: first in line 1");
}

static void against_and_fix_are_checked(void **state)
{
    (void)state;
    assert_string_equal(
        rules_error(
            WHEN("signal exists") "  against:\n    - fault.address is 0\n"
                                  "    - {when: [signal exists], text: x, effect: refutes}\n"
                                  "    - any modules: [module.name is x]\n"),
        "");
    assert_refused(WHEN("signal exists") "  against: [{text: x}]\n", "6:13", "needs a \"when\"");
    assert_refused(WHEN("signal exists") "  against: [{when: [signal exists], effect: kills}]\n",
                   "6:45", "refutes or lowers");
    assert_refused(WHEN("signal exists") "  against: [{when: []}]\n", "6:20", "at least one");
    assert_refused(WHEN("signal exists") "  against: [{when: [signal exists], foo: x}]\n", "6:37",
                   "knows when, text and effect");
    assert_refused(WHEN("signal exists") "  fix: [{commands: [x]}]\n", "6:9", "needs a \"text\"");
    assert_refused(WHEN("signal exists") "  fix: [{text: x, run: y}]\n", "6:19", "each once");
}

static void rivals_parts_and_changes_are_checked(void **state)
{
    (void)state;
    assert_string_equal(
        rules_error(
            WHEN("signal exists") "  seen: real\n  rivals: [a, {id: b, read: '{fault.address}'}]\n"
                                  "  strong: [core exists]\n"
                                  "- disable: other\n  reason: it does not apply here\n"),
        "");
    assert_refused(WHEN("signal exists") "  rivals: [{read: x}]\n", "6:12", "needs an \"id\"");
    assert_refused(WHEN("signal exists") "  rivals: [{id: x, how: y}]\n", "6:20", "knows id and");
    assert_refused(WHEN("signal exists") "  rivals: [{id: x, read: '{no}'}]\n", "6:28", "no fact");
    assert_refused(WHEN("signal exists") "  seen: often\n", "6:9", "real (a real crash");
    assert_refused(WHEN("signal exists") "  override: ''\n", "6:14", "is empty");
    assert_refused(WHEN("signal exists") "  fix: [{when: [x], text: t}]\n", "6:17", "no fact");
    assert_refused(WHEN("signal exists") "- disable: x\n", "6:3", "needs a \"reason\"");
    assert_refused(WHEN("signal exists") "- disable: x\n  reason: y\n  title: z\n", "8:3",
                   "only disable and reason");
    assert_refused("- id: r\n  title: t\n  when: [signal exists]\n  cause: []\n", "4:10",
                   "is empty");
    assert_refused(
        "- id: r\n  title: t\n  when: [signal exists]\n  cause: [{when: [core exists]}]\n", "4:11",
        "needs a \"text\"");
}

static void conditions_are_counted(void **state)
{
    (void)state;
    char *text = malloc(20000);
    assert_non_null(text);
    snprintf(text, 20000, RULE("  when:\n"));
    for (int i = 0; i < 256; i++)
        add_text(text, 20000, "    - signal exists\n");
    assert_string_equal(rules_error(text), "");
    add_text(text, 20000, "  proof:\n    - signal exists\n");
    assert_true(strstr(rules_error(text), "r.yaml:262:7: more than 256 conditions") != NULL);
    free(text);
}

int test_condition(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_accepted),
        cmocka_unit_test(facts_must_exist),
        cmocka_unit_test(values_have_the_type_of_the_fact),
        cmocka_unit_test(facts_compare_with_facts_of_their_kind),
        cmocka_unit_test(typing_errors_get_a_suggestion),
        cmocka_unit_test(rivals_parts_and_changes_are_checked),
        cmocka_unit_test(lines_must_be_whole),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(rules_must_be_whole),
        cmocka_unit_test(against_and_fix_are_checked),
        cmocka_unit_test(conditions_are_counted),
    };
    return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}
