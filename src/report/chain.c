/* SPDX-License-Identifier: Apache-2.0 */

/* How the answer came to what was seen, the group of the crash, and whose signatures were asked. */

#include <string.h>

#include "page.h"

static bool text_is(const json_t *verdict, const char *key, const char *value)
{
    const char *text = inq_page_text(verdict, key);
    return text && !strcmp(text, value);
}

/* The first verdict that this one explains; NULL at the end of the chain. */
static const json_t *symptom_of(const json_t *verdicts, const json_t *verdict)
{
    const char *id = inq_page_text(verdict, "signature");
    size_t i;
    json_t *other;
    json_array_foreach (verdicts, i, other) {
        if (id && other != verdict && text_is(other, "explained_by", id))
            return other;
    }
    return NULL;
}

size_t inq_page_links(const json_t *verdicts, const json_t *answer,
                      const json_t *ret_links[INQ_PAGE_LINKS])
{
    size_t count = 0;
    while (answer && count < INQ_PAGE_LINKS) {
        ret_links[count++] = answer;
        answer = symptom_of(verdicts, answer);
    }
    return count;
}

/* Symptom first, as it was met; the cause last. */
void inq_page_chain(struct inq_page *page, const json_t *verdicts, const json_t *answer)
{
    const json_t *links[INQ_PAGE_LINKS];
    size_t count = inq_page_links(verdicts, answer, links);
    if (count < 2)
        return;
    inq_page_heading(page, "How it came to this");
    for (size_t i = count; i > 0; i--) {
        const json_t *verdict = links[i - 1];
        const char *title = inq_page_text(verdict, "title");
        const char *id = inq_page_text(verdict, "signature");
        struct inq_text line = {0};
        inq_text_printf(&line, "%s [%s]", title ? title : "(no title)", id ? id : "?");
        inq_page_prose(page,
                       i == count ? "  symptom    "
                       : i > 1    ? "  mechanism  "
                                  : "  cause      ",
                       13, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
}

/* Silent where only the shipped signatures were asked, as they are. */
void inq_page_signatures(struct inq_page *page)
{
    const json_t *signatures = json_object_get(page->report, "signatures");
    const json_t *changed = json_object_get(signatures, "changed"), *change;
    json_int_t own = inq_page_int(signatures, "own", 0);
    size_t i;
    if (own <= 0 && json_array_size(changed) == 0)
        return;
    inq_page_heading(page, "Signatures");
    inq_page_printf(page, "  %lld were asked, %lld of them your own\n",
                    (long long)inq_page_int(signatures, "loaded", 0), (long long)own);
    json_array_foreach (changed, i, change) {
        const char *id = inq_page_text(change, "id"), *reason = inq_page_text(change, "reason");
        const char *file = inq_page_text(change, "file");
        struct inq_text line = {0};
        inq_text_printf(&line, "%s was %s: %s (%s)", id ? id : "?",
                        text_is(change, "change", "override") ? "overridden" : "disabled",
                        reason ? reason : "no reason", file ? file : "?");
        inq_page_prose(page, "  ", 4, line.failed ? "" : line.bytes);
        inq_text_deinit(&line);
    }
}

/* The names that a scan groups by: the same bug in any build, and in this one. */
void inq_page_group(struct inq_page *page)
{
    const json_t *group = json_object_get(page->report, "group");
    const char *bug = inq_page_text(group, "bug"), *exact = inq_page_text(group, "exact");
    const char *title = inq_page_text(group, "title");
    char bug_id[9], exact_id[9];
    struct inq_text line = {0};
    if (!bug || !exact)
        return;
    inq_page_group_id(bug, bug_id);
    inq_page_group_id(exact, exact_id);
    inq_page_heading(page, "Group");
    inq_text_printf(&line, "%s, in this build %s%s%s", bug_id, exact_id, title ? ": " : "",
                    title ? title : "");
    inq_page_prose(page, "  ", 4, line.failed ? "" : line.bytes);
    inq_text_deinit(&line);
}
