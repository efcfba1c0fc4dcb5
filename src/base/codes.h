/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INQ_BASE_CODES_H
#define INQ_BASE_CODES_H

/*
 * The registry of codes: errors and gaps alike. A number that was released is never reused.
 * docs/codes.md is generated from this table (scripts/generate-docs).
 *
 * X(enumerator, number, exit code when it ends a command, meaning)
 */
#define INQ_CODES(X)                                                                              \
    /* 000-009: anywhere */                                                                       \
    X(INQ_E_MEMORY, 1, 6, "out of memory")                                                        \
    X(INQ_E_USAGE, 2, 2, "the command line is wrong")                                             \
    X(INQ_E_CONFIG, 3, 2, "a setting or configuration file is wrong")                             \
    X(INQ_E_IO, 4, 6, "the operating system refused to read or write")                            \
    X(INQ_E_INTERNAL, 5, 6, "a bug in inquest: please report it")                                 \
    /* 010-029: source */                                                                         \
    X(INQ_E_NOT_REGULAR, 10, 3, "not a regular file")                                             \
    X(INQ_E_EMPTY, 11, 3, "empty file")                                                           \
    X(INQ_E_COMPRESSION, 12, 3, "compressed in a way this build does not read")                   \
    X(INQ_E_ZSTD, 13, 3, "damaged compressed data before anything usable")                        \
    X(INQ_E_WINDOW, 14, 3, "zstd window larger than 128 MiB")                                     \
    X(INQ_G_READ, 15, 6, "read error in the middle of the dump")                                  \
    X(INQ_G_STREAM_CUT, 16, 1, "compressed data ends early or is damaged")                        \
    X(INQ_G_STREAM_LIMIT, 17, 4, "unpacked size or time limit reached")                           \
    X(INQ_G_DROPPED, 18, 1, "not kept while reading a compressed dump in one pass")               \
    X(INQ_G_TRAILING, 19, 1, "bytes after the last compressed frame")                             \
    X(INQ_G_CHANGED, 20, 1, "the file changed while it was read")                                 \
    /* 030-059: elfcore */                                                                        \
    X(INQ_E_NOT_ELF, 30, 3, "not an ELF core")                                                    \
    X(INQ_E_NOT_CORE, 31, 3, "an ELF file, but not a core dump")                                  \
    X(INQ_E_HEADER, 32, 3, "damaged ELF header")                                                  \
    X(INQ_E_NO_NOTES, 33, 3, "no usable notes: nothing to say about the process")                 \
    X(INQ_G_PHDRS, 34, 1, "program headers beyond the end of the file")                           \
    X(INQ_G_SEGMENT, 35, 1, "a program header that makes no sense was dropped")                   \
    X(INQ_G_NOTE, 36, 1, "a note is damaged or cut short")                                        \
    X(INQ_G_NOTE_MISSING, 37, 1, "a note that every kernel writes is missing")                    \
    X(INQ_G_TRUNCATED, 38, 1, "the dump ends early")                                              \
    X(INQ_G_THREADS, 39, 4, "more threads than are listed")                                       \
    X(INQ_G_THREAD_ODD, 40, 1, "a thread with an odd or repeated id")                             \
    X(INQ_G_MACHINE, 41, 1, "registers of this CPU are not decoded")                              \
    /* 060-069: memory */                                                                         \
    X(INQ_G_OVERLAP, 60, 1, "segments overlap: the first one wins")                               \
    X(INQ_G_FILTERED, 61, 0, "memory was left out when the dump was written")                     \
    /* 070-089: files and modules */                                                              \
    X(INQ_G_FILE_MISSING, 70, 1, "a file the process had mapped is not here")                     \
    X(INQ_G_FILE_MISMATCH, 71, 1, "the file here is not the one the process had mapped")          \
    X(INQ_G_FILE_REFUSED, 72, 1, "a file named by the dump is not opened")                        \
    X(INQ_G_FILE_UNVERIFIED, 73, 1, "nothing in the dump proves that the file is the same")       \
    X(INQ_G_FILE_DAMAGED, 74, 1, "an ELF file here is damaged")                                   \
    X(INQ_G_FOREIGN_ROOT, 75, 1, "the dump comes from another file system: give --sysroot")       \
    X(INQ_G_LINK_MAP, 76, 1, "the dynamic linker's list could not be read to its end")            \
    X(INQ_G_MODULES, 77, 4, "more modules than are listed")                                       \
    X(INQ_G_NO_FILE_NOTE, 78, 1, "no NT_FILE note: modules come from the link map")               \
    X(INQ_G_FETCH, 79, 1, "a debug file could not be fetched")                                    \
    /* 090-109: unwind */                                                                         \
    X(INQ_G_UNWIND_CPU, 90, 1, "unwinding is not supported for this CPU")                         \
    X(INQ_G_STACK_STOP, 91, 1, "the stack could not be followed to its outermost frame")          \
    X(INQ_G_STACK_LIMIT, 92, 4, "a stack limit was reached")                                      \
    X(INQ_G_SYMBOLS, 93, 0, "no names for the functions of a module")                             \
    X(INQ_G_NO_REGISTERS, 94, 1, "a thread's registers are missing")                              \
    X(INQ_G_SYMBOLS_PARTIAL, 95, 1, "symbols or source lines of a module are incomplete")         \
    X(INQ_G_SYMBOLS_LIMIT, 96, 4, "symbols incomplete: the budget for debug information ended")   \
    X(INQ_G_LINES_SKIPPED, 97, 0, "source lines of a module were not read")                       \
    /* 110-129: detectors */                                                                      \
    X(INQ_G_DETECTOR, 110, 1, "a detector could not look")                                        \
    /* 130-149: rules and verdicts */                                                             \
    X(INQ_E_RULE, 130, 2, "a signature file is wrong and was refused")                            \
    X(INQ_E_RULES_NONE, 131, 2, "no signatures found")                                            \
    X(INQ_G_RULE_FILE, 132, 1, "a signature file was refused; the others were used")              \
    /* 150-169: worker and pipeline */                                                            \
    X(INQ_E_WORKER_DIED, 150, 5, "the worker died")                                               \
    X(INQ_E_WORKER_TIMEOUT, 151, 5, "the worker took too long and was ended")                     \
    X(INQ_E_WORKER_OUTPUT, 152, 5, "the worker's answer is damaged or too large")                 \
    X(INQ_E_WORKER_START, 153, 6, "the worker could not be started")                              \
    X(INQ_E_SANDBOX, 154, 6, "a sandbox layer is missing and --require-sandbox was given")        \
    X(INQ_G_TRIMMED, 155, 4, "the report was shortened to fit its limit")                         \
    X(INQ_G_SANDBOX, 156, 0, "a sandbox layer is not active")                                     \
    X(INQ_E_INTERRUPTED, 157, 130, "interrupted")                                                 \
    X(INQ_E_QUARANTINE, 158, 5, "workers died of this dump in three scans: it is left alone")     \
    /* 170-179: klog */                                                                           \
    X(INQ_E_KLOG_FORMAT, 170, 3, "not the text of a log")                                         \
    X(INQ_G_KLOG_LIMIT, 171, 4, "a limit was hit while a log was read")                           \
    X(INQ_G_KLOG_LOST, 172, 0, "lines of a log are missing or cannot be told apart")              \
    /* 180-189: store */                                                                          \
    X(INQ_E_STORE, 180, 6, "the crash database cannot be read or written")                        \
    X(INQ_E_STORE_BUSY, 181, 6, "the crash database is in use by another process")                \
    X(INQ_E_STORE_DAMAGED, 182, 6, "the crash database is damaged")                               \
    X(INQ_E_STORE_VERSION, 183, 6, "the crash database was made by another version")              \
    X(INQ_E_STORE_NONE, 184, 2, "nothing in the crash database has this id")                      \
    X(INQ_E_STORE_BUILD, 185, 2, "this build has no crash database")

enum inq_code {
    INQ_OK = 0,
#define X(name, number, exit_code, text) name = number,
    INQ_CODES(X)
#undef X
};

#endif
