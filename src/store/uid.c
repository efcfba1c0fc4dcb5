/* SPDX-License-Identifier: Apache-2.0 */

/* UUIDv7 (RFC 9562, 5.7), and who a claim belongs to. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cleanup.h"
#include "io.h"
#include "sql.h"

struct inq_error *inq_uid_create(char ret_uid[INQ_STORE_UID_SIZE])
{
    uint8_t bytes[16];
    struct timespec now;

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return inq_error_create(INQ_E_STORE, "no random numbers for an identifier");
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (unsigned i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    char *at = ret_uid;
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = "0123456789abcdef"[bytes[i] >> 4];
        *at++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *at = '\0';
    return NULL;
}

/* proc(5): the name in field 2 may hold anything, so fields are counted from its last bracket. */
uint64_t inq_owner_start(pid_t pid)
{
    char path[64], text[1024];
    uint64_t start;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : inq_read_full(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    char *at = strrchr(text, ')');
    for (unsigned field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, " %lu", &start) == 1 ? start : 0;
}

/* A number is given to another process later, so its start and the machine's boot must agree too.
 */
bool inq_owner_alive(const struct inq_store *store, const char *boot_id, pid_t pid,
                     uint64_t start_ticks)
{
    return boot_id && !strcmp(boot_id, store->boot_id) && pid > 0 && start_ticks != 0 &&
           inq_owner_start(pid) == start_ticks;
}
