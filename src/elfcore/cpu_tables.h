/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_ELFCORE_CPU_TABLES_H
#define INQ_ELFCORE_CPU_TABLES_H

/* The tables themselves: one line a CPU. Use inq_cpu_find(), which checks the byte order too. */

#include "cpu.h"

const struct inq_cpu *inq_cpu_table_find(uint16_t machine, uint8_t elf_class, bool big_endian);

#endif
