/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PACKAGES_OWNERS_H
#define INQ_PACKAGES_OWNERS_H

/*
 * Which package does a file belong to, and who asked for that package? No owner is named unless the
 * package's own list has the file; stores whose paths are their database (Nix, Guix, Spack, snap,
 * flatpak) are believed by the path. What was read is kept for the next question.
 */

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "files.h"

struct inq_owners;

struct inq_owner {
    const char *kind; /* "wheel", "conda", "system", "jdk", "nix", ...; NULL: not known */
    const char *package, *version, *installer; /* NULL when not known */
    const char *contradiction; /* "conda-pip-overlay": conda has the package too, but the file is
                                  the wheel's; NULL without */
    const char *const *requested_by; /* chains, the shortest first: "eccodes ← cfgrib" */
    size_t n_requested_by;           /* at most INQ_MAX_CHAINS (site.h) */
    size_t requested_by_total;
};

/* Both must outlive it. NULL without memory. */
struct inq_owners *inq_owners_create(struct inq_opener *opener, struct inq_arena *arena);
void inq_owners_destroy(struct inq_owners *owners); /* takes NULL */
static inline void inq_owners_destroyp(struct inq_owners **o)
{
    inq_owners_destroy(*o);
}

/*
 * A folder of Python packages that the path does not show ("" is the root itself), or one that is
 * known to be there. *ret_dists is how many it holds.
 */
struct inq_error *inq_owners_add_site(struct inq_owners *owners, const char *path,
                                      size_t *ret_dists);
/* A conda environment's folder; likewise. */
struct inq_error *inq_owners_add_conda(struct inq_owners *owners, const char *path,
                                       size_t *ret_packages);

/*
 * The owner of one file, by its absolute path (as mapped, without " (deleted)"). `thorough`
 * searches every package's list, not only those whose names are alike.
 */
struct inq_error *inq_owners_find(struct inq_owners *owners, const char *path, bool thorough,
                                  struct inq_owner *ret_owner);

/* The sites and their distributions, for who needs whom: see site.h. */
struct inq_site;
struct inq_dist;
const struct inq_site *inq_owners_site(const struct inq_owners *owners, size_t i); /* NULL: end */

#endif
