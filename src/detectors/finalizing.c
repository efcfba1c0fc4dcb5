/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Was a language's runtime shutting down? The frames of its own function for that tell; of CPython
 * also _PyRuntime.finalizing, whose place moves with every version: the exported function that
 * hands it out begins by loading it.
 */

#include <string.h>

#include "cleanup.h"
#include "code_probe.h"
#include "detectors.h"
#include "frame_search.h"

#define PYTHON_RUNTIME_BYTES (1u << 20)

static const struct {
    const char *function, *runtime;
} closers[] = {
    {"Py_FinalizeEx", "python"},  {"Py_Finalize", "python"},
    {"perl_destruct", "perl"},    {"ruby_cleanup", "ruby"},
    {"rb_ec_teardown", "ruby"},   {"ruby_finalize", "ruby"},
    {"lua_close", "lua"},         {"php_module_shutdown", "php"},
    {"mono_jit_cleanup", "mono"}, {"mono_runtime_try_shutdown", "mono"},
    {"jni_DestroyJavaVM", "jvm"}, {"DestroyJavaVM", "jvm"},
    {"before_exit", "jvm"},       {"VM_Exit::doit", "jvm"},
    {"hs_exit_", "ghc"},          {"caml_shutdown", "ocaml"},
    {"jl_atexit_hook", "julia"},  {"Tcl_Finalize", "tcl"},
    {"Rf_endEmbeddedR", "r"},     {"R_CleanUp", "r"},
};

static const char *closer_of(const struct inq_frame *frame)
{
    for (size_t i = 0; frame->function && i < INQ_ARRAY_SIZE(closers); i++)
        if (!strcmp(frame->function, closers[i].function))
            return closers[i].runtime;
    return NULL;
}

static const char *by_frames(const struct inq_dump *dump, uint32_t *ret_thread)
{
    for (size_t i = 0; dump->stacks && i < dump->stacks->count; i++) {
        const struct inq_stack *stack = &dump->stacks->items[i];
        for (size_t k = 0; k < stack->n_frames; k++) {
            const char *runtime = closer_of(&stack->frames[k]);
            /* names that others have too count in their own library alone */
            if (runtime && !strcmp(runtime, "jvm") &&
                (!stack->frames[k].module ||
                 strncmp(stack->frames[k].module->name, "libjvm", 6) != 0))
                continue;
            if (runtime) {
                *ret_thread = stack->thread->tid;
                return runtime;
            }
        }
    }
    return NULL;
}

/*
 * The word that _Py_IsFinalizing() loads: at once, or through the address of _PyRuntime in a table
 * of its library. It must lie in _PyRuntime.
 */
static bool python_word(const struct inq_dump *dump, uint64_t function, uint64_t runtime,
                        uint64_t *ret_addr)
{
    uint64_t slot = 0, addr, at = function;
    struct inq_opcode code;

    for (unsigned i = 0; i < 4; i++, at = code.next) {
        if (!inq_code_at(dump, at, &code))
            return false;
        for (size_t k = 0; k < code.instruction.operand_count_visible; k++) {
            const ZydisDecodedOperand *operand = &code.operands[k];
            if (inq_code_rip_operand(&code, k, &addr)) {
                if (addr - runtime < PYTHON_RUNTIME_BYTES && operand->size == 64) {
                    *ret_addr = addr;
                    return true;
                }
                if (!inq_memory_u64(dump->memory, addr, &slot) || slot != runtime)
                    slot = 0;
            } else if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && slot != 0 &&
                       operand->size == 64 && operand->mem.index == ZYDIS_REGISTER_NONE &&
                       (uint64_t)operand->mem.disp.value < PYTHON_RUNTIME_BYTES) {
                *ret_addr = slot + (uint64_t)operand->mem.disp.value;
                return true;
            }
        }
    }
    return false;
}

enum answer { NO_PYTHON, RUNNING, FINALIZING, NOT_TOLD };

static enum answer ask_python(struct inq_dump *dump)
{
    static const char *const names[] = {"Py_IsFinalizing", "_Py_IsFinalizing"};
    const struct inq_module *main = dump->modules->main < dump->modules->count
                                        ? &dump->modules->items[dump->modules->main]
                                        : NULL;
    uint64_t runtime, function, addr, value;
    bool has_library = false;
    struct inq_module *module;

    for (size_t i = 0; i < dump->modules->count; i++)
        has_library |= !strncmp(dump->modules->items[i].name, "libpython", 9);
    const char *where = has_library ? "libpython" : main ? main->name : NULL;
    if (!where || !inq_modules_symbol(dump->modules, where, "_PyRuntime", &runtime, &module))
        return has_library ? NOT_TOLD : NO_PYTHON;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (inq_modules_symbol(dump->modules, where, names[i], &function, NULL) &&
            python_word(dump, function, runtime, &addr) &&
            inq_memory_u64(dump->memory, addr, &value))
            return value != 0 ? FINALIZING : RUNNING;
    return NOT_TOLD;
}

struct inq_error *inq_detect_finalizing(struct inq_dump *dump, struct inq_evidence *evidence)
{
    uint32_t thread = 0;
    const char *runtime = by_frames(dump, &thread);
    enum answer python = ask_python(dump);

    if (python == RUNNING || python == FINALIZING)
        inq_evidence_set_bool(evidence, "python.finalizing", python == FINALIZING);
    else if (python == NOT_TOLD)
        inq_evidence_set_unknown(evidence, "python.finalizing",
                                 "the interpreter's own word for it was not found");
    if (runtime && !strcmp(runtime, "python"))
        inq_evidence_set_bool(evidence, "python.finalizing", true);
    if (runtime || python == FINALIZING) {
        inq_evidence_set_bool(evidence, "state.finalizing", true);
        inq_evidence_set_text(evidence, "state.finalizing_runtime", runtime ? runtime : "python");
        if (runtime)
            inq_evidence_set_int(evidence, "state.finalizing_thread", thread);
        return NULL;
    }
    /* CPython's own word counts more than frames that are missing */
    if (python == NOT_TOLD || (python == NO_PYTHON && !inq_frames_tell(dump)))
        inq_evidence_set_unknown(evidence, "state.finalizing",
                                 "not all frames of all threads are known by name");
    else
        inq_evidence_set_bool(evidence, "state.finalizing", false);
    return NULL;
}
