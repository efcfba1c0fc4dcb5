/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_REPORT_LIBS_TEXT_H
#define INQ_REPORT_LIBS_TEXT_H

/*
 * Libraries in words: what the section of a triage and the pages of `libs` share. Private to the
 * layer.
 */

#include "page.h"

/* From the most telling down: proven, strong, plausible, inconclusive, context, refuted. */
enum inq_crossing {
    INQ_CROSSING_PROVEN,
    INQ_CROSSING_STRONG,
    INQ_CROSSING_PLAUSIBLE,
    INQ_CROSSING_CONTEXT,
    INQ_CROSSING_OPEN,
    INQ_CROSSING_NONE,
    INQ_CROSSINGS
};
/* What a collision's `grade` says; INQ_CROSSING_OPEN without one. */
enum inq_crossing inq_libs_crossing(const json_t *collision);

/* modules[] at an index that stands in a document; NULL when it is none. */
const json_t *inq_libs_module(const struct inq_page *page, const json_t *index);
/* "eckitlib/lib64/libldap-2.4.so.2", "bin/python3.12"; "?" without a path. */
const char *inq_libs_short_path(const json_t *module);
/* "wheel eckitlib 2.0.1 (pip) ← eccodeslib ← eccodes": appended; nothing without an owner. */
void inq_libs_owner(const json_t *module, struct inq_text *text);

/* One row of a copy: scope, file, ABI and how it was built, owner. */
void inq_libs_put_copy(struct inq_page *page, const json_t *module, bool scoped);
/* "libldap: 3 copies, 253 slots bound across" and its grade, as a line. */
void inq_libs_put_title(struct inq_page *page, const json_t *collision);
/* Title, copies, and what was found. */
void inq_libs_put_collision(struct inq_page *page, const json_t *collision);
/* "blas (2 copies), openjp2 (3 copies)": those that nothing is bound across. */
void inq_libs_put_acquitted(struct inq_page *page, const json_t *collisions);

#endif
