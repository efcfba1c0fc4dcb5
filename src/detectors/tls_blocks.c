/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_blocks.h"

#include <elf.h>

/* A block that was allocated when first used says nothing of its size. */
#define DYNAMIC_BYTES 4096u
/* All static blocks of a thread lie right below its control block. */
#define STATIC_BYTES (256u << 10)

static bool is_supported(const struct inq_core *core)
{
    return core->machine == EM_X86_64 && core->elf_class == 64 && core->cpu &&
           core->cpu->word_bytes == 8;
}

static void add(struct inq_tls_blocks *blocks, uint64_t start, uint64_t size)
{
    if (blocks->count < INQ_MAX_TLS_BLOCKS)
        blocks->items[blocks->count++] = (struct inq_tls_block){start, size};
}

/* The entries of the vector. The lowest of those right below the control block begins them all. */
static void add_entries(const struct inq_dump *dump, uint64_t self, uint64_t first, uint64_t step,
                        uint64_t count, struct inq_tls_blocks *blocks)
{
    uint64_t lowest = self, value;

    for (uint64_t i = 0; i < count && i < INQ_MAX_TLS_BLOCKS; i++) {
        /* an entry that was not used yet is 0 or -1 */
        if (!inq_memory_u64(dump->memory, first + i * step, &value) || value < 4096 ||
            value == UINT64_MAX)
            continue;
        if (value < self && self - value <= STATIC_BYTES)
            lowest = value < lowest ? value : lowest;
        else
            add(blocks, value, DYNAMIC_BYTES);
    }
    if (lowest < self)
        add(blocks, lowest, self - lowest);
}

bool inq_tls_blocks_find(const struct inq_dump *dump, const struct inq_core_thread *thread,
                         struct inq_tls_blocks *ret_blocks, const char **ret_why)
{
    uint64_t self, own, again, vector, count;

    ret_blocks->count = 0;
    if (!is_supported(dump->core) || !thread->has_registers ||
        !inq_core_register(dump->core, thread, "fs_base", &self)) {
        *ret_why = "thread-local memory is not looked for on this CPU";
        return false;
    }
    *ret_why = "the thread's control block is not in the dump";
    if (self == 0 || self > UINT64_MAX - 64 || !inq_memory_u64(dump->memory, self, &own) ||
        own != self || !inq_memory_u64(dump->memory, self + 8, &vector) ||
        !inq_memory_u64(dump->memory, self + 16, &again) || vector < 4096 ||
        vector > UINT64_MAX - (1u << 20))
        return false;
    *ret_why = "the thread's vector of thread-local memory is not in the dump";
    if (again == self) { /* glibc, tcbhead_t: {tcb, dtv, self} */
        if (!inq_memory_u64(dump->memory, vector - 16, &count))
            return false;
        add_entries(dump, self, vector + 16, 16, count, ret_blocks);
    } else {
        if (!inq_memory_u64(dump->memory, vector, &count))
            return false;
        add_entries(dump, self, vector + 8, 8, count, ret_blocks);
    }
    return true;
}
