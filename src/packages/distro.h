/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PACKAGES_DISTRO_H
#define INQ_PACKAGES_DISTRO_H

/*
 * Which package of the distribution holds a file? By the package manager's own lists: dpkg's
 * info/PACKAGE[:ARCH].list (one path a line) and status, apk's installed, pacman's local/X/files.
 * The database of rpm is not read; programs of distributions that stamp them say it themselves
 * (inq_package_note()).
 */

#include "arena.h"
#include "blob.h"

struct inq_distro_package {
    const char *manager; /* "dpkg", "apk", "pacman", "rpm"; NULL: not found */
    const char *name, *version;
};

/* What was read of one root's databases, to be read once. */
struct inq_distro {
    struct inq_blob status, apk, listing, pacman; /* text NULL: not there, or not read yet */
    bool status_read, apk_read, listing_read, pacman_read;
    struct inq_opener *opener;
    struct inq_arena *arena;
    unsigned lists_left; /* lists that may still be opened, of all questions together */
};

void inq_distro_init(struct inq_distro *distro, struct inq_opener *opener, struct inq_arena *arena);
void inq_distro_deinit(struct inq_distro *distro);

/*
 * `stem` and `soversion` are the library's name ("ssl", "3"; may be ""): most packages are named
 * for it. No package is named unless its own list has the file. With `thorough` every list is
 * searched, up to a limit.
 */
struct inq_error *inq_distro_owner(struct inq_distro *distro, const char *path, const char *stem,
                                   const char *soversion, bool thorough,
                                   struct inq_distro_package *ret_package);

/*
 * The text of an ELF file's .note.package: JSON with type, name, version (FDO "Package metadata for
 * executable files"). False when it is none.
 */
bool inq_package_note(const void *section, size_t size, bool big_endian, struct inq_arena *arena,
                      struct inq_distro_package *ret_package);

/* Does a dpkg list name the path, or the one it is an alias of (/lib is /usr/lib)? */
bool inq_dpkg_list_names(const struct inq_blob *list, const char *path);
/* The version of a package in dpkg's status; NULL without. */
const char *inq_dpkg_version(const struct inq_blob *status, const char *package, const char *arch,
                             struct inq_arena *arena);

#endif
