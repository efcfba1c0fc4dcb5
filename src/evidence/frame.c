/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "cursor.h"
#include "io.h"
#include "bounds.h"
#include "trim.h"

static const char magic[8] = {'I', 'N', 'Q', 'E', 'V', 'I', 'D', '1'};

static void put_le(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static int write_frame(int fd, uint32_t kind, const char *payload, size_t size)
{
    uint8_t header[INQ_FRAME_HEADER_BYTES];
    memcpy(header, magic, sizeof(magic));
    put_le(header + 8, kind, 4);
    put_le(header + 12, size, 8);
    if (inq_write_full(fd, header, sizeof(header)))
        return -1;
    return inq_write_full(fd, payload, size);
}

int inq_frame_write_evidence(int fd, struct inq_evidence *evidence)
{
    _cleanup_free_ char *payload = NULL;
    if (!evidence->failed)
        payload = inq_trim_dump(evidence, INQ_MAX_WORKER_OUTPUT - INQ_FRAME_HEADER_BYTES);
    if (!payload)
        return inq_frame_write_error(fd, &inq_error_oom);
    return write_frame(fd, INQ_FRAME_EVIDENCE, payload, strlen(payload));
}

int inq_frame_write_error(int fd, const struct inq_error *error)
{
    json_t *object = json_pack("{s:i}", "code", (int)error->code);
    if (object) {
        inq_json_set_foreign(object, "message", error->message);
        inq_json_set_foreign(object, "file", error->file);
        if (error->has_offset && error->offset <= INT64_MAX)
            json_object_set_new(object, "offset", json_integer((json_int_t)error->offset));
        if (error->has_addr)
            json_object_set_new(object, "address", inq_json_addr(error->addr));
    }
    _cleanup_free_ char *payload = object ? inq_evidence_dump(object, false) : NULL;
    json_decref(object);
    if (!payload) {
        char fallback[32];
        int size = snprintf(fallback, sizeof(fallback), "{\"code\":%d}", (int)error->code);
        return write_frame(fd, INQ_FRAME_ERROR, fallback, (size_t)size);
    }
    return write_frame(fd, INQ_FRAME_ERROR, payload, strlen(payload));
}

static struct inq_error *damaged(const char *what)
{
    return inq_error_create(INQ_E_WORKER_OUTPUT, "the worker's answer is damaged: %s", what);
}

/* A registered code, and one that may end a command. */
static bool read_code(const json_t *value, enum inq_code *ret_code)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number <= 0 || number > 999)
        return false;
    enum inq_code code = (enum inq_code)number;
    if (!strcmp(inq_code_name(code), inq_code_name(INQ_OK)) || inq_code_exit(code) == 0)
        return false;
    *ret_code = code;
    return true;
}

static struct inq_error *parse_error(const char *bytes, size_t size, struct inq_error **ret_error)
{
    enum inq_code code;
    uint64_t addr;
    if (size > 65536)
        return damaged("an error that is too long");
    json_t *object = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object) || !read_code(json_object_get(object, "code"), &code)) {
        json_decref(object);
        return damaged("an error without a code");
    }
    const char *message = json_string_value(json_object_get(object, "message"));
    const char *file = json_string_value(json_object_get(object, "file"));
    const json_t *offset = json_object_get(object, "offset");
    struct inq_error *error =
        inq_error_create(code, "%s", message && *message ? message : inq_code_text(code));
    if (file)
        error = inq_error_in(error, file);
    if (json_is_integer(offset) && json_integer_value(offset) >= 0)
        error = inq_error_at(error, (uint64_t)json_integer_value(offset));
    if (inq_json_addr_value(json_object_get(object, "address"), &addr))
        error = inq_error_at_addr(error, addr);
    json_decref(object);
    *ret_error = error;
    return NULL;
}

struct inq_error *inq_frame_parse(const char *bytes, size_t size,
                                  struct inq_evidence **ret_evidence,
                                  struct inq_error **ret_worker_error)
{
    struct inq_cursor cursor = inq_cursor_init(bytes, size, false, 8);
    const uint8_t *found;
    uint32_t kind;
    uint64_t payload_size;
    if (size > INQ_MAX_WORKER_OUTPUT)
        return damaged("too large");
    if (!inq_cursor_bytes(&cursor, sizeof(magic), &found) || !inq_cursor_u32(&cursor, &kind) ||
        !inq_cursor_u64(&cursor, &payload_size))
        return damaged("cut short");
    if (memcmp(found, magic, sizeof(magic)) != 0)
        return damaged("not a frame");
    if (payload_size != inq_cursor_left(&cursor))
        return damaged(payload_size > inq_cursor_left(&cursor) ? "cut short"
                                                               : "more follows than it says");
    const char *payload = bytes + cursor.pos;
    if (kind == INQ_FRAME_ERROR)
        return parse_error(payload, (size_t)payload_size, ret_worker_error);
    if (kind != INQ_FRAME_EVIDENCE)
        return damaged("unknown kind");
    return inq_evidence_parse(payload, (size_t)payload_size, "worker", ret_evidence);
}
