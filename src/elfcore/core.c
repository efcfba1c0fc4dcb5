/* SPDX-License-Identifier: Apache-2.0 */

#include "core.h"

#include <elf.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core_reader.h"

static int by_tid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Ids that no two threads can share, or that the kernel does not give: kept, but said. */
static struct inq_error *mark_odd_threads(struct inq_core_reader *r)
{
    size_t n = r->core->n_threads, repeated = 0, odd = 0;
    uint32_t first_repeated = 0, first_odd = 0;
    uint32_t *tids = calloc(n + 1, sizeof(*tids));

    if (!tids)
        return &inq_error_oom;
    for (size_t i = 0; i < n; i++) {
        tids[i] = r->core->threads[i].tid;
        if ((int32_t)tids[i] <= 0 && odd++ == 0)
            first_odd = tids[i];
    }
    qsort(tids, n, sizeof(*tids), by_tid);
    for (size_t i = 1; i < n; i++) {
        if (tids[i] == tids[i - 1] && repeated++ == 0)
            first_repeated = tids[i];
    }
    free(tids);
    if (repeated > 0)
        inq_gaps_add(r->gaps, INQ_G_THREAD_ODD, NULL, "ids should be unique",
                     "%zu thread(s) repeat the id of another, the first is %u", repeated,
                     first_repeated);
    if (odd > 0)
        inq_gaps_add(r->gaps, INQ_G_THREAD_ODD, NULL, "the kernel gives no such id",
                     "%zu thread(s) with an odd id, the first is %" PRId32, odd,
                     (int32_t)first_odd);
    return NULL;
}

static struct inq_error *keep_threads(struct inq_core_reader *r)
{
    struct inq_core *core = r->core;

    core->n_threads = r->threads.count;
    core->threads = INQ_ARENA_ARRAY(r->arena, core->n_threads + 1, struct inq_core_thread);
    if (!core->threads)
        return &inq_error_oom;
    if (core->n_threads > 0)
        memcpy(core->threads, r->threads.items, core->n_threads * sizeof(core->threads[0]));
    if (core->n_threads_total > core->n_threads)
        inq_gaps_add(r->gaps, INQ_G_THREADS, NULL, "only so many are listed",
                     "%" PRIu64 " more threads", core->n_threads_total - core->n_threads);
    return mark_odd_threads(r);
}

static void note_missing(struct inq_core_reader *r)
{
    const struct inq_core *core = r->core;
    const char *why = core->notes_cut ? "the dump ends inside the notes" : NULL;

    if (core->n_threads_total == 0)
        inq_gaps_add(r->gaps, INQ_G_NOTE_MISSING, "NT_PRSTATUS", why, "threads and registers");
    if (!core->has_prpsinfo)
        inq_gaps_add(r->gaps, INQ_G_NOTE_MISSING, "NT_PRPSINFO", why, "the process's name and ids");
    if (!core->has_siginfo)
        inq_gaps_add(r->gaps, INQ_G_NOTE_MISSING, "NT_SIGINFO",
                     why ? why : "kernels before 3.9 and some tools do not write it",
                     "the signal's code, address and sender");
    if (core->n_auxv == 0)
        inq_gaps_add(r->gaps, INQ_G_NOTE_MISSING, "NT_AUXV", why, "the auxiliary vector");
}

static struct inq_error *check_usable(const struct inq_core_reader *r)
{
    const struct inq_core *core = r->core;

    if (r->kernel_dump)
        return inq_error_create(INQ_E_NOT_CORE, "is the dump of a kernel, not of a process");
    if (core->n_threads_total > 0 || core->has_prpsinfo || core->has_siginfo || core->n_auxv > 0 ||
        core->n_files > 0)
        return NULL;
    if (core->n_notes == 0)
        return inq_error_at(inq_error_create(INQ_E_NO_NOTES, "no notes: nothing in the program "
                                                             "headers says where they are"),
                            core->phdrs.off);
    if (core->notes_cut)
        return inq_error_at(
            inq_error_create(INQ_E_NO_NOTES, "the dump ends before anything usable in its notes"),
            core->notes[0].off);
    return inq_error_at(
        inq_error_create(INQ_E_NO_NOTES,
                         "no notes that can be used: no thread, no process, no signal"),
        core->notes[0].off);
}

static struct inq_error *finish(struct inq_core_reader *r)
{
    struct inq_core *core = r->core;
    uint64_t page;

    INQ_TRY(check_usable(r));
    INQ_TRY(keep_threads(r));
    note_missing(r);
    if (!core->has_siginfo && core->n_threads > 0)
        core->siginfo.signo = core->threads[0].cursig;
    if (core->page_bytes == 0)
        core->page_bytes =
            inq_core_auxv(core, AT_PAGESZ, &page) && inq_page_size_fits(page) ? page : 4096;
    if (!r->stream) {
        struct inq_source_info info = inq_source_info(r->source);
        inq_core_note_present(core, &info, r->gaps);
    }
    return NULL;
}

void inq_core_reader_deinit(struct inq_core_reader *reader)
{
    INQ_ARRAY_FREE(&reader->threads);
}

struct inq_error *inq_core_read(struct inq_source *source, struct inq_arena *arena,
                                struct inq_gaps *gaps, struct inq_core **ret_core)
{
    struct inq_source_info info = inq_source_info(source);
    struct inq_core_reader r = {
        .source = source,
        .arena = arena,
        .gaps = gaps,
        .core = INQ_ARENA_NEW(arena, struct inq_core),
        .stream = info.stream,
        .size = info.stream ? UINT64_MAX : info.present_bytes,
    };
    struct inq_elf_header header;
    struct inq_error *error;

    if (!r.core)
        return &inq_error_oom;
    error = inq_core_read_header(&r, &header);
    if (!error)
        error = inq_core_read_phdrs(&r, &header);
    if (!error)
        error = inq_core_read_notes(&r);
    if (!error)
        error = finish(&r);
    inq_core_reader_deinit(&r);
    if (!error)
        *ret_core = r.core;
    return error;
}

void inq_core_note_present(struct inq_core *core, const struct inq_source_info *info,
                           struct inq_gaps *gaps)
{
    if (core->present_noted)
        return;
    core->present_noted = true;
    core->present_bytes = info->present_bytes;
    for (size_t i = 0; i < core->n_segments; i++) {
        struct inq_segment *s = &core->segments[i];
        uint64_t there = s->off < info->present_bytes ? info->present_bytes - s->off : 0;
        s->present_bytes = s->saved_bytes < there ? s->saved_bytes : there;
    }
    core->complete = info->present_bytes >= core->expected_bytes && !info->ended_early;
    if (!core->complete)
        inq_gaps_add(
            gaps, INQ_G_TRUNCATED, NULL, core->notes_cut ? "it ends inside the notes" : NULL,
            "%" PRIu64 " of %" PRIu64 " bytes present", info->present_bytes, core->expected_bytes);
}

bool inq_core_auxv(const struct inq_core *core, uint64_t type, uint64_t *ret_value)
{
    for (size_t i = 0; i < core->n_auxv; i++) {
        if (core->auxv[i].type == type) {
            *ret_value = core->auxv[i].value;
            return true;
        }
    }
    return false;
}

const struct inq_map_file *inq_core_file_at(const struct inq_core *core, uint64_t addr)
{
    size_t low = 0, high = core->n_files;

    while (low < high) { /* the last line that starts at or below addr */
        size_t mid = low + (high - low) / 2;
        if (core->files[mid].start <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0 || addr - core->files[low - 1].start >= core->files[low - 1].size)
        return NULL;
    return &core->files[low - 1];
}

bool inq_core_register(const struct inq_core *core, const struct inq_core_thread *thread,
                       const char *name, uint64_t *ret_value)
{
    int index = core->cpu && thread->has_registers ? inq_cpu_register(core->cpu, name) : -1;

    if (index < 0)
        return false;
    *ret_value = thread->registers[index];
    return true;
}

uint64_t inq_core_pc(const struct inq_core *core, const struct inq_core_thread *thread)
{
    uint64_t pc;

    if (!core->cpu || !thread->has_registers || core->cpu->pc < 0)
        return 0;
    pc = thread->registers[core->cpu->pc] & ~(uint64_t)core->cpu->pc_adjust_mask;
    /* s390 has 31-bit addresses; the high bit of the PSW's address word is the addressing mode */
    if (core->cpu->machine == EM_S390 && core->cpu->elf_class == 32)
        pc &= 0x7fffffff;
    return pc;
}

uint64_t inq_core_sp(const struct inq_core *core, const struct inq_core_thread *thread)
{
    if (!core->cpu || !thread->has_registers || core->cpu->sp < 0)
        return 0;
    return thread->registers[core->cpu->sp];
}

enum inq_siginfo_kind inq_siginfo_kind(const struct inq_siginfo *siginfo)
{
    /* si_code says who made it: see sigaction(2). The kernel's own codes for a signal are positive.
     */
    if (siginfo->code <= 0) {
        switch (siginfo->code) {
        case SI_USER:
        case SI_QUEUE:
        case SI_TKILL:
        case SI_MESGQ:
            return INQ_SIGINFO_SENT;
        default: /* timers, asynchronous I/O: other members of the union */
            return INQ_SIGINFO_OTHER;
        }
    }
    if (siginfo->code == SI_KERNEL)
        return INQ_SIGINFO_KERNEL;
    switch (siginfo->signo) {
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
        return INQ_SIGINFO_FAULT;
    case SIGSYS:
        return INQ_SIGINFO_SECCOMP;
    default:
        return INQ_SIGINFO_OTHER;
    }
}
