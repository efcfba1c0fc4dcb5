/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PACKAGES_SITE_H
#define INQ_PACKAGES_SITE_H

/*
 * The distributions in one folder of Python packages (site-packages), by their metadata:
 * X.dist-info (PyPA's "Recording installed projects") and X.egg-info (setuptools before it). Read
 * in steps: names come from one listing, files of a distribution from its RECORD, needs from its
 * METADATA.
 */

#include "arena.h"
#include "blob.h"
#include "requirement.h"

#define INQ_MAX_DISTS 8192u
#define INQ_MAX_REQUIREMENTS 1024u /* of one distribution */
#define INQ_MAX_CHAINS 8u          /* of those that need a distribution */

struct inq_dist_need {
    const char *name; /* normalised */
    const char *extras;
    const char *marker; /* NULL without */
};

struct inq_dist {
    const char *folder;  /* "numpy-2.4.1.dist-info" */
    const char *name;    /* as METADATA has it, or the folder: "psycopg2-binary" */
    const char *key;     /* normalised */
    const char *version; /* NULL when unknown */
    bool is_egg;
    bool has_needs; /* METADATA was read: */
    struct inq_dist_need *needs;
    size_t n_needs;
    const char *installer;  /* "pip"; NULL when unknown; read with: */
    struct inq_blob record; /* RECORD or installed-files.txt, kept for the next question */
    bool record_read;
};

struct inq_site {
    const char *path; /* of the folder; "" when it is the root itself */
    struct inq_dist *dists;
    size_t n_dists;
    struct inq_markers markers;
    bool needs_read;
    uint32_t *edges, *edge_starts; /* distribution i is needed by edges[edge_starts[i]..] */
};

/* Lists the folder. One without metadata, or that cannot be read, has no distributions. */
struct inq_error *inq_site_open(struct inq_opener *opener, const char *path,
                                struct inq_arena *arena, struct inq_site **ret_site);

/* What it holds besides the arena; takes NULL. */
void inq_site_close(struct inq_site *site);

/*
 * The distribution whose RECORD (or installed-files.txt) names the file, which is `below` the
 * folder; NULL without. Those whose name resembles `hint` (not terminated; may be empty) are looked
 * at first, and others only with `thorough`, or when there are few of them.
 */
struct inq_error *inq_site_owner(struct inq_site *site, struct inq_opener *opener,
                                 struct inq_arena *arena, const char *below, const char *hint,
                                 size_t hint_size, bool thorough, struct inq_dist **ret_dist);

/* Reads what all of them need, once. */
struct inq_error *inq_site_read_needs(struct inq_site *site, struct inq_opener *opener,
                                      struct inq_arena *arena);
/* The last step of that, for distributions whose needs came from elsewhere. Sorts them. */
struct inq_error *inq_site_link(struct inq_site *site, struct inq_arena *arena);

/*
 * Who needs it: "eccodeslib ← eccodes ← cfgrib", from a direct user to one that nobody needs, the
 * shortest chain for each of these, shortest first. At most INQ_MAX_CHAINS; *ret_total is how many
 * there are. NULL without memory. After inq_site_read_needs().
 */
const char *const *inq_site_chains(const struct inq_site *site, const struct inq_dist *dist,
                                   struct inq_arena *arena, size_t *ret_count, size_t *ret_total);

/*
 * Sets users[i] for each distribution that needs number `needed`, directly or through others, and
 * for that one itself. `users` has n_dists elements. After inq_site_read_needs().
 */
struct inq_error *inq_site_users(const struct inq_site *site, size_t needed, bool *users);

/* By normalised name; NULL without. */
struct inq_dist *inq_site_find(const struct inq_site *site, const char *key);

/* Does the text of a RECORD name this file, by a path below the folder? */
bool inq_record_names(const struct inq_blob *record, const char *below);
/* Does that of an installed-files.txt, whose paths start from the egg-info folder? */
bool inq_installed_files_name(const struct inq_blob *list, const char *below);

#endif
