/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_KNOWN_ISSUES_H
#define INQ_PIPELINE_KNOWN_ISSUES_H

/*
 * A list of issues that somebody knows of already, one a line:
 *
 *     # what         which            link                          until (may be left out)
 *     group          9f21c0aa0b1d     https://tracker/OPS-12        2027-01-31
 *     signature      free-near-null   https://tracker/OPS-14
 */

#include <jansson.h>
#include <stdint.h>

#include "array.h"
#include "error.h"

struct inq_known_issue {
    bool by_group;
    char *which; /* a group's id (or its beginning, 8 characters at least), or a signature's */
    char *link;
    int64_t until; /* seconds since 1970, the first that it does not hold for; 0: for ever */
};

struct inq_known_issues {
    INQ_ARRAY(struct inq_known_issue) items;
};

/* INQ_E_CONFIG names file and line. */
struct inq_error *inq_known_issues_read(const char *path, struct inq_known_issues *ret_issues);
void inq_known_issues_deinit(struct inq_known_issues *issues);

/*
 * The link of the first issue that a report's group or first verdict belongs to and that holds now;
 * NULL when none. Lives as long as the list. Takes NULL.
 */
const char *inq_known_issues_find(const struct inq_known_issues *issues, const json_t *report,
                                  int64_t now);
/* Sets group.seen.known_issue where there is one. */
void inq_known_issues_apply(const struct inq_known_issues *issues, json_t *report, int64_t now);

#endif
