/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which language runtimes are in the process, and where their last words would be. By what each
 * must have, whatever the program is called: the library's own name, an exported symbol, a section
 * that its linker or compiler writes.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "detectors.h"
#include "text.h"

enum { MOST_SYMBOLS = 3, MOST_LIBRARIES = 4, MOST_VERSION = 64 };

struct runtime {
    const char *name;
    const char *libraries[MOST_LIBRARIES]; /* prefixes of soname or file name */
    const char *symbols[MOST_SYMBOLS];     /* of the program or one of its libraries: any of them */
    const char *message_in;
};

static const struct runtime runtimes[] = {
    {"python",
     {"libpython"},
     {"_PyRuntime", "Py_InitializeEx"},
     "stderr (\"Fatal Python error: ...\", or a traceback when faulthandler is on), and the "
     "interpreter's frames in memory"},
    {"jvm",
     {"libjvm.so", "libj9vm"},
     {"JNI_CreateJavaVM"},
     "hs_err_pidN.log in the working directory or -XX:ErrorFile (OpenJ9: javacore.*.txt)"},
    {"go",
     {"libgo.so"},
     {NULL},
     "stderr (\"panic: ...\", \"fatal error: ...\", then goroutines); "
     "runtime.printBacklog holds the last bytes of it"},
    {"rust",
     {"libstd-"},
     {"rust_panic", "rust_begin_unwind", "__rust_start_panic"},
     "stderr (\"thread '...' panicked at ...\")"},
    {"node",
     {"libnode.so"},
     {"node_module_register", "napi_create_function"},
     "stderr (\"FATAL ERROR: ...\" or a JavaScript stack), report.*.json with "
     "--report-on-fatalerror"},
    {"mono",
     {"libmonosgen-", "libmonoboehm-", "libmono-2"},
     {"mono_jit_init"},
     "stderr (\"Native "
     "Crash Reporting\"), mono_crash.*.json"},
    {"dotnet",
     {"libcoreclr.so", "libclrjit.so"},
     {"DotNetRuntimeInfo", "g_dacTable"},
     "stderr (\"Unhandled exception. ...\")"},
    {"ruby",
     {"libruby"},
     {"ruby_init", "rb_define_method"},
     "stderr (\"[BUG] ...\" with the Ruby-level backtrace)"},
    {"perl", {"libperl.so"}, {"perl_construct"}, "stderr (\"... at FILE line N.\")"},
    {"php",
     {"libphp"},
     {"php_module_startup", "zend_execute_scripts"},
     "error_log of php.ini, or stderr"},
    {"r",
     {"libR.so"},
     {"Rf_initEmbeddedR"},
     "stderr (\"*** caught segfault ***\" with the R-level traceback)"},
    {"erlang",
     {"libbeam"},
     {"erl_start", "erts_printf"},
     "erl_crash.dump in the working directory"},
    {"ocaml",
     {"libasmrun", "libcamlrun"},
     {"caml_startup", "caml_main"},
     "stderr (\"Fatal error: exception ...\")"},
    {"ghc", {"libHSrts"}, {"hs_main", "hs_init_ghc"}, "stderr (\"internal error: ...\")"},
    {"julia",
     {"libjulia"},
     {"jl_init", "ijl_init"},
     "stderr (\"signal (N): ...\" with the Julia-level backtrace)"},
    {"lua",
     {"liblua"},
     {"lua_newstate", "luaL_newstate"},
     "the string on top of the lua_State's stack, or stderr"},
    {"guile", {"libguile"}, {"scm_boot_guile"}, "stderr"},
    {"tcl", {"libtcl"}, {"Tcl_CreateInterp"}, "errorInfo of the interpreter, or stderr"},
    {"swift", {"libswiftCore.so"}, {"swift_retain"}, "stderr (\"Fatal error: ...\")"},
    {"d", {"libphobos2", "libdruntime"}, {"_d_throw_exception", "_d_run_main"}, "stderr"},
};
#define COUNT INQ_ARRAY_SIZE(runtimes)

struct found {
    const struct inq_module *module[COUNT];
    const char *found_by[COUNT];
};

/* ---- which are there ------------------------------------------------------------------------- */

static const char *name_of(const struct inq_module *module)
{
    return module->soname ? module->soname : module->name;
}

static void note(struct found *found, size_t i, const struct inq_module *module, const char *by)
{
    if (!found->module[i]) {
        found->module[i] = module;
        found->found_by[i] = by;
    }
}

static void look_at_names(const struct inq_module *module, struct found *found)
{
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < MOST_LIBRARIES && runtimes[i].libraries[k]; k++)
            if (inq_starts_with(name_of(module), runtimes[i].libraries[k]) ||
                inq_starts_with(module->name, runtimes[i].libraries[k]))
                note(found, i, module, "library");
}

static bool defines(const struct inq_image *image, const struct inq_image_symbols *table, size_t i,
                    struct inq_symbol *ret_symbol)
{
    return inq_image_symbol(image, table, i, ret_symbol) && ret_symbol->section != 0 &&
           ret_symbol->name[0] != '\0';
}

static void look_at_table(const struct inq_module *module, const struct inq_image_symbols *table,
                          struct found *found)
{
    struct inq_symbol symbol;

    for (size_t n = 0; n < table->count; n++) {
        if (!defines(module->image, table, n, &symbol))
            continue;
        for (size_t i = 0; i < COUNT; i++)
            for (size_t k = 0; k < MOST_SYMBOLS && runtimes[i].symbols[k]; k++)
                if (symbol.name[0] == runtimes[i].symbols[k][0] &&
                    !strcmp(symbol.name, runtimes[i].symbols[k]))
                    note(found, i, module, "symbol");
    }
}

static bool has_section(const struct inq_module *module, const char *name,
                        struct inq_image_section *ret_section)
{
    return module->image && inq_image_section(module->image, name, ret_section);
}

/* "rustc version 1.75.0 (...)" in .comment: one line a compiler that had a part in it. */
static const char *rustc_comment(const struct inq_module *module)
{
    static const char mark[] = "rustc version ";
    struct inq_image_section section;

    if (!has_section(module, ".comment", &section) || section.compressed)
        return NULL;
    for (size_t i = 0; i + sizeof(mark) < section.size; i++)
        if (!memcmp(section.bytes + i, mark, sizeof(mark) - 1) &&
            memchr(section.bytes + i, '\0', section.size - i))
            return (const char *)section.bytes + i + sizeof(mark) - 1;
    return NULL;
}

static size_t index_of(const char *name)
{
    size_t i = 0;

    while (i + 1 < COUNT && strcmp(runtimes[i].name, name) != 0)
        i++;
    return i;
}

static void look_at_sections(const struct inq_module *module, struct found *found)
{
    struct inq_image_section section;

    if (has_section(module, ".go.buildinfo", &section) ||
        has_section(module, ".note.go.buildid", &section))
        note(found, index_of("go"), module, "section");
    if (rustc_comment(module))
        note(found, index_of("rust"), module, "section");
    if (has_section(module, ".PyRuntime", &section))
        note(found, index_of("python"), module, "section");
}

/* ---- versions -------------------------------------------------------------------------------- */

/* The digits and dots that `text` begins with, at most `most` parts of them; NULL without. */
static const char *leading_version(struct inq_arena *arena, const char *text, unsigned most)
{
    size_t size = 0;
    unsigned parts = 0;

    while (isdigit((unsigned char)text[size])) {
        size_t start = size;
        while (isdigit((unsigned char)text[size]))
            size++;
        if (size - start > 8)
            return NULL;
        if (++parts >= most || text[size] != '.' || !isdigit((unsigned char)text[size + 1]))
            break;
        size++;
    }
    return size > 0 ? inq_arena_copy(arena, text, size) : NULL;
}

/* libpython3.11.so, libruby-3.1.so.3.1, libperl.so.5.36, liblua5.4.so: digits in the name. */
static const char *version_in_name(struct inq_dump *dump, const char *name)
{
    for (const char *c = name; *c; c++)
        if (isdigit((unsigned char)*c))
            return leading_version(dump->arena, c, 3);
    return NULL;
}

/* .go.buildinfo: 14 bytes of magic, pointer size, flags; with flag 2 the version at 32, its length
 * first (cmd/go/internal/version and debug/buildinfo of Go). */
static const char *go_version(struct inq_dump *dump, const struct inq_module *module)
{
    static const char magic[] = "\xff Go buildinf:";
    struct inq_image_section section;

    if (!has_section(module, ".go.buildinfo", &section) || section.compressed ||
        section.size < 34 || memcmp(section.bytes, magic, sizeof(magic) - 1) != 0 ||
        !(section.bytes[15] & 2) || section.bytes[32] >= 128 ||
        section.bytes[32] > section.size - 33)
        return NULL;
    const char *text = inq_arena_copy(dump->arena, section.bytes + 33, section.bytes[32]);
    return text && inq_starts_with(text, "go") ? leading_version(dump->arena, text + 2, 3) : NULL;
}

/* Py_Version, from 3.11 on: 0x030b02f0. Else what the library's name says. */
static const char *python_version(struct inq_dump *dump, const struct inq_module *module)
{
    struct inq_symbol symbol;
    uint32_t value;

    if (module->image && module->has_bias &&
        inq_image_find_symbol(module->image, "Py_Version", &symbol) &&
        inq_memory_u32(dump->memory, module->load_bias + symbol.addr, &value) && value >> 24 == 3)
        return inq_arena_printf(dump->arena, "%u.%u.%u", value >> 24, value >> 16 & 255,
                                value >> 8 & 255);
    return version_in_name(dump, name_of(module));
}

/* .../java-17-openjdk-amd64/lib/server/libjvm.so */
static const char *jvm_version(struct inq_dump *dump, const struct inq_module *module)
{
    static const char *const marks[] = {"java-", "jdk-", "jre-", "jdk", "zulu"};

    for (size_t i = 0; module->path && i < INQ_ARRAY_SIZE(marks); i++)
        for (const char *at = module->path; (at = strstr(at, marks[i])); at++) {
            const char *version = leading_version(dump->arena, at + strlen(marks[i]), 4);
            if (version)
                return version;
        }
    return NULL;
}

static const char *version_of(struct inq_dump *dump, size_t i, const struct inq_module *module)
{
    const char *name = runtimes[i].name, *comment;

    if (!strcmp(name, "python"))
        return python_version(dump, module);
    if (!strcmp(name, "jvm"))
        return jvm_version(dump, module);
    if (!strcmp(name, "go"))
        return go_version(dump, module);
    if (!strcmp(name, "rust")) {
        comment = rustc_comment(module);
        return comment ? leading_version(dump->arena, comment, 3) : NULL;
    }
    return module->is_main ? NULL : version_in_name(dump, name_of(module));
}

/* ---- the list -------------------------------------------------------------------------------- */

static void append(struct inq_dump *dump, struct inq_evidence *evidence, size_t i,
                   const struct found *found)
{
    const struct inq_module *module = found->module[i];
    const char *version = version_of(dump, i, module);
    json_t *item = json_object();

    if (!item) {
        evidence->failed = true;
        return;
    }
    if (version && !strcmp(runtimes[i].name, "python"))
        inq_evidence_set_text(evidence, "python.version", version);
    if (version && !strcmp(runtimes[i].name, "jvm"))
        inq_evidence_set_text(evidence, "jvm.version", version);
    json_object_set_new(item, "name", json_string(runtimes[i].name));
    json_object_set_new(item, "version", version ? json_string(version) : json_null());
    json_object_set_new(item, "module", json_integer((json_int_t)module->index));
    json_object_set_new(item, "found_by", json_string(found->found_by[i]));
    json_object_set_new(item, "message_in", json_string(runtimes[i].message_in));
    inq_evidence_append(evidence, "runtimes", item);
}

struct inq_error *inq_detect_runtimes(struct inq_dump *dump, struct inq_evidence *evidence)
{
    struct found found = {.module = {NULL}};
    size_t files = 0, missing = 0;

    for (size_t i = 0; i < dump->modules->count; i++) {
        struct inq_module *module = &dump->modules->items[i];
        if (module->is_vdso || !module->is_elf)
            continue;
        files++;
        missing += !module->image;
        look_at_names(module, &found);
        look_at_sections(module, &found);
        /* a library that embeds a runtime has its own name; a program holds it: look inside */
        if (module->image && module->is_main) {
            look_at_table(module, &module->image->dynsym, &found);
            look_at_table(module, &module->image->symtab, &found);
        }
    }
    for (size_t i = 0; i < COUNT; i++)
        if (found.module[i])
            append(dump, evidence, i, &found);
    if (missing > 0 && !json_object_get(evidence->document, "runtimes"))
        inq_evidence_set_unknown(evidence, "runtimes",
                                 "%zu of %zu files that were mapped are not here to be looked at",
                                 missing, files);
    return NULL;
}
