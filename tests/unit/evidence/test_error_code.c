/* SPDX-License-Identifier: Apache-2.0 */
/* Where an error code comes from, and which word counts. */
#include "error_code.h"

#include "cleanup.h"
#include "evidence_tests.h"

static const json_t *code(const struct inq_evidence *evidence, const char *key)
{
    const json_t *fault = json_object_get(evidence->document, "fault");
    return json_object_get(json_object_get(fault, "error_code"), key);
}

static void is(const struct inq_evidence *evidence, const char *source, int value, const char *bits)
{
    _cleanup_free_ char *have = json_dumps(code(evidence, "bits"), JSON_ENCODE_ANY | JSON_COMPACT);

    assert_string_equal(json_string_value(code(evidence, "source")), source);
    assert_int_equal(value < 0 ? -1 : json_integer_value(code(evidence, "value")), value);
    assert_int_equal(value < 0, code(evidence, "value") == NULL);
    assert_int_equal(have == NULL, bits == NULL);
    if (bits)
        assert_string_equal(have, bits);
    assert_false(evidence->failed);
}

/* A line of the kernel's log takes the place of what was inferred, and brings bits of its own. */
static void test_log_over_inferred(void **state)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    (void)state;

    assert_null(inq_evidence_create(&evidence));
    inq_evidence_set_text(evidence, "fault.trap", "page-fault");
    inq_error_code_set_inferred(evidence, "page-fault", false, 6, 6);
    is(evidence, "inferred", -1, "[\"write\",\"user\"]");
    inq_error_code_set_from_log(evidence, "page-fault", 7);
    is(evidence, "kernel-log", 7, "[\"protection\",\"write\",\"user\"]");
    inq_error_code_set_from_log(evidence, NULL, 0x25);
    is(evidence, "kernel-log", 0x25, "[\"protection\",\"read\",\"user\",\"protection-key\"]");
}

static void test_frame_over_log(void **state)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    (void)state;

    assert_null(inq_evidence_create(&evidence));
    inq_evidence_set_text(evidence, "fault.trap", "page-fault");
    inq_error_code_set_from_frame(evidence, "page-fault", 4);
    inq_error_code_set_from_log(evidence, "page-fault", 6);
    is(evidence, "signal-frame", 4, "[\"not-present\",\"read\",\"user\"]");
}

/* The code of a general protection fault is a selector: no bits in words. */
static void test_selectors(void **state)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    (void)state;

    assert_null(inq_evidence_create(&evidence));
    inq_error_code_set_from_log(evidence, "general-protection", 0x402);
    is(evidence, "kernel-log", 0x402, NULL);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(evidence->document, "fault"), "trap")),
        "general-protection");
}

static void test_shadow_stack(void **state)
{
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    (void)state;

    assert_null(inq_evidence_create(&evidence));
    inq_error_code_set_from_log(evidence, "control-protection", 1);
    is(evidence, "kernel-log", 1, "[\"near-return\"]");
}

int test_error_code(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_over_inferred),
        cmocka_unit_test(test_frame_over_log),
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_shadow_stack),
    };
    return cmocka_run_group_tests_name("error codes", tests, NULL, NULL);
}
