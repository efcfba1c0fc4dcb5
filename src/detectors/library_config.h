/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_LIBRARY_CONFIG_H
#define INQ_DETECTORS_LIBRARY_CONFIG_H

/* What a library says about its own build, read from its file. */

#include "image.h"
#include "library_name.h"

#define INQ_CONFIG_TEXT 192u

/*
 * "OpenBLAS 0.3.30 USE64BITINT DYNAMIC_ARCH NO_AFFINITY MAX_THREADS=64", "OpenSSL 3.5.1 1 Jul
 * 2025", "zlib 1.3.1". False when the file has no such text.
 */
bool inq_library_config(const struct inq_image *image, const struct inq_library *library,
                        char ret_text[INQ_CONFIG_TEXT]);

#endif
