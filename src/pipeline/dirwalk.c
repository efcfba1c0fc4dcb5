/* SPDX-License-Identifier: Apache-2.0 */
#include "dirwalk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "io.h"
#include "mounts.h"
#include "pipeline.h"
#include "text.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

struct level {
    DIR *dir;
    size_t path_size; /* of the shown path up to and with this directory */
};

struct state {
    struct inq_walk *walk;
    struct level levels[INQ_WALK_DEPTH + 1];
    size_t depth;         /* levels in use */
    struct inq_text path; /* of the innermost level */
    dev_t device;
    uint32_t root;
    uint32_t below;
    bool recursive;
    size_t max_entries;
    uint64_t until_msec; /* 0: no end */
};

static const char *special_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return NULL;
    case S_IFLNK:
        return "a symbolic link";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    case S_IFDIR:
        return "a directory";
    default:
        return "a special file";
    }
}

int64_t inq_walk_nsec(const struct timespec *when)
{
    int64_t nsec;

    if (__builtin_mul_overflow((int64_t)when->tv_sec, 1000000000, &nsec) ||
        __builtin_add_overflow(nsec, (int64_t)when->tv_nsec, &nsec))
        return (int64_t)when->tv_sec;
    return nsec;
}

/* path[0, dir_size) "/" name, or without a name the path itself */
static bool add(struct state *s, size_t dir_size, const char *name, const struct stat *st,
                const char *special, int error)
{
    struct inq_walk_entry *entry = INQ_ARRAY_PUSH(&s->walk->entries);
    int n;

    if (!entry)
        return false;
    entry->root = s->root;
    entry->below = s->below;
    if (st) {
        entry->size_bytes = (uint64_t)st->st_size;
        entry->disk_bytes = (uint64_t)st->st_blocks * 512;
        entry->dev = st->st_dev;
        entry->ino = st->st_ino;
        entry->mtime_nsec = inq_walk_nsec(&st->st_mtim);
        entry->ctime_nsec = inq_walk_nsec(&st->st_ctim);
    }
    entry->special = special;
    entry->error = error;
    if (!name) {
        entry->path = strndup(s->path.bytes, dir_size);
        entry->below = (uint32_t)dir_size;
        return entry->path != NULL;
    }
    n = asprintf(&entry->path, "%.*s%s%s", (int)dir_size, s->path.bytes,
                 dir_size > 0 && s->path.bytes[dir_size - 1] == '/' ? "" : "/", name);
    if (n < 0)
        entry->path = NULL;
    return n >= 0;
}

static void truncate_path(struct state *s, size_t size)
{
    s->path.size = size;
    s->path.bytes[size] = '\0';
}

/* Descends into `name`; what cannot be entered becomes an entry. */
static bool enter(struct state *s, int parent, size_t dir_size, const char *name)
{
    struct stat st;
    int fd;

    if (!s->recursive)
        return add(s, dir_size, name, NULL, "a directory", 0);
    if (s->depth > INQ_WALK_DEPTH)
        return add(s, dir_size, name, NULL, INQ_WALK_DEEP, 0);
    fd = openat(parent, name, OPEN_DIRECTORY | O_NOFOLLOW);
    if (fd < 0)
        return add(s, dir_size, name, NULL, NULL, errno);
    if (fstat(fd, &st) < 0 || st.st_dev != s->device) {
        close(fd);
        return add(s, dir_size, name, NULL, INQ_WALK_MOUNT, 0);
    }
    struct level *level = &s->levels[s->depth];
    level->dir = fdopendir(fd);
    if (!level->dir) {
        close(fd);
        return false;
    }
    if (dir_size == 0 || s->path.bytes[dir_size - 1] != '/')
        inq_text_append(&s->path, "/");
    inq_text_append(&s->path, name);
    level->path_size = s->path.size;
    s->depth++;
    return !s->path.failed;
}

/*
 * What a mount point leads to is not asked for anything: its server may be gone. (A single file
 * that is mounted over another is asked.)
 */
static bool visit(struct state *s, int parent, size_t dir_size, const char *name,
                  unsigned char type)
{
    const bool maybe_mount = type == DT_DIR || type == DT_UNKNOWN;
    struct stat st;

    if ((maybe_mount ? inq_stat_unasked(parent, name, &st) : 0) < 0 ||
        ((!maybe_mount || !S_ISDIR(st.st_mode)) &&
         fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0))
        return errno == ENOENT || add(s, dir_size, name, NULL, NULL, errno); /* removed meanwhile */
    if (S_ISDIR(st.st_mode) &&
        st.st_dev != s->device) /* not even opened: that would mount autofs */
        return add(s, dir_size, name, NULL, INQ_WALK_MOUNT, 0);
    if (S_ISDIR(st.st_mode))
        return enter(s, parent, dir_size, name);
    return add(s, dir_size, name, &st, special_name(st.st_mode), 0);
}

static uint64_t now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_over(struct state *s)
{
    const size_t count = s->walk->entries.count;

    if (count >= s->max_entries ||
        (s->until_msec && count % 256 == 0 && now_msec() > s->until_msec))
        s->walk->cut = true;
    return s->walk->cut || inq_pipeline_interrupted();
}

/* Depth first with one open directory a level; no recursion, since the depth is not ours to choose.
 */
static bool walk_levels(struct state *s)
{
    while (s->depth > 0 && !is_over(s)) {
        struct level *level = &s->levels[s->depth - 1];
        struct dirent *item;

        truncate_path(s, level->path_size);
        errno = 0;
        item = readdir(level->dir);
        if (!item) {
            int error = errno;

            closedir(TAKE_PTR(level->dir));
            s->depth--;
            if (error && !add(s, level->path_size, NULL, 0, NULL, error))
                return false;
            continue;
        }
        if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, ".."))
            continue;
        if (!visit(s, dirfd(level->dir), level->path_size, item->d_name, item->d_type))
            return false;
    }
    return true;
}

static bool walk_root(struct state *s, const char *path)
{
    _cleanup_close_ int fd = -1;
    struct stat st;

    s->path.size = 0;
    inq_text_append(&s->path, path);
    if (s->path.failed)
        return false;
    s->below = (uint32_t)s->path.size;
    if (!inq_mount_answers(path, INQ_MOUNT_ANSWER_MSEC))
        return add(s, s->path.size, NULL, NULL, NULL, ETIMEDOUT);
    if (stat(path, &st) < 0)
        return add(s, s->path.size, NULL, NULL, NULL, errno);
    if (!S_ISDIR(st.st_mode))
        return add(s, s->path.size, NULL, &st, special_name(st.st_mode), 0);
    fd = open(path, OPEN_DIRECTORY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return add(s, s->path.size, NULL, NULL, NULL, errno);
    s->device = st.st_dev;
    s->levels[0].dir = fdopendir(fd);
    if (!s->levels[0].dir)
        return false;
    fd = -1; /* the stream's now */
    s->levels[0].path_size = s->path.size;
    s->depth = 1;
    return walk_levels(s);
}

static int by_path(const void *a, const void *b)
{
    const struct inq_walk_entry *left = a, *right = b;

    if (left->root != right->root)
        return left->root < right->root ? -1 : 1;
    return strcmp(left->path, right->path);
}

static struct inq_error *list(const char *const *paths, size_t n_paths, struct state *s,
                              struct inq_walk *ret_walk)
{
    _cleanup_(inq_walk_deinit) struct inq_walk walk = {.roots = paths, .n_roots = n_paths};
    bool ok = true;

    s->walk = &walk;
    for (size_t i = 0; ok && i < n_paths && i < UINT32_MAX; i++) {
        s->root = (uint32_t)i;
        ok = walk_root(s, paths[i]);
        while (s->depth > 0)
            closedir(s->levels[--s->depth].dir);
    }
    inq_text_deinit(&s->path);
    if (!ok)
        return &inq_error_oom;
    if (walk.entries.count > 1)
        qsort(walk.entries.items, walk.entries.count, sizeof(*walk.entries.items), by_path);
    *ret_walk = walk;
    walk = (struct inq_walk){0};
    return NULL;
}

struct inq_error *inq_walk_list(const char *const *paths, size_t n_paths, bool recursive,
                                struct inq_walk *ret_walk)
{
    struct state s = {.recursive = recursive, .max_entries = SIZE_MAX};

    return list(paths, n_paths, &s, ret_walk);
}

struct inq_error *inq_walk_list_some(const char *const *path, size_t max_entries, uint64_t max_msec,
                                     struct inq_walk *ret_walk)
{
    struct state s = {
        .recursive = true, .max_entries = max_entries, .until_msec = now_msec() + max_msec};

    return list(path, 1, &s, ret_walk);
}

void inq_walk_deinit(struct inq_walk *walk)
{
    for (size_t i = 0; i < walk->entries.count; i++)
        free(walk->entries.items[i].path);
    INQ_ARRAY_FREE(&walk->entries);
}

int inq_walk_open(const struct inq_walk *walk, const struct inq_walk_entry *entry,
                  const char **ret_not_regular)
{
    const char *root = walk->roots[entry->root];
    const char *at = entry->path + entry->below;
    _cleanup_close_ int dir = -1;

    *ret_not_regular = NULL;
    if (*at == '\0')
        return inq_open_regular(AT_FDCWD, root, 1, ret_not_regular);
    dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (dir >= 0) {
        char part[NAME_MAX + 1];
        size_t size = strcspn(at += strspn(at, "/"), "/");
        int next;

        if (size >= sizeof(part)) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, at, size);
        part[size] = '\0';
        at += size;
        if (*at == '\0')
            return inq_open_regular(dir, part, 0, ret_not_regular);
        next = openat(dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(dir);
        dir = next;
    }
    return -1;
}
