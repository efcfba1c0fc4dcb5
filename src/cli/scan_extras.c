/* SPDX-License-Identifier: Apache-2.0 */
#include "scan_extras.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "io.h"
#include "verdict.h"

/* --advice: of each group so many are kept, the newest. */
#define KEEP 3u
/* --watch: lines that are remembered, so as not to be shown at every look. */
#define MOST_TOLD 10000u

static const char *text_at(const json_t *report, const char *path)
{
    struct inq_fact_value value = inq_evidence_get(report, path, NULL, NULL);

    return value.known == INQ_KNOWN ? json_string_value(value.value) : NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash && slash[1] ? slash + 1 : path;
}

/* Without a time nobody can say that a crash is too old: it is wanted. */
static bool is_in_time(const struct inq_store_filter *filter, const char *when)
{
    int64_t seconds;

    if ((!filter->since && !filter->until) || !when || !cli_parse_when(when, &seconds))
        return true;
    return (!filter->since || seconds >= filter->since) &&
           (!filter->until || seconds < filter->until);
}

static bool is_new(const struct cli_scan *scan, const json_t *report)
{
    const char *uid = json_string_value(json_object_get(report, "uid"));
    bool ours = true; /* told twice rather than never */

    if (!scan->cli->options.only_new || !uid || !scan->cli->records.store)
        return true;
    if (json_object_get(scan->shown, uid)) /* another copy of the same dump */
        return false;
    inq_error_destroy(inq_store_reserve(scan->cli->records.store, uid, &ours));
    return ours;
}

bool cli_scan_wanted(const struct cli_scan *scan, const json_t *report)
{
    const struct inq_store_filter *filter = &scan->cli->options.filter;
    const char *comm = text_at(report, "process.comm");
    const char *program = base_name(text_at(report, "process.executable"));

    if (!is_in_time(filter, text_at(report, "process.crashed_at")))
        return false;
    if (filter->program && !(comm && inq_glob_match(filter->program, comm)) &&
        !(program && inq_glob_match(filter->program, program)))
        return false;
    return is_new(scan, report);
}

/* ---- --fail-on ------------------------------------------------------------------------------- */

/* A known issue fails nobody's build until its day is over. */
static bool is_looked_for(const struct cli_scan *scan, const json_t *report)
{
    const char *least = scan->cli->options.fail_on;
    const json_t *best = json_array_get(json_object_get(report, "verdicts"), 0);
    const char *grade = json_string_value(json_object_get(best, "grade"));

    if (!least || text_at(report, "group.seen.known_issue"))
        return false;
    return !strcmp(least, "any") || (grade && inq_grade_rank(grade) >= inq_grade_rank(least));
}

/* ---- --advice -------------------------------------------------------------------------------- */

static void remember(struct cli_scan *scan, const struct inq_scan_row *row)
{
    const char *key = text_at(row->report, "group.bug"), *when;
    json_t *list;

    if (!scan->kept || !key)
        return;
    when = text_at(row->report, "process.crashed_at");
    list = json_object_get(scan->kept, key);
    if (!list) {
        list = json_array();
        json_object_set_new(scan->kept, key, list);
    }
    json_array_append_new(list, json_pack("{s:s, s:I}", "when", when ? when : "", "bytes",
                                          (json_int_t)row->disk_bytes));
}

static int newest_first(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;

    return strcmp(json_string_value(json_object_get(right, "when")),
                  json_string_value(json_object_get(left, "when")));
}

/* Bytes of all but the newest of a group. */
static uint64_t spare_bytes(const json_t *list, uint64_t *spare)
{
    const size_t n = json_array_size(list);
    _cleanup_free_ json_t **items = calloc(n + 1, sizeof(*items));
    uint64_t bytes = 0;

    if (!items)
        return 0;
    for (size_t i = 0; i < n; i++)
        items[i] = json_array_get(list, i);
    qsort(items, n, sizeof(*items), newest_first);
    for (size_t i = KEEP; i < n; i++, (*spare)++)
        bytes += (uint64_t)json_integer_value(json_object_get(items[i], "bytes"));
    return bytes;
}

static void put_size(struct inq_text *text, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;

    for (; value >= 1024 && unit + 1 < INQ_ARRAY_SIZE(units); unit++)
        value /= 1024;
    inq_text_printf(text, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void cli_scan_print_advice(struct cli_scan *scan)
{
    _cleanup_(inq_text_deinit) struct inq_text text = {0};
    uint64_t bytes = 0, spare = 0, cores = 0;
    const char *key;
    json_t *list;

    json_object_foreach (scan->kept, key, list) {
        cores += json_array_size(list);
        bytes += spare_bytes(list, &spare);
    }
    inq_text_printf(&text, "Advice: %" PRIu64 " core%s in %zu group%s; ", cores,
                    cores == 1 ? "" : "s", json_object_size(scan->kept),
                    json_object_size(scan->kept) == 1 ? "" : "s");
    if (spare > 0) {
        inq_text_printf(&text, "keeping the newest %u of each would free ", KEEP);
        put_size(&text, bytes);
        inq_text_printf(&text, " (%" PRIu64 " core%s). inquest deletes nothing.\n", spare,
                        spare == 1 ? "" : "s");
    } else {
        inq_text_printf(&text, "none has more than %u.\n", KEEP);
    }
    cli_print(scan->cli, &text);
}

/* ---- --watch --------------------------------------------------------------------------------- */

bool cli_scan_was_shown(struct cli_scan *scan, const struct inq_scan_row *row)
{
    const json_t *error = json_object_get(row->report, "error");
    const char *line = row->skipped ? row->skipped
                                    : json_string_value(json_object_get(error, "message"));

    if (!scan->cli->options.watch)
        return false;
    if (scan->watching && row->known)
        return true;
    if (json_object_size(scan->told) > MOST_TOLD)
        json_object_clear(scan->told);
    if (!scan->told && !(scan->told = json_object()))
        return false;
    if (!line) {
        json_object_del(scan->told, row->path);
        return false;
    }
    const char *before = json_string_value(json_object_get(scan->told, row->path));
    if (before && !strcmp(before, line))
        return true;
    /* a name that is no UTF-8 is told each time */
    json_object_set_new(scan->told, row->path, json_string(line));
    return false;
}

/* ---- rows ------------------------------------------------------------------------------------ */

void cli_scan_note(struct cli_scan *scan, const struct inq_scan_row *row)
{
    const char *uid = json_string_value(json_object_get(row->report, "uid"));
    struct cli *cli = scan->cli;

    scan->rows++;
    scan->fail_on += is_looked_for(scan, row->report);
    remember(scan, row);
    if (cli->options.only_new && uid) {
        if (!scan->shown)
            scan->shown = json_object();
        json_object_set_new(scan->shown, uid, json_true());
    }
    if (cli->options.markdown) {
        if (scan->markdown.size == 0)
            inq_report_markdown_begin(&scan->markdown);
        inq_report_markdown_row(row->report, &scan->markdown);
    }
}

static struct inq_error *mark_all(struct inq_store *store, const json_t *uids)
{
    const char *uid;
    json_t *yes;

    INQ_TRY(inq_store_begin(store));
    json_object_foreach ((json_t *)uids, uid, yes)
        INQ_TRY(inq_store_set_reported(store, uid));
    return inq_store_commit(store);
}

void cli_scan_mark_shown(struct cli_scan *scan)
{
    struct cli *cli = scan->cli;

    cli_flush(cli);
    if (json_object_size(scan->shown) > 0 && cli->records.store && !cli->write_failed) {
        struct inq_error *error = mark_all(cli->records.store, scan->shown);

        if (error) {
            cli_message(cli, "%s", inq_error_line(error));
            cli_message(cli, "what was shown will be shown again");
            inq_error_destroy(error);
            cli->records.failed = true;
        }
    }
    json_decref(TAKE_PTR(scan->shown));
}

/* Behind what is there: a CI system collects the summaries of several steps in one file. */
struct inq_error *cli_scan_write_markdown(struct cli_scan *scan, const json_t *groups)
{
    const char *path = scan->cli->options.markdown;

    if (!path)
        return NULL;
    inq_report_markdown_groups(groups, &scan->markdown);
    if (scan->markdown.failed)
        return &inq_error_oom;
    if (!strcmp(path, "-")) {
        cli_print(scan->cli, &scan->markdown);
        return NULL;
    }
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || inq_write_full(fd, scan->markdown.bytes, scan->markdown.size) < 0)
        return inq_error_in(inq_error_create(INQ_E_IO, "cannot be written: %s", strerror(errno)),
                            path);
    return NULL;
}

void cli_scan_deinit(struct cli_scan *scan)
{
    inq_known_issues_deinit(&scan->issues);
    inq_text_deinit(&scan->markdown);
    json_decref(scan->kept);
    json_decref(scan->shown);
    json_decref(scan->told);
}
