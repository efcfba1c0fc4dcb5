/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reports from evidence written by hand, compared to the byte. After a change that is meant:
 * INQ_REGENERATE=1 meson test unit-report, then read the difference.
 */

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "report_tests.h"

static void golden_path(char path[4096], const char *name, const char *ending)
{
    const char *root = getenv("INQ_SOURCE_ROOT");
    snprintf(path, 4096, "%s/tests/golden/%s%s", root ? root : ".", name, ending);
}

static char *read_file(const char *path)
{
    _cleanup_fclose_ FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    char *bytes = calloc(1, 1 << 20);
    assert_non_null(bytes);
    size_t size = fread(bytes, 1, (1 << 20) - 1, file);
    bytes[size] = '\0';
    return bytes;
}

static void compare(const char *name, const char *ending, const char *text)
{
    char path[4096];
    golden_path(path, name, ending);
    if (getenv("INQ_REGENERATE")) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
        return;
    }
    _cleanup_free_ char *expected = read_file(path);
    if (!expected)
        fail_msg("%s is missing: INQ_REGENERATE=1 writes it", path);
    assert_string_equal(text, expected);
}

static void golden(const char *name, struct inq_style style, const char *ending)
{
    json_t *document = golden_document(name);
    _cleanup_free_ char *text = render(document, style);
    compare(name, ending, text);
    json_decref(document);
}

static const char *const names[] = {
    "external-signal", "free-near-null", "many-threads",     "recursion",
    "stub-not-elf",    "hostile",        "stub-worker-died", "libs-core",
};

static void reports(void **state)
{
    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        golden(names[i], (struct inq_style){.width = 80}, ".txt");
}

static void verbose_reports(void **state)
{
    (void)state;
    golden("free-near-null", (struct inq_style){.width = 100, .verbose = true}, ".verbose.txt");
    golden("free-near-null", (struct inq_style){.width = 80, .color = true}, ".color.txt");
}

/* How `inquest libs` shows a core and an environment. */
static void libraries(void **state)
{
    static const struct {
        const char *name, *ending;
        bool pairs, all, verbose;
    } pages[] = {
        {"libs-core", ".page.txt", false, false, false},
        {"libs-core", ".all.txt", false, true, true},
        {"libs-prefix", ".page.txt", true, false, false},
        {"libs-prefix", ".all.txt", true, true, false},
        {"libs-clean", ".page.txt", true, false, false},
        {"hostile", ".libs.txt", false, true, true},
        {"hostile", ".pairs.txt", true, true, true},
    };
    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(pages); i++) {
        const struct inq_style style = {.width = 100, .verbose = pages[i].verbose};
        json_t *document = golden_document(pages[i].name);
        _cleanup_(inq_text_deinit) struct inq_text text = {0};
        if (pages[i].pairs)
            inq_report_pairs(document, &style, pages[i].all, &text);
        else
            inq_report_libs(document, &style, pages[i].all, &text);
        assert_false(text.failed);
        compare(pages[i].name, pages[i].ending, text.bytes);
        json_decref(document);
    }
}

static void rows(void **state)
{
    (void)state;
    struct inq_style style = {.width = 100};
    struct inq_text text = {0};
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        json_t *document = golden_document(names[i]);
        inq_report_line(document, &style, &text);
        inq_text_append(&text, "\n");
        /* with room for it, the file: cut in the middle, or whole where lines have no end */
        const struct inq_style wide = {.width = 130}, whole = {0};
        inq_report_line(document, &wide, &text);
        inq_text_append(&text, "\n");
        inq_report_line(document, &whole, &text);
        inq_text_append(&text, "\n");
        json_decref(document);
    }
    compare("rows", ".txt", text.bytes);
    inq_text_deinit(&text);
}

/* The documents are such as a worker could send. */
static void documents_fit_the_dictionary(void **state)
{
    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        char path[4096];
        golden_path(path, names[i], ".json");
        _cleanup_free_ char *bytes = read_file(path);
        _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
        struct inq_error *error = inq_evidence_parse(bytes, strlen(bytes), path, &evidence);
        if (error)
            fail_msg("%s: %s", path, error->message);
    }
}

int test_golden(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports),
        cmocka_unit_test(verbose_reports),
        cmocka_unit_test(libraries),
        cmocka_unit_test(rows),
        cmocka_unit_test(documents_fit_the_dictionary),
    };
    return cmocka_run_group_tests_name("golden reports", tests, NULL, NULL);
}
