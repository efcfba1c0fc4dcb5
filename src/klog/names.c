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
        [INQ_KLOG_CPU_LOONGARCH] = "loongarch",
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
