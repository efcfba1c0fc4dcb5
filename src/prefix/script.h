/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PREFIX_SCRIPT_H
#define INQ_PREFIX_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Does a Python program load something for everybody: a call with RTLD_GLOBAL among the arguments
 * of CDLL(), PyDLL(), dlopen(), LoadLibrary() or setdlopenflags()? Comments and strings do not
 * count, and neither does a name that is only mentioned or defined. *ret_line is where, from 1.
 */
bool inq_script_loads_globally(const char *text, size_t size, unsigned *ret_line);

#endif
