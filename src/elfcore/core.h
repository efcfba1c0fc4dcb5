/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_ELFCORE_CORE_H
#define INQ_ELFCORE_CORE_H

/*
 * An ELF core as the kernel wrote it: header, segments, notes. Formats: elf(5), core(5),
 * fs/binfmt_elf.c of the kernel. Everything is validated here once; indexes and counts are safe
 * afterwards. What is damaged becomes a gap, and what is still there is kept.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "cpu.h"
#include "error.h"
#include "gaps.h"
#include "source.h"

struct inq_segment {        /* a PT_LOAD */
    uint64_t addr;          /* p_vaddr, in the dead process */
    uint64_t size;          /* p_memsz, bytes; addr + size does not wrap */
    uint64_t off;           /* p_offset, in the dump */
    uint64_t saved_bytes;   /* p_filesz, clipped to size */
    uint64_t present_bytes; /* of those, how many the (perhaps cut) file holds */
    uint32_t flags;         /* PF_R | PF_W | PF_X */
};

struct inq_core_thread {
    uint32_t tid;
    uint16_t cursig;                       /* pr_cursig; 0 for the others on some kernels */
    bool has_registers;                    /* NT_PRSTATUS was long enough and the CPU is known */
    uint64_t registers[INQ_MAX_REGISTERS]; /* zero-extended, in the order of the CPU table */
    uint64_t fpregset_off, fpregset_size;  /* NT_FPREGSET in the dump, size 0 without */
    uint64_t xstate_off, xstate_size;      /* NT_X86_XSTATE likewise */
};

struct inq_prpsinfo {
    int32_t pid, ppid, pgrp, sid;
    uint32_t uid, gid;
    char fname[17];  /* comm of the thread-group leader, cut by the kernel at 15 */
    char psargs[81]; /* NULs between arguments already replaced by spaces; cut at 80 */
};

struct inq_siginfo {
    int32_t signo, code, err;
    /* the overlays; which one counts depends on signo and code (see inq_siginfo_kind) */
    uint64_t addr;
    int32_t pid;
    uint32_t uid;
    uint64_t syscall_addr;
    int32_t syscall;
    uint32_t syscall_arch;
    uint16_t addr_lsb; /* BUS_MCEERR_*: 1 << addr_lsb bytes were lost */
    uint32_t pkey;     /* SEGV_PKUERR: the protection key of the page */
};

struct inq_auxv {
    uint64_t type, value;
};

struct inq_file_range { /* bytes of the dump */
    uint64_t off, size;
};

struct inq_map_file {     /* one line of NT_FILE */
    uint64_t start, size; /* bytes, in the dead process */
    uint64_t file_off;    /* bytes, in the file */
    const char *path;     /* raw bytes, NUL-terminated; " (deleted)" still on it */
};

struct inq_core {
    uint8_t elf_class; /* 32 or 64 */
    bool big_endian;
    uint16_t machine;
    const struct inq_cpu *cpu; /* NULL for a CPU without a table */
    char machine_name[32];
    uint64_t phnum; /* declared */

    struct inq_segment *segments; /* PT_LOADs, file order */
    size_t n_segments;

    struct inq_core_thread *threads; /* note order: the first is the one that crashed */
    size_t n_threads;                /* listed, at most INQ_MAX_THREADS_LISTED */
    uint64_t n_threads_total;

    bool has_prpsinfo, has_siginfo, has_file_note;
    struct inq_prpsinfo prpsinfo;
    struct inq_siginfo siginfo; /* without NT_SIGINFO only signo is set, from the first thread */

    struct inq_auxv *auxv;
    size_t n_auxv;

    struct inq_map_file *files; /* sorted by start here, whatever the kernel's order was */
    size_t n_files;
    uint64_t page_bytes; /* from NT_FILE or AT_PAGESZ, else 4096 */

    uint64_t expected_bytes; /* end of the furthest segment */
    uint64_t present_bytes;
    bool complete;
    bool notes_cut; /* the dump ends inside the notes */

    /* where header and notes lie in the dump: for inq_core_identity() */
    struct inq_file_range phdrs;  /* as read: not more than is there */
    struct inq_file_range *notes; /* PT_NOTEs, file order, size as clipped to what can be */
    size_t n_notes;
    bool present_noted; /* inq_core_note_present() has been here */
};

/*
 * Reads header, program headers and notes. Fails (exit 3) only when nothing useful is there: not
 * ELF, not a core, header cut, no notes at all. For a stream this keeps what it read; segments'
 * present_bytes are final only after inq_core_note_present().
 */
struct inq_error *inq_core_read(struct inq_source *source, struct inq_arena *arena,
                                struct inq_gaps *gaps, struct inq_core **ret_core);

/*
 * After the stream went by: sets present_bytes and complete, adds the "ends early" gap. Done once:
 * a plain file has had it in inq_core_read(), a stream in inq_core_stream(); calling again is
 * harmless.
 */
void inq_core_note_present(struct inq_core *core, const struct inq_source_info *info,
                           struct inq_gaps *gaps);

/* What of the stream will be wanted: internals.md, "Reading a core from a zstd stream". */
struct inq_error *inq_core_stream(struct inq_core *core, struct inq_source *source,
                                  struct inq_arena *arena, struct inq_gaps *gaps);

/*
 * Identity of a dump whatever its file is called or packed in: SHA-256 (libmd) over ELF header,
 * program headers, notes and the expected size; lower-case hex. False when they cannot be read.
 */
bool inq_core_identity(const struct inq_core *core, struct inq_source *source, char ret_hex[65]);

/* Value of an auxv entry (AT_*); false when it is not there. */
bool inq_core_auxv(const struct inq_core *core, uint64_t type, uint64_t *ret_value);
/* The NT_FILE line that covers addr, NULL without. n log n. */
const struct inq_map_file *inq_core_file_at(const struct inq_core *core, uint64_t addr);
/* Register by name ("rdi"); false when unknown. */
bool inq_core_register(const struct inq_core *core, const struct inq_core_thread *thread,
                       const char *name, uint64_t *ret_value);
uint64_t inq_core_pc(const struct inq_core *core, const struct inq_core_thread *thread);
uint64_t inq_core_sp(const struct inq_core *core, const struct inq_core_thread *thread);

/* Which overlay of siginfo counts. */
enum inq_siginfo_kind {
    INQ_SIGINFO_FAULT, /* si_addr is the address (SEGV, BUS, ILL, FPE, TRAP with code > 0, not 128)
                        */
    INQ_SIGINFO_SENT,  /* si_pid, si_uid: kill, tgkill, sigqueue, raise */
    INQ_SIGINFO_SECCOMP, /* si_syscall, si_arch */
    INQ_SIGINFO_KERNEL,  /* SI_KERNEL: no address is given */
    INQ_SIGINFO_OTHER,
};
enum inq_siginfo_kind inq_siginfo_kind(const struct inq_siginfo *siginfo);

#endif
