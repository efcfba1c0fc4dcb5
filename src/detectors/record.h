/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_RECORD_H
#define INQ_DETECTORS_RECORD_H

/* The parts of inq_record(), one a file. A failure is in evidence->failed. */

#include "detector.h"

void inq_record_core(struct inq_dump *dump, struct inq_evidence *evidence);
void inq_record_process(struct inq_dump *dump, struct inq_evidence *evidence);
void inq_record_signal(struct inq_dump *dump, struct inq_evidence *evidence);
void inq_record_threads(struct inq_dump *dump, struct inq_evidence *evidence);
void inq_record_modules(struct inq_dump *dump, struct inq_evidence *evidence);

#endif
