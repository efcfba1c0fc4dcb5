/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_STORE_FILTER_H
#define INQ_STORE_FILTER_H

/* Inner part of the store: a filter as parameters 1 to 5 of a statement (FILTER in sql.c). */

#include "sql.h"

void inq_filter_bind(sqlite3_stmt *statement, const struct inq_store_filter *filter);

#endif
