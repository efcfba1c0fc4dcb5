/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_EVIDENCE_EVIDENCE_H
#define INQ_EVIDENCE_EVIDENCE_H

/*
 * The waist of the hourglass: what is known about one dead process, as one JSON document in the
 * form of the report (docs/report.md). Below it code asks memory and registers; above it nothing
 * else is known.
 *
 * A fact is a path in that document ("signal.name", "fault.address_class"). It is in one of three
 * states:
 *   known    a value is there
 *   none     nothing is there and nobody says why: it was looked for and does not apply
 *   unknown  nothing is there and `unknown` (a map in the document) says why; or nothing in this
 *            version looks for it (facts.h)
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "gaps.h"

struct inq_evidence {
    json_t *document; /* an object; owned */
    bool failed;      /* some setter had no memory: the evidence must not be used */
};

struct inq_error *inq_evidence_create(struct inq_evidence **ret_evidence);
void inq_evidence_destroy(struct inq_evidence *evidence); /* takes NULL */
static inline void inq_evidence_destroyp(struct inq_evidence **e) { inq_evidence_destroy(*e); }

/*
 * Setters. `path` is dotted ("fault.address_class"); objects on the way are made. Setting a fact
 * removes its "unknown" entry.
 */
void inq_evidence_set(struct inq_evidence *evidence, const char *path, json_t *value); /* steals */
void inq_evidence_set_text(struct inq_evidence *evidence, const char *path, const char *text);
void inq_evidence_set_int(struct inq_evidence *evidence, const char *path, int64_t value);
void inq_evidence_set_bool(struct inq_evidence *evidence, const char *path, bool value);
void inq_evidence_set_addr(struct inq_evidence *evidence, const char *path, uint64_t addr);
/* Why a fact could not be known; printf-style. Does nothing when the fact has a value. */
void inq_evidence_set_unknown(struct inq_evidence *evidence, const char *path, const char *why, ...)
    __attribute__((format(printf, 3, 4)));
/* The gap list of the analysis, as gaps[]. */
void inq_evidence_set_gaps(struct inq_evidence *evidence, const struct inq_gaps *gaps);
/* One more gap, above the waist where there is no gap list. */
void inq_evidence_add_gap(struct inq_evidence *evidence, enum inq_code code, const char *where,
                          const char *what, const char *why);
/* Appends to the list at `path` (made when missing); steals. */
void inq_evidence_append(struct inq_evidence *evidence, const char *path, json_t *value);

/* Values for lists of objects. All return new references, NULL without memory. */
json_t *inq_json_addr(uint64_t addr); /* "0x7f12": lower-case, no padding */
/*
 * Foreign text under `key`: valid UTF-8; when bytes had to be changed, `key`_base64 holds the
 * original ones. Without memory it is left out, and inq_text_losses() (text.h) tells.
 */
void inq_json_set_bytes(json_t *object, const char *key, const char *bytes, size_t size);
void inq_json_set_foreign(json_t *object, const char *key, const char *string); /* NULL: null */

/* "0x…" to a number; false when it is none. */
bool inq_json_addr_value(const json_t *value, uint64_t *ret_addr);

/* Three-valued look-up. */
enum inq_known { INQ_KNOWN, INQ_NONE, INQ_UNKNOWN };
struct inq_fact_value {
    enum inq_known known;
    const json_t *value; /* borrowed; NULL unless known */
    const char *why;     /* for unknown; borrowed, never NULL then */
};
/*
 * `element`/`element_name`: what a quantifier is at ("module" → that object), or NULL. Aliases:
 * `crashed.` is the crashing thread, `frame[N].` its frame N (also `crashed.frame[N].`).
 */
struct inq_fact_value inq_evidence_get(const json_t *document, const char *path,
                                       const char *element_name, const json_t *element);
/* The same within several quantifiers (facts.h); `scope` may be NULL. */
struct inq_fact_scope;
struct inq_fact_value inq_evidence_get_in(const json_t *document, const char *path,
                                          const struct inq_fact_scope *scope);
/*
 * Element `index` of a list: of indexes into modules[], the module. NULL when it is not there.
 */
struct inq_fact;
const json_t *inq_evidence_element(const json_t *document, const struct inq_fact *list,
                                   const json_t *values, size_t index);

/*
 * JSON text: compact or indented, ASCII only (all else as \u escapes), keys in the order of
 * docs/report.md. To be freed; NULL without memory.
 */
char *inq_evidence_dump(const json_t *document, bool indent);
/*
 * Reads a document back and checks it against the dictionary: types, enumerations, nesting ≤ 16,
 * lists within their limits. Used on what a worker sends and on files a user hands in.
 */
struct inq_error *inq_evidence_parse(const char *bytes, size_t size, const char *name,
                                     struct inq_evidence **ret_evidence);

#endif
