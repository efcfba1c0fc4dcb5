/* SPDX-License-Identifier: Apache-2.0 */

/*
 * assert() of a C library that keeps no message: musl. Its __assert_fail(expression, file, line,
 * function) gets constants, which the caller loads right before the call.
 */

#include <elf.h>

#include "abort_message.h"
#include "code_probe.h"
#include "crash.h"

#define MOST_BEFORE 4096u /* bytes of the function before the call */
#define MOST_TEXT 1024u
#define MOST_STACK 8192u /* between the signal and the call */

enum { EXPRESSION, FILE_NAME, LINE, FUNCTION, ARGUMENTS };

struct loads { /* since the last branch */
    bool has[ARGUMENTS];
    uint64_t value[ARGUMENTS];
};

static int argument_of(ZydisRegister reg)
{
    static const ZydisRegister wide[] = {ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_RDX,
                                         ZYDIS_REGISTER_RCX};

    reg = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
    for (int i = 0; i < ARGUMENTS; i++)
        if (wide[i] == reg)
            return i;
    return -1;
}

static void note_load(const struct inq_opcode *code, struct loads *loads)
{
    const ZydisDecodedOperand *to = &code->operands[0], *from = &code->operands[1];
    uint64_t value;

    if (code->instruction.operand_count_visible < 2 || to->type != ZYDIS_OPERAND_TYPE_REGISTER ||
        !(to->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
        return;
    int i = argument_of(to->reg.value);
    if (i < 0)
        return;
    loads->has[i] = false;
    if (code->instruction.mnemonic == ZYDIS_MNEMONIC_LEA && inq_code_rip_operand(code, 1, &value))
        loads->has[i] = true;
    else if (code->instruction.mnemonic == ZYDIS_MNEMONIC_MOV &&
             from->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        loads->has[i] = true;
        value = from->imm.value.u;
    }
    if (loads->has[i])
        loads->value[i] = value;
}

/* What is in the argument registers at the call that ends at `end`. */
static bool read_loads(const struct inq_dump *dump, uint64_t start, uint64_t end,
                       struct loads *ret_loads)
{
    struct inq_opcode code;

    *ret_loads = (struct loads){.has = {false}};
    for (uint64_t at = start; at < end; at = code.next) {
        if (!inq_code_at(dump, at, &code))
            return false;
        ZydisInstructionCategory category = code.instruction.meta.category;
        if (code.next == end)
            return category == ZYDIS_CATEGORY_CALL;
        if (category == ZYDIS_CATEGORY_CALL || category == ZYDIS_CATEGORY_COND_BR ||
            category == ZYDIS_CATEGORY_UNCOND_BR || category == ZYDIS_CATEGORY_RET)
            *ret_loads = (struct loads){.has = {false}};
        else
            note_load(&code, ret_loads);
    }
    return false;
}

static const char *text_of(const struct inq_dump *dump, const struct loads *loads, int i)
{
    if (!loads->has[i] || loads->value[i] < 4096)
        return NULL;
    const char *text = inq_memory_string(dump->memory, loads->value[i], MOST_TEXT);
    for (const char *c = text; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return NULL;
    return text && *text ? text : NULL;
}

/*
 * The return address of the call: __assert_fail() does not return, so there is but one. musl has
 * no call frame information as distributions build it, so the frames may not lead there.
 */
static bool find_call(struct inq_dump *dump, uint64_t *ret_addr)
{
    struct inq_memory_region region;
    uint64_t function, sp, word;

    if ((!inq_modules_symbol(dump->modules, "libc", "__assert_fail", &function, NULL) &&
         !inq_modules_symbol(dump->modules, "ld-musl-", "__assert_fail", &function, NULL)) ||
        !inq_crash_sp(dump, &sp))
        return false;
    for (uint64_t at = (sp + 7) & ~UINT64_C(7); at - sp < MOST_STACK; at += 8) {
        if (!inq_memory_u64(dump->memory, at, &word))
            return false;
        if (word >= 65536 && inq_memory_region_at(dump->memory, word, &region) &&
            (region.flags & PF_X) && inq_code_calls(dump, word, function)) {
            *ret_addr = word;
            return true;
        }
    }
    return false;
}

enum inq_abort_answer inq_abort_assert(struct inq_dump *dump, struct inq_abort_text *ret_text,
                                       const char **ret_why)
{
    uint64_t addr;
    struct loads loads;

    if (dump->core->machine != EM_X86_64 || dump->core->elf_class != 64 || !find_call(dump, &addr))
        return INQ_ABORT_NONE;
    *ret_why = "assert() was called in a way that is not understood";
    struct inq_symbol_at caller = inq_symbol_at(dump->modules, addr - 1);
    if (!caller.function || caller.offset > MOST_BEFORE ||
        !read_loads(dump, addr - 1 - caller.offset, addr, &loads))
        return INQ_ABORT_NOT_TOLD;
    const char *expression = text_of(dump, &loads, EXPRESSION);
    const char *file = text_of(dump, &loads, FILE_NAME);
    const char *function = text_of(dump, &loads, FUNCTION);
    if (!expression || !file || !loads.has[LINE])
        return INQ_ABORT_NOT_TOLD;
    *ret_text = (struct inq_abort_text){
        .message =
            inq_arena_printf(dump->arena, "%s:%u: %s: Assertion `%s' failed.", file,
                             (unsigned)loads.value[LINE], function ? function : "?", expression),
        .source = "libc",
        .found_in = "call-site",
        .grade = "strong"};
    return ret_text->message ? INQ_ABORT_FOUND : INQ_ABORT_NONE;
}
