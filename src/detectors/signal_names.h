/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_SIGNAL_NAMES_H
#define INQ_DETECTORS_SIGNAL_NAMES_H

/*
 * Signals and their codes in words. Numbers differ per CPU: mips, sparc, alpha and parisc have
 * tables of their own (arch/<cpu>/include/uapi/asm/signal.h of the kernel), all others share one.
 * Codes: include/uapi/asm-generic/siginfo.h.
 */

#include <stdbool.h>
#include <stdint.h>

/* What a signal means, whatever its number is on that CPU. */
enum inq_signal {
    INQ_SIGNAL_OTHER,
    INQ_SIGNAL_SEGV,
    INQ_SIGNAL_BUS,
    INQ_SIGNAL_ILL,
    INQ_SIGNAL_FPE,
    INQ_SIGNAL_TRAP,
    INQ_SIGNAL_SYS,
    INQ_SIGNAL_ABRT,
};

/* "SIGSEGV"; NULL for a number without a name. `machine` is e_machine. Static. */
const char *inq_signal_name(uint16_t machine, int32_t number);
/* "segmentation fault"; NULL without. Static. */
const char *inq_signal_words(uint16_t machine, int32_t number);
enum inq_signal inq_signal_kind(uint16_t machine, int32_t number);

/* "SEGV_MAPERR", "SI_TKILL"; NULL for a code without a name. Static. */
const char *inq_signal_code_name(uint16_t machine, int32_t number, int32_t code);
/* "nothing is mapped at the address"; NULL without. Static. */
const char *inq_signal_code_words(uint16_t machine, int32_t number, int32_t code);

/* si_code of a signal that the kernel itself sent without more to say (SI_KERNEL). */
#define INQ_SI_KERNEL 0x80
/* The codes of signals that carry si_pid and si_uid. */
#define INQ_SI_USER 0
#define INQ_SI_QUEUE (-1)
#define INQ_SI_TIMER (-2)
#define INQ_SI_TKILL (-6)
/* The codes of SIGSEGV and SIGBUS that the detectors ask for. */
#define INQ_SEGV_MAPERR 1
#define INQ_SEGV_ACCERR 2
#define INQ_SEGV_PKUERR 4
#define INQ_SEGV_MTEAERR 8
#define INQ_SEGV_CPERR 10
#define INQ_BUS_ADRALN 1
#define INQ_BUS_ADRERR 2
#define INQ_BUS_MCEERR_AR 4
#define INQ_BUS_MCEERR_AO 5

#endif
