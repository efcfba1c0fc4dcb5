/* SPDX-License-Identifier: Apache-2.0 */
#include "library_name.h"

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "library_table.h"
#include "text.h"

#define HASH_DIGITS 8u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* The last component, without " (deleted)"; false when it does not fit, which no library's does. */
static bool base_name(const char *path, char *buf, size_t size)
{
    static const char deleted[] = " (deleted)";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t n = strlen(name);

    if (n > sizeof(deleted) - 1 && inq_ends_with(name, deleted))
        n -= sizeof(deleted) - 1;
    if (n == 0 || n >= size)
        return false;
    memcpy(buf, name, n);
    buf[n] = '\0';
    return true;
}

/* Where ".so" ends the name proper: followed by nothing or by a version. NULL without. */
static char *find_so(char *name)
{
    for (char *p = strstr(name, ".so"); p; p = strstr(p + 3, ".so"))
        if (p != name && (p[3] == '\0' || (p[3] == '.' && is_digit(p[4]))))
            return p;
    return NULL;
}

/* ".cpython-311-x86_64-linux-gnu", ".abi3", ".pypy39-pp73-x86_64-linux-gnu" (PEP 3149, PEP 425) */
static bool is_extension_tag(const char *stem)
{
    const char *dot = strrchr(stem, '.');

    return dot && (inq_starts_with(dot, ".cpython-") || inq_starts_with(dot, ".abi3") ||
                   inq_starts_with(dot, ".pypy") || inq_starts_with(dot, ".graalpy"));
}

/* Takes every "-" and eight hex digits out that end at a dot, a dash or the end. */
static bool remove_hashes(char *name)
{
    char *to = name;
    bool any = false;

    for (const char *from = name; *from;) {
        size_t n = 0;

        if (from[0] == '-' && from != name)
            while (n < HASH_DIGITS && is_hex(from[1 + n]))
                n++;
        if (n == HASH_DIGITS && (from[1 + n] == '\0' || from[1 + n] == '.' || from[1 + n] == '-')) {
            from += 1 + n;
            any = true;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    return any;
}

/*
 * Cuts a trailing "-2.4", ".3.30" or "-r0.3.30" off the stem and gives the number. A number that
 * follows a letter ("png16") is part of the name.
 */
static void cut_release(char *stem, char *release, size_t size)
{
    size_t end = strlen(stem), at = end, cut = 0;

    release[0] = '\0';
    /* back over digits and dots; the furthest "-" or "." before a digit begins the release */
    while (at > 1 && (is_digit(stem[at - 1]) || stem[at - 1] == '.')) {
        at--;
        if (stem[at] == '.' && is_digit(stem[at + 1]))
            cut = at;
    }
    if (at > 1 && at < end && stem[at - 1] == '-' && is_digit(stem[at]))
        cut = at - 1;
    else if (at > 2 && at < end && stem[at - 1] == 'r' && stem[at - 2] == '-' && is_digit(stem[at]))
        cut = at - 2;
    if (cut == 0 || inq_match_any(inq_numbered_names, stem))
        return;
    const char *number = stem + cut + 1;
    if (*number == 'r')
        number++;
    snprintf(release, size, "%s", number);
    stem[cut] = '\0';
}

/*
 * Some packagers put their own name into the name of the file. It is one of these, or that of the
 * folder: "NAME.libs/libz-NAME-01234567.so". Any other word makes another library: libxcb-shm.
 */
static bool is_packager(const char *path, const char *name)
{
    static const char *const known[] = {"rasterio", "fiona",   "pyproj",
                                        "pillow",   "shapely", "pyogrio"};
    const size_t n = strlen(name);

    for (size_t i = 0; i < INQ_ARRAY_SIZE(known); i++)
        if (!strcmp(name, known[i]))
            return true;
    for (const char *at = strstr(path, name); at; at = strstr(at + 1, name))
        if (at > path && at[-1] == '/' && inq_starts_with(at + n, ".libs/"))
            return true;
    return false;
}

/* "openjp2-rasterio" is openjp2 with its packager's name, when openjp2 is a library that we know.
 */
static const struct inq_family_row *without_infix(const char *path, char *stem)
{
    const struct inq_family_row *row = inq_family_row(stem);
    char *dash = strrchr(stem, '-');

    if (row || !dash || dash == stem || dash[1] == '\0')
        return row;
    if (!is_packager(path, dash + 1))
        return NULL;
    *dash = '\0';
    row = inq_family_row(stem);
    if (!row)
        *dash = '-';
    return row;
}

/* ---- binary interfaces -------------------------------------------------------------------- */

/* The first `parts` numbers of a version. */
static void copy_numbers(char *buf, size_t size, const char *version, unsigned parts)
{
    size_t n = 0;

    while (version[n] && n + 1 < size) {
        if (version[n] == '.' && --parts == 0)
            break;
        if (!is_digit(version[n]) && version[n] != '.')
            break;
        n++;
    }
    memcpy(buf, version, n);
    buf[n] = '\0';
}

/* The number at the end of a name, or else the first in it: "gtk-x11-2.0", "Qt5Core". */
static void copy_name_digits(char *buf, size_t size, const char *stem)
{
    const char *end = stem + strlen(stem), *p = end;
    size_t n;

    while (p > stem && (is_digit(p[-1]) || p[-1] == '.'))
        p--;
    if (p == end)
        p = stem + strcspn(stem, "0123456789");
    n = strspn(p, "0123456789.");
    snprintf(buf, size, "%.*s", (int)n, p);
}

/* 64-bit integers: the suffix 64_ or _64, or the word itself. mkl_rt decides at run time. */
static const char *blas_abi(const char *stem)
{
    if (strstr(stem, "ilp64"))
        return "ilp64";
    if (strstr(stem, "lp64"))
        return "lp64";
    if (!strcmp(stem, "mkl_rt") || !strcmp(stem, "mkl_core") || inq_starts_with(stem, "flexiblas"))
        return "";
    return strstr(stem, "64") ? "ilp64" : "lp64";
}

/*
 * OpenLDAP 2.4 to 2.5 have their release in the name and 2.6 has not; its libtool version is
 * 2.0.200 and up (build/version.var in its source).
 */
static void ldap_abi(char *buf, size_t size, const char *release, const char *version)
{
    if (release[0])
        copy_numbers(buf, size, release, 2);
    else if (inq_starts_with(version, "2.0.") || !strcmp(version, "2"))
        snprintf(buf, size, "2.6");
    else
        copy_numbers(buf, size, version, 1);
}

/* libcrypto.so.1.1.1k, .so.10 (Red Hat's 1.0), .so.1.0.2k, .so.3 */
static void openssl_abi(char *buf, size_t size, const char *version)
{
    if (!strcmp(version, "10"))
        snprintf(buf, size, "1.0");
    else
        copy_numbers(buf, size, version, version[0] == '1' ? 2 : 1);
}

static void set_abi(struct inq_library *library, enum inq_abi_rule rule, const char *release)
{
    char *abi = library->abi;
    const size_t size = sizeof(library->abi);

    switch (rule) {
    case INQ_ABI_NONE:
        break;
    case INQ_ABI_MAJOR:
        copy_numbers(abi, size, library->version, 1);
        break;
    case INQ_ABI_MINOR:
        copy_numbers(abi, size, library->version, 2);
        break;
    case INQ_ABI_FULL:
        copy_numbers(abi, size, library->version, 9);
        break;
    case INQ_ABI_DIGITS:
        copy_name_digits(abi, size, library->stem);
        if (!abi[0])
            copy_numbers(abi, size, library->version, 1);
        break;
    case INQ_ABI_BLAS:
        snprintf(abi, size, "%s", blas_abi(library->stem));
        break;
    case INQ_ABI_OPENMP: /* LLVM's and Intel's share their entry points, GNU's are others */
        snprintf(abi, size, "%s", library->stem[0] == 'g' ? "gomp" : "kmpc");
        break;
    case INQ_ABI_LDAP:
        ldap_abi(abi, size, release, library->version);
        break;
    case INQ_ABI_OPENSSL:
        openssl_abi(abi, size, library->version);
        break;
    case INQ_ABI_OPENJP2: /* releases 2.x are named by the release, their soname is 7 */
        if (library->version[0] == '2' && library->version[1] == '.')
            snprintf(abi, size, "7");
        else
            copy_numbers(abi, size, library->version, 1);
        break;
    }
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* "python3", "python3.11", "python3.11d": the program may hold the interpreter. */
static void name_program(const char *name, struct inq_library *library)
{
    if (!inq_starts_with(name, "python3") && !inq_starts_with(name, "python2"))
        return;
    if (name[6 + strspn(name + 6, "0123456789.")] != '\0')
        return;
    snprintf(library->family, sizeof(library->family), "python");
    snprintf(library->stem, sizeof(library->stem), "%.90s", name);
    copy_name_digits(library->abi, sizeof(library->abi), name);
    library->known = library->single = true;
}

/* "ld-linux-x86-64.so.2", "ld-2.31.so", "ld-musl-x86_64.so.1", "ld64.so.2": the loader. */
static bool is_loader(const char *stem)
{
    return inq_starts_with(stem, "ld-linux") || inq_starts_with(stem, "ld-musl") ||
           (inq_starts_with(stem, "ld-") && is_digit(stem[3])) || !strcmp(stem, "ld64") ||
           !strcmp(stem, "ld");
}

/* Qt puts its release into the names: "Qt5Widgets", "Qt6Widgets". */
static bool is_qt(const char *stem)
{
    return stem[0] == 'Q' && stem[1] == 't' && is_digit(stem[2]) && stem[3] >= 'A' &&
           stem[3] <= 'Z';
}

static void name_library(const char *path, char *stem, const char *release,
                         struct inq_library *library)
{
    const bool has_lib = inq_starts_with(stem, "lib") && stem[3] != '\0';
    const struct inq_family_row *row = without_infix(path, has_lib ? stem + 3 : stem);

    /* A plug-in may have any name, "z.so" or "event.so": only MKL's libraries lack the "lib". */
    if (!has_lib && !inq_starts_with(stem, "mkl_"))
        return;
    snprintf(library->stem, sizeof(library->stem), "%.90s", has_lib ? stem + 3 : stem);
    if (row && row->family)
        snprintf(library->family, sizeof(library->family), "%s", row->family);
    else if (is_qt(library->stem))
        snprintf(library->family, sizeof(library->family), "libQt%.80s", library->stem + 3);
    else
        snprintf(library->family, sizeof(library->family), "lib%.90s", library->stem);
    library->known = row != NULL;
    library->single = row && row->single;
    if (is_qt(library->stem))
        snprintf(library->abi, sizeof(library->abi), "%c", library->stem[2]);
    else
        set_abi(library, row ? row->abi : INQ_ABI_MAJOR, release);
}

void inq_library_name(const char *path, struct inq_library *ret_library)
{
    struct inq_library library = {0};
    char name[256], release[48];

    *ret_library = library;
    if (!base_name(path, name, sizeof(name)))
        return;
    library.mangled = remove_hashes(name);
    char *so = find_so(name);
    if (!so) {
        name_program(name, &library);
        *ret_library = library;
        return;
    }
    if (so[3] == '.')
        snprintf(library.version, sizeof(library.version), "%.47s", so + 4);
    *so = '\0';
    if (is_extension_tag(name)) {
        library.extension = true;
        library.version[0] = '\0';
    } else if (is_loader(name)) {
        snprintf(library.family, sizeof(library.family), "ld");
        snprintf(library.stem, sizeof(library.stem), "ld");
        library.known = true;
    } else {
        char *stem = inq_starts_with(name, "lib") ? name + 3 : name;

        cut_release(stem, release, sizeof(release));
        if (!library.version[0])
            snprintf(library.version, sizeof(library.version), "%s", release);
        name_library(path, name, release, &library);
    }
    *ret_library = library;
}

bool inq_library_same(const struct inq_library *a, const struct inq_library *b)
{
    return a->family[0] && strcmp(a->family, b->family) == 0;
}
