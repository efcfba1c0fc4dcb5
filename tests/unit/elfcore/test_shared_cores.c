/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Real cores of thirteen CPUs from the test suites of elfutils, drgn and pystack, with what other
 * readers agree on. They are not part of this repository: without them the test is skipped.
 */

#include "elfcore_tests.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "core_builder.h"

static const struct {
    const char *file, *cpu, *comm;
    int32_t pid;
    uint32_t crashed_tid;
    size_t threads;
    int32_t signo, code;
    uint64_t addr, pc; /* 0: nobody says */
    int32_t sender_pid;
    uint32_t sender_uid;
} cores[] = {
    {"elfutils/backtrace.x86_64.core.zst", "x86_64", "backtrace.x86_6", 23096, 23097, 2, 6, -6, 0,
     0x40a62b, 23096, 1001},
    {"elfutils/backtrace.x86_64.fp.core.zst", "x86_64", "backtrace.x86_6", 28871, 28872, 2, 6, -6,
     0, 0x40545b, 28871, 1000},
    {"elfutils/backtrace.i386.core.zst", "i386", "backtrace.i386.", 23100, 23101, 2, 6, -6, 0,
     0xf77f7430, 23100, 1001},
    {"elfutils/backtrace.i386.fp.core.zst", "i386", "backtrace.i386.", 12044, 12045, 2, 6, 0, 0,
     0x8a7416, 0, 0},
    {"elfutils/backtrace.x32.core.zst", "x32", "backtrace.x32.e", 3842, 3843, 2, 6, -6, 0, 0x40b2a2,
     3842, 1000},
    {"elfutils/backtrace.aarch64.core.zst", "aarch64", "backtrace-child", 24043, 24044, 2, 6, -6, 0,
     0x40c6d0, 24043, 0},
    {"elfutils/backtrace.aarch64.fp.core.zst", "aarch64", "backtrace.aarch", 349, 350, 2, 6, -6, 0,
     0x40583c, 349, 1000},
    {"elfutils/backtrace.ppc.core.zst", "ppc", "backtrace.ppc.e", 17197, 17198, 2, 6, -6, 0,
     0x1000e1f0, 17197, 10234},
    {"elfutils/backtrace.ppc64le.fp.core.zst", "ppc64le", "backtrace.ppc64", 23727, 23728, 2, 6, -6,
     0, 0x100104bc, 23727, 0},
    {"elfutils/backtrace.s390.core.zst", "s390", "backtrace.s390.", 58559, 58560, 2, 6, 0, 0,
     0x40c4a2, 0, 0},
    {"elfutils/backtrace.s390x.core.zst", "s390x", "backtrace.s390x", 58545, 58546, 2, 6, 0, 0,
     0x8000ed50, 0, 0},
    {"elfutils/backtrace.sparc.core.zst", "sparc64", "backtrace-child", 21611, 21612, 2, 6, 0, 0,
     0x10c488, 0, 0},
    {"elfutils/testfiledwarfinlines.core.zst", "x86_64", "testfiledwarfin", 13654, 13654, 1, 8, 1,
     0x4006c8, 0x4006c8, 0, 0},
    {"elfutils/testfile-backtrace-demangle.core.zst", "x86_64", "testfile-backtr", 18460, 18460, 1,
     11, 1, 0x0, 0x4005bc, 0, 0},
    {"elfutils/test-core.core.zst", "x86_64", "test-core-main", 4246, 4246, 1, 11, 1, 0x0,
     0x7f67f2aaf619, 0, 0},
    {"elfutils/testcore-rtlib.zst", "i386", "rt_crash", 1802, 1802, 1, 11, 0, 0, 0xf77b74e3, 0, 0},
    {"elfutils/testcore-rtlib-ppc.zst", "ppc", "rt_crash", 10531, 10531, 1, 11, 0, 0, 0xfd55254, 0,
     0},
    {"elfutils/linkmap-cut.core.zst", "x86_64", "linkmap-cut", 3130, 3130, 1, 11, 1, 0x0,
     0x7f08bc24d681, 0, 0},
    {"elfutils/testfile66.core.zst", "ppc64", "pie3", 19505, 19505, 1, 5, 0, 0, 0x461b02d8, 0, 0},
    {"elfutils/testfile70.core.zst", "x86_64", "1", 13127, 13127, 1, 11, 0, 0, 0x7ff2cfe9b6b5, 0,
     0},
    {"elfutils/testfile69.core.zst", "x86_64", "testfile69.exec", 25169, 25169, 1, 11, 0, 0,
     0x7f0bc6a33535, 0, 0},
    {"elfutils/testfile_aarch64_core.zst", "aarch64", "a.out", 16547, 16547, 1, 11, 1, 0x12345678,
     0x400548, 0, 0},
    {"elfutils/testfile_i686_core.zst", "i386", "a.out", 27395, 27395, 1, 11, 1, 0x12345678,
     0x8048408, 0, 0},
    {"elfutils/testfile-x32-core.zst", "x32", "a.out", 6885, 6885, 1, 11, 1, 0x12345678, 0x400380,
     0, 0},
    {"elfutils/testfile-m68k-core.zst", "m68k", "a.out", 1963, 1963, 1, 11, 1, 0x12345678, 0, 0, 0},
    {"elfutils/testfile-riscv64-core.zst", "riscv64", "a.out", 6801, 6801, 1, 11, 1, 0x12345678,
     0x1049a, 0, 0},
    {"elfutils/testfile63", "arm", "a.out", 11087, 11087, 1, 11, 0, 0, 0x8500, 0, 0},
    {"elfutils/testfile67.zst", "s390x", "1", 805, 805, 1, 4, 0, 0, 0x800000d6, 0, 0},
    {"elfutils/testfile68.zst", "s390", "2", 839, 839, 1, 4, 0, 0, 0x40009a, 0, 0},
    {"elfutils/testfile71.zst", "x86_64", "a.out", 9664, 9664, 1, 11, 1, 0x12345678, 0x4004f9, 0,
     0},
    {"elfutils/testfile65.zst", "x86_64", "loop", 28966, 28966, 1, 11, 0, 0, 0x4000d4, 0, 0},
    {"drgn/crashme.core.zst", "x86_64", "crashme", 18759, 18759, 1, 11, 1, 0xabc, 0x7f6112caa0fc, 0,
     0},
    {"drgn/crashme_pie.core.zst", "x86_64", "crashme_pie", 18796, 18796, 1, 11, 1, 0xabc,
     0x7fab2c38b0fc, 0, 0},
    {"drgn/crashme_static.core.zst", "x86_64", "crashme_static", 18832, 18832, 1, 11, 1, 0xabc,
     0x4011ae, 0, 0},
    {"drgn/crashme_static_pie.core.zst", "x86_64", "crashme_static_", 18868, 18868, 1, 11, 1, 0xabc,
     0x7fd981dca462, 0, 0},
    {"drgn/crashme_pie_no_headers.core.zst", "x86_64", "crashme_pie", 18940, 18940, 1, 11, 1, 0xabc,
     0x7f299f5fd0fc, 0, 0},
    {"drgn/multithreaded.core.zst", "x86_64", "segfault_random", 2265413, 2265419, 13, 3, -6, 0,
     0x7fd380fdbabf, 2265413, 229481},
    {"pystack/segfault.core.zst", "x86_64", "a.out", 75639, 75639, 1, 11, 1, 0x75bcd15, 0x4004c7, 0,
     0},
    {"pystack/signal.core.zst", "x86_64", "a.out", 75957, 75957, 1, 7, 0, 0, 0x7fcbede418d0, 1, 0},
    {"pystack/core_with_big_name.core.zst", "x86_64", "0123456789abcde", 2371, 2371, 1, 11, 1,
     0x75bcd15, 0x4004c7, 0, 0},
};

static char directory[4096];

static bool is_here(void)
{
    const char *root = getenv("INQ_SOURCE_ROOT");

    snprintf(directory, sizeof(directory), "%s/../shared/cores", root ? root : ".");
    return access(directory, R_OK) == 0;
}

static void check_siginfo(size_t i, const struct inq_core *core)
{
    const struct inq_siginfo *s = &core->siginfo;

    assert_int_equal(s->signo, cores[i].signo);
    if (!core->has_siginfo)
        return;
    assert_int_equal(s->code, cores[i].code);
    if (cores[i].sender_pid) {
        assert_int_equal(inq_siginfo_kind(s), INQ_SIGINFO_SENT);
        assert_int_equal(s->pid, cores[i].sender_pid);
        assert_int_equal(s->uid, cores[i].sender_uid);
    } else {
        assert_int_equal(inq_siginfo_kind(s), INQ_SIGINFO_FAULT);
        assert_int_equal(s->addr, cores[i].addr);
    }
}

static void check_core(size_t i, struct opened_core *o)
{
    const struct inq_core *core = o->core;
    const struct inq_segment *stack = NULL;
    uint64_t sp;

    assert_string_equal(core->machine_name, cores[i].cpu);
    assert_int_equal(core->n_threads, cores[i].threads);
    assert_int_equal(core->threads[0].tid, cores[i].crashed_tid);
    assert_int_equal(core->prpsinfo.pid, cores[i].pid);
    assert_string_equal(core->prpsinfo.fname, cores[i].comm);
    if (cores[i].pc)
        assert_int_equal(inq_core_pc(core, &core->threads[0]), cores[i].pc);
    check_siginfo(i, core);
    for (size_t t = 0; t < core->n_threads; t++) { /* the stack pointer is in writable memory */
        sp = inq_core_sp(core, &core->threads[t]);
        for (size_t s = 0; s < core->n_segments; s++)
            if (sp - core->segments[s].addr < core->segments[s].size)
                stack = &core->segments[s];
        assert_non_null(stack);
        assert_true(stack->flags & 2);
    }
}

static void known_cores_give_the_known_answers(void **state)
{
    (void)state;
    if (!is_here()) {
        print_message("skipped: no %s\n", directory);
        skip();
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(cores); i++) {
        struct opened_core o;
        char path[8192];
        int fd;

        snprintf(path, sizeof(path), "%s/%s", directory, cores[i].file);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        open_core_fd(&o, fd);
        if (o.error)
            fail_msg("%s: %s", cores[i].file, o.error->message);
        assert_null(inq_core_stream(o.core, o.source, o.arena, &o.gaps));
        check_core(i, &o);
        close_core(&o);
    }
}

int run_shared_core_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_cores_give_the_known_answers),
    };

    return cmocka_run_group_tests_name("elfcore: cores of others", tests, NULL, NULL);
}
