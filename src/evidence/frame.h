/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_EVIDENCE_FRAME_H
#define INQ_EVIDENCE_FRAME_H

/*
 * What a worker writes to its result pipe: one frame, then it exits.
 *
 *     "INQEVID1"  u32 kind (little-endian)  u64 size  payload
 *
 * kind 1: the payload is an evidence document (JSON). kind 2: an error, as the JSON object
 * {"code": number, "message", "file", "offset"}. The parent believes nothing else, and nothing of a
 * frame that is cut, too large, or does not pass inq_evidence_parse().
 */

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "evidence.h"

#define INQ_FRAME_EVIDENCE 1u
#define INQ_FRAME_ERROR 2u
#define INQ_FRAME_HEADER_BYTES 20u

/*
 * How a worker is started: descriptors 3, 4 and 5, nothing else but /dev/null on 0 and 1 and
 * perhaps a pipe on 2, an empty environment, and these arguments, each optional and in any order:
 *
 *     --name=TEXT               the dump's name, for messages (raw bytes possible)
 *     --engine=libunwind|dwfl|ucd
 *     --redact=default|none|strict
 *     --stacks                  threads and names alone
 *     --executable              --executable was given: the broker knows which file
 *     --no-sandbox  --require-sandbox
 *     --data-bytes=N            RLIMIT_DATA
 *     --cpu-seconds=N           RLIMIT_CPU
 *
 * With --serve it reads no dump itself: start.h.
 */
/* Descriptors a worker is started with. */
#define INQ_WORKER_FD_CORE 3
#define INQ_WORKER_FD_RESULT 4
#define INQ_WORKER_FD_BROKER 5

/*
 * 0, or -1 with errno. Evidence over INQ_MAX_WORKER_OUTPUT is trimmed first (frames, then
 * modules).
 */
int inq_frame_write_evidence(int fd, struct inq_evidence *evidence);
int inq_frame_write_error(int fd, const struct inq_error *error);

/*
 * Parses a whole frame. On success exactly one of *ret_evidence and *ret_worker_error is set; the
 * returned error means that the frame itself is no good (INQ_E_WORKER_OUTPUT).
 */
struct inq_error *inq_frame_parse(const char *bytes, size_t size,
                                  struct inq_evidence **ret_evidence,
                                  struct inq_error **ret_worker_error);

#endif
