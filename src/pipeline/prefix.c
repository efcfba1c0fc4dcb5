/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An environment's folder: the parent walks it and notes names, by descriptors and without
 * following a link; a worker reads the files. Nothing of a file is parsed here: Python sources are
 * only searched for one word, so that the worker need not ask for all of them.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "assemble.h"
#include "bounds.h"
#include "cleanup.h"
#include "config.h"
#include "dirwalk.h"
#include "inventory.h"
#include "io.h"
#include "job.h"
#include "pool.h"
#include "report.h"
#include "text.h"

#define SEARCHED_WORD "RTLD_GLOBAL"
#define MAX_SEARCHED_BYTES (1024ull * INQ_MIB) /* of Python sources, together */
/* An environment with everything in it has some 400,000 files; a whole machine has millions. */
#define MAX_ENTRIES 1000000u
#define DEFAULT_SECONDS 30u /* for the list and the sources; the worker has as long */

struct noting {
    const struct inq_walk *walk;
    struct inq_text text;
    size_t n_libraries, n_scripts, n_sites;
    uint64_t searched;
    char *buffer; /* INQ_MAX_SCRIPT_BYTES */
    const char *last_site, *last_conda;
    size_t last_site_size, last_conda_size;
    bool too_many_libraries, too_much_source, too_many_sites;
    size_t n_mounts, n_closed, n_deep; /* folders that were not entered, and why */
    const char *a_mount, *a_closed, *a_deep;
    uint64_t until_msec;
};

/* The part below the folder, with its slash, also where the user wrote one at the end. */
static const char *below(const struct inq_walk_entry *entry)
{
    const char *path = entry->path + entry->below;

    return *path == '/' || entry->below == 0 ? path : path - 1;
}

static void note(struct noting *n, char letter, const char *path, size_t size)
{
    inq_text_append_bytes(&n->text, &letter, 1);
    inq_text_append_bytes(&n->text, path, size);
    inq_text_append_bytes(&n->text, "", 1);
}

/* "libx.so", "libx.so.1.2" */
static bool is_library_name(const char *name)
{
    for (const char *p = strstr(name, ".so"); p; p = strstr(p + 1, ".so"))
        if (p[3] == '\0' || (p[3] == '.' && p[4] >= '0' && p[4] <= '9'))
            return true;
    return false;
}

static bool same_folder(const char *path, size_t size, const char *last, size_t last_size)
{
    return last && size == last_size && !memcmp(path, last, size);
}

/* A folder that has X.dist-info, X.egg-info or conda-meta in it. The entries come sorted. */
static void note_folders(struct noting *n, const char *path)
{
    for (const char *at = path; (at = strchr(at, '/')); at++) {
        const char *end = strchrnul(at + 1, '/');
        const size_t size = (size_t)(end - at - 1);
        const size_t folder = (size_t)(at - path);

        if (*end == '/' && size == 10 && !memcmp(at + 1, "conda-meta", 10)) {
            if (same_folder(path, folder, n->last_conda, n->last_conda_size))
                continue;
            n->last_conda = path;
            n->last_conda_size = folder;
            note(n, 'C', path, folder);
        } else if ((*end == '/' && size > 10 && !memcmp(end - 10, ".dist-info", 10)) ||
                   (size > 9 && !memcmp(end - 9, ".egg-info", 9))) {
            if (same_folder(path, folder, n->last_site, n->last_site_size))
                continue;
            n->last_site = path;
            n->last_site_size = folder;
            if (n->n_sites++ < INQ_MAX_PREFIX_SITES)
                note(n, 'S', path, folder);
            else
                n->too_many_sites = true;
        }
    }
}

static uint64_t now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool has_word(struct noting *n, const struct inq_walk_entry *entry)
{
    const char *not_regular;
    _cleanup_close_ int fd = -1;
    ssize_t size;

    if (entry->size_bytes > INQ_MAX_SCRIPT_BYTES || entry->size_bytes == 0)
        return false;
    if (n->searched > MAX_SEARCHED_BYTES || now_msec() > n->until_msec) {
        n->too_much_source = true;
        return false;
    }
    n->searched += entry->size_bytes;
    fd = inq_walk_open(n->walk, entry, &not_regular);
    if (fd < 0)
        return false;
    size = inq_read_full(fd, n->buffer, INQ_MAX_SCRIPT_BYTES);
    return size > 0 && memmem(n->buffer, (size_t)size, SEARCHED_WORD, strlen(SEARCHED_WORD));
}

static void note_left_out(size_t *count, const char **first, const char *path)
{
    if ((*count)++ == 0)
        *first = path;
}

static void note_entry(struct noting *n, const struct inq_walk_entry *entry)
{
    const char *path = below(entry), *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (entry->special || entry->error) {
        if (entry->error)
            note_left_out(&n->n_closed, &n->a_closed, entry->path);
        else if (!strcmp(entry->special, INQ_WALK_MOUNT))
            note_left_out(&n->n_mounts, &n->a_mount, entry->path);
        else if (!strcmp(entry->special, INQ_WALK_DEEP))
            note_left_out(&n->n_deep, &n->a_deep, entry->path);
        return;
    }
    note_folders(n, path);
    if (is_library_name(name)) {
        if (n->n_libraries++ < INQ_MAX_PREFIX_LIBRARIES)
            note(n, 'L', path, strlen(path));
        else
            n->too_many_libraries = true;
    } else if (inq_ends_with(name, ".py") && n->n_scripts < INQ_MAX_PREFIX_SCRIPTS &&
               has_word(n, entry)) {
        n->n_scripts++;
        note(n, 'P', path, strlen(path));
    }
}

/* "/usr/" to "/usr": what is below begins with a slash. "/" becomes "". */
static size_t folder_size(const char *path)
{
    size_t n = strlen(path);

    while (n > 0 && path[n - 1] == '/')
        n--;
    return n;
}

static void say_left_out(struct noting *n, size_t count, const char *first, const char *what)
{
    char text[512];

    if (count == 0)
        return;
    snprintf(text, sizeof(text), "%zu %s%s: %.300s%s", count, what, count == 1 ? "" : "s", first,
             count == 1 ? "" : ", ...");
    note(n, '-', text, strlen(text));
}

/* What the report has to say of what is not in it, and the worker's time. */
static void note_limits(struct noting *n, uint64_t seconds)
{
    static const char cut[] = "not every file is in the list: a limit of entries or time";
    char text[24];

    if (n->walk->cut || n->text.size >= INQ_MAX_INVENTORY_BYTES / 2)
        note(n, '!', cut, strlen(cut));
    if (n->too_many_libraries)
        note(n, '!', "more libraries than are looked at", 33);
    if (n->too_many_sites)
        note(n, '!', "more folders of packages than are looked at", 43);
    if (n->too_much_source)
        note(n, '!', "not every Python source was searched", 36);
    say_left_out(n, n->n_mounts, n->a_mount, "mounted file system that was not entered");
    say_left_out(n, n->n_deep, n->a_deep, "folder that is too deep");
    say_left_out(n, n->n_closed, n->a_closed, "file or folder that cannot be read");
    snprintf(text, sizeof(text), "%llu", (unsigned long long)seconds * 500);
    note(n, 'T', text, strlen(text));
}

static struct inq_error *write_inventory(const char *path, const struct inq_walk *walk,
                                         uint64_t seconds, int *ret_fd)
{
    struct noting n = {.walk = walk, .until_msec = now_msec() + seconds * 1000};
    _cleanup_close_ int fd = -1;
    bool ok;

    n.buffer = malloc(INQ_MAX_SCRIPT_BYTES);
    if (!n.buffer)
        return &inq_error_oom;
    inq_text_append_bytes(&n.text, INQ_INVENTORY_MAGIC, sizeof(INQ_INVENTORY_MAGIC));
    inq_text_append_bytes(&n.text, path, folder_size(path));
    inq_text_append_bytes(&n.text, "", 1);
    for (size_t i = 0; i < walk->entries.count && n.text.size < INQ_MAX_INVENTORY_BYTES / 2 &&
                       !inq_pipeline_interrupted();
         i++)
        note_entry(&n, &walk->entries.items[i]);
    note_limits(&n, seconds);
    free(n.buffer);
    fd = memfd_create("inquest-inventory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ok = !n.text.failed && fd >= 0 && inq_write_full(fd, n.text.bytes, n.text.size) == 0 &&
         fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
    inq_text_deinit(&n.text);
    if (!ok)
        return inq_error_in(
            inq_error_create(INQ_E_IO, "no memory file for its list: %s", strerror(errno)), path);
    *ret_fd = TAKE_FD(fd);
    return NULL;
}

/* What the user named must be a folder that can be read. */
static struct inq_error *check_folder(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return inq_error_in(inq_error_create(INQ_E_IO, "cannot open: %s", strerror(errno)), path);
    if (!S_ISDIR(st.st_mode))
        return inq_error_in(inq_error_create(INQ_E_NOT_REGULAR, "not a folder"), path);
    if (access(path, R_OK | X_OK) < 0)
        return inq_error_in(inq_error_create(INQ_E_IO, "cannot read: %s", strerror(errno)), path);
    return NULL;
}

static struct inq_error *look(const char *path, const struct inq_job_options *options, int fd,
                              struct inq_evidence **ret_evidence, struct inq_error **ret_cause)
{
    _cleanup_(inq_pool_destroyp) struct inq_pool *pool = NULL;
    _cleanup_(inq_fetch_notes_deinit) struct inq_fetch_notes notes = {0};
    struct inq_answer answer = {0};
    bool transient;

    INQ_TRY(inq_pool_create(options, 1, &pool));
    INQ_TRY(inq_pool_start(pool, fd, path, 0, NULL, &transient));
    INQ_TRY(inq_pool_next(pool, &answer));
    notes = answer.fetch_notes;
    return inq_job_understand(&answer, ret_evidence, ret_cause);
}

/* 1 when something here makes two of the libraries cross; 4 when a limit left something out. */
static int exit_of(const json_t *report)
{
    const json_t *pair;
    size_t i;

    json_array_foreach (json_object_get(report, "pairs"), i, pair) {
        const char *hazard = json_string_value(json_object_get(pair, "hazard"));

        if (hazard && !strcmp(hazard, "high"))
            return 1;
    }
    return inq_report_exit_code(report) == 4 ? 4 : 0;
}

static struct inq_error *analyze(const char *path, const struct inq_job_options *options,
                                 struct inq_evidence **ret_evidence, struct inq_error **ret_cause)
{
    _cleanup_(inq_walk_deinit) struct inq_walk walk = {0};
    _cleanup_close_ int fd = -1;
    const uint64_t seconds = options->timeout_seconds ? options->timeout_seconds : DEFAULT_SECONDS;

    *ret_cause = check_folder(path);
    if (*ret_cause)
        return NULL;
    INQ_TRY(inq_walk_list_some(&path, MAX_ENTRIES, seconds * 1000, &walk));
    *ret_cause = write_inventory(path, &walk, seconds, &fd);
    if (!*ret_cause && inq_pipeline_interrupted())
        *ret_cause = inq_error_create(INQ_E_INTERRUPTED, "interrupted");
    if (*ret_cause)
        return NULL;
    return look(path, options, fd, ret_evidence, ret_cause);
}

struct inq_error *inq_pipeline_prefix(const char *path, const struct inq_job_options *options,
                                      json_t **ret_report, int *ret_exit)
{
    struct inq_job_options inside = *options;
    _cleanup_(inq_evidence_destroyp) struct inq_evidence *evidence = NULL;
    _cleanup_(inq_error_destroyp) struct inq_error *cause = NULL;
    struct inq_job job;

    /* Everything is looked up below the folder, and nothing anywhere else. */
    inside.policy = (struct inq_file_policy){.sysroot = path, .scripts = true};
    inside.rules = NULL;
    inside.debuginfod = false;
    inside.stacks_only = false;
    inside.engine = NULL;
    inq_job_init(&job, -1, path);
    INQ_TRY(analyze(path, &inside, &evidence, &cause));
    if (cause)
        return inq_job_stub(&job, cause, options, ret_report, ret_exit);
    INQ_TRY(inq_job_hand_over(&job, evidence, ret_report));
    *ret_exit = exit_of(*ret_report);
    return NULL;
}
