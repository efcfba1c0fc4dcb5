/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_BOUNDS_H
#define INQ_BASE_BOUNDS_H

/* Default bounds: robustness.md of the design, "B". One place, so that the manual can list them. */

#include <stdint.h>

#define INQ_MIB (1024ull * 1024ull)
#define INQ_GIB (1024ull * INQ_MIB)

#define INQ_MAX_THREADS_LISTED 4096u
#define INQ_MAX_THREADS_UNWOUND 256u
#define INQ_MAX_FRAMES_SHOWN 256u  /* a thread: half innermost, half outermost */
#define INQ_MAX_INLINED_SHOWN 1024u /* a thread: functions inlined into those frames */
#ifndef INQ_MAX_FRAMES_WALKED /* the fuzzers have a smaller one */
#define INQ_MAX_FRAMES_WALKED 1000000u /* a core: CFI steps are bounded by INQ_MAX_CFI_STEPS */
#endif
#define INQ_MAX_CFI_STEPS 4000000u
#define INQ_MAX_MODULES 4096u
#define INQ_MAX_SEGMENTS 1048576u /* vm.max_map_count of the most generous distributions */
#define INQ_MAX_LINK_MAPS 16384u
#define INQ_MAX_FOREIGN_LISTED 262144u /* slots that are bound to another copy */
#define INQ_MAX_LOOKUP_STEPS (1ull << 28) /* entries of hash chains, and of DT_NEEDED, in all */
#define INQ_MAX_TABLES_COPIED ((size_t)64 << 20) /* bytes of symbol tables from a stream */
#define INQ_MAX_STRING 4096u
#define INQ_MAX_NOTES_BYTES (256ull * INQ_MIB)
#define INQ_MAX_NOTES 4194304u
#define INQ_MAX_GAPS 1024u
#define INQ_MAX_ZSTD_WINDOW_LOG 27 /* 128 MiB */
#define INQ_MAX_UNPACKED (32ull * INQ_GIB)
#define INQ_MAX_WORKER_OUTPUT (64ull * INQ_MIB)
#define INQ_MAX_FILE_BYTES (2ull * INQ_GIB) /* a module or debug file */
#define INQ_MAX_METADATA_BYTES (4ull * INQ_MIB)  /* a file of one package */
#define INQ_MAX_DATABASE_BYTES (32ull * INQ_MIB) /* of all packages; also what conda keeps of one */
#define INQ_MAX_LISTED_NAMES 65536u              /* of a folder's entries, and their bytes: */
#define INQ_MAX_LISTING_BYTES (4ull * INQ_MIB)
#define INQ_MAX_SCRIPT_BYTES (1ull * INQ_MIB)
#define INQ_WALL_SECONDS 30u
#define INQ_CPU_SECONDS 20u
#define INQ_SECONDS_PER_GIB 3u /* more for each GiB of compressed input */
#define INQ_WORKER_DATA_BYTES (1ull * INQ_GIB)

#endif
