/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_READINGS_H
#define INQ_KLOG_READINGS_H

/*
 * What a crash's line means, which readings it excludes, and what would decide between the rest:
 * sentences for people, each an element of a JSON array of strings. Private to the layer.
 */

#include <jansson.h>

#include "klog_groups.h"

/* All return false without memory. */
bool inq_klog_add_meaning(json_t *list, const struct inq_klog_group *group);
bool inq_klog_add_excludes(json_t *list, const struct inq_klog_group *group);
bool inq_klog_add_open(json_t *list, const struct inq_klog_group *group);
/* "invalid read of ffffffffffffffff (-1) in libc.so.6"; to be freed */
char *inq_klog_title(const struct inq_klog_group *group);
/* "Kernel panic - not syncing: Attempted to kill init!": a process's end, and no trouble of the
 * kernel's own. */
bool inq_klog_is_init_death(const struct inq_klog_event *event);
/* Readings of the log as a whole: {id, grade, text}. */
bool inq_klog_add_readings(json_t *list, struct inq_klog_groups *groups,
                           const struct inq_klog_verdict *verdict);

#endif
