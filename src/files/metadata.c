/* SPDX-License-Identifier: Apache-2.0 */
#include "metadata.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "cleanup.h"
#include "io.h"
#include "policy_parts.h"
#include "root.h"
#include "text.h"

#define DPKG "var/lib/dpkg/"
#define PACMAN "var/lib/pacman/local"

/* ---- shapes -------------------------------------------------------------------------------- */

/* The last component, and the one before it as text and size; false for a path with "..". */
struct tail {
    const char *name, *folder;
    size_t folder_size;
};

static bool split(const char *path, struct tail *ret_tail)
{
    const char *slash = strrchr(path, '/');
    struct tail t = {.name = slash ? slash + 1 : path, .folder = path};

    if (!strncmp(path, "../", 3) || strstr(path, "/../") || t.name[0] == '\0')
        return false;
    if (slash) {
        const char *begin = slash;

        while (begin > path && begin[-1] != '/')
            begin--;
        t.folder = begin;
        t.folder_size = (size_t)(slash - begin);
    }
    *ret_tail = t;
    return true;
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static bool folder_ends(const struct tail *t, const char *suffix)
{
    const size_t n = strlen(suffix);

    return t->folder_size > n && memcmp(t->folder + t->folder_size - n, suffix, n) == 0;
}

/* "…/SUFFIX" or SUFFIX itself */
static bool path_ends(const char *path, const char *suffix)
{
    const size_t n = strlen(path), k = strlen(suffix);

    return inq_ends_with(path, suffix) && (n == k || path[n - k - 1] == '/');
}

/* "…/FOLDER/…" or "FOLDER/…", with nothing deeper than one more component behind it */
static bool lies_in(const char *path, const char *folder, unsigned deeper)
{
    const size_t n = strlen(folder);

    for (const char *at = strstr(path, folder); at; at = strstr(at + 1, folder)) {
        unsigned slashes = 0;

        if ((at != path && at[-1] != '/') || at[n] != '/')
            continue;
        for (const char *p = at + n + 1; *p; p++)
            slashes += *p == '/';
        return slashes == deeper;
    }
    return false;
}

uint64_t inq_metadata_limit(const char *path)
{
    static const char *const wheel[] = {"RECORD", "METADATA",        "INSTALLER",
                                        "WHEEL",  "direct_url.json", "top_level.txt"};
    static const char *const egg[] = {"PKG-INFO", "requires.txt", "installed-files.txt",
                                      "top_level.txt"};
    struct tail t;

    if (!split(path, &t))
        return 0;
    if (folder_ends(&t, ".dist-info") && is_one_of(t.name, wheel, INQ_ARRAY_SIZE(wheel)))
        return !strcmp(t.name, "RECORD") ? INQ_MAX_DATABASE_BYTES : INQ_MAX_METADATA_BYTES;
    if (folder_ends(&t, ".egg-info") && is_one_of(t.name, egg, INQ_ARRAY_SIZE(egg)))
        return INQ_MAX_METADATA_BYTES;
    if (inq_ends_with(t.name, ".egg-info"))
        return INQ_MAX_METADATA_BYTES;
    if (t.folder_size == 10 && !memcmp(t.folder, "conda-meta", 10) &&
        inq_ends_with(t.name, ".json"))
        return INQ_MAX_DATABASE_BYTES;
    if (path_ends(path, DPKG "status") || path_ends(path, DPKG "diversions"))
        return INQ_MAX_DATABASE_BYTES;
    if (lies_in(path, DPKG "info", 0) && inq_ends_with(t.name, ".list"))
        return INQ_MAX_METADATA_BYTES;
    if (path_ends(path, "lib/apk/db/installed"))
        return INQ_MAX_DATABASE_BYTES;
    if (lies_in(path, PACMAN, 1) && (!strcmp(t.name, "desc") || !strcmp(t.name, "files")))
        return INQ_MAX_METADATA_BYTES;
    if (!strcmp(t.name, "release")) /* a JDK's; the text of others is not used */
        return 64u * 1024u;
    return 0;
}

bool inq_metadata_entry(const char *folder, const char *name)
{
    size_t n = strlen(folder);
    char buf[64];

    if (name[0] == '.' || strchr(name, '/'))
        return false;
    if (inq_ends_with(name, ".dist-info") || inq_ends_with(name, ".egg-info"))
        return true;
    while (n > 0 && folder[n - 1] == '/')
        n--;
    snprintf(buf, sizeof(buf), "/%.*s", n < 40 ? (int)n : 40, folder + (n < 40 ? 0 : n - 40));
    if (path_ends(buf, "conda-meta"))
        return inq_ends_with(name, ".json");
    if (path_ends(buf, DPKG "info"))
        return inq_ends_with(name, ".list");
    return path_ends(buf, PACMAN);
}

/* ---- opening ------------------------------------------------------------------------------- */

struct asking {
    const struct inq_file_policy *policy;
    const char *path;
    struct inq_root root;
    struct inq_file_reply *reply;
};

static void refuse(struct asking *a, enum inq_on_disk status, const char *reason)
{
    a->reply->status = status;
    a->reply->fd = -1;
    snprintf(a->reply->reason, sizeof(a->reply->reason), "%s", reason);
}

/* Only what others may read, when it is root who asks on the running system. */
static bool may_read(const struct asking *a, const struct stat *st)
{
    return a->policy->sysroot || geteuid() != 0 || inq_policy_root_may_read(st);
}

/*
 * A link may lead from a name of known shape to any file; that one must have the shape, too. Where
 * there is no /proc to ask, links are taken for what their name says.
 */
static bool leads_elsewhere(int fd, bool script)
{
    char proc[sizeof("/proc/self/fd/") + 3 * sizeof(int)], target[PATH_MAX];
    ssize_t n;

    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    n = readlink(proc, target, sizeof(target) - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    return script ? !inq_ends_with(target, ".py") : inq_metadata_limit(target) == 0;
}

static void open_file(struct asking *a, uint64_t limit, bool script)
{
    _cleanup_close_ int seen = -1;
    const char *reason;
    struct stat st;
    int fd;

    switch (inq_root_lookup(&a->root, a->path, &seen, &st, &reason)) {
    case INQ_LOOKUP_MISSING:
        refuse(a, INQ_ON_DISK_MISSING, reason);
        return;
    case INQ_LOOKUP_REFUSED:
        refuse(a, INQ_ON_DISK_REFUSED, reason);
        return;
    case INQ_LOOKUP_FOUND:
        break;
    }
    if (st.st_size < 0 || (uint64_t)st.st_size > limit) {
        refuse(a, INQ_ON_DISK_REFUSED, "larger than such a file is");
        return;
    }
    if (!may_read(a, &st)) {
        refuse(a, INQ_ON_DISK_REFUSED, "not readable by everyone");
        return;
    }
    if (leads_elsewhere(seen, script)) {
        refuse(a, INQ_ON_DISK_REFUSED, "a link to a file of another kind");
        return;
    }
    fd = inq_root_reopen(&a->root, a->path, seen, &st);
    if (fd < 0) {
        refuse(a, INQ_ON_DISK_REFUSED, errno == EACCES ? "no permission" : "it cannot be opened");
        return;
    }
    a->reply->status = INQ_ON_DISK_MATCH;
    a->reply->fd = fd;
}

/* The names in a folder that may be given away, each with its NUL; false with errno. */
static bool collect(int folder_fd, const char *folder, struct inq_text *names, bool *ret_cut)
{
    DIR *dir = fdopendir(folder_fd);
    size_t seen = 0;
    const struct dirent *entry;

    if (!dir) {
        close(folder_fd);
        return false;
    }
    *ret_cut = false;
    while ((entry = readdir(dir))) {
        const size_t n = strlen(entry->d_name) + 1;

        if (!inq_metadata_entry(folder, entry->d_name))
            continue;
        if (++seen > INQ_MAX_LISTED_NAMES || names->size + n > INQ_MAX_LISTING_BYTES) {
            *ret_cut = true;
            break;
        }
        inq_text_append_bytes(names, entry->d_name, n);
    }
    closedir(dir);
    return !names->failed;
}

/* Text as a file that nobody can change any more; -1 without. */
static int sealed_file(const struct inq_text *text)
{
    _cleanup_close_ int fd = memfd_create("inquest-listing", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || (text->size > 0 && inq_write_full(fd, text->bytes, text->size) < 0) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return -1;
    return TAKE_FD(fd);
}

static void list_folder(struct asking *a)
{
    _cleanup_(inq_text_deinit) struct inq_text names = {0};
    const char *reason;
    struct stat st;
    bool cut;
    int fd = -1;

    switch (inq_root_open_folder(&a->root, a->path, &fd, &st, &reason)) {
    case INQ_LOOKUP_MISSING:
        refuse(a, INQ_ON_DISK_MISSING, reason);
        return;
    case INQ_LOOKUP_REFUSED:
        refuse(a, INQ_ON_DISK_REFUSED, reason);
        return;
    case INQ_LOOKUP_FOUND:
        break;
    }
    if (!a->policy->sysroot && geteuid() == 0 && !(st.st_mode & S_IROTH)) {
        close(fd);
        refuse(a, INQ_ON_DISK_REFUSED, "not readable by everyone");
        return;
    }
    if (!collect(fd, a->path, &names, &cut)) {
        refuse(a, INQ_ON_DISK_REFUSED, "the folder cannot be read");
        return;
    }
    fd = sealed_file(&names);
    if (fd < 0) {
        refuse(a, INQ_ON_DISK_REFUSED, "no memory file for it");
        return;
    }
    a->reply->status = INQ_ON_DISK_MATCH;
    a->reply->fd = fd;
    if (cut)
        snprintf(a->reply->reason, sizeof(a->reply->reason), "it has more entries than are listed");
}

void inq_metadata_open(const struct inq_file_policy *policy, const struct inq_file_request *request,
                       struct inq_file_reply *ret_reply)
{
    const bool sysroot = policy->sysroot != NULL;
    const bool script = request->kind == INQ_FILE_SCRIPT;
    struct asking a = {.policy = policy, .path = request->path, .reply = ret_reply};
    const char *refused = inq_policy_name_refused(request->path, sysroot);
    uint64_t limit = 0;

    if (!refused && request->kind == INQ_FILE_METADATA) {
        limit = inq_metadata_limit(request->path);
        refused = limit > 0 ? NULL : "not the name of a package manager's file";
    } else if (!refused && script) {
        limit = INQ_MAX_SCRIPT_BYTES;
        refused = policy->scripts && sysroot && inq_ends_with(request->path, ".py")
                      ? NULL
                      : "scripts are not read";
    }
    if (refused) {
        refuse(&a, INQ_ON_DISK_REFUSED, refused);
        return;
    }
    if (!inq_root_open(sysroot ? policy->sysroot : "/", true, &a.root)) {
        refuse(&a, INQ_ON_DISK_REFUSED, "the root directory cannot be opened");
        return;
    }
    if (request->kind == INQ_FILE_LISTING)
        list_folder(&a);
    else
        open_file(&a, limit, script);
    inq_root_close(&a.root);
}
