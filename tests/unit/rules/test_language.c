/* SPDX-License-Identifier: Apache-2.0 */

/* Quantifiers of every kind, one in another, what they find, and facts against facts. */

#include <stdio.h>
#include <string.h>

#include "rules_tests.h"

struct expectation {
    const char *lines;
    enum inq_truth truth;
};

static void check_all(const char *document, const struct expectation *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char rule[1024];
        snprintf(rule, sizeof(rule), RULE("  when:\n%s\n"), all[i].lines);
        enum inq_truth truth = rules_when(rule, document);
        if (truth != all[i].truth)
            fail_msg("%s: %d, not %d", all[i].lines, (int)truth, (int)all[i].truth);
    }
}
#define CHECK(document, all) check_all(document, all, sizeof(all) / sizeof((all)[0]))

#define THREE_MODULES                                                                              \
    "{\"modules\": [{\"name\": \"a\", \"deleted\": true, \"load_order\": 0},"                      \
    "               {\"name\": \"b\", \"deleted\": true, \"load_order\": 1},"                      \
    "               {\"name\": \"c\", \"deleted\": false, \"load_order\": 2}]%s}"

static const char *with(const char *more)
{
    static char text[2048];
    snprintf(text, sizeof(text), THREE_MODULES, more);
    return text;
}

static void all_is_three_valued(void **state)
{
    (void)state;
    static const struct expectation whole[] = {
        {"    - all modules: [module.load_order >= 0]", INQ_YES},
        {"    - all modules: [module.deleted is true]", INQ_NO},
        /* each quantifier has an element of its own, whatever their names */
        {"    - any modules: [module.name is a]\n    - any modules: [module.name is b]\n"
         "    - all modules: [module.load_order < 3]\n    - module.name is a",
         INQ_YES},
        {"    - any modules: [module.name is a]\n    - any modules: [module.name is b]\n"
         "    - module.name is b",
         INQ_NO},
        {"    - all modules: [module.family is x]", INQ_MAYBE},
        {"    - all modules: [module.family is x, module.load_order > 0]", INQ_NO},
        {"    - all gaps: [gap.code is x]", INQ_NO}, /* of nothing nothing is said */
    };
    CHECK(with(", \"unknown\": {\"modules[].family\": \"not looked at\"}"), whole);
    static const struct expectation cut[] = {
        {"    - all modules: [module.load_order >= 0]", INQ_MAYBE},
        {"    - all modules: [module.deleted is true]", INQ_NO},
    };
    CHECK(with(", \"core\": {\"notes_cut\": true}"), cut);
    static const struct expectation unknown[] = {
        {"    - all modules: [module.name is a]", INQ_MAYBE}};
    CHECK("{\"unknown\": {\"modules\": \"no note\"}}", unknown);
}

static void count_is_three_valued(void **state)
{
    (void)state;
    static const struct expectation whole[] = {
        {"    - count modules >= 3", INQ_YES},
        {"    - count modules > 3", INQ_NO},
        {"    - count modules is 3", INQ_YES},
        {"    - count modules is not 3", INQ_NO},
        {"    - count modules >= 2: [module.deleted is true]", INQ_YES},
        {"    - count modules < 2: [module.deleted is true]", INQ_NO},
        {"    - count modules is 0: [module.name is z]", INQ_YES},
        {"    - count modules >= 1: [module.family is x]", INQ_MAYBE},
        {"    - count modules <= 3: [module.family is x]", INQ_YES},
        {"    - count modules is 2: [module.family is x]", INQ_MAYBE},
        {"    - count modules is not 2: [module.family is x]", INQ_MAYBE},
        {"    - count modules is 4: [module.family is x]", INQ_NO},
        {"    - count gaps is 0", INQ_YES},
    };
    CHECK(with(", \"unknown\": {\"modules[].family\": \"not looked at\"}"), whole);
    static const struct expectation cut[] = {
        {"    - count modules >= 2: [module.deleted is true]", INQ_YES},
        {"    - count modules < 9", INQ_MAYBE},
        {"    - count modules is 3", INQ_MAYBE},
        {"    - count modules < 3", INQ_NO},
    };
    CHECK(with(", \"core\": {\"notes_cut\": true}"), cut);
    /* how many threads are not listed is known */
    static const struct expectation threads[] = {
        {"    - count threads is 5", INQ_YES},
        {"    - count threads >= 6", INQ_NO},
        {"    - count threads >= 4: [thread.tid > 0]", INQ_MAYBE},
        {"    - count threads >= 6: [thread.tid > 0]", INQ_NO},
    };
    CHECK("{\"threads_total\": 5, \"threads\": [{\"tid\": 1}, {\"tid\": 2}]}", threads);
}

static void either_is_or(void **state)
{
    (void)state;
    static const struct expectation all[] = {
        {"    - either: [signal.name is SIGBUS, signal.name is SIGSEGV]", INQ_YES},
        {"    - either: [signal.name is SIGBUS, signal.name is SIGILL]", INQ_NO},
        {"    - either: [signal.name is SIGBUS, fault.access is read]", INQ_MAYBE},
        {"    - either: [fault.access is read, signal.name is SIGSEGV]", INQ_YES},
        {"    - either: [signal.name is SIGBUS, {any modules: [module.name is a]}]", INQ_YES},
        {"    - any modules: [{either: [module.name is z, module.name is a]}]", INQ_YES},
        {"    - signal.name not in [SIGBUS, SIGILL]", INQ_YES},
        {"    - signal.name not like [SIGB*, SIGS*]", INQ_NO},
        {"    - signal.name like [SIGB*, SIGS*]", INQ_YES},
        {"    - abort.message not like x*", INQ_YES},
        {"    - fault.access not in [read]", INQ_MAYBE},
    };
    CHECK("{\"signal\": {\"name\": \"SIGSEGV\"}, \"modules\": [{\"name\": \"a\"}],"
          " \"unknown\": {\"fault.access\": \"not decoded\"}}",
          all);
}

#define COLLISIONS                                                                                 \
    "{\"threads\": [{\"crashed\": true, \"complete\": true, \"tid\": 1, \"frames\": ["             \
    "   {\"index\": 0, \"module\": 1, \"function\": \"f\"}, {\"index\": 1, \"module\": null}]}],"  \
    " \"fault\": {\"address\": \"0x1c0\"}, \"bindings\": {\"complete\": true},"                    \
    " \"modules\": [{\"name\": \"exe\", \"path\": \"/usr/bin/exe\"},"                              \
    "   {\"name\": \"liba.so\", \"path\": \"/x/one.libs/liba.so\", \"owner\": {\"package\": "      \
    "\"one\","                                                                                     \
    "     \"requested_by\": [\"app\", \"tool\"]}},"                                                \
    "   {\"name\": \"liba.so\", \"path\": \"/x/two.libs/liba.so\", \"owner\": {\"package\": "      \
    "\"two\"}}],"                                                                                  \
    " \"collisions\": [{\"family\": \"ssl\", \"copies\": [0, 2], \"bindings\": [],"                \
    "     \"foreign\": {\"strong\": 0}},"                                                          \
    "   {\"family\": \"ldap\", \"copies\": [1, 2], \"foreign\": {\"strong\": 2}, \"bindings\": ["  \
    "     {\"from\": 1, \"symbol\": \"small\", \"actual\": 2, \"size_expected\": 8,"               \
    "      \"size_actual\": 8, \"on_crash_path\": false},"                                         \
    "     {\"from\": 1, \"symbol\": \"options\", \"actual\": 2, \"size_expected\": 544,"           \
    "      \"size_actual\": 408, \"on_crash_path\": true}]}]}"

static void one_quantifier_stands_in_another(void **state)
{
    (void)state;
    static const struct expectation all[] = {
        {"    - any collisions: [{any collision.bindings: [binding.symbol is options]}]", INQ_YES},
        {"    - any collisions: [collision.family is ssl, {any collision.bindings: "
         "[binding.symbol is options]}]",
         INQ_NO},
        {"    - any collisions: [{all collision.bindings: [binding.on_crash_path is true]}]",
         INQ_NO},
        {"    - any collisions: [{count collision.bindings >= 2: [binding.size_actual > 0]}]",
         INQ_YES},
        {"    - any collisions: ['count collision.bindings is 2']", INQ_YES},
        {"    - any threads: [{any thread.frames: [frame.function is f]}]", INQ_YES},
        {"    - any threads: [{any thread.frames: [frame.function is g]}]", INQ_NO},
        {"    - any collisions: [{any collision.copies: [copy.owner.package is one]}]", INQ_YES},
        {"    - any collisions: [{all collision.copies: [copy.name is liba.so]}]", INQ_YES},
        {"    - all collisions: [{all collision.copies: [copy.name is liba.so]}]", INQ_NO},
    };
    CHECK(COLLISIONS, all);
}

static void facts_compare_with_facts(void **state)
{
    (void)state;
    static const struct expectation all[] = {
        {"    - any collisions: [{any collision.bindings: ['binding.size_expected > "
         "{binding.size_actual}']}]",
         INQ_YES},
        {"    - any collisions: [{any collision.bindings: ['binding.from is {frame[0].module}']}]",
         INQ_YES},
        {"    - any collisions: ['collision.copies has {frame[0].module}']", INQ_YES},
        {"    - any collisions: ['collision.copies has {frame[0].module}', collision.family is "
         "ssl]",
         INQ_NO},
        {"    - 'frame[0].module is {frame[0].module}'", INQ_YES},
        {"    - 'frame[0].module is {frame[1].module}'", INQ_NO}, /* that is in none */
        {"    - 'frame[0].module is not {frame[1].module}'", INQ_YES},
        {"    - 'frame[1].module is not {frame[1].module}'", INQ_NO},
        {"    - 'fault.address < {fault.argument}'", INQ_NO},
        {"    - 'fault.address < {frame[7].pc}'", INQ_MAYBE},
        {"    - 'frame[0].module.name is liba.so'", INQ_YES},
        {"    - 'frame[0].module.owner.requested_by has tool'", INQ_YES},
        {"    - 'frame[0].module.owner.requested_by has t*l'", INQ_YES},
        {"    - 'frame[0].module.owner.requested_by has nobody'", INQ_NO},
        {"    - 'frame[1].module.name is liba.so'", INQ_NO},
    };
    /* whether anything sets owners is another question */
    static char document[4096];
    snprintf(document, sizeof(document), "%s", COLLISIONS);
    CHECK(document, all);
}

/* The other lines of a rule speak of the element that the first quantifier has found. */
static void the_rest_of_a_rule_knows_the_element(void **state)
{
    (void)state;
    json_t *json = rules_document(COLLISIONS);
    static const char rule[] =
        "- id: r\n  title: t\n"
        "  when:\n    - collision.foreign.strong > 0\n"
        "    - any collisions: ['collision.copies has {frame[0].module}']\n"
        "  unless: [collision.family is ssl]\n"
        "  strong: [collision.family is ldap]\n"
        "  proof:\n    - any collision.bindings: [binding.on_crash_path is true]\n"
        "      says: 'slot of {binding.symbol} in {binding.from}'\n"
        "  against: [{when: [collision.foreign.strong is 0], effect: refutes}]\n"
        "  cause:\n    - '{collision.family}: {binding.symbol} of {binding.from} is bound to "
        "{binding.actual} ({binding.actual.owner.package}); copies {collision.copies}.'\n"
        "    - when: ['binding.size_expected > {binding.size_actual}']\n"
        "      text: 'It is smaller.'\n"
        "    - when: [binding.size_actual is 0]\n      text: 'It is gone.'\n";
    struct rules_result result = rules_evaluate(rule, json);
    assert_int_equal(result.match->when, INQ_YES);
    assert_int_equal(result.match->strong, INQ_YES);
    assert_int_equal(result.match->proven, INQ_YES);
    assert_int_equal(result.match->against[0], INQ_NO);
    char *cause = inq_rule_cause(json, result.match);
    assert_string_equal(cause, "ldap: options of one.libs/liba.so is bound to two.libs/liba.so "
                               "(two); copies one.libs/liba.so, two.libs/liba.so. It is smaller.");
    free(cause);
    const struct inq_finding *proof = &result.match->findings[result.match->n_findings - 1];
    assert_string_equal(proof->says, "slot of options in one.libs/liba.so");
    assert_string_equal(proof->seen, "binding options");
    assert_string_equal(result.match->findings[0].seen, "2");
    assert_string_equal(result.match->findings[1].seen, "collision ldap");
    rules_result_free(&result);
    json_decref(json);
}

/* Of several elements that fit, the one that proves the rule counts, not the one that comes first.
 */
static void the_best_element_is_taken(void **state)
{
    (void)state;
    json_t *json =
        rules_document("{\"modules\": [{\"name\": \"liba\", \"deleted\": false}, {\"name\": "
                       "\"libb\", \"deleted\": "
                       "true}, {\"name\": \"libc\", \"deleted\": true, \"preloaded\": true}]}");
    struct rules_result result = rules_evaluate(
        "- id: r\n  title: t\n  cause: '{module.name}'\n  when: [{any modules: [module.name like "
        "lib*]}]\n  proof: [module.deleted is true]\n"
        "  against: [{when: [module.preloaded is not true], effect: refutes}]\n",
        json);
    char *cause = inq_rule_cause(json, result.match);
    assert_string_equal(cause, "libc");
    assert_int_equal(result.match->proven, INQ_YES);
    assert_int_equal(result.match->against[0], INQ_NO);
    assert_string_equal(result.match->findings[0].seen, "module libc");
    free(cause);
    rules_result_free(&result);
    json_decref(json);

    /* no element: nothing is said of one */
    json = rules_document("{\"modules\": [], \"core\": {\"notes_cut\": true}}");
    result = rules_evaluate("- id: r\n  title: t\n  cause: 'in {module.name}'\n"
                            "  when: [{any modules: [module.deleted is true]}]\n"
                            "  proof: [module.name is x]\n",
                            json);
    assert_int_equal(result.match->when, INQ_MAYBE);
    assert_int_equal(result.match->proven, INQ_MAYBE);
    cause = inq_rule_cause(json, result.match);
    assert_string_equal(cause, "in (unknown)");
    free(cause);
    rules_result_free(&result);
    json_decref(json);
}

/* A product of two lists is followed for so many elements only, and then it is not known. */
static void many_elements_are_bounded(void **state)
{
    (void)state;
    json_t *json = json_object(), *modules = json_array();
    for (int i = 0; i < 300; i++)
        json_array_append_new(modules, json_pack("{s:i}", "load_order", i));
    json_object_set_new(json, "modules", modules);
    for (int last = 0; last < 2; last++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "- id: r\n  title: t\n  cause: c\n  when:\n    - any modules: "
                 "[module.load_order >= 0]\n    - module.load_order is %d\n",
                 last ? 299 : 10);
        struct rules_result result = rules_evaluate(text, json);
        assert_int_equal(result.match->when, last ? INQ_MAYBE : INQ_YES);
        rules_result_free(&result);
    }
    json_decref(json);
}

int test_language(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_three_valued),
        cmocka_unit_test(count_is_three_valued),
        cmocka_unit_test(either_is_or),
        cmocka_unit_test(one_quantifier_stands_in_another),
        cmocka_unit_test(facts_compare_with_facts),
        cmocka_unit_test(the_rest_of_a_rule_knows_the_element),
        cmocka_unit_test(the_best_element_is_taken),
        cmocka_unit_test(many_elements_are_bounded),
    };
    return cmocka_run_group_tests_name("language", tests, NULL, NULL);
}
