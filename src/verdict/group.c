/* SPDX-License-Identifier: Apache-2.0 */
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "group_frames.h"
#include "group_text.h"
#include "verdict.h"

#define ALGORITHM "v1"
#define HASH_DIGITS 12u
#define SI_KERNEL_CODE 128 /* <asm-generic/siginfo.h>: sent by the kernel from somewhere */

static const char *fact_text(const json_t *document, const char *path)
{
    struct inq_fact_value fact = inq_evidence_get(document, path, NULL, NULL);
    return fact.known == INQ_KNOWN ? json_string_value(fact.value) : NULL;
}

static bool fact_is_true(const json_t *document, const char *path)
{
    struct inq_fact_value fact = inq_evidence_get(document, path, NULL, NULL);
    return fact.known == INQ_KNOWN && json_is_true(fact.value);
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

/*
 * A class, not the code: a stack overflow is SEGV_ACCERR over a guard made by mprotect() and
 * SEGV_MAPERR over one made by madvise(), and it is the same bug.
 */
static const char *code_class(const json_t *document)
{
    struct inq_fact_value code = inq_evidence_get(document, "signal.code", NULL, NULL);
    if (code.known != INQ_KNOWN || !json_is_integer(code.value))
        return "-";
    json_int_t value = json_integer_value(code.value);
    if (value == SI_KERNEL_CODE)
        return "kernel";
    if (value > 0)
        return "fault";
    const char *by = fact_text(document, "signal.sent_by");
    return by && strcmp(by, "self") == 0 ? "raised" : "sent";
}

static void append_tag(struct inq_text *tags, const char *tag)
{
    if (tags->size > 0)
        inq_text_append(tags, ",");
    inq_text_append(tags, tag);
}

/* `at_exit` as far as the frames' names tell it. False without memory. */
static bool append_tags(struct inq_text *tags, const json_t *document,
                        const struct inq_group_frames *frames)
{
    struct inq_fact_value exiting = inq_evidence_get(document, "state.exiting", NULL, NULL);
    if (frames->at_exit || exiting.known == INQ_KNOWN)
        append_tag(tags, "at-exit");
    if (frames->in_handler)
        append_tag(tags, "in-handler");
    if (fact_is_true(document, "crashed.stack.overflow"))
        append_tag(tags, "stack-overflow");
    const char *message = fact_text(document, "abort.message");
    if (message) {
        _cleanup_free_ char *clean = inq_group_message(message);
        if (!clean)
            return false;
        append_tag(tags, "abort:\"");
        inq_text_append(tags, clean);
        inq_text_append(tags, "\"");
    }
    return !tags->failed;
}

/* A stack of the runtime alone, or none: at least two programs do not fall into one group. */
static bool names_nobody(const struct inq_group_frames *frames)
{
    return frames->used == 0 || frames->all.items[frames->first].runtime;
}

static void append_program(struct inq_text *key, const json_t *document)
{
    const char *program = fact_text(document, "process.executable");
    if (!program)
        program = fact_text(document, "process.comm");
    _cleanup_free_ char *name = program ? inq_group_module_name(program) : NULL;
    inq_text_append(key, "program:");
    inq_text_append(key, name ? name : "?");
    if (program && !name)
        key->failed = true;
}

/* The whole key in words; NULL without memory. To be freed. */
static char *key_text(const json_t *document, const struct inq_group_frames *frames)
{
    _cleanup_(inq_text_deinit) struct inq_text tags = {0};
    struct inq_text key = {0};
    if (!append_tags(&tags, document, frames))
        return NULL;
    inq_text_printf(&key, ALGORITHM ":%s/%s|%s|%s|%s|", or_dash(fact_text(document, "signal.name")),
                    code_class(document), or_dash(fact_text(document, "fault.access")),
                    or_dash(fact_text(document, "fault.address_class")),
                    tags.bytes ? tags.bytes : "");
    for (size_t i = 0; i < frames->used; i++) {
        if (i > 0)
            inq_text_append(&key, " > ");
        inq_text_append(&key, frames->all.items[frames->first + i].word);
    }
    if (names_nobody(frames)) {
        inq_text_append(&key, frames->used > 0 ? " > " : "");
        append_program(&key, document);
    }
    if (key.failed)
        inq_text_deinit(&key);
    return key.bytes;
}

/* "v1:" and the first twelve digits of the key's SHA-256. */
static json_t *key_hash(const char *text)
{
    char digest[SHA256_DIGEST_STRING_LENGTH];
    if (!SHA256Data((const uint8_t *)text, strlen(text), digest))
        return NULL;
    return json_sprintf(ALGORITHM ":%.*s", (int)HASH_DIGITS, digest);
}

/* "SIGSEGV write null-page in foo", "SIGABRT in main: Assertion `x' failed.". */
static json_t *title(const json_t *document, const struct inq_group_frames *frames)
{
    _cleanup_(inq_text_deinit) struct inq_text text = {0};
    const char *access = fact_text(document, "fault.access");
    const char *class = fact_text(document, "fault.address_class");
    const char *message = fact_text(document, "abort.message");
    inq_text_append(&text, or_dash(fact_text(document, "signal.name")));
    if (strcmp(code_class(document), "sent") == 0)
        inq_text_append(&text, " sent from outside");
    if (access)
        inq_text_printf(&text, " %s", access);
    if (class)
        inq_text_printf(&text, " %s", class);
    if (frames->used > 0) {
        const char *word = frames->all.items[frames->first].word;
        const char *function = strchr(word, '!');
        inq_text_printf(&text, " in %s", function && function[1] ? function + 1 : word);
    }
    if (message) {
        _cleanup_free_ char *clean = inq_group_message(message);
        inq_text_printf(&text, ": %s", clean ? clean : "");
    }
    return text.failed ? NULL : json_string(text.bytes);
}

static json_t *frames_json(const struct inq_group_frames *frames)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < frames->used; i++) {
        if (json_array_append_new(list, json_string(frames->all.items[frames->first + i].word)) !=
            0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

struct inq_error *inq_group_key(struct inq_evidence *evidence)
{
    const json_t *document = evidence->document;
    _cleanup_(inq_group_frames_deinit) struct inq_group_frames by_name = {0};
    _cleanup_(inq_group_frames_deinit) struct inq_group_frames by_offset = {0};
    /* Nothing is known of the process: nothing to compare it by. */
    if (!fact_text(document, "signal.name") &&
        inq_evidence_get(document, "crashed.frames", NULL, NULL).known != INQ_KNOWN)
        return NULL;
    if (!inq_group_frames_read(document, true, &by_name) ||
        !inq_group_frames_read(document, false, &by_offset))
        return &inq_error_oom;
    _cleanup_free_ char *bug = key_text(document, &by_name);
    _cleanup_free_ char *exact = key_text(document, &by_offset);
    if (!bug || !exact)
        return &inq_error_oom;
    inq_evidence_set(evidence, "group.exact", key_hash(exact));
    inq_evidence_set(evidence, "group.bug", key_hash(bug));
    inq_evidence_set(evidence, "group.algorithm", json_string(ALGORITHM));
    inq_evidence_set(evidence, "group.title", title(document, &by_name));
    inq_evidence_set(evidence, "group.frames", frames_json(&by_name));
    return evidence->failed ? &inq_error_oom : NULL;
}
