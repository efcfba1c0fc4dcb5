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
    "bus error (7) at ",
    "illegal instruction (4) at ",
    "floating point exception (8) at ",
    "unhandled trap (5) at ",
    "unknown signal (",
    "sending SIGSEGV",
    "sending SIGBUS",
    "User process fault",
    "undefined instruction",
    "trap invalid TSS",
    "trap segment not present",
    " bad frame in ",
    "do_page_fault() command='",
    "Illegal instruction in '",
    "divide by 0 in '",
    /* out of memory */
    "VM: killing process",
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
    "unexpected fatal signal",
    /* core dumps */
    "Core dump to ",
    "core_pipe_limit",
    " dumped core",
    "without generating a core",
    "RLIMIT_CORE set",
    "coredump: ",
    "Unsafe core_pattern",
    "fully qualified path",
    "format_corename",
    /* hardware */
    "hardware memory corruption",
    "forcibly killing",
    "Memory failure: 0x",
    "[Hardware Error]",
    "EDAC MC",
    ": CE ERROR_ADDRESS",
    "HANDLING MCE MEMORY ERROR",
    "I/O error, dev ",
    "NMI: PCI system error",
    "NMI: IOCK error",
    "Machine check",
    "Machine Check Exception",
    "machine check",
    /* kernel */

    "kernel BUG at",
    "Oops: ",
    "Oops - ",
    "Kernel panic",
    "UBSAN: ",
    "KASAN: ",
    "KFENCE: ",
    "KCSAN: ",
    "blocked for more than",
    "blocked in I/O wait",
    "soft lockup",
    "hard LOCKUP",
    "detected stall",
    "self-detected",
    "WARNING: CPU",
    "WARNING: at ",
    ", CPU#",
    "Internal error: ",
    "Oops [#",
    "Oops[#",
    "Kernel bug detected",
    "): Poison overwritten",
    "): Redzone overwritten",
    "): Object already free",
    "): Freepointer corrupt",
    "list_del corruption",
    "list_add corruption",
    "Unable to handle kernel",
    ": 0000 [#",
    "exited with irqs",
    "exited with preempt",
    "double fault",
    "unable to handle",
    /* "BUG: " alone would be the shortest of all, and the shortest decides the speed */
    "BUG: a",
    "BUG: b",
    "BUG: c",
    "BUG: d",
    "BUG: e",
    "BUG: f",
    "BUG: g",
    "BUG: h",
    "BUG: i",
    "BUG: j",
    "BUG: k",
    "BUG: l",
    "BUG: m",
    "BUG: n",
    "BUG: o",
    "BUG: p",
    "BUG: q",
    "BUG: r",
    "BUG: s",
    "BUG: t",
    "BUG: u",
    "BUG: v",
    "BUG: w",
    "BUG: x",
    "BUG: y",
    "BUG: z",
    "BUG: A",
    "BUG: B",
    "BUG: C",
    "BUG: D",
    "BUG: E",
    "BUG: F",
    "BUG: G",
    "BUG: H",
    "BUG: I",
    "BUG: J",
    "BUG: K",
    "BUG: L",
    "BUG: M",
    "BUG: N",
    "BUG: O",
    "BUG: P",
    "BUG: Q",
    "BUG: R",
    "BUG: S",
    "BUG: T",
    "BUG: U",
    "BUG: V",
    "BUG: W",
    "BUG: X",
    "BUG: Y",
    "BUG: Z",
    /* what is missing */
    /* journalctl -o json of what is no UTF-8 */
    "\"MESSAGE\":[",
    "\"MESSAGE\" : [",
    "callbacks suppressed",
    "messages dropped",
    "messages suppressed",
    "messages lost due to",
    "Missed ",
};

#define SHORTEST 6u /* "Oops: " */
#define LONGEST 32u /* "floating point exception (8) at " */
#define BLOCK 3u
#define BUCKETS 8192u /* small enough for the first cache; blocks that share one cost little */
_Static_assert(INQ_ARRAY_SIZE(anchors) < 255, "heads[] has bytes");

/*
 * Wu and Manber, "A fast algorithm for multi-pattern searching" (1994), with blocks of three bytes:
 * shift[] says how far the window may move on when these are its last three bytes; at 0, the
 * strings whose first SHORTEST bytes end so are compared.
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
    const unsigned a = (unsigned char)bytes[0], b = (unsigned char)bytes[1],
                   c = (unsigned char)bytes[2];

    return (a << 7 ^ b << 4 ^ c) & (BUCKETS - 1);
}

static uint32_t load4(const char *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return value;
}

static void prepare(void)
{
    memset(shifts, SHORTEST - BLOCK + 1, sizeof(shifts));
    for (size_t i = 0; i < INQ_ARRAY_SIZE(anchors); i++) {
        for (size_t k = 0; k + BLOCK <= SHORTEST; k++) {
            unsigned block = block_at(anchors[i] + k);
            uint8_t shift = (uint8_t)(SHORTEST - BLOCK - k);

            if (shift < shifts[block])
                shifts[block] = shift;
        }
        uint8_t *head = &heads[block_at(anchors[i] + SHORTEST - BLOCK)];
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
        unsigned block = block_at(bytes + at + SHORTEST - BLOCK);

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
