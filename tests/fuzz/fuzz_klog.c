/* SPDX-License-Identifier: Apache-2.0 */

/* A kernel log: every line, whoever wrote it; events, groups, judgement, text and JSON of them. */

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fuzz.h"
#include "klog.h"
#include "klog_document.h"
#include "klog_groups.h"
#include "report.h"

/* Fields are texts that end within their bounds. */
static void check_event(const struct inq_klog_event *event, size_t size)
{
    FUZZ_CHECK(event->kind != INQ_KLOG_NONE && event->kind <= INQ_KLOG_LOST,
               "an event is of a kind");
    FUZZ_CHECK(strnlen(event->comm, sizeof(event->comm)) < sizeof(event->comm), "a name ends");
    FUZZ_CHECK(strnlen(event->module, sizeof(event->module)) < sizeof(event->module),
               "a module ends");
    FUZZ_CHECK(strnlen(event->text, sizeof(event->text)) < sizeof(event->text), "a line ends");
    FUZZ_CHECK(strnlen(event->time.text, sizeof(event->time.text)) < sizeof(event->time.text),
               "a time ends");
    FUZZ_CHECK(event->code_size <= sizeof(event->code), "code fits");
    FUZZ_CHECK(!event->code_at_known || event->code_at < event->code_size,
               "the mark is in the code");
    FUZZ_CHECK(event->line_number >= 1 && event->line_number <= size + 1, "a line of the log");
    FUZZ_CHECK(event->n_lines >= 1, "an event has a line");
}

static void check_text(const json_t *document)
{
    struct inq_text text = {0};
    const struct inq_style style = {.width = 80, .verbose = true};

    inq_report_klog(document, &style, &text);
    FUZZ_CHECK(!text.failed, "memory");
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        FUZZ_CHECK(c == '\n' || (c >= 0x20 && c != 0x7f), "no control byte in the text");
        FUZZ_CHECK(c != 0xc2 || (unsigned char)text.bytes[i + 1] >= 0xa0, "no C1 control");
    }
    inq_text_deinit(&text);
}

static void check_json(const json_t *document)
{
    char *bytes = inq_evidence_dump(document, false);
    json_t *again = bytes ? json_loads(bytes, 0, NULL) : NULL;
    char *second = again ? inq_evidence_dump(again, false) : NULL;

    FUZZ_CHECK(second && !strcmp(bytes, second), "the JSON is read back");
    json_decref(again);
    free(bytes);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct inq_klog_options options = {.now_usec = 1772373486000000};
    struct inq_klog_reader *reader = NULL;
    struct inq_klog_groups *groups = NULL;
    struct inq_klog_source source = {.name = "fuzz"};
    struct inq_klog_event event;
    json_t *document = NULL;
    bool more;

    FUZZ_CHECK(!inq_klog_groups_create(true, &groups), "memory");
    FUZZ_CHECK(!inq_klog_reader_create_bytes(data, size, "fuzz", &options, &reader), "memory");
    for (;;) {
        FUZZ_CHECK(!inq_klog_reader_next(reader, &event, &more), "bytes can be read");
        if (!more)
            break;
        source.events++;
        check_event(&event, size);
        FUZZ_CHECK(!inq_klog_groups_add(groups, &event), "memory");
    }
    source.stats = inq_klog_reader_stats(reader);
    FUZZ_CHECK(source.stats.bytes == size, "all of it was read");
    FUZZ_CHECK(source.stats.steps <= 3 * (uint64_t)size + 64,
               "every byte is looked at a few times");
    FUZZ_CHECK(!inq_klog_document(groups, &source, 1, &document), "memory");
    check_text(document);
    check_json(document);
    json_decref(document);
    inq_klog_groups_destroy(groups);
    inq_klog_reader_destroy(reader);
    return 0;
}
