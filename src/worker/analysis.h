/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_WORKER_ANALYSIS_H
#define INQ_WORKER_ANALYSIS_H

/* The stages in order: one dump in, its evidence out. */

#include "evidence.h"
#include "files.h"
#include "stacks.h"

struct inq_analysis_options {
    bool stacks_only;    /* --stacks: threads and names alone, no detectors, no owners */
    bool all_owners;     /* owners of every module, not only of those that may matter */
    bool has_executable; /* --executable was given (the opener knows which) */
    enum inq_engine engine;
    const char *redact; /* "default", "none" or "strict"; NULL is "default" */
    bool unmapped;       /* read files instead of mapping them: a worker before died of SIGBUS */
    bool process_ends;  /* the caller exits now: the kernel unmaps everything faster than we do */
};

/*
 * Takes `fd`. The evidence is already redacted. An error means that nothing useful is there (its
 * code says how a command ends); everything less is in the evidence's gaps. `core_name` is only for
 * messages.
 */
struct inq_error *inq_analyze_fd(int fd, const char *core_name, struct inq_opener *opener,
                                 const struct inq_analysis_options *options,
                                 struct inq_evidence **ret_evidence);

/*
 * An environment's folder: `fd` is the parent's list of its files (prefix/inventory.h) and is
 * taken. `redact` as in the options.
 */
struct inq_error *inq_analyze_prefix(int fd, struct inq_opener *opener, const char *redact,
                                     struct inq_evidence **ret_evidence);

#endif
