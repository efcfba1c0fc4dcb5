/* SPDX-License-Identifier: Apache-2.0 */

/* Grades, rivals, symptoms, order. */

#include <stdio.h>
#include <string.h>

#include "verdict.h"
#include "verdict_tests.h"

#define UNSEEN(id, lines) "- id: " id "\n  title: T " id "\n  cause: 'C {signal.name}'\n" lines
#define R(id, lines) UNSEEN(id, "  seen: real\n" lines)
#define SEGV "  when: [signal.name is SIGSEGV]\n"

#define CRASH                                                                                      \
    "\"signal\": {\"name\": \"SIGSEGV\", \"code\": 1, \"sent_by\": \"kernel\"}, "                  \
    "\"fault\": {\"address\": \"0x8\", \"function\": \"f\"}, "                                     \
    "\"unknown\": {\"fault.access\": \"not decoded\"}"

static struct inq_evidence *judge(const char *rules_text, const char *document)
{
    struct inq_rules *rules = rules_of(rules_text);
    struct inq_evidence *evidence = evidence_of(document);
    assert_null(inq_verdicts_judge(rules, evidence));
    inq_rules_destroy(rules);
    return evidence;
}

/* The grade that the rule `r` gets over CRASH, in front of other rules. */
static void assert_grade(const char *rules, const char *grade)
{
    struct inq_evidence *evidence = judge(rules, "{" CRASH "}");
    if (strcmp(grade_of(evidence, "r"), grade) != 0)
        fail_msg("%s instead of %s for %s", grade_of(evidence, "r"), grade, rules);
    inq_evidence_destroy(evidence);
}

static void grades_are_ordered(void **state)
{
    (void)state;
    static const char *const words[] = {"refuted",   "inconclusive", "context",
                                        "plausible", "strong",       "proven"};
    for (size_t i = 1; i < sizeof(words) / sizeof(words[0]); i++)
        assert_true(inq_grade_rank(words[i]) > inq_grade_rank(words[i - 1]));
    assert_int_equal(inq_grade_rank("sure"), -1);
    assert_int_equal(inq_grade_rank(NULL), -1);
}

static void grades_are_computed(void **state)
{
    (void)state;
    assert_grade(R("r", SEGV), "plausible");
    assert_grade(R("r", "  when: [signal.name is SIGBUS]\n"), "none");
    assert_grade(R("r", SEGV "  unless: [fault.function is f]\n"), "none");
    assert_grade(R("r", SEGV "  proof: [signal.code is 1]\n"), "proven");
    assert_grade(R("r", SEGV "  proof: [signal.code is 1, fault.access is read]\n"), "plausible");
    assert_grade(R("r", SEGV "  proof: [signal.code is 2]\n"), "plausible");
    assert_grade(R("r", "  when: [signal.name is SIGSEGV, fault.access is read]\n"),
                 "inconclusive");
    assert_grade(R("r", SEGV "  unless: [fault.access is read]\n"), "inconclusive");
    assert_grade(R("r", SEGV "  grade: context\n"), "context");
    assert_grade(R("r", SEGV "  grade: context\n  proof: [signal.code is 1]\n"), "proven");
    assert_grade(R("r", SEGV "  grade: context\n  proof: [signal.code is 2]\n"), "context");
    assert_grade(R("r", SEGV "  grade: context\n  strong: [signal.code is 1]\n"), "strong");
    assert_grade(R("r", SEGV "  grade: context\n  strong: [fault.access is read]\n"), "context");
    assert_grade(R("r", SEGV "  strong: [signal.code is 1]\n"), "strong");
    assert_grade(R("r", SEGV "  strong: [signal.code is 2]\n"), "plausible");
    assert_grade(R("r", SEGV "  strong: [fault.access is read]\n"), "plausible");
    assert_grade(R("r", SEGV "  strong: [signal.code is 1]\n  proof: [signal.code is 2]\n"),
                 "strong");
    assert_grade(R("r", SEGV "  strong: [signal.code is 1]\n  rivals: [x]\n") R("x", SEGV),
                 "plausible");
    assert_grade(R("r", "  when: [fault.access is read]\n  grade: context\n"), "none");
}

static void counter_evidence_counts(void **state)
{
    (void)state;
#define REFUTES(condition) "  against: [{when: [" condition "], effect: refutes}]\n"
#define LOWERS(condition) "  against: [" condition "]\n"
    assert_grade(R("r", SEGV REFUTES("signal.code is 1")), "refuted");
    assert_grade(R("r", SEGV "  proof: [signal.code is 1]\n" REFUTES("fault.function is f")),
                 "refuted");
    assert_grade(R("r", SEGV REFUTES("signal.code is 2")), "plausible");
    assert_grade(R("r", SEGV LOWERS("signal.code is 1")), "plausible");
    assert_grade(R("r", SEGV "  proof: [signal.code is 1]\n" LOWERS("signal.code is 1")), "strong");
    assert_grade(R("r", SEGV "  proof: [signal.code is 1]\n" LOWERS("fault.access is read")),
                 "proven");
    /* what could still refute it is not known */
    assert_grade(R("r", SEGV "  proof: [signal.code is 1]\n" REFUTES("fault.access is read")),
                 "strong");
    assert_grade(R("r", SEGV "  rivals: [x]\n" REFUTES("fault.access is read"))
                     R("x", "  when: [signal.name is SIGBUS]\n"),
                 "plausible");
}

static void rivals_decide_about_strong(void **state)
{
    (void)state;
#define RIVAL R("r", SEGV "  rivals: [x]\n")
    assert_grade(RIVAL R("x", "  when: [signal.name is SIGBUS]\n"), "strong");
    assert_grade(RIVAL R("x", SEGV "  against: [{when: [signal.code is 1], effect: refutes}]\n"),
                 "strong");
    assert_grade(RIVAL R("x", SEGV), "plausible");
    assert_grade(RIVAL R("x", "  when: [signal.name is SIGSEGV, fault.access is read]\n"),
                 "plausible");
    assert_grade(RIVAL, "plausible"); /* not loaded: not excluded */
    assert_grade(R("r", SEGV "  rivals: [x, y]\n") R("x", "  when: [signal.name is SIGBUS]\n")
                     R("y", "  when: [signal.name is SIGILL]\n"),
                 "strong");
    assert_grade(R("r", SEGV "  rivals: [x, y]\n") R("x", "  when: [signal.name is SIGBUS]\n")
                     R("y", SEGV),
                 "plausible");
    /* a proof that was looked at and does not hold */
    assert_grade(R("r", SEGV "  rivals: [x]\n  proof: [signal.code is 2]\n")
                     R("x", "  when: [signal.name is SIGBUS]\n"),
                 "plausible");
    /* one that nobody could look at */
    assert_grade(R("r", SEGV "  rivals: [x]\n  proof: [fault.access is read]\n")
                     R("x", "  when: [signal.name is SIGBUS]\n"),
                 "strong");
}

static void lists_are_ordered(void **state)
{
    (void)state;
    static const char rules[] =
        R("a-plausible", SEGV) R("b-proven", SEGV "  proof: [signal.code is 1]\n")
            R("c-heavy", SEGV "  weight: 9\n") R("d-context", SEGV "  grade: context\n")
                R("e-refuted", SEGV "  against: [{when: [signal.code is 1], effect: refutes}]\n")
                    R("f-open", "  when: [signal.name is SIGSEGV, fault.access is read]\n"
                                "  rivals: [b-proven]\n")
                        R("g-not", "  when: [signal.name is SIGBUS]\n");
    struct inq_evidence *evidence = judge(rules, "{" CRASH "}");
    assert_string_equal(order_of(evidence),
                        "b-proven c-heavy a-plausible f-open d-context e-refuted");
    inq_evidence_destroy(evidence);
}

static void symptoms_stand_below_their_cause(void **state)
{
    (void)state;
    /* the symptom is heavier and as well proven */
    static const char rules[] =
        R("cause", SEGV "  proof: [signal.code is 1]\n  explains: [symptom, other]\n")
            R("symptom", SEGV "  proof: [signal.code is 1]\n  weight: 99\n"
                              "  explains: [deeper]\n  fix: [mend the symptom]\n")
                R("deeper", SEGV "  weight: 100\n  proof: [fault.access is read]\n");
    struct inq_evidence *evidence = judge(rules, "{" CRASH "}");
    assert_string_equal(order_of(evidence), "cause symptom deeper");
    assert_string_equal(grade_of(evidence, "symptom"), "proven");
    assert_string_equal(grade_of(evidence, "deeper"), "context"); /* a guess, and explained */
    const json_t *symptom = verdict_of(evidence, "symptom");
    assert_string_equal(json_string_value(json_array_get(json_object_get(symptom, "against"), 0)),
                        "cause explains it: a symptom, not a cause of its own");
    assert_int_equal(json_array_size(json_object_get(symptom, "fix")), 0);
    assert_int_equal(json_array_size(json_object_get(verdict_of(evidence, "deeper"), "unknown")),
                     0);
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(verdict_of(evidence, "cause"), "explains"), 0)),
                        "symptom");
    inq_evidence_destroy(evidence);

    /* a guess does not demote what is proven */
    evidence = judge(R("cause", SEGV "  explains: [symptom]\n")
                         R("symptom", SEGV "  proof: [signal.code is 1]\n"),
                     "{" CRASH "}");
    assert_string_equal(order_of(evidence), "symptom cause");
    inq_evidence_destroy(evidence);

    /* two that explain each other, one that explains itself, and three in a ring */
    evidence = judge(R("a", SEGV "  explains: [b]\n") R("b", SEGV "  explains: [a]\n")
                         R("c", SEGV "  explains: [c]\n") R("d", SEGV "  explains: [e]\n")
                             R("e", SEGV "  explains: [f]\n") R("f", SEGV "  explains: [d]\n"),
                     "{" CRASH "}");
    assert_string_equal(order_of(evidence), "a c d b e f");
    assert_string_equal(grade_of(evidence, "a"), "plausible");
    assert_string_equal(grade_of(evidence, "c"), "plausible");
    assert_string_equal(grade_of(evidence, "d"), "plausible");
    inq_evidence_destroy(evidence);
}

static void a_cut_dump_lowers_what_rests_on_memory(void **state)
{
    (void)state;
    static const char rules[] = R("memory", SEGV "  proof: [\"abort.message like '*x*'\"]\n")
        R("notes", SEGV "  proof: [fault.address is 8]\n")
            R("excluded", "  when: [signal.name is SIGSEGV, 'frame[0].function is f']\n"
                          "  rivals: [never]\n") R("never", "  when: [signal.name is SIGBUS]\n")
                R("cut", "  when: [core.complete is false]\n  grade: context\n");
#define WITH(core)                                                                                 \
    "{" core CRASH ", \"abort\": {\"message\": \"x\"}, \"threads\": [{\"crashed\": true, "         \
    "\"frames\": [{\"index\": 0, \"function\": \"f\"}]}]}"
    struct inq_evidence *evidence = judge(rules, WITH("\"core\": {\"complete\": true}, "));
    assert_string_equal(grade_of(evidence, "memory"), "proven");
    assert_string_equal(grade_of(evidence, "excluded"), "strong");
    assert_string_equal(grade_of(evidence, "cut"), "none");
    inq_evidence_destroy(evidence);

    evidence = judge(rules, WITH("\"core\": {\"complete\": false}, "));
    assert_string_equal(grade_of(evidence, "memory"), "strong");
    assert_string_equal(grade_of(evidence, "notes"), "proven");
    assert_string_equal(grade_of(evidence, "excluded"), "plausible");
    assert_string_equal(order_of(evidence), "notes memory excluded cut");
    const json_t *against = json_object_get(verdict_of(evidence, "memory"), "against");
    assert_string_equal(json_string_value(json_array_get(against, 0)),
                        "one grade lower: it rests on memory, and the dump ends early");
    inq_evidence_destroy(evidence);

    /* left out on purpose: what was seen was seen; that nothing else was there is less sure */
    evidence = judge(rules, WITH("\"core\": {\"complete\": true, \"filtered\": true}, "));
    assert_string_equal(grade_of(evidence, "memory"), "proven");
    assert_string_equal(grade_of(evidence, "excluded"), "plausible");
    inq_evidence_destroy(evidence);
}

static void cut_notes_come_first_when_nothing_else_is_known(void **state)
{
    (void)state;
    static const char rules[] = R("cut", "  when: [core.complete is false]\n  grade: context\n")
        R("open", "  when: [signal.name is SIGSEGV, fault.access is read]\n") R("real", SEGV);
    struct inq_evidence *evidence =
        judge(rules, "{\"core\": {\"complete\": false, \"notes_cut\": true}, " CRASH "}");
    assert_string_equal(order_of(evidence), "real cut open");
    inq_evidence_destroy(evidence);
    evidence =
        judge(rules, "{\"core\": {\"complete\": false, \"notes_cut\": true},"
                     " \"unknown\": {\"signal.name\": \"no note\", \"fault\": \"no note\"}}");
    assert_string_equal(order_of(evidence), "cut");
    inq_evidence_destroy(evidence);
}

static void inconclusive_ones_are_few_and_useful(void **state)
{
    (void)state;
    char rules[4096] = "";
    for (int i = 0; i < 9; i++) {
        char one[256];
        snprintf(one, sizeof(one),
                 R("o%d", "  when: [signal.name is SIGSEGV, fault.access is read]\n"
                          "  weight: %d\n"),
                 i, i, i);
        add_text(rules, sizeof(rules), one);
    }
    /* nothing of it fits yet; and nothing in this version could tell */
    add_text(rules, sizeof(rules), R("p", "  when: [fault.access is read]\n"));
    add_text(rules, sizeof(rules),
             R("q", "  when: [signal.name is SIGSEGV, heap.state is corrupted]\n"));
    struct inq_evidence *evidence = judge(rules, "{" CRASH "}");
    assert_string_equal(order_of(evidence), "o8 o7 o6 o5 o4");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(evidence->document, "limits"), 0)),
        "4 more inconclusive signatures are not listed");
    const json_t *verdict = verdict_of(evidence, "o8");
    assert_true(json_is_null(json_object_get(verdict, "cause")));
    const json_t *unknown = json_array_get(json_object_get(verdict, "unknown"), 0);
    assert_string_equal(json_string_value(json_object_get(unknown, "text")),
                        "fault.access is read: not decoded");
    assert_int_equal(
        strncmp(json_string_value(json_object_get(unknown, "read")), "fault.access: ", 14), 0);
    inq_evidence_destroy(evidence);

    /* with an answer at hand only its relations are worth a line */
    rules[0] = '\0';
    add_text(rules, sizeof(rules),
             R("answer", SEGV "  proof: [signal.code is 1]\n  rivals: [rival]\n"));
    add_text(rules, sizeof(rules),
             R("rival", "  when: [signal.name is SIGSEGV, fault.access is read]\n"));
    add_text(rules, sizeof(rules),
             R("root", "  when: [signal.name is SIGSEGV, fault.access is read]\n"
                       "  explains: [answer]\n"));
    add_text(rules, sizeof(rules),
             R("stranger", "  when: [signal.name is SIGSEGV, fault.access is read]\n"));
    evidence = judge(rules, "{" CRASH "}");
    assert_string_equal(order_of(evidence), "answer rival root");
    inq_evidence_destroy(evidence);
}

static const char *text_at(const json_t *verdict, const char *list, size_t index)
{
    const json_t *entry = json_array_get(json_object_get(verdict, list), index);
    return json_is_string(entry) ? json_string_value(entry)
                                 : json_string_value(json_object_get(entry, "text"));
}

static void verdicts_say_why(void **state)
{
    (void)state;
    static const char rules[] =
        R("r",
          SEGV "  proof: [heap.first_bad.address is 0]\n  rivals: [no, open, yes]\n"
               "  against: [{when: [signal.code is 1], text: 'code {signal.code}'}]\n"
               "  fix: [plain, {text: 'at {fault.address}', commands: ['x {fault.address}']}]\n"
               "  see: [somewhere]\n") R("no", "  when: [signal.name is SIGBUS]\n")
            R("open", "  when: [signal.name is SIGSEGV, fault.access is read]\n") R("yes", SEGV);
    struct inq_evidence *evidence = judge(rules, "{" CRASH "}");
    const json_t *verdict = verdict_of(evidence, "r");
    assert_string_equal(json_string_value(json_object_get(verdict, "cause")), "C SIGSEGV");
    assert_string_equal(json_string_value(json_object_get(verdict, "title")), "T r");
    assert_string_equal(text_at(verdict, "evidence", 0), "the signal is SIGSEGV");
    assert_string_equal(text_at(verdict, "evidence", 1), "not no: the signal is SIGSEGV");
    assert_int_equal(json_array_size(json_object_get(verdict, "evidence")), 2);
    assert_string_equal(text_at(verdict, "against", 0), "code 1");
    assert_string_equal(text_at(verdict, "against", 1), "yes fits as well: T yes");
    assert_string_equal(text_at(verdict, "unknown", 0),
                        "heap.first_bad.address is 0: this version does not look for it");
    assert_string_equal(text_at(verdict, "unknown", 1),
                        "open is not excluded: fault.access is read: not decoded");
    assert_string_equal(text_at(verdict, "fix", 1), "at 0x8");
    const json_t *fix = json_array_get(json_object_get(verdict, "fix"), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(fix, "commands"), 0)),
                        "x 0x8");
    assert_string_equal(text_at(verdict, "see", 0), "somewhere");
    inq_evidence_destroy(evidence);
}

static void judging_again_gives_the_same(void **state)
{
    (void)state;
    struct inq_rules *rules = rules_of(R("r", SEGV) R("s", SEGV));
    struct inq_evidence *evidence = evidence_of("{" CRASH "}");
    assert_null(inq_verdicts_judge(rules, evidence));
    json_t *first = json_deep_copy(json_object_get(evidence->document, "verdicts"));
    assert_null(inq_verdicts_judge(rules, evidence));
    assert_true(json_equal(first, json_object_get(evidence->document, "verdicts")));
    json_decref(first);
    inq_evidence_destroy(evidence);

    evidence = evidence_of("{}");
    assert_null(inq_verdicts_judge(rules, evidence));
    assert_string_equal(order_of(evidence), "");
    inq_evidence_destroy(evidence);
    inq_rules_destroy(rules);
}

int test_judge(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grades_are_ordered),
        cmocka_unit_test(grades_are_computed),
        cmocka_unit_test(counter_evidence_counts),
        cmocka_unit_test(rivals_decide_about_strong),
        cmocka_unit_test(lists_are_ordered),
        cmocka_unit_test(symptoms_stand_below_their_cause),
        cmocka_unit_test(a_cut_dump_lowers_what_rests_on_memory),
        cmocka_unit_test(cut_notes_come_first_when_nothing_else_is_known),
        cmocka_unit_test(inconclusive_ones_are_few_and_useful),
        cmocka_unit_test(verdicts_say_why),
        cmocka_unit_test(judging_again_gives_the_same),
    };
    return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
