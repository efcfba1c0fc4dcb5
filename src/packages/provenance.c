/* SPDX-License-Identifier: Apache-2.0 */
#include "provenance.h"

#include <string.h>

#include "cleanup.h"
#include "text.h"

#define STORE_HASH 32u /* base-32 digits of Nix and Guix, base-32 of Spack */

/* A path without " (deleted)", as pointer and size: nothing here looks past `size`. */
struct span {
    const char *text;
    size_t size;
};

static struct span span_of(const char *path)
{
    static const char deleted[] = " (deleted)";
    size_t n = strlen(path);

    if (inq_ends_with(path, deleted))
        n -= sizeof(deleted) - 1;
    return (struct span){path, n};
}

/* The first place of `word` at or after `from`; SIZE_MAX without. */
static size_t find(struct span path, const char *word, size_t from)
{
    const char *at =
        from < path.size ? memmem(path.text + from, path.size - from, word, strlen(word)) : NULL;

    return at ? (size_t)(at - path.text) : SIZE_MAX;
}

static bool has(struct span path, const char *word)
{
    return find(path, word, 0) != SIZE_MAX;
}

static bool starts(struct span path, const char *word)
{
    const size_t n = strlen(word);

    return path.size >= n && memcmp(path.text, word, n) == 0;
}

/* The component that begins at `from`; its size. */
static size_t component(struct span path, size_t from)
{
    const char *slash = from < path.size ? memchr(path.text + from, '/', path.size - from) : NULL;

    return slash ? (size_t)(slash - path.text) - from
                 : path.size - (from < path.size ? from : path.size);
}

static bool is_store_hash(const char *text)
{
    for (size_t i = 0; i < STORE_HASH; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'z')))
            return false;
    return true;
}

static struct inq_origin origin(enum inq_provenance provenance)
{
    return (struct inq_origin){.provenance = provenance};
}

/* The component at `from` is the package's name, when another follows it. */
static struct inq_origin origin_named(enum inq_provenance provenance, struct span path, size_t from)
{
    struct inq_origin o = origin(provenance);
    size_t n = component(path, from);

    if (n > 0 && from + n < path.size) {
        o.package = path.text + from;
        o.package_size = n;
    }
    return o;
}

/* Splits "openssl-3.0.13" where a digit follows the last fitting dash. */
static void split_version(struct inq_origin *o)
{
    for (size_t i = 1; i + 1 < o->package_size; i++)
        if (o->package[i] == '-' && o->package[i + 1] >= '0' && o->package[i + 1] <= '9') {
            o->version = o->package + i + 1;
            o->version_size = o->package_size - i - 1;
            o->package_size = i;
            return;
        }
}

/* "/nix/store/<32>-name-version/…"; what is not so is no store path. */
static bool from_store(struct span path, const char *store, enum inq_provenance provenance,
                       struct inq_origin *ret)
{
    const size_t n = strlen(store);

    if (!starts(path, store) || path.size < n + STORE_HASH + 2 || !is_store_hash(path.text + n) ||
        path.text[n + STORE_HASH] != '-')
        return false;
    *ret = origin_named(provenance, path, n + STORE_HASH + 1);
    split_version(ret);
    return true;
}

/* A component "name-version-<32>" below a folder "spack" or "opt/spack". */
static bool from_spack(struct span path, struct inq_origin *ret)
{
    size_t at = find(path, "spack/", 0);

    if (at == SIZE_MAX)
        return false;
    for (at += 6; at < path.size;) {
        size_t n = component(path, at);

        if (n > STORE_HASH + 2 && path.text[at + n - STORE_HASH - 1] == '-' &&
            is_store_hash(path.text + at + n - STORE_HASH)) {
            *ret = origin(INQ_FROM_SPACK);
            ret->package = path.text + at;
            ret->package_size = n - STORE_HASH - 1;
            split_version(ret);
            return true;
        }
        at += n + 1;
    }
    return false;
}

/* ---- Python packages ---------------------------------------------------------------------- */

/* The end of the last "/site-packages" or "/dist-packages" that something follows; 0 without. */
static size_t last_packages(struct span path)
{
    static const char *const names[] = {"/site-packages/", "/dist-packages/"};
    size_t best = 0;

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        for (size_t at = find(path, names[i], 0); at != SIZE_MAX; at = find(path, names[i], at + 1))
            if (at + strlen(names[i]) - 1 > best)
                best = at + strlen(names[i]) - 1;
    return best;
}

/* "/X.libs/file" or "/X/.libs/file": where X begins; SIZE_MAX without. */
static size_t libs_folder(struct span path)
{
    size_t slash = path.size;

    while (slash > 0 && path.text[slash - 1] != '/')
        slash--;
    if (slash < 7)
        return SIZE_MAX;
    slash--; /* of the file's name */
    if (slash >= 5 && memcmp(path.text + slash - 5, ".libs", 5) == 0) {
        size_t begin = slash - 5;

        if (begin > 0 && path.text[begin - 1] == '/') { /* X/.libs */
            begin--;
            if (begin == 0)
                return SIZE_MAX;
        }
        while (begin > 0 && path.text[begin - 1] != '/')
            begin--;
        return begin;
    }
    return SIZE_MAX;
}

static bool has_wheel_hash(struct span path)
{
    for (size_t i = path.size; i > 9 && path.text[i - 1] != '/'; i--) {
        size_t n = 0;

        if (path.text[i - 1] != '-')
            continue;
        while (n < 8 && i + n < path.size &&
               ((path.text[i + n] >= '0' && path.text[i + n] <= '9') ||
                (path.text[i + n] >= 'a' && path.text[i + n] <= 'f')))
            n++;
        if (n == 8 && (i + n == path.size || path.text[i + n] == '.' || path.text[i + n] == '-'))
            return true;
    }
    return false;
}

static bool is_tagged_extension(struct span path)
{
    static const char *const tags[] = {".cpython-", ".abi3.so", ".pypy", ".graalpy"};
    size_t slash = path.size;

    while (slash > 0 && path.text[slash - 1] != '/')
        slash--;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(tags); i++)
        if (find(path, tags[i], slash) != SIZE_MAX)
            return true;
    return false;
}

static bool from_python(struct span path, struct inq_origin *ret)
{
    const size_t site = last_packages(path), libs = libs_folder(path);

    if (libs != SIZE_MAX && (site > 0 || has_wheel_hash(path))) {
        *ret = origin(INQ_FROM_WHEEL);
        ret->package = path.text + libs;
        ret->package_size = component(path, libs);
        if (ret->package_size > 5 && memcmp(ret->package + ret->package_size - 5, ".libs", 5) == 0)
            ret->package_size -= 5;
        return true;
    }
    if (site == 0)
        return false;
    size_t base = path.size;
    while (path.text[base - 1] != '/')
        base--;
    const bool is_library = path.size - base > 3 && memcmp(path.text + base, "lib", 3) == 0 &&
                            !is_tagged_extension(path);
    *ret = origin_named(is_library ? INQ_FROM_WHEEL_PLAIN : INQ_FROM_EXTENSION, path, site + 1);
    return true;
}

size_t inq_site_packages(const char *path)
{
    const struct span p = span_of(path);
    size_t site = last_packages(p), libs;

    if (site > 0)
        return site;
    libs = libs_folder(p);
    return libs != SIZE_MAX && libs > 1 && has_wheel_hash(p) ? libs - 1 : 0;
}

/* ---- everything else ---------------------------------------------------------------------- */

/* A JVM's own libraries: a folder of Java's on the way and a name that only it has. */
static bool is_jdk(struct span path)
{
    static const char *const names[] = {"/libjvm.so", "/libjava.so", "/libjli.so"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++) {
        const size_t n = strlen(names[i]);

        if (path.size > n && memcmp(path.text + path.size - n, names[i], n) == 0 &&
            (has(path, "/lib/") || has(path, "/lib64/")))
            return true;
    }
    return (has(path, "/jvm/") || has(path, "/jdk") || has(path, "/jre")) && has(path, "/lib/");
}

struct rule {
    const char *word;
    bool at_start;
    enum inq_provenance provenance;
};

static bool from_rules(struct span path, const struct rule *rules, size_t n, struct inq_origin *ret)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = rules[i].at_start ? (starts(path, rules[i].word) ? 0 : SIZE_MAX)
                                      : find(path, rules[i].word, 0);

        if (at == SIZE_MAX)
            continue;
        *ret = origin(rules[i].provenance);
        return true;
    }
    return false;
}

/* "/snap/NAME/REVISION/…", "/var/lib/snapd/snap/…", "/app/…", "/var/lib/flatpak/app/NAME/…" */
static bool from_bundle(struct span path, struct inq_origin *ret)
{
    size_t at;

    if (starts(path, "/snap/") || starts(path, "/var/lib/snapd/snap/")) {
        *ret = origin_named(INQ_FROM_SNAP, path, starts(path, "/snap/") ? 6 : 20);
        return true;
    }
    at = find(path, "/flatpak/app/", 0);
    if (at == SIZE_MAX)
        at = find(path, "/flatpak/runtime/", 0);
    if (at != SIZE_MAX) {
        at += 9;
        *ret = origin_named(INQ_FROM_FLATPAK, path, at + component(path, at) + 1);
        return true;
    }
    if (starts(path, "/app/") && find(path, "/lib", 4) == 4) {
        *ret = origin(INQ_FROM_FLATPAK);
        return true;
    }
    if (starts(path, "/tmp/.mount_")) {
        *ret = origin(INQ_FROM_APPIMAGE);
        return true;
    }
    return false;
}

/* A conda environment by the folders that its installers make, or below "envs". */
static bool from_conda(struct span path, struct inq_origin *ret)
{
    static const struct rule rules[] = {
        {"/.pixi/envs/", false, INQ_FROM_PIXI},  {"/miniconda", false, INQ_FROM_CONDA},
        {"/anaconda", false, INQ_FROM_CONDA},    {"/conda/", false, INQ_FROM_CONDA},
        {"/mambaforge", false, INQ_FROM_CONDA},  {"/miniforge", false, INQ_FROM_CONDA},
        {"/micromamba/", false, INQ_FROM_CONDA},
    };
    size_t at;

    if (from_rules(path, rules, INQ_ARRAY_SIZE(rules), ret))
        return true;
    at = find(path, "/envs/", 0);
    if (at == SIZE_MAX)
        return false;
    at += 6;
    at += component(path, at);
    if (find(path, "/lib/", at) != at && find(path, "/bin/", at) != at)
        return false;
    *ret = origin(INQ_FROM_CONDA);
    return true;
}

static const struct rule places[] = {
    {"/easybuild/software/", false, INQ_FROM_EASYBUILD},
    {"/cvmfs/", false, INQ_FROM_EASYBUILD},
    {"/apps/eb/", false, INQ_FROM_EASYBUILD},
    {"/apps/software/", false, INQ_FROM_EASYBUILD},
    {"/.venv/", false, INQ_FROM_VENV},
    {"/venv/", false, INQ_FROM_VENV},
    {"/virtualenvs/", false, INQ_FROM_VENV},
    {"/.pyenv/versions/", false, INQ_FROM_PYENV},
    {"/uv/python/", false, INQ_FROM_UV},
    {"/uv/tools/", false, INQ_FROM_UV},
    {"/steam-runtime", false, INQ_FROM_STEAM},
    {"/pressure-vessel/", false, INQ_FROM_STEAM},
    {"/linuxbrew/", false, INQ_FROM_BREW},
    {"/.linuxbrew/", false, INQ_FROM_BREW},
    {"/opt/intel/", true, INQ_FROM_INTEL},
    {"/oneapi/", false, INQ_FROM_INTEL},
    {"/opt/rocm", true, INQ_FROM_ROCM},
    {"/cuda/", false, INQ_FROM_CUDA},
    {"/cuda-", false, INQ_FROM_CUDA},
};

static const struct rule system_places[] = {
    {"/lib/", true, INQ_FROM_SYSTEM},      {"/lib64/", true, INQ_FROM_SYSTEM},
    {"/lib32/", true, INQ_FROM_SYSTEM},    {"/libx32/", true, INQ_FROM_SYSTEM},
    {"/bin/", true, INQ_FROM_SYSTEM},      {"/sbin/", true, INQ_FROM_SYSTEM},
    {"/usr/local/", true, INQ_FROM_LOCAL}, {"/usr/", true, INQ_FROM_SYSTEM},
    {"/opt/", true, INQ_FROM_LOCAL},
};

static const struct rule memory_places[] = {
    {"/dev/shm/", true, INQ_FROM_MEMORY},      {"/memfd:", true, INQ_FROM_MEMORY},
    {"/SYSV", true, INQ_FROM_MEMORY},          {"/dev/zero", true, INQ_FROM_MEMORY},
    {"/anon_hugepage", true, INQ_FROM_MEMORY}, {"/[aio]", true, INQ_FROM_MEMORY},
    {"/dev/", true, INQ_FROM_MEMORY},
};

struct inq_origin inq_origin_of(const char *path)
{
    const struct span p = span_of(path);
    struct inq_origin o = origin(INQ_FROM_UNKNOWN);

    if (p.size == 0 || from_rules(p, memory_places, INQ_ARRAY_SIZE(memory_places), &o))
        return o;
    /* A store's name says more than the site-packages inside it. */
    if (from_store(p, "/nix/store/", INQ_FROM_NIX, &o) ||
        from_store(p, "/gnu/store/", INQ_FROM_GUIX, &o) || from_spack(p, &o) || from_python(p, &o))
        return o;
    if (from_bundle(p, &o))
        return o;
    if (is_jdk(p))
        return origin(INQ_FROM_JDK);
    if (from_conda(p, &o) || from_rules(p, places, INQ_ARRAY_SIZE(places), &o))
        return o;
    from_rules(p, system_places, INQ_ARRAY_SIZE(system_places), &o);
    return o;
}

const char *inq_provenance_name(enum inq_provenance provenance)
{
    static const char *const names[] = {
        [INQ_FROM_UNKNOWN] = NULL,
        [INQ_FROM_WHEEL] = "wheel",
        [INQ_FROM_WHEEL_PLAIN] = "wheel-plain",
        [INQ_FROM_EXTENSION] = "python-package",
        [INQ_FROM_PIXI] = "pixi",
        [INQ_FROM_CONDA] = "conda",
        [INQ_FROM_VENV] = "venv",
        [INQ_FROM_PYENV] = "pyenv",
        [INQ_FROM_UV] = "uv",
        [INQ_FROM_NIX] = "nix",
        [INQ_FROM_GUIX] = "guix",
        [INQ_FROM_SPACK] = "spack",
        [INQ_FROM_EASYBUILD] = "easybuild",
        [INQ_FROM_SNAP] = "snap",
        [INQ_FROM_FLATPAK] = "flatpak",
        [INQ_FROM_APPIMAGE] = "appimage",
        [INQ_FROM_JDK] = "jdk",
        [INQ_FROM_INTEL] = "intel",
        [INQ_FROM_CUDA] = "cuda",
        [INQ_FROM_ROCM] = "rocm",
        [INQ_FROM_STEAM] = "steam",
        [INQ_FROM_BREW] = "brew",
        [INQ_FROM_SYSTEM] = "system",
        [INQ_FROM_LOCAL] = "local",
        [INQ_FROM_MEMORY] = "memory",
    };

    return (size_t)provenance < INQ_ARRAY_SIZE(names) ? names[provenance] : NULL;
}
