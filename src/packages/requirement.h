/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PACKAGES_REQUIREMENT_H
#define INQ_PACKAGES_REQUIREMENT_H

/*
 * One line of what a Python distribution needs: "dask[array] (>=2); extra == 'tests'". Format:
 * PyPA's dependency specifiers (PEP 508); names compare as PEP 503 says.
 */

#include <stdbool.h>
#include <stddef.h>

#define INQ_DIST_NAME 128u /* names on PyPI are far shorter */

/* Of the interpreter that the environment is for; "" where it is not known. */
struct inq_markers {
    char python[16]; /* "3.11" */
};

struct inq_requirement {
    char name[INQ_DIST_NAME]; /* normalised: lower case, runs of "-_." as one "-" */
    const char *extras;       /* inside the brackets, in the line */
    size_t extras_size;
    const char *marker; /* behind the semicolon, in the line */
    size_t marker_size;
};

/* False when there is no name, or one that is too long. */
bool inq_requirement_parse(const char *line, size_t size, struct inq_requirement *ret_requirement);

/* PEP 503; false when it does not fit. */
bool inq_dist_normalise(const char *name, size_t size, char ret_name[INQ_DIST_NAME]);

enum inq_marker { INQ_MARKER_NO, INQ_MARKER_YES, INQ_MARKER_MAYBE };

/*
 * Does the requirement hold on Linux, with this interpreter and, for `extra == …`, one of `extras`?
 * What depends on something that is not known is MAYBE; so is what cannot be parsed.
 */
enum inq_marker inq_marker_evaluate(const char *marker, size_t size,
                                    const struct inq_markers *markers, const char *const *extras,
                                    size_t n_extras);

#endif
