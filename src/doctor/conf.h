/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DOCTOR_CONF_H
#define INQ_DOCTOR_CONF_H

/*
 * One setting of systemd's configuration, main files and drop-ins put together: systemd.syntax(7)
 * and "Configuration directories and precedence" of coredump.conf(5).
 */

#include <stdbool.h>
#include <stdint.h>

#include "machine.h"

struct inq_conf_value {
    char *value; /* NULL: nobody sets it. Owned */
    char *file;  /* that has it. Owned */
};

void inq_conf_value_deinit(struct inq_conf_value *value);

/*
 * `key` in [section] of `name` ("coredump.conf"), which lies in etc/systemd, run/systemd,
 * usr/local/lib/systemd, usr/lib/systemd or lib/systemd; `name`.d in all of these. An empty value
 * takes back what was set before. Without memory it is as if nobody had set it, and *failed is set.
 */
struct inq_conf_value inq_conf_get(const struct inq_machine *machine, const char *name,
                                   const char *section, const char *key, bool *failed);
/* The same for a unit: below the folders' `system`. *ret_found: there is a file for it. */
struct inq_conf_value inq_conf_unit_get(const struct inq_machine *machine, const char *unit,
                                        const char *key, bool *ret_found, bool *failed);

/* "infinity", "2G", "512M", "4096": IEC units, as systemd reads sizes. False when it is no size. */
bool inq_conf_size(const char *text, uint64_t *ret_bytes);

#endif
