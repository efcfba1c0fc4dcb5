/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_DETECTORS_OWNER_FACTS_H
#define INQ_DETECTORS_OWNER_FACTS_H

#include <jansson.h>

#include "owners.h"

/* modules[].owner of one module; nothing when no owner is known. */
struct inq_error *inq_owner_record(json_t *module, const struct inq_owner *owner);

#endif
