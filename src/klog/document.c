/* SPDX-License-Identifier: Apache-2.0 */
#include "klog_document.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "evidence.h"
#include "klog_meaning.h"
#include "readings.h"
#include "text.h"
#include "when.h"

/* Setters that remember whether one had no memory. */
struct out {
    json_t *object;
    bool failed;
};

static void put(struct out *out, const char *key, json_t *value)
{
    if (!value || json_object_set_new(out->object, key, value) < 0)
        out->failed = true;
}

static void put_word(struct out *out, const char *key, const char *word)
{
    if (word && *word)
        put(out, key, json_string(word));
}

static void put_count(struct out *out, const char *key, uint64_t value)
{
    put(out, key, json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

static void put_number(struct out *out, const char *key, struct inq_klog_u64 number)
{
    if (number.known)
        put_count(out, key, number.value);
}

static void put_addr(struct out *out, const char *key, struct inq_klog_u64 number)
{
    if (number.known)
        put(out, key, inq_json_addr(number.value));
}

static void put_foreign(struct out *out, const char *key, const char *text)
{
    if (*text)
        inq_json_set_foreign(out->object, key, text);
}

static void put_time(struct out *out, const char *key, const struct inq_klog_time *time)
{
    char text[64];

    inq_when_text(time, text, sizeof(text));
    if (time->clock == INQ_KLOG_CLOCK_NONE) /* what stands in the log, and is read by nobody here */
        put_foreign(out, key, text);
    else
        put_word(out, key, text);
}

static const char *clock_name(enum inq_klog_clock clock)
{
    static const char *const names[] = {[INQ_KLOG_CLOCK_UTC] = "utc",
                                        [INQ_KLOG_CLOCK_LOCAL] = "local",
                                        [INQ_KLOG_CLOCK_BOOT] = "boot"};
    return names[clock];
}

static void put_fault(struct out *out, const struct inq_klog_event *e)
{
    const char *bits[8], *why, *class = inq_klog_address_class(e, &why);
    size_t n = inq_klog_error_bits(e, bits);
    json_t *list = json_array();

    if (e->trap != INQ_KLOG_TRAP_NONE)
        put_word(out, "trap", inq_klog_trap_name(e->trap));
    put_word(out, "cpu_family", inq_klog_family_name(e->family));
    put_addr(out, "address", e->address);
    put_word(out, "address_class", class);
    put_word(out, "access", inq_klog_access_name(e->access));
    put_addr(out, "ip", e->ip);
    put_addr(out, "sp", e->sp);
    put_number(out, "error_code", e->error);
    for (size_t i = 0; list && i < n; i++)
        json_array_append_new(list, json_string(bits[i]));
    put(out, "error_bits", list);
    put_foreign(out, "module", e->module);
    if (e->module_not_at_ip)
        put(out, "module_not_at_ip", json_true());
    put_addr(out, "module_start", e->module_start);
    put_addr(out, "module_size", e->module_size);
    put_addr(out, "file_offset", e->file_offset);
    put_addr(out, "text_offset", e->text_offset);
    if (e->handler_possible)
        put(out, "handler_possible", json_true());
}

json_t *inq_klog_event_json(const struct inq_klog_event *e)
{
    struct out out = {.object = json_object()};
    uint64_t losses = inq_text_losses();

    if (!out.object)
        return NULL;
    put_foreign(&out, "line", e->text);
    put_time(&out, "time", &e->time);
    put_word(&out, "clock", clock_name(e->time.clock));
    put_count(&out, "line_number", e->line_number);
    put_word(&out, "kind", inq_klog_kind_name(e->kind));
    put_foreign(&out, "host", e->host);
    put_foreign(&out, "comm", e->comm);
    put_number(&out, "tid", e->tid);
    put_number(&out, "pid", e->pid);
    put_number(&out, "uid", e->uid);
    put_number(&out, "cpu", e->cpu);
    put_number(&out, "core", e->core);
    put_number(&out, "socket", e->socket);
    put_number(&out, "signal", e->signal);
    if (e->kind == INQ_KLOG_FAULT)
        put_fault(&out, e);
    if (e->kind == INQ_KLOG_MEMORY_FAILURE_KILL)
        put_addr(&out, "address", e->address);
    put_foreign(&out, "what", e->what);
    put_foreign(&out, "cgroup", e->cgroup);
    put_foreign(&out, "executable", e->executable);
    put_number(&out, "rss_bytes", e->rss_bytes);
    put_number(&out, "syscall", e->syscall);
    if (e->action.known)
        put_word(&out, "action", inq_klog_action_name(e->action.value));
    if (out.failed || inq_text_losses() != losses) {
        json_decref(out.object);
        return NULL;
    }
    return out.object;
}

static json_t *place_json(const struct inq_klog_place *place, bool with_groups)
{
    struct out out = {.object = json_object()};

    if (!out.object)
        return NULL;
    put_count(&out, "cpu", place->cpu);
    if (place->core >= 0)
        put_count(&out, "core", (uint64_t)place->core);
    if (place->socket >= 0)
        put_count(&out, "socket", (uint64_t)place->socket);
    put_count(&out, "count", place->count);
    if (with_groups)
        put_count(&out, "crashes", place->groups);
    if (!out.failed)
        return out.object;
    json_decref(out.object);
    return NULL;
}

static json_t *places_json(const struct inq_klog_places *places, bool with_groups)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < places->count; i++) {
        if (json_array_append_new(list, place_json(&places->items[i], with_groups)) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *programs_json(const struct inq_klog_group *group)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < group->n_programs; i++) {
        struct out out = {.object = json_object()};

        if (out.object) {
            put_foreign(&out, "comm", group->programs[i].name);
            put_count(&out, "count", group->programs[i].count);
        }
        if (out.failed || json_array_append_new(list, out.object) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *instruction_json(const struct inq_klog_event *e)
{
    struct inq_klog_instruction in;
    struct out out = {0};

    if (!inq_klog_decode(e, &in))
        return json_null();
    out.object = json_object();
    if (!out.object)
        return NULL;
    put_word(&out, "text", in.text);
    put_word(&out, "base", in.base);
    if (in.has_base_value && !in.may_straddle && !in.contradicts)
        put(&out, "base_value", inq_json_addr(in.base_value));
    if (in.contradicts)
        put(&out, "contradicts", json_true());
    if (!out.failed)
        return out.object;
    json_decref(out.object);
    return NULL;
}

static void put_span(struct out *out, const struct inq_klog_group *group)
{
    if (group->from.clock == INQ_KLOG_CLOCK_NONE)
        return;
    double seconds = (double)(group->to.usec - group->from.usec) / 1e6;
    put_time(out, "first", &group->from);
    put_time(out, "last", &group->to);
    put_word(out, "clock", clock_name(group->from.clock));
    put(out, "span_seconds", json_real(seconds));
    if (group->count > 2 && seconds >= 60 && (double)(group->count - 1) * 3600 / seconds >= 0.01)
        put(out, "per_hour", json_real((double)(group->count - 1) * 3600 / seconds));
}

static json_t *group_judgement(const struct inq_klog_group *group)
{
    struct inq_klog_verdict v;

    inq_klog_judge_group(group, &v);
    return json_pack("{s:s, s:I, s:I, s:I}", "judgement", inq_klog_judgement_name(v.judgement),
                     "lines", (json_int_t)v.lines, "cores", (json_int_t)v.cores, "most_on_one_core",
                     (json_int_t)v.on_it);
}

static json_t *sentences(bool (*add)(json_t *, const struct inq_klog_group *),
                         const struct inq_klog_group *group)
{
    json_t *list = json_array();

    if (list && !add(list, group)) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static void put_why(struct out *out, const struct inq_klog_event *e)
{
    const char *why;

    if (e->kind == INQ_KLOG_FAULT && !inq_klog_address_class(e, &why))
        put_word(out, "address_class_unknown", why);
}

static json_t *group_json(const struct inq_klog_group *group)
{
    struct out out = {.object = json_object()};
    _cleanup_free_ char *title = inq_klog_title(group);

    if (!out.object || !title) {
        json_decref(out.object);
        return NULL;
    }
    put_foreign(&out, "key", group->key);
    put_foreign(&out, "title", title);
    put_word(&out, "kind", inq_klog_kind_name(group->first.kind));
    put_count(&out, "count", group->count);
    put_span(&out, group);
    put(&out, "programs", programs_json(group));
    if (group->other_programs)
        put_count(&out, "other_programs", group->other_programs);
    if (group->first.kind == INQ_KLOG_FAULT) {
        put_fault(&out, &group->first);
        put_why(&out, &group->first);
        put(&out, "same_address", json_boolean(group->same_address));
        put(&out, "instruction", instruction_json(&group->first));
    }
    put(&out, "meaning", sentences(inq_klog_add_meaning, group));
    put(&out, "excludes", sentences(inq_klog_add_excludes, group));
    put(&out, "open", sentences(inq_klog_add_open, group));
    put(&out, "processors", group_judgement(group));
    put(&out, "cpus", places_json(&group->places, false));
    put_foreign(&out, "example", group->first.text);
    put_count(&out, "example_line", group->first.line_number);
    if (!out.failed)
        return out.object;
    json_decref(out.object);
    return NULL;
}

static json_t *sources_json(const struct inq_klog_source *sources, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < n; i++) {
        struct out out = {.object = json_object()};

        if (out.object) {
            put_foreign(&out, "name", sources[i].name);
            put_count(&out, "bytes", sources[i].stats.bytes);
            put_count(&out, "lines", sources[i].stats.lines);
            put_count(&out, "events", sources[i].events);
            put_count(&out, "by_other_programs", sources[i].stats.foreign_lines);
        }
        if (out.failed || json_array_append_new(list, out.object) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *counts_json(const struct inq_klog_counts *counts)
{
    struct out out = {.object = json_object()};

    if (!out.object)
        return NULL;
    for (int kind = INQ_KLOG_FAULT; kind < INQ_KLOG_LOST; kind++)
        put_count(&out, inq_klog_kind_name((enum inq_klog_kind)kind), counts->kinds[kind]);
    put_count(&out, "duplicates", counts->duplicates);
    put_count(&out, "lost_lines", counts->lost);
    if (!out.failed)
        return out.object;
    json_decref(out.object);
    return NULL;
}

static json_t *gap(enum inq_code code, const char *where, uint64_t n, const char *what)
{
    char text[256];
    json_t *object = json_object();

    if (!object)
        return NULL;
    snprintf(text, sizeof(text), "%" PRIu64 " %s", n, what);
    json_object_set_new(object, "code", json_string(inq_code_name(code)));
    inq_json_set_foreign(object, "where", where);
    json_object_set_new(object, "what", json_string(text));
    return object;
}

static json_t *gaps_json(const struct inq_klog_counts *counts,
                         const struct inq_klog_source *sources, size_t n)
{
    json_t *list = json_array();
    bool ok = list != NULL;

    for (size_t i = 0; ok && i < n; i++) {
        const struct inq_klog_stats *s = &sources[i].stats;

        if (s->lines_cut)
            ok = json_array_append_new(list, gap(INQ_G_KLOG_LIMIT, sources[i].name, s->lines_cut,
                                                 "lines were too long and looked at in part")) == 0;
        if (ok && s->code_unassigned)
            ok = json_array_append_new(list,
                                       gap(INQ_G_KLOG_LOST, sources[i].name, s->code_unassigned,
                                           "lines (Code:, epc) could belong to either of two "
                                           "crashes and were left out")) == 0;
    }
    if (ok && counts->ungrouped)
        ok = json_array_append_new(list,
                                   gap(INQ_G_KLOG_LIMIT, NULL, counts->ungrouped,
                                       "events are in no group: there were too many groups")) == 0;
    if (ok && counts->lost)
        ok = json_array_append_new(list,
                                   gap(INQ_G_KLOG_LOST, NULL, counts->lost,
                                       "lines are missing, as the log itself says (rate limit or "
                                       "a full buffer): crashes may be among them")) == 0;
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *verdict_json(const struct inq_klog_verdict *v)
{
    struct out out = {.object = json_object()};

    if (!out.object)
        return NULL;
    put_word(&out, "judgement", inq_klog_judgement_name(v->judgement));
    put_word(&out, "grade", v->grade);
    put_count(&out, "lines", v->lines);
    put_count(&out, "cores", v->cores);
    put_count(&out, "crashes", v->crashes);
    put_count(&out, "most_on_one_core", v->on_it);
    if (!out.failed)
        return out.object;
    json_decref(out.object);
    return NULL;
}

static json_t *groups_json(struct inq_klog_groups *groups)
{
    size_t n;
    const struct inq_klog_group *const *sorted = inq_klog_groups_sorted(groups, &n);
    json_t *list = sorted ? json_array() : NULL;

    for (size_t i = 0; list && i < n; i++) {
        if (json_array_append_new(list, group_json(sorted[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *events_json(const struct inq_klog_groups *groups)
{
    size_t n;
    const struct inq_klog_event *events = inq_klog_groups_events(groups, &n);
    json_t *list = json_array();

    for (size_t i = 0; list && i < n; i++) {
        if (json_array_append_new(list, inq_klog_event_json(&events[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

struct inq_error *inq_klog_document(struct inq_klog_groups *groups,
                                    const struct inq_klog_source *sources, size_t n_sources,
                                    json_t **ret_document)
{
    _cleanup_(inq_klog_places_deinit) struct inq_klog_places places = {0};
    const struct inq_klog_counts counts = inq_klog_groups_counts(groups);
    struct inq_klog_verdict verdict;
    struct out out = {0};
    uint64_t losses = inq_text_losses();
    json_t *readings;

    INQ_TRY(inq_klog_judge(groups, &verdict));
    INQ_TRY(inq_klog_groups_places(groups, &places));
    out.object = json_object();
    readings = json_array();
    if (!out.object || !readings || !inq_klog_add_readings(readings, groups, &verdict)) {
        json_decref(out.object);
        json_decref(readings);
        return &inq_error_oom;
    }
    put_word(&out, "format", "inquest-klog");
    put_count(&out, "version", 1);
    put(&out, "sources", sources_json(sources, n_sources));
    put(&out, "counts", counts_json(&counts));
    put(&out, "kernel_groups", groups_json(groups));
    put(&out, "processors", verdict_json(&verdict));
    put(&out, "cpus", places_json(&places, true));
    put(&out, "readings", readings);
    put(&out, "kernel_log", events_json(groups));
    put_count(&out, "kernel_log_more", counts.unlisted);
    put(&out, "gaps", gaps_json(&counts, sources, n_sources));
    if (out.failed || inq_text_losses() != losses) {
        json_decref(out.object);
        return &inq_error_oom;
    }
    *ret_document = out.object;
    return NULL;
}
