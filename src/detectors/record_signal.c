/* SPDX-License-Identifier: Apache-2.0 */
#include "crash.h"
#include "record.h"
#include "signal_names.h"

static void record_description(const struct inq_crash_signal *signal, uint16_t machine,
                               struct inq_evidence *evidence, struct inq_arena *arena)
{
    const char *words = inq_signal_words(machine, signal->number);
    const char *code =
        signal->has_code ? inq_signal_code_words(machine, signal->number, signal->code) : NULL;
    const char *text = words ? words : inq_arena_printf(arena, "signal %d", signal->number);

    if (text && code)
        text = inq_arena_printf(arena, "%s: %s", text, code);
    else if (text && signal->has_code)
        text = inq_arena_printf(arena, "%s: si_code %d", text, signal->code);
    if (text)
        inq_evidence_set_text(evidence, "signal.description", text);
    else
        evidence->failed = true;
}

void inq_record_signal(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_core *core = dump->core;
    struct inq_crash_signal signal = inq_crash_signal(dump);
    const char *name = inq_signal_name(core->machine, signal.number);
    const char *code =
        signal.has_code ? inq_signal_code_name(core->machine, signal.number, signal.code) : NULL;

    if (signal.number == 0) {
        inq_evidence_set_unknown(evidence, "signal.name", "no note of the dump holds a signal");
        inq_evidence_set_unknown(evidence, "signal.number", "no note of the dump holds a signal");
        return;
    }
    inq_evidence_set_int(evidence, "signal.number", signal.number);
    if (name)
        inq_evidence_set_text(evidence, "signal.name", name);
    else
        inq_evidence_set_unknown(evidence, "signal.name", "number %d has no name", signal.number);
    if (!signal.has_code) {
        inq_evidence_set_unknown(evidence, "signal.code", "%s", signal.no_code);
        inq_evidence_set_unknown(evidence, "signal.code_name", "%s", signal.no_code);
        inq_evidence_set_unknown(evidence, "signal.address", "%s", signal.no_code);
    } else {
        inq_evidence_set_int(evidence, "signal.code", signal.code);
        if (code)
            inq_evidence_set_text(evidence, "signal.code_name", code);
        if (inq_crash_has_address(dump))
            inq_evidence_set_addr(evidence, "signal.address", core->siginfo.addr);
    }
    record_description(&signal, core->machine, evidence, dump->arena);
}
