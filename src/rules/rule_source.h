/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_RULES_RULE_SOURCE_H
#define INQ_RULES_RULE_SOURCE_H

/*
 * A signature file while it is being read: what an error needs to name its place, and the YAML text
 * as a small tree. Every limit on a file is here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "error.h"

#define INQ_RULES_FILE_BYTES (4u * 1024u * 1024u)
#define INQ_RULES_PER_FILE 10000u
#define INQ_RULES_CONDITIONS 256u /* a rule: when, unless, proof and against together */
#define INQ_RULES_STRING 4096u    /* bytes of one text */
#define INQ_RULES_NESTING 16u
#define INQ_RULES_NODES 400000u /* a file: keeps 4 MiB of "[],[],…" from taking 100 MB */

/* One file. `place_size` bytes of the last error's message are its "FILE:LINE:COLUMN: ". */
struct inq_rule_source {
    struct inq_arena *arena;
    const char *file;
    uint64_t fingerprint; /* of the file's bytes */
    unsigned error_line, error_column;
    size_t place_size;
};

/* INQ_E_RULE with the place in front of the message and in `source`. Lines and columns from 1. */
struct inq_error *inq_rule_source_error(struct inq_rule_source *source, unsigned line,
                                        unsigned column, const char *format, ...)
    __attribute__((format(printf, 4, 5), warn_unused_result));

enum inq_node_kind { INQ_NODE_TEXT, INQ_NODE_LIST, INQ_NODE_MAP };

struct inq_node {
    enum inq_node_kind kind;
    unsigned line, column; /* of the first character, from 1 */
    unsigned text_column;  /* of text[0], when the text stands in the file as it is; else 0 */
    const char *text;      /* INQ_NODE_TEXT: NUL-terminated, holds no NUL */
    size_t size;
    const struct inq_node *first; /* children; of a map: key, value, key, value … */
    const struct inq_node *next;
    size_t count; /* children; of a map: keys and values together */
};

/* An error that points into the middle of a text. */
struct inq_error *inq_node_error(struct inq_rule_source *source, const struct inq_node *node,
                                 size_t at, const char *format, ...)
    __attribute__((format(printf, 4, 5), warn_unused_result));

/*
 * Reads one YAML document. Anchors, aliases, tags and further documents are refused: a signature
 * needs none of them and each is a known way to make a small file large. NULL in *ret_root when
 * the file holds no document at all. The tree lives in source->arena.
 */
struct inq_error *inq_yaml_read(struct inq_rule_source *source, const char *bytes, size_t size,
                                const struct inq_node **ret_root);

#endif
