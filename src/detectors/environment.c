/* SPDX-License-Identifier: Apache-2.0 */
#include "environment.h"

#include <stddef.h>

#include "cleanup.h"
#include "text.h"

static const char *const allowed[] = {
    "LD_*",
    "MALLOC_*",
    "GLIBC_TUNABLES",
    "TCMALLOC_*",
    "JEMALLOC_*",
    "OMP_*",
    "KMP_*",
    "GOMP_*",
    "MKL_*",
    "OPENBLAS_*",
    "GOTO_NUM_THREADS",
    "BLIS_*",
    "NUMEXPR_*",
    "PYTHON*",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "VIRTUAL_ENV",
    "FINDLIBS_*",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "NODE_OPTIONS",
    "GODEBUG",
    "GOTRACEBACK",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOGC",
    "RUST_BACKTRACE",
    "RUST_MIN_STACK",
    "?SAN_OPTIONS",
    "UBSAN_OPTIONS",
    "CUDA_VISIBLE_DEVICES",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
};

bool inq_environment_allowed(const char *name)
{
    for (size_t i = 0; i < INQ_ARRAY_SIZE(allowed); i++)
        if (inq_glob_match(allowed[i], name))
            return true;
    return false;
}
