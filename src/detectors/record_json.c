/* SPDX-License-Identifier: Apache-2.0 */
#include "record_json.h"

#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "text.h"

void inq_json_put(struct inq_json_writer *w, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value))
        w->failed = true;
}

void inq_json_put_int(struct inq_json_writer *w, json_t *object, const char *key, int64_t value)
{
    inq_json_put(w, object, key, json_integer(value));
}

void inq_json_put_bool(struct inq_json_writer *w, json_t *object, const char *key, bool value)
{
    inq_json_put(w, object, key, json_boolean(value));
}

void inq_json_put_addr(struct inq_json_writer *w, json_t *object, const char *key, uint64_t addr)
{
    char text[19], *at = text + sizeof(text);

    *--at = '\0';
    do {
        *--at = "0123456789abcdef"[addr & 15];
        addr >>= 4;
    } while (addr);
    *--at = 'x';
    *--at = '0';
    inq_json_put(w, object, key, json_stringn_nocheck(at, (size_t)(text + sizeof(text) - 1 - at)));
}

/* Nearly every string of a dump is printable ASCII, which needs no look at UTF-8. */
static bool is_plain(const char *text, size_t *ret_size)
{
    const char *at = text;

    while (*at >= 0x20 && *at < 0x7f)
        at++;
    *ret_size = (size_t)(at - text);
    return *at == '\0';
}

void inq_json_put_text(struct inq_json_writer *w, json_t *object, const char *key, const char *text)
{
    size_t size;

    if (!text) {
        inq_json_put(w, object, key, json_null());
        return;
    }
    if (is_plain(text, &size)) {
        inq_json_put(w, object, key, json_stringn_nocheck(text, size));
        return;
    }
    inq_json_set_foreign(object, key, text);
    if (!json_is_string(json_object_get(object, key)))
        w->failed = true;
}

void inq_json_push(struct inq_json_writer *w, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value))
        w->failed = true;
}

json_t *inq_json_text(const char *text)
{
    bool lossy;
    _cleanup_free_ char *clean = inq_utf8_from_bytes(text, strlen(text), &lossy);

    return clean ? json_string(clean) : NULL;
}
