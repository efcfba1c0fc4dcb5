/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Redaction of a whole document: the last step before anything leaves the worker.
 *
 * Paths: modules[].path and process.executable stay as they are, since the command line for gdb in
 * the report must work; the name of a home directory is replaced everywhere else (arguments,
 * environment, messages, gaps), and there as well with `strict`.
 */
#include "redact.h"

#include <string.h>

#include "cleanup.h"
#include "environment.h"
#include "redact_parts.h"
#include "text.h"

#define REDACTED "[redacted]"

/* One document. What could not be redacted for lack of memory is left out, and that is noted. */
struct run {
    enum inq_redact_level level;
    bool no_memory;
};

static char *redacted(struct run *run, const char *text)
{
    char *clean = inq_redact_text(text, run->level);

    run->no_memory |= clean == NULL;
    return clean;
}

static struct inq_piece piece_of(const char *text)
{
    return (struct inq_piece){text, strlen(text)};
}

bool inq_redact_environment_allowed(const char *name)
{
    return inq_environment_allowed(name);
}

/* ---- arguments ---- */

/* Programs with a short option for a secret; `attached`: also "-pSECRET". */
static const struct {
    const char *program, *option;
    bool attached;
} program_options[] = {
    {"mysql*", "-p", true},    {"mariadb*", "-p", true},  {"sshpass", "-p", true},
    {"7z*", "-p", true},       {"mongo*", "-p", true},    {"zip", "-P", true},
    {"unzip", "-P", true},     {"redis-cli", "-a", true}, {"curl", "-u", true},
    {"curl", "--user", false}, {"curl", "-U", true},      {"curl", "--proxy-user", false},
    {"ldap*", "-w", true},     {"smbclient", "-U", true}, {"sqlcmd", "-P", true},
    {"bcp", "-P", true},       {"tsql", "-P", true},      {"openssl", "-k", false},
    {"htpasswd", "-b", false}, {"ipmitool", "-P", false}, {"snmp*", "-A", false},
    {"snmp*", "-X", false},    {"snmp*", "-c", false},    {"wpa_passphrase", "*", false},
};

enum option { OPTION_NONE, OPTION_TAKES_SECRET, OPTION_HOLDS_SECRET };

static enum option program_option(const char *program, const char *argument)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(program_options); i++) {
        const char *option = program_options[i].option;
        if (!inq_glob_match(program_options[i].program, name))
            continue;
        if (!strcmp(option, argument))
            return OPTION_TAKES_SECRET;
        if (program_options[i].attached && inq_starts_with(argument, option) &&
            argument[strlen(option)])
            return OPTION_HOLDS_SECRET;
    }
    return OPTION_NONE;
}

/* "-p 8080:80" and "-p /tmp/x" are ports and places: in no program a password. */
static bool is_port_or_place(const char *value)
{
    return value[0] == '/' || value[0] == '.' || value[strspn(value, "0123456789:-")] == '\0';
}

struct arguments {
    const char *program;
    char name[64]; /* of the option whose value comes next; "" for none */
    enum inq_secrecy secrecy;
    bool port_option; /* that option was -p */
};

/* What the value after this option will be. */
static void expect_value(struct arguments *state, const char *option)
{
    struct inq_piece name = piece_of(option);

    state->secrecy = INQ_NAME_PLAIN;
    state->port_option = false;
    if (strchr(option, '='))
        name.size = 0; /* it has its value */
    else if (program_option(state->program, option) == OPTION_TAKES_SECRET)
        state->secrecy = INQ_NAME_STRONG;
    else if (!strcmp(option, "-p"))
        state->port_option = true;
    else if (option[0] == '-' || !strcasecmp(option, "bearer") || !strcasecmp(option, "basic") ||
             inq_ends_with(option, "-Token:") || !strcasecmp(option, "authorization:"))
        state->secrecy = inq_name_secrecy(name);
    if (!strcasecmp(option, "bearer") || !strcasecmp(option, "basic"))
        state->secrecy = INQ_NAME_STRONG;
    size_t size = name.size < sizeof(state->name) ? name.size : sizeof(state->name) - 1;
    memcpy(state->name, option, size);
    state->name[size] = '\0';
}

/* The size of "NAME=" when NAME tells of a secret, else 0. */
static size_t assigned_secret(const char *argument)
{
    const char *equals = strchr(argument, '=');

    if (!equals)
        return 0;
    struct inq_piece name = {argument, (size_t)(equals - argument)};
    for (size_t i = 0; i < name.size; i++)
        if (!inq_is_name_char(name.text[i]) && name.text[i] != ':' && name.text[i] != '/')
            return 0;
    return inq_value_is_secret(inq_name_secrecy(name), name, piece_of(equals + 1)) ? name.size + 1
                                                                                   : 0;
}

/* The first bytes, and that the rest is not told. NULL without memory. */
static char *cut_at(const char *argument, size_t size)
{
    struct inq_text out = {0};

    inq_text_append_bytes(&out, argument, size);
    inq_text_append(&out, REDACTED);
    if (out.failed) {
        inq_text_deinit(&out);
        return NULL;
    }
    return out.bytes;
}

/*
 * Something that follows "--password" and begins with a dash is the next option all the same,
 * unless it looks like none.
 */
static bool is_option(const char *argument, enum inq_secrecy expected)
{
    if (argument[0] != '-' || argument[1] == '\0')
        return false;
    if (expected != INQ_NAME_STRONG || argument[1] == '-' || argument[2] == '\0')
        return true;
    return argument[strspn(argument, "-abcdefghijklmnopqrstuvwxyz=")] == '\0';
}

static char *redact_argument(struct arguments *state, const char *argument,
                             enum inq_redact_level level)
{
    struct arguments before = *state;

    expect_value(state, argument);
    if (!is_option(argument, before.secrecy)) {
        struct inq_piece name = piece_of(before.name);
        if ((before.port_option && !is_port_or_place(argument)) ||
            inq_value_is_secret(before.secrecy, name, piece_of(argument)))
            return strdup(REDACTED);
    }
    if (program_option(state->program, argument) == OPTION_HOLDS_SECRET)
        return cut_at(argument, 2);
    size_t assigned = assigned_secret(argument);
    return assigned > 0 ? cut_at(argument, assigned) : inq_redact_text(argument, level);
}

static void replace(struct run *run, json_t *arguments, size_t i, const char *text)
{
    /* what cannot be redacted for lack of memory must not leave either */
    json_t *value = text ? json_string(text) : json_null();

    run->no_memory |= text == NULL;
    if (!value || json_array_set_new(arguments, i, value)) {
        run->no_memory = true;
        json_array_clear(arguments);
    }
}

static void redact_arguments(struct run *run, json_t *arguments)
{
    struct arguments state = {.program = ""};

    if (!json_is_array(arguments) || run->level == INQ_REDACT_NONE)
        return;
    if (run->level == INQ_REDACT_STRICT) {
        bool any = json_array_size(arguments) > 0;
        json_array_clear(arguments);
        if (any && json_array_append_new(arguments, json_string(REDACTED)))
            run->no_memory = true;
        return;
    }
    json_t *program = json_incref(json_array_get(arguments, 0));
    if (json_is_string(program))
        state.program = json_string_value(program);
    for (size_t i = 0; i < json_array_size(arguments); i++) {
        const char *argument = json_string_value(json_array_get(arguments, i));
        if (!argument)
            continue;
        _cleanup_free_ char *text = i == 0 ? inq_redact_text(argument, run->level)
                                           : redact_argument(&state, argument, run->level);
        if (!text || strcmp(text, argument) != 0)
            replace(run, arguments, i, text);
    }
    json_decref(program);
}

bool inq_redact_arguments(json_t *arguments, enum inq_redact_level level)
{
    struct run run = {.level = level};

    redact_arguments(&run, arguments);
    return !run.no_memory;
}

/* ---- environment ---- */

static void redact_environment(struct run *run, json_t *environment)
{
    void *next;
    const char *name;
    json_t *value;

    json_object_foreach_safe(environment, next, name, value)
    {
        const char *text = json_string_value(value);
        if (!inq_environment_allowed(name) || !text) {
            json_object_del(environment, name);
            continue;
        }
        if (run->level == INQ_REDACT_NONE)
            continue;
        struct inq_piece key = piece_of(name);
        bool secret = run->level == INQ_REDACT_STRICT ||
                      inq_value_is_secret(inq_name_secrecy(key), key, piece_of(text));
        _cleanup_free_ char *clean = secret ? strdup(REDACTED) : inq_redact_text(text, run->level);
        if (!clean || json_object_set_new(environment, name, json_string(clean))) {
            run->no_memory = true;
            json_object_del(environment, name);
        }
    }
}

/* ---- everything else ---- */

/* Made by us, or needed as they are: numbers in disguise, paths that commands need, functions. */
static bool is_structural(const char *key, enum inq_redact_level level)
{
    static const char *const keys[] = {"core",   "tool",        "sandbox",  "timing",
                                       "frames", "registers",   "function", "code_name",
                                       "format", "instruction", "operand"};
    static const char *const paths[] = {"modules", "executable", "module"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(keys); i++)
        if (!strcmp(key, keys[i]))
            return true;
    for (size_t i = 0; level != INQ_REDACT_STRICT && i < INQ_ARRAY_SIZE(paths); i++)
        if (!strcmp(key, paths[i]))
            return true;
    return false;
}

static void redact_value(struct run *run, json_t *value);

/* Drops the twin that holds the original bytes of a text that was redacted. */
static void redact_member(struct run *run, json_t *object, const char *key, const char *text)
{
    _cleanup_free_ char *clean = redacted(run, text);
    size_t size = strlen(key);
    char twin[160] = "";

    if (clean && !strcmp(clean, text))
        return;
    if (size + sizeof("_base64") <= sizeof(twin)) {
        memcpy(twin, key, size);
        memcpy(twin + size, "_base64", sizeof("_base64"));
        if (json_object_get(object, twin) && json_object_set_new(object, twin, json_null()))
            run->no_memory = true; /* else it is removed after the loop */
    }
    json_t *value = clean ? json_string(clean) : json_null();
    if (!value || json_object_set_new(object, key, value)) {
        run->no_memory = true;
        json_object_del(object, key); /* and with it `key` and `text` */
    }
}

/* A source file tells the home of who built the program; all else in a frame is ours. */
static void redact_frames(struct run *run, json_t *frames)
{
    size_t i;
    json_t *frame;

    json_array_foreach (frames, i, frame) {
        const char *file = json_string_value(json_object_get(frame, "file"));
        if (file)
            redact_member(run, frame, "file", file);
    }
}

static void redact_object(struct run *run, json_t *object)
{
    void *next;
    const char *key;
    json_t *value;

    json_object_foreach_safe(object, next, key, value)
    {
        if (!strcmp(key, "frames"))
            redact_frames(run, value);
        if (is_structural(key, run->level) || inq_ends_with(key, "_base64"))
            continue;
        if (!strcmp(key, "arguments"))
            redact_arguments(run, value);
        else if (!strcmp(key, "environment"))
            redact_environment(run, value);
        else if (json_is_string(value))
            redact_member(run, object, key, json_string_value(value));
        else
            redact_value(run, value);
    }
    json_object_foreach_safe(object, next, key, value)
    {
        if (json_is_null(value) && inq_ends_with(key, "_base64"))
            json_object_del(object, key);
    }
}

static void redact_array(struct run *run, json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *value = json_array_get(array, i);
        if (!json_is_string(value)) {
            redact_value(run, value);
            continue;
        }
        _cleanup_free_ char *clean = redacted(run, json_string_value(value));
        if (!clean || strcmp(clean, json_string_value(value)) != 0)
            replace(run, array, i, clean);
    }
}

/* The document is our own work: it is as deep as the dictionary of facts, six levels. */
static void redact_value(struct run *run, json_t *value)
{
    if (json_is_object(value))
        redact_object(run, value);
    else if (json_is_array(value))
        redact_array(run, value);
}

bool inq_redact_document(json_t *document, enum inq_redact_level level)
{
    struct run run = {.level = level};

    if (level == INQ_REDACT_NONE) {
        redact_environment(&run, json_object_get(document, "environment"));
        return !run.no_memory;
    }
    redact_value(&run, document);
    json_t *process = json_object_get(document, "process");
    if (level == INQ_REDACT_STRICT && json_is_string(json_object_get(process, "hostname")) &&
        json_object_set_new(process, "hostname", json_string(REDACTED)))
        run.no_memory = true;
    return !run.no_memory;
}
