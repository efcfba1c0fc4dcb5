/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "evidence_tests.h"

static json_t *document(const char *text)
{
    json_t *parsed = json_loads(text, 0, NULL);
    assert_non_null(parsed);
    return parsed;
}

static void assert_state(const json_t *doc, const char *path, enum inq_known known, const char *why)
{
    struct inq_fact_value value = inq_evidence_get(doc, path, NULL, NULL);
    if (value.known != known)
        fail_msg("%s is %d, not %d", path, value.known, known);
    assert_int_equal(value.value != NULL, known == INQ_KNOWN);
    assert_int_equal(value.why != NULL, known == INQ_UNKNOWN);
    if (why)
        assert_non_null(strstr(value.why, why));
}

static void three_states(void **state)
{
    (void)state;
    json_t *doc = document("{\"signal\": {\"name\": \"SIGSEGV\", \"address\": null},"
                           " \"fault\": {\"address\": \"0x7\", \"access\": null},"
                           " \"abort\": null, \"gaps\": [],"
                           " \"unknown\": {\"fault.access\": \"no code here\"}}");
    assert_state(doc, "signal.name", INQ_KNOWN, NULL);
    assert_state(doc, "signal.address", INQ_NONE, NULL);
    assert_state(doc, "fault.access", INQ_UNKNOWN, "no code here");
    assert_state(doc, "heap.first_bad.address", INQ_UNKNOWN, "does not look");
    assert_state(doc, "abort.message", INQ_NONE, NULL);
    assert_state(doc, "gaps", INQ_KNOWN, NULL);
    assert_state(doc, "heap.arenas", INQ_UNKNOWN, "does not look");
    assert_state(doc, "signal.colour", INQ_UNKNOWN, "no such fact");
    json_decref(doc);
}

static void reasons_cover_what_is_below(void **state)
{
    (void)state;
    json_t *doc = document("{\"unknown\": {\"fault\": \"no registers\", \"modules\": \"no map\","
                           " \"threads[].stack\": \"not saved\", \"crashed.registers\": \"cut\"},"
                           " \"threads\": [{\"crashed\": true, \"tid\": 5}]}");
    assert_state(doc, "fault.address", INQ_UNKNOWN, "no registers");
    assert_state(doc, "fault.error_code.value", INQ_UNKNOWN, "no registers");
    assert_state(doc, "modules", INQ_UNKNOWN, "no map");
    assert_state(doc, "modules[0].name", INQ_UNKNOWN, "no map");
    assert_state(doc, "crashed.stack.start", INQ_UNKNOWN, "not saved");
    assert_state(doc, "crashed.registers.rip", INQ_UNKNOWN, "cut");
    assert_state(doc, "crashed.tid", INQ_KNOWN, NULL);
    assert_state(doc, "crashed.name", INQ_NONE, NULL);
    json_decref(doc);
}

/* A value that is there wins over a reason that was left behind. */
static void values_win(void **state)
{
    (void)state;
    json_t *doc = document("{\"fault\": {\"address\": \"0x7\"}, \"unknown\": {\"fault\": \"x\"}}");
    assert_state(doc, "fault.address", INQ_KNOWN, NULL);
    assert_state(doc, "fault.access", INQ_UNKNOWN, "x");
    json_decref(doc);
}

static void frames_by_index(void **state)
{
    (void)state;
    json_t *doc = document(
        "{\"threads\": [{\"crashed\": false}, {\"crashed\": true, \"complete\": true,"
        " \"frames_total\": 101, \"truncated\": true, \"frames\": ["
        " {\"index\": 0, \"function\": \"a\"}, {\"index\": 1, \"function\": null},"
        " {\"index\": 99, \"function\": \"y\"}, {\"index\": 100, \"function\": \"z\"}]}]}");
    assert_state(doc, "frame[0].function", INQ_KNOWN, NULL);
    assert_state(doc, "frame[1].function", INQ_NONE, NULL);
    assert_state(doc, "frame[2].function", INQ_UNKNOWN, "left out");
    assert_state(doc, "crashed.frame[101].function", INQ_NONE, NULL);
    assert_state(doc, "frame[1].file", INQ_NONE, NULL);
    struct inq_fact_value value = inq_evidence_get(doc, "crashed.frame[100].function", NULL, NULL);
    assert_string_equal(json_string_value(value.value), "z");
    value = inq_evidence_get(doc, "frames", NULL, NULL);
    assert_int_equal(json_array_size(value.value), 4);
    json_decref(doc);
}

/* A function that was inlined has the index of the frame it is part of, which is the one meant. */
static void inlined_functions_are_no_frames(void **state)
{
    (void)state;
    json_t *doc = document(
        "{\"threads\": [{\"crashed\": true, \"complete\": true, \"frames_total\": 2,"
        " \"frames\": [{\"index\": 0, \"function\": \"x\", \"inlined\": true},"
        " {\"index\": 0, \"function\": \"y\", \"inlined\": true},"
        " {\"index\": 0, \"function\": \"a\"},"
        " {\"index\": 1, \"function\": \"z\", \"inlined\": true},"
        " {\"index\": 1, \"function\": \"b\"}"
        "]}]}");
    struct inq_fact_value value = inq_evidence_get(doc, "frame[0].function", NULL, NULL);
    assert_string_equal(json_string_value(value.value), "a");
    value = inq_evidence_get(doc, "crashed.frame[1].function", NULL, NULL);
    assert_string_equal(json_string_value(value.value), "b");
    assert_state(doc, "frame[2].function", INQ_NONE, NULL);
    json_decref(doc);
}

static void a_stack_that_stops_leaves_frames_unknown(void **state)
{
    (void)state;
    json_t *doc = document("{\"threads\": [{\"crashed\": true, \"complete\": false,"
                           " \"frames_total\": 1, \"frames\": [{\"index\": 0}]}]}");
    assert_state(doc, "frame[1].function", INQ_UNKNOWN, "not followed");
    json_decref(doc);
    doc = document("{\"threads\": [{\"crashed\": false}]}");
    assert_state(doc, "crashed.tid", INQ_UNKNOWN, "which thread");
    assert_state(doc, "frame[0].function", INQ_UNKNOWN, "which thread");
    json_decref(doc);
}

static void elements_of_a_quantifier(void **state)
{
    (void)state;
    json_t *doc = document("{\"modules\": [{\"name\": \"libc.so.6\", \"deleted\": false}]}");
    const json_t *module = json_array_get(json_object_get(doc, "modules"), 0);
    struct inq_fact_value value = inq_evidence_get(doc, "module.name", "module", module);
    assert_string_equal(json_string_value(value.value), "libc.so.6");
    value = inq_evidence_get(doc, "module.owner.kind", "module", module);
    assert_int_equal(value.known, INQ_NONE);
    value = inq_evidence_get(doc, "module.soname", "module", module);
    assert_int_equal(value.known, INQ_NONE);
    json_decref(doc);
}

static void setters(void **state)
{
    (void)state;
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    assert_null(inq_evidence_create(&evidence));
    inq_evidence_set_unknown(evidence, "fault.address", "register %s is cut", "rdi");
    assert_state(evidence->document, "fault.address", INQ_UNKNOWN, "rdi is cut");
    inq_evidence_set_addr(evidence, "fault.address", UINT64_MAX);
    assert_state(evidence->document, "fault.address", INQ_KNOWN, NULL);
    assert_int_equal(json_object_size(json_object_get(evidence->document, "unknown")), 0);
    inq_evidence_set_unknown(evidence, "fault.address", "too late");
    assert_int_equal(json_object_size(json_object_get(evidence->document, "unknown")), 0);
    uint64_t addr = 0;
    assert_true(inq_json_addr_value(
        inq_evidence_get(evidence->document, "fault.address", NULL, NULL).value, &addr));
    assert_true(addr == UINT64_MAX);

    inq_evidence_set_text(evidence, "process.comm", "caf\xe9");
    json_t *process = json_object_get(evidence->document, "process");
    assert_string_equal(json_string_value(json_object_get(process, "comm")), "caf\\xe9");
    assert_string_equal(json_string_value(json_object_get(process, "comm_base64")), "Y2Fm6Q==");
    inq_evidence_append(evidence, "limits", json_string("one"));
    inq_evidence_append(evidence, "limits", json_string("two"));
    assert_int_equal(json_array_size(json_object_get(evidence->document, "limits")), 2);
    assert_false(evidence->failed);
    inq_evidence_set(evidence, "process.pid", NULL);
    assert_true(evidence->failed);
}

static void addresses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "0x", "7", "0x1g", "0xAB", "0x11112222333344445", "-1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint64_t addr = 0;
        json_t *value = json_string(wrong[i]);
        assert_false(inq_json_addr_value(value, &addr));
        json_decref(value);
    }
    json_t *value = inq_json_addr(0x7f12);
    assert_string_equal(json_string_value(value), "0x7f12");
    json_decref(value);
}

int test_lookup(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_states),
        cmocka_unit_test(reasons_cover_what_is_below),
        cmocka_unit_test(values_win),
        cmocka_unit_test(frames_by_index),
        cmocka_unit_test(inlined_functions_are_no_frames),
        cmocka_unit_test(a_stack_that_stops_leaves_frames_unknown),
        cmocka_unit_test(elements_of_a_quantifier),
        cmocka_unit_test(setters),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
