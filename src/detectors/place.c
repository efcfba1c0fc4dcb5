/* SPDX-License-Identifier: Apache-2.0 */

/* What the fault was at: what lies at its address, and what the bad pointer looks like. */

#include <string.h>

#include "address.h"
#include "crash.h"
#include "detectors.h"
#include "fault_site.h"
#include "value_pattern.h"

/* Below vm.mmap_min_addr nothing is mapped: what is less is a number, no pointer. */
#define SMALL_NUMBER 0x10000u
#define MAX_ERRNO 4095u /* the kernel's limit for error codes as pointers */

static void set_place(const struct inq_dump *dump, struct inq_evidence *evidence,
                      const struct inq_address *at)
{
    if (at->place == INQ_PLACE_UNKNOWN) {
        inq_evidence_set_unknown(evidence, "fault.at.kind", "%s", at->text);
        return;
    }
    inq_evidence_set_text(evidence, "fault.at.kind", inq_place_name(at->place));
    inq_evidence_set_text(evidence, "fault.at.text", at->text);
    if (at->module) {
        inq_evidence_set_text(evidence, "fault.at.module", at->module->name);
        inq_evidence_set_addr(evidence, "fault.at.offset", at->offset);
    }
    if (at->unloaded) {
        inq_evidence_set_text(evidence, "fault.at.module", at->unloaded);
        if (at->has_offset)
            inq_evidence_set_addr(evidence, "fault.at.offset", at->offset);
    }
    if (at->symbol)
        inq_evidence_set_text(evidence, "fault.at.symbol", at->symbol);
    if (at->thread != SIZE_MAX)
        inq_evidence_set_int(evidence, "fault.at.thread", dump->core->threads[at->thread].tid);
    if (at->has_depth && at->depth_bytes <= INT64_MAX)
        inq_evidence_set_int(evidence, "fault.at.depth_bytes", (int64_t)at->depth_bytes);
}

static bool starts_small(const struct inq_fault_site *site)
{
    return site->operand && site->operand->base && site->operand->base_value < SMALL_NUMBER;
}

/* The register the operand starts from tells more than the sum; then the sum, then where a jump
 * went. */
static void set_pattern(struct inq_dump *dump, const struct inq_fault_site *site,
                        struct inq_evidence *evidence)
{
    uint64_t values[4];
    size_t count = 0;

    if (site->has_target && site->access == INQ_ACCESS_EXECUTE)
        values[count++] = site->target;
    if (site->operand && site->operand->base)
        values[count++] = site->operand->base_value;
    if (site->operand && site->operand->index)
        values[count++] = site->operand->index_value;
    /* a small number less an offset is -1 or an error code by chance: free(7) reads at -1 */
    if (site->has_address && !starts_small(site))
        values[count++] = site->address;
    for (size_t i = 0; i < count; i++) {
        struct inq_value_pattern pattern = inq_value_pattern(dump, values[i]);
        if (pattern.pattern == INQ_PATTERN_NONE)
            continue;
        /* an index of -1 is an index, and no error that was taken for a pointer */
        bool is_index = site->operand && site->operand->index && values[i] != site->address &&
                        values[i] == site->operand->index_value &&
                        !(site->operand->base && values[i] == site->operand->base_value);
        if (is_index && pattern.pattern == INQ_PATTERN_ERRNO)
            continue;
        inq_evidence_set_text(evidence, "fault.pattern.kind", inq_pattern_name(pattern.pattern));
        inq_evidence_set_text(evidence, "fault.pattern.text", pattern.text);
        inq_evidence_set_addr(evidence, "fault.pattern.value", values[i]);
        if (pattern.odds > 0)
            inq_evidence_set(evidence, "fault.pattern.odds", json_real(pattern.odds));
        return;
    }
}

/* What nobody can tell from an offset of a null pointer without the instruction. */
static void set_errno_register(const struct inq_dump *dump, const struct inq_fault_site *site,
                               struct inq_evidence *evidence)
{
    const struct inq_core *core = dump->core;
    const struct inq_core_thread *thread = core->n_threads > 0 ? &core->threads[0] : NULL;
    const uint64_t last = core->elf_class == 32 ? UINT32_MAX : UINT64_MAX;

    if (site->has_instruction || !site->has_address || site->address > MAX_ERRNO || !core->cpu ||
        !thread || !thread->has_registers)
        return;
    for (size_t i = 0; i < core->cpu->n_registers; i++) {
        const uint64_t value = thread->registers[i];

        if (strncmp(core->cpu->register_names[i], "orig_", 5) == 0) /* the kernel's: no call */
            continue;
        if (value <= last && last - value < MAX_ERRNO) {
            inq_evidence_set_addr(evidence, "fault.errno_register", value);
            return;
        }
    }
}

struct inq_error *inq_detect_place(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct inq_crash_signal signal = inq_crash_signal(dump);
    struct inq_fault_site site;
    struct inq_address at;

    inq_fault_site(dump, &site);
    if (!site.is_fault || (signal.kind != INQ_SIGNAL_SEGV && signal.kind != INQ_SIGNAL_BUS))
        return NULL;
    /* a return to a bad address read that address well: not the stack is the place */
    bool jumped = site.access == INQ_ACCESS_EXECUTE && site.has_target;
    uint64_t addr = site.has_address                            ? site.address
                    : jumped                                    ? site.target
                    : site.operand && site.operand->has_address ? site.operand->address
                                                                : 0;
    if (site.has_address || addr != 0) {
        if (!inq_address_describe(dump, addr, &at))
            return &inq_error_oom;
        set_place(dump, evidence, &at);
    }
    set_pattern(dump, &site, evidence);
    set_errno_register(dump, &site, evidence);
    return evidence->failed ? &inq_error_oom : NULL;
}
