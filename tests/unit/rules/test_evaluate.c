/* SPDX-License-Identifier: Apache-2.0 */

/* Three-valued evaluation. */

#include <stdio.h>
#include <string.h>

#include "kleene.h"
#include "rules_tests.h"

static void truth_tables_are_kleenes(void **state)
{
    (void)state;
    const enum inq_truth N = INQ_NO, Y = INQ_YES, M = INQ_MAYBE;
    const enum inq_truth values[3] = {N, M, Y};
    const enum inq_truth and[3][3] = {{N, N, N}, {N, M, M}, {N, M, Y}};
    const enum inq_truth or [3][3] = {{N, M, Y}, {M, M, Y}, {Y, Y, Y}};
    for (size_t a = 0; a < 3; a++) {
        for (size_t b = 0; b < 3; b++) {
            assert_int_equal(inq_truth_and(values[a], values[b]), and[a][b]);
            assert_int_equal(inq_truth_or(values[a], values[b]), or [a][b]);
        }
    }
    assert_int_equal(inq_truth_not(N), Y);
    assert_int_equal(inq_truth_not(Y), N);
    assert_int_equal(inq_truth_not(M), M);
}

struct expectation {
    const char *condition;
    enum inq_truth truth;
};

static void check_all(const char *document, const struct expectation *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char rule[512];
        snprintf(rule, sizeof(rule), RULE("  when:\n    - '%s'\n"), all[i].condition);
        enum inq_truth truth = rules_when(rule, document);
        if (truth != all[i].truth)
            fail_msg("%s: %d, not %d", all[i].condition, (int)truth, (int)all[i].truth);
    }
}
#define CHECK(document, all) check_all(document, all, sizeof(all) / sizeof((all)[0]))

static const char document[] =
    "{\"signal\": {\"name\": \"SIGSEGV\", \"code\": -6},"
    " \"fault\": {\"address\": \"0xffffffffffffffff\", \"address_class\": \"neg-errno\","
    "             \"access\": null, \"function\": \"free\"},"
    " \"core\": {\"complete\": true}, \"timing\": {\"total_ms\": 2.5},"
    " \"unknown\": {\"fault.access\": \"not decoded\", \"process\": \"no note\"}}";

static void known_facts_compare(void **state)
{
    (void)state;
    static const struct expectation all[] = {
        {"signal.name is SIGSEGV", INQ_YES},
        {"signal.name is sigsegv", INQ_NO},
        {"signal.name is not SIGBUS", INQ_YES},
        {"signal.name in [SIGBUS, SIGSEGV]", INQ_YES},
        {"signal.name in [SIGBUS, SIGILL]", INQ_NO},
        {"signal.name like SIG*V", INQ_YES},
        {"signal.name like SIG?", INQ_NO},
        {"signal.code < 0", INQ_YES},
        {"signal.code <= -6", INQ_YES},
        {"signal.code > -6", INQ_NO},
        {"signal.code is -6", INQ_YES},
        /* unsigned, all 64 bits */
        {"fault.address > 0x7fffffffffffffff", INQ_YES},
        {"fault.address is 18446744073709551615", INQ_YES},
        {"fault.address < 0x1000", INQ_NO},
        {"fault.address in [0, 0xFFFFFFFFFFFFFFFF]", INQ_YES},
        {"core.complete is true", INQ_YES},
        {"core.complete is not true", INQ_NO},
        {"timing.total_ms < 2.6", INQ_YES},
        {"timing.total_ms >= 2.6", INQ_NO},
        {"signal exists", INQ_YES},
        {"signal.name does not exist", INQ_NO},
    };
    CHECK(document, all);
}

static void nothing_is_no_value(void **state)
{
    (void)state;
    /* abort was looked for and is not there */
    static const struct expectation all[] = {
        {"abort.message exists", INQ_NO},     {"abort.message does not exist", INQ_YES},
        {"abort.message is x", INQ_NO},       {"abort.message is not x", INQ_YES},
        {"abort.message in [x, y]", INQ_NO},  {"abort.message like \"*\"", INQ_NO},
        {"fault.argument < 0x10000", INQ_NO}, {"fault.argument >= 0", INQ_NO},
        {"core.notes_cut is true", INQ_NO},   {"core.notes_cut is not true", INQ_YES},
    };
    CHECK(document, all);
}

static void unknown_facts_stay_unknown(void **state)
{
    (void)state;
    static const struct expectation all[] = {
        {"fault.access is read", INQ_MAYBE},
        {"fault.access is not read", INQ_MAYBE},
        {"fault.access exists", INQ_MAYBE},
        {"fault.access does not exist", INQ_MAYBE},
        {"process.comm like \"*\"", INQ_MAYBE}, /* by what it is part of */
        {"heap.state is corrupted", INQ_MAYBE}, /* nothing in this version looks for it */
        {"heap.first_bad.address is 0", INQ_MAYBE},
        {"frame[0].function is main", INQ_MAYBE}, /* nobody knows which thread crashed */
    };
    CHECK(
        "{\"signal\": {\"name\": \"SIGSEGV\"}, \"fault\": {\"address\": \"0x0\"}, \"threads\": [],"
        " \"unknown\": {\"fault.access\": \"not decoded\", \"process\": \"no note\"}}",
        all);
}

/* A value that is not of its fact's type is not taken for one. */
static void wrong_types_are_unknown(void **state)
{
    (void)state;
    static const struct expectation all[] = {
        {"signal.name is SIGSEGV", INQ_MAYBE}, {"signal.name like S*", INQ_MAYBE},
        {"signal.code is 1", INQ_MAYBE},       {"fault.address is 1", INQ_MAYBE},
        {"core.complete is true", INQ_MAYBE},  {"fault.address in [1, 2]", INQ_MAYBE},
    };
    CHECK("{\"signal\": {\"name\": 11, \"code\": \"1\"}, \"fault\": {\"address\": \"lots\"},"
          " \"core\": {\"complete\": 1}}",
          all);
}

static void sections_are_combined(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        enum inq_truth when;
    } all[] = {
        {RULE("  when: [signal.name is SIGSEGV, fault.access is read]\n"), INQ_MAYBE},
        {RULE("  when: [signal.name is SIGBUS, fault.access is read]\n"), INQ_NO},
        {RULE("  when: [signal.name is SIGSEGV]\n  unless: [fault.access is read]\n"), INQ_MAYBE},
        {RULE("  when: [signal.name is SIGSEGV]\n  unless: [fault.function is main]\n"), INQ_YES},
        {RULE("  when: [signal.name is SIGSEGV]\n"
              "  unless: [fault.access is read, fault.function is free]\n"),
         INQ_NO},
        {RULE("  when: [fault.access is read]\n  unless: [fault.function is free]\n"), INQ_NO},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        assert_int_equal(rules_when(all[i].rule, document), all[i].when);
}

static void findings_say_what_was_seen(void **state)
{
    (void)state;
    json_t *json = rules_document(document);
    struct rules_result result =
        rules_evaluate(RULE("  when: [signal.name is SIGSEGV, fault.access is read]\n"
                            "  unless: [abort.message exists]\n"
                            "  proof: [signal.code is -6, fault.address > 5]\n"
                            "  against: [{when: [fault.function is free, signal.code < 0]},"
                            "            fault.access is read, core.complete is false]\n"),
                       json);
    const struct inq_match *match = result.match;
    assert_int_equal(match->n_when, 2);
    assert_int_equal(match->n_unless, 1);
    assert_int_equal(match->n_proof, 2);
    assert_int_equal(match->n_findings, 5);
    assert_int_equal(match->proven, INQ_YES);
    assert_string_equal(match->findings[0].text, "signal.name is SIGSEGV");
    assert_string_equal(match->findings[0].fact, "signal.name");
    assert_string_equal(match->findings[0].seen, "SIGSEGV");
    assert_string_equal(match->findings[1].seen, "not decoded");
    assert_string_equal(match->findings[2].seen, "none");
    assert_string_equal(match->findings[3].seen, "-6");
    assert_string_equal(match->findings[4].seen, "0xffffffffffffffff");
    assert_int_equal(match->against[0], INQ_YES);
    assert_int_equal(match->against[1], INQ_MAYBE);
    assert_int_equal(match->against[2], INQ_NO);
    rules_result_free(&result);

    result = rules_evaluate(WHEN("signal.name is SIGSEGV"), json);
    assert_int_equal(result.match->proven, INQ_NO); /* without a proof section */
    rules_result_free(&result);
    json_decref(json);
}

int test_evaluate(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truth_tables_are_kleenes),   cmocka_unit_test(known_facts_compare),
        cmocka_unit_test(nothing_is_no_value),        cmocka_unit_test(unknown_facts_stay_unknown),
        cmocka_unit_test(wrong_types_are_unknown),    cmocka_unit_test(sections_are_combined),
        cmocka_unit_test(findings_say_what_was_seen),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
