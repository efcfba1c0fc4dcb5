/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_SYSCALL_NAMES_H
#define INQ_DETECTORS_SYSCALL_NAMES_H

#include <stdint.h>

/*
 * Name of a system call by the AUDIT_ARCH_* value of its ABI (linux/audit.h): x86-64 and x32, i386,
 * and the CPUs that have the kernel's generic table (aarch64, riscv64, loongarch64). NULL for other
 * CPUs and for numbers that have none. Static.
 */
const char *inq_syscall_name(uint32_t arch, int32_t number);

#endif
