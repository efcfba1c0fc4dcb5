/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"

#include "cleanup.h"

/* Parts of triggers. */
#define TALLY_ADD                                                                                  \
    " INSERT INTO tally SELECT new.grp, coalesce(new.host, ''), 1 WHERE new.grp IS NOT NULL"       \
    " ON CONFLICT (grp, host) DO UPDATE SET n = n + 1;"
#define TALLY_DROP                                                                                 \
    " UPDATE tally SET n = n - 1 WHERE grp = old.grp AND host = coalesce(old.host, '');"           \
    " DELETE FROM tally WHERE grp = old.grp AND host = coalesce(old.host, '') AND n < 1;"

/*
 * Never change a step that was released: add one. Each runs in one transaction, together with the
 * new user_version.
 */
const char *const inq_schema_steps[] = {
    /* 1 */
    "CREATE TABLE build (id INTEGER PRIMARY KEY, build_id TEXT NOT NULL UNIQUE, path TEXT) STRICT;"
    "CREATE TABLE grp (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, title TEXT) STRICT;"
    "CREATE TABLE crash (id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, identity TEXT UNIQUE,"
    " grp INTEGER REFERENCES grp, build INTEGER REFERENCES build, host TEXT, comm TEXT,"
    " program TEXT, pid INTEGER, signal TEXT, address TEXT, grade TEXT, signature TEXT,"
    " exit_code INTEGER NOT NULL, t_crash INTEGER, t_record INTEGER NOT NULL, path TEXT,"
    " size INTEGER, tool TEXT, reported INTEGER NOT NULL DEFAULT 0, row BLOB NOT NULL,"
    " doc BLOB NOT NULL) STRICT;"
    "CREATE INDEX crash_grp ON crash (grp, t_crash);"
    "CREATE INDEX crash_time ON crash (t_crash);"
    "CREATE INDEX crash_host ON crash (host, t_crash);"
    "CREATE INDEX crash_build ON crash (build, t_crash);"
    "CREATE TABLE crash_module (crash INTEGER NOT NULL REFERENCES crash, build INTEGER NOT NULL"
    " REFERENCES build, PRIMARY KEY (crash, build)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX crash_module_build ON crash_module (build, crash);"
    /* the journal: seen files, by what fstat says of them */
    "CREATE TABLE file (id INTEGER PRIMARY KEY, dev INTEGER NOT NULL, ino INTEGER NOT NULL,"
    " size INTEGER NOT NULL, mtime INTEGER NOT NULL, path TEXT NOT NULL, state TEXT NOT NULL"
    " CHECK (state IN ('seen', 'running', 'done', 'other', 'failed')), attempts INTEGER NOT NULL,"
    " kills INTEGER NOT NULL, owner INTEGER, owner_boot TEXT, owner_start INTEGER, setting TEXT "
    "NOT NULL, crash INTEGER"
    " REFERENCES crash, reason TEXT, UNIQUE (dev, ino)) STRICT;"
    "CREATE INDEX file_crash ON file (crash);"
    "CREATE TABLE issue (id INTEGER PRIMARY KEY, grp TEXT, signature TEXT, link TEXT NOT NULL,"
    " expires INTEGER NOT NULL) STRICT;",
    /* 2: how often a group was seen, by host ("" when unknown): a bug with 100,000 crashes is
     * asked about at every one of them */
    "CREATE TABLE tally (grp INTEGER NOT NULL REFERENCES grp, host TEXT NOT NULL, n INTEGER NOT"
    " NULL, PRIMARY KEY (grp, host)) STRICT, WITHOUT ROWID;"
    "INSERT INTO tally SELECT grp, coalesce(host, ''), count(*) FROM crash WHERE grp IS NOT NULL"
    " GROUP BY 1, 2;"
    "CREATE TRIGGER tally_add AFTER INSERT ON crash WHEN new.grp IS NOT NULL BEGIN" TALLY_ADD
    " END;"
    "CREATE TRIGGER tally_drop AFTER DELETE ON crash WHEN old.grp IS NOT NULL BEGIN" TALLY_DROP
    " END;"
    "CREATE TRIGGER tally_move AFTER UPDATE OF grp, host ON crash WHEN old.grp IS NOT new.grp OR"
    " old.host IS NOT new.host BEGIN" TALLY_DROP TALLY_ADD " END;",
    /* 3: files that are no cores are not opened again; whoever replaces one and sets its time back
     * changes this one */
    "ALTER TABLE file ADD COLUMN ctime INTEGER NOT NULL DEFAULT 0;",
};

const size_t inq_schema_n_steps = INQ_ARRAY_SIZE(inq_schema_steps);
