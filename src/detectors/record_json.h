/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_RECORD_JSON_H
#define INQ_DETECTORS_RECORD_JSON_H

/*
 * Building big lists quickly: a dump can give 65,000 frames with ten members each. Every function
 * notes a failure instead of returning it, so that a page of them needs one check.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct inq_json_writer {
    bool failed; /* there was no memory */
};

/* `key` is a literal of ours. All take ownership of new values, and a NULL value is a failure. */
void inq_json_put(struct inq_json_writer *w, json_t *object, const char *key, json_t *value);
void inq_json_put_int(struct inq_json_writer *w, json_t *object, const char *key, int64_t value);
void inq_json_put_bool(struct inq_json_writer *w, json_t *object, const char *key, bool value);
void inq_json_put_addr(struct inq_json_writer *w, json_t *object, const char *key, uint64_t addr);
/* Foreign text; NULL becomes null. */
void inq_json_put_text(struct inq_json_writer *w, json_t *object, const char *key,
                       const char *text);
void inq_json_push(struct inq_json_writer *w, json_t *array, json_t *value);

/* Foreign bytes as one string value, without a base64 twin. NULL without memory. */
json_t *inq_json_text(const char *text);

#endif
