/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TESTS_RULES_TESTS_H
#define INQ_TESTS_RULES_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules.h"

/* Appends to a buffer of `room` bytes; a text that does not fit fails the test. */
static inline void add_text(char *buffer, size_t room, const char *more)
{
    size_t size = strlen(buffer), added = strlen(more);
    assert_true(size + added < room);
    memcpy(buffer + size, more, added + 1);
}

/* Each file runs its group: the number of failed tests. */
int test_condition(void);
int test_evaluate(void);
int test_language(void);
int test_load(void);
int test_quantifier(void);
int test_template(void);
int test_yaml(void);

/* A directory of its own for signature files; removed with all that is in it. */
struct rules_dir {
    char path[64];
};
void rules_dir_make(struct rules_dir *dir);
void rules_dir_write(const struct rules_dir *dir, const char *name, const void *bytes, size_t size);
void rules_dir_text(const struct rules_dir *dir, const char *name, const char *text);
void rules_dir_remove(struct rules_dir *dir);

/*
 * The first error of a file with this text, without its directory ("r.yaml:2:3: …"), or "" when it
 * is good. Static.
 */
const char *rules_error(const char *text);
const char *rules_error_bytes(const void *bytes, size_t size);

/* A document from JSON text; to be json_decref'd. */
json_t *rules_document(const char *text);

/* `- id: r` with a title, a cause and these lines, each beginning with two spaces. */
#define RULE(lines) "- id: r\n  title: t\n  cause: c\n" lines
/* One condition in `when`, written as YAML. */
#define WHEN(condition) RULE("  when:\n    - " condition "\n")

/* What one rule, given as YAML, makes of a document. */
struct rules_result {
    struct inq_rules *rules;
    struct inq_match *match;
};
struct rules_result rules_evaluate(const char *rule, const json_t *document);
void rules_result_free(struct rules_result *result);
/* The truth of `when` and `unless` together. */
enum inq_truth rules_when(const char *rule, const char *document);

#endif
