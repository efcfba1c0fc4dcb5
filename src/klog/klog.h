/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_KLOG_H
#define INQ_KLOG_KLOG_H

/*
 * Lines of a kernel's log about processes that died, and about a kernel or hardware that may not be
 * trusted: found in any amount of text, read into events. Nothing is concluded here; what the
 * numbers mean is klog_meaning.h, what many of them show together klog_groups.h.
 *
 * Everything in a log is foreign: programs choose their names, and who can write to a log can write
 * anything. An event is a plain value with no pointers into the log: it can be copied and kept.
 * Texts in it are raw bytes, NUL-terminated and cut at the size of their field; escape them.
 *
 * Sources of the forms: the kernel's arch/x86/mm/fault.c (show_signal_msg),
 * arch/x86/kernel/traps.c, arch/{arm64,arm,riscv,powerpc,s390,mips,loongarch}, mm/memory.c
 * (print_vma_addr), mm/oom_kill.c, mm/memory-failure.c, kernel/auditsc.c, fs/coredump.c;
 * docs/klog.md names them per form.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define INQ_KLOG_COMM_BYTES 68u    /* 15 from the kernel; up to four times that when escaped */
#define INQ_KLOG_MODULE_BYTES 256u /* NAME_MAX + 1: the kernel prints the last component */
#define INQ_KLOG_TEXT_BYTES 640u
#define INQ_KLOG_CODE_BYTES 64u

enum inq_klog_kind {
    INQ_KLOG_NONE,
    /* The death of a user process. */
    INQ_KLOG_FAULT,    /* a fault or trap in user mode that no handler took: it died of it */
    INQ_KLOG_OOM_KILL, /* killed by the OOM killer */
    INQ_KLOG_MEMORY_FAILURE_KILL, /* killed since its memory is broken hardware */
    INQ_KLOG_SECCOMP,             /* audit 1326; `signal` 0 is a record of a call and no kill */
    INQ_KLOG_ABEND,    /* audit 1701 and the like: a process ended by `signal`, whoever sent it */
    INQ_KLOG_COREDUMP, /* about writing a core: failed, skipped, or handed to a collector */
    /* Not about user processes. */
    INQ_KLOG_KERNEL,   /* oops, BUG, UBSAN, KASAN, lockup, hung task: the kernel is a suspect */
    INQ_KLOG_HARDWARE, /* machine check, EDAC, memory failure: the hardware is a suspect */
    INQ_KLOG_LOST,     /* the log says that lines are missing here */
};

/* Which exception, by the words of the line. */
enum inq_klog_trap {
    INQ_KLOG_TRAP_NONE,
    INQ_KLOG_TRAP_PAGE_FAULT,
    INQ_KLOG_TRAP_GENERAL_PROTECTION,
    INQ_KLOG_TRAP_INVALID_OPCODE,
    INQ_KLOG_TRAP_DIVIDE_ERROR,
    INQ_KLOG_TRAP_BREAKPOINT,
    INQ_KLOG_TRAP_STACK_SEGMENT,
    INQ_KLOG_TRAP_BOUNDS,
    INQ_KLOG_TRAP_ALIGNMENT,
    INQ_KLOG_TRAP_CONTROL_PROTECTION,
    INQ_KLOG_TRAP_OVERFLOW,
    INQ_KLOG_TRAP_VSYSCALL, /* a call into the vsyscall page that the kernel refuses */
    INQ_KLOG_TRAP_OTHER,    /* another one; `what` has its words */
};

/* The CPU family, as far as the form of the line tells. */
enum inq_klog_cpu_family {
    INQ_KLOG_CPU_UNKNOWN,
    INQ_KLOG_CPU_X86, /* 32 or 64 bits: `word_bits` */
    INQ_KLOG_CPU_AARCH64,
    INQ_KLOG_CPU_ARM,
    INQ_KLOG_CPU_RISCV,
    INQ_KLOG_CPU_PPC,
    INQ_KLOG_CPU_S390,
    INQ_KLOG_CPU_MIPS,
    INQ_KLOG_CPU_LOONGARCH,
    INQ_KLOG_CPU_SPARC,
    INQ_KLOG_CPU_PARISC,
    INQ_KLOG_CPU_XTENSA,
};

enum inq_klog_access {
    INQ_KLOG_ACCESS_UNKNOWN,
    INQ_KLOG_ACCESS_READ,
    INQ_KLOG_ACCESS_WRITE,
    INQ_KLOG_ACCESS_EXECUTE,
};

enum inq_klog_clock {
    INQ_KLOG_CLOCK_NONE,  /* the line has no time */
    INQ_KLOG_CLOCK_UTC,   /* usec since 1970 */
    INQ_KLOG_CLOCK_LOCAL, /* the same, but what the clock on the wall said was taken as UTC: the
                             zone is not in the line (the machine's own, as a rule) */
    INQ_KLOG_CLOCK_BOOT,  /* usec since boot, by printk's clock: it stands still in suspend and may
                             drift by seconds against CLOCK_BOOTTIME */
};

struct inq_klog_time {
    enum inq_klog_clock clock;
    bool year_assumed; /* the line has none: the reader's `now` chose the last that is not ahead */
    int64_t usec;
    char text[40]; /* as it stands in the line */
};

struct inq_klog_u64 {
    bool known;
    uint64_t value;
};

struct inq_klog_event {
    enum inq_klog_kind kind;
    enum inq_klog_trap trap;
    enum inq_klog_cpu_family family;
    unsigned word_bits; /* 32 or 64; 0 when the line does not tell */

    uint64_t line_number;           /* of its first line in the source, from 1 */
    uint32_t n_lines;               /* how many lines gave something to it */
    char text[INQ_KLOG_TEXT_BYTES]; /* its first line, from the program's name on */
    bool text_cut;                  /* the line goes on */
    char broken[64]; /* the end of a first line that was broken inside of a field: for the lines
                        after it */
    struct inq_klog_time time;
    char host[65]; /* as the log names it; "" when it does not */
    char boot[33]; /* journal's _BOOT_ID; "" */

    /* Who. `tid` is the thread's id in the initial pid namespace, which the kernel prints; in a
     * container it is not the number that the process or its core knows. About core dumps
     * (INQ_KLOG_COREDUMP) the kernel prints the number that the process itself knows. */
    char comm[INQ_KLOG_COMM_BYTES];
    struct inq_klog_u64 tid;
    struct inq_klog_u64 pid; /* the process, where the line has it: OOM, audit */
    struct inq_klog_u64 uid;
    char executable[INQ_KLOG_MODULE_BYTES]; /* audit's exe= */

    /* The fault. */
    struct inq_klog_u64 address; /* of the access that failed; many traps have none */
    struct inq_klog_u64 ip, sp;
    struct inq_klog_u64 error; /* x86: page fault bits, or a selector, by `trap`; aarch64: ESR;
                                  riscv: cause; ppc: si_code; s390: interruption code */
    char error_note[24];       /* "near ret" of a control protection fault */
    enum inq_klog_access access;
    struct inq_klog_u64 signal, signal_code;
    bool handler_possible; /* this form is printed whether the process has a handler or not: what
                              it tells of may have been survived */
    char what[64];         /* the kernel's words: "general protection fault" */

    /* Where ip is: "lib[file offset,start+size]" (since 6.2) or "lib[start+size]" (before). */
    char module[INQ_KLOG_MODULE_BYTES]; /* "" when the line has none */
    bool module_deleted;                /* " (deleted)" was there; it is not part of `module` */
    bool module_not_at_ip;              /* ip lies outside: an old kernel named the next mapping */
    struct inq_klog_u64 module_start, module_size;
    struct inq_klog_u64 file_offset; /* of ip in the file: only in the new form */
    bool file_offset_printed;        /* it is that form, whatever the offset is worth */
    struct inq_klog_u64 text_offset; /* ip - module_start: from the start of that mapping */

    /* Which processor: "likely on CPU 4 (core 2, socket 0)". */
    struct inq_klog_u64 cpu, core, socket;

    /* Code: bytes around ip, in the order of memory. */
    uint8_t code[INQ_KLOG_CODE_BYTES];
    size_t code_size;
    size_t code_at; /* index of the byte that ip points to; only when code_at_known */
    bool code_at_known;
    bool code_unreadable; /* the kernel could not read there */

    /* OOM. */
    bool oom_cgroup; /* a memory cgroup's limit, not the whole machine's */
    char cgroup[INQ_KLOG_MODULE_BYTES];
    struct inq_klog_u64 rss_bytes; /* anonymous, of the one killed */

    struct inq_klog_u64 syscall; /* seccomp */
    struct inq_klog_u64 action;  /* seccomp: what the filter returned, SECCOMP_RET_*; `signal` is 0
                                    for SECCOMP_RET_TRAP, too, which sends SIGSYS */
    struct inq_klog_u64 count;   /* INQ_KLOG_LOST: lines that are missing */
};

struct inq_klog_options {
    int64_t now_usec; /* UTC; lines without a year get the last one that is not ahead of it */
};

/* What a reader went through; complete after the end. */
struct inq_klog_stats {
    uint64_t bytes, lines;
    uint64_t lines_cut;       /* longer than INQ_KLOG_LINE_MOST; their rest was not looked at */
    uint64_t steps;           /* work done, in bytes looked at: for tests of linearity */
    uint64_t foreign_lines;   /* looked like the kernel's, but another program logged them */
    uint64_t code_unassigned; /* Code: and epc lines that could belong to two crashes: to neither */
};
#define INQ_KLOG_LINE_MOST (64u * 1024u)

struct inq_klog_reader;

/*
 * Reads a file, pipe or terminal to its end, in constant memory. `fd` stays the caller's; `name`
 * (for errors) is copied. `options` may be NULL: then `now` is now.
 */
struct inq_error *inq_klog_reader_create(int fd, const char *name,
                                         const struct inq_klog_options *options,
                                         struct inq_klog_reader **ret_reader);
/* The same over bytes, which must outlive the reader. */
struct inq_error *inq_klog_reader_create_bytes(const void *bytes, size_t size, const char *name,
                                               const struct inq_klog_options *options,
                                               struct inq_klog_reader **ret_reader);
void inq_klog_reader_destroy(struct inq_klog_reader *reader); /* takes NULL */
static inline void inq_klog_reader_destroyp(struct inq_klog_reader **r)
{
    inq_klog_reader_destroy(*r);
}
/*
 * The next event in the order of the log (continuation lines are folded in); *ret_more is false at
 * the end, and *ret_event then untouched. INQ_E_IO when the source cannot be read; a signal that
 * inq_pipeline_interrupt() or the like announced through EINTR ends the reading as well, with
 * INQ_E_INTERRUPTED.
 */
struct inq_error *inq_klog_reader_next(struct inq_klog_reader *reader,
                                       struct inq_klog_event *ret_event, bool *ret_more);
struct inq_klog_stats inq_klog_reader_stats(const struct inq_klog_reader *reader);

/*
 * The running kernel's log, by syslog(2), as text for inq_klog_reader_create_bytes(): at most the
 * kernel's buffer, never waits. To be freed. INQ_E_IO with the command that helps when it may not
 * be read.
 */
struct inq_error *inq_klog_read_kernel(char **ret_bytes, size_t *ret_size);

/* "fault", "oom-kill", ...; "page-fault", "general-protection", ...; static. */
const char *inq_klog_kind_name(enum inq_klog_kind kind);
const char *inq_klog_trap_name(enum inq_klog_trap trap);
const char *inq_klog_family_name(enum inq_klog_cpu_family family);
const char *inq_klog_access_name(enum inq_klog_access access); /* NULL when unknown */
/* "kill-process", "errno", ... of what a seccomp filter returned; NULL when it is none of these. */
const char *inq_klog_action_name(uint64_t action);

#endif
