/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "io.h"

#define MAX_MESSAGES 20u
#define PENDING_BYTES (32u * 1024u)
#define PROGRESS_AFTER_MSEC 1000u
#define PROGRESS_EVERY_MSEC 100u
#define BAR_COLUMNS 30u

static void write_line(struct cli *cli, const struct inq_text *line)
{
    cli_progress_wipe(cli);
    if (line->bytes && !line->failed)
        (void)!inq_write_full(STDERR_FILENO, line->bytes, line->size);
}

void cli_message(struct cli *cli, const char *format, ...)
{
    _cleanup_(inq_text_deinit) struct inq_text line = {0};
    _cleanup_free_ char *sentence = NULL;
    va_list list;
    int n;

    const unsigned number = ++cli->messages; /* two threads may have something to say */
    if (number > MAX_MESSAGES)
        return;
    if (number == MAX_MESSAGES) {
        inq_text_append(&line, "inquest: more messages like these are not shown\n");
        write_line(cli, &line);
        return;
    }
    va_start(list, format);
    n = vasprintf(&sentence, format, list);
    va_end(list);
    if (n < 0) {
        sentence = NULL;
        return;
    }
    inq_text_append(&line, "inquest: ");
    inq_text_append_escaped_string(&line, sentence);
    inq_text_append(&line, "\n");
    write_line(cli, &line);
}

int cli_fail(struct cli *cli, struct inq_error *error)
{
    _cleanup_(inq_text_deinit) struct inq_text line = {0};
    int exit_code = inq_code_exit(error->code);

    if (++cli->messages < MAX_MESSAGES) {
        inq_text_printf(&line, "inquest: %s\n", inq_error_line(error)); /* escaped already */
        write_line(cli, &line);
    }
    inq_error_destroy(error);
    return exit_code;
}

/* Nobody reads any more, or there is no room: what is under way is of no use. */
static void write_failed(struct cli *cli, int error)
{
    cli->write_failed = true;
    if (error != EPIPE)
        cli_message(cli, "cannot write the output: %s", strerror(error));
    inq_pipeline_interrupt(SIGPIPE);
}

void cli_flush(struct cli *cli)
{
    struct inq_text *pending = &cli->pending;

    if (pending->failed && !cli->write_failed)
        write_failed(cli, ENOMEM);
    if (pending->size == 0 || cli->write_failed)
        return;
    cli_progress_wipe(cli);
    if (inq_write_full(STDOUT_FILENO, pending->bytes, pending->size) < 0)
        write_failed(cli, errno);
    pending->size = 0;
}

void cli_print(struct cli *cli, const struct inq_text *text)
{
    if (text->failed)
        cli->pending.failed = true;
    else if (text->bytes)
        inq_text_append_bytes(&cli->pending, text->bytes, text->size);
    if (cli->pending.failed || cli->pending.size >= PENDING_BYTES)
        cli_flush(cli);
}

void cli_print_json(struct cli *cli, const json_t *document, bool indent)
{
    _cleanup_(inq_text_deinit) struct inq_text text = {0};
    _cleanup_free_ char *bytes = inq_evidence_dump(document, indent);

    if (bytes)
        inq_text_append(&text, bytes);
    else
        text.failed = true;
    inq_text_append(&text, "\n");
    cli_print(cli, &text);
}

int cli_close(struct cli *cli, int exit_code)
{
    cli_flush(cli);
    cli_progress_wipe(cli);
    inq_text_deinit(&cli->pending);
    /* Some file systems tell only now that there was no room. */
    if (!cli->write_failed && close(STDOUT_FILENO) < 0 && errno != EBADF && errno != EINTR) {
        cli_message(cli, "cannot write the output: %s", strerror(errno));
        return CLI_EXIT_IO;
    }
    return cli->write_failed ? CLI_EXIT_IO : exit_code;
}

static bool terminal_can(int fd)
{
    const char *term = getenv("TERM");

    return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

struct inq_style cli_style(const struct cli *cli)
{
    const char *no_color = getenv("NO_COLOR");
    struct inq_style style = {.verbose = cli->options.verbose};
    struct winsize size;

    if (cli->options.color == CLI_COLOR_AUTO)
        style.color = terminal_can(STDOUT_FILENO) && (!no_color || !*no_color);
    else
        style.color = cli->options.color == CLI_COLOR_ALWAYS;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        style.width = size.ws_col; /* 0 where the terminal does not know: then nothing is cut */
    return style;
}

static uint64_t now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* "  212/s, 1:05 left": the mean since the first was done, which big cores come before. */
static void put_rate(struct inq_text *line, uint64_t done, uint64_t total, uint64_t msec)
{
    if (done < 2 || msec == 0)
        return;
    const double rate = (double)(done - 1) * 1000.0 / (double)msec;
    const double left = (double)(total > done ? total - done : 0) / rate;

    inq_text_printf(line, rate < 10 ? "  %.1f/s" : "  %.0f/s", rate);
    if (left >= 360000)
        inq_text_append(line, ", days left");
    else if (left >= 3600)
        inq_text_printf(line, ", %u:%02u h left", (unsigned)left / 3600, (unsigned)left / 60 % 60);
    else
        inq_text_printf(line, ", %u:%02u left", (unsigned)left / 60, (unsigned)left % 60);
}

void cli_progress(struct cli *cli, uint64_t done, uint64_t total)
{
    static uint64_t began, shown, before;
    _cleanup_(inq_text_deinit) struct inq_text line = {0};
    uint64_t now = now_msec();

    if (began == 0 || done < before) { /* a watch has several rounds */
        began = now;
        shown = 0;
    }
    before = done;
    if (cli->options.quiet || total < 2 || now - began < PROGRESS_AFTER_MSEC ||
        now - shown < PROGRESS_EVERY_MSEC || !terminal_can(STDERR_FILENO))
        return;
    shown = now;
    inq_text_append(&line, "\r[");
    for (unsigned i = 0; i < BAR_COLUMNS; i++)
        inq_text_append(&line, done * BAR_COLUMNS > i * total ? "#" : " ");
    inq_text_printf(&line, "] %llu/%llu", (unsigned long long)done, (unsigned long long)total);
    put_rate(&line, done, total, now - began);
    inq_text_append(&line, "\033[K");
    write_line(cli, &line);
    cli->progress_shown = true;
}

void cli_progress_wipe(struct cli *cli)
{
    static const char wipe[] = "\r\033[K";

    if (!cli->progress_shown)
        return;
    cli->progress_shown = false;
    (void)!inq_write_full(STDERR_FILENO, wipe, sizeof(wipe) - 1);
}
