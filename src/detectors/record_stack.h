/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_RECORD_STACK_H
#define INQ_DETECTORS_RECORD_STACK_H

#include <jansson.h>

#include "record_json.h"
#include "thread_stacks.h"

/* threads[].stack without what only the crashing thread has; sets nothing for an unknown stack. */
void inq_record_stack(struct inq_json_writer *w, json_t *object, const struct inq_core *core,
                      const struct inq_thread_stack *stack);

#endif
