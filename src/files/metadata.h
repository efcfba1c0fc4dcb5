/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_METADATA_H
#define INQ_FILES_METADATA_H

/*
 * The files in which package managers write down what they installed. Nothing proves that one
 * belongs to what crashed, so all that keeps a hostile name from opening just any file is its
 * shape: only these are opened, and only what they say of names, versions and needs is used.
 *
 *   X.dist-info/{RECORD,METADATA,INSTALLER,WHEEL,direct_url.json,top_level.txt}  (PyPA
 *   specifications), X.egg-info or X.egg-info/{PKG-INFO,requires.txt,installed-files.txt,
 *   top_level.txt}, conda-meta/X.json, var/lib/dpkg/{status,diversions,info/X.list},
 *   lib/apk/db/installed, var/lib/pacman/local/X/{desc,files}, a JDK's `release`
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"

/* The most bytes that a file with this path may have; 0: not one of these files. */
uint64_t inq_metadata_limit(const char *path);

/*
 * Is `name` an entry that a listing of `folder` may give away? X.dist-info and X.egg-info anywhere,
 * X.json in conda-meta, X.list in var/lib/dpkg/info, anything in var/lib/pacman/local.
 */
bool inq_metadata_entry(const char *folder, const char *name);

/*
 * The policy for INQ_FILE_METADATA, INQ_FILE_LISTING and INQ_FILE_SCRIPT; a part of
 * inq_file_open().
 */
void inq_metadata_open(const struct inq_file_policy *policy, const struct inq_file_request *request,
                       struct inq_file_reply *ret_reply);

#endif
