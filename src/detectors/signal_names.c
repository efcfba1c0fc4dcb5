/* SPDX-License-Identifier: Apache-2.0 */
#include "signal_names.h"

#include <elf.h>
#include <stddef.h>

#include "cleanup.h"

#ifndef EM_ALPHA
#define EM_ALPHA 0x9026
#endif

/* Every signal once; the tables below map a CPU's numbers to these. */
enum sig {
    S_NONE,
    S_HUP,
    S_INT,
    S_QUIT,
    S_ILL,
    S_TRAP,
    S_ABRT,
    S_EMT,
    S_BUS,
    S_FPE,
    S_KILL,
    S_USR1,
    S_SEGV,
    S_USR2,
    S_PIPE,
    S_ALRM,
    S_TERM,
    S_STKFLT,
    S_CHLD,
    S_CONT,
    S_STOP,
    S_TSTP,
    S_TTIN,
    S_TTOU,
    S_URG,
    S_XCPU,
    S_XFSZ,
    S_VTALRM,
    S_PROF,
    S_WINCH,
    S_IO,
    S_PWR,
    S_SYS,
};

static const struct {
    const char *name, *words;
} signals[] = {
    [S_HUP] = {"SIGHUP", "hang-up"},
    [S_INT] = {"SIGINT", "interrupt"},
    [S_QUIT] = {"SIGQUIT", "quit"},
    [S_ILL] = {"SIGILL", "illegal instruction"},
    [S_TRAP] = {"SIGTRAP", "trace or breakpoint trap"},
    [S_ABRT] = {"SIGABRT", "abort"},
    [S_EMT] = {"SIGEMT", "emulator trap"},
    [S_BUS] = {"SIGBUS", "bus error"},
    [S_FPE] = {"SIGFPE", "arithmetic exception"},
    [S_KILL] = {"SIGKILL", "killed"},
    [S_USR1] = {"SIGUSR1", "user-defined signal 1"},
    [S_SEGV] = {"SIGSEGV", "segmentation fault"},
    [S_USR2] = {"SIGUSR2", "user-defined signal 2"},
    [S_PIPE] = {"SIGPIPE", "broken pipe"},
    [S_ALRM] = {"SIGALRM", "alarm clock"},
    [S_TERM] = {"SIGTERM", "terminated"},
    [S_STKFLT] = {"SIGSTKFLT", "stack fault"},
    [S_CHLD] = {"SIGCHLD", "child exited"},
    [S_CONT] = {"SIGCONT", "continued"},
    [S_STOP] = {"SIGSTOP", "stopped"},
    [S_TSTP] = {"SIGTSTP", "stopped at the terminal"},
    [S_TTIN] = {"SIGTTIN", "terminal input in the background"},
    [S_TTOU] = {"SIGTTOU", "terminal output in the background"},
    [S_URG] = {"SIGURG", "urgent data on a socket"},
    [S_XCPU] = {"SIGXCPU", "CPU time limit exceeded"},
    [S_XFSZ] = {"SIGXFSZ", "file size limit exceeded"},
    [S_VTALRM] = {"SIGVTALRM", "virtual timer expired"},
    [S_PROF] = {"SIGPROF", "profiling timer expired"},
    [S_WINCH] = {"SIGWINCH", "window size changed"},
    [S_IO] = {"SIGIO", "input or output possible"},
    [S_PWR] = {"SIGPWR", "power failure"},
    [S_SYS] = {"SIGSYS", "bad system call"},
};

static const uint8_t numbers_generic[32] = {
    S_NONE, S_HUP,  S_INT,  S_QUIT, S_ILL,    S_TRAP,   S_ABRT,  S_BUS,  S_FPE,  S_KILL, S_USR1,
    S_SEGV, S_USR2, S_PIPE, S_ALRM, S_TERM,   S_STKFLT, S_CHLD,  S_CONT, S_STOP, S_TSTP, S_TTIN,
    S_TTOU, S_URG,  S_XCPU, S_XFSZ, S_VTALRM, S_PROF,   S_WINCH, S_IO,   S_PWR,  S_SYS,
};
static const uint8_t numbers_sparc[32] = {
    /* and alpha */
    S_NONE, S_HUP, S_INT,  S_QUIT, S_ILL,    S_TRAP, S_ABRT,  S_EMT,  S_FPE,  S_KILL, S_BUS,
    S_SEGV, S_SYS, S_PIPE, S_ALRM, S_TERM,   S_URG,  S_STOP,  S_TSTP, S_CONT, S_CHLD, S_TTIN,
    S_TTOU, S_IO,  S_XCPU, S_XFSZ, S_VTALRM, S_PROF, S_WINCH, S_PWR,  S_USR1, S_USR2,
};
static const uint8_t numbers_mips[32] = {
    S_NONE, S_HUP,  S_INT,  S_QUIT, S_ILL,  S_TRAP, S_ABRT,   S_EMT,  S_FPE,  S_KILL,  S_BUS,
    S_SEGV, S_SYS,  S_PIPE, S_ALRM, S_TERM, S_USR1, S_USR2,   S_CHLD, S_PWR,  S_WINCH, S_URG,
    S_IO,   S_STOP, S_TSTP, S_CONT, S_TTIN, S_TTOU, S_VTALRM, S_PROF, S_XCPU, S_XFSZ,
};
static const uint8_t numbers_parisc[32] = {
    S_NONE, S_HUP,   S_INT,  S_QUIT, S_ILL,  S_TRAP, S_ABRT, S_STKFLT, S_FPE,  S_KILL,   S_BUS,
    S_SEGV, S_XCPU,  S_PIPE, S_ALRM, S_TERM, S_USR1, S_USR2, S_CHLD,   S_PWR,  S_VTALRM, S_PROF,
    S_IO,   S_WINCH, S_STOP, S_TSTP, S_CONT, S_TTIN, S_TTOU, S_URG,    S_XFSZ, S_SYS,
};

static enum sig sig_of(uint16_t machine, int32_t number)
{
    const uint8_t *table = numbers_generic;

    switch (machine) {
    case EM_MIPS:
        table = numbers_mips;
        break;
    case EM_SPARC:
    case EM_SPARC32PLUS:
    case EM_SPARCV9:
    case EM_ALPHA:
        table = numbers_sparc;
        break;
    case EM_PARISC:
        table = numbers_parisc;
        break;
    default:
        break;
    }
    return number >= 0 && number < 32 ? (enum sig)table[number] : S_NONE;
}

/* glibc keeps 32 and 33 for itself, so its SIGRTMIN is 34. */
static const char *const realtime[] = {
    "SIG32",       "SIG33",       "SIGRTMIN",    "SIGRTMIN+1",  "SIGRTMIN+2",  "SIGRTMIN+3",
    "SIGRTMIN+4",  "SIGRTMIN+5",  "SIGRTMIN+6",  "SIGRTMIN+7",  "SIGRTMIN+8",  "SIGRTMIN+9",
    "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15",
    "SIGRTMAX-14", "SIGRTMAX-13", "SIGRTMAX-12", "SIGRTMAX-11", "SIGRTMAX-10", "SIGRTMAX-9",
    "SIGRTMAX-8",  "SIGRTMAX-7",  "SIGRTMAX-6",  "SIGRTMAX-5",  "SIGRTMAX-4",  "SIGRTMAX-3",
    "SIGRTMAX-2",  "SIGRTMAX-1",  "SIGRTMAX",
};

const char *inq_signal_name(uint16_t machine, int32_t number)
{
    if (number >= 32 && number < 32 + (int32_t)INQ_ARRAY_SIZE(realtime))
        return realtime[number - 32];
    return signals[sig_of(machine, number)].name;
}

const char *inq_signal_words(uint16_t machine, int32_t number)
{
    if (number >= 32 && number < 32 + (int32_t)INQ_ARRAY_SIZE(realtime))
        return "real-time signal";
    return signals[sig_of(machine, number)].words;
}

enum inq_signal inq_signal_kind(uint16_t machine, int32_t number)
{
    switch (sig_of(machine, number)) {
    case S_SEGV:
        return INQ_SIGNAL_SEGV;
    case S_BUS:
        return INQ_SIGNAL_BUS;
    case S_ILL:
        return INQ_SIGNAL_ILL;
    case S_FPE:
        return INQ_SIGNAL_FPE;
    case S_TRAP:
        return INQ_SIGNAL_TRAP;
    case S_SYS:
        return INQ_SIGNAL_SYS;
    case S_ABRT:
        return INQ_SIGNAL_ABRT;
    default:
        return INQ_SIGNAL_OTHER;
    }
}

struct code {
    int32_t code;
    const char *name, *words;
};

static const struct code codes_any[] = {
    {INQ_SI_KERNEL, "SI_KERNEL", "sent by the kernel, which gives no address"},
    {INQ_SI_USER, "SI_USER", "sent with kill()"},
    {INQ_SI_QUEUE, "SI_QUEUE", "sent with sigqueue()"},
    {INQ_SI_TIMER, "SI_TIMER", "a timer expired"},
    {-3, "SI_MESGQ", "a message queue changed"},
    {-4, "SI_ASYNCIO", "asynchronous input or output completed"},
    {-5, "SI_SIGIO", "queued SIGIO"},
    {INQ_SI_TKILL, "SI_TKILL", "sent with tgkill(), as raise() and abort() do"},
    {-7, "SI_DETHREAD", "sent by execve() to end the other threads"},
    {-60, "SI_ASYNCNL", "a name look-up completed"},
};
/* mips numbers three of them differently (arch/mips/include/uapi/asm/siginfo.h). */
static const struct code codes_any_mips[] = {
    {-2, "SI_ASYNCIO", "asynchronous input or output completed"},
    {-3, "SI_TIMER", "a timer expired"},
    {-4, "SI_MESGQ", "a message queue changed"},
};
static const struct code codes_ill[] = {
    {1, "ILL_ILLOPC", "illegal opcode"},
    {2, "ILL_ILLOPN", "illegal operand"},
    {3, "ILL_ILLADR", "illegal addressing mode"},
    {4, "ILL_ILLTRP", "illegal trap"},
    {5, "ILL_PRVOPC", "privileged opcode"},
    {6, "ILL_PRVREG", "privileged register"},
    {7, "ILL_COPROC", "coprocessor error"},
    {8, "ILL_BADSTK", "internal stack error"},
    {9, "ILL_BADIADDR", "unimplemented instruction address"},
};
static const struct code codes_fpe[] = {
    {1, "FPE_INTDIV", "integer division by zero, or its result does not fit"},
    {2, "FPE_INTOVF", "integer overflow"},
    {3, "FPE_FLTDIV", "floating-point division by zero"},
    {4, "FPE_FLTOVF", "floating-point overflow"},
    {5, "FPE_FLTUND", "floating-point underflow"},
    {6, "FPE_FLTRES", "floating-point result is inexact"},
    {7, "FPE_FLTINV", "invalid floating-point operation"},
    {8, "FPE_FLTSUB", "subscript out of range"},
    {14, "FPE_FLTUNK", "undiagnosed floating-point exception"},
    {15, "FPE_CONDTRAP", "trap on condition"},
};
static const struct code codes_segv[] = {
    {1, "SEGV_MAPERR", "nothing is mapped at the address"},
    {2, "SEGV_ACCERR", "the mapping at the address does not allow the access"},
    {3, "SEGV_BNDERR", "a bounds check failed"},
    {4, "SEGV_PKUERR", "refused by a protection key"},
    {5, "SEGV_ACCADI", "ADI is not enabled for the address"},
    {6, "SEGV_ADIDERR", "ADI mismatch, disrupting"},
    {7, "SEGV_ADIPERR", "ADI mismatch, precise"},
    {8, "SEGV_MTEAERR", "memory tag mismatch, asynchronous"},
    {9, "SEGV_MTESERR", "memory tag mismatch"},
    {10, "SEGV_CPERR",
     "control protection: a return address differs from the shadow stack, or a branch went where "
     "none may go"},
};
static const struct code codes_bus[] = {
    {1, "BUS_ADRALN", "misaligned address"},
    {2, "BUS_ADRERR",
     "no memory behind the address: past the end of a mapped file, or it could "
     "not be read"},
    {3, "BUS_OBJERR", "hardware error of the object"},
    {4, "BUS_MCEERR_AR", "the process used memory that the hardware found damaged"},
    {5, "BUS_MCEERR_AO", "the hardware found damaged memory of the process"},
};
static const struct code codes_trap[] = {
    {1, "TRAP_BRKPT", "breakpoint"},     {2, "TRAP_TRACE", "single step"},
    {3, "TRAP_BRANCH", "branch trap"},   {4, "TRAP_HWBKPT", "hardware breakpoint or watchpoint"},
    {5, "TRAP_UNK", "undiagnosed trap"}, {6, "TRAP_PERF", "performance event"},
};
static const struct code codes_sys[] = {
    {1, "SYS_SECCOMP", "a seccomp filter refused a system call"},
    {2, "SYS_USER_DISPATCH", "system call user dispatch"},
};

static const struct code *find_code(const struct code *codes, size_t n, int32_t code)
{
    for (size_t i = 0; i < n; i++)
        if (codes[i].code == code)
            return &codes[i];
    return NULL;
}

static const struct code *code_of(uint16_t machine, int32_t number, int32_t code)
{
    const struct code *found = NULL;

    if (code <= 0 || code == INQ_SI_KERNEL) {
        if (machine == EM_MIPS)
            found = find_code(codes_any_mips, INQ_ARRAY_SIZE(codes_any_mips), code);
        return found ? found : find_code(codes_any, INQ_ARRAY_SIZE(codes_any), code);
    }
    switch (inq_signal_kind(machine, number)) {
    case INQ_SIGNAL_SEGV:
        return find_code(codes_segv, INQ_ARRAY_SIZE(codes_segv), code);
    case INQ_SIGNAL_BUS:
        return find_code(codes_bus, INQ_ARRAY_SIZE(codes_bus), code);
    case INQ_SIGNAL_ILL:
        return find_code(codes_ill, INQ_ARRAY_SIZE(codes_ill), code);
    case INQ_SIGNAL_FPE:
        return find_code(codes_fpe, INQ_ARRAY_SIZE(codes_fpe), code);
    case INQ_SIGNAL_TRAP:
        return find_code(codes_trap, INQ_ARRAY_SIZE(codes_trap), code);
    case INQ_SIGNAL_SYS:
        return find_code(codes_sys, INQ_ARRAY_SIZE(codes_sys), code);
    default:
        return NULL;
    }
}

const char *inq_signal_code_name(uint16_t machine, int32_t number, int32_t code)
{
    const struct code *found = code_of(machine, number, code);
    return found ? found->name : NULL;
}

const char *inq_signal_code_words(uint16_t machine, int32_t number, int32_t code)
{
    const struct code *found = code_of(machine, number, code);
    enum sig sig = sig_of(machine, number);

    if (code == INQ_SI_KERNEL && (sig == S_INT || sig == S_QUIT || sig == S_HUP))
        return "sent by the kernel: a key of the terminal, or the terminal is gone";
    if (code == INQ_SI_KERNEL && sig == S_XCPU)
        return "sent by the kernel: the CPU time that the process may use is used up (ulimit -t)";
    /* send_sig(SIGXFSZ, current, 0) in the kernel's generic_write_check_limits(): just as if the
     * process had sent it itself */
    if ((code == INQ_SI_KERNEL || code == INQ_SI_USER) && sig == S_XFSZ)
        return "a file was to grow larger than it may (ulimit -f)";
    if (code == INQ_SI_KERNEL && inq_signal_kind(machine, number) == INQ_SIGNAL_OTHER)
        return "sent by the kernel";
    return found ? found->words : NULL;
}
