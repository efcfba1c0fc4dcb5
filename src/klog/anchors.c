/* SPDX-License-Identifier: Apache-2.0 */
#include "anchors.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "cleanup.h"

/*
 * Every line that starts an event holds one of these; none is shorter than SHORTEST. Words of other
 * programs are among them, too: the parsers decide. A string that occurs in ordinary lines costs
 * time, so these are as rare as the lines allow.
 */
static const char *const anchors[] = {
    /* faults of processes */
    "segfault",
    "traps: ",
    " general protection",
    "trap invalid opcode",
    "trap divide error",
    "trap int3",
    "trap stack segment",
    "trap bounds",
    "trap overflow",
    "trap alignment check",
    " control protection",
    " vsyscall",
    ": unhandled ",
    " nip ",
    "sending SIGSEGV",
    "sending SIGBUS",
    "User process fault",
    "undefined instruction",
    "trap invalid TSS",
    "trap segment not present",
    /* out of memory */
    "Killed process",
    "Kill process",
    "kill process",
    "oom-kill:",
    /* audit */
    "type=1326",
    "type=1701",
    "type=SECCOMP",
    "type=ANOM_ABEND",
    ": SECCOMP auid",
    ": ANOM_ABEND auid",
    /* core dumps */
    "Core dump to ",
    "core_pipe_limit",
    " dumped core",
    "without generating a core",
    "RLIMIT_CORE set",
    "coredump: ",
    "Unsafe core_pattern",
    "format_corename",
    /* hardware */
    "hardware memory corruption",
    "Memory failure: 0x",
    "[Hardware Error]",
    "EDAC MC",
    "I/O error, dev ",
    "NMI: PCI system error",
    "NMI: IOCK error",
    "Machine check",
    "machine check",
    /* kernel */
    "BUG: ",
    "kernel BUG at",
    "Oops: ",
    "Oops - ",
    "Kernel panic",
    "UBSAN: ",
    "KASAN: ",
    "KFENCE: ",
    "KCSAN: ",
    "blocked for more than",
    "soft lockup",
    "hard LOCKUP",
    "detected stall",
    "self-detected",
    "WARNING: CPU",
    "list_del corruption",
    "list_add corruption",
    "Unable to handle kernel",
    ": 0000 [#",
    "exited with irqs",
    "exited with preempt",
    "double fault",
    "unable to handle",
    /* what is missing */
    /* journalctl -o json of what is no UTF-8 */
    "\"MESSAGE\":[",
    "\"MESSAGE\" : [",
    "callbacks suppressed",
    "messages dropped",
    "messages suppressed",
    "Missed ",
};

#define SHORTEST 5u /* "BUG: ", " nip " */
#define LONGEST 26u /* "hardware memory corruption" */
#define BUCKETS 65536u
_Static_assert(INQ_ARRAY_SIZE(anchors) < 255, "heads[] has bytes");

/*
 * Wu and Manber, "A fast algorithm for multi-pattern searching" (1994), with blocks of two bytes:
 * shift[] says how far the window may move on when these are its last two bytes; at 0, the strings
 * whose first SHORTEST bytes end so are compared.
 */
static uint8_t shifts[BUCKETS];
static uint8_t heads[BUCKETS]; /* of the strings to compare: index + 1 into candidates[] */
static struct candidate {
    uint32_t begin; /* the first four bytes: most comparisons end there */
    uint32_t size;
    const char *anchor;
    uint8_t next; /* as in heads[]; 0 at the end */
} candidates[INQ_ARRAY_SIZE(anchors)];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static unsigned block_at(const char *bytes)
{
    return (unsigned)(unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
}

static uint32_t load4(const char *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static void prepare(void)
{
    memset(shifts, SHORTEST - 1, sizeof(shifts));
    for (size_t i = 0; i < INQ_ARRAY_SIZE(anchors); i++) {
        for (size_t k = 0; k + 2 <= SHORTEST; k++) {
            unsigned block = block_at(anchors[i] + k);
            uint8_t shift = (uint8_t)(SHORTEST - 2 - k);

            if (shift < shifts[block])
                shifts[block] = shift;
        }
        uint8_t *head = &heads[block_at(anchors[i] + SHORTEST - 2)];
        candidates[i] =
            (struct candidate){load4(anchors[i]), (uint32_t)strlen(anchors[i]), anchors[i], *head};
        *head = (uint8_t)(i + 1);
    }
}

static bool starts_anchor(const char *at, const char *end, unsigned block)
{
    const uint32_t begin = load4(at);

    for (uint8_t i = heads[block]; i; i = candidates[i - 1].next) {
        const struct candidate *c = &candidates[i - 1];
        if (c->begin == begin && (size_t)(end - at) >= c->size && !memcmp(at, c->anchor, c->size))
            return true;
    }
    return false;
}

size_t inq_klog_find_anchor(const char *bytes, size_t size, size_t from, uint64_t *steps)
{
    uint64_t looked = 0;
    size_t found = size;

    pthread_once(&once, prepare);
    for (size_t at = from; at <= size && size - at >= SHORTEST;) {
        unsigned block = block_at(bytes + at + SHORTEST - 2);

        looked++;
        if (shifts[block] > 0) {
            at += shifts[block];
        } else if (starts_anchor(bytes + at, bytes + size, block)) {
            found = at;
            break;
        } else {
            at++;
        }
    }
    *steps += looked;
    return found;
}

size_t inq_klog_longest_anchor(void)
{
    return LONGEST;
}
