/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "io.h"
#include "schema.h"
#include "sql.h"

#define BUSY_MS 30000
/* A file up to this size is read through once when it is opened for writing; 5 ms a MiB. */
#define CHECK_BYTES (4u << 20)

static struct inq_error *refuse(const char *path, enum inq_code code, const char *why)
{
    return inq_error_in(inq_error_create(code, "%s", why), path);
}

static bool is_network(int fd)
{
    static const uint32_t magics[] = {
        NFS_SUPER_MAGIC,          SMB_SUPER_MAGIC,  0xff534d42u /* cifs */, 0xfe534d42u /* smb2 */,
        0x0bd00bd0u /* lustre */, CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC,        V9FS_MAGIC};
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return false;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(magics); i++)
        if ((uint32_t)fs.f_type == magics[i])
            return true;
    return false;
}

/*
 * What is there must be a database of ours already: an empty file, a link, another's file are
 * refused, since SQLite would make a fresh database of the first and follow the second.
 * *ret_missing: nothing is there.
 */
static struct inq_error *look_at_file(const char *path, enum inq_store_mode mode, bool *ret_missing)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char magic[16];
    struct stat st;

    *ret_missing = fd < 0 && errno == ENOENT;
    if (*ret_missing)
        return mode == INQ_STORE_WRITE ? NULL
                                       : refuse(path, INQ_E_STORE, "there is no crash database");
    if (fd < 0)
        return refuse(path, INQ_E_STORE,
                      errno == ELOOP ? "the crash database is a symbolic link" : strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return refuse(path, INQ_E_STORE, "the crash database is not a regular file");
    if (mode == INQ_STORE_WRITE && st.st_uid != geteuid() && geteuid() == 0)
        return refuse(path, INQ_E_STORE, "the crash database belongs to another user");
    if (is_network(fd))
        return refuse(path, INQ_E_STORE,
                      "the crash database is on a network file system, where its locks do not "
                      "work: name another place with --db");
    if (inq_pread_full(fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
        memcmp(magic, "SQLite format 3", sizeof(magic)))
        return refuse(path, INQ_E_STORE_DAMAGED,
                      "this is not a crash database (no SQLite file); it was left as it is");
    return NULL;
}

static struct inq_error *make_folders(const char *path)
{
    _cleanup_free_ char *folder = strdup(path);

    if (!folder)
        return &inq_error_oom;
    for (char *at = folder + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
            return refuse(folder, INQ_E_STORE, strerror(errno));
        *at = '/';
    }
    return NULL;
}

static struct inq_error *connect(struct inq_store *store, const char *path, int flags)
{
    int result = sqlite3_open_v2(
        path, &store->db,
        flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE, NULL);

    if (result != SQLITE_OK)
        return inq_sql_error(store, result);
    sqlite3_busy_timeout(store->db, BUSY_MS);
    sqlite3_extended_result_codes(store->db, 1);
    return NULL;
}

static struct inq_error *pragma_int(struct inq_store *store, const char *text, int64_t *ret_value)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(store->db, text, -1, &statement, NULL);

    if (result != SQLITE_OK)
        return inq_sql_error(store, result);
    result = sqlite3_step(statement);
    *ret_value = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? NULL : inq_sql_error(store, result);
}

static struct inq_error *migrate(struct inq_store *store, int64_t from)
{
    char version[64];

    for (size_t i = (size_t)from; i < inq_schema_n_steps; i++) {
        int64_t now;

        INQ_TRY(inq_sql_begin(store));
        struct inq_error *error = pragma_int(store, "PRAGMA user_version", &now);
        /* another process may have been faster */
        if (!error && now == (int64_t)i) {
            error = inq_sql_run(store, inq_schema_steps[i]);
            snprintf(version, sizeof(version), "PRAGMA user_version = %zu", i + 1);
            if (!error)
                error = inq_sql_run(store, version);
        }
        INQ_TRY(inq_sql_end(store, error));
    }
    return NULL;
}

/* A copy beside the file, before its form changes: crashes.db.1 */
static struct inq_error *keep_copy(struct inq_store *store, int64_t version)
{
    _cleanup_free_ char *name = NULL;
    char *text;

    if (asprintf(&name, "%s.%d", store->path, (int)version) < 0) {
        name = NULL;
        return &inq_error_oom;
    }
    if (access(name, F_OK) == 0)
        return NULL;
    text = sqlite3_mprintf("VACUUM INTO %Q", name);
    if (!text)
        return &inq_error_oom;
    struct inq_error *error = inq_sql_run(store, text);
    sqlite3_free(text);
    return error;
}

static struct inq_error *check_version(struct inq_store *store, enum inq_store_mode mode)
{
    int64_t application, version;

    INQ_TRY(pragma_int(store, "PRAGMA application_id", &application));
    INQ_TRY(pragma_int(store, "PRAGMA user_version", &version));
    if (application != INQ_SCHEMA_APPLICATION || version < 1)
        return refuse(store->path, INQ_E_STORE_DAMAGED,
                      "a database, but not of inquest; it was left as it is");
    if (version > (int64_t)inq_schema_n_steps)
        return refuse(store->path, INQ_E_STORE_VERSION,
                      "the crash database was made by a newer inquest");
    if (version == (int64_t)inq_schema_n_steps)
        return NULL;
    if (mode == INQ_STORE_READ)
        return refuse(store->path, INQ_E_STORE_VERSION,
                      "the crash database was made by an older inquest: a scan brings it up to "
                      "date");
    INQ_TRY(keep_copy(store, version));
    return migrate(store, version);
}

static struct inq_error *check_pages(struct inq_store *store)
{
    sqlite3_stmt *statement = NULL;
    const unsigned char *answer;
    struct stat st;

    if (stat(store->path, &st) < 0 || st.st_size > (off_t)CHECK_BYTES)
        return NULL;
    int result = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (result != SQLITE_OK)
        return inq_sql_error(store, result);
    result = sqlite3_step(statement);
    answer = result == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
    struct inq_error *error = result != SQLITE_ROW ? inq_sql_error(store, result)
                              : answer && !strcmp((const char *)answer, "ok")
                                  ? NULL
                                  : inq_sql_error(store, SQLITE_CORRUPT);
    sqlite3_finalize(statement);
    return error;
}

/*
 * A new database is made whole under another name and then linked to its own, so that nobody ever
 * sees half of one. Somebody who was faster wins.
 */
static struct inq_error *create(const char *path)
{
    struct inq_store fresh = {0};
    struct inq_error *error;
    char pragma[64];

    INQ_TRY(make_folders(path));
    if (asprintf(&fresh.path, "%s.new.%d", path, (int)getpid()) < 0)
        return &inq_error_oom;
    unlink(fresh.path);
    const int fd = open(fresh.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error = refuse(path, INQ_E_STORE, strerror(errno));
        free(fresh.path);
        return error;
    }
    close(fd);
    mode_t mask = umask(0077);
    error = connect(&fresh, fresh.path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d", INQ_SCHEMA_APPLICATION);
    if (!error)
        error = inq_sql_run(&fresh, pragma);
    if (!error)
        error = migrate(&fresh, 0);
    if (!error)
        error = inq_sql_run(&fresh, "PRAGMA journal_mode = WAL");
    umask(mask);
    for (size_t i = 0; i < INQ_SQL_N; i++)
        sqlite3_finalize(fresh.statements[i]);
    sqlite3_close(fresh.db);
    if (!error && link(fresh.path, path) < 0 && errno != EEXIST)
        error = refuse(path, INQ_E_STORE, strerror(errno));
    unlink(fresh.path);
    free(fresh.path);
    return error;
}

static void read_boot_id(struct inq_store *store)
{
    _cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : inq_read_full(fd, store->boot_id, sizeof(store->boot_id) - 1);

    store->boot_id[n > 0 ? n : 0] = '\0';
    store->boot_id[strcspn(store->boot_id, "\n")] = '\0';
}

static void note_own_files(struct inq_store *store)
{
    static const char *const ends[] = {"", "-wal", "-shm"};

    for (size_t i = 0; i < INQ_ARRAY_SIZE(ends); i++) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        if (asprintf(&path, "%s%s", store->path, ends[i]) < 0)
            path = NULL;
        else if (stat(path, &st) == 0) {
            store->own[i].dev = st.st_dev;
            store->own[i].ino = st.st_ino;
        }
    }
}

struct inq_error *inq_store_open(const char *path, enum inq_store_mode mode,
                                 struct inq_store **ret_store)
{
    _cleanup_(inq_store_closep) struct inq_store *store = calloc(1, sizeof(*store));
    bool missing;

    if (!store || !(store->path = strdup(path)))
        return &inq_error_oom;
    INQ_TRY(look_at_file(path, mode, &missing));
    if (missing)
        INQ_TRY(create(path));
    INQ_TRY(connect(store, path,
                    mode == INQ_STORE_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY));
    INQ_TRY(check_version(store, mode));
    /*
     * NORMAL: a process that dies loses nothing, a machine that does may lose the last commits. The
     * cores are still there then and are triaged once more.
     */
    if (mode == INQ_STORE_WRITE) {
        INQ_TRY(check_pages(store));
        INQ_TRY(inq_sql_run(store, "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
                                   "PRAGMA cell_size_check = ON"));
    }
    read_boot_id(store);
    note_own_files(store);
    *ret_store = TAKE_PTR(store);
    return NULL;
}

bool inq_store_is_own_file(const struct inq_store *store, uint64_t dev, uint64_t ino)
{
    for (size_t i = 0; store && i < INQ_ARRAY_SIZE(store->own); i++)
        if (store->own[i].ino == ino && store->own[i].dev == dev && ino != 0)
            return true;
    return false;
}

void inq_store_close(struct inq_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < INQ_SQL_N; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db);
    inq_packer_deinit(store);
    free(store->path);
    free(store);
}

const char *inq_store_path(const struct inq_store *store)
{
    return store->path;
}

char *inq_store_default_path(void)
{
    /* secure_getenv: a program with more rights than its user does not write where the user says */
    const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");
    char *path = NULL;
    int n = -1;

    if (geteuid() == 0)
        return strdup("/var/lib/inquest/crashes.db");
    if (state && state[0] == '/')
        n = asprintf(&path, "%s/inquest/crashes.db", state);
    else if (home && home[0] == '/')
        n = asprintf(&path, "%s/.local/state/inquest/crashes.db", home);
    return n < 0 ? NULL : path;
}
