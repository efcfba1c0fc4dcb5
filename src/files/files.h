/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_FILES_FILES_H
#define INQ_FILES_FILES_H

/*
 * Opening a file that a dump names. This is the only place of the project that does so.
 *
 * A dump comes from whoever crashed: the paths in it are an attacker's. So a path is looked up
 * below one root (openat2, RESOLVE_IN_ROOT: no `..`, no absolute symbolic link leads out), the
 * object is looked at before it is opened (O_PATH, fstat, fstatfs: only regular files of local file
 * systems, at most INQ_MAX_FILE_BYTES), and it is handed out only when its build-id is the one that
 * the dump holds. Where the dump holds none (patchelf moves the note to a page that dumps leave
 * out), the file's first page has to be the one in the dump: the ELF header with the place of its
 * section headers, which changes with every build, and the tables behind it. Nothing is ever
 * executed.
 *
 * The worker has no right to open files: it asks its parent through a socket, with the same
 * request, and gets a descriptor or a reason (broker.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define INQ_MAX_BUILD_ID 64u
/* Bytes of a file's beginning that stand in for a build-id: less of it says too little. */
#define INQ_MIN_FILE_HEAD 1024u
#define INQ_MAX_FILE_HEAD 4096u

enum inq_file_kind {
    INQ_FILE_MODULE = 1, /* a path that the dump names */
    INQ_FILE_EXECUTABLE, /* the file of --executable, for the main program */
    INQ_FILE_DEBUG,      /* a separate debug file, by build-id alone */
    INQ_FILE_DEBUG_LINK, /* likewise, by the name in the module's .gnu_debuglink */
    INQ_FILE_DEBUG_ALT,  /* what dwz moved out of several debug files: .gnu_debugaltlink */
    /* By build-id alone, from the servers of --debuginfod: for what nothing here serves. */
    INQ_FILE_FETCH_MODULE,
    INQ_FILE_FETCH_DEBUG,
    /*
     * What package managers wrote down (metadata.h). MATCH means that it was opened; there is
     * nothing to compare it with.
     */
    INQ_FILE_METADATA, /* a file, by a path of known shape */
    INQ_FILE_LISTING,  /* a folder: a sealed memory file with the NUL-terminated names of those of
                          its entries that are such files or hold some, in no order */
    INQ_FILE_SCRIPT,   /* a .py file, only where the policy has `scripts` */
};

/* How the file here relates to what the process had mapped: `modules[].on_disk` of the report. */
enum inq_on_disk {
    INQ_ON_DISK_UNKNOWN, /* not asked: null in the report */
    INQ_ON_DISK_MATCH,
    INQ_ON_DISK_MISMATCH,
    INQ_ON_DISK_MISSING,
    INQ_ON_DISK_REFUSED,
    INQ_ON_DISK_UNVERIFIED,
};
const char *inq_on_disk_name(enum inq_on_disk on_disk); /* "match", ...; NULL for UNKNOWN */

struct inq_file_request {
    enum inq_file_kind kind;
    const char *path; /* as the dump has it, without " (deleted)"; NULL for EXECUTABLE and DEBUG.
                         DEBUG_LINK: of the module, NULL for the file of --executable. DEBUG_ALT:
                         the name in the section */
    const char *link; /* DEBUG_LINK: the name in the section, a single component; else NULL */
    uint32_t crc;     /* DEBUG_LINK: CRC-32 of that file, for when it has no build-id to compare */
    uint8_t build_id[INQ_MAX_BUILD_ID]; /* as the dump has it; DEBUG_ALT: as the section has it */
    uint8_t build_id_size;              /* 0: the dump does not hold one */
    const uint8_t *head; /* MODULE without a build-id: how the file begins, by the dump's copy of
                            its first page. NULL without */
    uint16_t head_size;  /* INQ_MIN_FILE_HEAD to INQ_MAX_FILE_HEAD bytes; 0 without */
};

struct inq_file_reply {
    enum inq_on_disk status;
    int fd;           /* >= 0 for MATCH and UNVERIFIED, else -1; the caller closes it */
    char reason[128]; /* printable, for the gap; empty for MATCH */
};

struct inq_file_policy {
    const char *sysroot;           /* NULL: the running system's own root */
    const char *const *debug_dirs; /* more places for `.build-id/xx/yyyy.debug` and for names */
    size_t n_debug_dirs;
    const char *executable; /* NULL without */
    bool scripts; /* below `sysroot`, .py files may be read: it is a folder that the user named */
    bool trust_paths;       /* under the default root, use files without a build-id to compare */
};

/*
 * Where requests go: straight to the policy, or to the parent. `ask` answers n requests in order
 * and sets every reply; it fails only when the parent is gone. Each reply may hold a descriptor,
 * and a worker has few (RLIMIT_NOFILE): ask for some dozens at a time.
 */
typedef void (*inq_file_take)(void *context, size_t index, const struct inq_file_reply *reply);
struct inq_opener {
    struct inq_error *(*ask)(struct inq_opener *opener, const struct inq_file_request *requests,
                             size_t n, struct inq_file_reply *replies);
    /* inq_opener_ask_each(); NULL: by way of `ask` */
    struct inq_error *(*ask_each)(struct inq_opener *opener,
                                  const struct inq_file_request *requests, size_t n,
                                  inq_file_take take, void *context);
    void *context;
    bool fetches; /* also what nothing here serves, from a server: INQ_FILE_FETCH_... */
};

/*
 * For many files: `take` gets each reply, and its descriptor, while the next files are looked for.
 * It is called once for each request, mostly in their order; not for those that are left when the
 * parent is gone, which is an error.
 */
struct inq_error *inq_opener_ask_each(struct inq_opener *opener,
                                      const struct inq_file_request *requests, size_t n,
                                      inq_file_take take, void *context);

/* The policy function itself. Never fails: the reply says what happened. */
void inq_file_open(const struct inq_file_policy *policy, const struct inq_file_request *request,
                   struct inq_file_reply *ret_reply);

/* Is it one of the kinds that the servers of --debuginfod serve? */
static inline bool inq_file_is_fetched(enum inq_file_kind kind)
{
    return kind == INQ_FILE_FETCH_MODULE || kind == INQ_FILE_FETCH_DEBUG;
}

static inline bool inq_file_is_metadata(enum inq_file_kind kind)
{
    return kind == INQ_FILE_METADATA || kind == INQ_FILE_LISTING || kind == INQ_FILE_SCRIPT;
}

/*
 * The policy's word on what a server sent, or a cache of such files holds. Takes `fd`: it is handed
 * on only when it is a regular ELF file with the build-id that was asked for.
 */
void inq_file_judge_fetched(const struct inq_file_request *request, int fd,
                            struct inq_file_reply *ret_reply);

/*
 * May files be fetched from this server? `url` is one word of DEBUGINFOD_URLS, or where a server
 * led to: https, or http to this machine by a loopback address or as "localhost"; no user name, no
 * control bytes.
 */
bool inq_file_server_allowed(const char *url, size_t size);

/* An opener that applies the policy in this process. Both must outlive it. */
struct inq_opener inq_opener_direct(const struct inq_file_policy *policy);
/* An opener that refuses everything ("files are not looked at"). */
struct inq_opener inq_opener_none(void);

/*
 * The GNU build-id of an ELF file, from its program headers and, when those hold none, its section
 * headers; any class and byte order. Bounded reads only; size 0 when there is none or it is no ELF
 * file (*ret_is_elf tells).
 */
size_t inq_elf_build_id(int fd, uint8_t ret_id[INQ_MAX_BUILD_ID], bool *ret_is_elf);

#endif
