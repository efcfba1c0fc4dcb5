/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <string.h>

#include "environment.h"
#include "bounds.h"
#include "record.h"
#include "record_json.h"
#include "start_block.h"

#define MAX_ARGUMENTS 1024u
#define MAX_VARIABLES 65536u
#define NAME_BYTES 64u

/* `executable` keeps its true path: the gdb line of the report must work. */
static void record_executable(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_modules *modules = dump->modules;
    const char *path = NULL;
    uint64_t execfn;

    if (modules->main < modules->count)
        path = modules->items[modules->main].path;
    if (!path && inq_core_auxv(dump->core, AT_EXECFN, &execfn))
        path = inq_memory_string(dump->memory, execfn, INQ_MAX_STRING);
    if (path && *path)
        inq_evidence_set_text(evidence, "process.executable", path);
    else
        inq_evidence_set_unknown(evidence, "process.executable",
                                 "neither NT_FILE nor the saved memory names the program");
}

/* NT_PRPSINFO has the first 80 bytes, with spaces where the arguments end. */
static void arguments_from_note(struct inq_dump *dump, json_t *arguments, struct inq_json_writer *w)
{
    char psargs[sizeof(dump->core->prpsinfo.psargs)];
    char *save = NULL;

    memcpy(psargs, dump->core->prpsinfo.psargs, sizeof(psargs));
    psargs[sizeof(psargs) - 1] = '\0';
    for (char *word = strtok_r(psargs, " ", &save); word; word = strtok_r(NULL, " ", &save))
        inq_json_push(w, arguments, inq_json_text(word));
}

static void record_arguments(struct inq_dump *dump, const struct inq_start_block *block,
                             struct inq_evidence *evidence)
{
    struct inq_json_writer w = {0};
    json_t *arguments = json_array();

    for (size_t i = 0; block && i < block->n_arguments && i < MAX_ARGUMENTS; i++) {
        const char *argument = inq_start_block_string(dump, block->argv, i);
        inq_json_push(&w, arguments, argument ? inq_json_text(argument) : json_string("?"));
    }
    if (block && block->n_arguments > MAX_ARGUMENTS)
        inq_evidence_append(
            evidence, "limits",
            json_sprintf("%zu arguments more than are listed", block->n_arguments - MAX_ARGUMENTS));
    if (!block && dump->core->has_prpsinfo)
        arguments_from_note(dump, arguments, &w);
    if (block || dump->core->has_prpsinfo)
        inq_evidence_set(evidence, "process.arguments", json_incref(arguments));
    else
        inq_evidence_set_unknown(evidence, "process.arguments",
                                 "the top of the main stack was not saved");
    json_decref(arguments);
    evidence->failed |= w.failed;
}

/* Looks at a name before anything else is read: the value of a variable that may not leave stays.
 */
static void record_environment(struct inq_dump *dump, const struct inq_start_block *block,
                               struct inq_evidence *evidence)
{
    struct inq_json_writer w = {0};
    json_t *environment = json_object();

    for (size_t i = 0; i < block->n_variables && i < MAX_VARIABLES; i++) {
        size_t word = dump->core->cpu ? dump->core->cpu->word_bytes : 8u;
        char name[NAME_BYTES + 1];
        size_t got = 0;
        uint64_t pointer;
        if (!inq_memory_word(dump->memory, block->envp + i * word, &pointer))
            break;
        inq_memory_read(dump->memory, pointer, name, NAME_BYTES, &got);
        name[got] = '\0';
        char *equals = strchr(name, '=');
        if (!equals)
            continue;
        *equals = '\0';
        if (!inq_environment_allowed(name))
            continue;
        const char *variable = inq_start_block_string(dump, block->envp, i);
        const char *value = variable ? strchr(variable, '=') : NULL;
        json_t *text = value ? inq_json_text(value + 1) : NULL;
        if (!text || json_object_set_new(environment, name, text))
            w.failed |= value != NULL && !text;
    }
    inq_evidence_set(evidence, "environment", environment);
    evidence->failed |= w.failed;
}

void inq_record_process(struct inq_dump *dump, struct inq_evidence *evidence)
{
    const struct inq_core *core = dump->core;
    struct inq_start_block block;
    bool have_block = inq_start_block_find(dump, &block);

    if (core->has_prpsinfo) {
        inq_evidence_set_int(evidence, "process.pid", core->prpsinfo.pid);
        inq_evidence_set_int(evidence, "process.ppid", core->prpsinfo.ppid);
        inq_evidence_set_int(evidence, "process.uid", core->prpsinfo.uid);
        inq_evidence_set_int(evidence, "process.gid", core->prpsinfo.gid);
        inq_evidence_set_text(evidence, "process.comm", core->prpsinfo.fname);
    } else {
        static const char *const facts[] = {"process.pid", "process.ppid", "process.uid",
                                            "process.gid", "process.comm"};
        for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
            inq_evidence_set_unknown(evidence, facts[i], "the dump has no NT_PRPSINFO note");
    }
    record_executable(dump, evidence);
    record_arguments(dump, have_block ? &block : NULL, evidence);
    if (have_block)
        record_environment(dump, &block, evidence);
    else
        inq_evidence_set_unknown(evidence, "environment",
                                 "the top of the main stack was not saved");
}
