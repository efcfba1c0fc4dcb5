/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_RULES_RULE_READ_H
#define INQ_RULES_RULE_READ_H

/* From the tree of a YAML file to rules. */

#include "rule_source.h"
#include "rules.h"

/*
 * Reads every rule of one file; ids are unique within it. The array and all it points to live in
 * source->arena.
 */
struct inq_error *inq_rules_read(struct inq_rule_source *source, const char *bytes, size_t size,
                                 struct inq_rule **ret_rules, size_t *ret_count);

#endif
