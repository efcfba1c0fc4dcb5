/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_site.h"

#include <elf.h>
#include <string.h>

#include "address_class.h"
#include "cleanup.h"
#include "cpu_features.h"
#include "crash.h"
#include "decode.h"
#include "operand_choice.h"

#define SI_FPE_INTDIV 1
#define SI_TRAP_BRKPT 1

#define VSYSCALL_PAGE 0xffffffffff600000ull
#define VSYSCALL_BYTES 4096u

struct site {
    const struct inq_dump *dump;
    struct inq_crash_signal signal;
    enum inq_crash_kind kind;
    struct inq_fault_site *out;
};

const char *inq_access_name(enum inq_access access)
{
    static const char *const names[] = {NULL, "read", "write", "execute"};
    return names[access];
}

const char *inq_reason_name(enum inq_reason reason)
{
    static const char *const names[] = {
        [INQ_REASON_NONE] = NULL,
        [INQ_REASON_NON_CANONICAL] = "non-canonical",
        [INQ_REASON_MISALIGNED] = "misaligned",
        [INQ_REASON_PRIVILEGED] = "privileged",
        [INQ_REASON_UNDEFINED] = "undefined",
        [INQ_REASON_DIVIDE_BY_ZERO] = "divide-by-zero",
        [INQ_REASON_QUOTIENT_OVERFLOW] = "quotient-overflow",
        [INQ_REASON_BREAKPOINT] = "breakpoint",
        [INQ_REASON_UNDELIVERABLE] = "undeliverable-signal",
        [INQ_REASON_UNSUPPORTED] = "unsupported-instruction",
        [INQ_REASON_PROTECTION_KEY] = "protection-key",
        [INQ_REASON_SHADOW_STACK] = "shadow-stack",
        [INQ_REASON_UNEXPLAINED] = "unexplained",
        [INQ_REASON_VSYSCALL] = "vsyscall",
    };
    return names[reason];
}

static bool is_x86(const struct site *s)
{
    return s->dump->core->machine == EM_X86_64 || s->dump->core->machine == EM_386;
}

/* 64-bit addresses of x86-64; x32's have 32 bits only by convention. */
static bool is_long(const struct site *s)
{
    return s->dump->core->machine == EM_X86_64;
}

static bool is_memory_signal(const struct site *s)
{
    return s->signal.kind == INQ_SIGNAL_SEGV || s->signal.kind == INQ_SIGNAL_BUS;
}

static bool is_of(const struct site *s, enum inq_signal kind, int32_t code)
{
    return s->kind == INQ_CRASH_FAULT && s->signal.kind == kind && s->signal.code == code;
}

static void set_execution(struct site *s, const char *why_no_instruction)
{
    s->out->access = INQ_ACCESS_EXECUTE;
    s->out->no_access = NULL;
    s->out->has_instruction = false;
    s->out->no_instruction = why_no_instruction;
    s->out->no_operand = why_no_instruction;
}

static void set_operand(struct site *s, const struct inq_operand *operand, enum inq_access access)
{
    s->out->operand = operand;
    s->out->no_operand = NULL;
    s->out->access = access;
    if (access != INQ_ACCESS_UNKNOWN)
        s->out->no_access = NULL;
}

/* The bytes before the program counter; false when they are not all there. */
static bool code_before(const struct site *s, uint8_t *bytes, size_t size)
{
    size_t got = 0;

    if (s->out->pc < size)
        return false;
    inq_memory_read(s->dump->memory, s->out->pc - size, bytes, size, &got);
    return got == size;
}

/*
 * int3 (CC, or CD 03) is reported behind itself, int1 (F1) too, though under some hypervisors at
 * itself; a single step and a watch point are reported where the thread would go on, and what ran
 * last is not known. False when there is no instruction to show.
 */
static bool step_back(struct site *s)
{
    uint8_t bytes[2] = {0}, here = 0;
    bool before = code_before(s, &bytes[1], 1);

    if (s->signal.kind != INQ_SIGNAL_TRAP || !is_x86(s))
        return true;
    if (s->signal.code == SI_TRAP_BRKPT) {
        if (before && bytes[1] == 0xf1)
            s->out->pc -= 1;
        else
            return inq_memory_read(s->dump->memory, s->out->pc, &here, 1, NULL) == INQ_MEMORY_OK &&
                   here == 0xf1;
        return true;
    }
    if (s->signal.code != INQ_SI_KERNEL)
        return false;
    if (before && bytes[1] == 0xcc)
        s->out->pc -= 1;
    else if (code_before(s, bytes, 2) && bytes[0] == 0xcd && bytes[1] == 0x03)
        s->out->pc -= 2;
    else
        return false;
    return true;
}

static const char *why_not_decoded(enum inq_decoded decoded)
{
    switch (decoded) {
    case INQ_DECODED_CUT:
        return "only the first bytes of the instruction are in the dump";
    case INQ_DECODED_MODE:
        return "the thread ran 64-bit code, and the dump's registers have 32 bits";
    case INQ_DECODED_NO_TABLE:
        return "instructions of this CPU are not decoded by this version";
    default:
        return "this instruction is not decoded by this version";
    }
}

static enum inq_decoded read_instruction(struct site *s)
{
    uint8_t code[INQ_MAX_INSTRUCTION_BYTES];
    struct inq_fault_site *out = s->out;
    size_t got = 0;
    enum inq_memory_status status =
        inq_memory_read(s->dump->memory, out->pc, code, sizeof(code), &got);
    const struct inq_decode_input input = {.core = s->dump->core,
                                           .thread = inq_crashed_thread(s->dump),
                                           .address = out->pc,
                                           .bytes = code,
                                           .size = got};

    if (got == 0) {
        out->no_instruction = status == INQ_MEMORY_NOT_MAPPED
                                  ? "nothing is mapped at the program counter"
                                  : "the instruction's bytes are not in the dump";
        return INQ_DECODED_CUT;
    }
    enum inq_decoded decoded = inq_decode(&input, &out->instruction);
    if (decoded == INQ_DECODED) {
        out->has_instruction = true;
        out->n_bytes = out->instruction.size;
        return decoded;
    }
    out->no_instruction = why_not_decoded(decoded);
    if (decoded != INQ_DECODED_NO_TABLE && decoded != INQ_DECODED_MODE) {
        out->n_bytes = is_x86(s) || got < 4 ? got : 4;
        memcpy(out->instruction.bytes, code, out->n_bytes);
    }
    return decoded;
}

/*
 * The thread tried to run the very address it faulted at. An instruction that reads or writes its
 * own first byte would look the same; it could only fault on a page that may be run.
 */
static bool ran_the_address(const struct site *s, uint64_t addr)
{
    struct inq_memory_region region;

    if (!s->out->has_pc || addr != s->out->pc)
        return false;
    if (s->signal.code != INQ_SEGV_ACCERR || s->signal.kind != INQ_SIGNAL_SEGV)
        return true;
    return !inq_memory_region_at(s->dump->memory, addr, &region) || !(region.flags & PF_X);
}

/* The page that the instruction runs on into could not be fetched from. */
static bool ran_into_page(const struct site *s, uint64_t addr, enum inq_decoded decoded)
{
    uint64_t page = s->dump->core->page_bytes > 0 ? s->dump->core->page_bytes : 4096;
    uint64_t before = addr - s->out->pc;
    struct inq_memory_region region;
    const char *why;

    if (!is_memory_signal(s) || addr % page != 0 || before == 0 ||
        before >= INQ_MAX_INSTRUCTION_BYTES)
        return false;
    if (s->signal.kind == INQ_SIGNAL_SEGV && inq_memory_region_at(s->dump->memory, addr, &region) &&
        (region.flags & PF_X))
        return false;
    if (decoded == INQ_DECODED_CUT)
        return s->out->n_bytes == before;
    return decoded == INQ_DECODED && s->out->instruction.size > before &&
           !inq_operand_by_address(s->dump, &s->out->instruction, addr, &why);
}

/* A page that may be read refuses nothing but writes. */
static bool refuses_only_writes(const struct site *s, uint64_t addr)
{
    struct inq_memory_region region;

    return s->signal.kind == INQ_SIGNAL_SEGV && s->signal.code == INQ_SEGV_ACCERR &&
           inq_memory_region_at(s->dump->memory, addr, &region) && (region.flags & PF_R) &&
           !(region.flags & PF_W);
}

/* Nothing is known of the instruction: the rights of the page alone may leave one answer. */
static void set_access_by_rights(struct site *s, uint64_t addr)
{
    struct inq_memory_region region;
    bool fetch = addr - s->out->pc < INQ_MAX_INSTRUCTION_BYTES + 1 &&
                 !(inq_memory_region_at(s->dump->memory, addr, &region) && (region.flags & PF_X));

    s->out->no_access = s->out->no_instruction;
    if (refuses_only_writes(s, addr) && s->out->has_pc && !fetch) {
        s->out->access = INQ_ACCESS_WRITE;
        s->out->no_access = NULL;
    }
}

/* Pages of the kernel's that hold code for programs and that not every kernel lists: x86's
 * vsyscall, the vectors of arm, the first vdso of i386. */
static bool may_be_kernel_page(const struct site *s)
{
    return inq_is_kernel_half(s->dump->core, s->out->pc) ||
           (s->dump->core->elf_class == 32 && s->out->pc >= 0xffff0000u);
}

/*
 * An instruction that cannot be fetched reads and writes nothing: siginfo tells another address
 * than the program counter's only where something is wrong. Emulators give the address of an
 * earlier fault (powerpc's DAR, which a fetch does not set), or memory was unmapped between the
 * fault and the dump. Which of them it was is not known, so neither address is the fault's.
 */
static bool contradicts_pc(const struct site *s, uint64_t addr)
{
    const struct inq_frame *frame = inq_crash_frame(s->dump);
    uint64_t refused;

    return s->out->has_pc && s->kind == INQ_CRASH_FAULT && s->signal.kind == INQ_SIGNAL_SEGV &&
           addr - s->out->pc >= INQ_MAX_INSTRUCTION_BYTES && !may_be_kernel_page(s) &&
           !(frame && frame->module) &&
           inq_access_is_refused(s->dump, s->out->pc, 1, INQ_ACCESS_EXECUTE, &refused);
}

static void set_contradiction(struct site *s)
{
    static const char why[] = "nothing can be run at the program counter, and the signal tells "
                              "another address: an emulator, or memory that was unmapped since";

    s->out->has_address = false;
    s->out->no_address = s->out->no_access = s->out->no_operand = s->out->no_instruction = why;
}

/* siginfo has the address: which operand is it? */
static void explain_address(struct site *s)
{
    struct inq_fault_site *out = s->out;
    uint64_t addr = s->dump->core->siginfo.addr;
    enum inq_decoded decoded;

    out->has_address = true;
    out->address = addr;
    if (is_of(s, INQ_SIGNAL_SEGV, INQ_SEGV_PKUERR))
        out->reason = INQ_REASON_PROTECTION_KEY;
    if (ran_the_address(s, addr)) {
        set_execution(s, "the program counter itself could not be used: no instruction was read");
        return;
    }
    if (!out->has_pc) {
        set_access_by_rights(s, addr);
        return;
    }
    if (contradicts_pc(s, addr)) {
        set_contradiction(s);
        return;
    }
    decoded = read_instruction(s);
    if (ran_into_page(s, addr, decoded)) {
        set_execution(s, "the instruction runs on into a page that could not be run");
        if (decoded == INQ_DECODED)
            out->n_bytes = (size_t)(addr - out->pc);
        return;
    }
    if (decoded != INQ_DECODED) {
        out->no_operand = out->no_instruction;
        set_access_by_rights(s, addr);
        return;
    }
    out->operand = inq_operand_by_address(s->dump, &out->instruction, addr, &out->no_operand);
    if (!out->operand) {
        out->no_access = out->no_operand;
        if (refuses_only_writes(s, addr))
            out->access = INQ_ACCESS_WRITE;
        return;
    }
    if (inq_operand_access(out->operand) == INQ_ACCESS_READ && refuses_only_writes(s, addr))
        out->no_access = "the instruction only reads, and the page may be read: its rights were "
                         "changed, or it was another instruction";
    else
        out->access = inq_operand_access(out->operand);
}

/* Where a branch through a register or memory wanted to go; false when it is not in the dump. */
static bool find_target(struct site *s)
{
    struct inq_fault_site *out = s->out;
    const struct inq_operand *operand = &out->instruction.operands[0];

    out->target = out->instruction.target;
    if (out->instruction.branch == INQ_BRANCH_MEMORY)
        return operand->has_address && operand->size == 8 &&
               inq_memory_u64(s->dump->memory, operand->address, &out->target);
    return out->instruction.branch == INQ_BRANCH_REGISTER;
}

/* What a general protection or stack fault can have been; false when nothing explains it. */
static bool explain_protection(struct site *s, bool may_be_stack)
{
    struct inq_fault_site *out = s->out;
    const struct inq_instruction *instruction = &out->instruction;
    const struct inq_operand *found;
    size_t count = 0;

    if (is_long(s)) {
        found = inq_operand_noncanonical(instruction, may_be_stack, &count);
        if (count > 0) {
            out->reason = INQ_REASON_NON_CANONICAL;
            out->no_operand = out->no_access = "both operands are at impossible addresses";
            if (found)
                set_operand(s, found, inq_operand_access(found));
            return true;
        }
        out->has_target = find_target(s) && inq_is_noncanonical(out->target);
    }
    if (may_be_stack)
        return false;
    if (out->has_target) {
        out->reason = INQ_REASON_NON_CANONICAL;
        set_operand(s, &instruction->operands[0], INQ_ACCESS_EXECUTE);
        return true;
    }
    for (size_t i = 0; i < instruction->n_operands; i++) {
        const struct inq_operand *operand = &instruction->operands[i];
        if (operand->has_address && operand->address % operand->alignment != 0) {
            out->reason = INQ_REASON_MISALIGNED;
            set_operand(s, operand, inq_operand_access(operand));
            return true;
        }
    }
    if (instruction->privileged) {
        out->reason = INQ_REASON_PRIVILEGED;
        out->no_access = out->no_operand =
            "the instruction was refused whatever its operands are: programs may not run it";
    }
    return instruction->privileged;
}

/*
 * powerpc's registers hold what the last exception was: trap 0x300 and 0x380 are data accesses at
 * DAR (arch/powerpc/include/asm/ptrace.h, mm/fault.c). False when they speak against this address.
 */
static bool agrees_with_exception(const struct site *s, const struct inq_operand *operand)
{
    const struct inq_core_thread *thread = inq_crashed_thread(s->dump);
    uint64_t trap, dar;

    if (!inq_core_register(s->dump->core, thread, "trap", &trap) || trap == 0)
        return true;
    if ((trap & ~15ull) != 0x300 && (trap & ~15ull) != 0x380)
        return false;
    return inq_core_register(s->dump->core, thread, "dar", &dar) &&
           dar - operand->address < operand->reach;
}

/* No address was given, but one operand cannot have been used: then that is where it failed. */
static bool explain_by_map(struct site *s)
{
    struct inq_fault_site *out = s->out;
    uint64_t addr;
    const struct inq_operand *operand = inq_operand_refused(s->dump, &out->instruction, &addr);

    if (!operand || !agrees_with_exception(s, operand) ||
        (is_long(s) && inq_is_noncanonical(addr))) /* no page fault */
        return false;
    out->has_address = out->worked_out = true;
    out->address = addr;
    set_operand(s, operand, inq_operand_access(operand));
    return true;
}

/* The program counter is where nothing can be run. */
static bool explain_by_pc(struct site *s)
{
    struct inq_fault_site *out = s->out;
    bool impossible = is_long(s) && inq_is_noncanonical(out->pc);
    uint64_t refused;

    if (s->signal.kind != INQ_SIGNAL_SEGV)
        return false;
    if (!impossible && (may_be_kernel_page(s) ||
                        !inq_access_is_refused(s->dump, out->pc, 1, INQ_ACCESS_EXECUTE, &refused)))
        return false;
    set_execution(s, "the program counter itself could not be used: no instruction was read");
    out->reason = impossible ? INQ_REASON_NON_CANONICAL : INQ_REASON_NONE;
    out->has_address = out->worked_out = true;
    out->address = out->pc;
    return true;
}

/*
 * x86-64's vsyscall page is not run: the kernel sees the jump there and emulates what stands at its
 * three entries. Whatever a dump holds of the page (zeros, mostly) is not what failed.
 */
static bool explain_vsyscall(struct site *s)
{
    if (!is_long(s) || s->out->pc - VSYSCALL_PAGE >= VSYSCALL_BYTES)
        return false;
    set_execution(s, "the kernel refused a jump into its vsyscall page: no instruction was run");
    if (s->kind != INQ_CRASH_FAULT) /* a signal that somebody sent, for all that is known */
        return true;
    s->out->reason = INQ_REASON_VSYSCALL;
    s->out->has_address = s->out->worked_out = true;
    s->out->address = s->out->pc;
    return true;
}

/*
 * Alignment checks (EFLAGS.AC), and locked instructions that reach over the end of a cache line
 * where the kernel forbids that: the operand that is not aligned to its own size.
 */
static bool explain_alignment(struct site *s)
{
    struct inq_fault_site *out = s->out;
    const struct inq_operand *found = NULL;

    for (size_t i = 0; i < out->instruction.n_operands; i++) {
        const struct inq_operand *operand = &out->instruction.operands[i];
        if (!operand->has_address || operand->size < 2 || operand->address % operand->size == 0)
            continue;
        if (found)
            return false;
        found = operand;
    }
    if (!found)
        return false;
    out->reason = INQ_REASON_MISALIGNED;
    out->has_address = out->worked_out = true;
    out->address = found->address;
    set_operand(s, found, inq_operand_access(found));
    return true;
}

/* The code says it all, or nearly. True: nothing else can have been. */
static bool explain_by_code(struct site *s)
{
    struct inq_fault_site *out = s->out;

    if (is_of(s, INQ_SIGNAL_BUS, INQ_BUS_ADRALN)) {
        explain_alignment(s);
        return true;
    }
    if (is_of(s, INQ_SIGNAL_SEGV, INQ_SEGV_CPERR)) {
        out->no_access = out->no_operand =
            "no memory was refused: the CPU checked where the thread went on";
        if (out->instruction.branch == INQ_BRANCH_MEMORY && out->instruction.returns)
            out->reason = INQ_REASON_SHADOW_STACK;
        return true;
    }
    if (is_of(s, INQ_SIGNAL_SEGV, INQ_SEGV_MTEAERR)) {
        out->no_access = out->no_operand = "the CPU reports such a mismatch later: it was an "
                                           "instruction before this one";
        return true;
    }
    return false;
}

/* What a CPU reports as SIGBUS, and an emulator may report as SIGSEGV: no room is missing then. */
static bool would_be_bus(struct site *s)
{
    struct inq_fault_site before = *s->out;
    bool explained = explain_protection(s, true);

    *s->out = before;
    return explained;
}

/*
 * The kernel gives no address: a general protection or stack fault, or a page fault whose signal
 * could not be delivered; without siginfo, any fault at all, or a signal that somebody sent.
 */
static void explain_without_address(struct site *s)
{
    struct inq_fault_site *out = s->out;
    bool told = s->kind == INQ_CRASH_FAULT, segv = s->signal.kind == INQ_SIGNAL_SEGV;

    out->no_access = "the kernel gives no address for this kind of fault";
    if (!out->has_pc || explain_vsyscall(s))
        return;
    if (explain_by_pc(s)) {
        out->is_fault = true;
        return;
    }
    if (read_instruction(s) != INQ_DECODED) {
        out->no_access = out->no_operand = out->no_instruction;
        return;
    }
    out->no_access = out->no_operand =
        "nothing that the instruction uses explains the signal: it may have been another one that "
        "could not be delivered";
    if (explain_by_code(s))
        return;
    bool explained = is_x86(s) && explain_protection(s, !segv);
    if (!explained && segv && explain_by_map(s)) {
        explained = true;
        if (told)
            out->reason = INQ_REASON_UNDELIVERABLE;
    }
    if (!explained && told && segv && is_x86(s) && !would_be_bus(s))
        out->reason = INQ_REASON_UNEXPLAINED;
    out->is_fault |= explained;
}

static void explain_division(struct site *s)
{
    struct inq_fault_site *out = s->out;
    const struct inq_instruction *instruction = &out->instruction;
    const struct inq_operand *divisor = &instruction->operands[0];
    uint8_t bytes[8] = {0};
    size_t got = 0;
    uint64_t value = instruction->divisor;

    if (!instruction->divides || s->signal.code != SI_FPE_INTDIV)
        return;
    out->operand = divisor;
    if (!instruction->divisor_known) {
        if (!divisor->has_address || divisor->size > sizeof(bytes))
            return;
        inq_memory_read(s->dump->memory, divisor->address, bytes, (size_t)divisor->size, &got);
        if (got != divisor->size)
            return;
        memcpy(&value, bytes, sizeof(value)); /* x86: little-endian, and so is zero everywhere */
    }
    out->reason = value == 0 ? INQ_REASON_DIVIDE_BY_ZERO : INQ_REASON_QUOTIENT_OVERFLOW;
}

/* SIGILL, SIGFPE and SIGTRAP: the instruction itself is what failed. */
static void explain_other(struct site *s)
{
    struct inq_fault_site *out = s->out;

    if (inq_crash_has_address(s->dump)) {
        out->has_address = true;
        out->address = s->dump->core->siginfo.addr;
    }
    if (!out->has_pc)
        return;
    if (!step_back(s)) {
        out->no_instruction = "it is not known which instruction ran before the program counter";
        return;
    }
    if (read_instruction(s) != INQ_DECODED)
        return;
    if (s->signal.kind == INQ_SIGNAL_ILL && out->instruction.undefined)
        out->reason = INQ_REASON_UNDEFINED;
    else if (s->signal.kind == INQ_SIGNAL_ILL && out->instruction.privileged)
        out->reason = INQ_REASON_PRIVILEGED;
    else if (s->signal.kind == INQ_SIGNAL_ILL &&
             inq_cpu_offers(s->dump, &out->instruction).offer == INQ_OFFER_NO)
        out->reason = INQ_REASON_UNSUPPORTED;
    else if (s->signal.kind == INQ_SIGNAL_TRAP && out->instruction.breakpoint)
        out->reason = INQ_REASON_BREAKPOINT;
    else if (s->signal.kind == INQ_SIGNAL_FPE)
        explain_division(s);
}

void inq_fault_site(const struct inq_dump *dump, struct inq_fault_site *site)
{
    struct site s = {
        .dump = dump, .signal = inq_crash_signal(dump), .kind = inq_crash_kind(dump), .out = site};

    memset(site, 0, sizeof(*site));
    if (s.kind == INQ_CRASH_SENT || s.kind == INQ_CRASH_OTHER)
        return;
    if (s.kind == INQ_CRASH_UNKNOWN && s.signal.kind != INQ_SIGNAL_SEGV)
        return;
    site->is_fault = s.kind == INQ_CRASH_FAULT;
    site->has_pc = inq_crash_pc(dump, &site->pc);
    if (!site->has_pc)
        site->no_instruction = site->no_operand = site->no_access =
            "the registers of the thread are missing";
    if (!is_memory_signal(&s))
        explain_other(&s);
    else if (inq_crash_has_address(dump))
        explain_address(&s);
    else
        explain_without_address(&s);
}
