/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "evidence_tests.h"
#include "text.h"

static void keys_come_in_the_order_of_the_dictionary(void **state)
{
    (void)state;
    json_t *doc = json_loads("{\"gaps\": [{\"why\": \"w\", \"code\": \"INQ-038\"}], \"zebra\": 1,"
                             " \"threads\": [{\"frames\": [{\"pc\": \"0x1\", \"index\": 0}],"
                             " \"tid\": 7}], \"core\": {\"name\": \"n\", \"path\": \"p\"}}",
                             0, NULL);
    _cleanup_free_ char *text = inq_evidence_dump(doc, false);
    assert_string_equal(text, "{\"core\":{\"path\":\"p\",\"name\":\"n\"},"
                              "\"threads\":[{\"tid\":7,\"frames\":[{\"index\":0,\"pc\":\"0x1\"}]}],"
                              "\"gaps\":[{\"code\":\"INQ-038\",\"why\":\"w\"}],\"zebra\":1}");
    json_decref(doc);
}

static void only_ascii_leaves(void **state)
{
    (void)state;
    const char *hostile = "\x1b[2J\x07\x7f\xc2\x9b \xe2\x80\xae \xf0\x9f\x98\x80 \"\\\n\t/";
    json_t *doc = json_pack("{s:{s:s}, s:{s:f, s:{s:f}}}", "process", "comm", hostile, "timing",
                            "total_ms", 0.1, "stages", "read", -3.0);
    for (int indent = 0; indent < 2; indent++) {
        _cleanup_free_ char *text = inq_evidence_dump(doc, indent);
        assert_non_null(text);
        for (const char *at = text; *at; at++)
            assert_true((*at >= 0x20 && *at < 0x7f) || (indent && *at == '\n'));
        json_t *back = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        assert_true(json_equal(back, doc));
        json_decref(back);
    }
    json_decref(doc);
}

/* Every ASCII byte, at each place of a string that is looked at eight bytes at a time. */
static void each_byte_at_each_place(void **state)
{
    (void)state;
    for (size_t place = 0; place < 20; place++)
        for (int byte = 1; byte < 0x80; byte++) {
            char bytes[21] = "abcdefghijklmnopqrst";
            bytes[place] = (char)byte;
            json_t *doc = json_pack("{s:s, s:s}", "zebra", bytes, bytes, "z");
            _cleanup_free_ char *text = inq_evidence_dump(doc, false);
            assert_non_null(text);
            for (const char *at = text; *at; at++)
                assert_true(*at >= 0x20 && *at < 0x7f);
            json_t *back = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
            assert_true(json_equal(back, doc));
            json_decref(back);
            json_decref(doc);
        }
}

static void numbers_to_their_ends(void **state)
{
    (void)state;
    json_t *doc =
        json_pack("{s:[I,I,I,I,I,I]}", "zebra", (json_int_t)INT64_MIN, (json_int_t)INT64_MAX,
                  (json_int_t)0, (json_int_t)-1, (json_int_t)10, (json_int_t)-907);
    _cleanup_free_ char *text = inq_evidence_dump(doc, false);
    assert_string_equal(text,
                        "{\"zebra\":[-9223372036854775808,9223372036854775807,0,-1,10,-907]}");
    json_decref(doc);
}

static void assert_refused(const char *text, const char *problem)
{
    struct inq_evidence *evidence = NULL;
    struct inq_error *error = inq_evidence_parse(text, strlen(text), "t.json", &evidence);
    assert_null(evidence);
    if (!error)
        fail_msg("was taken: %.200s", text);
    assert_string_equal(error->file, "t.json");
    if (!strstr(error->message, problem))
        fail_msg("\"%s\" does not say \"%s\"", error->message, problem);
    inq_error_destroy(error);
}

static void assert_taken(const char *text)
{
    struct inq_evidence *evidence = NULL;
    struct inq_error *error = inq_evidence_parse(text, strlen(text), "t.json", &evidence);
    if (error)
        fail_msg("refused: %s", error->message);
    inq_evidence_destroy(evidence);
}

static void good_documents(void **state)
{
    (void)state;
    assert_taken("{}");
    assert_taken("{\"format\":\"inquest-report\",\"version\":1,\"fault\":null}");
    assert_taken("{\"fault\":{\"access\":\"write\",\"address\":\"0xffffffffffffffff\"}}");
    assert_taken("{\"process\":{\"comm\":\"a\\\\xff\",\"comm_base64\":\"Yf8=\"}}");
    assert_taken("{\"timing\":{\"total_ms\":3,\"stages\":{\"core\":0.5}}}");
    assert_taken("{\"threads\":[{\"registers\":{\"rip\":\"0x1\"},\"frames\":[]}]}");
    assert_taken("{\"environment\":{\"LD_PRELOAD\":\"x\"},\"unknown\":{\"fault\":\"why\"}}");
}

static void wrong_types(void **state)
{
    (void)state;
    assert_refused("{\"signal\":{\"number\":\"11\"}}", "signal.number is no whole number");
    assert_refused("{\"signal\":[]}", "signal is no object");
    assert_refused("{\"signal\":{\"name\":11}}", "signal.name is no text");
    assert_refused("{\"fault\":{\"access\":\"rea\"}}", "fault.access is none of its words");
    assert_refused("{\"fault\":{\"access\":\"read|write\"}}", "none of its words");
    assert_refused("{\"fault\":{\"access\":\"\"}}", "none of its words");
    assert_refused("{\"fault\":{\"address\":\"0xG\"}}", "is no address");
    assert_refused("{\"fault\":{\"address\":7}}", "is no address");
    assert_refused("{\"core\":{\"complete\":1}}", "neither true nor false");
    assert_refused("{\"threads\":{}}", "threads is no list");
    assert_refused("{\"threads\":[{},7]}", "threads[1] is no object");
    assert_refused("{\"threads\":[{\"frames\":[{},{\"pc\":1}]}]}", "threads[0].frames[1].pc is no");
    assert_refused("{\"process\":{\"arguments\":[1]}}", "another type");
    assert_refused("{\"environment\":{\"A\":1}}", "environment.A is no text");
    assert_refused("{\"timing\":{\"total_ms\":\"1\"}}", "is no number");
    assert_refused("{\"format\":\"other\"}", "version 1");
    assert_refused("{\"version\":2}", "version 1");
    assert_refused("[]", "is no object");
}

static void unknown_keys(void **state)
{
    (void)state;
    assert_refused("{\"surprise\":1}", "surprise is in no dictionary");
    assert_refused("{\"signal\":{\"surprise\":1}}", "signal.surprise is in no dictionary");
    assert_refused("{\"signal\":{\"number_base64\":\"Yf8=\"}}", "is in no dictionary");
    assert_refused("{\"a\\u001b[2J\\u202e\":1}", "a\\x1b[2J");
    assert_refused("{\"signal\":null,\"signal\":null}", "duplicate");
}

static void repeat(struct inq_text *text, const char *piece, size_t times)
{
    for (size_t i = 0; i < times; i++)
        inq_text_append(text, piece);
}

static void deep_and_long(void **state)
{
    (void)state;
    struct inq_text text = {0};
    repeat(&text, "[", 100000);
    assert_refused(text.bytes, "nested too deeply");
    inq_text_deinit(&text);

    repeat(&text, "{\"a\":", 17);
    assert_refused(text.bytes, "nested too deeply");
    inq_text_deinit(&text);

    inq_text_append(&text, "{\"threads\":[{}");
    repeat(&text, ",{}", 4096);
    inq_text_append(&text, "]}");
    assert_refused(text.bytes, "threads is too long a list");
    inq_text_deinit(&text);

    /* a folded stack of 256 frames, and the functions that are inlined into them */
    inq_text_append(&text, "{\"threads\":[{\"frames\":[{}");
    repeat(&text, ",{}", 256 + 1024 - 1);
    inq_text_append(&text, "]}]}");
    assert_taken(text.bytes);
    inq_text_deinit(&text);

    inq_text_append(&text, "{\"threads\":[{\"frames\":[{}");
    repeat(&text, ",{}", 256 + 1024);
    inq_text_append(&text, "]}]}");
    assert_refused(text.bytes, "threads[0].frames is too long a list");
    inq_text_deinit(&text);

    inq_text_append(&text, "{\"limits\":[0");
    repeat(&text, ",0", 4100000);
    inq_text_append(&text, "]}");
    assert_refused(text.bytes, "too many values");
    inq_text_deinit(&text);

    inq_text_append(&text, "{\"abort\":{\"message\":\"");
    repeat(&text, "aaaaaaaaaaaaaaaa", 20000);
    inq_text_append(&text, "\"}}");
    assert_refused(text.bytes, "abort.message is too long");
    inq_text_deinit(&text);
}

static void not_json(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",   "{",    "{\"a\"", "{\"signal\":{\"name\":\"\\u0000\"}}", "nul",
        "\"", "\"\\", "{} {}",  "{\"signal\":{\"name\":\"\xff\"}}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_refused(wrong[i], "not JSON");
}

/* What is written is read back the same. */
static void round_trip(void **state)
{
    (void)state;
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL, *back = NULL;
    assert_null(inq_evidence_create(&evidence));
    inq_evidence_set_text(evidence, "signal.name", "SIGSEGV");
    inq_evidence_set_text(evidence, "process.executable", "/tmp/\xff\x1b");
    inq_evidence_set_int(evidence, "core.size_bytes", INT64_MAX);
    inq_evidence_set_addr(evidence, "fault.address", 0);
    inq_evidence_set_unknown(evidence, "heap", "not walked");
    inq_evidence_add_gap(evidence, INQ_G_TRUNCATED, "offset 0x10", "the dump ends early", NULL);
    _cleanup_free_ char *text = inq_evidence_dump(evidence->document, true);
    assert_null(inq_evidence_parse(text, strlen(text), "x", &back));
    assert_true(json_equal(evidence->document, back->document));
}

static void gaps_come_over(void **state)
{
    (void)state;
    struct inq_arena *arena = inq_arena_create();
    struct inq_gaps gaps;
    inq_gaps_init(&gaps, arena);
    inq_gaps_add(&gaps, INQ_G_TRUNCATED, "a\x1b", "because", "what %d", 3);
    gaps.dropped = 12;
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    assert_null(inq_evidence_create(&evidence));
    inq_evidence_set_gaps(evidence, &gaps);
    json_t *list = json_object_get(evidence->document, "gaps");
    assert_int_equal(json_array_size(list), 2);
    json_t *gap = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(gap, "code")), "INQ-038");
    assert_string_equal(json_string_value(json_object_get(gap, "what")), "what 3");
    assert_int_equal(json_array_size(json_object_get(evidence->document, "limits")), 1);
    inq_gaps_deinit(&gaps);
    inq_arena_destroy(arena);
}

int test_dump_parse(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_in_the_order_of_the_dictionary),
        cmocka_unit_test(only_ascii_leaves),
        cmocka_unit_test(each_byte_at_each_place),
        cmocka_unit_test(numbers_to_their_ends),
        cmocka_unit_test(good_documents),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(unknown_keys),
        cmocka_unit_test(deep_and_long),
        cmocka_unit_test(not_json),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(gaps_come_over),
    };
    return cmocka_run_group_tests_name("dump and parse", tests, NULL, NULL);
}
