/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_TEST_CORE_INPUT_H
#define INQ_TEST_CORE_INPUT_H

/*
 * The input of fuzz_core: 4 bytes, little-endian, the size of an ELF file at the end of the input;
 * 4 bytes of flags; the core; that ELF file.
 */

#include <stddef.h>
#include <stdint.h>

#define CORE_INPUT_HEADER 8u

#define CORE_INPUT_STACKS_ONLY 1u   /* --stacks */
#define CORE_INPUT_EXECUTABLE 2u    /* --executable */
#define CORE_INPUT_UNVERIFIED 4u    /* no build-id vouches for the ELF file */
#define CORE_INPUT_ENGINE_DWFL 32u  /* --engine dwfl */
#define CORE_INPUT_REPORT 16u       /* also redaction and the report: three times the time */
#define CORE_INPUT_REDACT_STRICT 8u /* --redact strict */

struct core_input {
    uint32_t flags;
    const uint8_t *core, *elf;
    size_t core_size, elf_size;
};

static inline struct core_input core_input_split(const uint8_t *data, size_t size)
{
    struct core_input input = {0};

    if (size < CORE_INPUT_HEADER)
        return input;
    size_t elf_size =
        data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16 | (size_t)data[3] << 24;
    size -= CORE_INPUT_HEADER;
    if (elf_size > size)
        elf_size = size;
    input.flags = data[4];
    input.core = data + CORE_INPUT_HEADER;
    input.core_size = size - elf_size;
    input.elf = input.core + input.core_size;
    input.elf_size = elf_size;
    return input;
}

#endif
