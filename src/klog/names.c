/* SPDX-License-Identifier: Apache-2.0 */
#include "klog.h"

const char *inq_klog_kind_name(enum inq_klog_kind kind)
{
    static const char *const names[] = {
        [INQ_KLOG_NONE] = "none",         [INQ_KLOG_FAULT] = "fault",
        [INQ_KLOG_OOM_KILL] = "oom-kill", [INQ_KLOG_MEMORY_FAILURE_KILL] = "memory-failure-kill",
        [INQ_KLOG_SECCOMP] = "seccomp",   [INQ_KLOG_ABEND] = "abend",
        [INQ_KLOG_COREDUMP] = "coredump", [INQ_KLOG_KERNEL] = "kernel",
        [INQ_KLOG_HARDWARE] = "hardware", [INQ_KLOG_LOST] = "lost",
    };

    return names[kind];
}

const char *inq_klog_trap_name(enum inq_klog_trap trap)
{
    static const char *const names[] = {
        [INQ_KLOG_TRAP_NONE] = "none",
        [INQ_KLOG_TRAP_PAGE_FAULT] = "page-fault",
        [INQ_KLOG_TRAP_GENERAL_PROTECTION] = "general-protection",
        [INQ_KLOG_TRAP_INVALID_OPCODE] = "invalid-opcode",
        [INQ_KLOG_TRAP_DIVIDE_ERROR] = "divide-error",
        [INQ_KLOG_TRAP_BREAKPOINT] = "breakpoint",
        [INQ_KLOG_TRAP_STACK_SEGMENT] = "stack-segment",
        [INQ_KLOG_TRAP_BOUNDS] = "bounds",
        [INQ_KLOG_TRAP_ALIGNMENT] = "alignment-check",
        [INQ_KLOG_TRAP_CONTROL_PROTECTION] = "control-protection",
        [INQ_KLOG_TRAP_OVERFLOW] = "overflow",
        [INQ_KLOG_TRAP_VSYSCALL] = "vsyscall",
        [INQ_KLOG_TRAP_OTHER] = "other",
    };

    return names[trap];
}

const char *inq_klog_family_name(enum inq_klog_cpu_family family)
{
    static const char *const names[] = {
        [INQ_KLOG_CPU_UNKNOWN] = "unknown",     [INQ_KLOG_CPU_X86] = "x86",
        [INQ_KLOG_CPU_AARCH64] = "aarch64",     [INQ_KLOG_CPU_ARM] = "arm",
        [INQ_KLOG_CPU_RISCV] = "riscv",         [INQ_KLOG_CPU_PPC] = "ppc",
        [INQ_KLOG_CPU_S390] = "s390",           [INQ_KLOG_CPU_MIPS] = "mips",
        [INQ_KLOG_CPU_LOONGARCH] = "loongarch", [INQ_KLOG_CPU_SPARC] = "sparc",
        [INQ_KLOG_CPU_PARISC] = "parisc",       [INQ_KLOG_CPU_XTENSA] = "xtensa",
    };

    return names[family];
}

const char *inq_klog_access_name(enum inq_klog_access access)
{
    static const char *const names[] = {
        [INQ_KLOG_ACCESS_READ] = "read",
        [INQ_KLOG_ACCESS_WRITE] = "write",
        [INQ_KLOG_ACCESS_EXECUTE] = "execute",
    };

    return names[access];
}

/* include/uapi/linux/seccomp.h; the low 16 bits are data of the filter's own */
const char *inq_klog_action_name(uint64_t action)
{
    switch (action & 0xffff0000u) {
    case 0x80000000u:
        return "kill-process";
    case 0x00000000u:
        return "kill-thread";
    case 0x00030000u:
        return "trap";
    case 0x00050000u:
        return "errno";
    case 0x7fc00000u:
        return "user-notif";
    case 0x7ff00000u:
        return "trace";
    case 0x7ffc0000u:
        return "log";
    case 0x7fff0000u:
        return "allow";
    default:
        return NULL;
    }
}
