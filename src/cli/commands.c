/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "cleanup.h"
#include "config.h"

/* Sorted. To add a command: a line here and a file beside this one. */
static const struct cli_command commands[] = {
    {"doctor", "", "Will the next crash here leave a usable core, and a kernel line?", 'd',
     cli_doctor},
    {"export", "", "The crash database as lines of JSON", 'x', cli_export},
    {"groups", "", "The bugs in the crash database, the most frequent first", 'q', cli_groups},
    {"history", "", "The crashes in the crash database, a line each", 'q', cli_history},
    {"import", "FILE... | -", "Crashes that inquest export wrote, into the crash database", 'i',
     cli_import},
    {"klog", "[FILE... | -]", "Crashes that the kernel logged: decoded, grouped, judged", 'k',
     cli_klog},
    {"libs", "CORE | PREFIX", "Libraries that are there twice, in a core or an environment", 'l',
     cli_libs},
    {"purge", "", "Forgets crashes; never touches a core", 'p', cli_purge},
    {"rejudge", "", "Today's signatures over the crashes in the crash database", 'r', cli_rejudge},
    {"scan", "[PATH...]", "Every core under PATH: a line a crash, then the groups", 's', cli_scan},
    {"show", "ID", "A crash or a group of the crash database", 'q', cli_show},
    {"signatures", "[list | show ID | check FILE... | test DIR | explain ID REPORT]",
     "What inquest can recognise", 'g', cli_signatures},
    {"triage", "CORE...", "One core, the whole report; - is standard input", 'c', cli_triage},
};

/* Of the interface, but not built yet: better said than "unknown". Sorted. */
static const char *const later[] = {"attach", "bundle"};

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(commands); i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static void print_help(struct cli *cli, const struct cli_command *command)
{
    _cleanup_(inq_text_deinit) struct inq_text text = {0};

    if (command) {
        inq_text_printf(&text, "Usage: inquest %s [OPTION...]%s%s\n%s%s\n\nOptions:\n",
                        command->name, *command->usage ? " " : "", command->usage, command->help,
                        inq_ends_with(command->help, "?") ? "" : ".");
        cli_options_help(&text, command->letter);
    } else {
        inq_text_append(&text, "Usage: inquest COMMAND [OPTION...] ...\n"
                               "Reads core dumps and says why the process died.\n\nCommands:\n");
        for (size_t i = 0; i < INQ_ARRAY_SIZE(commands); i++)
            inq_text_printf(&text, "  %-12s%s\n", commands[i].name, commands[i].help);
        inq_text_append(&text, "\nOptions (more with inquest COMMAND --help):\n");
        cli_options_help(&text, '\0');
        inq_text_append(&text, "\nExit codes: 0 complete, 1 partial, 2 usage, 3 not analysable, "
                               "4 a limit was hit,\n5 the worker died, 6 input or output error, "
                               "8 what --fail-on looks for; see inquest(1).\n");
    }
    cli_print(cli, &text);
}

static void print_version(struct cli *cli)
{
    _cleanup_(inq_text_deinit) struct inq_text text = {0};
    int major, minor, patch;

    yaml_get_version(&major, &minor, &patch);
    inq_text_printf(&text, "inquest %s\n", INQUEST_VERSION);
    inq_text_printf(&text,
                    "built with: jansson %s, libyaml %d.%d.%d%s; in inquest-worker: libunwind, "
                    "libseccomp, Landlock, zstd%s\n",
                    JANSSON_VERSION, major, minor, patch, INQUEST_STORE ? ", SQLite" : "",
                    INQUEST_DEBUGINFOD ? "; in inquest-fetch: libdebuginfod" : "");
    inq_text_printf(&text, "not in this build: tickets, HTML%s%s\n",
                    INQUEST_STORE ? "" : ", crash database",
                    INQUEST_DEBUGINFOD ? "" : ", debuginfod");
    cli_print(cli, &text);
}

static bool is_core_like(const char *word)
{
    return strchr(word, '/') || strchr(word, '.') || inq_starts_with(word, "core") ||
           access(word, F_OK) == 0;
}

static int refuse_command(struct cli *cli, const char *word)
{
    const char *names[INQ_ARRAY_SIZE(commands) + INQ_ARRAY_SIZE(later)];
    const char *near;
    size_t n = 0;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(later); i++) {
        if (!strcmp(later[i], word)) {
            cli_message(cli, "%s: not in this version", word);
            return CLI_EXIT_USAGE;
        }
    }
    for (size_t i = 0; i < INQ_ARRAY_SIZE(commands); i++)
        names[n++] = commands[i].name;
    near = cli_suggest(word, names, n);
    if (near)
        cli_message(cli, "there is no command %s: did you mean inquest %s?", word, near);
    else if (is_core_like(word))
        cli_message(cli, "there is no command %s: did you mean inquest triage %s?", word, word);
    else
        cli_message(cli, "there is no command %s: see inquest --help", word);
    return CLI_EXIT_USAGE;
}

static int dispatch(struct cli *cli, int argc, char **argv)
{
    int first;

    if (!cli_options_parse(cli, argc, argv, &first))
        return CLI_EXIT_USAGE;
    if (cli->options.version) {
        print_version(cli);
        return 0;
    }
    if (first < argc)
        cli->command = find_command(argv[first]);
    if (cli->options.help && (first == argc || cli->command)) {
        print_help(cli, cli->command);
        return 0;
    }
    if (first == argc) {
        cli_message(cli, "say what to do: inquest scan, inquest triage CORE; see inquest --help");
        return CLI_EXIT_USAGE;
    }
    if (!cli->command)
        return refuse_command(cli, argv[first]);
    if (cli->options.not_yet) {
        cli_message(cli, "--%s: not in this version", cli->options.not_yet);
        return CLI_EXIT_USAGE;
    }
    cli->args = (const char *const *)argv + first + 1;
    cli->n_args = (size_t)(argc - first - 1);
    return cli->command->run(cli);
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {0};
    int exit_code = dispatch(&cli, argc, argv);

    exit_code = cli_close(&cli, exit_code);
    cli_options_deinit(&cli.options);
    return exit_code;
}
