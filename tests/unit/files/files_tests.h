/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FILES_TESTS_H
#define FILES_TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "files.h"

int run_build_id_tests(void);
int run_policy_tests(void);
int run_broker_tests(void);
int run_fetched_tests(void);
int run_metadata_tests(void);

/* What write_elf() makes: the least that is an ELF file, with a build-id where one is wanted. */
struct elf_shape {
    int elf_class; /* 32 or 64; 0 is 64 */
    bool big_endian;
    bool in_section;   /* SHT_NOTE in place of PT_NOTE */
    bool property;     /* an 8-aligned NT_GNU_PROPERTY in front of it */
    uint64_t note_off; /* where the notes lie; 0: behind the headers */
    size_t id_size;    /* 0: no build-id */
    uint8_t id_first;  /* its bytes count up from here */
};

void write_elf(const char *path, const struct elf_shape *shape);
/* The id that write_elf() put there. */
void expect_id(const struct elf_shape *shape, uint8_t id[INQ_MAX_BUILD_ID]);

/* A fresh directory that all may enter, removed with everything in it by remove_tree(). */
void make_tree(char path[64]);
void remove_tree(const char *path);
/* "dir/name", in one of a few static buffers. */
const char *in(const char *dir, const char *name);

#endif
