/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Functions that say how a process died and not where: of the C library, of allocators, and of what
 * every uncaught exception, panic, fatal error and failed assertion passes on its way out. In front
 * of a stack they would fill the key and leave no room for the place.
 */

#include <string.h>

#include "cleanup.h"
#include "group_text.h"

/* By module, normalised. */
bool inq_group_is_runtime(const char *module)
{
    static const char *const names[] = {
        "libc",        "ld",          "libpthread", "librt",
        "libdl",       "[vdso]",      "linux-vdso", "linux-gate",
        "libjemalloc", "libtcmalloc", "libasan",    "libtcmalloc_minimal",
        "libmimalloc", "libubsan",    "libtsan",    "libasan_preinit",
        "libstdc++",   "libc++",      "libc++abi",  "libgcc_s",
    };
    for (size_t i = 0; i < INQ_ARRAY_SIZE(names); i++)
        if (strcmp(module, names[i]) == 0)
            return true;
    return false;
}

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool begins_like(const char *name, const char *const *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (inq_starts_with(name, prefixes[i]))
            return true;
    return false;
}

/* The C library and the allocator, which a static program holds in itself. */
static const char *const c_names[] = {
    "_start",
    "start_thread",
    "clone",
    "clone3",
    "abort",
    "__abort",
    "raise",
    "gsignal",
    "pthread_kill",
    "free",
    "cfree",
    "malloc",
    "calloc",
    "realloc",
    "memalign",
    "posix_memalign",
    "aligned_alloc",
    "malloc_printerr",
    "_int_free",
    "_int_malloc",
    "_int_realloc",
    "malloc_consolidate",
    "unlink_chunk",
    "__assert",
    "__assert_fail",
    "__assert_fail_base",
    "__stack_chk_fail",
    "__chk_fail",
    "operator new",
    "operator delete",
};
static const char *const c_prefixes[] = {
    "__pthread_kill", "__libc_message", "__libc_fatal",  "__fortify_fail", "_int_free_",
    "__libc_free",    "__libc_malloc",  "__libc_start_", "operator new(",  "operator delete(",
    "__asan::",       "__ubsan",        "__sanitizer::", "__interceptor_",
};

/* C++ and Rust: from where it is thrown to where the process gives up. */
static const char *const unwinding_names[] = {
    "__cxa_throw",
    "__cxa_rethrow",
    "__cxa_pure_virtual",
    "__cxa_deleted_virtual",
    "__cxa_call_terminate",
    "__cxa_call_unexpected",
    "__gxx_personality_v0",
    "__gnu_cxx::__verbose_terminate_handler",
    "__cxxabiv1::__terminate",
    "std::terminate",
    "std::__glibcxx_assert_fail",
    "rust_panic",
    "rust_begin_unwind",
    "rust_eh_personality",
    "__cxa_bad_cast",
    "__cxa_bad_typeid",
    "__cxa_throw_bad_array_new_length",
    "__cxa_throw_bad_array_length",
    "std::process::abort",
    "core::result::unwrap_failed",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::str::slice_error_fail",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::handle_error",
    "alloc::raw_vec::capacity_overflow",
};
static const char *const unwinding_prefixes[] = {
    "std::__throw_",
    "_Unwind_",
    "__rust_",
    "__rustc::", /* what stood in no crate before rustc 1.87 or so: rust_panic, __rust_abort */
    "std::panicking::",
    "core::panicking::",
    "std::sys::",
    "std::sys_common::",
    "rust_panic_",
    "core::slice::index::slice_",
    "std::alloc::",
    "std::rt::lang_start",
};

/* Go's panics and fatal errors (its runtime's functions are all "runtime.x"), HotSpot, CPython. */
static const char *const language_names[] = {
    "os::abort",
    "os::die",
    "JVM_handle_linux_signal",
    "JVM_HANDLE_XXX_SIGNAL",
    "javaSignalHandler",
    "report_vm_error",
    "report_fatal",
    "report_vm_out_of_memory",
    "report_should_not_call",
    "report_should_not_reach_here",
    "report_unimplemented",
    "report_untested",
    "report_java_out_of_memory",
    "fatal_error",
    "fatal_error_exit",
    "Py_FatalError",
    "_Py_FatalErrorFunc",
    "_Py_FatalErrorFormat",
    "_Py_FatalErrorFormatInner",
    "_Py_FatalRefcountErrorFunc",
    "_Py_FatalError_TstateNULL",
    "_PyObject_AssertFailed",
    "_Py_NegativeRefcount",
    "node::Abort",
    "node::Assert",
    "node::OnFatalError",
    "node::OOMErrorHandler",
    "V8_Fatal",
    "v8::base::OS::Abort",
    "v8::Utils::ReportOOMFailure",
    "v8::Utils::ReportApiFailure",
};
static const char *const language_prefixes[] = {
    "runtime.",
    "VMError::",
    "PosixSignals::",
    "faulthandler_",
    "v8::internal::V8::FatalProcessOutOfMemory",
    "v8::internal::Heap::",
    "v8::internal::HeapAllocator::",
    "v8::internal::Factory",
    "v8::internal::Scavenger",
    "v8::internal::MarkCompact",
    "v8::internal::ConcurrentMarking",
};

/* What libraries call when they find that they cannot go on. */
static const char *const library_names[] = {
    "g_log",
    "g_logv",
    "g_log_structured",
    "g_log_structured_array",
    "g_log_structured_standard",
    "g_log_default_handler",
    "_g_log_abort",
    "g_log_writer_default",
    "g_assertion_message",
    "g_assertion_message_expr",
    "g_assert_warning",
    "g_abort",
    "g_malloc",
    "g_malloc0",
    "g_realloc",
    "qFatal",
    "qt_assert",
    "qt_assert_x",
    "qt_message_fatal",
    "QMessageLogger::fatal",
    "llvm::report_fatal_error",
    "llvm::llvm_unreachable_internal",
    "google::DumpStackTraceAndExit",
    "google::logging_fail",
};
static const char *const library_prefixes[] = {
    "google::LogMessage",
    "google::protobuf::internal::LogMessage",
    "google::protobuf::internal::LogFinisher",
    "absl::log_internal::",
};

/* "__memcpy_avx_unaligned_erms": which one runs is the CPU's choice. */
static bool is_variant_for_cpu(const char *function)
{
    static const char *const sets[] = {"_sse2", "_sse4", "_sse42", "_ssse3",
                                       "_avx",  "_evex", "_erms"};

    if (!inq_starts_with(function, "__mem") && !inq_starts_with(function, "__str") &&
        !inq_starts_with(function, "__wcs") && !inq_starts_with(function, "__wmem"))
        return false;
    for (size_t i = 0; i < INQ_ARRAY_SIZE(sets); i++)
        if (strstr(function, sets[i]))
            return true;
    return false;
}

bool inq_group_is_runtime_function(const char *function)
{
    const struct {
        const char *const *names, *const *prefixes;
        size_t n_names, n_prefixes;
    } kinds[] = {
        {c_names, c_prefixes, INQ_ARRAY_SIZE(c_names), INQ_ARRAY_SIZE(c_prefixes)},
        {unwinding_names, unwinding_prefixes, INQ_ARRAY_SIZE(unwinding_names),
         INQ_ARRAY_SIZE(unwinding_prefixes)},
        {language_names, language_prefixes, INQ_ARRAY_SIZE(language_names),
         INQ_ARRAY_SIZE(language_prefixes)},
        {library_names, library_prefixes, INQ_ARRAY_SIZE(library_names),
         INQ_ARRAY_SIZE(library_prefixes)},
    };
    for (size_t i = 0; i < INQ_ARRAY_SIZE(kinds); i++)
        if (is_among(function, kinds[i].names, kinds[i].n_names) ||
            begins_like(function, kinds[i].prefixes, kinds[i].n_prefixes))
            return true;
    return is_variant_for_cpu(function);
}
