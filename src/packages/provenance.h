/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_PACKAGES_PROVENANCE_H
#define INQ_PACKAGES_PROVENANCE_H

/* Where does a file come from, by its path alone? */

#include <stdbool.h>
#include <stddef.h>

enum inq_provenance {
    INQ_FROM_UNKNOWN,     /* nothing in the path tells */
    INQ_FROM_WHEEL,       /* libraries that auditwheel put beside a package: X.libs, X/.libs */
    INQ_FROM_WHEEL_PLAIN, /* a wheel's library under its plain name, which others may ask for */
    INQ_FROM_EXTENSION,   /* an extension module, or another file of a Python package */
    INQ_FROM_PIXI,
    INQ_FROM_CONDA,
    INQ_FROM_VENV,
    INQ_FROM_PYENV,
    INQ_FROM_UV,
    INQ_FROM_NIX,
    INQ_FROM_GUIX,
    INQ_FROM_SPACK,
    INQ_FROM_EASYBUILD,
    INQ_FROM_SNAP,
    INQ_FROM_FLATPAK,
    INQ_FROM_APPIMAGE,
    INQ_FROM_JDK,
    INQ_FROM_INTEL,
    INQ_FROM_CUDA,
    INQ_FROM_ROCM,
    INQ_FROM_STEAM,
    INQ_FROM_BREW,
    INQ_FROM_SYSTEM,
    INQ_FROM_LOCAL,  /* /usr/local, /opt */
    INQ_FROM_MEMORY, /* memfd, /dev/shm, SYSV: no file at all */
};

struct inq_origin {
    enum inq_provenance provenance;
    /*
     * What the path says of the package: "numpy" of numpy.libs, the store's name for Nix and Guix,
     * the snap, the flatpak. Points into the path; size 0 without.
     */
    const char *package;
    size_t package_size;
    const char *version; /* likewise: Spack, Nix, pyenv */
    size_t version_size;
};

/* Any path, with or without " (deleted)". */
struct inq_origin inq_origin_of(const char *path);
/* "wheel", "conda", ...: modules[].provenance of the report; NULL for UNKNOWN. */
const char *inq_provenance_name(enum inq_provenance provenance);

/*
 * The folder that holds Python packages: the length of "/…/site-packages" (or dist-packages; or of
 * what holds X.libs) within the path, the innermost of several; 0 without.
 */
size_t inq_site_packages(const char *path);

#endif
