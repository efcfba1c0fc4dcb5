/* SPDX-License-Identifier: Apache-2.0 */

/* The report as a page of text: interface.md of the design, "The text report, in this order". */

#include "page.h"

static void put_page(struct inq_page *page)
{
    const json_t *error = json_object_get(page->report, "error");
    if (json_is_object(error)) {
        inq_page_stub(page, error);
        return;
    }
    inq_page_headline(page);
    inq_page_answer(page);
    inq_page_crashed_thread(page);
    inq_page_collisions(page);
    inq_page_other_threads(page);
    inq_page_kernel_log(page);
    inq_page_details(page);
    inq_page_group(page);
    inq_page_signatures(page);
    inq_page_gaps(page);
    inq_page_gdb(page);
}

/* A line or a name that there was no memory for must not be missing without a word. */
void inq_report_text(const json_t *report, const struct inq_style *style, struct inq_text *text)
{
    struct inq_page page = {.text = text, .style = style, .report = report};
    const uint64_t losses = inq_text_losses();
    put_page(&page);
    if (inq_text_losses() != losses)
        text->failed = true;
}
