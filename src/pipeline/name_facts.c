/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "io.h"
#include "pattern.h"
#include "text.h"

struct known_pattern {
    const char *pattern;
    bool sure; /* nothing else looks like it: a contradiction is worth telling */
};

/*
 * Names that dumps have on machines where nobody says which pattern it was: systemd-coredump's, the
 * kernel's default with core_uses_pid, and those that core(5), the Arch wiki and the handbooks of
 * Red Hat and of Ubuntu give as examples. None with a lone %e: "core.old" is not a program's name.
 */
static const struct known_pattern known_patterns[] = {
    {"core.%" INQ_PATTERN_SYSTEMD_COMM ".%u.%" INQ_PATTERN_BOOT_ID ".%P.%t", true},
    {"core.%p", true},
    {"core", true},
    {"core-%e-%s-%u-%g-%p-%t", false},
    {"core-%e-%u-%g-%p-%t", false},
    {"core.%e.%p.%h.%t", false},
    {"core_%e.%p.%h.%t", false},
    {"core-%e.%p.%h.%t", false},
    {"core-%e.%p.%t", false},
    {"core-%e-%p-%t", false},
    {"core.%e.%p.%t", false},
    {"core.%h.%e.%t", false},
    {"core.%e.%p", false},
    {"core-%e-%p", false},
    {"core-%e.%p", false},
    {"core_%e.%p", false},
    {"core_%e_%p", false},
    {"%e.core.%p", false},
    {"%e.%p.core", false},
    {"%e-%p.core", false},
};

static const char *const packings[] = {".zst", ".lz4", ".xz", ".gz", ".bz2"};

static char *first_line(const char *path)
{
    char buffer[4096];
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : inq_read_full(fd, buffer, sizeof(buffer) - 1);

    if (n < 0)
        return NULL;
    buffer[n] = '\0';
    buffer[strcspn(buffer, "\n")] = '\0';
    return strdup(buffer);
}

char *inq_pattern_of_kernel(void)
{
    return first_line("/proc/sys/kernel/core_pattern");
}

/* The name as it is, then without the ending that a packer added. */
static json_t *match_packed(const char *pattern, const char *path)
{
    json_t *facts = inq_pattern_match(pattern, path);

    for (size_t i = 0; !facts && i < INQ_ARRAY_SIZE(packings); i++) {
        if (!inq_ends_with(path, packings[i]))
            continue;
        _cleanup_free_ char *plain = strndup(path, strlen(path) - strlen(packings[i]));
        if (plain)
            facts = inq_pattern_match(pattern, plain);
    }
    return facts;
}

static void contradict(json_t *list, const char *what, json_int_t named, json_int_t held)
{
    char text[128];

    snprintf(text, sizeof(text), "%s: the file name says %lld, the dump says %lld", what,
             (long long)named, (long long)held);
    json_array_append_new(list, json_string(text));
}

static void compare_number(json_t *list, const json_t *document, const json_t *facts,
                           const char *key, const char *fact, const char *what)
{
    const json_t *named = json_object_get(facts, key);
    struct inq_fact_value held = inq_evidence_get(document, fact, NULL, NULL);

    if (json_is_integer(named) && held.known == INQ_KNOWN && json_is_integer(held.value) &&
        json_integer_value(named) != json_integer_value(held.value))
        contradict(list, what, json_integer_value(named), json_integer_value(held.value));
}

static bool same_comm(const char *named, const char *held)
{
    return held && !strncmp(named, held, 15); /* both may be cut at TASK_COMM_LEN - 1 */
}

/*
 * %e is the crashing thread's name, the note has the leader's, and %f the file's: only a name that
 * is none of these is worth a word.
 */
static void compare_comm(json_t *list, const json_t *document, const json_t *facts)
{
    const char *named = json_string_value(json_object_get(facts, "comm"));
    struct inq_fact_value comm = inq_evidence_get(document, "process.comm", NULL, NULL);
    struct inq_fact_value thread = inq_evidence_get(document, "crashed.name", NULL, NULL);
    struct inq_fact_value path = inq_evidence_get(document, "process.executable", NULL, NULL);
    const char *held = comm.known == INQ_KNOWN ? json_string_value(comm.value) : NULL;
    const char *file = path.known == INQ_KNOWN ? json_string_value(path.value) : NULL;

    if (!named || !held || same_comm(named, held))
        return;
    if (thread.known == INQ_KNOWN && same_comm(named, json_string_value(thread.value)))
        return;
    if (file && same_comm(named, strrchr(file, '/') ? strrchr(file, '/') + 1 : file))
        return;
    _cleanup_(inq_text_deinit) struct inq_text text = {0};
    inq_text_printf(&text, "program: the file name says %s, the dump says %s", named, held);
    if (text.bytes && !text.failed)
        json_array_append_new(list, json_string(text.bytes));
}

/* New reference, an empty list when name and notes agree. */
static json_t *contradictions(const json_t *document, const json_t *facts)
{
    json_t *list = json_array();

    if (!list)
        return NULL;
    compare_number(list, document, facts, "pid", "process.pid", "pid");
    compare_number(list, document, facts, "signal", "signal.number", "signal");
    compare_number(list, document, facts, "uid", "process.uid", "uid");
    compare_number(list, document, facts, "gid", "process.gid", "gid");
    compare_comm(list, document, facts);
    return list;
}

/* The facts by one pattern, with `pattern` and `contradictions`; NULL when the name does not fit.
 */
static json_t *facts_by(const json_t *document, const char *pattern, const char *path,
                        const char *shown)
{
    json_t *facts = match_packed(pattern, path);
    json_t *against = facts ? contradictions(document, facts) : NULL;

    if (!against || json_object_set_new(facts, "contradictions", against)) {
        json_decref(facts);
        return NULL;
    }
    inq_json_set_foreign(facts, "pattern", shown);
    return facts;
}

static json_t *facts_by_given(const json_t *document, const char *pattern, const char *path)
{
    json_t *facts = NULL;

    if (*pattern == '\0' || *pattern == '|')
        return NULL;
    if (!strstr(pattern, "%p")) { /* core_uses_pid appends the pid where the pattern lacks it */
        _cleanup_(inq_text_deinit) struct inq_text with_pid = {0};

        inq_text_printf(&with_pid, "%s.%%p", pattern);
        if (with_pid.bytes && !with_pid.failed)
            facts = facts_by(document, with_pid.bytes, path, with_pid.bytes);
    }
    return facts ? facts : facts_by(document, pattern, path, pattern);
}

static json_t *facts_by_known(const json_t *document, const char *path)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(known_patterns); i++) {
        const struct known_pattern *known = &known_patterns[i];
        const char *shown = i == 0 ? "systemd-coredump" : known->pattern;
        json_t *facts = facts_by(document, known->pattern, path, shown);

        if (!facts)
            continue;
        if (known->sure || json_array_size(json_object_get(facts, "contradictions")) == 0)
            return facts;
        json_decref(facts); /* more likely the wrong pattern than a wrong name */
    }
    return NULL;
}

static void set_time(struct inq_evidence *evidence, int64_t seconds, const char *source)
{
    struct tm tm;
    time_t when = (time_t)seconds;
    char text[64];

    if (!gmtime_r(&when, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return;
    inq_evidence_set_text(evidence, "process.crashed_at", text);
    inq_evidence_set_text(evidence, "process.crashed_at_source", source);
}

/* What a name says is added where the handler wrote nothing down. */
static json_t *with_handler(const json_t *document, json_t *named, int fd, const char *path)
{
    const char *handler;
    json_t *facts = inq_handler_facts(fd, path, &handler), *against;

    if (!facts)
        return named;
    against = contradictions(document, facts);
    json_object_update_missing(facts, named);
    json_object_set_new(facts, "pattern", json_string(handler));
    if (against)
        json_object_set_new(facts, "contradictions", against);
    json_decref(named);
    return facts;
}

void inq_name_facts_set(struct inq_evidence *evidence, const char *path, const char *pattern,
                        int64_t mtime, int fd)
{
    json_t *facts = NULL;
    const json_t *value;

    if (pattern) {
        facts = facts_by_given(evidence->document, pattern, path);
    } else {
        _cleanup_free_ char *kernel = inq_pattern_of_kernel();

        if (kernel)
            facts = facts_by_given(evidence->document, kernel, path);
    }
    if (!facts)
        facts = facts_by_known(evidence->document, path);
    facts = with_handler(evidence->document, facts, fd, path);
    value = json_object_get(facts, "hostname");
    if (json_is_string(value) &&
        inq_evidence_get(evidence->document, "process.hostname", NULL, NULL).known != INQ_KNOWN)
        inq_evidence_set_text(evidence, "process.hostname", json_string_value(value));
    value = json_object_get(facts, "time");
    if (json_is_integer(value) && json_integer_value(value) > 0)
        set_time(evidence, json_integer_value(value), "file-name");
    else if (mtime != 0)
        set_time(evidence, mtime, "file-time");
    if (facts)
        inq_evidence_set(evidence, "name_facts", facts);
}
