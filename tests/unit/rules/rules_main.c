/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_tests.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void rules_dir_make(struct rules_dir *dir)
{
    snprintf(dir->path, sizeof(dir->path), "/tmp/inquest-rules-XXXXXX");
    assert_non_null(mkdtemp(dir->path));
}

void rules_dir_write(const struct rules_dir *dir, const char *name, const void *bytes, size_t size)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

void rules_dir_text(const struct rules_dir *dir, const char *name, const char *text)
{
    rules_dir_write(dir, name, text, strlen(text));
}

void rules_dir_remove(struct rules_dir *dir)
{
    DIR *entries = opendir(dir->path);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
    assert_int_equal(rmdir(dir->path), 0);
}

const char *rules_error_bytes(const void *bytes, size_t size)
{
    static char text[4096];
    struct rules_dir dir;
    char path[256];
    rules_dir_make(&dir);
    rules_dir_write(&dir, "r.yaml", bytes, size);
    snprintf(path, sizeof(path), "%s/r.yaml", dir.path);
    struct inq_error *error = inq_rules_check_file(path);
    text[0] = '\0';
    if (error) {
        assert_int_equal(error->code, INQ_E_RULE);
        assert_int_equal(strncmp(error->message, path, strlen(path)), 0);
        snprintf(text, sizeof(text), "%s", error->message + strlen(dir.path) + 1);
    }
    inq_error_destroy(error);
    rules_dir_remove(&dir);
    return text;
}

const char *rules_error(const char *text)
{
    return rules_error_bytes(text, strlen(text));
}

json_t *rules_document(const char *text)
{
    json_error_t error;
    json_t *document = json_loads(text, 0, &error);
    if (!document)
        fail_msg("%s in %s", error.text, text);
    return document;
}

struct rules_result rules_evaluate(const char *rule, const json_t *document)
{
    struct rules_result result = {NULL, NULL};
    struct rules_dir dir;
    rules_dir_make(&dir);
    rules_dir_text(&dir, "r.yaml", rule);
    const char *path = dir.path;
    assert_null(inq_rules_load(&path, 1, &result.rules));
    if (json_array_size(result.rules->refused) > 0)
        fail_msg("refused: %s", json_string_value(json_object_get(
                                    json_array_get(result.rules->refused, 0), "message")));
    assert_int_equal(result.rules->count, 1);
    result.match = inq_rule_evaluate(&result.rules->items[0], document);
    assert_non_null(result.match);
    rules_dir_remove(&dir);
    return result;
}

void rules_result_free(struct rules_result *result)
{
    inq_match_destroy(result->match);
    inq_rules_destroy(result->rules);
}

enum inq_truth rules_when(const char *rule, const char *text)
{
    json_t *document = rules_document(text);
    struct rules_result result = rules_evaluate(rule, document);
    enum inq_truth when = result.match->when;
    rules_result_free(&result);
    json_decref(document);
    return when;
}

int main(void)
{
    return test_yaml() + test_condition() + test_load() + test_evaluate() + test_quantifier() +
           test_language() + test_template();
}
