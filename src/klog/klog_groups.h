/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_KLOG_KLOG_GROUPS_H
#define INQ_KLOG_KLOG_GROUPS_H

/*
 * Many events seen together: groups of the same crash, where they ran, and what that shows. Memory
 * is bounded whatever the log holds; what did not fit is counted.
 *
 * The key of a crash is what was tried (trap, access, kind of address) and where the code is
 * (module and offset). The program is no part of it: one library crashes in many programs.
 */

#include "klog.h"

#define INQ_KLOG_GROUPS_MOST 4096u
#define INQ_KLOG_PLACES_MOST 1024u /* processors, of a group and of all */
#define INQ_KLOG_NAMES_MOST 8u     /* programs and hosts listed of a group */
#define INQ_KLOG_EVENTS_MOST 4096u /* kept one by one */

struct inq_klog_place {
    uint32_t cpu;
    int64_t core, socket; /* -1: the line does not tell */
    uint64_t count;       /* events */
    uint32_t groups;      /* different crashes: only in the table of all */
};

struct inq_klog_places {
    struct inq_klog_place *items; /* of a group by cpu; of all by core, socket, cpu */
    size_t count, capacity;
    uint64_t dropped;
};

struct inq_klog_name {
    char name[INQ_KLOG_COMM_BYTES];
    uint64_t count;
};

struct inq_klog_group {
    char *key;
    struct inq_klog_event first; /* the first one, with the most that a later one had to add */
    uint64_t count;
    bool same_address;             /* of all that have one */
    uint64_t with_cpu;             /* events that name a processor */
    struct inq_klog_time from, to; /* of the clock of the first that has one */
    struct inq_klog_name programs[INQ_KLOG_NAMES_MOST];
    size_t n_programs;
    uint64_t other_programs; /* events of programs that are not listed */
    struct inq_klog_places places;
    char host[65];      /* of the first line that names a processor and a machine */
    bool several_hosts; /* others name other machines */
};

struct inq_klog_counts {
    uint64_t kinds[INQ_KLOG_LOST + 1]; /* events by enum inq_klog_kind; crashes once each */
    uint64_t duplicates;               /* the same crash again: another copy, or its second line */
    uint64_t ungrouped;                /* beyond INQ_KLOG_GROUPS_MOST groups */
    uint64_t lost;                     /* lines that the log itself says are missing */
    uint64_t unlisted;                 /* events beyond INQ_KLOG_EVENTS_MOST */
};

struct inq_klog_groups;

/* `keep`: also every event, for a list of them (at most INQ_KLOG_EVENTS_MOST). */
struct inq_error *inq_klog_groups_create(bool keep, struct inq_klog_groups **ret_groups);
void inq_klog_groups_destroy(struct inq_klog_groups *groups); /* takes NULL */
static inline void inq_klog_groups_destroyp(struct inq_klog_groups **g)
{
    inq_klog_groups_destroy(*g);
}
/* n log n in groups, at most a fixed number of comparisons an event. */
struct inq_error *inq_klog_groups_add(struct inq_klog_groups *groups,
                                      const struct inq_klog_event *event);

/* Deaths of processes first, then by count; as long as `groups` is not changed. */
const struct inq_klog_group *const *inq_klog_groups_sorted(struct inq_klog_groups *groups,
                                                           size_t *ret_count);
const struct inq_klog_event *inq_klog_groups_events(const struct inq_klog_groups *groups,
                                                    size_t *ret_count);
struct inq_klog_counts inq_klog_groups_counts(const struct inq_klog_groups *groups);
/* Processors of all faults, with the number of different crashes on each. */
struct inq_error *inq_klog_groups_places(struct inq_klog_groups *groups,
                                         struct inq_klog_places *ret_places);
void inq_klog_places_deinit(struct inq_klog_places *places);

/* The key of an event's group; to be freed, NULL without memory. */
char *inq_klog_key(const struct inq_klog_event *event);

/* What the processors show. */
enum inq_klog_judgement {
    INQ_KLOG_JUDGE_NONE,       /* no line names a processor */
    INQ_KLOG_JUDGE_TOO_FEW,    /* too few lines to say anything */
    INQ_KLOG_JUDGE_SCHEDULING, /* the same crash on several cores: it follows the code */
    INQ_KLOG_JUDGE_ONE_CORE,   /* always the same core: pinned, the only one, or a defect */
    INQ_KLOG_JUDGE_HARDWARE,   /* different crashes on one core, and hardly any elsewhere */
    INQ_KLOG_JUDGE_SPREAD,     /* different crashes on several cores */
    INQ_KLOG_JUDGE_HOSTS,      /* lines of several machines: their processors are not the same */
};
struct inq_klog_verdict {
    enum inq_klog_judgement judgement;
    const char *grade;     /* docs/signatures-format.md: at most "plausible" from a log alone */
    uint64_t lines;        /* that name a processor */
    size_t cores, crashes; /* different ones among them */
    int64_t core, socket;  /* the core in question, for HARDWARE and ONE_CORE; -1 */
    uint32_t cpu;          /* one of its processors */
    uint64_t on_it;        /* lines there */
    size_t crashes_on_it;  /* different ones */
};
/* Fewer lines than this, and nothing is said. */
#define INQ_KLOG_JUDGE_LEAST 5u
struct inq_error *inq_klog_judge(struct inq_klog_groups *groups,
                                 struct inq_klog_verdict *ret_verdict);
/* The same of one group. */
void inq_klog_judge_group(const struct inq_klog_group *group, struct inq_klog_verdict *ret_verdict);
const char *inq_klog_judgement_name(enum inq_klog_judgement judgement);

#endif
