/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_WORKER_REDACT_H
#define INQ_WORKER_REDACT_H

/*
 * What must not leave the worker: secrets in arguments, environment values, messages and paths.
 * robustness.md of the design, "Redaction default".
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum inq_redact_level {
    INQ_REDACT_NONE,
    INQ_REDACT_DEFAULT,
    INQ_REDACT_STRICT, /* arguments dropped altogether, host and user names too */
};

/* The text with known secret shapes replaced by "[redacted]"; to be freed, NULL without memory. */
char *inq_redact_text(const char *text, enum inq_redact_level level);
/*
 * Arguments: also the value after `--*pass*`, `-p`, `*token*=`, ... Changes the array in place.
 * False when there was no memory for all of it: what could not be redacted was taken out.
 */
bool inq_redact_arguments(json_t *arguments, enum inq_redact_level level);
/* true when a variable may leave with its (redacted) value; all others keep only their name. */
bool inq_redact_environment_allowed(const char *name);
/*
 * Every string in the document, whatever stage set it: the last step before the pipe. False as
 * above: the document holds nothing that it should not, but is not to be used.
 */
bool inq_redact_document(json_t *document, enum inq_redact_level level);

#endif
