/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "cli.h"

#define MAX_TIMEOUT_SECONDS (24u * 3600u)
#define MAX_JOBS 128u
#define MAX_PID 4194304u /* PID_MAX_LIMIT */
#define LEAST_MEMORY_BYTES (16ull * 1024 * 1024)

enum id {
    OPT_ADVICE = 256,
    OPT_AGAIN,
    OPT_ALL,
    OPT_COLOR,
    OPT_DB,
    OPT_DEBUG_DIR,
    OPT_DEBUGINFOD,
    OPT_DRY_RUN,
    OPT_ENGINE,
    OPT_EXECUTABLE,
    OPT_FAIL_ON,
    OPT_GROUP,
    OPT_GROUP_BY,
    OPT_HEAP,
    OPT_HTML,
    OPT_JSON,
    OPT_KLOG,
    OPT_KNOWN_ISSUES,
    OPT_MARKDOWN,
    OPT_MAX_MEMORY,
    OPT_NEW,
    OPT_NO_RECURSIVE,
    OPT_NO_SANDBOX,
    OPT_NO_STORE,
    OPT_PATTERN,
    OPT_PROGRAM,
    OPT_PID,
    OPT_RECURSIVE,
    OPT_REDACT,
    OPT_REQUIRE_SANDBOX,
    OPT_SIGNATURES,
    OPT_SINCE,
    OPT_STACKS,
    OPT_SYSROOT,
    OPT_TIMEOUT,
    OPT_TRUST_PATHS,
    OPT_UNTIL,
    OPT_TRY,
    OPT_UNIT,
    OPT_VERSION,
    OPT_WATCH,
    OPT_YOUNG,
};

struct row {
    const char *name;
    int id; /* its letter, for those that have one */
    const char *argument;
    const char *commands; /* letters of the commands whose help lists it; "*" all, "" none */
    const char *help;
};

/* In the order of the help. What later versions fill is taken and does nothing yet. */
static const struct row rows[] = {
    {"json", OPT_JSON, NULL, "*", "one JSON document; for scan and history, one a line"},
    {"all", OPT_ALL, NULL, "l", "every library, and the pairs that nothing makes cross"},
    {"try", OPT_TRY, NULL, "d", "crash a process of its own, and follow its core to the report"},
    {"pid", OPT_PID, "PID", "d", "look at this running process"},
    {"unit", OPT_UNIT, "NAME", "d", "look at what systemd starts as this unit: nginx.service"},
    {"sysroot", OPT_SYSROOT, "DIR", "clsd",
     "look up the files that a core names, or the machine's, below DIR"},
    {"debug-dir", OPT_DEBUG_DIR, "DIR", "cls", "more debug files, by build-id (repeatable)"},
    {"debuginfod", OPT_DEBUGINFOD, NULL, "cls",
     "fetch debug files from the servers in DEBUGINFOD_URLS"},
    {"executable", OPT_EXECUTABLE, "FILE", "cl", "the program that crashed"},
    {"trust-paths", OPT_TRUST_PATHS, NULL, "cls", "use files that no build-id vouches for"},
    {"stacks", OPT_STACKS, NULL, "cs", "stacks and names only: no verdict"},
    {"engine", OPT_ENGINE, "NAME", "cs", "unwinder: libunwind (default), dwfl or ucd"},
    {"signatures", OPT_SIGNATURES, "DIR", "*", "more signatures (repeatable)"},
    {"klog", OPT_KLOG, "FILE", "csd",
     "kernel log to find lines in (default: the kernel's own), or none"},
    {"pattern", OPT_PATTERN, "PATTERN", "cs", "core_pattern that the files were named by"},
    {"redact", OPT_REDACT, "LEVEL", "cls", "what is blanked: default, none or strict"},
    {"young", OPT_YOUNG, NULL, "s", "also files that are still being written"},
    {"recursive", OPT_RECURSIVE, NULL, "s", "directories below, too (default)"},
    {"no-recursive", OPT_NO_RECURSIVE, NULL, "s", "only the directory itself"},
    {"jobs", 'j', "N", "s", "cores read at once (default: as many as CPUs)"},
    {"timeout", OPT_TIMEOUT, "SECONDS", "cls",
     "for one core (default 30; compressed ones get more)"},
    {"max-memory", OPT_MAX_MEMORY, "SIZE", "cls", "for one core, such as 512M (default 1G)"},
    {"require-sandbox", OPT_REQUIRE_SANDBOX, NULL, "cls", "fail where a layer of it is missing"},
    {"no-sandbox", OPT_NO_SANDBOX, NULL, "cls", "do without; the report says so"},
    {"new", OPT_NEW, NULL, "s", "only crashes that --new has not shown before; silent without"},
    {"watch", OPT_WATCH, NULL, "s", "go on: triage new cores as they are completed"},
    {"group-by", OPT_GROUP_BY, "WHAT", "s", "bug (default), exact, program, signature or host"},
    {"fail-on", OPT_FAIL_ON, "GRADE", "s", "exit 8 for a crash: proven, strong or any"},
    {"known-issues", OPT_KNOWN_ISSUES, "FILE", "cs",
     "issues with a link, which --fail-on lets pass"},
    {"markdown", OPT_MARKDOWN, "FILE", "s", "also as Markdown, appended to FILE"},
    {"advice", OPT_ADVICE, NULL, "s", "say how much room old cores of a group take"},
    {"since", OPT_SINCE, "WHEN", "spqxr", "only crashes since 2026-11-21, or 7d, 24h ago"},
    {"until", OPT_UNTIL, "WHEN", "spqxr", "only crashes before that"},
    {"program", OPT_PROGRAM, "GLOB", "spqxr", "only crashes of such programs"},
    {"group", OPT_GROUP, "ID", "pqxr", "only crashes of this group"},
    {"dry-run", OPT_DRY_RUN, NULL, "pr", "only say how many"},
    {"db", OPT_DB, "FILE", "cspqxir",
     "crash database or none (default: INQUEST_DB, or the state directory's)"},
    {"no-store", OPT_NO_STORE, NULL, "cs", "neither ask the crash database nor keep a record"},
    {"again", OPT_AGAIN, NULL, "s", "triage also cores that an earlier scan did"},
    {"color", OPT_COLOR, "WHEN", "*", "auto (default), always or never; NO_COLOR is heard"},
    {"quiet", 'q', NULL, "*", "no progress, no hints, no rows for other files"},
    {"verbose", 'v', NULL, "*", "everything: all frames, all modules, skipped files"},
    {"version", OPT_VERSION, NULL, "", "version and what it was built with"},
    {"help", 'h', NULL, "*", "this text"},
    {"heap", OPT_HEAP, NULL, "", NULL},
    {"html", OPT_HTML, "FILE", "", NULL},
};

static const struct row *row_of(int id)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++)
        if (rows[i].id == id)
            return &rows[i];
    return NULL;
}

void cli_options_help(struct inq_text *text, char letter)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        const bool listed = *r->commands == '*' || (letter && strchr(r->commands, letter));
        char left[48];

        if (!listed && (letter || r->id != OPT_VERSION))
            continue;
        snprintf(left, sizeof(left), "%s%c%s--%s%s%s", r->id < 256 ? "-" : " ",
                 r->id < 256 ? r->id : ' ', r->id < 256 ? ", " : "  ", r->name,
                 r->argument ? " " : "", r->argument ? r->argument : "");
        inq_text_printf(text, "  %-28s %s\n", left, r->help);
    }
}

void cli_options_deinit(struct cli_options *options)
{
    INQ_ARRAY_FREE(&options->debug_dirs);
    INQ_ARRAY_FREE(&options->signatures);
    inq_kernel_log_destroy(options->kernel_log);
    options->kernel_log = NULL;
    free(options->cache_home);
    options->cache_home = NULL;
}

static bool bad_value(struct cli *cli, int id, const char *value, const char *wanted)
{
    cli_message(cli, "--%s: \"%s\" is not %s", row_of(id)->name, value, wanted);
    return false;
}

/* Decimal digits only: no sign, no space. */
static bool parse_number(const char *text, uint64_t *ret_value, const char **ret_rest)
{
    unsigned long long value;
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno)
        return false;
    *ret_value = value;
    *ret_rest = end;
    return true;
}

static bool set_count(struct cli *cli, int id, const char *text, uint32_t most, const char *wanted,
                      uint32_t *ret_value)
{
    uint64_t value;
    const char *rest;

    if (!parse_number(text, &value, &rest) || *rest != '\0' || value == 0 || value > most)
        return bad_value(cli, id, text, wanted);
    *ret_value = (uint32_t)value;
    return true;
}

static bool set_size(struct cli *cli, int id, const char *text, uint64_t *ret_bytes)
{
    static const char units[] = "KMGT";
    const char *rest, *unit;
    uint64_t value;

    if (!parse_number(text, &value, &rest))
        return bad_value(cli, id, text, "a size such as 512M or 2G");
    unit = *rest ? strchr(units, *rest >= 'a' && *rest <= 'z' ? *rest - 32 : *rest) : NULL;
    if (unit) {
        unsigned shift = 10u * (unsigned)(unit - units + 1);

        if (value > UINT64_MAX >> shift)
            return bad_value(cli, id, text, "a size such as 512M or 2G");
        value <<= shift;
        rest++;
        if (!strcmp(rest, "iB") || !strcmp(rest, "B"))
            rest += strlen(rest);
    }
    if (*rest != '\0')
        return bad_value(cli, id, text, "a size such as 512M or 2G");
    if (value < LEAST_MEMORY_BYTES)
        return bad_value(cli, id, text, "enough: at least 16M");
    *ret_bytes = value;
    return true;
}

static bool set_word(struct cli *cli, int id, const char *value, const char *const *words, size_t n,
                     const char *wanted, size_t *ret_index)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(words[i], value)) {
            *ret_index = i;
            return true;
        }
    }
    return bad_value(cli, id, value, wanted);
}

static bool set_engine(struct cli *cli, const char *value)
{
    static const char *const engines[] = {"libunwind", "dwfl", "ucd"};
    size_t index;

    if (!set_word(cli, OPT_ENGINE, value, engines, INQ_ARRAY_SIZE(engines),
                  "one of libunwind, dwfl, ucd", &index))
        return false;
    cli->options.job.engine = engines[index];
    return true;
}

static bool set_redact(struct cli *cli, const char *value)
{
    static const char *const levels[] = {"default", "none", "strict"};
    size_t index;

    if (!set_word(cli, OPT_REDACT, value, levels, INQ_ARRAY_SIZE(levels),
                  "one of default, none, strict", &index))
        return false;
    cli->options.job.redact = levels[index];
    return true;
}

static bool set_fail_on(struct cli *cli, const char *value)
{
    static const char *const words[] = {"proven", "strong", "any"};
    size_t index;

    if (!set_word(cli, OPT_FAIL_ON, value, words, INQ_ARRAY_SIZE(words),
                  "one of proven, strong, any", &index))
        return false;
    cli->options.fail_on = words[index];
    return true;
}

static bool set_group_by(struct cli *cli, const char *value)
{
    static const char *const words[] = {"bug", "exact", "program", "signature", "host"};
    size_t index;

    if (!set_word(cli, OPT_GROUP_BY, value, words, INQ_ARRAY_SIZE(words),
                  "one of bug, exact, program, signature, host", &index))
        return false;
    cli->options.group_by = words[index];
    return true;
}

static bool set_color(struct cli *cli, const char *value)
{
    static const char *const words[] = {"auto", "always", "never"};
    size_t index;

    if (!set_word(cli, OPT_COLOR, value, words, INQ_ARRAY_SIZE(words), "one of auto, always, never",
                  &index))
        return false;
    cli->options.color = (enum cli_color)index;
    return true;
}

#define PUSH(cli, array, value)                                                                    \
    ({                                                                                             \
        const char **_slot = INQ_ARRAY_PUSH(array);                                                \
        if (_slot)                                                                                 \
            *_slot = (value);                                                                      \
        else                                                                                       \
            cli_message(cli, "out of memory");                                                     \
        _slot != NULL;                                                                             \
    })

static bool apply_job(struct cli *cli, int id, const char *value)
{
    struct inq_job_options *job = &cli->options.job;

    switch (id) {
    case OPT_SYSROOT:
        job->policy.sysroot = value;
        return true;
    case OPT_DEBUG_DIR:
        return PUSH(cli, &cli->options.debug_dirs, value);
    case OPT_DEBUGINFOD:
        job->debuginfod = true;
        return true;
    case OPT_EXECUTABLE:
        job->policy.executable = value;
        return true;
    case OPT_TRUST_PATHS:
        job->policy.trust_paths = true;
        return true;
    case OPT_STACKS:
        job->stacks_only = true;
        return true;
    case OPT_ENGINE:
        return set_engine(cli, value);
    case OPT_REDACT:
        return set_redact(cli, value);
    case OPT_PATTERN:
        job->pattern = value;
        return true;
    case OPT_TIMEOUT:
        return set_count(cli, id, value, MAX_TIMEOUT_SECONDS, "a number of seconds up to 86400",
                         &job->timeout_seconds);
    case OPT_MAX_MEMORY:
        return set_size(cli, id, value, &job->max_memory_bytes);
    case OPT_REQUIRE_SANDBOX:
        job->require_sandbox = true;
        return true;
    default: /* OPT_NO_SANDBOX */
        job->no_sandbox = true;
        return true;
    }
}

static bool apply(struct cli *cli, int id, const char *value)
{
    struct cli_options *o = &cli->options;

    switch (id) {
    case OPT_ALL:
        o->all = true;
        return true;
    case OPT_JSON:
        o->json = true;
        return true;
    case OPT_SIGNATURES:
        return PUSH(cli, &o->signatures, value);
    case OPT_COLOR:
        return set_color(cli, value);
    case OPT_YOUNG:
        o->young = true;
        return true;
    case OPT_RECURSIVE:
    case OPT_NO_RECURSIVE:
        o->flat = id == OPT_NO_RECURSIVE;
        return true;
    case 'j':
        return set_count(cli, id, value, MAX_JOBS, "a number from 1 to 128", &o->jobs);
    case OPT_PID:
        return set_count(cli, id, value, MAX_PID, "the number of a process", &o->pid);
    case OPT_TRY:
        o->trial = true;
        return true;
    case OPT_UNIT:
        o->unit = value;
        return strchr(value, '/') == NULL || bad_value(cli, id, value, "the name of a unit");
    case 'q':
        o->quiet = true;
        return true;
    case 'v':
        o->verbose = true;
        return true;
    case 'h':
        o->help = true;
        return true;
    case OPT_VERSION:
        o->version = true;
        return true;
    case OPT_HTML:
        o->not_yet = row_of(id)->name;
        return true;
    case OPT_DB:
        o->db = value;
        return true;
    case OPT_NO_STORE:
        o->no_store = true;
        return true;
    case OPT_NEW:
        o->only_new = true;
        return true;
    case OPT_WATCH:
        o->watch = true;
        return true;
    case OPT_ADVICE:
        o->advice = true;
        return true;
    case OPT_MARKDOWN:
        o->markdown = value;
        return true;
    case OPT_KNOWN_ISSUES:
        o->known_issues = value;
        return true;
    case OPT_FAIL_ON:
        return set_fail_on(cli, value);
    case OPT_GROUP_BY:
        return set_group_by(cli, value);
    case OPT_DRY_RUN:
        o->dry_run = true;
        return true;
    case OPT_SINCE:
        return cli_parse_when(value, &o->filter.since) ||
               bad_value(cli, id, value, "a time: 2026-11-21, 2026-11-21 10:30, 7d, 24h");
    case OPT_UNTIL:
        return cli_parse_when(value, &o->filter.until) ||
               bad_value(cli, id, value, "a time: 2026-11-21, 2026-11-21 10:30, 7d, 24h");
    case OPT_PROGRAM:
        o->filter.program = value;
        return true;
    case OPT_GROUP:
        o->filter.group = value;
        return true;
    case OPT_AGAIN:
        o->again = true;
        return true;
    case OPT_HEAP:
        return true;
    case OPT_KLOG:
        o->klog = value;
        return true;
    default:
        return apply_job(cli, id, value);
    }
}

static void build(struct option *longs, char *shorts)
{
    *shorts++ = ':'; /* a missing value is told from an unknown option */
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++) {
        longs[i] = (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument,
                                   NULL, rows[i].id};
        if (rows[i].id < 256) {
            *shorts++ = (char)rows[i].id;
            if (rows[i].argument)
                *shorts++ = ':';
        }
    }
    longs[INQ_ARRAY_SIZE(rows)] = (struct option){0};
    *shorts = '\0';
}

/* `opt` is getopt's optopt: 0 for an unknown long option, which `given` then is. */
static bool refuse_option(struct cli *cli, const char *given, int opt)
{
    const char *names[INQ_ARRAY_SIZE(rows)], *near = NULL;

    if (row_of(opt)) {
        cli_message(cli, "--%s takes no value", row_of(opt)->name);
        return false;
    }
    if (opt > 0) {
        cli_message(cli, "there is no option -%c: see inquest --help", opt);
        return false;
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(rows); i++)
        names[i] = rows[i].name;
    _cleanup_free_ char *word = strndup(given + 2, strcspn(given + 2, "="));
    if (word)
        near = cli_suggest(word, names, INQ_ARRAY_SIZE(names));
    if (near)
        cli_message(cli, "there is no option %s: did you mean --%s?", given, near);
    else
        cli_message(cli, "there is no option %s: see inquest --help", given);
    return false;
}

/* A slip here would only show as files that are missing. A --debug-dir may well be absent. */
static bool is_there(struct cli *cli, int id, const char *path, bool directory)
{
    struct stat st;

    if (!path)
        return true;
    if (stat(path, &st) < 0) {
        cli_message(cli, "--%s: %s: %s", row_of(id)->name, path, strerror(errno));
        return false;
    }
    return !directory || S_ISDIR(st.st_mode) || bad_value(cli, id, path, "a directory");
}

static bool check_together(struct cli *cli)
{
    const struct cli_options *o = &cli->options;

    if (o->job.no_sandbox && o->job.require_sandbox) {
        cli_message(cli, "--no-sandbox and --require-sandbox exclude each other");
        return false;
    }
    if (o->klog && !*o->klog)
        return bad_value(cli, OPT_KLOG, o->klog, "the name of a file");
    return is_there(cli, OPT_SYSROOT, o->job.policy.sysroot, true) &&
           is_there(cli, OPT_EXECUTABLE, o->job.policy.executable, false);
}

bool cli_options_parse(struct cli *cli, int argc, char **argv, int *ret_first)
{
    struct option longs[INQ_ARRAY_SIZE(rows) + 1];
    char shorts[3 * INQ_ARRAY_SIZE(rows) + 2];
    int id;

    build(longs, shorts);
    opterr = 0;
    optind = 1;
    while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (id == '?')
            return refuse_option(cli, argv[optind - 1], optopt);
        if (id == ':') {
            cli_message(cli, "--%s needs a value", row_of(optopt)->name);
            return false;
        }
        if (!apply(cli, id, optarg))
            return false;
    }
    if (!check_together(cli))
        return false;
    *ret_first = optind;
    return true;
}
