/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_DETECTORS_H
#define INQ_DETECTORS_DETECTORS_H

/* The detectors of the table in detectors.c, one a file. */

#include "detector.h"

struct inq_error *inq_detect_abort_message(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_argument(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_bindings(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_collisions(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_code_page(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_dump_quality(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_exiting(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_families(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_fault(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_finalizing(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_fork(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_instruction(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_loading(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_map_count(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_owners(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_place(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_runtimes(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_copy_size(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_errno(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_seccomp(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_sender(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_signal_stack(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_stack(struct inq_dump *dump, struct inq_evidence *evidence);
struct inq_error *inq_detect_trap(struct inq_dump *dump, struct inq_evidence *evidence);

#endif
