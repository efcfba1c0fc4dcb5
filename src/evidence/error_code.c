/* SPDX-License-Identifier: Apache-2.0 */
#include "error_code.h"

#include <string.h>

struct word {
    uint32_t bit;
    const char *set, *clear;
};

static const struct word page_fault[] = {
    {INQ_PF_PROT, "protection", "not-present"},
    {INQ_PF_WRITE, "write", "read"},
    {INQ_PF_USER, "user", NULL},
    {INQ_PF_RESERVED, "reserved-bit", NULL},
    {INQ_PF_INSTR, "instruction-fetch", NULL},
    {INQ_PF_KEY, "protection-key", NULL},
    {INQ_PF_SHADOW, "shadow-stack", NULL},
    {INQ_PF_SGX, "sgx", NULL},
};

/* Control protection: a number, not bits. Intel SDM volume 3, 6.15, "Control Protection". */
static const char *control_word(uint32_t value)
{
    static const char *const words[] = {NULL,           "near-return", "far-return",
                                        "no-endbranch", "rstorssp",    "setssbsy"};
    value &= 0x7fff;
    return value < sizeof(words) / sizeof(words[0]) ? words[value] : NULL;
}

static void append(struct inq_evidence *evidence, json_t *list, const char *word)
{
    if (word && json_array_append_new(list, json_string(word)) < 0)
        evidence->failed = true;
}

static void set_bits(struct inq_evidence *evidence, const char *trap, uint32_t value,
                     uint32_t certain)
{
    json_t *list = json_array();

    if (!strcmp(trap, "page-fault")) {
        for (size_t i = 0; i < sizeof(page_fault) / sizeof(page_fault[0]); i++)
            if (certain & page_fault[i].bit)
                append(evidence, list,
                       value & page_fault[i].bit ? page_fault[i].set : page_fault[i].clear);
    } else if (!strcmp(trap, "control-protection") && certain == UINT32_MAX) {
        append(evidence, list, control_word(value));
    }
    if (list && json_array_size(list) == 0) /* the code of other exceptions is no set of bits */
        json_decref(list);
    else
        inq_evidence_set(evidence, "fault.error_code.bits", list);
}

static void set_value(struct inq_evidence *evidence, const char *trap, uint32_t value,
                      const char *source)
{
    inq_evidence_set_int(evidence, "fault.error_code.value", (int64_t)value);
    inq_evidence_set_text(evidence, "fault.error_code.source", source);
    if (trap)
        set_bits(evidence, trap, value, UINT32_MAX);
}

void inq_error_code_set_from_frame(struct inq_evidence *evidence, const char *trap, uint32_t value)
{
    set_value(evidence, trap, value, "signal-frame");
}

void inq_error_code_set_inferred(struct inq_evidence *evidence, const char *trap, bool known,
                                 uint32_t value, uint32_t certain)
{
    if (known) {
        set_value(evidence, trap, value, "inferred");
    } else if (certain != 0) {
        inq_evidence_set_text(evidence, "fault.error_code.source", "inferred");
        set_bits(evidence, trap, value, certain);
    }
}

void inq_error_code_set_from_log(struct inq_evidence *evidence, const char *trap, uint32_t value)
{
    struct inq_fact_value source =
        inq_evidence_get(evidence->document, "fault.error_code.source", NULL, NULL);
    struct inq_fact_value have = inq_evidence_get(evidence->document, "fault.trap", NULL, NULL);

    if (source.known == INQ_KNOWN && !strcmp(json_string_value(source.value), "signal-frame"))
        return;
    if (have.known == INQ_KNOWN)
        trap = json_string_value(have.value);
    else if (trap)
        inq_evidence_set_text(evidence, "fault.trap", trap);
    /* other bits than those that were inferred */
    json_object_del(json_object_get(json_object_get(evidence->document, "fault"), "error_code"),
                    "bits");
    set_value(evidence, trap, value, "kernel-log");
}
