/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_CLI_SIGNATURES_H
#define INQ_CLI_SIGNATURES_H

/* The commands below `inquest signatures`. */

#include "cli.h"
#include "verdict.h"

int cli_signatures_test(struct cli *cli);
int cli_signatures_explain(struct cli *cli);

/* A line for each signature file that was refused. */
void cli_tell_refused(struct cli *cli, const struct inq_rules *rules);
/* By id; NULL after a message with the nearest one. */
const struct inq_rule *cli_find_signature(struct cli *cli, const struct inq_rules *rules,
                                          const char *id);

#endif
