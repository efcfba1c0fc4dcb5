/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The fact dictionary. To add a fact: a line here, in document order, below its parent; then run
 * scripts/generate-docs. A source of NULL means that nothing in this version sets the fact: a
 * signature that asks for it gets "unknown", never "no".
 */

#include "fact_table.h"

#include "cleanup.h"

#define OBJECT(path, source, doc)                                                                  \
    {                                                                                              \
        path, INQ_FACT_OBJECT, NULL, NULL, source, doc                                             \
    }
#define LIST(path, source, doc)                                                                    \
    {                                                                                              \
        path, INQ_FACT_LIST, NULL, NULL, source, doc                                               \
    }
#define TEXTS(path, source, doc)                                                                   \
    {                                                                                              \
        path, INQ_FACT_TEXTS, NULL, NULL, source, doc                                              \
    }
#define NUMBERS(path, source, doc)                                                                 \
    {                                                                                              \
        path, INQ_FACT_NUMBERS, NULL, NULL, source, doc                                            \
    }
#define TEXT(path, source, doc)                                                                    \
    {                                                                                              \
        path, INQ_FACT_TEXT, NULL, NULL, source, doc                                               \
    }
#define WORD(path, values, source, doc)                                                            \
    {                                                                                              \
        path, INQ_FACT_WORD, NULL, values, source, doc                                             \
    }
#define INT(path, source, doc)                                                                     \
    {                                                                                              \
        path, INQ_FACT_INT, NULL, NULL, source, doc                                                \
    }
#define MODULE(path, source, doc)                                                                  \
    {                                                                                              \
        path, INQ_FACT_INT, INQ_FACT_OF_MODULE, NULL, source, doc                                  \
    }
#define MODULES(path, source, doc)                                                                 \
    {                                                                                              \
        path, INQ_FACT_NUMBERS, INQ_FACT_OF_MODULE, NULL, source, doc                              \
    }
#define COUNT(path, unit, source, doc)                                                             \
    {                                                                                              \
        path, INQ_FACT_INT, unit, NULL, source, doc                                                \
    }
#define REAL(path, unit, source, doc)                                                              \
    {                                                                                              \
        path, INQ_FACT_REAL, unit, NULL, source, doc                                               \
    }
#define BOOL(path, source, doc)                                                                    \
    {                                                                                              \
        path, INQ_FACT_BOOL, NULL, NULL, source, doc                                               \
    }
#define ADDR(path, source, doc)                                                                    \
    {                                                                                              \
        path, INQ_FACT_ADDR, NULL, NULL, source, doc                                               \
    }
#define MAP(path, source, doc)                                                                     \
    {                                                                                              \
        path, INQ_FACT_MAP, NULL, NULL, source, doc                                                \
    }

/* clang-format off */
const struct inq_fact inq_fact_table[] = {
    TEXT("format", "core", "always \"inquest-report\""),
    INT("version", "core", "version of this form of report: 1"),

    TEXT("uid", "store", "the crash's id in the crash database"),

    OBJECT("tool", "pipeline", "what made the report"),
    TEXT("tool.name", "pipeline", "\"inquest\""),
    TEXT("tool.version", "pipeline", "its release"),
    TEXT("tool.signatures", "pipeline", "fingerprint of the signatures that judged"),

    OBJECT("core", "core", "the dump itself"),
    TEXT("core.path", "pipeline", "the dump as it was named to inquest"),
    TEXT("core.name", "pipeline", "last component of the path"),
    COUNT("core.size_bytes", "bytes", "core",
          "size of the dump, unpacked; null for a stream that was not read to its end"),
    WORD("core.compression", "none|zstd|gzip|xz|lz4|bzip2", "core", "how the file was packed"),
    TEXT("core.machine", "core", "CPU the process ran on, such as x86-64"),
    COUNT("core.class", "bits", "core", "word size of the ELF file: 32 or 64"),
    WORD("core.byte_order", "little|big", "core", "byte order of the dump"),
    BOOL("core.complete", "core", "every byte that the program headers promise is in the file"),
    COUNT("core.present_bytes", "bytes", "core", "how much of the dump is there"),
    COUNT("core.expected_bytes", "bytes", "core",
          "end of the furthest segment by the program headers"),
    TEXT("core.identity", "core",
         "SHA-256 over headers, notes and expected size: the same dump under any name or packing"),
    BOOL("core.foreign_root", "modules",
         "none of the files the process had mapped is here: the dump comes from another file "
         "system"),
    BOOL("core.notes_cut", "core", "the dump ends inside the notes: threads may be missing"),
    BOOL("core.filtered", "dump-quality",
         "private memory was left out when the dump was written, a stack among it or all of it "
         "(coredump_filter, MADV_DONTDUMP, a program that trims dumps)"),
    COUNT("core.unsaved_writable_bytes", "bytes", "dump-quality",
          "writable memory that the process had and the dump does not hold"),

    OBJECT("sandbox", "core", "which layers of the sandbox were active while the dump was read"),
    BOOL("sandbox.rlimits", "core", "resource limits were set"),
    BOOL("sandbox.no_new_privs", "core", "no_new_privs was set"),
    BOOL("sandbox.seccomp", "core", "a system call filter was active"),
    INT("sandbox.landlock_abi", "core", "version of Landlock that was active; 0: none"),
    INT("sandbox.uid", "core", "user the worker ran as"),

    OBJECT("process", "process", "the process that died"),
    INT("process.pid", "process", "process id, in its own pid namespace"),
    INT("process.ppid", "process", "process id of its parent"),
    INT("process.uid", "process", "real user id"),
    INT("process.gid", "process", "real group id"),
    TEXT("process.comm", "process",
         "name of the thread-group leader, cut at 15 bytes by the kernel"),
    TEXT("process.executable", "modules", "path of the program"),
    TEXT("process.build_id", "modules", "build-id of the program, lower-case hex"),
    TEXTS("process.arguments", "process", "command line, redacted; cut at 80 bytes by the kernel"),
    TEXT("process.hostname", "file-name", "machine it ran on, by the name of the dump"),
    TEXT("process.crashed_at", "pipeline", "when it died, UTC: 2024-03-01T12:00:00Z"),
    WORD("process.crashed_at_source", "file-name|file-time|kernel-log", "pipeline",
         "where that time comes from"),

    OBJECT("name_facts", "file-name", "what the dump's file name says, by core_pattern"),
    TEXT("name_facts.pattern", "file-name", "the pattern that fits"),
    INT("name_facts.pid", "file-name", "%p, or %P when only that is in the pattern"),
    INT("name_facts.tid", "file-name", "%i, or %I: the thread that crashed"),
    INT("name_facts.uid", "file-name", "%u"),
    INT("name_facts.gid", "file-name", "%g"),
    INT("name_facts.signal", "file-name", "%s"),
    COUNT("name_facts.time", "seconds since 1970", "file-name", "%t"),
    TEXT("name_facts.hostname", "file-name", "%h"),
    TEXT("name_facts.comm", "file-name", "%e or %f"),
    TEXT("name_facts.path", "file-name", "%E, with slashes again"),
    INT("name_facts.dump_mode", "file-name", "%d"),
    COUNT("name_facts.core_limit", "bytes", "file-name", "%c"),
    INT("name_facts.cpu", "file-name", "%C: the processor the crashing thread was on"),
    TEXTS("name_facts.contradictions", "file-name",
          "where the name and the dump's notes do not agree"),

    OBJECT("signal", "signal", "the signal that ended the process"),
    INT("signal.number", "signal", "its number"),
    TEXT("signal.name", "signal", "its name: SIGSEGV"),
    INT("signal.code", "signal", "si_code"),
    TEXT("signal.code_name", "signal", "si_code by name: SEGV_MAPERR, SI_TKILL, SI_KERNEL"),
    TEXT("signal.description", "signal", "signal and code in words"),
    ADDR("signal.address", "signal", "si_addr, when this signal carries one"),
    WORD("signal.sent_by", "kernel|self|init|other", "sender",
         "who it came from: the kernel (a fault, a limit), the process itself (raise, abort), "
         "process 1, or another process"),
    OBJECT("signal.sender", "sender", "who sent it, when it was sent"),
    INT("signal.sender.pid", "sender", "si_pid"),
    INT("signal.sender.uid", "sender", "si_uid"),
    TEXT("signal.sender.text", "sender", "who that is, in words"),

    OBJECT("fault", "fault",
           "the instruction that failed and what it wanted; null when the signal was sent by "
           "somebody"),
    WORD("fault.source", "registers|signal-frame", "fault",
         "which registers are the fault's: the thread's, or those in a signal frame"),
    INT("fault.frame", "fault",
        "index of the crashing thread's frame that the fault happened in; not 0 when a signal "
        "handler ran after it. frame[N] counts from there"),
    TEXT("fault.signal", "fault", "SIGSEGV, SIGFPE: the signal that the fault raised"),
    ADDR("fault.address", "fault", "address that could not be used"),
    WORD("fault.address_class",
         "null-page|near-null|neg-errno|kernel-half|non-canonical|stack-guard|stack-near|"
         "library-gap|past-eof|read-only|no-exec|unmapped|mapped", "fault",
         "what kind of address that is; the most specific one that fits"),
    WORD("fault.access", "read|write|execute", "fault", "what was tried there"),
    OBJECT("fault.error_code", "trap", "page fault error code of the CPU"),
    INT("fault.error_code.value", "trap", "the number"),
    TEXTS("fault.error_code.bits", "trap",
          "its bits in words, those that are certain: protection or not-present, write or read, "
          "user, instruction-fetch, protection-key, shadow-stack, reserved-bit; of control "
          "protection: near-return, no-endbranch"),
    WORD("fault.error_code.source", "kernel-log|signal-frame|inferred", "trap",
         "where it comes from"),
    WORD("fault.trap",
         "divide-error|debug|breakpoint|overflow|invalid-opcode|stack-segment|general-protection|"
         "page-fault|x87-error|alignment-check|simd-error|control-protection",
         "trap", "exception that the x86 CPU raised, when only one is possible"),
    WORD("fault.reason",
         "non-canonical|misaligned|privileged|undefined|divide-by-zero|quotient-overflow|"
         "breakpoint|undeliverable-signal|unsupported-instruction|protection-key|shadow-stack|"
         "vsyscall|unexplained",
         "fault",
         "what was wrong, where neither signal nor address says it: an address that no x86-64 "
         "pointer can have, an operand that must be aligned, an instruction that programs may not "
         "run or that is made to fail, a page fault whose signal found no room on the stack, an "
         "instruction that this CPU does not offer, a jump into the vsyscall page; unexplained: "
         "nothing that the instruction uses, so that another signal found no room, or the kernel "
         "could not use the thread's own block (rseq)"),
    INT("fault.protection_key", "fault", "key of the page, when a protection key refused it"),
    COUNT("fault.lost_bytes", "bytes", "fault", "memory that the hardware lost there"),
    ADDR("fault.target", "fault",
         "where a call, jump or return wanted to go on, when that was an impossible address"),
    OBJECT("fault.instruction", "instruction", "the instruction that failed"),
    ADDR("fault.instruction.address", "instruction", "where it is"),
    TEXT("fault.instruction.bytes", "instruction",
         "its bytes, hex; what lies there when it could not be decoded"),
    TEXT("fault.instruction.text", "instruction", "disassembled; x86 as gdb writes it"),
    TEXT("fault.instruction.isa", "instruction",
         "the extension of the CPU that it belongs to: SSE2, AVX512F_512; aarch64: LSE"),
    BOOL("fault.instruction.offered", "instruction",
         "the CPU offered that extension; of instructions that the CPU refused (SIGILL)"),
    TEXT("fault.instruction.offered_source", "instruction", "whose word that is"),
    OBJECT("fault.operand", "instruction",
           "the operand it failed at: a place in memory, the register a branch goes through, a "
           "divisor"),
    TEXT("fault.operand.text", "instruction",
         "as written: 0x8(%rdi); a push writes to -0x8(%rsp)"),
    MAP("fault.operand.registers", "instruction", "the registers it is made of"),
    ADDR("fault.operand.registers.*", "instruction", "value of the register"),
    TEXT("fault.operand.base", "instruction", "the register that its address starts from"),
    ADDR("fault.operand.base_value", "instruction", "value of its base register"),
    TEXT("fault.operand.index", "instruction", "the register that is added"),
    ADDR("fault.operand.index_value", "instruction", "value of its index register"),
    ADDR("fault.operand.address", "instruction",
         "address of the operand; the fault may be at a later byte of it"),
    COUNT("fault.operand.size_bytes", "bytes", "instruction", "how much is read or written there"),
    OBJECT("fault.at", "place", "what lies at the address of the fault"),
    WORD("fault.at.kind",
         "null|non-canonical|vsyscall|kernel|stack-guard|stack|below-stack|module|shared-memory|"
         "memfd|sysv-shm|hugetlb|past-eof|file|heap|no-rights|anonymous|library-gap|gap",
         "place", "what it is; gap: nothing is mapped there"),
    TEXT("fault.at.text", "place", "the same in words"),
    TEXT("fault.at.module", "place", "name of the module it is in"),
    TEXT("fault.at.symbol", "place", "function or object that covers it"),
    ADDR("fault.at.offset", "place", "from that symbol, else from where the module was loaded"),
    INT("fault.at.thread", "place", "id of the thread whose stack or guard it is"),
    COUNT("fault.at.depth_bytes", "bytes", "place", "how far below the top of that stack"),
    OBJECT("fault.pattern", "place",
           "what the bad pointer looks like, when that is more than chance"),
    WORD("fault.pattern.kind", "text|poison|errno|sign-extended|truncated|one-bit|freed", "place",
         "text: printable bytes; poison: fill of a debug allocator; truncated, one-bit: next to a "
         "pointer that is in use; freed: what glibc's free() writes into a block"),
    TEXT("fault.pattern.text", "place", "the same in words"),
    ADDR("fault.pattern.value", "place", "the value: of the operand's register, else the address"),
    ADDR("fault.errno_register", "place",
         "only while the instruction is unknown and the address is less than a page: an error code "
         "(-4095 to -1) that a register holds; the address may be an offset from it"),
    REAL("fault.pattern.odds", NULL, "place",
         "how many such hits chance alone would give; less than 0.01, or there is no pattern"),
    OBJECT("fault.code_page", "code-page",
           "the page that the instruction lies in, compared with the module's file"),
    BOOL("fault.code_page.differs", "code-page",
         "its bytes in memory are others than in the file; unknown unless the dump holds the page "
         "(coredump_filter 0x37, or the process had changed it)"),
    ADDR("fault.code_page.address", "code-page", "where it begins"),
    COUNT("fault.code_page.bytes_different", "bytes", "code-page", "how many differ"),
    COUNT("fault.code_page.bits_different", "bits", "code-page", "how many bits of these"),
    ADDR("fault.code_page.first", "code-page", "address of the first byte that differs"),
    BOOL("fault.code_page.in_instruction", "code-page",
         "that byte is one of the instruction that failed"),
    TEXT("fault.code_page.text", "code-page", "the same in words"),
    TEXT("fault.function", "fault", "function the fault happened in"),
    TEXT("fault.module", "fault", "name of the module that function is in"),
    ADDR("fault.argument", "argument",
         "first argument of free() or realloc() when the fault is in one of them"),
    OBJECT("fault.copy", "copy-size", "the fault is in a function that copies or fills memory"),
    TEXT("fault.copy.function", "copy-size", "memcpy, memmove, mempcpy, memset"),
    INT("fault.copy.size", "copy-size",
        "how many bytes it was told, by the code of its caller (x86-64), as a signed number: a "
        "negative one is more than any memory has"),
    INT("fault.copy.frame", "copy-size", "index of the crashing thread's frame that called it"),
    ADDR("fault.argument_arena", "argument",
         "where glibc looked for the arena of that argument, and failed: by what stands in front "
         "of it, it would be a block of another arena than the main one"),
    WORD("fault.argument_kind",
         "null|non-canonical|vsyscall|kernel|stack-guard|stack|below-stack|module|shared-memory|"
         "memfd|sysv-shm|hugetlb|past-eof|file|heap|no-rights|anonymous|library-gap|gap",
         "argument", "what lies at such an argument; words of fault.at.kind"),
    TEXT("fault.argument_at", "argument", "the same in words"),

    COUNT("threads_total", "threads", "threads", "threads that the dump holds, listed or not"),
    LIST("threads", "threads", "its threads, the crashing one first"),
    INT("threads[].tid", "threads", "thread id"),
    BOOL("threads[].crashed", "threads", "this thread got the signal"),
    TEXT("threads[].name", "threads", "its name, where something in the dump tells it"),
    MAP("threads[].registers", "threads", "general registers by name"),
    ADDR("threads[].registers.*", "threads", "value of the register"),
    OBJECT("threads[].stack", "threads", "its stack"),
    ADDR("threads[].stack.start", "threads", "lowest address that it may use, above the guard"),
    COUNT("threads[].stack.size_bytes", "bytes", "threads",
          "size without the guard; of the main stack, what it had grown to"),
    TEXT("threads[].stack.size", "stack", "that size with a unit: 256 KiB; of the crashing thread"),
    ADDR("threads[].stack.guard_start", "threads", "lowest address of its guard"),
    COUNT("threads[].stack.guard_bytes", "bytes", "threads", "size of its guard"),
    COUNT("threads[].stack.used_bytes", "bytes", "threads",
          "from the stack pointer to the outermost end; unknown while it stood elsewhere"),
    BOOL("threads[].stack.nearly_full", "threads",
         "less than 4096 bytes were left of a thread's stack; of the main stack, which grows, not "
         "known"),
    TEXT("threads[].stack.used", "stack", "used_bytes with a unit; of the crashing thread"),
    WORD("threads[].stack.made_by", "main|pthread|musl|python|java|go|rust|qt", "stack",
         "who made the thread, and so decides how large its stack is; of the crashing thread"),
    INT("threads[].stack.host", "threads",
        "id of the thread in whose stack this thread's stack pointer is: a frame jumped over the "
        "guard"),
    INT("threads[].stack.guest", "threads",
        "id of another thread whose stack pointer is in this stack, and whose frames may have "
        "overwritten it"),
    BOOL("threads[].stack.overflow", "stack",
         "the stack was used up, and that is what failed; of the crashing thread"),
    WORD("threads[].stack.overflow_kind", "recursion|big-frame|alternate", "stack",
         "by what: frames that repeat, one that takes an eighth of the stack or jumped its guard; "
         "or it was a signal stack or a coroutine's"),
    OBJECT("threads[].stack.biggest_frame", "stack",
           "the frame that takes most of it, of those that are listed"),
    COUNT("threads[].stack.biggest_frame.bytes", "bytes", "stack", "how much"),
    TEXT("threads[].stack.biggest_frame.size", "stack", "the same with a unit: 528.7 KiB"),
    TEXT("threads[].stack.biggest_frame.function", "stack", "whose it is"),
    INT("threads[].stack.biggest_frame.levels", "stack",
        "how many frames of that function are listed: each level of a recursion needs as much"),
    TEXT("threads[].stack.biggest_frame.module", "stack", "the module that function is in"),
    WORD("threads[].stack.source", "pthread|auxv|signal-frame|segment", "threads",
         "where its bounds come from: the C library's record, the program's start on the main "
         "stack, the frame of a signal, or no more than the mapping that the stack pointer is in"),
    LIST("threads[].frames", "threads", "its frames, innermost first"),
    INT("threads[].frames[].index", "threads",
        "0 is the innermost; jumps where the middle was left out. An inlined function has that "
        "of the frame it is part of"),
    ADDR("threads[].frames[].pc", "threads", "program counter"),
    WORD("threads[].frames[].trust", "context|cfi|frame-pointer|rule|scan", "threads",
         "how the frame was found"),
    BOOL("threads[].frames[].after_scan", "threads",
         "reached through a frame that was found by scanning: true only if that one is"),
    TEXT("threads[].frames[].function", "threads",
         "function that covers the pc: readable, without its parameters"),
    TEXT("threads[].frames[].symbol", "threads", "its raw (mangled) name when that is another one"),
    COUNT("threads[].frames[].function_offset", "bytes", "threads",
          "pc minus the start of the function"),
    TEXT("threads[].frames[].file", "threads", "source file"),
    INT("threads[].frames[].line", "threads", "source line"),
    BOOL("threads[].frames[].inlined", "threads",
         "the function was inlined into that of the next frame, which has the same index and pc"),
    MODULE("threads[].frames[].module", "threads", "index into modules[]"),
    ADDR("threads[].frames[].module_offset", "threads", "pc as an address in the module's file"),
    WORD("threads[].frames[].kind", "native|python|java|jit|signal|kernel", "threads",
         "what kind of code"),
    COUNT("threads[].frames_total", "frames", "threads",
          "frames the stack has, left-out ones counted"),
    BOOL("threads[].truncated", "threads",
         "frames between the innermost and the outermost ones were left out"),
    TEXT("threads[].stop", "threads", "why the stack could not be followed to its end"),
    BOOL("threads[].complete", "threads", "the outermost frame was reached"),
    OBJECT("threads[].cycle", "threads", "frames that repeat: recursion"),
    INT("threads[].cycle.start", "threads", "index of the first frame of the first round"),
    COUNT("threads[].cycle.length", "frames", "threads", "frames in one round"),
    COUNT("threads[].cycle.count", "rounds", "threads", "how often it repeats"),
    COUNT("threads[].cycle.bytes", "bytes", "stack",
          "stack that one round takes, by the rounds that are listed; of the crashing thread"),
    TEXT("threads[].cycle.size", "stack", "that size with a unit"),
    TEXT("threads[].cycle.functions", "stack",
         "functions of one round, the innermost first: even < odd; of the crashing thread"),

    LIST("modules", "modules", "what was loaded: program, libraries, other mapped ELF files"),
    INT("modules[].index", "modules", "its place in this list"),
    TEXT("modules[].path", "modules", "file it was mapped from"),
    TEXT("modules[].name", "modules", "last component of the path"),
    TEXT("modules[].soname", "modules", "DT_SONAME"),
    TEXT("modules[].build_id", "modules", "build-id from the dump's own pages, lower-case hex"),
    ADDR("modules[].start", "modules", "lowest address"),
    ADDR("modules[].end", "modules", "first address above it"),
    ADDR("modules[].load_bias", "modules", "to add to an address in its file"),
    WORD("modules[].on_disk", "match|mismatch|missing|refused|unverified", "modules",
         "is the file here the one that was mapped?"),
    TEXT("modules[].on_disk_reason", "modules", "why it is not"),
    BOOL("modules[].deleted", "modules", "the file was deleted or replaced while the process ran"),
    WORD("modules[].scope", "main|global|local", "bindings",
         "who sees its symbols: main: the program's own libraries; global: everybody, since it was "
         "loaded RTLD_GLOBAL; local: those that it was loaded with"),
    INT("modules[].namespace", "bindings", "link namespace: 0, or one that dlmopen() made"),
    BOOL("modules[].preloaded", "bindings", "LD_PRELOAD names it"),
    INT("modules[].load_order", "modules",
        "place in the dynamic linker's list; 0 is the program, null: not in it"),
    TEXT("modules[].family", "families",
         "library family by the file's name: libldap, libcrypto, blas, openmp; two copies of one "
         "library have the same"),
    TEXT("modules[].abi", "families",
         "what must be equal for two copies of the family to be interchangeable: ilp64, 2.4, kmpc"),
    TEXT("modules[].release", "families", "version that the file's name has"),
    WORD("modules[].provenance",
         "wheel|wheel-plain|python-package|pixi|conda|venv|pyenv|uv|nix|guix|spack|easybuild|snap|"
         "flatpak|appimage|jdk|intel|cuda|rocm|steam|brew|system|local|memory",
         "families",
         "where it comes from by its path; wheel-plain: a wheel's library under its plain name"),
    OBJECT("modules[].owner", "owners",
           "package it belongs to, by that package's own list of files"),
    TEXT("modules[].owner.kind", "owners",
         "wheel, conda, system, jdk; by the path alone: nix, guix, spack, snap, flatpak"),
    TEXT("modules[].owner.package", "owners", "its name"),
    TEXT("modules[].owner.version", "owners", "its version"),
    TEXT("modules[].owner.installer", "owners",
         "what installed it: pip, uv, conda, dpkg, apk, pacman, rpm"),
    TEXT("modules[].owner.contradiction", "owners",
         "conda-pip-overlay: conda installed this package, but the file that was mapped is from a "
         "wheel"),
    TEXTS("modules[].owner.requested_by", "owners",
          "chains of packages that need it, the shortest first: \"eccodeslib ← eccodes ← cfgrib\"; "
          "at most 8"),
    INT("modules[].owner.requested_by_total", "owners", "how many such chains there are"),
    TEXT("modules[].config", "families", "how it was built, in its own words"),

    OBJECT("bindings", "bindings",
           "what the dynamic linker bound to what: the slots (GOT, PLT, absolute addresses of "
           "symbols) of every module"),
    COUNT("bindings.modules", "modules", "bindings", "modules whose slots were read"),
    COUNT("bindings.slots", "slots", "bindings", "slots they have"),
    COUNT("bindings.judged", "slots", "bindings",
          "slots of which both is known: whom they are bound to, and whom their module's own "
          "libraries would have given"),
    COUNT("bindings.lazy", "slots", "bindings", "functions that were not called yet"),
    COUNT("bindings.undecided", "slots", "bindings", "slots that could not be judged"),
    BOOL("bindings.complete", "bindings", "no module and no slot was left unread"),
    TEXTS("bindings.unread", "bindings", "modules that could not be read, and why: at most 32"),
    OBJECT("bindings.foreign", "bindings",
           "slots that are bound to another module than their own libraries would have given"),
    COUNT("bindings.foreign.strong", "slots", "bindings", "from one strong definition to another"),
    COUNT("bindings.foreign.vague", "slots", "bindings",
          "one of the two is weak or unique: C++ wants such definitions merged"),
    COUNT("bindings.foreign.in_scope", "slots", "bindings",
          "both modules were loaded together: ordinary search order"),
    COUNT("bindings.namespaces", "namespaces", "bindings", "link namespaces in use"),
    COUNT("bindings.unloaded", "libraries", "bindings",
          "libraries that were loaded and unloaded again"),
    LIST("bindings.captures", "bindings",
         "libraries that a module asked for and has a file of its own for, while one that was "
         "loaded before under the same soname was taken"),
    MODULE("bindings.captures[].from", "bindings", "index of the module that asked"),
    TEXT("bindings.captures[].soname", "bindings", "what it asked for (DT_NEEDED)"),
    TEXT("bindings.captures[].own", "bindings",
         "its own file, by its RUNPATH, which is not loaded"),
    MODULE("bindings.captures[].actual", "bindings", "index of the module that was taken"),
    BOOL("bindings.captures[].on_crash_path", "bindings",
         "a frame of the crashing thread in `actual` was called by one in `from`"),
    LIST("bindings.allocators", "bindings",
         "modules whose malloc() and free() are not of one library"),
    MODULE("bindings.allocators[].from", "bindings", "index of the module with the two slots"),
    TEXT("bindings.allocators[].allocates", "bindings", "function that allocates: malloc, calloc"),
    MODULE("bindings.allocators[].allocator", "bindings", "index of the module that one is in"),
    TEXT("bindings.allocators[].releases", "bindings", "function that releases: free, realloc"),
    MODULE("bindings.allocators[].releaser", "bindings", "index of the module that one is in"),
    BOOL("bindings.allocators[].on_crash_path", "bindings",
         "a frame of the crashing thread is in `from` or `releaser`"),
    LIST("bindings.runtimes", "bindings", "language runtimes of which there may be only one"),
    WORD("bindings.runtimes[].kind", "python|openmp", "bindings", "which"),
    MODULES("bindings.runtimes[].modules", "bindings", "indexes of the modules that hold one"),
    MODULES("bindings.runtimes[].used", "bindings", "of those, the ones that slots are bound to"),

    LIST("collisions", "collisions", "several copies of one library in one process"),
    TEXT("collisions[].family", "collisions", "library family"),
    MODULES("collisions[].copies", "collisions", "indexes into modules[]"),
    BOOL("collisions[].same_exports", "collisions", "the copies export the same names"),
    COUNT("collisions[].common_exports", "symbols", "collisions",
          "strong names that two of the copies both export; of the pair with the most"),
    COUNT("collisions[].judged", "slots", "collisions",
          "slots that are bound to one of the copies, or should be, and were judged"),
    LIST("collisions[].bindings", "collisions",
         "slots that are bound to the wrong copy; data and the crashing path first"),
    MODULE("collisions[].bindings[].from", "collisions", "index of the module that holds the slot"),
    TEXT("collisions[].bindings[].symbol", "collisions", "symbol it is for"),
    WORD("collisions[].bindings[].kind", "data|function|tls", "collisions", "what that is"),
    ADDR("collisions[].bindings[].slot", "collisions", "where the slot is"),
    MODULE("collisions[].bindings[].expected", "collisions", "index of the module it belongs to"),
    MODULE("collisions[].bindings[].actual", "collisions", "index of the module it is bound to"),
    COUNT("collisions[].bindings[].size_expected", "bytes", "collisions",
          "size of the symbol there"),
    COUNT("collisions[].bindings[].size_actual", "bytes", "collisions", "size of the symbol here"),
    TEXT("collisions[].bindings[].version_expected", "collisions", "version of the symbol there"),
    TEXT("collisions[].bindings[].version_actual", "collisions", "version of the symbol here"),
    BOOL("collisions[].bindings[].strong", "collisions", "neither definition is weak or unique"),
    BOOL("collisions[].bindings[].on_crash_path", "collisions",
         "a frame of the crashing thread is in the module that holds the slot"),
    OBJECT("collisions[].foreign", "collisions", "count of all such slots"),
    INT("collisions[].foreign.strong", "collisions", "bound to another copy's strong symbol"),
    INT("collisions[].foreign.vague", "collisions", "C++ symbols that are meant to be merged"),
    INT("collisions[].foreign.in_scope", "collisions", "where the copy's own scope explains it"),
    INT("collisions[].foreign.on_path", "collisions",
        "strong ones that modules on the crashing stack hold"),
    WORD("collisions[].grade", "proven|strong|plausible|context|refuted|inconclusive", "collisions",
         "what they have to do with the crash: proven: it went through a wrong binding; strong: "
         "the crashing module or a caller has one; context: there are some elsewhere; refuted: "
         "there is none; inconclusive: some could not be read"),
    TEXT("collisions[].why", "collisions", "that grade in a sentence"),
    OBJECT("collisions[].crash", "collisions", "how the crash went through a wrong binding"),
    WORD("collisions[].crash.how", "object-read|object-at-hand|call|return|exit-object",
         "collisions",
         "object-read: read past the end of the other copy's smaller object; object-at-hand: an "
         "object in the other copy's data was being used; call: the function that faulted was "
         "called through such a slot; return: A called B's copy, which called back into A; "
         "exit-object: an object of the other copy was destroyed at exit"),
    TEXT("collisions[].crash.text", "collisions", "the same in a sentence"),
    TEXT("collisions[].crash.symbol", "collisions", "symbol of the slot"),
    MODULE("collisions[].crash.from", "collisions", "index of the module that holds the slot"),
    MODULE("collisions[].crash.expected", "collisions", "index of the module it belongs to"),
    MODULE("collisions[].crash.actual", "collisions", "index of the module it is bound to"),
    COUNT("collisions[].crash.size_expected", "bytes", "collisions", "size of the symbol there"),
    COUNT("collisions[].crash.size_actual", "bytes", "collisions", "size of the symbol here"),
    ADDR("collisions[].crash.offset", "collisions", "what was read, from the start of the object"),
    ADDR("collisions[].crash.value", "collisions", "what was found there"),
    INT("collisions[].crash.frame", "collisions",
        "index of the crashing thread's frame that used the slot"),

    OBJECT("prefix", "prefix", "an environment's folder, looked at before it runs"),
    TEXT("prefix.path", "prefix", "as it was named to inquest"),
    WORD("prefix.kind", "venv|conda|site-packages|root|folder", "prefix", "what it looks like"),
    INT("prefix.libraries", "prefix",
        "different shared libraries below it, without extension modules"),
    INT("prefix.sharing", "prefix",
        "pairs of files (as they lie there, equal ones counted for each name) that have 20 strong "
        "names or more in common; `pairs` takes a build once, and leaves out those of one package "
        "and those that share little of what they have"),
    INT("prefix.packages", "prefix", "installed packages whose lists were found"),
    LIST("pairs", "prefix",
         "pairs of different files that export the same strong names, the most dangerous first"),
    MODULES("pairs[].copies", "prefix", "indexes into modules[]: two"),
    TEXT("pairs[].family", "prefix",
         "library family, when both have the same; else that of the smaller"),
    COUNT("pairs[].common", "symbols", "prefix", "strong names that both export"),
    COUNT("pairs[].confusable", "symbols", "prefix",
          "of those, the ones whose versions are equal, or missing on one side: what the dynamic "
          "linker can take for the other"),
    COUNT("pairs[].smaller", "symbols", "prefix", "strong names of the one that exports fewer"),
    REAL("pairs[].share", "ratio", "prefix", "common / smaller"),
    WORD("pairs[].hazard", "high|possible|low", "prefix",
         "high: something here makes them cross; possible: something may; low: nothing does"),
    TEXT("pairs[].reason", "prefix", "what makes them cross, or what keeps them apart"),
    TEXT("pairs[].loader", "prefix", "package that loads one of them for everybody"),

    OBJECT("state", "core", "what the process was doing as a whole"),
    OBJECT("state.exiting", "exiting", "exit() was running, in any thread"),
    INT("state.exiting.thread", "exiting", "id of the thread that called it"),
    INT("state.exiting.status", "exiting", "exit status, 0 to 255"),
    TEXT("state.exiting.module", "exiting", "name of the module whose function it had called"),
    WORD("state.exiting.phase", "atexit|destructor|thread-local", "exiting",
         "what kind of function that is: a handler of atexit() or the destructor of a C++ object, "
         "a destructor of a library or the program, one of a thread_local object"),
    BOOL("state.in_dlopen", "loading",
         "a library was being loaded: the linker was at it, or a constructor ran inside dlopen()"),
    BOOL("state.in_dlclose", "loading",
         "a library was being unloaded: the linker was at it, or a destructor ran inside "
         "dlclose()"),
    OBJECT("state.loading", "loading", "the one of the two that was going on"),
    WORD("state.loading.source", "frames|linker", "loading",
         "what says so: a thread's frames, or the state of the linker's list (r_debug.r_state)"),
    INT("state.loading.thread", "loading", "id of the thread that did it"),
    TEXT("state.loading.module", "loading",
         "path of the library whose constructor or destructor ran"),
    BOOL("state.forked_child", "fork",
         "child of fork() in a process that had more threads: those are not in the child, and what "
         "they held stays held. A child of a process with one thread is false"),
    BOOL("state.on_signal_stack", "signal-stack", "the crashing thread was on its signal stack"),
    INT("state.errno", "errno",
        "errno of the crashing thread: why its last call failed that did, however long ago; 0: "
        "none has failed"),
    TEXT("state.errno_name", "errno", "its name: ENOMEM; null for 0"),
    BOOL("state.finalizing", "finalizing", "a language runtime was shutting down, or had"),
    TEXT("state.finalizing_runtime", "finalizing", "which: a name as in runtimes[]"),
    INT("state.finalizing_thread", "finalizing", "id of the thread that did it, by its frames"),
    OBJECT("state.seccomp", "seccomp", "system call that a filter refused"),
    INT("state.seccomp.number", "seccomp", "its number"),
    TEXT("state.seccomp.name", "seccomp", "its name"),
    OBJECT("state.map_count", "map-count", "mappings"),
    INT("state.map_count.now", "map-count", "how many it had"),
    INT("state.map_count.limit", "map-count",
        "vm.max_map_count, as far as known: it is in no dump"),
    WORD("state.map_count.limit_source", "kernel-default", "map-count",
         "where that comes from: what it is unless somebody changed it"),
    BOOL("state.map_count.near_limit", "map-count", "98 % of that limit were reached"),

    OBJECT("machine", NULL, "other crashes of the same machine"),
    INT("machine.crash_sites", NULL, "how many different places they were at"),
    INT("machine.crash_cores", NULL, "how many cores of its processors those ran on"),

    OBJECT("heap", NULL, "the allocator's arenas"),
    WORD("heap.state", "consistent|corrupted|unknown", NULL, "result of the walk"),
    INT("heap.arenas", NULL, "arenas walked"),
    INT("heap.chunks", NULL, "chunks walked"),
    OBJECT("heap.first_bad", NULL, "first chunk that makes no sense"),
    ADDR("heap.first_bad.address", NULL, "where it is"),
    TEXT("heap.first_bad.reason", NULL, "what is wrong with it"),
    ADDR("heap.first_bad.previous_chunk", NULL,
         "the chunk before: who owned it may have written too far"),
    TEXT("heap.first_bad.owner_hint", NULL, "what the chunk before looks like"),

    OBJECT("abort", "abort-message", "the message a library left before it called abort()"),
    TEXT("abort.message", "abort-message",
         "its text; of an uncaught C++ exception its type and what()"),
    WORD("abort.source", "libc|glib|c++-exception|c++-runtime|rust|go|python|jvm", "abort-message",
         "who left it"),
    WORD("abort.found_in", "symbol|block|exception|frames|log-fields|call-site", "abort-message",
         "where: a variable of the library, a block of memory that looks like libc's, the "
         "exception that the thread was handling, functions that only one message leads to, "
         "the fields of GLib's log on the stack, constants at the call of assert()"),
    WORD("abort.grade", "proven|strong|plausible", "abort-message",
         "how sure it is that this is what the abort() was about"),
    OBJECT("abort.exception", "abort-message",
           "the C++ exception that the aborting thread was handling"),
    TEXT("abort.exception.type", "abort-message", "its type: std::runtime_error"),
    TEXT("abort.exception.what", "abort-message",
         "what its what() returns; none for types that have no what()"),
    TEXT("abort.exception.value", "abort-message", "a string or number that was thrown as it is"),
    WORD("abort.exception.how", "uncaught|noexcept|terminate|handled", "abort-message",
         "nobody catches it; it would have left a noexcept function; std::terminate() was called "
         "while it was handled; abort() was called while it was handled"),
    INT("abort.exception.thread", "abort-message", "id of the thread"),
    TEXT("abort.exception.runtime", "abort-message", "libstdc++ or libc++abi"),
    ADDR("abort.exception.object", "abort-message", "where the exception object is"),
    OBJECT("abort.call", "argument",
           "the call of free() or realloc() whose argument glibc refused with a message"),
    TEXT("abort.call.function", "argument", "free, realloc"),
    ADDR("abort.call.argument", "argument",
         "its first argument, recovered from the code at the call site: the registers that a "
         "caller keeps, and memory. Unknown unless that is certain"),
    TEXT("abort.call.from", "argument",
         "what the caller took it from: a register, \"0x8(rsp)\", a variable"),
    INT("abort.call.frame", "argument", "index of the crashing thread's frame that tells it"),
    WORD("abort.call.kind",
         "null|non-canonical|vsyscall|kernel|stack-guard|stack|below-stack|module|shared-memory|"
         "memfd|sysv-shm|hugetlb|past-eof|file|heap|no-rights|anonymous|library-gap|gap",
         "argument", "what lies at the argument; words of fault.at.kind"),
    TEXT("abort.call.at", "argument", "the same in words"),
    LIST("abort.texts", "abort-message",
         "where no message was found: text near the abort(), which may be about something else"),
    TEXT("abort.texts[].text", "abort-message", "the text"),
    WORD("abort.texts[].found_in", "stderr-buffer|stdout-buffer|stack|pointer|old-stack",
         "abort-message",
         "not yet written output, an array in the frames that called abort(), what a word "
         "there points to, or what an earlier call left below the stack pointer"),
    WORD("abort.texts[].grade", "plausible", "abort-message", "never more than that"),

    LIST("runtimes", "runtimes", "language runtimes in the process"),
    WORD("runtimes[].name",
         "python|jvm|go|rust|node|mono|dotnet|ruby|perl|php|r|erlang|ocaml|ghc|julia|lua|guile|"
         "tcl|swift|d",
         "runtimes", "which"),
    TEXT("runtimes[].version", "runtimes", "its version, as far as a name or a section tells it"),
    MODULE("runtimes[].module", "runtimes", "index into modules[]: where it was found"),
    WORD("runtimes[].found_by", "library|symbol|section", "runtimes", "by what it was found"),
    TEXT("runtimes[].message_in", "runtimes", "where its last words would be, in words"),

    OBJECT("python", "finalizing", "the Python interpreter"),
    TEXT("python.version", "runtimes", "its version"),
    BOOL("python.finalizing", "finalizing", "it was shutting down, or had, by its own word"),
    OBJECT("jvm", "runtimes", "the Java virtual machine"),
    TEXT("jvm.version", "runtimes", "its version, by the path of its library"),

    LIST("kernel_log", "kernel-log", "lines of the kernel's log about this crash"),
    TEXT("kernel_log[].line", "kernel-log", "the line, from the program's name on"),
    TEXT("kernel_log[].time", "kernel-log", "its time, UTC; null when the log does not tell it"),
    INT("kernel_log[].tid", "kernel-log",
        "thread id it names, in the first pid namespace of the machine: not always the dump's"),
    INT("kernel_log[].cpu", "kernel-log", "processor it was likely on"),
    INT("kernel_log[].core", "kernel-log", "core of that processor"),
    INT("kernel_log[].socket", "kernel-log", "socket of that processor"),
    INT("kernel_log[].error_code", "kernel-log",
        "error code of the exception: of a page fault its bits, of others a selector or 0"),
    WORD("kernel_log[].matched_by", "ip-sp|ip-tid|tid-address-time|tid-time|tid-address",
         "kernel-log", "what of line and dump is equal"),
    BOOL("kernel_log[].likely", "kernel-log",
         "it is likely, not sure, that the line is about this crash: nothing else was concluded "
         "from it"),
    TEXTS("kernel_log[].contradictions", "kernel-log", "where line and dump do not agree"),
    OBJECT("kernel_log_absence", "kernel-log", "a log was read and has no line about this crash"),
    BOOL("kernel_log_absence.expected", "kernel-log",
         "there cannot be one: the process handled the fault, the signal was sent, the log is of "
         "another time or machine"),
    TEXT("kernel_log_absence.why", "kernel-log", "why"),

    MAP("environment", "process", "environment variables on the allow-list, redacted"),
    TEXT("environment.*", "process", "value of the variable"),

    OBJECT("signatures", "verdict", "what the verdicts were sought among"),
    COUNT("signatures.loaded", "signatures", "verdict", "how many there were"),
    COUNT("signatures.own", "signatures", "verdict", "those of them that do not come with inquest"),
    COUNT("signatures.refused", "files", "verdict", "files with an error: see gaps"),
    LIST("signatures.changed", "verdict", "what the user's files change of those before them"),
    TEXT("signatures.changed[].id", "verdict", "which"),
    WORD("signatures.changed[].change", "override|disable", "verdict", "replaced, or not asked"),
    TEXT("signatures.changed[].reason", "verdict", "why, by that file"),
    TEXT("signatures.changed[].file", "verdict", "the file"),
    INT("signatures.changed[].line", "verdict", "line in it"),

    LIST("verdicts", "verdict", "answers, best first"),
    TEXT("verdicts[].signature", "verdict", "id of the signature"),
    TEXT("verdicts[].title", "verdict", "its title"),
    WORD("verdicts[].grade", "proven|strong|plausible|context|refuted|inconclusive", "verdict",
         "how sure it is"),
    INT("verdicts[].rank", "verdict", "1 is the answer"),
    TEXT("verdicts[].cause", "verdict", "what happened, in a sentence or two"),
    TEXTS("verdicts[].explains", "verdict", "ids of signatures that are its symptoms"),
    TEXT("verdicts[].explained_by", "verdict",
         "id of the verdict that this is a symptom of; missing: of none"),
    LIST("verdicts[].evidence", "verdict", "what speaks for it"),
    TEXT("verdicts[].evidence[].text", "verdict", "in words"),
    TEXT("verdicts[].evidence[].fact", "verdict", "the fact it rests on"),
    TEXTS("verdicts[].against", "verdict", "what speaks against it"),
    LIST("verdicts[].unknown", "verdict", "what is not known"),
    TEXT("verdicts[].unknown[].text", "verdict", "what, and why not"),
    TEXT("verdicts[].unknown[].read", "verdict", "the read that would decide"),
    LIST("verdicts[].fix", "verdict", "what to do"),
    TEXT("verdicts[].fix[].text", "verdict", "in words"),
    TEXTS("verdicts[].fix[].commands", "verdict", "commands to run"),
    TEXTS("verdicts[].see", "verdict", "further reading"),

    OBJECT("group", "group", "the key crashes are grouped by"),
    TEXT("group.exact", "group", "the same bug in the same build"),
    TEXT("group.bug", "group", "the same bug in any build"),
    TEXT("group.algorithm", "group", "version of the key: v1"),
    TEXT("group.title", "group", "the group in a few words"),
    TEXTS("group.frames", "group", "frames that the key is made of"),
    OBJECT("group.seen", "store", "earlier crashes of the same bug"),
    INT("group.seen.count", "store", "how many"),
    INT("group.seen.hosts", "store", "on how many machines"),
    TEXT("group.seen.first", "store", "time of the first, UTC"),
    TEXT("group.seen.last", "store", "time of the last, UTC"),
    TEXT("group.seen.first_build", "store", "build-id of the first"),
    TEXT("group.seen.known_issue", "store", "ticket"),

    OBJECT("error", "pipeline", "why there is no more than this: a report that is only a stub"),
    TEXT("error.code", "pipeline", "INQ-030; see docs/codes.md"),
    INT("error.exit", "pipeline", "exit code of a triage that ends so"),
    TEXT("error.message", "pipeline", "what is wrong"),
    TEXT("error.file", "pipeline", "file it is about"),
    COUNT("error.offset", "bytes", "pipeline", "where in that file"),
    ADDR("error.address", "pipeline", "where in the dead process"),

    LIST("gaps", "core", "what could not be looked at"),
    TEXT("gaps[].code", "core", "INQ-038; see docs/codes.md"),
    TEXT("gaps[].where", "core", "thread, module or place in the file"),
    TEXT("gaps[].what", "core", "what is missing"),
    TEXT("gaps[].why", "core", "and why"),
    TEXTS("limits", "core", "limits that were hit"),
    MAP("unknown", "core", "facts that could not be known"),
    TEXT("unknown.*", "core", "why this fact, named by its path, is unknown"),

    OBJECT("timing", "core", "how long it took"),
    REAL("timing.total_ms", "ms", "core", "all of it"),
    MAP("timing.stages", "core", "each stage"),
    REAL("timing.stages.*", "ms", "core", "this stage"),
};
/* clang-format on */

const size_t inq_fact_table_count = INQ_ARRAY_SIZE(inq_fact_table);
