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

/* True for the report of a real crash. */
static bool check_report(const char *id, enum inq_case_kind kind, const char *path)
{
    FILE *file = fopen(path, "r");
    struct inq_case_result result = {.problem = NULL};
    char *text = NULL;
    size_t size = 0;
    assert_non_null(file);
    ssize_t got = getdelim(&text, &size, '\0', file);
    fclose(file);
    if (got < 0)
        fail_msg("%s: empty", path);
    struct inq_error *error = inq_case_check(shipped, id, kind, text, (size_t)got, path, &result);
    if (error)
        fail_msg("%s: %s", path, error->message);
    if (result.problem)
        fail_msg("%s: %s", path, result.problem);
    free(text);
    return !result.synthetic;
}

static size_t check_kind(const char *id, enum inq_case_kind which, bool *ret_real)
{
    static const char *const kinds[] = {"match", "nomatch", "unknown"};
    const char *kind = kinds[which];
    char directory[4096], path[8192];
    snprintf(directory, sizeof(directory), "%s/tests/rules/%s", source_root(), id);
    DIR *entries = opendir(directory);
    if (!entries)
        fail_msg("%s: no such directory", directory);
    size_t count = 0;
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (strncmp(entry->d_name, kind, strlen(kind)) != 0 || !strstr(entry->d_name, ".json"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        *ret_real = check_report(id, which, path) || *ret_real;
        count++;
    }
    closedir(entries);
    return count;
}

static void every_signature_has_its_evidence(void **state)
{
    (void)state;
    static const enum inq_case_kind kinds[] = {INQ_CASE_NOMATCH, INQ_CASE_UNKNOWN, INQ_CASE_MATCH};
    for (size_t i = 0; i < shipped->count; i++) {
        const struct inq_rule *rule = &shipped->items[i];
        bool real = false;
        for (size_t k = 0; k < 3; k++) {
            real = false;
            if (check_kind(rule->id, kinds[k], &real) == 0)
                fail_msg("%s has not all three kinds of files", rule->id);
        }
        /* What no real crash has shown is plausible at most, and the other way round. */
        if (real != rule->seen_real)
            fail_msg("%s: it %s a real crash, and must say \"seen: %s\"", rule->id,
                     real ? "has matched" : "has matched no report of",
                     real ? "real" : "synthetic");
    }
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
