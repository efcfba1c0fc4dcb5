/* SPDX-License-Identifier: Apache-2.0 */

/* What SQLite's result codes mean to somebody who never heard of SQLite. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "sql.h"

/*
 * Who holds a lock on a file: /proc/locks has "1: POSIX  ADVISORY  WRITE 4711 fd:01:1234 120 120".
 * fcntl(F_GETLK) would tell too, but closing its descriptor drops the locks of this process.
 */
static pid_t lock_holder(const char *path)
{
    _cleanup_fclose_ FILE *locks = fopen("/proc/locks", "re");
    char line[256];
    struct stat st;

    if (!locks || stat(path, &st) < 0)
        return 0;
    while (fgets(line, sizeof(line), locks)) {
        unsigned long inode;
        int pid;

        if (sscanf(line, "%*s %*s %*s WRITE %d %*x:%*x:%lu", &pid, &inode) == 2 &&
            inode == st.st_ino && pid > 0)
            return pid;
    }
    return 0;
}

static struct inq_error *busy(const struct inq_store *store)
{
    _cleanup_free_ char *shm = NULL;
    pid_t pid = lock_holder(store->path);

    if (pid == 0 && asprintf(&shm, "%s-shm", store->path) >= 0)
        pid = lock_holder(shm);
    if (pid > 0)
        return inq_error_create(INQ_E_STORE_BUSY,
                                "another process (%d) has been writing for 30 seconds", (int)pid);
    return inq_error_create(INQ_E_STORE_BUSY, "another process has been writing for 30 seconds");
}

static struct inq_error *describe(const struct inq_store *store, int result)
{
    const char *text = store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(result);

    switch (result & 0xff) {
    case SQLITE_NOMEM:
        return &inq_error_oom;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return busy(store);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return inq_error_create(INQ_E_STORE_DAMAGED,
                                "the crash database is damaged (%s); it was left as it is: move it "
                                "away and scan again, the cores are untouched",
                                text);
    case SQLITE_FULL:
        return inq_error_create(INQ_E_STORE, "no space left for the crash database");
    case SQLITE_READONLY:
        return inq_error_create(INQ_E_STORE, "the crash database cannot be written to");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return inq_error_create(INQ_E_STORE, "%s (%s)", text,
                                strerror(sqlite3_system_errno(store->db)));
    default:
        return inq_error_create(INQ_E_STORE, "crash database: %s", text);
    }
}

struct inq_error *inq_sql_error(const struct inq_store *store, int result)
{
    struct inq_error *error = describe(store, result);

    return error == &inq_error_oom ? error : inq_error_in(error, store->path);
}
