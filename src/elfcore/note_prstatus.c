/* SPDX-License-Identifier: Apache-2.0 */

/*
 * NT_PRSTATUS: struct elf_prstatus of the kernel's linux/elfcore.h: pr_info (three ints), pr_cursig
 * (u16 at 12), pr_sigpend and pr_sighold (long), pr_pid, four timevals, pr_reg. One for each
 * thread, the one that took the signal first.
 */

#include "core_reader.h"

#include <stdlib.h>

#include "cursor.h"
#include "bounds.h"

#define CURSIG_OFF 12u

/* A CPU without a table: where pr_pid is depends on the size of long alone (but for m68k). */
static size_t pid_off(const struct inq_core *core)
{
    return core->cpu ? core->cpu->pid_off : core->elf_class == 64 ? 32 : 24;
}

static void read_registers(const struct inq_core *core, const uint8_t *desc, size_t size,
                           struct inq_core_thread *thread)
{
    const struct inq_cpu *cpu = core->cpu;

    if (!cpu || size < cpu->reg_off + (size_t)cpu->n_registers * cpu->register_bytes)
        return;
    for (size_t i = 0; i < cpu->n_registers; i++) {
        const uint8_t *p = desc + cpu->reg_off + i * cpu->register_bytes;
        thread->registers[i] = cpu->register_bytes == 8 ? inq_load_u64(p, core->big_endian)
                                                        : inq_load_u32(p, core->big_endian);
    }
    thread->has_registers = true;
}

struct inq_error *inq_core_note_prstatus(struct inq_core_reader *reader, const uint8_t *desc,
                                         size_t size)
{
    struct inq_core *core = reader->core;
    struct inq_core_thread *thread;

    core->n_threads_total++;
    reader->last_thread_listed = reader->threads.count < INQ_MAX_THREADS_LISTED;
    if (!reader->last_thread_listed)
        return NULL;
    thread = INQ_ARRAY_PUSH(&reader->threads);
    if (!thread)
        return &inq_error_oom;
    if (size >= CURSIG_OFF + 2)
        thread->cursig = inq_load_u16(desc + CURSIG_OFF, core->big_endian);
    if (size >= pid_off(core) + 4)
        thread->tid = inq_load_u32(desc + pid_off(core), core->big_endian);
    read_registers(core, desc, size, thread);
    if (core->cpu && !thread->has_registers)
        inq_gaps_add(reader->gaps, INQ_G_NOTE, NULL, "NT_PRSTATUS is too short",
                     "registers of thread %u (number %zu): %zu bytes", thread->tid,
                     reader->threads.count, size);
    return NULL;
}
