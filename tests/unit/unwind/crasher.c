/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes in the way its argument names; the tests know which frames must be found. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __clang__
#define NOINLINE __attribute__((noinline, used))
#else
#define NOINLINE __attribute__((noinline, noclone, used))
#endif
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

void without_cfi_frame_pointer(void (*callee)(void));
void without_cfi(void (*callee)(void));
void without_cfi_saving(void (*callee)(void));
void without_cfi_or_end(void (*callee)(void));
void endless_cfi(void (*callee)(void));
void garbage_cfi(void (*callee)(void));

/* Functions without call frame information: one keeps a frame pointer, the other does not. */
__asm__(".text\n"
        ".type without_cfi_frame_pointer, @function\n"
        "without_cfi_frame_pointer:\n"
        "  push %rbp\n  mov %rsp, %rbp\n  call *%rdi\n  pop %rbp\n  ret\n"
        ".size without_cfi_frame_pointer, . - without_cfi_frame_pointer\n"
        ".type without_cfi, @function\n"
        "without_cfi:\n"
        "  sub $8, %rsp\n  call *%rdi\n  add $8, %rsp\n  ret\n"
        ".size without_cfi, . - without_cfi\n"
        /* what kernels of numerical libraries do: registers saved by mov, an aligned buffer */
        ".type without_cfi_saving, @function\n"
        "without_cfi_saving:\n"
        "  push %rbx\n  push %rbp\n  mov %rsp, %rbx\n  sub $64, %rsp\n  mov %r12, 8(%rsp)\n"
        "  mov 8(%rsp), %rbp\n  and $-64, %rsp\n  xor %r12d, %r12d\n  call *%rdi\n"
        "  test %eax, %eax\n  je 1f\n  xor %eax, %eax\n1:  mov %rbp, %r12\n"
        "  mov %rbx, %rsp\n  pop %rbp\n  pop %rbx\n  ret\n"
        ".size without_cfi_saving, . - without_cfi_saving\n"
        /* it never gets to a `ret` */
        ".type without_cfi_or_end, @function\n"
        "without_cfi_or_end:\n  sub $8, %rsp\n  call *%rdi\n  ud2\n"
        ".size without_cfi_or_end, . - without_cfi_or_end\n"
        /* DW_CFA_def_cfa_expression of three bytes: DW_OP_skip -3, for ever */
        ".type endless_cfi, @function\n"
        "endless_cfi:\n  .cfi_startproc\n  .cfi_escape 0x0f, 3, 0x2f, 0xfd, 0xff\n"
        "  sub $8, %rsp\n  call *%rdi\n  add $8, %rsp\n  ret\n  .cfi_endproc\n"
        ".size endless_cfi, . - endless_cfi\n"
        /* the same with an operation that does not exist */
        ".type garbage_cfi, @function\n"
        "garbage_cfi:\n  .cfi_startproc\n  .cfi_escape 0x0f, 1, 0xff\n"
        "  sub $8, %rsp\n  call *%rdi\n  add $8, %rsp\n  ret\n  .cfi_endproc\n"
        ".size garbage_cfi, . - garbage_cfi\n");

static volatile uintptr_t sink;
static volatile uintptr_t wild = 0x123456789000;
static volatile uintptr_t wild_small = 0x20;
static volatile uintptr_t nothing;
static unsigned char data_bytes[64] = {0xc3};

NOINLINE static void null_write(void)
{
    *(volatile int *)nothing = 1;
    KEEP_FRAME();
}

NOINLINE static void call_pointer(uintptr_t target)
{
    ((void (*)(void))target)();
    KEEP_FRAME();
}

NOINLINE static void on_signal(int number)
{
    sink = (uintptr_t)number;
    null_write();
    KEEP_FRAME();
}

NOINLINE static void crash_in_handler(void)
{
    static char alternate[65536];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

    sigaltstack(&stack, NULL);
    sigaction(SIGSEGV, &action, NULL);
    null_write();
    KEEP_FRAME();
}

NOINLINE static void recurse(unsigned long depth)
{
    if (depth == 0)
        null_write();
    else
        recurse(depth - 1);
    KEEP_FRAME();
}

NOINLINE static void smash_return(void)
{
    volatile uintptr_t *frame = __builtin_frame_address(0);

    frame[1] = 0x4141414141414141;
    KEEP_FRAME();
}

NOINLINE static int compare(const void *left, const void *right)
{
    (void)left;
    (void)right;
    null_write();
    return 0;
}

NOINLINE static void crash_in_qsort(void)
{
    int numbers[8] = {8, 7, 6, 5, 4, 3, 2, 1};

    qsort(numbers, 8, sizeof(numbers[0]), compare);
    KEEP_FRAME();
}

NOINLINE static void crash_below_jit(const unsigned char *code, size_t size)
{
    void *room =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void (*compiled)(void (*)(void));

    if (room == MAP_FAILED)
        exit(3);
    memcpy(room, code, size);
    memcpy(&compiled, &room, sizeof(compiled));
    compiled(null_write);
    KEEP_FRAME();
}

/* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret */
static const unsigned char compiled_code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};

/*
 * The same behind what interpreters do: push %rbp; mov %rsp,%rbp; lea 1f(%rip),%rax; push %rax;
 * jmp 2f; nop; nop; 1: pop %rbp; ret; 2: …
 */
static const unsigned char interpreter_code[] = {
    0x55, 0x48, 0x89, 0xe5, 0x48, 0x8d, 0x05, 0x05, 0,    0,    0,    0x50, 0xeb,
    0x04, 0x90, 0x90, 0x5d, 0xc3, 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};

static pthread_barrier_t barrier;

NOINLINE static void wait_here(void)
{
    for (;;)
        pause();
}

NOINLINE static void *thread_main(void *argument)
{
    pthread_barrier_wait(&barrier);
    if ((uintptr_t)argument == 5)
        null_write();
    wait_here();
    return NULL;
}

NOINLINE static void crash_in_thread(unsigned long count)
{
    pthread_attr_t small;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    pthread_barrier_init(&barrier, NULL, (unsigned int)count);
    for (uintptr_t i = 0; i < count; i++) {
        pthread_t thread;
        pthread_create(&thread, &small, thread_main, (void *)i);
    }
    wait_here();
}

NOINLINE static void level_two(const char *how, unsigned long number)
{
    if (!strcmp(how, "null"))
        null_write();
    else if (!strcmp(how, "abort"))
        abort();
    else if (!strcmp(how, "call-null"))
        call_pointer(nothing);
    else if (!strcmp(how, "call-wild"))
        call_pointer(wild);
    else if (!strcmp(how, "call-data"))
        call_pointer((uintptr_t)data_bytes);
    else if (!strcmp(how, "handler"))
        crash_in_handler();
    else if (!strcmp(how, "recursion"))
        recurse(number);
    else if (!strcmp(how, "smash"))
        smash_return();
    else if (!strcmp(how, "qsort"))
        crash_in_qsort();
    else if (!strcmp(how, "jit"))
        crash_below_jit(compiled_code, sizeof(compiled_code));
    else if (!strcmp(how, "interpreter"))
        crash_below_jit(interpreter_code, sizeof(interpreter_code));
    else if (!strcmp(how, "threads"))
        crash_in_thread(number);
    else if (!strcmp(how, "nocfi-fp"))
        without_cfi_frame_pointer(null_write);
    else if (!strcmp(how, "nocfi"))
        without_cfi(null_write);
    else if (!strcmp(how, "nocfi-saving"))
        without_cfi_saving(null_write);
    else if (!strcmp(how, "nocfi-end"))
        without_cfi_or_end(null_write);
    else if (!strcmp(how, "cfi-endless"))
        endless_cfi(null_write);
    else if (!strcmp(how, "cfi-garbage"))
        garbage_cfi(null_write);
    else if (!strcmp(how, "free"))
        free((void *)wild_small);
    KEEP_FRAME();
}

NOINLINE static void level_one(const char *how, unsigned long number)
{
    level_two(how, number);
    KEEP_FRAME();
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    level_one(argv[1], argc > 2 ? strtoul(argv[2], NULL, 10) : 0);
    return 0;
}
