/* SPDX-License-Identifier: Apache-2.0 */
/* One instruction, one signal, one map of memory: which operand was it? */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "decode_table.h"
#include "detectors_tests.h"
#include "dump.h"
#include "fault_site.h"

#define CODE 0x400000ull  /* r-x, two pages, all saved */
#define CONST 0x402000ull /* r-- */
#define DATA 0x600000ull  /* rw-, saved */
#define NONE 0x700000ull  /* --- */
#define HOLE 0x20000000ull
#define STACK 0x7fff0000ull /* rw-, saved */
#define WILD 0x4141414141414141ull
#define PAGE 4096u

#define MAPERR 1
#define ACCERR 2
#define KERNEL 128

struct scene {
    struct decode_cpu cpu;
    struct inq_segment segments[6];
    struct inq_gaps gaps;
    struct inq_dump dump;
    struct inq_fault_site site;
    uint8_t bytes[4 * PAGE]; /* CODE, DATA, STACK */
};

static void add_segment(struct scene *scene, uint64_t addr, uint64_t size, uint32_t flags,
                        uint64_t off, uint64_t saved)
{
    scene->segments[scene->cpu.core.n_segments++] = (struct inq_segment){.addr = addr,
                                                                         .size = size,
                                                                         .flags = flags,
                                                                         .off = off,
                                                                         .saved_bytes = saved,
                                                                         .present_bytes = saved};
}

/* A thread at `pc` in front of an instruction, with the signal that it got. */
static struct scene *scene_create(uint16_t machine, uint8_t elf_class, bool big_endian,
                                  int32_t signal, int32_t code, uint64_t addr)
{
    struct scene *scene = calloc(1, sizeof(*scene));

    assert_non_null(scene);
    decode_cpu_init(&scene->cpu, machine, elf_class, big_endian);
    scene->cpu.core.segments = scene->segments;
    scene->cpu.core.threads = &scene->cpu.thread;
    scene->cpu.core.n_threads = 1;
    scene->cpu.core.page_bytes = PAGE;
    scene->cpu.core.has_siginfo = true;
    scene->cpu.core.siginfo.signo = signal;
    scene->cpu.core.siginfo.code = code;
    scene->cpu.core.siginfo.addr = addr;
    scene->cpu.thread.cursig = (uint16_t)signal;
    add_segment(scene, CODE, 2 * PAGE, PF_R | PF_X, 0, 2 * PAGE);
    add_segment(scene, CONST, PAGE, PF_R, 0, 0);
    add_segment(scene, DATA, PAGE, PF_R | PF_W, 2 * PAGE, PAGE);
    add_segment(scene, NONE, PAGE, 0, 0, 0);
    add_segment(scene, STACK, PAGE, PF_R | PF_W, 3 * PAGE, PAGE);
    return scene;
}

static void put_code(struct scene *scene, uint64_t pc, const char *hex)
{
    unsigned byte;

    for (size_t i = 0; hex[2 * i]; i++) {
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        scene->bytes[pc - CODE + i] = (uint8_t)byte;
    }
    scene->cpu.thread.registers[scene->cpu.core.cpu->pc] = pc;
}

static struct scene *scene_x86(const char *hex, int32_t code, uint64_t addr)
{
    struct scene *scene = scene_create(EM_X86_64, 64, false, 11, code, addr);

    decode_cpu_set(&scene->cpu, "rsp", STACK + 0x800);
    decode_cpu_set(&scene->cpu, "cs", 0x33);
    put_code(scene, CODE + 0x100, hex);
    return scene;
}

static const struct inq_fault_site *ask(struct scene *scene)
{
    struct inq_dump *dump = &scene->dump;
    int fd = memfd_create("scene", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, scene->bytes, sizeof(scene->bytes)), sizeof(scene->bytes));
    dump->arena = inq_arena_create();
    inq_gaps_init(&scene->gaps, dump->arena);
    dump->gaps = &scene->gaps;
    dump->core = &scene->cpu.core;
    assert_null(inq_source_open(fd, "scene", dump->gaps, &dump->source));
    assert_null(
        inq_memory_create(dump->core, dump->source, dump->arena, dump->gaps, &dump->memory));
    inq_fault_site(dump, &scene->site);
    return &scene->site;
}

static void scene_destroy(struct scene *scene)
{
    inq_source_destroy(scene->dump.source);
    inq_gaps_deinit(&scene->gaps);
    inq_arena_destroy(scene->dump.arena);
    free(scene);
}

/* operand NULL: none is named. */
static void check(struct scene *scene, const char *operand, enum inq_access access,
                  enum inq_reason reason)
{
    const struct inq_fault_site *site = ask(scene);
    int signal = scene->cpu.core.siginfo.signo;
    bool memory = signal == 11 || signal == 7;

    if ((operand == NULL) != (site->operand == NULL) ||
        (operand && strcmp(operand, site->operand->text) != 0))
        fail_msg("%s: operand %s, want %s", site->instruction.text,
                 site->operand ? site->operand->text : "none", operand ? operand : "none");
    if (site->access != access || site->reason != reason)
        fail_msg("%s: access %d, reason %d", site->instruction.text, (int)site->access,
                 (int)site->reason);
    if (!operand && memory)
        assert_non_null(site->no_operand);
    if (access == INQ_ACCESS_UNKNOWN && memory)
        assert_non_null(site->no_access);
    scene_destroy(scene);
}

static void set(struct scene *scene, const char *name, uint64_t value)
{
    decode_cpu_set(&scene->cpu, name, value);
}

static void test_operand_agrees(void **state)
{
    struct scene *scene = scene_x86("8b4310", MAPERR, HOLE + 16); /* mov 0x10(%rbx),%eax */
    (void)state;

    set(scene, "rbx", HOLE);
    check(scene, "0x10(%rbx)", INQ_ACCESS_READ, INQ_REASON_NONE);
    /* the kernel says another address: registers and signal do not belong together */
    scene = scene_x86("8b4310", MAPERR, HOLE + 16);
    set(scene, "rbx", HOLE + 64);
    assert_string_equal(ask(scene)->no_operand,
                        "no operand of the instruction gives the address of the fault");
    assert_null(scene->site.operand);
    assert_int_equal(scene->site.access, INQ_ACCESS_UNKNOWN);
    assert_string_equal(scene->site.instruction.text, "mov 0x10(%rbx),%eax");
    scene_destroy(scene);
    scene = scene_x86("89d8", MAPERR, HOLE); /* mov %ebx,%eax */
    assert_string_equal(ask(scene)->no_operand, "the instruction uses no memory");
    scene_destroy(scene);
    /* eight bytes across a page: the fault is where the second page begins */
    scene = scene_x86("488b03", MAPERR, DATA + PAGE);
    set(scene, "rbx", DATA + PAGE - 4);
    check(scene, "(%rbx)", INQ_ACCESS_READ, INQ_REASON_NONE);
    /* fxsave64 reports the last byte it wants */
    scene = scene_x86("480fae03", MAPERR, HOLE + 511);
    set(scene, "rbx", HOLE);
    check(scene, "(%rbx)", INQ_ACCESS_WRITE, INQ_REASON_NONE);
    /* a read that the page allows: something else is going on */
    scene = scene_x86("8b03", ACCERR, CONST);
    set(scene, "rbx", CONST);
    check(scene, "(%rbx)", INQ_ACCESS_UNKNOWN, INQ_REASON_NONE);
}

static void test_two_operands(void **state)
{
    struct scene *scene = scene_x86("a4", MAPERR, HOLE); /* movsb */
    (void)state;

    set(scene, "rsi", HOLE);
    set(scene, "rdi", DATA);
    check(scene, "(%rsi)", INQ_ACCESS_READ, INQ_REASON_NONE);
    scene = scene_x86("a4", MAPERR, HOLE);
    set(scene, "rsi", DATA);
    set(scene, "rdi", HOLE);
    check(scene, "(%rdi)", INQ_ACCESS_WRITE, INQ_REASON_NONE);
    /* both at one place: what cannot be read fails when it is read; what can, when it is written */
    scene = scene_x86("a4", MAPERR, HOLE);
    set(scene, "rsi", HOLE);
    set(scene, "rdi", HOLE);
    check(scene, "(%rsi)", INQ_ACCESS_READ, INQ_REASON_NONE);
    scene = scene_x86("a4", ACCERR, CONST);
    set(scene, "rsi", CONST);
    set(scene, "rdi", CONST);
    check(scene, "(%rdi)", INQ_ACCESS_WRITE, INQ_REASON_NONE);
    /* a later round of rep movsb */
    scene = scene_x86("f3a4", MAPERR, HOLE + 100);
    set(scene, "rsi", HOLE - 28);
    set(scene, "rdi", DATA);
    set(scene, "rcx", 200);
    check(scene, "(%rsi)", INQ_ACCESS_READ, INQ_REASON_NONE);
    scene = scene_x86("f3a4", MAPERR, HOLE + 100);
    set(scene, "rsi", HOLE);
    set(scene, "rdi", HOLE + 8);
    set(scene, "rcx", 200);
    check(scene, NULL, INQ_ACCESS_UNKNOWN, INQ_REASON_NONE);
    /* push 0x8(%rbx): the other operand's place is known, and is elsewhere */
    scene = scene_x86("ff7308", MAPERR, HOLE + 8);
    set(scene, "rbx", HOLE);
    check(scene, "0x8(%rbx)", INQ_ACCESS_READ, INQ_REASON_NONE);
    /* vpgatherdd: the only operand there is, wherever it was */
    scene = scene_x86("c4e275901c93", MAPERR, HOLE);
    set(scene, "rbx", DATA);
    check(scene, "(%rbx,%ymm2,4)", INQ_ACCESS_READ, INQ_REASON_NONE);
}

static void test_execution(void **state)
{
    struct scene *scene = scene_x86("90", MAPERR, HOLE);
    (void)state;

    set(scene, "rip", HOLE);
    check(scene, NULL, INQ_ACCESS_EXECUTE, INQ_REASON_NONE);
    scene = scene_x86("90", ACCERR, DATA + 8);
    set(scene, "rip", DATA + 8);
    check(scene, NULL, INQ_ACCESS_EXECUTE, INQ_REASON_NONE);
    /* an instruction that writes to its own first byte may be run */
    scene = scene_x86("c60501000000cc", ACCERR, CODE + 0x100);
    set(scene, "rip", CODE + 0x100);
    put_code(scene, CODE + 0x100, "c605f9ffffffcc"); /* movb $0xcc,-0x7(%rip) */
    check(scene, "-0x7(%rip)", INQ_ACCESS_WRITE, INQ_REASON_NONE);
    /* mov $imm64 that runs on from the last page of code: CONST may not be run */
    scene = scene_x86("90", ACCERR, CONST);
    put_code(scene, CONST - 3, "48b801");
    assert_int_equal(ask(scene)->access, INQ_ACCESS_EXECUTE);
    assert_int_equal(scene->site.n_bytes, 3);
    assert_false(scene->site.has_instruction);
    scene_destroy(scene);
}

/*
 * An emulator that gives the address of an earlier fault with a jump that failed: "read of 0x8" was
 * never tried. With a program counter that can be run the address counts.
 */
static void test_address_against_pc(void **state)
{
    static const struct {
        uint64_t pc, addr;
        bool counts;
    } rows[] = {
        {HOLE, 8, false},   {HOLE, 0, false},        {DATA + 8, 8, false},
        {HOLE, HOLE, true}, {CODE + 0x100, 8, true}, {CONST, 8, false},
    };
    static const uint16_t machines[] = {EM_X86_64, EM_PPC64, EM_AARCH64};
    (void)state;

    for (size_t i = 0; i < 3 * sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t pc = rows[i / 3].pc;
        struct scene *scene =
            scene_create(machines[i % 3], 64, false, 11, MAPERR, rows[i / 3].addr);

        scene->cpu.thread.registers[scene->cpu.core.cpu->pc] = pc;
        const struct inq_fault_site *site = ask(scene);
        assert_true(site->is_fault);
        assert_int_equal(site->has_address, rows[i / 3].counts);
        if (!rows[i / 3].counts) {
            assert_int_equal(site->access, INQ_ACCESS_UNKNOWN);
            assert_null(site->operand);
            assert_non_null(strstr(site->no_address, "emulator"));
        }
        scene_destroy(scene);
    }
}

static void test_protection_faults(void **state)
{
    struct scene *scene = scene_x86("8b4310", KERNEL, 0);
    (void)state;

    set(scene, "rbx", WILD);
    assert_int_equal(ask(scene)->reason, INQ_REASON_NON_CANONICAL);
    assert_int_equal(scene->site.operand->address, WILD + 16);
    assert_false(scene->site.has_address);
    scene_destroy(scene);
    /* the last bytes of the lower half, and beyond */
    scene = scene_x86("488b03", KERNEL, 0);
    set(scene, "rbx", 0x7ffffffffffc);
    check(scene, "(%rbx)", INQ_ACCESS_READ, INQ_REASON_NON_CANONICAL);
    scene = scene_x86("a4", KERNEL, 0);
    set(scene, "rsi", WILD);
    set(scene, "rdi", WILD);
    check(scene, NULL, INQ_ACCESS_UNKNOWN, INQ_REASON_NON_CANONICAL);
    scene = scene_x86("c3", KERNEL, 0); /* ret */
    memset(&scene->bytes[3 * PAGE + 0x800], 'A', 8);
    assert_int_equal(ask(scene)->access, INQ_ACCESS_EXECUTE);
    assert_string_equal(scene->site.operand->text, "(%rsp)");
    assert_true(scene->site.has_target);
    assert_int_equal(scene->site.target, WILD);
    scene_destroy(scene);
    scene = scene_x86("ffd0", KERNEL, 0); /* call *%rax */
    set(scene, "rax", WILD);
    check(scene, "%rax", INQ_ACCESS_EXECUTE, INQ_REASON_NON_CANONICAL);
    scene = scene_x86("0f2803", KERNEL, 0); /* movaps (%rbx),%xmm0 */
    set(scene, "rbx", DATA + 8);
    check(scene, "(%rbx)", INQ_ACCESS_READ, INQ_REASON_MISALIGNED);
    scene = scene_x86("f4", KERNEL, 0);
    check(scene, NULL, INQ_ACCESS_UNKNOWN, INQ_REASON_PRIVILEGED);
    /* nothing is wrong with this one: some other signal could not be delivered */
    scene = scene_x86("8b03", KERNEL, 0);
    set(scene, "rbx", DATA);
    check(scene, NULL, INQ_ACCESS_UNKNOWN, INQ_REASON_UNEXPLAINED);
    scene = scene_x86("8903", KERNEL, 0);
    set(scene, "rbx", NONE + 8);
    assert_int_equal(ask(scene)->reason, INQ_REASON_UNDELIVERABLE);
    assert_true(scene->site.worked_out);
    assert_int_equal(scene->site.address, NONE + 8);
    scene_destroy(scene);
    /* through the stack's registers it is another exception, and another signal */
    scene = scene_x86("488b45f8", KERNEL, 0); /* mov -0x8(%rbp),%rax */
    set(scene, "rbp", WILD);
    check(scene, NULL, INQ_ACCESS_UNKNOWN, INQ_REASON_NONE);
    scene = scene_x86("488b45f8", KERNEL, 0);
    set(scene, "rbp", WILD);
    scene->cpu.core.siginfo.signo = 7;
    check(scene, "-0x8(%rbp)", INQ_ACCESS_READ, INQ_REASON_NON_CANONICAL);
}

static struct scene *without_siginfo(const char *hex, uint64_t rbx)
{
    struct scene *scene = scene_x86(hex, 0, 0);

    scene->cpu.core.has_siginfo = false;
    scene->cpu.core.siginfo.signo = 11;
    set(scene, "rbx", rbx);
    return scene;
}

static void check_worked_out(struct scene *scene, bool is_fault, uint64_t address)
{
    const struct inq_fault_site *site = ask(scene);

    assert_int_equal(site->is_fault, is_fault);
    assert_int_equal(site->has_address, is_fault && address != 0);
    assert_int_equal(site->worked_out, site->has_address);
    if (site->has_address)
        assert_int_equal(site->address, address);
    scene_destroy(scene);
}

static void test_without_siginfo(void **state)
{
    struct scene *scene;
    (void)state;

    check_worked_out(without_siginfo("8b4308", HOLE), true, HOLE + 8);
    check_worked_out(without_siginfo("8b4308", NONE), true, NONE + 8);
    check_worked_out(without_siginfo("8903", CONST), true, CONST);
    check_worked_out(without_siginfo("488b03", DATA + PAGE - 1), true, DATA + PAGE);
    /* what may well have worked: no claim */
    check_worked_out(without_siginfo("8b03", CONST), false, 0);
    check_worked_out(without_siginfo("8903", DATA), false, 0);
    check_worked_out(without_siginfo("90", 0), false, 0);
    check_worked_out(without_siginfo("8b03", WILD), true, 0);
    scene = without_siginfo("90", 0);
    set(scene, "rip", HOLE);
    check_worked_out(scene, true, HOLE);
    /* pages of the kernel's are not in every list of mappings */
    scene = without_siginfo("90", 0);
    set(scene, "rip", 0xffffffffff600000);
    check_worked_out(scene, false, 0);
    /* another signal: the instruction did not do that */
    scene = without_siginfo("8b4308", HOLE);
    scene->cpu.thread.cursig = 6;
    check_worked_out(scene, false, 0);
}

/* With holes in the list of mappings "not listed" is not "not mapped". */
static void test_holes_in_the_map(void **state)
{
    struct scene *scene = without_siginfo("8b4308", HOLE);
    uint64_t refused;
    (void)state;

    ask(scene);
    assert_true(inq_access_is_refused(&scene->dump, HOLE, 4, INQ_ACCESS_READ, &refused));
    inq_gaps_add(&scene->gaps, INQ_G_PHDRS, NULL, NULL, "cut");
    assert_false(inq_access_is_refused(&scene->dump, HOLE, 4, INQ_ACCESS_READ, &refused));
    inq_fault_site(&scene->dump, &scene->site);
    assert_false(scene->site.is_fault);
    assert_true(inq_access_is_refused(&scene->dump, CONST, 4, INQ_ACCESS_WRITE, &refused));
    assert_false(inq_access_is_refused(&scene->dump, CONST, 4, INQ_ACCESS_READ, &refused));
    assert_true(inq_access_is_refused(&scene->dump, DATA, 1, INQ_ACCESS_EXECUTE, &refused));
    assert_true(inq_access_is_refused(&scene->dump, NONE, 1, INQ_ACCESS_READ, &refused));
    scene_destroy(scene);
}

/* Bytes that were not saved are not zeroes (add %al,(%rax)). */
static void test_without_code(void **state)
{
    struct scene *scene = scene_x86("8b03", MAPERR, HOLE);
    (void)state;

    scene->segments[0].saved_bytes = scene->segments[0].present_bytes = 0;
    assert_false(ask(scene)->has_instruction);
    assert_int_equal(scene->site.n_bytes, 0);
    assert_string_equal(scene->site.no_instruction, "the instruction's bytes are not in the dump");
    assert_string_equal(scene->site.no_access, scene->site.no_instruction);
    scene_destroy(scene);
    /* the rights of the page leave one answer all the same */
    scene = scene_x86("8b03", ACCERR, CONST + 64);
    scene->segments[0].saved_bytes = scene->segments[0].present_bytes = 0;
    check(scene, NULL, INQ_ACCESS_WRITE, INQ_REASON_NONE);
    scene = scene_x86("8b03", MAPERR, HOLE);
    scene->cpu.thread.has_registers = false;
    check(scene, NULL, INQ_ACCESS_UNKNOWN, INQ_REASON_NONE);
}

static void test_other_signals(void **state)
{
    struct scene *scene = scene_x86("cc90", KERNEL, 0);
    (void)state;

    scene->cpu.core.siginfo.signo = 5;
    set(scene, "rip", CODE + 0x101); /* behind int3 */
    assert_int_equal(ask(scene)->reason, INQ_REASON_BREAKPOINT);
    assert_int_equal(scene->site.pc, CODE + 0x100);
    scene_destroy(scene);
    scene = scene_x86("9090", KERNEL, 0);
    scene->cpu.core.siginfo.signo = 5;
    set(scene, "rip", CODE + 0x101);
    assert_false(ask(scene)->has_instruction);
    scene_destroy(scene);
    /* a single step: what ran is not what comes next */
    scene = scene_x86("8b03", 2, CODE + 0x100);
    scene->cpu.core.siginfo.signo = 5;
    assert_false(ask(scene)->has_instruction);
    scene_destroy(scene);
    scene = scene_x86("0f0b", 2, CODE + 0x100);
    scene->cpu.core.siginfo.signo = 4;
    check(scene, NULL, INQ_ACCESS_UNKNOWN, INQ_REASON_UNDEFINED);
    scene = scene_x86("f7f9", 1, CODE + 0x100); /* idiv %ecx */
    scene->cpu.core.siginfo.signo = 8;
    check(scene, "%ecx", INQ_ACCESS_UNKNOWN, INQ_REASON_DIVIDE_BY_ZERO);
    scene = scene_x86("f7f9", 1, CODE + 0x100);
    scene->cpu.core.siginfo.signo = 8;
    set(scene, "rcx", 0xffffffff);
    check(scene, "%ecx", INQ_ACCESS_UNKNOWN, INQ_REASON_QUOTIENT_OVERFLOW);
    scene = scene_x86("f733", 1, CODE + 0x100); /* divl (%rbx), not saved */
    scene->cpu.core.siginfo.signo = 8;
    set(scene, "rbx", CONST);
    check(scene, "(%rbx)", INQ_ACCESS_UNKNOWN, INQ_REASON_NONE);
    /* sent by somebody: whatever stands at the program counter */
    scene = scene_x86("8b03", 0, 0);
    assert_false(ask(scene)->is_fault);
    assert_false(scene->site.has_instruction);
    scene_destroy(scene);
}

static void test_other_cpus(void **state)
{
    struct scene *scene = scene_create(EM_AARCH64, 64, false, 11, MAPERR, HOLE + 16);
    (void)state;

    put_code(scene, CODE, "410840f9");           /* ldr x1, [x2, #16] */
    set(scene, "x2", 0xb400000000000000 | HOLE); /* siginfo is without the tag */
    check(scene, "[x2, #16]", INQ_ACCESS_READ, INQ_REASON_NONE);
    scene = scene_create(EM_AARCH64, 64, false, 11, KERNEL, 0);
    put_code(scene, CODE, "410000b9"); /* str w1, [x2] */
    set(scene, "x2", 0xb400000000000000 | DATA);
    check(scene, NULL, INQ_ACCESS_UNKNOWN, INQ_REASON_NONE);
    scene = scene_create(EM_AARCH64, 64, false, 11, KERNEL, 0);
    put_code(scene, CODE, "410000b9");
    set(scene, "x2", CONST);
    check(scene, "[x2]", INQ_ACCESS_WRITE, INQ_REASON_UNDELIVERABLE);
    scene = scene_create(EM_AARCH64, 64, false, 11, KERNEL, 0);
    put_code(scene, CODE, "410000b9");
    set(scene, "x2", UINT64_MAX - 3); /* the upper half stays the upper half */
    check_worked_out(scene, true, UINT64_MAX - 3);
    scene = scene_create(EM_S390, 64, true, 11, MAPERR, HOLE);
    put_code(scene, CODE, "58100000");
    assert_string_equal(ask(scene)->no_instruction,
                        "instructions of this CPU are not decoded by this version");
    scene_destroy(scene);
    /* powerpc says what its last exception was: a system call touches nothing */
    for (unsigned trap = 0x300; trap <= 0xc00; trap += 0x900) {
        scene = scene_create(EM_PPC, 32, true, 11, 0, 0);
        scene->cpu.core.has_siginfo = false;
        put_code(scene, CODE, "893d0000"); /* lbz r9,0(r29) */
        set(scene, "r29", HOLE);
        set(scene, "trap", trap);
        set(scene, "dar", HOLE);
        check_worked_out(scene, trap == 0x300, HOLE);
    }
}

int fault_site_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operand_agrees),    cmocka_unit_test(test_two_operands),
        cmocka_unit_test(test_execution),         cmocka_unit_test(test_address_against_pc),
        cmocka_unit_test(test_protection_faults), cmocka_unit_test(test_without_siginfo),
        cmocka_unit_test(test_holes_in_the_map),  cmocka_unit_test(test_without_code),
        cmocka_unit_test(test_other_signals),     cmocka_unit_test(test_other_cpus),
    };
    return cmocka_run_group_tests_name("fault-site", tests, NULL, NULL);
}
