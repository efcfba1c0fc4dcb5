/* SPDX-License-Identifier: Apache-2.0 */
#include "detectors.h"

#include <string.h>

#include "cleanup.h"
#include "facts.h"
#include "real_fault.h"
#include "thread_stacks.h"

/* Sorted by id; they run in this order and do not depend on each other. */
static const struct inq_detector table[] = {
    {"abort-message", "Which message did a library leave before it called abort()?",
     inq_detect_abort_message, false},
    {"argument", "What was handed to free() or realloc()?", inq_detect_argument, true},
    {"bindings", "What did the dynamic linker bind to what, and what was in scope?",
     inq_detect_bindings, true},
    {"collisions",
     "Is a library there twice, is one bound to the other, and did the crash go that way?",
     inq_detect_collisions, true},
    {"code-page", "Is the code that failed what the file has there?", inq_detect_code_page, true},
    {"copy-size", "How many bytes was a memcpy() that failed told to copy?", inq_detect_copy_size,
     true},
    {"dump-quality", "What of the process does the dump not hold?", inq_detect_dump_quality, false},
    {"errno", "With which error did the thread's last call that failed do so?", inq_detect_errno,
     false},
    {"exiting", "Was exit() running, and what had it called?", inq_detect_exiting, false},
    {"families", "Which library is each module, in which variant, and from where?",
     inq_detect_families, false},
    {"fault", "Which address could not be used, and what kind of address is that?",
     inq_detect_fault, true},
    {"finalizing", "Was a language's runtime shutting down?", inq_detect_finalizing, false},
    {"fork", "Is this a child of fork() that lost the threads of its parent?", inq_detect_fork,
     false},
    {"instruction", "Which instruction failed, and at which of its operands?",
     inq_detect_instruction, true},
    {"loading", "Was the dynamic linker loading or unloading a library?", inq_detect_loading,
     false},
    {"map-count", "How many mappings did the process have?", inq_detect_map_count, false},
    {"owners", "Which package does a module belong to, and who asked for it?", inq_detect_owners,
     false},
    {"place", "What lies at the address, and what does the bad pointer look like?",
     inq_detect_place, true},
    {"runtimes", "Which language runtimes are there, and where are their last words?",
     inq_detect_runtimes, false},
    {"seccomp", "Which system call did a filter refuse?", inq_detect_seccomp, false},
    {"sender", "Did the kernel, the process itself or somebody else send the signal?",
     inq_detect_sender, false},
    {"signal-stack", "Did the crashing thread stand on its signal stack?", inq_detect_signal_stack,
     false},
    {"stack", "Was the stack used up, and by what?", inq_detect_stack, true},
    {"trap", "Which exception did the CPU raise, and with which error code?", inq_detect_trap,
     true},
};

static void note_failure(struct inq_dump *dump, struct inq_evidence *evidence,
                         const struct inq_detector *detector, const struct inq_error *error)
{
    size_t count;
    const struct inq_fact *facts = inq_facts(&count);
    const char *why = error->message ? error->message : inq_code_text(error->code);

    for (size_t i = 0; i < count; i++)
        if (facts[i].source && !strcmp(facts[i].source, detector->id) &&
            facts[i].type != INQ_FACT_OBJECT && !strstr(facts[i].path, "[]"))
            inq_evidence_set_unknown(evidence, facts[i].path, "%s", why);
    inq_gaps_add(dump->gaps, INQ_G_DETECTOR, detector->id, why, "%s", detector->doc);
}

void inq_detectors_run(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct inq_dump *at_fault;

    inq_thread_stacks(dump); /* kept in there; what is refused depends on the guards */
    at_fault = inq_real_fault(dump);

    for (size_t i = 0; i < INQ_ARRAY_SIZE(table); i++) {
        _cleanup_(inq_error_destroyp) struct inq_error *error =
            table[i].run(table[i].of_fault ? at_fault : dump, evidence);
        if (error)
            note_failure(dump, evidence, &table[i], error);
    }
}

/* do_coredump() lets the dying thread write its own NT_PRSTATUS first (fs/binfmt_elf.c). */
const struct inq_core_thread *inq_crashed_thread(const struct inq_dump *dump)
{
    return dump->core->n_threads > 0 ? &dump->core->threads[0] : NULL;
}

const struct inq_stack *inq_crashed_stack(const struct inq_dump *dump)
{
    return dump->stacks && dump->stacks->count > 0 ? &dump->stacks->items[0] : NULL;
}
