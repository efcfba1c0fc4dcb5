/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "klog.h"
#include "klog_document.h"
#include "klog_groups.h"

#define PAGE_COLUMNS 100u

/* One log, from its first line to its last. */
static struct inq_error *read_events(struct inq_klog_reader *reader, struct inq_klog_groups *groups,
                                     struct inq_klog_source *source)
{
    struct inq_klog_event event;
    bool more;

    for (;;) {
        INQ_TRY(inq_klog_reader_next(reader, &event, &more));
        if (!more || inq_pipeline_interrupted())
            break;
        source->events++;
        INQ_TRY(inq_klog_groups_add(groups, &event));
    }
    source->stats = inq_klog_reader_stats(reader);
    return NULL;
}

static struct inq_error *read_kernel(struct inq_klog_groups *groups, struct inq_klog_source *source)
{
    _cleanup_(inq_klog_reader_destroyp) struct inq_klog_reader *reader = NULL;
    _cleanup_free_ char *bytes = NULL;
    size_t size = 0;

    source->name = "the kernel's log";
    INQ_TRY(inq_klog_read_kernel(&bytes, &size));
    INQ_TRY(inq_klog_reader_create_bytes(bytes, size, source->name, NULL, &reader));
    return read_events(reader, groups, source);
}

static struct inq_error *read_fd(int fd, const char *name, struct inq_klog_groups *groups,
                                 struct inq_klog_source *source)
{
    _cleanup_(inq_klog_reader_destroyp) struct inq_klog_reader *reader = NULL;

    source->name = name;
    INQ_TRY(inq_klog_reader_create(fd, name, NULL, &reader));
    return read_events(reader, groups, source);
}

/* What is no text is better told than searched: it would seem to hold no crash. */
static struct inq_error *check_text(int fd, const char *name)
{
    static const struct {
        const char *magic, *what, *command;
    } kinds[] = {
        {"\037\213", "gzip data", "zcat %s | inquest klog -"},
        {"\375"
         "7zXZ",
         "xz data", "xzcat %s | inquest klog -"},
        {"BZh", "bzip2 data", "bzcat %s | inquest klog -"},
        {"(\265/\375", "zstd data", "zstdcat %s | inquest klog -"},
        {"LPKSHHRH", "a journal", "journalctl -k --file %s -o short-iso | inquest klog -"},
        {"\177ELF", "an ELF file", "inquest triage %s"},
    };
    char head[8];
    ssize_t n = pread(fd, head, sizeof(head), 0);

    for (size_t i = 0; n > 0 && i < INQ_ARRAY_SIZE(kinds); i++) {
        size_t size = strlen(kinds[i].magic);
        struct inq_text command = {0};
        struct inq_error *error;

        if ((size_t)n < size || memcmp(head, kinds[i].magic, size) != 0)
            continue;
        const char *hole = strstr(kinds[i].command, "%s");
        inq_text_append_bytes(&command, kinds[i].command, (size_t)(hole - kinds[i].command));
        inq_text_append(&command, name);
        inq_text_append(&command, hole + 2);
        error = inq_error_create(INQ_E_KLOG_FORMAT, "%s, not the text of a log: try \"%s\"",
                                 kinds[i].what, command.failed ? "" : command.bytes);
        inq_text_deinit(&command);
        return inq_error_in(error, name);
    }
    return NULL;
}

static struct inq_error *read_path(const char *path, struct inq_klog_groups *groups,
                                   struct inq_klog_source *source)
{
    struct stat st;

    if (!strcmp(path, "-"))
        return read_fd(STDIN_FILENO, "standard input", groups, source);
    /* the user names it, so it may be a pipe (<(dmesg)); only a device is read without waiting */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return inq_error_in(inq_error_create(INQ_E_IO, "%s", strerror(errno)), path);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return inq_error_in(inq_error_create(INQ_E_NOT_REGULAR, "a directory"), path);
    INQ_TRY(check_text(fd, path));
    return read_fd(fd, path, groups, source);
}

static struct inq_error *read_all(struct cli *cli, struct inq_klog_groups *groups,
                                  struct inq_klog_source *sources)
{
    const char *const *names = cli->args;

    if (cli->n_args == 0)
        return read_kernel(groups, &sources[0]);
    for (size_t i = 0; i < cli->n_args && !inq_pipeline_interrupted(); i++)
        INQ_TRY(read_path(names[i], groups, &sources[i]));
    return NULL;
}

static void print_document(struct cli *cli, const json_t *document)
{
    struct inq_style style = cli_style(cli);
    struct inq_text text = {0};

    if (cli->options.json) {
        cli_print_json(cli, document, true);
        return;
    }
    if (style.width == 0)
        style.width = PAGE_COLUMNS;
    inq_report_klog(document, &style, &text);
    cli_print(cli, &text);
    inq_text_deinit(&text);
}

/* 4 where a limit shortened something: what the gaps say. */
static int exit_code_of(const json_t *document)
{
    const json_t *gap;
    int code = 0;
    size_t i;

    json_array_foreach (json_object_get(document, "gaps"), i, gap) {
        enum inq_code name = inq_code_by_name(json_string_value(json_object_get(gap, "code")));
        int exit_code = inq_code_exit(name);

        if (exit_code > code)
            code = exit_code;
    }
    return code;
}

int cli_klog(struct cli *cli)
{
    _cleanup_(inq_klog_groups_destroyp) struct inq_klog_groups *groups = NULL;
    size_t n = cli->n_args ? cli->n_args : 1;
    _cleanup_free_ struct inq_klog_source *sources = calloc(n, sizeof(*sources));
    json_t *document = NULL;
    struct inq_error *error;
    int exit_code;

    if (!sources)
        return cli_fail(cli, &inq_error_oom);
    error = inq_klog_groups_create(cli->options.json || cli->options.verbose, &groups);
    if (!error)
        error = read_all(cli, groups, sources);
    if (inq_pipeline_interrupted()) {
        inq_error_destroy(error);
        return CLI_EXIT_SIGNAL + inq_pipeline_interrupted();
    }
    if (!error)
        error = inq_klog_document(groups, sources, n, &document);
    if (error)
        return cli_fail(cli, error);
    print_document(cli, document);
    exit_code = exit_code_of(document);
    json_decref(document);
    return exit_code;
}
