/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict_tests.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct inq_evidence *evidence_of(const char *text)
{
    json_error_t error;
    struct inq_evidence *evidence = NULL;
    json_t *document = json_loads(text, 0, &error);
    if (!document)
        fail_msg("%s in %s", error.text, text);
    assert_null(inq_evidence_create(&evidence));
    json_decref(evidence->document);
    evidence->document = document;
    return evidence;
}

struct inq_rules *rules_of(const char *text)
{
    char directory[] = "/tmp/inquest-verdict-XXXXXX", path[64];
    struct inq_rules *rules = NULL;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/r.yaml", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
    const char *name = directory;
    assert_null(inq_rules_load(&name, 1, &rules));
    if (json_array_size(rules->refused) > 0)
        fail_msg("%s", json_dumps(rules->refused, 0));
    unlink(path);
    rmdir(directory);
    return rules;
}

const json_t *verdict_of(const struct inq_evidence *evidence, const char *signature)
{
    size_t index;
    json_t *verdict;
    json_array_foreach(json_object_get(evidence->document, "verdicts"), index, verdict)
    {
        assert_int_equal(json_integer_value(json_object_get(verdict, "rank")), index + 1);
        if (strcmp(json_string_value(json_object_get(verdict, "signature")), signature) == 0)
            return verdict;
    }
    return NULL;
}

const char *grade_of(const struct inq_evidence *evidence, const char *signature)
{
    const json_t *verdict = verdict_of(evidence, signature);
    return verdict ? json_string_value(json_object_get(verdict, "grade")) : "none";
}

const char *order_of(const struct inq_evidence *evidence)
{
    static char text[1024];
    size_t index;
    json_t *verdict;
    text[0] = '\0';
    json_array_foreach(json_object_get(evidence->document, "verdicts"), index, verdict)
    {
        const char *id = json_string_value(json_object_get(verdict, "signature"));
        assert_true(strlen(text) + strlen(id) + 2 < sizeof(text));
        add_text(text, sizeof(text), index ? " " : "");
        add_text(text, sizeof(text), id);
    }
    return text;
}

int main(void)
{
    return test_judge() + test_group() + test_signatures();
}
