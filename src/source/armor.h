/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_SOURCE_ARMOR_H
#define INQ_SOURCE_ARMOR_H

/*
 * The dump inside an apport report (/var/crash/_usr_bin_foo.1000.crash): a text of "Key: value"
 * lines (deb822), in which "CoreDump: base64" is followed by lines that begin with a space, each a
 * piece of one gzip stream in base64 with padding of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum inq_armor_state {
    INQ_ARMOR_LINE_START, /* before the key: at the begin of a line */
    INQ_ARMOR_KEY,        /* a line that may be the key */
    INQ_ARMOR_OTHER,      /* a line that is not */
    INQ_ARMOR_INDENT,     /* behind the key: the begin of a line */
    INQ_ARMOR_BODY,
    INQ_ARMOR_DONE,
};

struct inq_armor {
    enum inq_armor_state state;
    size_t matched; /* of the key */
    uint32_t bits;
    unsigned n_bits;
    bool damaged;
};

/* Does a file begin like an apport report? */
bool inq_armor_begins(const uint8_t *bytes, size_t size);

/*
 * Decodes text to bytes, in place is allowed: `out` has room for `size` bytes. Returns how many
 * there are; `state` is DONE when the dump is over, and `damaged` tells of characters that are not
 * base64.
 */
size_t inq_armor_decode(struct inq_armor *armor, const uint8_t *text, size_t size, uint8_t *out);

#endif
