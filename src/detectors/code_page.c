/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The page that the failing instruction lies in, next to the file it was mapped from: bytes that
 * differ were changed in memory. One bit alone is what a faulty memory or CPU does; many bytes are
 * a debugger's breakpoints, a patched function, or text relocations.
 */

#include <inttypes.h>

#include "crash.h"
#include "detectors.h"
#include "fault_site.h"
#include "memory_page.h"

static const char *describe(const struct inq_dump *dump, const struct inq_page *page)
{
    uint64_t offset = page->first - page->module->load_bias;
    unsigned bit = 0;

    if (page->bits != 1)
        return inq_arena_printf(dump->arena,
                                "bytes that differ from the file: %" PRIu64 ", bits: %" PRIu64
                                "; the first is at %s+0x%" PRIx64 ": 0x%02x, in the file 0x%02x",
                                page->bytes, page->bits, page->module->name, offset, page->memory,
                                page->file);
    while (!((page->memory ^ page->file) >> bit & 1))
        bit++;
    return inq_arena_printf(dump->arena,
                            "one bit differs from the file: bit %u of the byte at %s+0x%" PRIx64
                            " is %u (0x%02x, in the file 0x%02x)",
                            bit, page->module->name, offset, page->memory >> bit & 1, page->memory,
                            page->file);
}

struct inq_error *inq_detect_code_page(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct inq_fault_site site;
    struct inq_page page;

    inq_fault_site(dump, &site);
    if (!site.is_fault || !site.has_pc || site.access == INQ_ACCESS_EXECUTE)
        return NULL;
    inq_page_compare(dump, site.pc, &page);
    if (page.state == INQ_PAGE_UNKNOWN || page.written_by_design) {
        inq_evidence_set_unknown(
            evidence, "fault.code_page.differs", "%s",
            page.state == INQ_PAGE_UNKNOWN ? page.why : "the page is meant to be written");
        return NULL;
    }
    inq_evidence_set_bool(evidence, "fault.code_page.differs", page.state == INQ_PAGE_DIFFERS);
    inq_evidence_set_addr(evidence, "fault.code_page.address", page.start);
    if (page.state != INQ_PAGE_DIFFERS)
        return evidence->failed ? &inq_error_oom : NULL;
    inq_evidence_set_int(evidence, "fault.code_page.bytes_different", (int64_t)page.bytes);
    inq_evidence_set_int(evidence, "fault.code_page.bits_different", (int64_t)page.bits);
    inq_evidence_set_addr(evidence, "fault.code_page.first", page.first);
    inq_evidence_set_bool(evidence, "fault.code_page.in_instruction",
                          site.n_bytes > 0 && page.first - site.pc < site.n_bytes);
    inq_evidence_set_text(evidence, "fault.code_page.text", describe(dump, &page));
    return evidence->failed ? &inq_error_oom : NULL;
}
