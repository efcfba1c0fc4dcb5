/* SPDX-License-Identifier: Apache-2.0 */
/* Dumps made by hand: what this machine's kernel would not write. */
#include <elf.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "code_probe.h"
#include "detectors_tests.h"
#include "dump.h"
#include "signal_names.h"

#define TEXT 0x400000ull
#define DATA 0x600000ull
#define GUARD 0x7f0000000000ull
#define STACK 0x7f0000100000ull
#define PAGES 3u

/* A process with text, data, a guard of 1 MiB and a stack; one thread in the middle of it. */
struct hand {
    struct test_dump test;
    struct inq_core core;
    struct inq_modules modules;
    struct inq_stacks stacks;
    struct inq_segment segments[8];
    struct inq_core_thread threads[1];
    struct inq_map_file files[1];
    uint8_t bytes[PAGES * 4096];
};

static void add_segment(struct hand *hand, uint64_t addr, uint64_t size, uint32_t flags)
{
    hand->segments[hand->core.n_segments++] =
        (struct inq_segment){.addr = addr, .size = size, .flags = flags};
}

static void set_register(struct hand *hand, const char *name, uint64_t value)
{
    int index = inq_cpu_register(hand->core.cpu, name);
    assert_true(index >= 0);
    hand->threads[0].registers[index] = value;
}

static struct hand *hand_create(uint16_t machine, uint8_t elf_class, bool big_endian)
{
    struct hand *hand = calloc(1, sizeof(*hand));

    assert_non_null(hand);
    hand->core = (struct inq_core){.machine = machine,
                                   .elf_class = elf_class,
                                   .big_endian = big_endian,
                                   .cpu = inq_cpu_find(machine, elf_class, big_endian),
                                   .segments = hand->segments,
                                   .threads = hand->threads,
                                   .files = hand->files,
                                   .n_threads = 1,
                                   .n_threads_total = 1,
                                   .page_bytes = 4096,
                                   .complete = true,
                                   .has_siginfo = true,
                                   .has_prpsinfo = true};
    assert_non_null(hand->core.cpu);
    hand->core.prpsinfo.pid = 100;
    hand->threads[0] = (struct inq_core_thread){.tid = 100, .cursig = 11, .has_registers = true};
    hand->core.siginfo.signo = 11;
    hand->core.siginfo.code = 1;
    return hand;
}

static struct hand *hand_x86(int32_t code, uint64_t addr, uint64_t pc)
{
    struct hand *hand = hand_create(EM_X86_64, 64, false);

    add_segment(hand, TEXT, 0x2000, PF_R | PF_X);
    add_segment(hand, TEXT + 0x2000, 0x1000, PF_R);
    add_segment(hand, DATA, PAGES * 4096, PF_R | PF_W);
    add_segment(hand, GUARD, 0x100000, 0);
    add_segment(hand, STACK, 0x10000, PF_R | PF_W);
    hand->segments[2].saved_bytes = hand->segments[2].present_bytes = sizeof(hand->bytes);
    hand->core.siginfo.code = code;
    hand->core.siginfo.addr = addr;
    set_register(hand, "rip", pc);
    set_register(hand, "rsp", STACK + 0x8000);
    return hand;
}

/* Runs the detectors; the caller asks for facts and closes. */
static struct test_dump *detect(struct hand *hand)
{
    struct inq_dump *dump = &hand->test.dump;
    int fd = memfd_create("hand", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, hand->bytes, sizeof(hand->bytes)), sizeof(hand->bytes));
    dump->arena = inq_arena_create();
    if (!hand->test.gaps.arena)
        inq_gaps_init(&hand->test.gaps, dump->arena);
    dump->gaps = &hand->test.gaps;
    assert_null(inq_source_open(fd, "hand", dump->gaps, &dump->source));
    dump->core = &hand->core;
    assert_null(
        inq_memory_create(dump->core, dump->source, dump->arena, dump->gaps, &dump->memory));
    hand->modules.core = &hand->core;
    hand->modules.memory = dump->memory;
    hand->modules.main = SIZE_MAX;
    dump->modules = &hand->modules;
    dump->stacks = &hand->stacks;
    assert_null(inq_evidence_create(&hand->test.evidence));
    inq_detectors_run(dump, hand->test.evidence);
    assert_false(hand->test.evidence->failed);
    return &hand->test;
}

static void hand_destroy(struct hand *hand)
{
    inq_evidence_destroy(hand->test.evidence);
    inq_source_destroy(hand->test.dump.source);
    inq_gaps_deinit(&hand->test.gaps);
    inq_arena_destroy(hand->test.dump.arena);
    free(hand);
}

static void class_is(int32_t code, uint64_t addr, uint64_t pc, const char *class,
                     const char *access)
{
    struct hand *hand = hand_x86(code, addr, pc);
    struct test_dump *test = detect(hand);

    test_fact_is(test, "fault.address_class", class);
    test_fact_is(test, "fault.access", access);
    if (!class)
        assert_non_null(test_why(test, "fault.address_class"));
    if (!access)
        assert_non_null(test_why(test, "fault.access"));
    hand_destroy(hand);
}

static void test_classes(void **state)
{
    const int maperr = 1, accerr = 2;
    (void)state;

    /* the most specific word wins, and the borders are where interface.md has them */
    class_is(maperr, UINT64_MAX, TEXT, "neg-errno", NULL);
    class_is(maperr, UINT64_MAX - 4094, TEXT, "neg-errno", NULL);
    class_is(maperr, UINT64_MAX - 4095, TEXT, "kernel-half", NULL);
    class_is(maperr, 0xffff800000000000, TEXT, "kernel-half", NULL);
    class_is(maperr, 0xfff, TEXT, "null-page", NULL);
    class_is(maperr, 0x1000, TEXT, "near-null", NULL);
    class_is(maperr, 0xffff, TEXT, "near-null", NULL);
    class_is(maperr, 0x10000, TEXT, "unmapped", NULL);
    /* guards: right below the stack, not anywhere in a mapping without rights */
    class_is(accerr, STACK - 8, TEXT, "stack-guard", NULL);
    class_is(accerr, GUARD, TEXT, "stack-guard", NULL);
    class_is(maperr, GUARD - 8, TEXT, "unmapped", NULL);
    /* nothing is mapped, says the kernel, in the middle of the stack: a guard made with madvise()
     */
    class_is(maperr, STACK + 0x100, TEXT, "stack-guard", NULL);
    class_is(maperr, DATA, TEXT, "mapped", NULL);
    class_is(accerr, TEXT + 0x10, TEXT, "read-only", "write");
    class_is(accerr, DATA + 0x10, DATA + 0x10, "no-exec", "execute");
    class_is(maperr, 0x500000, 0x500000, "unmapped", "execute");
    /* an instruction that writes to itself: running the page is allowed, so it was not that */
    class_is(accerr, TEXT, TEXT, "read-only", "write");
    /* the last bytes before a page that may not be run */
    class_is(accerr, TEXT + 0x2000, TEXT + 0x1ffa, NULL, NULL);
    class_is(accerr, TEXT + 0x2000, TEXT + 0x1f00, "read-only", "write");
    /* the kernel saw a mapping that the dump does not list */
    class_is(accerr, 0x500000, TEXT, NULL, NULL);
}

static void test_guard_is_near(void **state)
{
    struct hand *hand = hand_x86(2, GUARD + 8, TEXT);
    (void)state;

    /* address space set aside, with a stack at its end: its far end is no guard */
    hand->segments[3] = (struct inq_segment){.addr = GUARD - 0x1000000, .size = 0x1100000};
    hand->core.siginfo.addr = GUARD - 0x1000000;
    test_fact_is(detect(hand), "fault.address_class", "mapped");
    hand_destroy(hand);
}

static void test_missing_headers(void **state)
{
    struct hand *hand = hand_x86(2, 0x500000, TEXT);
    (void)state;

    hand->test.dump.arena = inq_arena_create();
    inq_gaps_init(&hand->test.gaps, hand->test.dump.arena);
    inq_gaps_add(&hand->test.gaps, INQ_G_PHDRS, NULL, NULL, "cut");
    struct inq_arena *arena = hand->test.dump.arena;
    struct test_dump *test = detect(hand);
    test_fact_is(test, "fault.address_class", NULL);
    assert_string_equal(test_why(test, "fault.address_class"),
                        "program headers are missing from the dump");
    hand_destroy(hand);
    inq_arena_destroy(arena);
}

/* -1 is an errno, not an address of the kernel; a wider word makes it one no more. */
static void test_32_bit(void **state)
{
    struct hand *hand = hand_create(EM_386, 32, false);
    (void)state;

    hand->core.siginfo.addr = 0xffffffff;
    test_fact_is(detect(hand), "fault.address_class", "neg-errno");
    hand_destroy(hand);
    hand = hand_create(EM_386, 32, false);
    hand->core.siginfo.addr = 0xc0000000;
    test_fact_is(detect(hand), "fault.address_class", "unmapped");
    hand_destroy(hand);
    hand = hand_create(EM_X86_64, 64, false);
    hand->core.siginfo.addr = 0xffffffff;
    test_fact_is(detect(hand), "fault.address_class", "unmapped");
    hand_destroy(hand);
}

static void test_s390_has_pages(void **state)
{
    struct hand *hand = hand_create(EM_S390, 64, true);
    (void)state;

    hand->core.siginfo.addr = 0x12345000;
    struct test_dump *test = detect(hand);
    test_fact_is(test, "fault.address", NULL);
    assert_non_null(strstr(test_why(test, "fault.address"), "0x12345000"));
    test_fact_is(test, "fault.address_class", "unmapped");
    hand_destroy(hand);
}

/* A general protection fault gives no address; that it was a non-canonical one must be shown. */
static void test_general_protection(void **state)
{
    struct hand *hand = hand_x86(128, 0, TEXT);
    (void)state;

    struct test_dump *test = detect(hand);
    test_fact_is(test, "fault.source", "registers");
    test_fact_is(test, "fault.address", NULL);
    test_fact_is(test, "fault.address_class", NULL);
    assert_string_equal(test_why(test, "fault.address"),
                        "the kernel gives no address for this kind of fault");
    hand_destroy(hand);
    hand = hand_x86(128, 0, 0x4242424242424242);
    test = detect(hand);
    test_fact_is(test, "fault.address", "0x4242424242424242");
    test_fact_is(test, "fault.address_class", "non-canonical");
    test_fact_is(test, "fault.access", "execute");
    hand_destroy(hand);
}

static void test_no_siginfo(void **state)
{
    struct hand *hand = hand_x86(1, 0x10, TEXT);
    (void)state;

    hand->core.has_siginfo = false;
    struct test_dump *test = detect(hand);
    assert_null(json_object_get(test->evidence->document, "fault"));
    assert_string_equal(test_why(test, "fault.address"), "the dump has no NT_SIGINFO note");
    assert_string_equal(test_why(test, "signal.sent_by"), "the dump has no NT_SIGINFO note");
    hand_destroy(hand);
    /* gcore: a note full of zeroes; the overlay must not be read as an address */
    hand = hand_x86(0, 0x10, TEXT);
    hand->core.siginfo.signo = 0;
    test = detect(hand);
    assert_string_equal(test_why(test, "fault.address"), "the NT_SIGINFO note holds no signal");
    hand_destroy(hand);
}

static void sender_is(int32_t code, int32_t pid, bool has_prpsinfo, const char *sent_by)
{
    struct hand *hand = hand_x86(code, 0x64, TEXT);

    hand->core.siginfo.pid = pid;
    hand->core.has_prpsinfo = has_prpsinfo;
    struct test_dump *test = detect(hand);
    test_fact_is(test, "signal.sent_by", sent_by);
    if (code <= 0)
        assert_null(json_object_get(test->evidence->document, "fault"));
    hand_destroy(hand);
}

static void test_senders(void **state)
{
    (void)state;
    sender_is(0, 100, true, "self");
    sender_is(-6, 100, true, "self");
    sender_is(0, 1, true, "init");
    sender_is(0, 4711, true, "other");
    sender_is(0, 0, true, "other"); /* from outside the pid namespace */
    sender_is(-1, 4711, true, "other");
    sender_is(1, 100, true, "kernel");
    sender_is(128, 100, true, "kernel");
    sender_is(0, 100, false, "self"); /* the leader's thread id is the pid */
    sender_is(0, 4711, false, NULL);
}

/* A signal of the kernel's own is neither a fault nor sent by somebody. */
static void test_kernels_own(void **state)
{
    static const struct {
        int32_t signo, code;
    } cases[] = {
        {31, 1} /* SIGSYS, seccomp */, {24, 128} /* SIGXCPU */, {3, 128} /* SIGQUIT, tty */};
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        struct hand *hand = hand_x86(cases[i].code, 0x10, TEXT);
        hand->core.siginfo.signo = cases[i].signo;
        struct test_dump *test = detect(hand);
        test_fact_is(test, "signal.sent_by", "kernel");
        assert_null(json_object_get(test->evidence->document, "fault"));
        assert_null(test_why(test, "fault.address"));
        hand_destroy(hand);
    }
}

static void test_past_eof(void **state)
{
    struct hand *hand = hand_x86(2, DATA + 0x1000, TEXT);
    (void)state;

    hand->core.siginfo.signo = 7;
    test_fact_is(detect(hand), "fault.address_class", "mapped");
    hand_destroy(hand);
    hand = hand_x86(2, DATA + 0x1000, TEXT);
    hand->core.siginfo.signo = 7;
    hand->files[0] = (struct inq_map_file){.start = DATA, .size = 0x3000, .path = "/data"};
    hand->core.n_files = 1;
    test_fact_is(detect(hand), "fault.address_class", "past-eof");
    hand_destroy(hand);
}

/* The vsyscall page is in the dump as zeros: "add %al,(%rax)" is not what failed. */
static void test_vsyscall(void **state)
{
    struct hand *hand = hand_x86(128, 0, 0xffffffffff600100);
    struct test_dump *test;
    (void)state;

    add_segment(hand, 0xffffffffff600000, 0x1000, PF_X);
    hand->segments[5].saved_bytes = hand->segments[5].present_bytes = 0x1000;
    hand->segments[5].off = hand->segments[2].off;
    set_register(hand, "rax", 0xffffffffff600100);
    test = detect(hand);
    test_fact_is(test, "fault.access", "execute");
    test_fact_is(test, "fault.instruction.text", NULL);
    test_fact_is(test, "fault.operand.base_value", NULL);
    hand_destroy(hand);
}

static void test_filtered(void **state)
{
    struct hand *hand = hand_x86(1, 0, TEXT);
    (void)state;

    /* private memory left out, the stack among it */
    struct test_dump *test = detect(hand);
    test_fact_is(test, "core.filtered", "true");
    test_fact_is(test, "core.unsaved_writable_bytes", "65536");
    bool stack = false;
    for (size_t i = 0; i < test->gaps.count; i++)
        stack |= strstr(test->gaps.items[i].what, "its stack is not in the dump") != NULL;
    assert_true(stack);
    hand_destroy(hand);
    /* a shared mapping of a file is left out by default: that is no filter */
    hand = hand_x86(1, 0, TEXT);
    hand->files[0] = (struct inq_map_file){.start = STACK, .size = 0x10000, .path = "/data"};
    hand->core.n_files = 1;
    test_fact_is(detect(hand), "core.filtered", "false");
    hand_destroy(hand);
    /* memory that was never written to is left out, too; so is the guard that a stack ran into */
    hand = hand_x86(1, 0, TEXT);
    set_register(hand, "rsp", DATA + 0x800);
    test = detect(hand);
    test_fact_is(test, "core.filtered", "false");
    assert_int_equal(test->gaps.count, 0);
    hand_destroy(hand);
    hand = hand_x86(1, 0, TEXT);
    set_register(hand, "rsp", GUARD + 0x800);
    test = detect(hand);
    test_fact_is(test, "core.filtered", "false");
    assert_int_equal(test->gaps.count, 0);
    hand_destroy(hand);
    /* the file ends early: that is said elsewhere, and no filter did it */
    hand = hand_x86(1, 0, TEXT);
    hand->core.complete = false;
    test_fact_is(detect(hand), "core.filtered", "false");
    hand_destroy(hand);
}

static void put_block(struct hand *hand, size_t page, const char *message)
{
    hand->bytes[page * 4096 + 1] = 0x10; /* u32 0x1000 */
    memcpy(hand->bytes + page * 4096 + 4, message, strlen(message));
}

static struct hand *hand_abort(void)
{
    struct hand *hand = hand_x86(-6, 0, TEXT);

    hand->core.siginfo.signo = 6;
    hand->core.siginfo.pid = 100;
    return hand;
}

/* The message found by its looks: one place or none. */
static void test_abort_block(void **state)
{
    struct hand *hand = hand_abort();
    (void)state;

    put_block(hand, 1, "free(): invalid pointer\n");
    struct test_dump *test = detect(hand);
    test_fact_is(test, "abort.message", "free(): invalid pointer");
    hand_destroy(hand);

    hand = hand_abort();
    put_block(hand, 1, "free(): invalid pointer\n");
    put_block(hand, 2, "malloc(): corrupted top size\n");
    test = detect(hand);
    test_fact_is(test, "abort.message", NULL);
    assert_non_null(test_why(test, "abort.message"));
    hand_destroy(hand);

    hand = hand_abort(); /* text that goes on is no message of libc */
    put_block(hand, 1, "free(): invalid pointer\nand more");
    test_fact_is(detect(hand), "abort.message", NULL);
    hand_destroy(hand);
}

/* Functions that hand something out, in DATA: read, not run. */
static void test_code_returns(void **state)
{
    static const struct {
        uint8_t code[32];
        bool known;
        uint64_t value;
    } cases[] = {
        /* endbr64; mov 0x10(%rdi),%rax; ret */
        {{0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x8b, 0x47, 0x10, 0xc3}, true, 0x1122},
        /* lea 0x100(%rip),%rax; ret */
        {{0x48, 0x8d, 0x05, 0x00, 0x01, 0x00, 0x00, 0xc3}, true, DATA + 7 + 0x100},
        /* sub $8,%rdi; mov 0x18(%rdi),%rax; ret */
        {{0x48, 0x83, 0xef, 0x08, 0x48, 0x8b, 0x47, 0x18, 0xc3}, true, 0x1122},
        /* ret: whatever was in %rax */
        {{0xc3}, false, 0},
        /* mov (%rsi),%rax; ret: an argument that is not known */
        {{0x48, 0x8b, 0x06, 0xc3}, false, 0},
        /* jmp to itself */
        {{0xeb, 0xfe}, false, 0},
        /* call +0; ret */
        {{0xe8, 0x00, 0x00, 0x00, 0x00, 0xc3}, false, 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hand *hand = hand_x86(1, 0, TEXT);
        uint64_t value = 0;
        memcpy(hand->bytes, cases[i].code, sizeof(cases[i].code));
        hand->bytes[4096 + 0x10] = 0x22;
        hand->bytes[4096 + 0x11] = 0x11;
        struct test_dump *test = detect(hand);
        assert_int_equal(inq_code_returns(&test->dump, DATA, DATA + 4096, &value), cases[i].known);
        assert_int_equal(value, cases[i].value);
        hand_destroy(hand);
    }
}

static void kept_is(const uint8_t *code, size_t size, bool want, bool in_register, int64_t offset)
{
    struct hand *hand = hand_x86(1, 0, TEXT);
    struct inq_kept_argument kept = {.offset = 0};

    memcpy(hand->bytes, code, size);
    struct test_dump *test = detect(hand);
    assert_int_equal(inq_code_keeps_argument(&test->dump, DATA, DATA + size, &kept), want);
    if (want) {
        assert_int_equal(kept.in_register, in_register);
        assert_int_equal(kept.offset, offset);
    }
    hand_destroy(hand);
}

static void test_code_keeps(void **state)
{
    /* push %rbp; mov %edi,%ebp; call +0; nop */
    static const uint8_t in_register[] = {0x55, 0x89, 0xfd, 0xe8, 0, 0, 0, 0, 0x90};
    /* the same, and inc %ebp */
    static const uint8_t changed[] = {0x55, 0x89, 0xfd, 0xe8, 0, 0, 0, 0, 0xff, 0xc5};
    /* sub $0x18,%rsp; mov %edi,0xc(%rsp); call +0 */
    static const uint8_t on_stack[] = {0x48, 0x83, 0xec, 0x18, 0x89, 0x7c, 0x24,
                                       0x0c, 0xe8, 0,    0,    0,    0};
    /* mov $1,%edi; mov %edi,%ebp: no longer the argument */
    static const uint8_t overwritten[] = {0xbf, 1, 0, 0, 0, 0x89, 0xfd, 0x90};
    (void)state;

    kept_is(in_register, sizeof(in_register), true, true, 0);
    kept_is(changed, sizeof(changed), false, false, 0);
    kept_is(on_stack, sizeof(on_stack), true, false, 0xc - 0x18);
    kept_is(overwritten, sizeof(overwritten), false, false, 0);
}

static void test_seccomp(void **state)
{
    static const struct {
        uint32_t arch;
        int32_t number;
        const char *name;
    } cases[] = {
        {AUDIT_ARCH_X86_64, 0, "read"},    {AUDIT_ARCH_X86_64, 435, "clone3"},
        {AUDIT_ARCH_X86_64, 334, "rseq"},  {AUDIT_ARCH_I386, 1, "exit"},
        {AUDIT_ARCH_AARCH64, 64, "write"}, {AUDIT_ARCH_AARCH64, 452, "fchmodat2"},
        {AUDIT_ARCH_X86_64, 9999, NULL},   {AUDIT_ARCH_X86_64, -1, NULL},
        {AUDIT_ARCH_S390X, 4, NULL},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hand *hand = hand_x86(1, 0x10, TEXT);
        hand->core.siginfo.signo = 31;
        hand->core.siginfo.syscall = cases[i].number;
        hand->core.siginfo.syscall_arch = cases[i].arch;
        struct test_dump *test = detect(hand);
        test_fact_is(test, "state.seccomp.name", cases[i].name);
        if (!cases[i].name)
            assert_non_null(test_why(test, "state.seccomp.name"));
        hand_destroy(hand);
    }
}

static void test_map_count(void **state)
{
    struct hand *hand = hand_x86(1, 0, TEXT);
    (void)state;

    add_segment(hand, 0xffffffffff600000, 0x1000, PF_X); /* the kernel's: counts nowhere */
    struct test_dump *test = detect(hand);
    test_fact_is(test, "state.map_count.now", "5");
    test_fact_is(test, "state.map_count.near_limit", "false");
    hand_destroy(hand);
}

/* For these faults si_addr is 0 and no null pointer. */
static void test_codes_without_address(void **state)
{
    static const struct {
        uint16_t machine;
        int32_t signo, code;
        const char *trap;
    } cases[] = {{EM_X86_64, 11, INQ_SEGV_CPERR, "control-protection"},
                 {EM_X86_64, 7, INQ_BUS_ADRALN, "alignment-check"},
                 {EM_AARCH64, 11, INQ_SEGV_MTEAERR, NULL}};
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hand *hand = hand_create(cases[i].machine, 64, false);
        add_segment(hand, TEXT, 0x2000, PF_R | PF_X);
        set_register(hand, cases[i].machine == EM_X86_64 ? "rip" : "pc", TEXT);
        hand->core.siginfo.signo = cases[i].signo;
        hand->core.siginfo.code = cases[i].code;
        struct test_dump *test = detect(hand);
        test_fact_is(test, "fault.address", NULL);
        test_fact_is(test, "fault.address_class", NULL);
        test_fact_is(test, "fault.trap", cases[i].trap);
        assert_non_null(test_why(test, "fault.address"));
        hand_destroy(hand);
    }
}

static void test_keys_and_lost_memory(void **state)
{
    struct hand *hand = hand_x86(INQ_SEGV_PKUERR, DATA + 0x10, TEXT);
    struct test_dump *test;
    (void)state;

    hand->core.siginfo.pkey = 3;
    test = detect(hand);
    test_fact_is(test, "fault.protection_key", "3");
    test_fact_is(test, "fault.reason", "protection-key");
    test_fact_is(test, "fault.trap", "page-fault");
    hand_destroy(hand);

    hand = hand_x86(INQ_BUS_MCEERR_AR, DATA + 0x10, TEXT);
    hand->core.siginfo.signo = 7;
    hand->core.siginfo.addr_lsb = 12;
    test = detect(hand);
    test_fact_is(test, "fault.lost_bytes", "4096");
    test_fact_is(test, "fault.address", "0x600010");
    hand_destroy(hand);
}

int synthetic_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_guard_is_near),
        cmocka_unit_test(test_32_bit),
        cmocka_unit_test(test_missing_headers),
        cmocka_unit_test(test_s390_has_pages),
        cmocka_unit_test(test_general_protection),
        cmocka_unit_test(test_no_siginfo),
        cmocka_unit_test(test_senders),
        cmocka_unit_test(test_kernels_own),
        cmocka_unit_test(test_past_eof),
        cmocka_unit_test(test_filtered),
        cmocka_unit_test(test_vsyscall),
        cmocka_unit_test(test_abort_block),
        cmocka_unit_test(test_code_returns),
        cmocka_unit_test(test_code_keeps),
        cmocka_unit_test(test_seccomp),
        cmocka_unit_test(test_map_count),
        cmocka_unit_test(test_codes_without_address),
        cmocka_unit_test(test_keys_and_lost_memory),
    };
    return cmocka_run_group_tests_name("made by hand", tests, NULL, NULL);
}
