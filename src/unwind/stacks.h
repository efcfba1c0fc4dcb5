/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_STACKS_H
#define INQ_UNWIND_STACKS_H

/*
 * Threads, frames, and how far each frame can be trusted. The engine is libunwind's remote
 * interface over our own memory (engine_libunwind.c); names come from the verified files' symbol
 * tables.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "core.h"
#include "error.h"
#include "gaps.h"
#include "memory.h"
#include "modules.h"

enum inq_trust {
    INQ_TRUST_CONTEXT,       /* the registers of the thread (or of a signal frame) */
    INQ_TRUST_CFI,           /* call frame information of a verified file, or of the dump */
    INQ_TRUST_FRAME_POINTER, /* frame-pointer chain */
    INQ_TRUST_RULE, /* the caller after a jump to a bad address: the word at the stack pointer */
    INQ_TRUST_SCAN, /* looks like a return address */
};
const char *
inq_trust_name(enum inq_trust trust); /* "context", "cfi", "frame-pointer", "rule", "scan" */

enum inq_frame_kind {
    INQ_FRAME_NATIVE,
    INQ_FRAME_SIGNAL, /* the trampoline that a signal handler returns to */
    INQ_FRAME_KERNEL, /* vdso, vsyscall */
    INQ_FRAME_JIT,    /* executable memory that belongs to no file */
};
const char *inq_frame_kind_name(enum inq_frame_kind kind);

enum inq_engine { INQ_ENGINE_LIBUNWIND, INQ_ENGINE_DWFL, INQ_ENGINE_UCD };

struct inq_frame {
    uint64_t index; /* 0 innermost; indexes jump where the middle was left out */
    uint64_t pc;
    uint64_t sp; /* stack pointer in that frame (its CFA of the callee) */
    enum inq_trust trust;
    enum inq_frame_kind kind;
    bool pc_is_return;         /* look names up at pc - 1 */
    bool after_scan;           /* reached through a frame that was found by scanning: true only if
                                  that one is */
    struct inq_module *module; /* NULL: in no module */
    const char *function;      /* NULL when nameless: no symbol covers the pc. Demangled, without
                                  parameters (demangle.h) */
    const char *symbol;        /* the raw name when it is another one, else NULL */
    uint64_t function_offset;  /* pc - start of the function */
    const char *file;          /* source file, NULL unknown (lines.h) */
    uint32_t line;             /* source line, 0 unknown */
    bool inlined;              /* the function was inlined into that of the next frame, whose index,
                                  pc and trust this one has */
};

struct inq_stack {
    const struct inq_core_thread *thread;
    size_t thread_index;
    struct inq_frame *frames; /* kept: innermost, then outermost */
    size_t n_frames;
    uint64_t frames_total; /* walked, the folded and left-out ones counted */
    bool truncated;        /* frames between the innermost and outermost ones were left out */
    bool complete;         /* the outermost frame was reached */
    const char *stop;      /* why the walk ended, NULL when complete: printable */
    /* a cycle that repeats in the frames, for recursion: length 0 when there is none */
    size_t cycle_start, cycle_length;
    uint64_t cycle_count;
};

struct inq_stacks {
    struct inq_stack *items; /* in the core's thread order: the crashing thread first */
    size_t count;            /* as many as the core lists; beyond INQ_MAX_THREADS_UNWOUND they have
                                frame 0 alone, and without registers none */
};

struct inq_unwind_options {
    enum inq_engine engine;
    int core_fd; /* for INQ_ENGINE_UCD alone: the stock reader wants the file; else -1 */
};

/*
 * libunwind opens a pipe at its first use, which a seccomp filter would refuse: call this before
 * the sandbox is closed.
 */
void inq_unwind_warm_up(void);

/* Walks every thread. What goes wrong in a thread is its `stop` and a gap. */
struct inq_error *inq_stacks_walk(const struct inq_core *core, struct inq_memory *memory,
                                  struct inq_modules *modules,
                                  const struct inq_unwind_options *options, struct inq_arena *arena,
                                  struct inq_gaps *gaps, struct inq_stacks **ret_stacks);

/*
 * Names: collects the pcs of each module and makes one linear pass over its symbol tables (debug
 * file, .symtab, .gnu_debugdata, .dynsym, in this order). A symbol names a pc only when its size
 * covers it, or when it has no size and nothing else starts in between inside the same section.
 */
struct inq_error *inq_stacks_name(struct inq_stacks *stacks, struct inq_modules *modules,
                                  struct inq_arena *arena, struct inq_gaps *gaps);

/* The function that covers one address; NULL name when there is none. For detectors. */
struct inq_symbol_at {
    struct inq_module *module;
    const char *function;
    uint64_t offset;
};
struct inq_symbol_at inq_symbol_at(struct inq_modules *modules, uint64_t addr);

#endif
