/* SPDX-License-Identifier: Apache-2.0 */
#include "syscall_names.h"

#include <linux/audit.h>
#include <stddef.h>

#include "cleanup.h"

struct syscall_name {
    uint16_t number;
    const char *name;
};

/* clang-format off */
#include "syscall_tables.h"
/* clang-format on */

#ifndef AUDIT_ARCH_LOONGARCH64
#define AUDIT_ARCH_LOONGARCH64 (258 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)
#endif
#define X32_BIT 0x40000000

static const char *find(const struct syscall_name *table, size_t count, int32_t number)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && table[low].number == number ? table[low].name : NULL;
}

const char *inq_syscall_name(uint32_t arch, int32_t number)
{
    switch (arch) {
    case AUDIT_ARCH_X86_64:
        /* x32's own numbers, 512 and up, are not in this table */
        return find(x86_64, INQ_ARRAY_SIZE(x86_64), number & ~X32_BIT);
    case AUDIT_ARCH_I386:
        return find(i386, INQ_ARRAY_SIZE(i386), number);
    case AUDIT_ARCH_AARCH64:
    case AUDIT_ARCH_RISCV64:
    case AUDIT_ARCH_LOONGARCH64:
        return find(generic, INQ_ARRAY_SIZE(generic), number);
    default:
        return NULL;
    }
}
