/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_KLOG_DOCUMENT_H
#define INQ_KLOG_KLOG_DOCUMENT_H

/* What `inquest klog --json` prints: docs/klog.md describes every member. */

#include <jansson.h>

#include "klog.h"
#include "klog_groups.h"

struct inq_klog_source {
    const char *name;
    struct inq_klog_stats stats;
    uint64_t events;
};

/* A new reference. Only what was counted and seen goes in; no cause above plausible. */
struct inq_error *inq_klog_document(struct inq_klog_groups *groups,
                                    const struct inq_klog_source *sources, size_t n_sources,
                                    json_t **ret_document);

/* One event as an element of kernel_log[]; NULL without memory. */
json_t *inq_klog_event_json(const struct inq_klog_event *event);

#endif
