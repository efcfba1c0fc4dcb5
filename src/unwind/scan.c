/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <elf.h>

#include "cursor.h"

/* What one search goes through: frames of this size and more are found by it no longer. */
#define MAX_WORDS 32768u

enum fit {
    FIT_NOT,    /* no call, or one that leads elsewhere */
    FIT_MAYBE,  /* where it leads to is not known, or the frame below is not */
    FIT_CALLEE, /* it leads to the function of the frame below */
};

/* Where the function at addr begins, by its call frame information. */
static bool function_start(struct inq_scan *scan, uint64_t addr, uint64_t *ret_start)
{
    return inq_cfi_function(scan->cfi, addr, ret_start, NULL);
}

/*
 * Where a stub of a procedure linkage table jumps to: [endbr64] [bnd] jmp *slot(%rip). The address
 * itself when it is none; 0 when the slot is not here.
 */
static uint64_t through_plt(struct inq_scan *scan, uint64_t addr)
{
    static const uint8_t endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
    uint8_t bytes[11];
    size_t at = 0;
    uint64_t target;

    if (!inq_codemap_read(scan->code, addr, bytes, sizeof(bytes)))
        return addr;
    if (inq_load_u32(bytes, false) == inq_load_u32(endbr, false))
        at = sizeof(endbr);
    if (bytes[at] == 0xf2)
        at++;
    if (bytes[at] != 0xff || bytes[at + 1] != 0x25)
        return addr;
    uint64_t next = addr + at + 6;
    uint64_t slot = next + (uint64_t)(int64_t)(int32_t)inq_load_u32(bytes + at + 2, false);
    if (inq_codemap_u64(scan->code, slot, &target) != INQ_MEMORY_OK)
        return 0;
    /* Until its first call the slot leads back into the table. */
    return target - addr < 32 ? 0 : target;
}

/* The call before `pc`, held against the function that begins at `callee` (0: not known). */
static enum fit fits(struct inq_scan *scan, uint64_t pc, uint64_t callee)
{
    uint8_t bytes[5];
    uint64_t start;

    if (inq_codemap_after_call(scan->code, pc) != INQ_AFTER_CALL_YES)
        return FIT_NOT;
    if (!inq_codemap_read(scan->code, pc - sizeof(bytes), bytes, sizeof(bytes)) || bytes[0] != 0xe8)
        return FIT_MAYBE; /* through a register or memory */
    uint64_t target = pc + (uint64_t)(int64_t)(int32_t)inq_load_u32(bytes + 1, false);
    target = through_plt(scan, target);
    if (target == 0)
        return FIT_MAYBE;
    if (target == callee)
        return FIT_CALLEE;
    /* A direct call leads to where a function begins; what else looks like one is chance. */
    return function_start(scan, target, &start) && start == target ? FIT_MAYBE : FIT_NOT;
}

/* Whether CFI finds a caller of the candidate that calls the candidate's function. */
static bool is_confirmed(struct inq_scan *scan, const struct inq_registers *candidate)
{
    struct inq_registers caller;
    uint64_t pc = candidate->value[INQ_RIP], start;

    if (!function_start(scan, pc - 1, &start))
        return false;
    switch (inq_cfi_step(scan->cfi, candidate, pc - 1, &caller)) {
    case INQ_CFI_OUTERMOST:
        return true;
    case INQ_CFI_OK:
        break;
    default:
        return false;
    }
    if (caller.value[INQ_RSP] <= candidate->value[INQ_RSP])
        return false;
    switch (fits(scan, caller.value[INQ_RIP], start)) {
    case FIT_CALLEE:
        return true;
    case FIT_MAYBE: { /* through a register: or a direct one to another function, a tail call */
        uint8_t byte;
        return inq_codemap_read(scan->code, caller.value[INQ_RIP] - 5, &byte, 1) && byte != 0xe8;
    }
    case FIT_NOT:
    default:
        return false;
    }
}

/*
 * A function that keeps a frame pointer pushes its caller's first: below the return address that
 * was found. It counts when CFI gets on with it.
 */
static bool confirm(struct inq_scan *scan, uint64_t sp, struct inq_registers *candidate)
{
    struct inq_registers with_rbp = *candidate;
    uint64_t rbp, found_at = candidate->value[INQ_RSP] - 8;

    if (is_confirmed(scan, candidate))
        return true;
    if (found_at < sp + 8 || inq_codemap_u64(scan->code, found_at - 8, &rbp) != INQ_MEMORY_OK ||
        rbp <= found_at || rbp % 8 != 0)
        return false;
    inq_register_set(&with_rbp, INQ_RBP, rbp);
    if (!is_confirmed(scan, &with_rbp))
        return false;
    *candidate = with_rbp;
    return true;
}

bool inq_scan_caller(struct inq_scan *scan, const struct inq_registers *callee,
                     struct inq_registers *ret_caller)
{
    uint64_t sp = callee->value[INQ_RSP], pc = callee->value[INQ_RIP], callee_start = 0, word;
    uint64_t words = scan->words_left < MAX_WORDS ? scan->words_left : MAX_WORDS;
    struct inq_memory_region region;

    if (sp % 8 != 0 || !inq_memory_region_at(scan->code->memory, sp, &region) ||
        (region.flags & PF_X))
        return false;
    if (!function_start(scan, pc, &callee_start))
        callee_start = 0;
    uint64_t in_region = (region.size - (sp - region.start)) / 8;
    if (words > in_region)
        words = in_region;
    for (uint64_t i = 0; i < words; i++) {
        scan->words_left--;
        if (inq_codemap_u64(scan->code, sp + i * 8, &word) != INQ_MEMORY_OK)
            return false;
        enum fit fit = fits(scan, word, callee_start);
        if (fit == FIT_NOT)
            continue;
        struct inq_registers candidate = {.known = 0};
        inq_register_set(&candidate, INQ_RIP, word);
        inq_register_set(&candidate, INQ_RSP, sp + i * 8 + 8);
        if (confirm(scan, sp, &candidate) || fit == FIT_CALLEE) {
            *ret_caller = candidate;
            return true;
        }
    }
    return false;
}

bool inq_scan_top_is_caller(struct inq_scan *scan, const struct inq_registers *callee)
{
    uint64_t word, start;

    return function_start(scan, callee->value[INQ_RIP], &start) &&
           inq_codemap_u64(scan->code, callee->value[INQ_RSP], &word) == INQ_MEMORY_OK &&
           fits(scan, word, start) == FIT_CALLEE;
}
