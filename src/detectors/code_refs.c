/* SPDX-License-Identifier: Apache-2.0 */
#include "code_refs.h"

#include <Zydis/Zydis.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "eh_table.h"

#define MAX_CODE 65536u /* bytes of a function that are looked at: the last ones before the pc */
#define MAX_REFS 4096u
#define N_REGISTERS 16u
#define MAX_STUB 32u

/* What is known of a register. */
enum holds { NOTHING, OBJECT, FIELD };
struct state {
    enum holds holds;
    size_t binding;
    uint64_t offset; /* OBJECT: it points there; FIELD: it was loaded from there */
};

struct scan {
    struct inq_dump *dump;
    const struct inq_binding *foreign;
    size_t first, n;
    const size_t *by_slot; /* the n bindings by address of their slots */
    ZydisDecoder decoder;
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    struct state registers[N_REGISTERS];
    uint64_t address, pc;
    bool pc_is_return;
    INQ_ARRAY(struct inq_code_ref) refs;
    bool failed;
};

/* ---- where the function begins ------------------------------------------------------- */

static bool function_start(struct inq_dump *dump, const struct inq_frame *frame,
                           uint64_t *ret_start)
{
    const uint64_t pc = frame->pc - (frame->pc_is_return ? 1 : 0);
    struct inq_codemap *code = INQ_ARENA_NEW(dump->arena, struct inq_codemap);
    struct inq_eh_table table = {0};
    struct inq_eh_entry entry;

    if (!code)
        return false;
    inq_codemap_init(code, dump->memory, dump->modules, dump->arena);
    inq_eh_table_read(&table, code, frame->module);
    if (inq_eh_table_find(&table, code, pc, &entry) && pc - entry.start < MAX_CODE) {
        *ret_start = entry.start;
        return true;
    }
    if (!frame->function || frame->function_offset >= MAX_CODE)
        return false;
    *ret_start = frame->pc - frame->function_offset;
    return true;
}

/* ---- slots --------------------------------------------------------------------------- */

static size_t binding_at(const struct scan *s, uint64_t slot)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->foreign[s->by_slot[middle]].slot < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->n && s->foreign[s->by_slot[low]].slot == slot ? s->by_slot[low] : SIZE_MAX;
}

struct sorted {
    uint64_t slot;
    size_t binding;
};

static int compare_slots(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;

    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static size_t *sort_slots(const struct scan *s)
{
    _cleanup_free_ struct sorted *items = calloc(s->n + 1, sizeof(*items));
    size_t *out = calloc(s->n + 1, sizeof(*out));

    if (!items || !out) {
        free(out);
        return NULL;
    }
    for (size_t i = 0; i < s->n; i++)
        items[i] = (struct sorted){s->foreign[s->first + i].slot, s->first + i};
    qsort(items, s->n, sizeof(*items), compare_slots);
    for (size_t i = 0; i < s->n; i++)
        out[i] = items[i].binding;
    return out;
}

/* ---- registers ----------------------------------------------------------------------- */

/* Number of a whole general register, or of the one that this is part of; -1 for others. */
static int number_of(ZydisRegister reg)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    return whole >= ZYDIS_REGISTER_RAX && whole <= ZYDIS_REGISTER_R15
               ? (int)(whole - ZYDIS_REGISTER_RAX)
               : -1;
}

static struct state state_of(const struct scan *s, ZydisRegister reg)
{
    int number = number_of(reg);

    return number >= 0 ? s->registers[number] : (struct state){0};
}

static struct inq_code_ref *add_ref(struct scan *s, size_t binding)
{
    struct inq_code_ref *ref = s->refs.count < MAX_REFS ? INQ_ARRAY_PUSH(&s->refs) : NULL;

    s->failed |= !ref && s->refs.count < MAX_REFS;
    if (ref)
        ref->binding = binding;
    return ref;
}

static bool is_last(const struct scan *s)
{
    uint64_t end = s->address + s->instruction.length;

    return s->pc_is_return ? end == s->pc : s->address == s->pc;
}

/* A place in memory: the slot itself, or a field of an object whose address a register holds. */
static void see_memory(struct scan *s, const ZydisDecodedOperand *operand, struct state *ret_loaded)
{
    const bool plain = operand->mem.index == ZYDIS_REGISTER_NONE;
    const uint64_t offset = (uint64_t)operand->mem.disp.value;
    struct state base = state_of(s, operand->mem.base);
    struct inq_code_ref *ref;
    uint64_t address;
    size_t binding;

    *ret_loaded = (struct state){0};
    if (operand->mem.base == ZYDIS_REGISTER_RIP) {
        if (!ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&s->instruction, operand, s->address, &address)))
            return;
        binding = binding_at(s, address);
        if (binding == SIZE_MAX)
            return;
        ref = add_ref(s, binding);
        if (ref) {
            ref->is_call = s->instruction.meta.category == ZYDIS_CATEGORY_CALL;
            ref->is_last = is_last(s);
        }
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            operand->mem.type == ZYDIS_MEMOP_TYPE_MEM && operand->size == 64)
            *ret_loaded = (struct state){OBJECT, binding, 0};
        return;
    }
    if (base.holds == FIELD && is_last(s) && (ref = add_ref(s, base.binding))) {
        *ref = (struct inq_code_ref){.binding = base.binding,
                                     .has_offset = true,
                                     .offset = base.offset,
                                     .width = 8,
                                     .is_last = true,
                                     .is_base = true};
        return;
    }
    if (base.holds != OBJECT || !plain)
        return;
    if (operand->mem.type == ZYDIS_MEMOP_TYPE_AGEN) { /* lea */
        *ret_loaded = (struct state){OBJECT, base.binding, base.offset + offset};
        return;
    }
    ref = add_ref(s, base.binding);
    if (ref)
        *ref = (struct inq_code_ref){.binding = base.binding,
                                     .has_offset = true,
                                     .offset = base.offset + offset,
                                     .width = operand->size / 8u,
                                     .is_last = is_last(s),
                                     .is_base = is_last(s)};
    if (operand->size == 64)
        *ret_loaded = (struct state){FIELD, base.binding, base.offset + offset};
}

/* Where a call of a stub leads: `[endbr64] [bnd] jmp *slot(%rip)`. SIZE_MAX: to no foreign slot. */
static size_t stub_binding(const struct scan *s, uint64_t stub)
{
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    uint8_t bytes[MAX_STUB];
    uint64_t address;
    size_t got = 0, at = 0;

    inq_memory_read(s->dump->memory, stub, bytes, sizeof(bytes), &got);
    for (unsigned i = 0; i < 3 && at < got; i++) {
        if (!ZYAN_SUCCESS(
                ZydisDecoderDecodeFull(&s->decoder, bytes + at, got - at, &instruction, operands)))
            return SIZE_MAX;
        if (instruction.mnemonic == ZYDIS_MNEMONIC_JMP)
            return operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
                           operands[0].mem.base == ZYDIS_REGISTER_RIP &&
                           ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction, &operands[0],
                                                                 stub + at, &address))
                       ? binding_at(s, address)
                       : SIZE_MAX;
        if (instruction.mnemonic != ZYDIS_MNEMONIC_ENDBR64 &&
            instruction.meta.category != ZYDIS_CATEGORY_NOP)
            return SIZE_MAX;
        at += instruction.length;
    }
    return SIZE_MAX;
}

static void see_call(struct scan *s)
{
    static const uint8_t clobbered[] = {0, 1, 2, 6, 7, 8, 9, 10, 11}; /* psABI, 3.2.1 */
    const struct state first = s->registers[7];                       /* rdi */
    struct inq_code_ref *ref;
    uint64_t target;
    size_t binding;

    if (is_last(s) && first.holds == FIELD && (ref = add_ref(s, first.binding)))
        *ref = (struct inq_code_ref){.binding = first.binding,
                                     .has_offset = true,
                                     .offset = first.offset,
                                     .width = 8,
                                     .is_last = true,
                                     .is_argument = true};
    if (s->operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
        ZYAN_SUCCESS(
            ZydisCalcAbsoluteAddress(&s->instruction, &s->operands[0], s->address, &target))) {
        binding = stub_binding(s, target);
        if (binding != SIZE_MAX && (ref = add_ref(s, binding))) {
            ref->is_call = true;
            ref->is_last = is_last(s);
        }
    }
    for (size_t i = 0; i < sizeof(clobbered); i++)
        s->registers[clobbered[i]] = (struct state){0};
}

/* ---- instruction by instruction ------------------------------------------------------ */

static void step(struct scan *s)
{
    const ZydisMnemonic mnemonic = s->instruction.mnemonic;
    const bool moves = mnemonic == ZYDIS_MNEMONIC_MOV || mnemonic == ZYDIS_MNEMONIC_LEA;
    struct state loaded = {0};

    for (size_t i = 0; i < s->instruction.operand_count; i++)
        if (s->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            s->operands[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN)
            see_memory(s, &s->operands[i], &loaded);
    if (moves && s->operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER && s->operands[1].size == 64)
        loaded = state_of(s, s->operands[1].reg.value);
    if (s->instruction.meta.category == ZYDIS_CATEGORY_CALL) {
        see_call(s);
        return;
    }
    if (s->instruction.meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
        s->instruction.meta.category == ZYDIS_CATEGORY_RET) {
        memset(s->registers, 0, sizeof(s->registers));
        return;
    }
    for (size_t i = 0; i < s->instruction.operand_count; i++) {
        const ZydisDecodedOperand *o = &s->operands[i];
        int number = o->type == ZYDIS_OPERAND_TYPE_REGISTER ? number_of(o->reg.value) : -1;

        if (number < 0 || !(o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
            continue;
        s->registers[number] = moves && i == 0 && o->size == 64 ? loaded : (struct state){0};
    }
}

static void run(struct scan *s, const uint8_t *code, size_t size, uint64_t start)
{
    size_t at = 0;

    while (at < size && !s->failed) {
        s->address = start + at;
        if (!s->pc_is_return ? s->address > s->pc : s->address >= s->pc)
            return;
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&s->decoder, code + at, size - at, &s->instruction,
                                                 s->operands)))
            return;
        step(s);
        at += s->instruction.length;
    }
}

static struct inq_error *publish(struct scan *s, struct inq_code_refs *refs)
{
    refs->items = INQ_ARENA_ARRAY(s->dump->arena, s->refs.count + 1, struct inq_code_ref);
    if (refs->items && s->refs.count > 0)
        memcpy(refs->items, s->refs.items, s->refs.count * sizeof(refs->items[0]));
    refs->count = s->refs.count;
    refs->examined = true;
    return s->failed || !refs->items ? &inq_error_oom : NULL;
}

struct inq_error *inq_code_refs(struct inq_dump *dump, const struct inq_bindings *bindings,
                                const struct inq_frame *frame, size_t first, size_t n,
                                struct inq_code_refs *ret_refs)
{
    struct scan s = {.dump = dump,
                     .foreign = bindings->foreign,
                     .first = first,
                     .n = n,
                     .pc = frame->pc,
                     .pc_is_return = frame->pc_is_return};
    _cleanup_free_ size_t *by_slot = NULL;
    _cleanup_free_ uint8_t *code = NULL;
    struct inq_error *error;
    uint64_t start;
    size_t size, got = 0;

    *ret_refs = (struct inq_code_refs){0};
    if (dump->core->machine != EM_X86_64 || dump->core->elf_class != 64 || n == 0 ||
        !frame->module || !function_start(dump, frame, &start) || start > frame->pc)
        return NULL;
    size = (size_t)(frame->pc - start) + ZYDIS_MAX_INSTRUCTION_LENGTH;
    code = malloc(size);
    by_slot = sort_slots(&s);
    if (!code || !by_slot)
        return &inq_error_oom;
    s.by_slot = by_slot;
    inq_memory_read(dump->memory, start, code, size, &got);
    if (got < frame->pc - start)
        return NULL;
    ZydisDecoderInit(&s.decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    run(&s, code, got, start);
    error = publish(&s, ret_refs);
    INQ_ARRAY_FREE(&s.refs);
    return error;
}
