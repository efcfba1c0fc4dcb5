/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The shipped signatures over the files in tests/rules/ID: match*.json, nomatch*.json and
 * unknown*.json. A file is a report, or {"synthetic": true, "expect": {"grade", "rank"}, "report":
 * {…}}.
 */

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "verdict.h"
#include "verdict_tests.h"

static struct inq_rules *shipped;

static const char *source_root(void)
{
    const char *root = getenv("INQ_SOURCE_ROOT");
    return root ? root : ".";
}

static int load_shipped(void **state)
{
    (void)state;
    char path[4096];
    snprintf(path, sizeof(path), "%s/signatures", source_root());
    const char *directory = path;
    struct inq_error *error = inq_rules_load(&directory, 1, &shipped);
    if (error)
        print_error("%s\n", error->message);
    inq_error_destroy(error);
    return shipped ? 0 : -1;
}

static int unload_shipped(void **state)
{
    (void)state;
    inq_rules_destroy(shipped);
    return 0;
}

static void all_files_are_good(void **state)
{
    (void)state;
    if (json_array_size(shipped->refused) > 0)
        fail_msg("%s", json_dumps(shipped->refused, 0));
    assert_true(shipped->count >= 11);
}

static void names_lead_somewhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < shipped->count; i++) {
        const struct inq_rule *rule = &shipped->items[i];
        for (size_t r = 0; r < rule->n_rivals; r++)
            if (!inq_rules_find(shipped, rule->rivals[r].id))
                fail_msg("%s: no rival %s", rule->id, rule->rivals[r].id);
        for (size_t e = 0; e < rule->n_explains; e++)
            if (!inq_rules_find(shipped, rule->explains[e]))
                fail_msg("%s explains no %s", rule->id, rule->explains[e]);
        assert_true(rule->n_fixes > 0);
        assert_true(rule->n_see > 0);
    }
}

static void check_expectation(const json_t *expect, const struct inq_evidence *evidence,
                              const char *id, const char *path)
{
    const char *grade = json_string_value(json_object_get(expect, "grade"));
    const json_t *rank = json_object_get(expect, "rank");
    if (grade && strcmp(grade, grade_of(evidence, id)) != 0)
        fail_msg("%s: %s, not %s", path, grade_of(evidence, id), grade);
    if (rank && json_integer_value(rank) !=
                    json_integer_value(json_object_get(verdict_of(evidence, id), "rank")))
        fail_msg("%s: order is %s", path, order_of(evidence));
}

static void check_report(const json_t *file, const char *id, const char *kind, const char *path)
{
    const json_t *report = json_object_get(file, "report");
    char *text = json_dumps(report ? report : file, 0);
    struct inq_evidence *evidence = NULL;
    struct inq_error *error = inq_evidence_parse(text, strlen(text), path, &evidence);
    if (error)
        fail_msg("%s: %s", path, error->message);
    struct inq_match *match = inq_rule_evaluate(inq_rules_find(shipped, id), evidence->document);
    assert_non_null(match);
    assert_null(inq_verdicts_judge(shipped, evidence));
    assert_null(inq_group_key(evidence));
    enum inq_truth wanted = strcmp(kind, "match") == 0     ? INQ_YES
                            : strcmp(kind, "nomatch") == 0 ? INQ_NO
                                                           : INQ_MAYBE;
    if (match->when != wanted)
        fail_msg("%s: %d instead of %s", path, (int)match->when, kind);
    int rank = inq_grade_rank(grade_of(evidence, id));
    if (wanted == INQ_YES)
        assert_true(rank >= inq_grade_rank("context"));
    else if (wanted == INQ_NO)
        assert_int_equal(rank, -1);
    else
        assert_true(rank <= inq_grade_rank("inconclusive"));
    check_expectation(json_object_get(file, "expect"), evidence, id, path);
    inq_match_destroy(match);
    inq_evidence_destroy(evidence);
    free(text);
}

static size_t check_kind(const char *id, const char *kind)
{
    char directory[4096], path[8192];
    snprintf(directory, sizeof(directory), "%s/tests/rules/%s", source_root(), id);
    DIR *entries = opendir(directory);
    if (!entries)
        fail_msg("%s: no such directory", directory);
    size_t count = 0;
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (strncmp(entry->d_name, kind, strlen(kind)) != 0 || !strstr(entry->d_name, ".json"))
            continue;
        json_error_t error;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        json_t *file = json_load_file(path, 0, &error);
        if (!file)
            fail_msg("%s:%d: %s", path, error.line, error.text);
        check_report(file, id, kind, path);
        json_decref(file);
        count++;
    }
    closedir(entries);
    return count;
}

static void every_signature_has_its_evidence(void **state)
{
    (void)state;
    static const char *const kinds[] = {"match", "nomatch", "unknown"};
    for (size_t i = 0; i < shipped->count; i++)
        for (size_t k = 0; k < 3; k++)
            if (check_kind(shipped->items[i].id, kinds[k]) == 0)
                fail_msg("%s has no %s file", shipped->items[i].id, kinds[k]);
}

/* What a reader must never be told. */
static void a_wild_argument_is_no_damaged_heap(void **state)
{
    (void)state;
    const char *cause = inq_rules_find(shipped, "free-near-null")->cause[0].text;
    assert_non_null(strstr(cause, "nothing here says that the heap is damaged"));
    assert_non_null(strstr(cause, "{frame[1].function}"));
}

int test_signatures(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_files_are_good),
        cmocka_unit_test(names_lead_somewhere),
        cmocka_unit_test(every_signature_has_its_evidence),
        cmocka_unit_test(a_wild_argument_is_no_damaged_heap),
    };
    return cmocka_run_group_tests_name("signatures", tests, load_shipped, unload_shipped);
}
