/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PIPELINE_FETCH_H
#define INQ_PIPELINE_FETCH_H

/*
 * --debuginfod: files by build-id from the servers in DEBUGINFOD_URLS. A process of its own
 * (inquest-fetch) speaks to the network: it gets a build-id and a folder to write to, no core and
 * nothing of one. What it brings is believed only when the build-id in it is the one that was asked
 * for, and is then kept for the next time.
 *
 * One fetcher serves all workers of a pool; each worker has at most one fetch on its way, and the
 * pool's loop drives it, so that nobody else has to wait.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "array.h"
#include "error.h"
#include "evidence.h"
#include "fetch_cache.h"
#include "files.h"
#include "pipeline.h"

/*
 * A worker that was taken over could spell out a core's bytes as build-ids: this many a core, of
 * this size, and none longer than the longest that linkers write.
 */
#define INQ_FETCH_FILES 64u
#define INQ_FETCH_LEAST_ID 8u
#define INQ_FETCH_MOST_ID 32u

struct inq_fetcher;

/* Why something was not fetched; build_id_size 0: nothing at all was. */
struct inq_fetch_note {
    uint8_t build_id[INQ_MAX_BUILD_ID];
    uint8_t build_id_size;
    const char *why; /* static */
};

struct inq_fetch_notes {
    INQ_ARRAY(struct inq_fetch_note) list;
};

/* What one worker had fetched; all zero at first. */
struct inq_fetch {
    pid_t pid;     /* of the process that fetches now; 0 without */
    int result_fd; /* its pipe: readable when it has ended */
    uint64_t started_msec, deadline_msec, used_msec; /* the first two of the one that runs */
    unsigned files;
    struct inq_file_request request;
    struct inq_fetch_folder folder;
    struct inq_fetch_notes notes;
};

/* `options` must outlive it. Fails for lack of memory alone: what else is wrong will be a gap. */
struct inq_error *inq_fetcher_create(const struct inq_job_options *options,
                                     struct inq_fetcher **ret_fetcher);
void inq_fetcher_destroy(struct inq_fetcher *fetcher); /* takes NULL */

/*
 * Answers a request of a kind that is fetched. True: it will take a while, see inq_fetch_finish().
 * False: `ret_reply` is the answer. None may be on its way.
 */
bool inq_fetch_begin(struct inq_fetcher *fetcher, struct inq_fetch *fetch,
                     const struct inq_file_request *request, uint64_t now_msec,
                     struct inq_file_reply *ret_reply);
/* To be called when result_fd is readable, or the deadline has come: the answer. */
void inq_fetch_finish(struct inq_fetcher *fetcher, struct inq_fetch *fetch, uint64_t now_msec,
                      struct inq_file_reply *ret_reply);
/* Ends what is on its way, and frees everything but the notes. */
void inq_fetch_stop(struct inq_fetcher *fetcher, struct inq_fetch *fetch);

/*
 * Does one of the servers of options->debuginfod_urls answer within options->timeout_seconds? It is
 * asked for a file that none has, past the cache. Without an answer *ret_why says why, static.
 */
struct inq_error *inq_fetch_probe(const struct inq_job_options *options, bool *ret_answered,
                                  const char **ret_why);

/* Notes as gaps, with the names of the modules in the document. */
void inq_fetch_notes_report(const struct inq_fetch_notes *notes, struct inq_evidence *evidence);
void inq_fetch_notes_deinit(struct inq_fetch_notes *notes);

#endif
