/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "evidence_tests.h"
#include "trim.h"

/* What a small write leaves in a pipe; to be freed. */
static char *from_pipe(int fds[2], size_t *ret_size)
{
    char *bytes = malloc(65536);
    close(fds[1]);
    ssize_t size = read(fds[0], bytes, 65536);
    assert_true(size > 0);
    close(fds[0]);
    char *exact = malloc((size_t)size); /* so that ASan sees a read beyond the end */
    memcpy(exact, bytes, (size_t)size);
    free(bytes);
    *ret_size = (size_t)size;
    return exact;
}

static char *evidence_frame(size_t *ret_size)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    int fds[2];
    assert_null(inq_evidence_create(&evidence));
    inq_evidence_set_text(evidence, "signal.name", "SIGSEGV");
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(inq_frame_write_evidence(fds[1], evidence), 0);
    return from_pipe(fds, ret_size);
}

static void assert_damaged(const char *bytes, size_t size)
{
    struct inq_evidence *evidence = NULL;
    struct inq_error *worker_error = NULL;
    struct inq_error *error = inq_frame_parse(bytes, size, &evidence, &worker_error);
    assert_non_null(error);
    assert_int_equal(error->code, INQ_E_WORKER_OUTPUT);
    assert_null(evidence);
    assert_null(worker_error);
    inq_error_destroy(error);
}

static void evidence_goes_through(void **state)
{
    (void)state;
    size_t size;
    _cleanup_free_ char *bytes = evidence_frame(&size);
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    struct inq_error *worker_error = NULL;
    assert_null(inq_frame_parse(bytes, size, &evidence, &worker_error));
    assert_null(worker_error);
    assert_int_equal(inq_evidence_get(evidence->document, "signal.name", NULL, NULL).known,
                     INQ_KNOWN);
}

static void cut_at_every_byte(void **state)
{
    (void)state;
    size_t size;
    _cleanup_free_ char *bytes = evidence_frame(&size);
    for (size_t cut = 0; cut < size; cut++) {
        _cleanup_free_ char *part = malloc(cut + 1);
        memcpy(part, bytes, cut);
        assert_damaged(part, cut);
    }
}

/* A flipped byte is refused, or changes nothing but a value. */
static void damaged_at_every_byte(void **state)
{
    (void)state;
    size_t size;
    _cleanup_free_ char *bytes = evidence_frame(&size);
    for (size_t at = 0; at < size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct inq_evidence *evidence = NULL;
            struct inq_error *worker_error = NULL;
            bytes[at] = (char)(bytes[at] ^ (1 << bit));
            struct inq_error *error = inq_frame_parse(bytes, size, &evidence, &worker_error);
            assert_int_equal((error != NULL) + (evidence != NULL) + (worker_error != NULL), 1);
            if (at < INQ_FRAME_HEADER_BYTES)
                assert_non_null(error);
            inq_error_destroy(error);
            inq_error_destroy(worker_error);
            inq_evidence_destroy(evidence);
            bytes[at] = (char)(bytes[at] ^ (1 << bit));
        }
    }
}

static void more_than_a_frame(void **state)
{
    (void)state;
    size_t size;
    _cleanup_free_ char *bytes = evidence_frame(&size);
    _cleanup_free_ char *longer = calloc(1, size + 1);
    memcpy(longer, bytes, size);
    assert_damaged(longer, size + 1);
}

static void errors_go_through(void **state)
{
    (void)state;
    size_t size;
    int fds[2];
    struct inq_error *sent = inq_error_at(
        inq_error_in(inq_error_create(INQ_E_NOT_ELF, "not \x1b\xff ELF"), "a\nb"), 0x1f40);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(inq_frame_write_error(fds[1], sent), 0);
    inq_error_destroy(sent);
    _cleanup_free_ char *bytes = from_pipe(fds, &size);
    struct inq_evidence *evidence = NULL;
    _cleanup_(inq_error_destroyp) struct inq_error *got = NULL;
    assert_null(inq_frame_parse(bytes, size, &evidence, &got));
    assert_null(evidence);
    assert_int_equal(got->code, INQ_E_NOT_ELF);
    assert_string_equal(got->message, "not \x1b\\xff ELF");
    assert_string_equal(got->file, "a\nb");
    assert_true(got->has_offset && got->offset == 0x1f40);
}

static void put_frame(char *out, const char *payload, size_t *ret_size)
{
    size_t size = strlen(payload);
    memcpy(out, "INQEVID1\2\0\0\0\0\0\0\0\0\0\0\0", INQ_FRAME_HEADER_BYTES);
    out[12] = (char)size;
    memcpy(out + INQ_FRAME_HEADER_BYTES, payload, size);
    *ret_size = INQ_FRAME_HEADER_BYTES + size;
}

static void errors_must_have_a_real_code(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{\"code\":0}",  "{\"code\":-1}", "{\"code\":998}", "{\"code\":\"30\"}", "{}", "[]", "7",
        "{\"code\":61}", /* a gap that ends nothing */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char bytes[128];
        size_t size;
        put_frame(bytes, wrong[i], &size);
        assert_damaged(bytes, size);
    }
}

static struct inq_evidence *large_evidence(size_t threads, size_t frames)
{
    struct inq_evidence *evidence = NULL;
    assert_null(inq_evidence_create(&evidence));
    for (size_t i = 0; i < threads; i++) {
        json_t *list = json_array();
        for (size_t j = 0; j < frames; j++)
            json_array_append_new(list, json_pack("{s:i, s:s, s:s}", "index", (int)j, "pc",
                                                  "0x7f0011223344", "function", "some_function"));
        inq_evidence_append(
            evidence, "threads",
            json_pack("{s:i, s:b, s:o}", "tid", (int)i, "crashed", i == 0, "frames", list));
    }
    for (size_t i = 0; i < 2000; i++)
        inq_evidence_append(evidence, "modules", json_pack("{s:i}", "index", (int)i));
    assert_false(evidence->failed);
    return evidence;
}

/* What does not fit is left out and said; what is left is a good document. */
static void trimmed_to_a_limit(void **state)
{
    (void)state;
    static const size_t limits[] = {2000000, 600000, 150000, 40000, 5000};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = large_evidence(300, 200);
        _cleanup_(inq_evidence_destroyp) struct inq_evidence *back = NULL;
        _cleanup_free_ char *text = inq_trim_dump(evidence, limits[i]);
        assert_non_null(text);
        assert_true(strlen(text) <= limits[i]);
        assert_null(inq_evidence_parse(text, strlen(text), "x", &back));
        const json_t *gap = json_array_get(json_object_get(back->document, "gaps"), 0);
        assert_string_equal(json_string_value(json_object_get(gap, "code")), "INQ-155");
        const json_t *crashed = json_array_get(json_object_get(back->document, "threads"), 0);
        const json_t *kept = json_object_get(crashed, "frames");
        assert_true(json_array_size(kept) >= 16);
        const json_t *last = json_array_get(kept, json_array_size(kept) - 1);
        assert_int_equal(json_integer_value(json_object_get(last, "index")), 199);
    }
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = large_evidence(3, 3);
    assert_null(inq_trim_dump(evidence, 10));
}

int test_frame(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_goes_through), cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(damaged_at_every_byte), cmocka_unit_test(more_than_a_frame),
        cmocka_unit_test(errors_go_through),     cmocka_unit_test(errors_must_have_a_real_code),
        cmocka_unit_test(trimmed_to_a_limit),
    };
    return cmocka_run_group_tests_name("worker frame", tests, NULL, NULL);
}
