/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "fact_table.h"
#include "text.h"

struct inq_error *inq_evidence_create(struct inq_evidence **ret_evidence)
{
    struct inq_evidence *evidence = calloc(1, sizeof(*evidence));
    if (!evidence)
        return &inq_error_oom;
    evidence->document = json_pack("{s:s, s:i}", "format", "inquest-report", "version", 1);
    if (!evidence->document) {
        inq_evidence_destroy(evidence);
        return &inq_error_oom;
    }
    *ret_evidence = evidence;
    return NULL;
}

void inq_evidence_destroy(struct inq_evidence *evidence)
{
    if (!evidence)
        return;
    json_decref(evidence->document);
    free(evidence);
}

/* The object that is to hold the last step of the path, made when missing; NULL when it cannot be.
 */
static json_t *parent_of(json_t *document, const char *path, const char **ret_key)
{
    json_t *object = document;
    char name[128];
    for (;;) {
        size_t size = strcspn(path, ".");
        if (path[size] == '\0')
            break;
        if (size == 0 || size >= sizeof(name))
            return NULL;
        memcpy(name, path, size);
        name[size] = '\0';
        json_t *next = json_object_get(object, name);
        if (!next || json_is_null(next)) {
            if (json_object_set_new(object, name, json_object()))
                return NULL;
            next = json_object_get(object, name);
        }
        if (!json_is_object(next))
            return NULL;
        object = next;
        path += size + 1;
    }
    *ret_key = path;
    return *path ? object : NULL;
}

void inq_evidence_set(struct inq_evidence *evidence, const char *path, json_t *value)
{
    const char *key = NULL;
    json_t *parent = value ? parent_of(evidence->document, path, &key) : NULL;
    if (!parent) {
        json_decref(value);
        evidence->failed = true;
        return;
    }
    bool known = !json_is_null(value);
    if (json_object_set_new(parent, key, value)) {
        evidence->failed = true;
        return;
    }
    json_t *unknown = json_object_get(evidence->document, "unknown");
    if (known && json_object_get(unknown, path))
        json_object_del(unknown, path);
}

/* Foreign bytes get their _base64 twin, whichever setter they come through. */
void inq_evidence_set_text(struct inq_evidence *evidence, const char *path, const char *text)
{
    const char *key = NULL;
    if (!text) {
        inq_evidence_set(evidence, path, json_null());
        return;
    }
    json_t *value = json_string(text);
    if (value) {
        inq_evidence_set(evidence, path, value);
        return;
    }
    inq_evidence_set(evidence, path, json_null());
    json_t *parent = parent_of(evidence->document, path, &key);
    if (parent)
        inq_json_set_foreign(parent, key, text);
    if (!parent || !json_is_string(json_object_get(parent, key)))
        evidence->failed = true;
}

void inq_evidence_set_int(struct inq_evidence *evidence, const char *path, int64_t value)
{
    inq_evidence_set(evidence, path, json_integer(value));
}

void inq_evidence_set_bool(struct inq_evidence *evidence, const char *path, bool value)
{
    inq_evidence_set(evidence, path, json_boolean(value));
}

void inq_evidence_set_addr(struct inq_evidence *evidence, const char *path, uint64_t addr)
{
    inq_evidence_set(evidence, path, inq_json_addr(addr));
}

void inq_evidence_set_unknown(struct inq_evidence *evidence, const char *path, const char *why, ...)
{
    struct inq_fact_value now = inq_evidence_get(evidence->document, path, NULL, NULL);
    if (now.known == INQ_KNOWN)
        return;
    char sentence[1024];
    va_list args;
    va_start(args, why);
    vsnprintf(sentence, sizeof(sentence), why, args);
    va_end(args);

    json_t *unknown = json_object_get(evidence->document, "unknown");
    if (!json_is_object(unknown)) {
        if (json_object_set_new(evidence->document, "unknown", json_object())) {
            evidence->failed = true;
            return;
        }
        unknown = json_object_get(evidence->document, "unknown");
    }
    inq_json_set_foreign(unknown, path, sentence);
    if (!json_is_string(json_object_get(unknown, path)))
        evidence->failed = true;
}

void inq_evidence_append(struct inq_evidence *evidence, const char *path, json_t *value)
{
    const char *key = NULL;
    json_t *parent = value ? parent_of(evidence->document, path, &key) : NULL;
    json_t *list = parent ? json_object_get(parent, key) : NULL;
    if (parent && (!list || json_is_null(list))) {
        inq_evidence_set(evidence, path, json_array());
        list = json_object_get(parent, key);
    }
    if (!json_is_array(list)) {
        json_decref(value);
        evidence->failed = true;
        return;
    }
    if (json_array_append_new(list, value))
        evidence->failed = true;
}

void inq_evidence_add_gap(struct inq_evidence *evidence, enum inq_code code, const char *where,
                          const char *what, const char *why)
{
    json_t *gap = json_object();
    if (!gap) {
        evidence->failed = true;
        return;
    }
    inq_json_set_foreign(gap, "code", inq_code_name(code));
    inq_json_set_foreign(gap, "where", where);
    inq_json_set_foreign(gap, "what", what);
    inq_json_set_foreign(gap, "why", why);
    if (json_object_size(gap) < 4)
        evidence->failed = true;
    inq_evidence_append(evidence, "gaps", gap);
}

void inq_evidence_set_gaps(struct inq_evidence *evidence, const struct inq_gaps *gaps)
{
    inq_evidence_set(evidence, "gaps", json_array());
    for (size_t i = 0; i < gaps->count; i++) {
        const struct inq_gap *gap = &gaps->items[i];
        inq_evidence_add_gap(evidence, gap->code, gap->where, gap->what, gap->why);
    }
    if (gaps->dropped > 0) {
        char what[96];
        snprintf(what, sizeof(what), "%" PRIu64 " more gaps than are listed", gaps->dropped);
        inq_evidence_add_gap(evidence, INQ_G_TRIMMED, "gaps", what, NULL);
        inq_evidence_append(evidence, "limits", json_string(what));
    }
}

json_t *inq_json_addr(uint64_t addr)
{
    char text[20];
    snprintf(text, sizeof(text), "0x%" PRIx64, addr);
    return json_string_nocheck(text);
}

bool inq_json_addr_value(const json_t *value, uint64_t *ret_addr)
{
    const char *text = json_string_value(value);
    if (!text || text[0] != '0' || text[1] != 'x')
        return false;
    uint64_t addr = 0;
    size_t digits = 0;
    for (const char *at = text + 2; *at; at++, digits++) {
        unsigned digit;
        if (*at >= '0' && *at <= '9')
            digit = (unsigned)(*at - '0');
        else if (*at >= 'a' && *at <= 'f')
            digit = (unsigned)(*at - 'a') + 10;
        else
            return false;
        addr = addr << 4 | digit;
    }
    if (digits == 0 || digits > 16)
        return false;
    *ret_addr = addr;
    return true;
}

void inq_json_set_bytes(json_t *object, const char *key, const char *bytes, size_t size)
{
    bool lossy = false;
    _cleanup_free_ char *text = inq_utf8_from_bytes(bytes, size, &lossy);
    if (!text || json_object_set_new(object, key, json_string(text)))
        inq_text_note_loss();
    if (!text || !lossy)
        return;
    char twin[160];
    int n = snprintf(twin, sizeof(twin), "%s_base64", key);
    _cleanup_free_ char *packed = inq_base64(bytes, size);
    if (n <= 0 || (size_t)n >= sizeof(twin))
        return;
    if (!packed || json_object_set_new(object, twin, json_string_nocheck(packed)))
        inq_text_note_loss();
}

void inq_json_set_foreign(json_t *object, const char *key, const char *string)
{
    if (string)
        inq_json_set_bytes(object, key, string, strlen(string));
    else
        json_object_set_new(object, key, json_null());
}
