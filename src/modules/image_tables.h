/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_MODULES_IMAGE_TABLES_H
#define INQ_MODULES_IMAGE_TABLES_H

/* Inner part of image.c: finding the symbol tables of a mapped file. */

#include "elfhead.h"
#include "image.h"

/*
 * Sets symtab, dynsym and soname from the sections, and dynsym and soname from PT_DYNAMIC where the
 * sections are missing. What makes no sense is left out and sets `damaged`.
 */
void inq_image_find_tables(struct inq_image *image);

/* Section header number i, which must be below n_sections. */
struct inq_elf_section inq_image_section_header(const struct inq_image *image, size_t i);

#endif
