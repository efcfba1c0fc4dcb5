/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redact.h"
#include "worker_tests.h"

/* What a crash report is full of, and what looks like a secret to a hasty eye. */
static const char *const innocent[] = {
    "",
    "-",
    "--",
    "--verbose",
    "--max-tokens=4096",
    "--max-tokens 4096",
    "--keyboard=de",
    "--key-size=2048",
    "--tokenizer=bert-base-uncased",
    "--bypass-cache=yes-please",
    "--key-file=/etc/ssl/server.pem",
    "--password-file=/run/secrets/db",
    "--no-password",
    "--threads=8",
    "--output=/var/lib/app/out.csv",
    "sk-learn-contrib-examples-package",
    "SSH_AUTH_SOCK=/run/user/1000/keyring/ssh",
    "PWD=/srv/work",
    "http://localhost:8080/path/@scope/pkg",
    "https://example.org/a?b=c&d=e",
    "ssh://git@github.com/o/r.git",
    "git@github.com:o/r.git",
    "memcpy@GLIBC_2.14",
    "malloc@plt",
    "getty@tty1.service",
    "user@1000.service",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "/opt/homebrew/home.txt",
    "/home/~/data",
    "/srv/data/home/x",
    "double free or corruption (fasttop)",
    "free(): double free detected in tcache 2",
    "prog: key.c:12: main: Assertion `key == NULL' failed.",
    "prog: auth.c:7: check: Assertion `password==expected' failed.",
    "KeyError: 'token'",
    "std::map<Key, Secret>::at",
    "the basic authentication of this bearer token is missing",
    "module compiled against ABI version 0x1000009",
    "93ac61ec5a8eb1396f9fbd350e3169a558528a40",
    "d41d8cd98f00b204e9800998ecf8427e  core.1234",
    "2024-03-01T12:00:00Z",
    "127.0.0.1:5432",
    "--color=auto",
    "eyJust some words",
    "-----",
    "AKIA",
    "ghp_",
    "a@b",
    "x@y.z1",
    "100% of 3 = 3",
};

static void text_is(const char *text, const char *want)
{
    char *have = inq_redact_text(text, INQ_REDACT_DEFAULT);

    assert_non_null(have);
    if (strcmp(have, want) != 0)
        fail_msg("`%s` became `%s`, want `%s`", text, have, want);
    free(have);
}

static void test_innocent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(innocent) / sizeof(innocent[0]); i++)
        text_is(innocent[i], innocent[i]);
}

static void test_what_stays(void **state)
{
    (void)state;
    text_is("--password=x y", "--password=[redacted] y");
    text_is("see https://u:p@h/x for more", "see https://[redacted]@h/x for more");
    text_is("mail bob@example.org.", "mail [redacted].");
    text_is("/home/bob", "/home/~");
    text_is("/home/bob:/home/eve/lib", "/home/~:/home/~/lib");
    text_is("\"secret\": \"a b\", \"n\": 1", "\"secret\": \"[redacted]\", \"n\": 1");
    text_is("a?token=abcdefgh&x=1", "a?token=[redacted]&x=1");
    text_is("cookie: a=b; c=d", "cookie: [redacted]");
    text_is("Bearer abc123def456.", "Bearer [redacted]");
}

static json_t *all_planted(void)
{
    json_t *arguments = json_pack("[s]", "/usr/bin/prog");

    for (size_t i = 0; i < n_planted; i++)
        assert_int_equal(json_array_append_new(arguments, json_string(planted[i].argument)), 0);
    return arguments;
}

static void expect_none(const json_t *value, const struct planted *list, size_t n)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);

    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        if (list[i].secret && strstr(text, list[i].secret))
            fail_msg("%s is still there: %s", list[i].secret, text);
    free(text);
}

static void test_planted_arguments(void **state)
{
    json_t *arguments = all_planted();
    (void)state;

    assert_true(n_planted >= 30);
    inq_redact_arguments(arguments, INQ_REDACT_DEFAULT);
    assert_int_equal(json_array_size(arguments), n_planted + 1);
    expect_none(arguments, planted, n_planted);
    assert_string_equal(json_string_value(json_array_get(arguments, 0)), "/usr/bin/prog");
    /* options stay readable, only their values go */
    assert_string_equal(json_string_value(json_array_get(arguments, 1)), "--password=[redacted]");
    json_decref(arguments);
}

/* The same words as one text, as a message or NT_PRPSINFO would hold them. */
static void test_planted_in_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_planted; i++) {
        char line[512];
        /* the value of an option is told by the option, which is an argument of its own */
        if (!planted[i].secret || planted[i].argument[0] == '-' ||
            (i > 0 && !planted[i - 1].secret))
            continue;
        snprintf(line, sizeof(line), "failed: %s\n", planted[i].argument);
        char *clean = inq_redact_text(line, INQ_REDACT_DEFAULT);
        assert_non_null(clean);
        if (strstr(clean, planted[i].secret))
            fail_msg("`%s` became `%s`", line, clean);
        free(clean);
    }
}

static void arguments_are(const char *const *before, const char *const *after)
{
    json_t *arguments = json_array();

    for (size_t i = 0; before[i]; i++)
        json_array_append_new(arguments, json_string(before[i]));
    inq_redact_arguments(arguments, INQ_REDACT_DEFAULT);
    for (size_t i = 0; after[i]; i++) {
        const char *have = json_string_value(json_array_get(arguments, i));
        if (!have || strcmp(have, after[i]) != 0)
            fail_msg("argument %zu `%s` became `%s`, want `%s`", i, before[i], have ? have : "null",
                     after[i]);
    }
    json_decref(arguments);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_programs(void **state)
{
    (void)state;
    arguments_are(WORDS("/usr/bin/mysql", "-pS3cret", "-p", "word", "db"),
                  WORDS("/usr/bin/mysql", "-p[redacted]", "-p", "[redacted]", "db"));
    arguments_are(WORDS("ssh", "-p", "2222", "host"), WORDS("ssh", "-p", "2222", "host"));
    arguments_are(WORDS("docker", "run", "-p", "8080:80", "-pthread"),
                  WORDS("docker", "run", "-p", "8080:80", "-pthread"));
    arguments_are(WORDS("mkdir", "-p", "/srv/x"), WORDS("mkdir", "-p", "/srv/x"));
    arguments_are(WORDS("curl", "-u", "me:mine", "-H", "X-Api-Key: abc9", "http://h/"),
                  WORDS("curl", "-u", "[redacted]", "-H", "X-Api-Key: [redacted]", "http://h/"));
    arguments_are(WORDS("prog", "--max-tokens", "4096", "--token", "abc", "--x"),
                  WORDS("prog", "--max-tokens", "4096", "--token", "[redacted]", "--x"));
    arguments_are(WORDS("prog", "--password", "--host", "db"),
                  WORDS("prog", "--password", "--host", "db"));
    arguments_are(WORDS("prog", "--password=a", "plain"),
                  WORDS("prog", "--password=[redacted]", "plain"));
    arguments_are(WORDS("prog", "Authorization:", "Bearer", "abcdef"),
                  WORDS("prog", "Authorization:", "[redacted]", "[redacted]"));
}

static json_t *document(void)
{
    json_t *environment = json_object();
    json_t *arguments = all_planted();

    for (size_t i = 0; i < n_planted_variables; i++) {
        char name[64];
        const char *equals = strchr(planted_variables[i].argument, '=');
        snprintf(name, sizeof(name), "%.*s", (int)(equals - planted_variables[i].argument),
                 planted_variables[i].argument);
        json_object_set_new(environment, name, json_string(equals + 1));
    }
    json_object_set_new(environment, "OMP_NUM_THREADS", json_string("4"));
    return json_pack(
        "{s:{s:o, s:s, s:s}, s:o, s:{s:s, s:s}, s:[{s:s, s:s}], s:[{s:s, s:s}], s:{s:s}}",
        "process", "arguments", arguments, "executable", "/home/mallory3/bin/prog", "hostname",
        "db7.corp", "environment", environment, "abort", "message",
        "login of bob@example.org with password=abortsecret1 failed", "message_base64",
        "bG9naW4gYWJvcnRzZWNyZXQx", "gaps", "where", "module /home/mallory4/libx.so", "what",
        "nothing", "modules", "path", "/home/mallory3/lib/libfoo.so", "name", "libfoo.so",
        "unknown", "abort.message", "token=whysecret1234 was seen");
}

static const struct planted elsewhere[] = {
    {NULL, "abortsecret1"}, {NULL, "bG9naW4g"},  {NULL, "bob@"},
    {NULL, "mallory4"},     {NULL, "whysecret"},
};

static void test_document(void **state)
{
    json_t *report = document();
    (void)state;

    assert_non_null(report);
    inq_redact_document(report, INQ_REDACT_DEFAULT);
    expect_none(report, planted_variables, n_planted_variables);
    expect_none(report, elsewhere, sizeof(elsewhere) / sizeof(elsewhere[0]));
    json_t *process = json_object_get(report, "process");
    expect_none(json_object_get(process, "arguments"), planted, n_planted);
    /* the command line for gdb needs these as they are */
    assert_string_equal(json_string_value(json_object_get(process, "executable")),
                        "/home/mallory3/bin/prog");
    json_t *module = json_array_get(json_object_get(report, "modules"), 0);
    assert_string_equal(json_string_value(json_object_get(module, "path")),
                        "/home/mallory3/lib/libfoo.so");
    json_t *environment = json_object_get(report, "environment");
    assert_string_equal(json_string_value(json_object_get(environment, "OMP_NUM_THREADS")), "4");
    assert_null(json_object_get(environment, "DATABASE_URL"));
    assert_null(json_object_get(json_object_get(report, "abort"), "message_base64"));
    json_decref(report);
}

static void test_levels(void **state)
{
    json_t *report = document();
    (void)state;

    inq_redact_document(report, INQ_REDACT_STRICT);
    json_t *process = json_object_get(report, "process");
    json_t *arguments = json_object_get(process, "arguments");
    assert_int_equal(json_array_size(arguments), 1);
    assert_string_equal(json_string_value(json_array_get(arguments, 0)), "[redacted]");
    assert_string_equal(json_string_value(json_object_get(process, "hostname")), "[redacted]");
    assert_string_equal(json_string_value(json_object_get(process, "executable")),
                        "/home/~/bin/prog");
    json_decref(report);

    report = document();
    inq_redact_document(report, INQ_REDACT_NONE);
    process = json_object_get(report, "process");
    assert_string_equal(json_string_value(json_array_get(json_object_get(process, "arguments"), 1)),
                        planted[0].argument);
    /* variables that are not on the list leave with no level */
    assert_null(json_object_get(json_object_get(report, "environment"), "MY_PRIVATE_NOTE"));
    json_decref(report);
}

/* Text made to be slow on a matcher that looks back or ahead too far: all of it in linear steps. */
static void test_long_texts(void **state)
{
    static const char *const pieces[] = {"eyJ",   "://x:y",      "a@",     "token ",
                                         "ghp_",  "-----BEGIN ", "/home/", "password",
                                         "a.b-c", "key=",        "basic ", "12345678:"};
    size_t size = 1u << 20;
    char *text = malloc(size + 32);
    (void)state;

    assert_non_null(text);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        size_t n = strlen(pieces[i]), at = 0;
        for (; at < size; at += n)
            memcpy(text + at, pieces[i], n);
        text[at] = '\0';
        char *clean = inq_redact_text(text, INQ_REDACT_DEFAULT);
        assert_non_null(clean);
        free(clean);
    }
    free(text);
}

static void test_allow_list(void **state)
{
    (void)state;
    assert_true(inq_redact_environment_allowed("LD_PRELOAD"));
    assert_true(inq_redact_environment_allowed("MALLOC_ARENA_MAX"));
    assert_true(inq_redact_environment_allowed("JAVA_TOOL_OPTIONS"));
    assert_false(inq_redact_environment_allowed("PATH"));
    assert_false(inq_redact_environment_allowed("AWS_SECRET_ACCESS_KEY"));
    assert_false(inq_redact_environment_allowed("XLD_PRELOAD"));
    assert_false(inq_redact_environment_allowed(""));
}

int redact_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_innocent),
        cmocka_unit_test(test_what_stays),
        cmocka_unit_test(test_planted_arguments),
        cmocka_unit_test(test_planted_in_text),
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_allow_list),
    };
    return cmocka_run_group_tests_name("redaction", tests, NULL, NULL);
}
