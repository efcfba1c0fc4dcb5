/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include "cpu_unwind.h"
#include "engine_dwfl.h"
#include "epilogue.h"
#include "scan.h"
#include "text.h"

/* Handlers that were interrupted by other signals: a real process has a handful. */
#define MAX_SIGNAL_FRAMES 256u

/*
 * Between a stack pointer and the frame pointer that is to be trusted, so much is searched for
 * return addresses that following it would skip.
 */
#define MAX_FRAME_BYTES 1048576u

/* What is scanned of the crashing thread's stack, in words of eight bytes. */
#define SCAN_WORDS 131072u

/* _start is a handful of instructions and a call. */
#define ENTRY_BYTES 64u

/*
 * struct rt_sigframe as the kernel builds it (asm/sigframe.h), the return address popped: struct
 * ucontext with its struct sigcontext_64 at 40: r8 … r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp,
 * rip, flags, then cs as 16 bits.
 */
#define SIGCONTEXT_OFF 40u
#define SIGCONTEXT_CS_OFF (SIGCONTEXT_OFF + 18 * 8u)
#define USER_CS_64 0x33u

struct walk {
    struct inq_walker *walker;
    struct inq_registers now; /* rip and rsp are always known */
    bool exact;               /* rip is where the thread stands, not a return address */
    enum inq_trust trust;
    unsigned int signal_frames;
    const char *stop;
    bool complete;
    bool scanned; /* some frame was found by scanning */
    uint64_t scan_words_left;
};

static uint64_t walk_pc(const struct walk *walk)
{
    return walk->now.value[INQ_RIP];
}
static uint64_t walk_sp(const struct walk *walk)
{
    return walk->now.value[INQ_RSP];
}

static bool stop(struct walk *walk, const char *why)
{
    walk->stop = why ? why : "out of memory";
    return false;
}

#define STOP(walk, ...) stop((walk), inq_arena_printf((walk)->walker->arena, __VA_ARGS__))

static unsigned long long ull(uint64_t value)
{
    return value;
}

static enum inq_frame_kind kind_of(const struct inq_place *place)
{
    if (place->trampoline)
        return INQ_FRAME_SIGNAL;
    if (place->vsyscall || (place->module && place->module->is_vdso))
        return INQ_FRAME_KERNEL;
    if (place->executable && !place->module)
        return INQ_FRAME_JIT;
    return INQ_FRAME_NATIVE;
}

static struct inq_frame frame_of(const struct inq_place *place, uint64_t sp, enum inq_trust trust,
                                 bool exact, bool scanned)
{
    return (struct inq_frame){
        .pc = place->addr,
        .sp = sp,
        .trust = trust,
        .after_scan = scanned && trust != INQ_TRUST_SCAN,
        .kind = kind_of(place),
        /* The trampoline is entered by a return that no call made: it is where the thread stands.
         */
        .pc_is_return = !exact && !place->trampoline,
        .module = place->module,
    };
}

/* A caller has to lie above its callee on the stack, and to be code. */
static bool accept(struct walk *walk, const struct inq_registers *caller, enum inq_trust trust)
{
    uint64_t pc = caller->value[INQ_RIP], sp = caller->value[INQ_RSP];

    if (sp <= walk_sp(walk))
        return STOP(walk, "no forward progress: the stack pointer goes from 0x%llx to 0x%llx",
                    ull(walk_sp(walk)), ull(sp));
    if (sp % 8 != 0)
        return STOP(walk, "the stack pointer 0x%llx of the caller is not aligned", ull(sp));
    struct inq_place place = inq_codemap_place(walk->walker->code, pc);
    if (!place.executable)
        return STOP(walk,
                    "the return address 0x%llx is %s: the stack is overwritten or was lost before",
                    ull(pc), place.mapped ? "not in executable memory" : "not mapped");
    walk->now = *caller;
    /*
     * Where no call stands before it, it is no return address: a runtime has made the stack look as
     * if the faulting instruction had called it (Go's sigpanic, Mono), or as if something had
     * called the start of a function (makecontext). Then it is the very place that counts.
     */
    walk->exact = inq_codemap_after_call(walk->walker->code, pc) == INQ_AFTER_CALL_NO;
    walk->trust = trust;
    return true;
}

/* The registers that the kernel saved when it called the handler. */
static bool step_signal(struct walk *walk)
{
    static const uint8_t order[] = {INQ_R8,  INQ_R9,  INQ_R10, INQ_R11, INQ_R12, INQ_R13,
                                    INQ_R14, INQ_R15, INQ_RDI, INQ_RSI, INQ_RBP, INQ_RBX,
                                    INQ_RDX, INQ_RAX, INQ_RCX, INQ_RSP, INQ_RIP};
    struct inq_codemap *code = walk->walker->code;
    struct inq_registers saved = {.known = 0};
    uint64_t context = walk_sp(walk), value;

    if (++walk->signal_frames > MAX_SIGNAL_FRAMES)
        return STOP(walk, "more than %u signal frames", MAX_SIGNAL_FRAMES);
    for (size_t i = 0; i < sizeof(order); i++) {
        if (inq_codemap_u64(code, context + SIGCONTEXT_OFF + i * 8, &value) != INQ_MEMORY_OK)
            return STOP(walk, "the signal frame at 0x%llx is not in the dump", ull(context));
        inq_register_set(&saved, order[i], value);
    }
    if (inq_codemap_u64(code, context + SIGCONTEXT_CS_OFF, &value) != INQ_MEMORY_OK ||
        (value & 0xffff) != USER_CS_64)
        return STOP(walk, "the signal frame at 0x%llx is damaged", ull(context));

    walk->now = saved;
    walk->exact = true;
    walk->trust = INQ_TRUST_CONTEXT;
    return true;
}

/* The word at the stack pointer, after a call that led nowhere. */
static bool step_rule(struct walk *walk, const struct inq_place *here)
{
    struct inq_codemap *code = walk->walker->code;
    uint64_t sp = walk_sp(walk), pc;
    const char *where = here->mapped ? "not in executable memory" : "not mapped";

    enum inq_memory_status status = inq_codemap_u64(code, sp, &pc);
    if (status != INQ_MEMORY_OK)
        return STOP(walk, "0x%llx is %s, and the stack is not %s at 0x%llx", ull(here->addr), where,
                    status == INQ_MEMORY_NOT_SAVED ? "saved in the dump" : "mapped", ull(sp));
    if (inq_codemap_after_call(code, pc) == INQ_AFTER_CALL_NO)
        return STOP(walk, "0x%llx is %s, and the word at the stack pointer is no return address",
                    ull(here->addr), where);

    struct inq_registers caller = walk->now;
    inq_register_set(&caller, INQ_RIP, pc);
    inq_register_set(&caller, INQ_RSP, sp + 8);
    return accept(walk, &caller, INQ_TRUST_RULE);
}

/*
 * Whether some word in [low, high) could be a return address: then the frame pointer is perhaps not
 * this function's but a caller's, and following it would leave frames out.
 */
static bool may_skip_frames(struct inq_codemap *code, uint64_t low, uint64_t high)
{
    uint64_t word;

    if (high - low > MAX_FRAME_BYTES)
        return true;
    for (uint64_t addr = low & ~(uint64_t)7; addr < high; addr += 8) {
        if (inq_codemap_u64(code, addr, &word) != INQ_MEMORY_OK)
            return true;
        if (inq_codemap_after_call(code, word) != INQ_AFTER_CALL_NO)
            return true;
    }
    return false;
}

/*
 * Interpreters push the address of the code that is to go on and jump: no call is before it
 * (HotSpot's return entries). Within generated code that is as good as a call.
 */
static bool may_be_return_address(struct inq_codemap *code, uint64_t pc, bool jit)
{
    struct inq_place place = inq_codemap_place(code, pc);

    if (jit && place.executable && !place.module)
        return true;
    return inq_codemap_after_call(code, pc) == INQ_AFTER_CALL_YES;
}

/*
 * `push %rbp; mov %rsp,%rbp` at the start of every function. JIT compilers keep to it; a file's
 * code without CFI is only believed when nothing is left out. `why` is what the walk ends with
 * otherwise.
 */
static bool step_frame_pointer(struct walk *walk, bool jit, const char *why)
{
    struct inq_codemap *code = walk->walker->code;
    uint64_t fp = walk->now.value[INQ_RBP], sp = walk_sp(walk), saved, pc, top;

    if (!inq_register_known(&walk->now, INQ_RBP) || __builtin_add_overflow(fp, 16, &top))
        return stop(walk, why);
    if (fp < sp || fp % 8 != 0) {
        if (!jit)
            return stop(walk, why);
        return STOP(walk, "no forward progress: the frame pointer 0x%llx is not above 0x%llx",
                    ull(fp), ull(sp));
    }
    if (inq_codemap_u64(code, fp, &saved) != INQ_MEMORY_OK ||
        inq_codemap_u64(code, fp + 8, &pc) != INQ_MEMORY_OK ||
        !may_be_return_address(code, pc, jit) || (!jit && may_skip_frames(code, sp, fp)))
        return stop(walk, why);

    struct inq_registers caller = walk->now;
    inq_register_set(&caller, INQ_RBP, saved);
    inq_register_set(&caller, INQ_RSP, top);
    inq_register_set(&caller, INQ_RIP, pc);
    return accept(walk, &caller, INQ_TRUST_FRAME_POINTER);
}

static const uint8_t core_order[INQ_X86_64_REGISTERS] = {
    [INQ_R15] = 0,  [INQ_R14] = 1,  [INQ_R13] = 2,  [INQ_R12] = 3,  [INQ_RBP] = 4,  [INQ_RBX] = 5,
    [INQ_R11] = 6,  [INQ_R10] = 7,  [INQ_R9] = 8,   [INQ_R8] = 9,   [INQ_RAX] = 10, [INQ_RCX] = 11,
    [INQ_RDX] = 12, [INQ_RSI] = 13, [INQ_RDI] = 14, [INQ_RIP] = 16, [INQ_RSP] = 19};

/* The second engine, whose registers are in the order of NT_PRSTATUS. */
static enum inq_cfi_result step_dwfl(struct walk *walk, uint64_t lookup,
                                     struct inq_registers *ret_caller)
{
    struct inq_regs callee = {.known = 0};
    struct inq_dwfl_caller found;

    for (unsigned int i = 0; i < INQ_X86_64_REGISTERS; i++)
        if (inq_register_known(&walk->now, i))
            inq_regs_set(&callee, core_order[i], walk->now.value[i]);
    enum inq_cfi_result result = inq_dwfl_step(walk->walker->dwfl, &callee, lookup, &found);
    if (result != INQ_CFI_OK)
        return result;
    *ret_caller = (struct inq_registers){.known = 0};
    for (unsigned int i = 0; i < INQ_X86_64_REGISTERS; i++)
        if (inq_regs_known(&found.regs, core_order[i]))
            inq_register_set(ret_caller, i, found.regs.value[core_order[i]]);
    return INQ_CFI_OK;
}

/* By libunwind; what it has no information about, by a .debug_frame section, which it does not
 * read. */
static enum inq_cfi_result step_engines(struct walk *walk, const struct inq_place *here,
                                        struct inq_registers *ret_caller, const char **ret_why)
{
    struct inq_walker *walker = walk->walker;
    uint64_t lookup = walk_pc(walk) - !walk->exact;
    enum inq_cfi_result result;

    *ret_why = NULL;
    if (!walker->prefer_dwfl) {
        result = inq_cfi_step(walker->cfi, &walk->now, lookup, ret_caller);
        if (result != INQ_CFI_OK && result != INQ_CFI_OUTERMOST)
            *ret_why = inq_cfi_reason(walker->cfi);
        if (result != INQ_CFI_NO_INFO || !here->module || !walker->dwfl ||
            !inq_dwfl_has_debug_frame(walker->dwfl, here->module))
            return result;
    }
    result = step_dwfl(walk, lookup, ret_caller);
    if (result != INQ_CFI_OK && result != INQ_CFI_OUTERMOST)
        *ret_why = inq_dwfl_reason(walker->dwfl);
    return result;
}

/*
 * In assembler without CFI that has pushed nothing: clone3() of glibc, whose CFI ends before its
 * system call, since the child's stack is another one.
 */
static bool is_leaf(const struct walk *walk)
{
    struct inq_scan scan = {.code = walk->walker->code, .cfi = walk->walker->cfi};

    return walk->exact && inq_scan_top_is_caller(&scan, &walk->now);
}

static bool take_top(struct walk *walk)
{
    struct inq_registers caller = walk->now;
    uint64_t pc;

    if (inq_codemap_u64(walk->walker->code, walk_sp(walk), &pc) != INQ_MEMORY_OK)
        return false;
    inq_register_set(&caller, INQ_RIP, pc);
    inq_register_set(&caller, INQ_RSP, walk_sp(walk) + 8);
    return accept(walk, &caller, INQ_TRUST_RULE);
}

static bool step_cfi(struct walk *walk, const struct inq_place *here)
{
    struct inq_walker *walker = walk->walker;
    struct inq_registers caller;
    const char *why;

    if (walker->cfi_steps_left == 0) {
        walker->limit_reached = true;
        return stop(walk, "the limit of steps for one dump is reached");
    }
    walker->cfi_steps_left--;

    switch (step_engines(walk, here, &caller, &why)) {
    case INQ_CFI_OK:
        return accept(walk, &caller, INQ_TRUST_CFI);
    case INQ_CFI_OUTERMOST:
        walk->complete = true;
        return false;
    case INQ_CFI_NO_INFO:
        /* Nobody called the entry point, and not every libc has CFI that says so (musl). */
        if (walker->has_entry && walk_pc(walk) - walker->entry < ENTRY_BYTES) {
            walk->complete = true;
            return false;
        }
        if (is_leaf(walk))
            return take_top(walk);
        if (here->module && inq_epilogue_caller(walker->code, &walk->now, &walker->epilogue_left,
                                                &caller))
            return accept(walk, &caller, INQ_TRUST_RULE);
        return step_frame_pointer(walk, !here->module, why);
    case INQ_CFI_INVALID:
        return step_frame_pointer(walk, false, why);
    case INQ_CFI_LOST:
    default:
        return stop(walk, why);
    }
}

/* Moves on to the caller; false when there is none or it cannot be found. */
static bool step(struct walk *walk, const struct inq_place *here)
{
    if (here->trampoline)
        return step_signal(walk);
    if (walk->exact && (!here->executable || here->vsyscall))
        return step_rule(walk, here);
    return step_cfi(walk, here);
}

/* When nothing else leads on: the next word that can only be a return address. */
static bool step_scan(struct walk *walk, const char *first_stop)
{
    struct inq_walker *walker = walk->walker;
    struct inq_scan scan = {
        .code = walker->code, .cfi = walker->cfi, .words_left = walk->scan_words_left};
    struct inq_registers caller;

    if (walk->complete || walker->limit_reached)
        return false;
    bool found = inq_scan_caller(&scan, &walk->now, &caller);
    walk->scan_words_left = scan.words_left;
    if (!found || !accept(walk, &caller, INQ_TRUST_SCAN))
        return false;
    walk->scanned = true;
    walk->stop = first_stop;
    return true;
}

/* Moves on, by whatever leads on; walk->stop stays the first reason why the stack was lost. */
static bool move_on(struct walk *walk, const struct inq_place *here)
{
    const char *first_stop = walk->scanned ? walk->stop : NULL;

    if (step(walk, here))
        return true;
    if (!first_stop)
        first_stop = walk->stop;
    bool found = step_scan(walk, first_stop);
    walk->stop = first_stop;
    if (walk->scanned)
        walk->complete = false;
    return found;
}

static void walk_all(struct walk *walk)
{
    struct inq_walker *walker = walk->walker;
    struct inq_place place;

    do {
        place = inq_codemap_place(walker->code, walk_pc(walk));
        struct inq_frame frame =
            frame_of(&place, walk_sp(walk), walk->trust, walk->exact, walk->scanned);
        inq_frames_push(walker->frames, &frame);
        if (walker->frames_left == 0) {
            walker->limit_reached = true;
            walk->stop = "the limit of frames for one dump is reached";
            return;
        }
        walker->frames_left--;
    } while (move_on(walk, &place));
}

bool inq_walk_thread(struct inq_walker *walker, const struct inq_registers *registers,
                     struct inq_stack *stack)
{
    struct walk walk = {.walker = walker,
                        .now = *registers,
                        .exact = true,
                        .trust = INQ_TRUST_CONTEXT,
                        .scan_words_left =
                            stack->thread_index == 0 ? SCAN_WORDS : walker->scan_words_left};

    inq_frames_reset(walker->frames);
    walk_all(&walk);
    if (stack->thread_index != 0)
        walker->scan_words_left = walk.scan_words_left;
    stack->stop = walk.stop;
    stack->complete = walk.complete;
    return inq_frames_finish(walker->frames, walker->arena, stack);
}

bool inq_walk_first(struct inq_codemap *code, struct inq_arena *arena, uint64_t pc, uint64_t sp,
                    struct inq_stack *stack)
{
    struct inq_place place = inq_codemap_place(code, pc);
    struct inq_frame *frame = INQ_ARENA_NEW(arena, struct inq_frame);

    if (!frame)
        return false;
    *frame = frame_of(&place, sp, INQ_TRUST_CONTEXT, true, false);
    stack->frames = frame;
    stack->n_frames = 1;
    stack->frames_total = 1;
    return true;
}
