/* SPDX-License-Identifier: Apache-2.0 */

/* The instruction that failed and its operand, as facts: what fault_site.c found out. */

#include <jansson.h>
#include <stdio.h>

#include "cpu_features.h"
#include "crash.h"
#include "detectors.h"
#include "fault_site.h"

/* Of interest only where the CPU refused the instruction itself. */
static void set_offer(const struct inq_dump *dump, const struct inq_fault_site *site,
                      struct inq_evidence *evidence)
{
    struct inq_cpu_offer offer = inq_cpu_offers(dump, &site->instruction);

    if (offer.offer == INQ_OFFER_UNKNOWN) {
        inq_evidence_set_unknown(evidence, "fault.instruction.offered", "%s", offer.source);
        return;
    }
    inq_evidence_set_bool(evidence, "fault.instruction.offered", offer.offer == INQ_OFFER_YES);
    inq_evidence_set_text(evidence, "fault.instruction.offered_source", offer.source);
}

static void set_instruction(const struct inq_dump *dump, const struct inq_fault_site *site,
                            enum inq_signal signal, struct inq_evidence *evidence)
{
    char hex[2 * INQ_MAX_INSTRUCTION_BYTES + 1] = "";

    for (size_t i = 0; i < site->n_bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", site->instruction.bytes[i]);
    if (site->has_instruction || site->n_bytes > 0)
        inq_evidence_set_addr(evidence, "fault.instruction.address", site->pc);
    else
        inq_evidence_set_unknown(evidence, "fault.instruction.address", "%s", site->no_instruction);
    if (site->n_bytes > 0)
        inq_evidence_set_text(evidence, "fault.instruction.bytes", hex);
    else
        inq_evidence_set_unknown(evidence, "fault.instruction.bytes", "%s", site->no_instruction);
    if (!site->has_instruction) {
        inq_evidence_set_unknown(evidence, "fault.instruction.text", "%s", site->no_instruction);
        return;
    }
    inq_evidence_set_text(evidence, "fault.instruction.text", site->instruction.text);
    if (site->instruction.isa)
        inq_evidence_set_text(evidence, "fault.instruction.isa", site->instruction.isa);
    if (site->instruction.isa && signal == INQ_SIGNAL_ILL)
        set_offer(dump, site, evidence);
}

static void set_registers(const struct inq_operand *operand, struct inq_evidence *evidence)
{
    json_t *registers = json_object();

    for (size_t i = 0; i < operand->n_registers; i++)
        if (json_object_set_new(registers, operand->registers[i].name,
                                inq_json_addr(operand->registers[i].value)) < 0)
            evidence->failed = true;
    inq_evidence_set(evidence, "fault.operand.registers", registers);
}

static void set_operand(const struct inq_operand *operand, struct inq_evidence *evidence)
{
    inq_evidence_set_text(evidence, "fault.operand.text", operand->text);
    set_registers(operand, evidence);
    if (operand->base) {
        inq_evidence_set_text(evidence, "fault.operand.base", operand->base);
        inq_evidence_set_addr(evidence, "fault.operand.base_value", operand->base_value);
    } else if (operand->use != 0) {
        inq_evidence_set_unknown(evidence, "fault.operand.base_value",
                                 "no register is the base of the operand");
    }
    if (operand->index) {
        inq_evidence_set_text(evidence, "fault.operand.index", operand->index);
        inq_evidence_set_addr(evidence, "fault.operand.index_value", operand->index_value);
    }
    if (operand->has_address)
        inq_evidence_set_addr(evidence, "fault.operand.address", operand->address);
    else if (operand->use != 0)
        inq_evidence_set_unknown(evidence, "fault.operand.address", "%s", operand->unknown);
    if (operand->size > 0)
        inq_evidence_set_int(evidence, "fault.operand.size_bytes", (int64_t)operand->size);
}

struct inq_error *inq_detect_instruction(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct inq_fault_site site;

    inq_fault_site(dump, &site);
    if (!site.is_fault)
        return NULL;
    set_instruction(dump, &site, inq_crash_signal(dump).kind, evidence);
    const char *why = site.no_operand ? site.no_operand : site.no_instruction;
    if (site.operand)
        set_operand(site.operand, evidence);
    else if (why)
        inq_evidence_set_unknown(evidence, "fault.operand", "%s", why);
    return evidence->failed ? &inq_error_oom : NULL;
}
