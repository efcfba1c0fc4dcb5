/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_dwfl.h"

#include <elf.h>
#include <stdlib.h>

#include <elfutils/libdw.h>
#include <libelf.h>

#include "cpu_unwind.h"
#include "dw_expr.h"
#include "dwarf_file.h"
#include "packed.h"
#include "text.h"

/* Rules that are kept as libdw works them out, by lookup address: recursion asks the same again. */
#define FRAMES 256u

/* Numbers below this are asked for: all that the tables of cpu_unwind.c know. */
#define DWARF_REGISTERS 112u

/* Operations of expressions: a function needs none or a few; loops end here. */
#define MAX_OPS_STEP 20000u
#define MAX_OPS 200000000u

/* Of compressed sections, together. Go's are some hundred kilobytes. */
#define MAX_UNPACKED (64u << 20)

enum why {
    WHY_NONE,
    WHY_NO_MODULE,
    WHY_NO_FILE,
    WHY_NO_ENTRY,
    WHY_MEMORY,
    WHY_REGISTER,
    WHY_ENDLESS,
    WHY_ZERO,
    WHY_CFI,
};

struct dw_module {
    bool opened, frame_asked;
    const struct inq_image *frame_image; /* what has .debug_frame, once that was asked */
    Elf *elf;
    Dwarf_CFI *eh_cfi;             /* of .eh_frame */
    struct inq_dwarf_frames debug; /* of .debug_frame */
};

struct kept_frame {
    uint64_t lookup;
    Dwarf_Frame *frame; /* NULL: nothing is kept here */
};

struct inq_dwfl {
    const struct inq_core *core;
    const struct inq_cpu *cpu;
    const struct inq_cpu_unwind *unwind;
    struct inq_codemap *code;
    struct inq_arena *arena;
    struct dw_module *modules; /* by module index */
    size_t n_modules;
    struct kept_frame frames[FRAMES];
    uint64_t ops_total, unpacked_left;

    enum why why; /* of the last step */
    uint64_t why_addr, lookup;
    enum inq_memory_status why_status;
    const struct inq_module *why_module;
};

struct inq_error *inq_dwfl_create(const struct inq_core *core, struct inq_codemap *code,
                                  struct inq_arena *arena, struct inq_dwfl **ret_dwfl)
{
    struct inq_dwfl *dwfl = INQ_ARENA_NEW(arena, struct inq_dwfl);
    if (!dwfl)
        return &inq_error_oom;
    dwfl->core = core;
    dwfl->cpu = core->cpu;
    dwfl->unwind = inq_cpu_unwind_find(core->cpu);
    dwfl->code = code;
    dwfl->arena = arena;
    dwfl->ops_total = MAX_OPS;
    dwfl->unpacked_left = MAX_UNPACKED;
    dwfl->n_modules = code->modules->count;
    dwfl->modules = INQ_ARENA_ARRAY(arena, dwfl->n_modules ? dwfl->n_modules : 1, struct dw_module);
    if (!dwfl->modules)
        return &inq_error_oom;
    if (!dwfl->unwind || elf_version(EV_CURRENT) == EV_NONE)
        return inq_error_create(INQ_E_USAGE, "the dwfl engine does not know this CPU");
    *ret_dwfl = dwfl;
    return NULL;
}

void inq_dwfl_destroy(struct inq_dwfl *dwfl)
{
    if (!dwfl)
        return;
    for (size_t i = 0; i < FRAMES; i++)
        free(dwfl->frames[i].frame);
    for (size_t i = 0; i < dwfl->n_modules; i++) {
        struct dw_module *module = &dwfl->modules[i];
        if (module->eh_cfi)
            dwarf_cfi_end(module->eh_cfi);
        inq_dwarf_frames_close(&module->debug);
        elf_end(module->elf); /* takes NULL */
    }
}

/* libelf takes the bytes by a pointer to what is not const, and only reads them. */
static Elf *elf_over(const uint8_t *bytes, size_t size)
{
    return elf_memory((char *)(uintptr_t)bytes, size);
}

static const struct inq_image *debug_frame_image(struct inq_dwfl *dwfl, struct inq_module *module)
{
    struct dw_module *open = &dwfl->modules[module->index];

    if (open->frame_asked)
        return open->frame_image;
    if (!module->image)
        inq_module_need_file(dwfl->code->modules, module);
    open->frame_asked = true;
    if (module->image && inq_image_has_debug_section(module->image, ".debug_frame"))
        return open->frame_image = module->image;
    if (!module->debug_image)
        inq_module_need_debug(dwfl->code->modules, module);
    if (module->debug_image && inq_image_has_debug_section(module->debug_image, ".debug_frame"))
        open->frame_image = module->debug_image;
    return open->frame_image;
}

bool inq_dwfl_has_debug_frame(struct inq_dwfl *dwfl, struct inq_module *module)
{
    return !module->is_vdso && debug_frame_image(dwfl, module) != NULL;
}

/*
 * Not from the file as it is: libdw would unpack all of its debug sections, and libelf writes into
 * the headers of those that it unpacks, which are mapped read-only (Go compresses them all).
 */
static void open_debug_frame(struct inq_dwfl *dwfl, struct dw_module *open,
                             struct inq_module *module)
{
    const struct inq_image *image = debug_frame_image(dwfl, module);

    if (image)
        inq_dwarf_frames_open(image, dwfl->arena, &dwfl->unpacked_left, &open->debug);
}

static struct dw_module *open_module(struct inq_dwfl *dwfl, struct inq_module *module)
{
    struct dw_module *open = &dwfl->modules[module->index];

    if (open->opened)
        return open;
    open->opened = true;
    if (module->is_vdso) {
        /* The kernel's own library is a whole file in memory. */
        const uint8_t *bytes =
            module->size <= SIZE_MAX
                ? inq_memory_view(dwfl->code->memory, module->start, (size_t)module->size)
                : NULL;
        open->elf = bytes ? elf_over(bytes, (size_t)module->size) : NULL;
    } else {
        if (!module->image)
            inq_module_need_file(dwfl->code->modules, module);
        if (module->image)
            open->elf = elf_over(module->image->bytes, module->image->size);
        open_debug_frame(dwfl, open, module);
    }
    if (open->elf)
        open->eh_cfi = dwarf_getcfi_elf(open->elf);
    return open;
}

static Dwarf_Frame *frame_of(Dwarf_CFI *cfi, uint64_t addr)
{
    Dwarf_Frame *frame = NULL;
    return cfi && dwarf_cfi_addrframe(cfi, addr, &frame) == 0 ? frame : NULL;
}

/* The rules for the lookup address; NULL when there are none, and why is set. */
static Dwarf_Frame *find_frame(struct inq_dwfl *dwfl, struct inq_module *module)
{
    struct kept_frame *slot = &dwfl->frames[(dwfl->lookup ^ dwfl->lookup >> 8) % FRAMES];

    if (slot->frame && slot->lookup == dwfl->lookup)
        return slot->frame;
    struct dw_module *open = open_module(dwfl, module);
    if (!open->eh_cfi && !open->debug.cfi) {
        dwfl->why = WHY_NO_FILE;
        return NULL;
    }
    uint64_t addr = inq_modules_file_addr(dwfl->code->modules, module, dwfl->lookup);
    Dwarf_Frame *frame = frame_of(open->eh_cfi, addr);
    if (!frame)
        frame = frame_of(open->debug.cfi, addr);
    if (!frame) {
        dwfl->why = WHY_NO_ENTRY;
        return NULL;
    }
    free(slot->frame);
    *slot = (struct kept_frame){.lookup = dwfl->lookup, .frame = frame};
    return frame;
}

static enum inq_cfi_result failed(struct inq_dwfl *dwfl, const struct inq_dw_expr *expr,
                                  enum inq_dw_result result)
{
    switch (result) {
    case INQ_DW_MEMORY:
        dwfl->why = WHY_MEMORY;
        dwfl->why_addr = expr->fail_addr;
        dwfl->why_status = expr->fail_status;
        return INQ_CFI_LOST;
    case INQ_DW_REGISTER:
        dwfl->why = WHY_REGISTER;
        return INQ_CFI_INVALID;
    case INQ_DW_ENDLESS:
        dwfl->why = WHY_ENDLESS;
        return INQ_CFI_INVALID;
    case INQ_DW_INVALID:
    case INQ_DW_OK:
    default:
        dwfl->why = WHY_CFI;
        return INQ_CFI_INVALID;
    }
}

enum saved {
    SAVED_VALUE,
    SAVED_UNDEFINED,
    SAVED_FAILED,
};

/* One register of the caller. */
static enum saved caller_register(Dwarf_Frame *frame, struct inq_dw_expr *expr, int number,
                                  int index, uint64_t *ret_value, enum inq_dw_result *ret_result)
{
    Dwarf_Op simple[3], *ops;
    size_t count;

    *ret_result = INQ_DW_INVALID;
    if (dwarf_frame_register(frame, number, simple, &ops, &count) != 0)
        return SAVED_FAILED;
    if (count == 0 && ops == simple)
        return SAVED_UNDEFINED;
    if (count == 0) { /* the callee did not touch it */
        *ret_result = INQ_DW_REGISTER;
        if (!inq_regs_known(expr->regs, index))
            return SAVED_FAILED;
        *ret_value = expr->regs->value[index];
        return SAVED_VALUE;
    }
    *ret_result = inq_dw_location(expr, ops, count, ret_value);
    return *ret_result == INQ_DW_OK ? SAVED_VALUE : SAVED_FAILED;
}

/*
 * The stack pointer has a rule of its own where it is saved, or where register windows turn.
 * Without one it is the CFA, which is what most ABIs define a CFA to be; on s390 and sparc a CFA
 * lies beyond the frame's save area, and a stack pointer without a rule was not touched.
 */
static void caller_stack_pointer(Dwarf_Frame *frame, struct inq_dw_expr *expr, int number,
                                 struct inq_regs *caller)
{
    Dwarf_Op simple[3], *ops;
    size_t count;
    uint64_t value = expr->cfa;
    int index = expr->cpu->sp;

    if (dwarf_frame_register(frame, number, simple, &ops, &count) != 0)
        return;
    if (count > 0) {
        if (inq_dw_location(expr, ops, count, &value) != INQ_DW_OK)
            return;
    } else if (expr->cpu->machine == EM_S390 || expr->cpu->machine == EM_SPARCV9) {
        value = expr->regs->value[index];
    }
    inq_regs_set(caller, index, value);
}

/* All but the return address: what cannot be worked out is not known in the caller. */
static void caller_registers(Dwarf_Frame *frame, struct inq_dw_expr *expr, struct inq_regs *caller)
{
    for (unsigned int number = 0; number < DWARF_REGISTERS; number++) {
        int index = inq_cpu_dwarf_register(expr->cpu, number);
        enum inq_dw_result result;
        uint64_t value;
        if (index < 0)
            continue;
        if (index == expr->cpu->sp)
            caller_stack_pointer(frame, expr, (int)number, caller);
        else if (caller_register(frame, expr, (int)number, index, &value, &result) == SAVED_VALUE)
            inq_regs_set(caller, index, value);
    }
}

/*
 * Signed return addresses (aarch64 with pointer authentication) carry the signature above the bits
 * that addresses use.
 */
static uint64_t plain_pc(struct inq_dwfl *dwfl, uint64_t pc)
{
    pc &= dwfl->unwind->pc_mask;
    if (dwfl->unwind->chain == INQ_CHAIN_AARCH64 && pc >> 48 != 0 &&
        inq_codemap_place(dwfl->code, pc & 0xffffffffffff).executable)
        pc &= 0xffffffffffff;
    return pc;
}

static enum inq_cfi_result return_address(struct inq_dwfl *dwfl, Dwarf_Frame *frame,
                                          struct inq_dw_expr *expr, struct inq_dwfl_caller *caller)
{
    enum inq_dw_result result;
    uint64_t pc;
    int number = dwarf_frame_info(frame, NULL, NULL, &caller->from_signal);
    int index = number >= 0 ? inq_cpu_dwarf_register(dwfl->cpu, (unsigned int)number) : -1;

    if (number < 0)
        return failed(dwfl, expr, INQ_DW_INVALID);
    switch (caller_register(frame, expr, number, index, &pc, &result)) {
    case SAVED_UNDEFINED:
        return INQ_CFI_OUTERMOST;
    case SAVED_FAILED:
        return failed(dwfl, expr, result);
    case SAVED_VALUE:
    default:
        break;
    }
    pc = plain_pc(dwfl, pc);
    if (pc == 0) {
        dwfl->why = WHY_ZERO;
        return INQ_CFI_LOST;
    }
    if (!caller->from_signal)
        pc += dwfl->unwind->return_offset;
    inq_regs_set(&caller->regs, dwfl->cpu->pc, pc);
    return INQ_CFI_OK;
}

enum inq_cfi_result inq_dwfl_step(struct inq_dwfl *dwfl, const struct inq_regs *callee,
                                  uint64_t lookup, struct inq_dwfl_caller *ret_caller)
{
    struct inq_module *module = inq_codemap_place(dwfl->code, lookup).module;
    struct inq_dwfl_caller caller = {.from_signal = false};
    Dwarf_Op *ops;
    size_t count;

    dwfl->why = WHY_NONE;
    dwfl->why_module = module;
    dwfl->lookup = lookup;
    if (!module || module->index >= dwfl->n_modules || (!module->has_bias && !module->is_vdso)) {
        dwfl->why = WHY_NO_MODULE;
        return INQ_CFI_NO_INFO;
    }
    Dwarf_Frame *frame = find_frame(dwfl, module);
    if (!frame)
        return INQ_CFI_NO_INFO;

    uint64_t ops_left = dwfl->ops_total < MAX_OPS_STEP ? dwfl->ops_total : MAX_OPS_STEP;
    uint64_t ops_before = ops_left;
    struct inq_dw_expr expr = {.code = dwfl->code,
                               .cpu = dwfl->cpu,
                               .big_endian = dwfl->core->big_endian,
                               .regs = callee,
                               .bias = module->load_bias,
                               .ops_left = &ops_left};
    enum inq_dw_result result = INQ_DW_INVALID;
    if (dwarf_frame_cfa(frame, &ops, &count) == 0)
        result = inq_dw_value(&expr, ops, count, &expr.cfa);
    if (result != INQ_DW_OK)
        return failed(dwfl, &expr, result);
    expr.has_cfa = true;
    caller_registers(frame, &expr, &caller.regs);
    enum inq_cfi_result end = return_address(dwfl, frame, &expr, &caller);
    if (end == INQ_CFI_OK && !inq_regs_known(&caller.regs, dwfl->cpu->sp))
        end = failed(dwfl, &expr, INQ_DW_REGISTER);
    dwfl->ops_total -= ops_before - ops_left;
    if (end == INQ_CFI_OK)
        *ret_caller = caller;
    return end;
}

static const char *memory_reason(const struct inq_dwfl *dwfl)
{
    return inq_arena_printf(dwfl->arena,
                            dwfl->why_status == INQ_MEMORY_NOT_SAVED
                                ? "stack not saved in the dump at 0x%llx"
                                : "stack not mapped at 0x%llx",
                            (unsigned long long)dwfl->why_addr);
}

const char *inq_dwfl_reason(const struct inq_dwfl *dwfl)
{
    unsigned long long pc = dwfl->lookup;
    char *name = dwfl->why_module ? inq_escape(dwfl->why_module->name) : NULL;
    const char *shown = name ? name : "a module", *text;

    switch (dwfl->why) {
    case WHY_NO_MODULE:
        text = inq_arena_printf(dwfl->arena, "0x%llx is in no module: no unwind information", pc);
        break;
    case WHY_NO_FILE:
        text = inq_arena_printf(dwfl->arena, "no unwind information for %s%s", shown,
                                dwfl->why_module && !dwfl->why_module->image &&
                                        !dwfl->why_module->is_vdso
                                    ? ": its file is not here"
                                    : "");
        break;
    case WHY_NO_ENTRY:
        text = inq_arena_printf(dwfl->arena, "no unwind information in %s for 0x%llx", shown, pc);
        break;
    case WHY_MEMORY:
        text = memory_reason(dwfl);
        break;
    case WHY_REGISTER:
        text =
            inq_arena_printf(dwfl->arena, "unwinding at 0x%llx needs a register that is lost", pc);
        break;
    case WHY_ENDLESS:
        text = inq_arena_printf(dwfl->arena, "CFI invalid at 0x%llx: it does not end", pc);
        break;
    case WHY_ZERO:
        text = inq_arena_printf(dwfl->arena, "the return address from 0x%llx is 0", pc);
        break;
    case WHY_NONE:
    case WHY_CFI:
    default:
        text = inq_arena_printf(dwfl->arena, "CFI invalid at 0x%llx", pc);
        break;
    }
    free(name);
    return text;
}
