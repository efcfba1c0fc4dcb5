/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "evidence.h"
#include "report_tests.h"

json_t *golden_document(const char *name)
{
    const char *root = getenv("INQ_SOURCE_ROOT");
    char path[4096];
    json_error_t error;
    snprintf(path, sizeof(path), "%s/tests/golden/%s.json", root ? root : ".", name);
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!document)
        fail_msg("%s: %s", path, error.text);
    return document;
}

char *render(const json_t *report, struct inq_style style)
{
    struct inq_text text = {0};
    inq_report_text(report, &style, &text);
    assert_false(text.failed);
    assert_non_null(text.bytes);
    return text.bytes;
}

int main(void)
{
    setenv("TZ", "UTC0", 1);
    tzset();
    return test_golden() + test_hostile() + test_report();
}
