/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Landlock by its system calls: linux/landlock.h of the oldest supported distribution knows version
 * 2, running kernels more. Documentation/userspace-api/landlock.rst of the kernel. A ruleset that
 * handles every right and holds no rule forbids all of them; descriptors that are open already stay
 * usable.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "sandbox_parts.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1u
#define OUR_ABI 6

struct ruleset_attr { /* struct landlock_ruleset_attr; grows at its end */
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* since version 4 */
    uint64_t scoped;             /* since version 6 */
};

/* Number of LANDLOCK_ACCESS_FS_* rights by version: 2 added REFER, 3 TRUNCATE, 5 IOCTL_DEV. */
static unsigned file_rights(int abi)
{
    return abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
}

int inq_landlock_enter(void)
{
    struct ruleset_attr attr = {0};
    size_t size = sizeof(attr.handled_access_fs);

    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);
    if (abi < 1)
        return 0;
    if (abi > OUR_ABI)
        abi = OUR_ABI;
    attr.handled_access_fs = (1ull << file_rights((int)abi)) - 1;
    if (abi >= 4) {
        attr.handled_access_net = 3; /* bind and connect of TCP */
        size = 2 * sizeof(uint64_t);
    }
    if (abi >= 6) {
        attr.scoped = 3; /* abstract UNIX sockets, signals */
        size = sizeof(attr);
    }
    _cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0u);
    if (ruleset < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0u) != 0)
        return 0;
    return (int)abi;
}
