/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_PATTERN_H
#define INQ_PIPELINE_PATTERN_H

/*
 * File names of dumps: the kernel's pattern, the user's, and those that distributions use.
 * inq_pattern_match() itself is in pipeline.h.
 */

#include "evidence.h"
#include "pipeline.h"

/*
 * Two conversions of our own for names that systemd-coredump makes; control characters, so that
 * nobody's pattern holds them.
 */
#define INQ_PATTERN_SYSTEMD_COMM "\001" /* comm with \xNN escapes */
#define INQ_PATTERN_BOOT_ID "\002"      /* 32 hex digits */

/*
 * The first line of /proc/sys/kernel/core_pattern (a "|" at its start means a pipe); to be freed;
 * NULL when it cannot be read.
 */
char *inq_pattern_of_kernel(void);

/*
 * Sets name_facts (with its contradictions), process.hostname, and process.crashed_at with its
 * source. `path` is the dump's name; `pattern` the user's or NULL; `mtime` is 0 when there is no
 * file; `fd` is the file, or -1.
 */
void inq_name_facts_set(struct inq_evidence *evidence, const char *path, const char *pattern,
                        int64_t mtime, int fd);

/*
 * handler_facts.c: what systemd-coredump or ABRT wrote down about the dump `fd` (-1 without) of
 * that name, with the keys of inq_pattern_match(); NULL when there is nothing. New reference.
 */
json_t *inq_handler_facts(int fd, const char *path, const char **ret_handler);

#endif
