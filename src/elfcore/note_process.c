/* SPDX-License-Identifier: Apache-2.0 */

/* The notes there is one of: NT_PRPSINFO, NT_SIGINFO, NT_AUXV. The first good one counts. */

#include "core_reader.h"

#include <elf.h>
#include <string.h>

#include "cursor.h"

#define MAX_AUXV 1024u

/*
 * struct elf_prpsinfo of linux/elfcore.h: four chars, pr_flag (long), uid and gid, four pids,
 * fname, psargs. uid and gid have 16 bits where the old system calls had: i386, x32, arm, m68k,
 * s390; their note is 124 bytes, that of ppc 128, and 64-bit ones are 136.
 */
struct prpsinfo_layout {
    uint8_t uid_off, uid_bytes, pid_off, fname_off;
};

static struct prpsinfo_layout layout_of(const struct inq_core *core, size_t size)
{
    if (core->elf_class == 64)
        return (struct prpsinfo_layout){16, 4, 24, 40};
    if (size == 128)
        return (struct prpsinfo_layout){8, 4, 16, 32};
    return (struct prpsinfo_layout){8, 2, 12, 28};
}

static uint32_t load_id(const uint8_t *p, uint8_t bytes, bool big_endian)
{
    return bytes == 2 ? inq_load_u16(p, big_endian) : inq_load_u32(p, big_endian);
}

/* As much of a fixed field as is there, up to its NUL. */
static void copy_field(char *to, size_t field, const uint8_t *desc, size_t size, size_t off)
{
    size_t n = off < size ? size - off : 0;

    n = n < field ? n : field;
    n = strnlen((const char *)desc + (off < size ? off : 0), n);
    memcpy(to, desc + (n > 0 ? off : 0), n);
    to[n] = 0;
}

void inq_core_note_prpsinfo(struct inq_core *core, const uint8_t *desc, size_t size)
{
    struct prpsinfo_layout at = layout_of(core, size);
    struct inq_prpsinfo *p = &core->prpsinfo;
    bool be = core->big_endian;

    if (core->has_prpsinfo || size < (size_t)at.pid_off + 16)
        return;
    p->uid = load_id(desc + at.uid_off, at.uid_bytes, be);
    p->gid = load_id(desc + at.uid_off + at.uid_bytes, at.uid_bytes, be);
    p->pid = (int32_t)inq_load_u32(desc + at.pid_off, be);
    p->ppid = (int32_t)inq_load_u32(desc + at.pid_off + 4, be);
    p->pgrp = (int32_t)inq_load_u32(desc + at.pid_off + 8, be);
    p->sid = (int32_t)inq_load_u32(desc + at.pid_off + 12, be);
    copy_field(p->fname, sizeof(p->fname) - 1, desc, size, at.fname_off);
    copy_field(p->psargs, sizeof(p->psargs) - 1, desc, size, (size_t)at.fname_off + 16);
    core->has_prpsinfo = true;
}

/*
 * siginfo_t: si_signo, si_errno, si_code, then the union, which a pointer in it aligns to 8 bytes
 * on 64-bit machines. The union's readings overlap; inq_siginfo_kind() says which one counts.
 */
void inq_core_note_siginfo(struct inq_core_reader *reader, const uint8_t *desc, size_t size)
{
    struct inq_core *core = reader->core;
    struct inq_siginfo *s = &core->siginfo;
    bool be = core->big_endian, wide = core->elf_class == 64;
    size_t at = wide ? 16 : 12;

    if (core->has_siginfo)
        return;
    if (size < at + (wide ? 16 : 12)) {
        inq_gaps_add(reader->gaps, INQ_G_NOTE, "NT_SIGINFO", "too short", "%zu bytes", size);
        return;
    }
    s->signo = (int32_t)inq_load_u32(desc, be);
    s->err = (int32_t)inq_load_u32(desc + 4, be);
    s->code = (int32_t)inq_load_u32(desc + 8, be);
    s->addr = s->syscall_addr = wide ? inq_load_u64(desc + at, be) : inq_load_u32(desc + at, be);
    s->pid = (int32_t)inq_load_u32(desc + at, be);
    s->uid = inq_load_u32(desc + at + 4, be);
    s->syscall = (int32_t)inq_load_u32(desc + at + (wide ? 8 : 4), be);
    s->syscall_arch = inq_load_u32(desc + at + (wide ? 12 : 8), be);
    s->addr_lsb = inq_load_u16(desc + at + (wide ? 8 : 4), be);
    if (size >= at + (wide ? 20 : 12)) /* behind what aligns the union of si_lower and si_pkey */
        s->pkey = inq_load_u32(desc + at + (wide ? 16 : 8), be);
    core->has_siginfo = true;
}

struct inq_error *inq_core_note_auxv(struct inq_core_reader *reader, const uint8_t *desc,
                                     size_t size)
{
    struct inq_core *core = reader->core;
    struct inq_cursor c = inq_cursor_init(desc, size, core->big_endian, core->elf_class / 8);
    size_t pair = core->elf_class / 4, count = size / pair;
    struct inq_auxv entry;

    if (core->auxv || count == 0)
        return NULL;
    if (count > MAX_AUXV)
        count = MAX_AUXV;
    core->auxv = INQ_ARENA_ARRAY(reader->arena, count, struct inq_auxv);
    if (!core->auxv)
        return &inq_error_oom;
    while (core->n_auxv < count && inq_cursor_word(&c, &entry.type) &&
           inq_cursor_word(&c, &entry.value)) {
        if (entry.type == AT_NULL)
            return NULL;
        core->auxv[core->n_auxv++] = entry;
    }
    inq_gaps_add(reader->gaps, INQ_G_NOTE, "NT_AUXV", NULL, "no end mark after %zu entries",
                 core->n_auxv);
    return NULL;
}
