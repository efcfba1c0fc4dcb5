/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline_tests.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "pipeline.h"

struct row {
    const char *pattern, *name;
    const char *want; /* JSON with sorted keys; NULL: does not fit */
};

static const struct row rows[] = {
    /* each conversion of core(5) */
    {"core.%p", "core.4242", "{\"pid\":4242}"},
    {"core.%P", "core.4242", "{\"pid\":4242}"},
    {"core.%i", "core.7", "{\"tid\":7}"},
    {"core.%I", "core.7", "{\"tid\":7}"},
    {"core.%u", "core.4294967295", "{\"uid\":4294967295}"},
    {"core.%g", "core.0", "{\"gid\":0}"},
    {"core.%d", "core.2", "{\"dump_mode\":2}"},
    {"core.%s", "core.11", "{\"signal\":11}"},
    {"core.%t", "core.1700000000", "{\"time\":1700000000}"},
    {"core.%h", "core.web-1.example.org", "{\"hostname\":\"web-1.example.org\"}"},
    {"core.%e", "core.sleep", "{\"comm\":\"sleep\"}"},
    {"core.%f", "core.a-rather-long-program-name", "{\"comm\":\"a-rather-long-program-name\"}"},
    {"core.%E", "core.!usr!bin!sleep", "{\"path\":\"/usr/bin/sleep\"}"},
    {"core.%c", "core.1048576", "{\"core_limit\":1048576}"},
    {"core.%c", "core.18446744073709551615", "{}"}, /* no limit: no number of bytes */
    {"core.%C", "core.3", "{\"cpu\":3}"},
    {"100%%.%p", "100%.5", "{\"pid\":5}"},
    {"core.%Z%p", "core.5", "{\"pid\":5}"}, /* the kernel drops what it does not know */
    {"core.%p%", "core.5", "{\"pid\":5}"},
    {"core", "core", "{}"},
    /* several */
    {"core_%e.%p.%h.%t", "core_nginx.77.web.1700000000",
     "{\"comm\":\"nginx\",\"hostname\":\"web\",\"pid\":77,\"time\":1700000000}"},
    {"core.%e.%p.%h.%t", "core.python3.11.4242.web.1700000000",
     "{\"comm\":\"python3.11\",\"hostname\":\"web\",\"pid\":4242,\"time\":1700000000}"},
    {"core.%e.%p.%h.%t", "core.a b.1.x y.1700000000",
     "{\"comm\":\"a b\",\"hostname\":\"x y\",\"pid\":1,\"time\":1700000000}"},
    {"core-%e-%s-%u-%g-%p-%t", "core-my-tool-11-0-0-99-1700000000",
     "{\"comm\":\"my-tool\",\"gid\":0,\"pid\":99,\"signal\":11,\"time\":1700000000,\"uid\":0}"},
    {"core-%e-%s-%u-%g-%p-%t", "core-x-6-6-0-0-99-1700000000",
     "{\"comm\":\"x-6\",\"gid\":0,\"pid\":99,\"signal\":6,\"time\":1700000000,\"uid\":0}"},
    {"%e%p", "abc12", "{\"comm\":\"abc1\",\"pid\":2}"},
    {"%p.%p", "12.12", "{\"pid\":12}"},
    {"%p.%p", "12.13", NULL},            /* one process has one pid */
    {"%P.%p", "900.12", "{\"pid\":12}"}, /* the namespace's own number wins */
    {"%p.%P", "12.900", "{\"pid\":12}"},
    {"%e.%f", "short.a-longer-one", "{\"comm\":\"short\"}"},
    {"%h-%p", "10.0.0.1-8", "{\"hostname\":\"10.0.0.1\",\"pid\":8}"},
    /* directories of the pattern: any by now, unless they tell something */
    {"/var/crash/core.%p", "core.9", "{\"pid\":9}"},
    {"/var/crash/core.%p", "/elsewhere/core.9", "{\"pid\":9}"},
    {"/cores/%e/core.%p", "/x/cores/vim/core.9", "{\"comm\":\"vim\",\"pid\":9}"},
    {"/cores/%e/core.%p", "core.9", NULL},
    /* what does not fit */
    {"core.%p", "core.", NULL},
    {"core.%p", "core.x", NULL},
    {"core.%p", "core.007", NULL}, /* the kernel prints no leading zeros */
    {"core.%p", "core.5.zst", NULL},
    {"core.%p", "ore.5", NULL},
    {"core.%p", "", NULL},
    {"core.%p", "dir/", NULL},
    {"", "core", NULL},
    {"%p", "99999999999999999999", NULL},
    {"core.%e", "core.sixteen-bytes-xx", NULL}, /* comm has 15 */
    {"core.%s", "core.1234567890123456789012", NULL},
};

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        json_t *facts = inq_pattern_match(rows[i].pattern, rows[i].name);
        _cleanup_free_ char *have = json_dumps(facts, JSON_COMPACT | JSON_SORT_KEYS);

        if (!rows[i].want != !have || (have && strcmp(have, rows[i].want)))
            fail_msg("%s with %s: %s, want %s", rows[i].name, rows[i].pattern,
                     have ? have : "no fit", rows[i].want ? rows[i].want : "no fit");
        json_decref(facts);
    }
}

/* A name that is not UTF-8 stays readable and whole. */
static void foreign_bytes(void **state)
{
    json_t *facts = inq_pattern_match("core.%e.%p", "core.\xff\x1b.3");

    (void)state;
    assert_non_null(facts);
    assert_string_equal(json_string_value(json_object_get(facts, "comm")), "\\xff\x1b");
    assert_string_equal(json_string_value(json_object_get(facts, "comm_base64")), "/xs=");
    json_decref(facts);
}

/* A pattern and a name made to have as many readings as can be: an answer comes, and memory stays
 * flat. */
static void many_readings(void **state)
{
    char pattern[600] = "", name[600] = "";
    json_t *facts;

    (void)state;
    for (int i = 0; i < 100; i++)
        memcpy(pattern + 3 * i, "%h.", 4);
    for (int i = 0; i < 250; i++)
        memcpy(name + 2 * i, "1.", 3);
    facts = inq_pattern_match(pattern, name);
    json_decref(facts);
    for (int i = 0; i < 250; i++)
        name[i] = '.';
    json_decref(inq_pattern_match(pattern, name));
    json_decref(inq_pattern_match("%p%i%u%g%d%s%t%c%C", "111111111111111111111111111111111111"));
}

int run_pattern_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(foreign_bytes),
        cmocka_unit_test(many_readings),
    };

    return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
