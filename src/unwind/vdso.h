/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_UNWIND_VDSO_H
#define INQ_UNWIND_VDSO_H

#include "modules.h"

/*
 * The kernel's own library is in no file: this reads it out of the dump. The image lies in the
 * arena and its bytes in the dump's memory; it must not be closed. NULL when the dump does not hold
 * it in one piece, or without memory.
 */
struct inq_image *inq_vdso_image(const struct inq_modules *modules,
                                 const struct inq_module *module);

#endif
