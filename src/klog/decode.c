/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The bytes of a log line are decoded in the parent, which decodes nothing of a core: there are at
 * most 64, they name nothing, and the decoder neither allocates nor follows anything. A process of
 * its own would cost more than all the rest of the command, for text that had to be parsed here
 * anyway. Linking the decoder costs 0.05 ms at the start of every command.
 */

#include <Zydis/Zydis.h>
#include <ctype.h>
#include <string.h>

#include "klog_meaning.h"
#include "x86_text.h"

struct decoded {
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static bool decode_bytes(const struct inq_klog_event *e, struct decoded *d)
{
    ZydisDecoder decoder;
    bool is_long = e->word_bits == 64;

    if (!ZYAN_SUCCESS(ZydisDecoderInit(
            &decoder, is_long ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LEGACY_32,
            is_long ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32)))
        return false;
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(
        &decoder, e->code + e->code_at, e->code_size - e->code_at, &d->instruction, d->operands));
}

/* An operand that is really read or written where it points to. */
static bool is_access(const ZydisDecodedOperand *o)
{
    return o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.type == ZYDIS_MEMOP_TYPE_MEM &&
           o->actions != 0;
}

static bool does(const ZydisDecodedOperand *o, enum inq_klog_access access)
{
    if (access == INQ_KLOG_ACCESS_WRITE)
        return (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    return (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
}

/* The one operand that can have done what the error code says; *ret_any: there are accesses. */
static const ZydisDecodedOperand *only_operand(const struct decoded *d, enum inq_klog_access access,
                                               bool *ret_any)
{
    const ZydisDecodedOperand *found = NULL;
    size_t n = 0;

    *ret_any = false;
    for (size_t i = 0; i < d->instruction.operand_count; i++) {
        if (!is_access(&d->operands[i]))
            continue;
        if (!does(&d->operands[i], access))
            continue;
        *ret_any = true;
        found = &d->operands[i];
        n++;
    }
    return n == 1 ? found : NULL;
}

static void set_base(const struct inq_klog_event *e, const struct decoded *d,
                     const ZydisDecodedOperand *o, struct inq_klog_instruction *out)
{
    const char *name = ZydisRegisterGetString(o->mem.base);
    uint64_t value =
        e->address.value - (o->mem.disp.has_displacement ? (uint64_t)o->mem.disp.value : 0);

    if (!name || o->mem.base == ZYDIS_REGISTER_RIP || o->mem.base == ZYDIS_REGISTER_EIP ||
        o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN || strlen(name) >= sizeof(out->base))
        return;
    memcpy(out->base, name, strlen(name) + 1);
    if (o->mem.index != ZYDIS_REGISTER_NONE || o->mem.segment == ZYDIS_REGISTER_FS ||
        o->mem.segment == ZYDIS_REGISTER_GS || (d->instruction.attributes & ZYDIS_ATTRIB_HAS_REP))
        return;
    out->has_base_value = true;
    out->base_value = e->word_bits == 32 ? value & UINT32_MAX : value;
    /* size is in bits; what begins below address 0 would have failed there */
    out->may_straddle = o->size > 8 && (e->address.value & 0xfff) == 0 && e->address.value != 0;
}

bool inq_klog_decode(const struct inq_klog_event *e, struct inq_klog_instruction *ret)
{
    struct inq_klog_instruction out = {0};
    struct decoded d;
    bool any;

    if (e->family != INQ_KLOG_CPU_X86 || !e->code_at_known || e->word_bits == 0 ||
        e->code_at >= e->code_size || !decode_bytes(e, &d))
        return false;
    out.size = d.instruction.length;
    inq_x86_text(&d.instruction, d.operands, e->ip.known ? e->ip.value : 0, out.text,
                 sizeof(out.text));
    if (e->trap == INQ_KLOG_TRAP_PAGE_FAULT && e->address.known &&
        (e->access == INQ_KLOG_ACCESS_READ || e->access == INQ_KLOG_ACCESS_WRITE)) {
        const ZydisDecodedOperand *o = only_operand(&d, e->access, &any);
        out.contradicts = !any;
        if (o)
            set_base(e, &d, o, &out);
    }
    *ret = out;
    return true;
}
