/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_START_BLOCK_H
#define INQ_DETECTORS_START_BLOCK_H

/*
 * What the kernel put at the top of the main stack before the program began: argc, argv[], NULL,
 * envp[], NULL, auxv (create_elf_tables() in fs/binfmt_elf.c). No symbol is needed: the auxv there
 * is the one of the NT_AUXV note, found by its AT_EXECFN pair, and the vectors lie right below it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detector.h"

struct inq_start_block {
    uint64_t argv, envp; /* addresses of the two vectors, in the dead process */
    size_t n_arguments, n_variables;
};

/* False when the dump does not hold it, or not in the form described. */
bool inq_start_block_find(const struct inq_dump *dump, struct inq_start_block *ret_block);

/*
 * String number i of a vector, at most INQ_MAX_STRING bytes of it, in the arena; NULL when it
 * cannot be read.
 */
const char *inq_start_block_string(const struct inq_dump *dump, uint64_t vector, size_t i);

#endif
