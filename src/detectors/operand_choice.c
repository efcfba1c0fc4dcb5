/* SPDX-License-Identifier: Apache-2.0 */
#include "operand_choice.h"

#include <elf.h>

#include "address_class.h"
#include "crash.h"
#include "thread_stacks.h"

enum inq_access inq_operand_access(const struct inq_operand *operand)
{
    if (operand->use & INQ_WRITES)
        return INQ_ACCESS_WRITE;
    return operand->use & INQ_READS ? INQ_ACCESS_READ : INQ_ACCESS_UNKNOWN;
}

/* The bits of an address that count when two are compared. */
static uint64_t address_mask(const struct inq_core *core)
{
    if (core->machine == EM_AARCH64)
        return UINT64_MAX >> 8; /* siginfo has it without the tag that the CPU ignores */
    return core->elf_class == 32 && core->machine != EM_X86_64 ? UINT32_MAX : UINT64_MAX;
}

static bool within(const struct inq_core *core, uint64_t addr, uint64_t start, uint64_t size)
{
    return ((addr - start) & address_mask(core)) < size;
}

static bool is_memory(const struct inq_operand *operand)
{
    return operand->use != 0;
}

/* A page that may be read; then a fault that is about rights was a write. */
static bool is_readable(const struct inq_dump *dump, uint64_t addr)
{
    struct inq_crash_signal signal = inq_crash_signal(dump);
    struct inq_memory_region region;

    return signal.kind == INQ_SIGNAL_SEGV && signal.code == INQ_SEGV_ACCERR &&
           inq_memory_region_at(dump->memory, addr, &region) && (region.flags & PF_R);
}

/*
 * The operands an access of which reaches addr; in `rest`, those a later round of a repeated
 * instruction would reach it with.
 */
static size_t find_hits(const struct inq_dump *dump, const struct inq_instruction *instruction,
                        uint64_t addr, bool rest, const struct inq_operand *hits[INQ_MAX_OPERANDS])
{
    size_t count = 0;

    for (size_t i = 0; i < instruction->n_operands; i++) {
        const struct inq_operand *operand = &instruction->operands[i];
        if (!is_memory(operand) || !operand->has_address)
            continue;
        if (rest ? within(dump->core, addr, operand->low, operand->span)
                 : within(dump->core, addr, operand->address, operand->reach))
            hits[count++] = operand;
    }
    return count;
}

/* Reading comes before writing, so where both fail it was the read. */
static const struct inq_operand *first_to_fail(const struct inq_dump *dump, uint64_t addr,
                                               const struct inq_operand *const *hits, size_t count)
{
    bool readable = is_readable(dump, addr);

    for (size_t i = 0; i < count; i++)
        if (!readable || (hits[i]->use & INQ_WRITES))
            return hits[i];
    return hits[0];
}

/* The only operand that may be anywhere, when all others are known to be elsewhere. */
static const struct inq_operand *by_elimination(const struct inq_instruction *instruction,
                                                const char **ret_why)
{
    const struct inq_operand *left = NULL;
    bool any = false;

    for (size_t i = 0; i < instruction->n_operands; i++) {
        const struct inq_operand *operand = &instruction->operands[i];
        if (!is_memory(operand))
            continue;
        any = true;
        if (operand->has_address)
            continue;
        *ret_why = operand->unknown;
        if (left)
            return NULL;
        left = operand;
    }
    if (!left)
        *ret_why = any ? "no operand of the instruction gives the address of the fault"
                       : "the instruction uses no memory";
    return left;
}

const struct inq_operand *inq_operand_by_address(const struct inq_dump *dump,
                                                 const struct inq_instruction *instruction,
                                                 uint64_t addr, const char **ret_why)
{
    const struct inq_operand *hits[INQ_MAX_OPERANDS];
    size_t count = find_hits(dump, instruction, addr, false, hits);

    if (count > 0)
        return first_to_fail(dump, addr, hits, count);
    count = find_hits(dump, instruction, addr, true, hits);
    if (count == 1)
        return hits[0];
    if (count > 1) {
        *ret_why = "two operands of the instruction come to the address of the fault";
        return NULL;
    }
    return by_elimination(instruction, ret_why);
}

static bool is_refused_at(const struct inq_dump *dump, uint64_t addr, enum inq_access access)
{
    const struct inq_core *core = dump->core;
    struct inq_memory_region region;

    if (inq_is_hidden_guard(dump, addr))
        return true;
    if (inq_memory_region_at(dump->memory, addr, &region)) {
        if (access == INQ_ACCESS_WRITE)
            return !(region.flags & PF_W);
        if (access == INQ_ACCESS_EXECUTE) /* without NX every page that may be read may be run */
            return core->elf_class == 64 ? !(region.flags & PF_X) : region.flags == 0;
        return region.flags == 0; /* x86 cannot have a page that is written or run and not read */
    }
    return inq_map_is_whole(dump);
}

bool inq_access_is_refused(const struct inq_dump *dump, uint64_t addr, uint64_t size,
                           enum inq_access access, uint64_t *ret_addr)
{
    uint64_t page = dump->core->page_bytes > 0 ? dump->core->page_bytes : 4096;
    uint64_t last;

    if (dump->core->machine == EM_AARCH64) /* the list of mappings is without tags */
        addr = addr >> 55 & 1 ? addr | ~(UINT64_MAX >> 8) : addr & UINT64_MAX >> 8;
    if (is_refused_at(dump, addr, access)) {
        *ret_addr = addr;
        return true;
    }
    if (size < 2 || size > page || __builtin_add_overflow(addr, size - 1, &last) ||
        last / page == addr / page || !is_refused_at(dump, last, access))
        return false;
    *ret_addr = last - last % page;
    return true;
}

const struct inq_operand *inq_operand_refused(const struct inq_dump *dump,
                                              const struct inq_instruction *instruction,
                                              uint64_t *ret_addr)
{
    for (size_t i = 0; i < instruction->n_operands; i++) {
        const struct inq_operand *operand = &instruction->operands[i];
        if (!is_memory(operand))
            continue;
        if (!operand->has_address)
            return NULL; /* this one may have failed before any later one */
        if (inq_access_is_refused(dump, operand->address, operand->size,
                                  inq_operand_access(operand), ret_addr))
            return operand;
    }
    return NULL;
}

const struct inq_operand *inq_operand_noncanonical(const struct inq_instruction *instruction,
                                                   bool on_stack, size_t *ret_count)
{
    const struct inq_operand *found = NULL;

    *ret_count = 0;
    for (size_t i = 0; i < instruction->n_operands; i++) {
        const struct inq_operand *operand = &instruction->operands[i];
        if (!is_memory(operand) || !operand->has_address || operand->on_stack != on_stack)
            continue;
        uint64_t last = operand->address + (operand->size > 0 ? operand->size - 1 : 0);
        if (!inq_is_noncanonical(operand->address) && !inq_is_noncanonical(last))
            continue;
        ++*ret_count;
        found = operand;
    }
    return *ret_count == 1 ? found : NULL;
}
